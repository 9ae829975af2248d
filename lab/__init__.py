"""The lab: a small fleet of systemd hosts in containers, with an artifact mirror, on one machine.

Run it as ``python -m lab`` from the repository's root. The desired fleet is a pure function shared with the inventory
plugin; it lives in the collection, so the collection's path is added here once, for every way the package is imported.
"""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_COLLECTIONS = str(REPOSITORY / "collections")
if _COLLECTIONS not in sys.path:
    sys.path.insert(0, _COLLECTIONS)
