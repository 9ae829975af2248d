# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Packages that must be there, decided from dpkg's list alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packages
short_description: Install Debian packages that are missing
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Asks dpkg which packages are missing, and lets M(ansible.builtin.apt) install those.
  - With nothing missing, apt is not started and no package list is loaded, which is what makes a run with nothing to
    change cheap.
  - In check mode it names what is missing, also on a host that has no package lists yet, where
    M(ansible.builtin.apt) fails.
  - Installed packages are never upgraded.
  - What is newly installed, dependencies, users and groups included, is recorded on the host in
    C(/var/lib/devops-platform/packages.json), so that M(devops.platform.uninstall) can give it back.
options:
  name:
    description: Names of packages, without versions.
    type: list
    elements: str
    required: true
  cache_valid_time:
    description: Package lists older than this many seconds are fetched anew before something is installed.
    type: int
    default: 86400
  install_recommends:
    description: Install recommended packages as well.
    type: bool
    default: false
  data:
    description:
      - Directories in which packages keep data, by package. M(devops.platform.uninstall) leaves those of packages that
        it removes, unless it is told otherwise.
    type: dict
    default: {}
  leaves:
    description:
      - Paths that the packages make, and leave behind when they are purged; those inside a directory before it.
      - What was not there before is removed with the packages; a directory only if it is empty.
    type: list
    elements: str
    default: []
  finish:
    description: For the action plugin alone; what apt has brought since the call before is recorded.
    type: bool
    default: false
  start_services:
    description:
      - Whether services of the packages start as part of the installation, with the package's own configuration.
      - By default they wait for the component that configures them.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Predicts changes without making any.
  diff_mode:
    support: full
    description: Names the packages that are installed.
  action:
    support: full
    description: The part that decides runs on the host; the controller then calls M(ansible.builtin.apt).
  platform:
    support: full
    platforms: debian
    description: Debian and those based on it.
seealso:
  - module: ansible.builtin.apt
"""

EXAMPLES = r"""
- name: Install nginx
  devops.platform.packages:
    name: [nginx]
"""

RETURN = r"""
missing:
  description: Packages that were missing before.
  returned: always
  type: list
  elements: str
  sample: [nginx]
lists:
  description: Whether the host had package lists before.
  returned: always
  type: bool
  sample: true
"""

import glob
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.engine import dpkg
from ansible_collections.devops.platform.plugins.module_utils.engine.host import Host
from ansible_collections.devops.platform.plugins.module_utils.engine.store import Store
from ansible_collections.devops.platform.plugins.module_utils.uninstall import record
from ansible_collections.devops.platform.plugins.module_utils.uninstall.carry_out import inventory


def note(asked: list[str], data: dict[str, list[str]], leaves: list[str]) -> None:
    """Before apt begins: what is there, so that a run that dies under way does not lose it."""
    host = Host()
    store = Store(host)
    store.prepare()
    new = [path for path in leaves if not host.exists(path)]
    store.write_packages(record.begin(store.packages(), inventory(host), asked, data, int(time.time()), new))


def finish() -> None:
    host = Host()
    store = Store(host)
    kept = store.packages()
    if kept:
        store.write_packages(record.finish(kept, inventory(host)))


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "list", "elements": "str", "required": True},
            "cache_valid_time": {"type": "int", "default": 86400},
            "install_recommends": {"type": "bool", "default": False},
            "data": {"type": "dict", "default": {}},
            "leaves": {"type": "list", "elements": "str", "default": []},
            "finish": {"type": "bool", "default": False},
            "start_services": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    wanted = module.params["name"]
    if module.params["finish"]:
        finish()
        module.exit_json(changed=False, missing=[], lists=True)
    bad = dpkg.bad_names(wanted)
    if bad:
        module.fail_json(msg=f"not package names: {', '.join(bad)}; give plain names, without versions or patterns")
    missing: list[str] = []
    if wanted:
        _code, output, _error = module.run_command(dpkg.query(wanted))
        missing = dpkg.missing(wanted, dpkg.installed(output))
    lines = "".join(f"package {name}\n" for name in missing)
    lists = bool(glob.glob("/var/lib/apt/lists/*_Packages*"))
    if missing and not module.check_mode:
        note(missing, module.params["data"], module.params["leaves"])
    module.exit_json(changed=bool(missing), missing=missing, lists=lists, diff={"before": "", "after": lines})


if __name__ == "__main__":
    main()
