"""What a step of a rollout says, from the states before and after it."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.rollout.state import State, fold
from ansible_collections.devops.platform.plugins.module_utils.rollout.steps import (
    RolloutError,
    entering,
    news,
    refuse_nothing_to_undo,
)

WAVES = {"event": "waves", "waves": [["a"], ["b", "c"]]}
CHANGED = [{"event": "change", "host": host, "status": status} for host in "ab" for status in ("begun", "changed")]
BATCH = {"wave": 2, "waves": 4, "hosts": ["b", "c"]}


def state(*events: dict[str, Any]) -> State:
    return fold([WAVES, *events])


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (BATCH, "wave 2 of 4: b, c"),
        ({**BATCH, "back": True}, "taking back: b, c"),
        ({**BATCH, "prove_only": True}, "wave 2 of 4: only its proof is missing"),
    ],
)
def test_what_begins(batch, words):
    assert entering(batch) == words


STOP = {"event": "stop", "reason": "b: broken"}


@pytest.mark.parametrize(
    ("step", "before", "after", "batch", "words"),
    [
        ("enter", [], [], BATCH, "wave 2 of 4: b, c"),
        ("enter", [STOP], [STOP], BATCH, ""),
        ("enter", [STOP], [STOP], {**BATCH, "back": True}, "taking back: b, c"),
        ("enter", [], [STOP], BATCH, "turning back: b: broken"),
        ("left", [], [], BATCH, ""),
        ("left", [], [STOP], BATCH, "turning back: b: broken"),
        ("left", [STOP], [STOP], BATCH, ""),
        ("proved", [], [{"event": "proof", "wave": 2, "passed": True}], BATCH, "wave 2 of 4 is proved"),
        ("proved", [], [{"event": "proof", "wave": 2, "passed": False}, STOP], BATCH, "turning back: b: broken"),
        ("proved", [STOP], [STOP, {"event": "proof", "wave": 0, "passed": True}], {"back": True}, ""),
        ("turn", [], [], {}, ""),
        ("turn", [*CHANGED, STOP], [*CHANGED, STOP], {}, "to be taken back: b, a"),
        ("turn", [], [STOP], {}, "turning back: b: broken; nothing has to be taken back"),
    ],
)
def test_what_is_worth_saying(step, before, after, batch, words):
    assert news(step, state(*before), state(*after), batch) == words


DONE = {"event": "end", "result": "done"}


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([DONE], ""),
        ([{"event": "end", "result": "reversed"}], "left nothing to take back: it ended as 'reversed'"),
        ([*CHANGED], "has not ended; take it back with playbooks/rollout.yml -e resume=R1 -e reverse=true"),
    ],
)
def test_only_what_holds_can_be_undone(events, words):
    refused = pytest.raises(RolloutError, match=re.escape(f"rollout R1 {words}")) if words else nullcontext()
    with refused:
        refuse_nothing_to_undo(state(*events), "R1")


def test_a_rollout_without_changes_has_nothing_to_undo():
    with pytest.raises(RolloutError, match="ended as 'unchanged'"):
        refuse_nothing_to_undo(fold([{"event": "end", "result": "unchanged"}]), "R1")
