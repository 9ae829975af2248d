"""``python -m tools.capacity [--hosts N …] [--minutes N]``: measures, and writes docs/capacity.md."""

from __future__ import annotations

import argparse
import sys

from lab.errors import LabError
from tools.capacity.measure import HOSTS, MINUTES, CapacityError, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.capacity", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hosts", type=int, nargs="+", default=HOSTS, help="how many hosts, one run each")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="before the first reading of each run")
    options = parser.parse_args()
    try:
        run(options.hosts, options.minutes)
    except (CapacityError, LabError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
