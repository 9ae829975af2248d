"""What a client sees: requests are counted while the engine works, each over a new connection."""

from __future__ import annotations

import json
import time
from typing import Any

from lab import REPOSITORY
from tests.engine.harness.machine import Machine
from tests.engine.harness.scenarios import service

# The least that has to have been asked for a count to mean something.
ENOUGH = 40
FIGURES = REPOSITORY / "build" / "engine-serving.json"


def failures(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [answer for answer in answers if "failure" in answer]


def report(name: str, **figures: float | str) -> None:
    """Print the figures and keep them for the reader of `build/`."""
    print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in figures.items()))
    FIGURES.parent.mkdir(exist_ok=True)
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    FIGURES.write_text(json.dumps({**known, name: figures}, indent=1) + "\n")


def test_no_request_fails_during_a_reload_only_change(machine: Machine) -> None:
    machine.well(service())
    machine.start_asking()
    time.sleep(0.3)
    for message in ("second", "third", "fourth"):
        assert machine.well(service(message=message))["effect"] == "reload"
    time.sleep(0.3)
    answers = machine.stop_asking()
    report("reload-only change", requests=len(answers), failed=len(failures(answers)))
    assert len(answers) > ENOUGH
    assert failures(answers) == []
    # All the time it was one process, and each configuration was served in its turn.
    assert len({answer["pid"] for answer in answers}) == 1
    seen = list(dict.fromkeys(answer["message"] for answer in answers))
    assert seen == ["first", "second", "third", "fourth"]


def test_during_a_failed_upgrade_requests_fail_only_within_the_switch(machine: Machine) -> None:
    """The new release dies at its start: from its restart until the old one is back, nobody answers; else never."""
    machine.well(service())
    machine.start_asking()
    time.sleep(0.3)
    result = machine.result(service("2.0-exits", "second", "b"))
    time.sleep(0.3)
    answers = machine.stop_asking()
    assert result["failed"]
    failed = failures(answers)
    stopped, back = window(machine)
    report(
        "failed upgrade",
        requests=len(answers),
        failed=len(failed),
        switch_seconds=round(back - stopped, 2),
        run_seconds=result["seconds"],
    )
    assert len(answers) > ENOUGH
    assert failed, "the count is blind: the new release cannot have answered"
    # A request that is under way at the border may fall on either side of it.
    border = 0.1
    outside = [answer for answer in failed if not stopped - border <= answer["asked"] <= back + border]
    assert outside == []
    assert {answer["version"] for answer in answers if "failure" not in answer} == {"1.0"}
    assert "failure" not in answers[-1]


def window(machine: Machine) -> tuple[float, float]:
    """When systemd began to stop the old release and when the last one was up, in seconds since the epoch."""
    lines = machine.execute("journalctl", "--unit=probe_app", "--lines=200", "--output=json").splitlines()
    entries = [json.loads(line) for line in lines]
    starts = [entry for entry in entries if str(entry["MESSAGE"]).startswith("service ")]
    stops = [entry for entry in entries if str(entry["MESSAGE"]).startswith("Stopping ")]
    first = next(entry for entry in starts if "2.0-exits" in entry["MESSAGE"])
    stopping = [entry for entry in stops if stamp(entry) <= stamp(first)][-1]
    return stamp(stopping), stamp(starts[-1])


def stamp(entry: dict[str, Any]) -> float:
    return int(entry["__REALTIME_TIMESTAMP"]) / 1e6
