# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An application as its users' browsers and clients have it: paths that answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .edge import Edge, JourneyError, expect_ok


@dataclass(frozen=True)
class Visit:
    """`hosts` are those that answered, sorted; none where the edge hides them."""

    requests: int
    hosts: list[str]


def visit(edge: Edge, paths: Sequence[str], hosts: Sequence[str] = (), attempts: int = 1) -> Visit:
    """Each path until each of `hosts` has answered, or as often as there are hosts where the edge hides who answers.

    JourneyError for the first answer that is not 200, and where one of `hosts` answers none of `attempts` requests.
    """
    asked, seen = 0, set[str]()
    for path in paths:
        missing, hidden, turns = set(hosts), False, 0
        while not turns or (missing and turns < (len(hosts) if hidden else attempts)):
            answered_by = expect_ok(edge, path).served_by
            turns, hidden = turns + 1, not answered_by
            missing.discard(answered_by)
            seen.add(answered_by)
        asked += turns
        if missing and not hidden:
            silent = ", ".join(sorted(missing))
            raise JourneyError(
                f"GET {edge.url.rstrip('/')}{path}: of {turns} requests none was answered by {silent}; does the edge "
                "send requests there?"
            )
    return Visit(asked, sorted(seen - {""}))
