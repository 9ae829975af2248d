"""An application's own lint, types and tests, in its own locked environment: ``python -m tools.apptests FOLDER``.

FOLDER is below apps/, such as chat or chat/web. With a pyproject.toml uv runs Python's tools there, with a package.json
npm runs the script `check`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools import REPOSITORY
from tools.programs import NODE, NPM, POSTGRES, REDIS, MissingError, Program, ensure

UV = REPOSITORY / ".tools" / "uv" / "bin" / "uv"
PYTHON_STEPS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("python", "-m", "pytest"))
PROGRAMS: Mapping[str, tuple[Program, ...]] = {"chat": (POSTGRES, REDIS), "chat/web": (NODE, NPM)}
# Of what the folder of modules was made. npm itself would make it anew each time.
STAMP = Path("node_modules") / ".lock-digest"


def steps(project: Path) -> list[tuple[str, ...]]:
    """The commands that a folder is tested with, in their order."""
    if (project / "package.json").exists():
        install = [] if _stamp(project) == _digest(project) else [("npm", "ci")]
        return [*install, ("npm", "run", "check")]
    return [(str(UV), "run", "--frozen", "--quiet", *step) for step in PYTHON_STEPS]


def _digest(project: Path) -> str:
    return hashlib.sha256((project / "package-lock.json").read_bytes()).hexdigest()


def _stamp(project: Path) -> str:
    path = project / STAMP
    return path.read_text() if path.exists() else ""


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The platform's environment is no business of the application's."""
    found = {key: value for key, value in inherited.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    found.update(UV_PYTHON_DOWNLOADS="never", UV_PYTHON=f"{sys.version_info.major}.{sys.version_info.minor}")
    if os.path.exists("/etc/ssl/certs/ca-certificates.crt"):
        found.setdefault("UV_SYSTEM_CERTS", "1")
    return found


def main(arguments: list[str]) -> int:
    """Run every step, also after one that failed; 1 where any did."""
    name = arguments[0]
    project = REPOSITORY / "apps" / name
    try:
        ensure(PROGRAMS.get(name, ()))
    except MissingError as error:
        print(f"apps/{name}: {error}", file=sys.stderr)
        return 1
    failed = []
    for step in steps(project):
        shown = " ".join(step).removeprefix(f"{UV} run --frozen --quiet ")
        print(f"$ {shown}", flush=True)
        done = subprocess.run(list(step), cwd=project, env=environment(os.environ), check=False)
        if done.returncode:
            failed.append(shown)
        elif step == ("npm", "ci"):
            (project / STAMP).write_text(_digest(project))
    if failed:
        print(f"apps/{name}: failed: {'; '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
