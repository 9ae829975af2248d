"""Writes the objects that the role kibana gives to Kibana: ``python -m tools.saved_objects [--check]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tools import REPOSITORY

from .build import file
from .definitions import BOARDS, SEARCHES, VIEWS

PATH = REPOSITORY / "collections/ansible_collections/devops/platform/roles/kibana/files/objects.ndjson"


def wanted() -> str:
    return file(VIEWS, SEARCHES, BOARDS)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.saved_objects", description=(__doc__ or "").partition(":")[0]
    )
    parser.add_argument("--check", action="store_true", help="only say whether the file is as the definitions")
    options = parser.parse_args(arguments)
    text = wanted()
    same = PATH.is_file() and PATH.read_text(encoding="utf-8") == text
    if options.check:
        if not same:
            print(f"{PATH.name} differs; run: make dashboards", file=sys.stderr)
        return 0 if same else 1
    PATH.write_text(text, encoding="utf-8")
    print(f"{len(text.splitlines())} objects of Kibana" + (", all as defined" if same else ", written"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
