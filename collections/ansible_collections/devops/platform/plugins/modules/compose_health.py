# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The containers that a host is declared to run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_health
short_description: Prove that every declared container of a host runs and is healthy
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Compares declared services of Docker Compose projects with the containers of the host, and waits until all of them
    run and are healthy.
  - Fails with one line for each service that is not, and for each other container that is unhealthy or keeps
    restarting, with what Docker says of it.
  - Is skipped in check mode, where nothing has been rolled out that could be asked.
options:
  projects:
    description:
      - Names of projects. The value of each has the names of its services, and for each the number of its containers.
    type: dict
    default: {}
  timeout:
    description: Seconds to wait. A container that was just started is healthy within a minute.
    type: int
    default: 60
extends_documentation_fragment: [devops.platform.asking]
"""

EXAMPLES = r"""
- name: Wait until every container is healthy
  devops.platform.compose_health:
    projects: "{{ platform | devops.platform.app_services(inventory_hostname, groups) }}"
"""

RETURN = r"""
failures:
  description: One line for each service or container that is not well.
  returned: always
  type: list
  elements: str
  sample: ["chat/web: chat-web-1: Exited (137) 5 seconds ago"]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.journey import containers
from ansible_collections.devops.platform.plugins.module_utils.journey.patience import Patience


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "projects": {"type": "dict", "default": {}},
            "timeout": {"type": "int", "default": 60},
        },
    )

    def ask() -> str:
        code, output, error = module.run_command(list(containers.LIST), handle_exceptions=False)
        if code != 0:
            raise containers.NoAnswerError(error.strip() or f"exit {code}")
        return str(output)

    try:
        lines = containers.wait_until_well(module.params["projects"], ask, Patience(module.params["timeout"]))
    except OSError as error:
        module.fail_json(msg=f"Docker is not installed on this host: {error}", failures=[])
    if lines:
        listed = "\n".join(f"  {line}" for line in lines)
        module.fail_json(
            msg=f"not healthy after {module.params['timeout']} s:\n{listed}\n`docker logs NAME` on this host says why.",
            failures=lines,
        )
    module.exit_json(changed=False, failures=[])


if __name__ == "__main__":
    main()
