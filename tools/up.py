"""What ``make up`` does once its tools are there: the lab, ``site.yml``, and what runs where."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping

from tools import REPOSITORY, locked_path, overview
from tools.table import duration

STEPS: tuple[tuple[str, ...], ...] = ((sys.executable, "-m", "lab", "up"), ("ansible-playbook", "site.yml"))
CLUSTER = ("ansible-playbook", "site.yml", "-i", "inventories/lab-kubernetes")


def steps(environment: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """The cluster beside the fleet is a platform of its own."""
    return (*STEPS, CLUSTER) if environment.get("LAB_KUBERNETES", "").lower() in ("1", "true") else STEPS


def main() -> int:
    """The exit code of the first step that fails, else 0."""
    start = time.monotonic()
    for step in steps(os.environ):
        done = subprocess.run(step, cwd=REPOSITORY, env={**os.environ, "PATH": locked_path()}, check=False)
        if done.returncode:
            print(f"`{' '.join(step)}` failed; put right what it says and run `make up` again", file=sys.stderr)
            return done.returncode
    print(f"\n{overview.text()}\n\nup after {duration(time.monotonic() - start)}; `make down` takes it all away")
    return 0


if __name__ == "__main__":
    sys.exit(main())
