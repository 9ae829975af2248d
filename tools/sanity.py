"""``ansible-test sanity`` on a copy of the collection: ``python -m tools.sanity [--test NAME …]``.

ansible-test wants the collection at a path of its own, a home directory to keep virtual environments in, and a script
from its makers' site to install pip with. It gets all three below build/sanity: the script there calls Python's own
ensurepip, so that a package index is all that the tests need. Without one, those that install nothing are run.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools import REPOSITORY, locked_path

SOURCE = REPOSITORY / "collections" / "ansible_collections" / "devops" / "platform"
WORK = REPOSITORY / "build" / "sanity"
LEFT_BEHIND = ("__pycache__", ".*_cache", "output", ".hypothesis", "*.pyc")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

# Collections that modules take parts of their documentation from; ansible-doc wants them beside ours.
NEIGHBOURS = ("kubernetes",)
# Tests that run with what is there, and tests for which ansible-test first installs something.
PLAIN = (
    "action-plugin-docs",
    "compile",
    "empty-init",
    "ignores",
    "line-endings",
    "no-get-exception",
    "no-illegal-filenames",
    "no-smart-quotes",
    "replace-urlopen",
    "shebang",
    "symlinks",
    "use-argspec-type-path",
    "use-compat-six",
)
INSTALLING = ("ansible-doc", "changelog", "import", "runtime-metadata", "validate-modules", "yamllint")
NOT_RUN = {
    "no-assert": "an assert states what the types cannot, here as in the rest of the repository (ruff's S101)",
    "pep8": "ruff checks style, and formats",
    "pylint": "ruff's PL rules and mypy in strict mode do that",
    "pslint": "there is no PowerShell",
    "shellcheck": "there are no shell scripts in the collection",
}
# `import` loads everything without third-party packages, as a host would; what only the controller loads needs some,
# and so does what talks to Kubernetes, wherever that is done.
CONTROLLER_ONLY = (
    "plugins/action/",
    "plugins/lookup/",
    "plugins/module_utils/alerting/config.py",
    "plugins/module_utils/awx/",
    "plugins/module_utils/drift/declared.py",
    "plugins/module_utils/elasticsearch/nodes.py",
    "plugins/module_utils/elasticsearch/tls.py",
    "plugins/module_utils/engine/describe.py",
    "plugins/module_utils/kibana/server.py",
    "plugins/module_utils/logging/shipper.py",
    "plugins/module_utils/loki/server.py",
    "plugins/module_utils/kubernetes/addons/",
    "plugins/module_utils/kubernetes/connection.py",
    "plugins/module_utils/kubernetes/definition.py",
    "plugins/module_utils/kubernetes/difference.py",
    "plugins/module_utils/kubernetes/resources.py",
    "plugins/module_utils/kubernetes/rollout.py",
    "plugins/module_utils/kubernetes/transport.py",
    "plugins/module_utils/platform/",
    "plugins/module_utils/roles/files.py",
    "plugins/module_utils/rollout/settings.py",
    "plugins/module_utils/rollout/steps.py",
    "plugins/plugin_utils/",
)


@dataclass(frozen=True)
class Step:
    """One call of ansible-test."""

    tests: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    installs: bool = False


def steps(wanted: tuple[str, ...] = ()) -> list[Step]:
    """The calls that cover the wanted tests, all that can be run where none is named."""

    def chosen(tests: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(test for test in tests if not wanted or test in wanted)

    planned = (
        Step(chosen(PLAIN)),
        Step(chosen(tuple(test for test in INSTALLING if test != "import")), installs=True),
        Step(chosen(("import",)), CONTROLLER_ONLY, installs=True),
    )
    return [step for step in planned if step.tests]


def command(step: Step, folder: Path, *more: str) -> list[str]:
    """The call of ansible-test. A path that is not there would be an error of its own."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    tests = [word for test in step.tests for word in ("--test", test)]
    excluded = [word for path in step.exclude if (folder / path).exists() for word in ("--exclude", path)]
    return ["ansible-test", "sanity", "--python", version, "--color", "no", "--truncate", "0", *tests, *excluded, *more]


def prepare(work: Path = WORK) -> Path:
    """Copy the collection and set up the home directory; returns the copy's path."""
    folder = work / "ansible_collections" / "devops" / "platform"
    shutil.rmtree(work / "ansible_collections", ignore_errors=True)
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    for name in NEIGHBOURS:
        (work / "ansible_collections" / name).symlink_to(installed("ansible_collections") / name)
    # ansible-test asks Git which files there are, and the repository ignores build/: the copy is one by itself.
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    home = work / "home"
    script = home / ".ansible" / "test" / "cache" / f"get_pip_{pip_version().replace('.', '_')}.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text("import ensurepip\n\nensurepip.bootstrap()\n")
    if CERTIFICATES.exists():  # as everywhere else here: behind a proxy that inspects TLS only the system knows its CA
        settings = home / ".config" / "pip" / "pip.conf"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(f"[global]\ncert = {CERTIFICATES}\n")
    return folder


def installed(package: str) -> Path:
    """The folder of an installed package."""
    found = importlib.util.find_spec(package)
    folders = list((found and found.submodule_search_locations) or [])
    return Path(next((folder for folder in folders if not Path(folder).is_relative_to(SOURCE.parents[2])), ""))


def pip_version() -> str:
    """Which pip the installed ansible-test asks for."""
    folder = installed("ansible_test")
    found = re.search(r"\bpip='([\d.]+)'", (folder / "_internal" / "python_requirements.py").read_text())
    if not found:
        raise SystemExit("tools/sanity.py: ansible-test no longer says which pip it installs; look for get_pip there")
    return found[1]


def run(call: list[str], folder: Path, quiet: bool = False) -> int:
    environment = {
        **os.environ,
        "HOME": str(folder.parents[2] / "home"),
        "PATH": locked_path(),
        "LC_ALL": "C.UTF-8",
    }
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(call, cwd=folder, env=environment, stdout=output, stderr=output, check=False).returncode


def main(arguments: list[str] | None = None) -> int:
    """0 where every test that was run passed."""
    parser = argparse.ArgumentParser(prog="python -m tools.sanity", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--test", action="append", default=[], choices=(*PLAIN, *INSTALLING), metavar="NAME")
    options = parser.parse_args(arguments)
    folder = prepare()
    not_run = dict(NOT_RUN)
    codes = []
    for step in steps(tuple(options.test)):
        if step.installs and run(command(step, folder, "--prime-venvs"), folder, quiet=True):
            not_run.update(dict.fromkeys(step.tests, "what it needs could not be installed from a package index"))
            continue
        codes.append(run(command(step, folder), folder))
    print("\nnot run:")
    for test, reason in sorted(not_run.items()):
        print(f"  {test}: {reason}")
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
