"""Several components of a host go back, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from .engine import Engine
from .work import Result


def go_back(engine: Engine, names: Sequence[str], undo: str = "", to: str = "") -> list[Result]:
    """`undo`: the component that was changed last goes first, and all are tried. `to`: the first failure ends it."""
    if undo:
        names = sorted(names, key=engine.store.last_change, reverse=True)
    way = {"undo": undo} if undo else {"to": to}
    results = []
    for name in names:
        results.append(engine.run({"name": name, "state": "rolled_back", **way}))
        if results[-1].failed and not undo:
            break
    return results
