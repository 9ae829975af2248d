"""The real rsyslog makes of every recorded line what the reference says."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.logging import documents, fields
from ansible_collections.devops.platform.tests.unit.logging.recorded import READ, Recording, recordings

from .conftest import Make
from .rig import Rig, eventually

OF_THE_PLACE = ("path", "offset")


def _local(rig_folder: Any, recording: Recording) -> dict[str, Any]:
    """The same description, with files that the test can write."""
    data = copy.deepcopy(recording.data["logging"])
    for name, source in data["sources"].items():
        if source["type"] == "file":
            source["path"] = f"{rig_folder}/{name}.log"
    return data


def _read(rig: Rig, number: int) -> list[dict[str, Any]]:
    eventually(lambda: len(rig.server.stored()) >= number, 100, f"{number} documents: {rig.said()}")
    return rig.server.stored()


@pytest.mark.parametrize("recording", [r for r in recordings() if r.lines], ids=lambda r: r.name)
def test_every_recorded_line_becomes_its_document(rig: Make, recording: Recording, tmp_path: Any) -> None:
    made = rig(_local(tmp_path, recording))
    checked = made.check()
    assert checked.returncode == 0, checked.stderr
    for line in recording.lines:
        if line.entry is None:
            with (tmp_path / f"{line.source}.log").open("ab") as handle:
                handle.write(line.raw + b"\n")
        else:
            with made.journal.open("a") as entries:
                entries.write(json.dumps({"MESSAGE": line.raw.decode(), "AT": READ, **line.entry}) + "\n")
    made.start()
    found = sorted((_comparable(document) for document in _read(made, len(recording.lines))), key=_order)
    expected = sorted(
        (_comparable(_arranged({"@timestamp": READ, **line.document})) for line in recording.lines), key=_order
    )
    assert found == expected


def _arranged(document: dict[str, Any]) -> dict[str, Any]:
    """As the gateway arranges it."""
    return documents.arranged(document, frozenset(fields.LINE), fields.REST)


def _comparable(document: dict[str, Any]) -> dict[str, Any]:
    """Without where and when a file's line was read."""
    kept = {key: value for key, value in document.items() if key not in OF_THE_PLACE}
    kept["@timestamp"] = (
        kept["@timestamp"] if "2026-11-21T1" in kept["@timestamp"] or "2027" in kept["@timestamp"] else READ
    )
    return kept


def _order(document: dict[str, Any]) -> str:
    return json.dumps(document, sort_keys=True)


@pytest.mark.parametrize("recording", [r for r in recordings() if r.traces], ids=lambda r: r.name)
def test_a_stack_trace_is_one_document(rig: Make, recording: Recording, tmp_path: Any) -> None:
    made = rig(_local(tmp_path, recording))
    for source, records in recording.traces.items():
        (tmp_path / f"{source}.log").write_text("\n".join(records) + "\n")
    made.start()
    number = sum(len(records) for records in recording.traces.values())
    found = _read(made, number)
    for source, records in recording.traces.items():
        assert sorted(d["message"] for d in found if d["source"] == source) == sorted(records)


def test_an_id_follows_from_the_place_of_a_line(rig: Make, tmp_path: Any) -> None:
    """Equal lines are different ones; the same line read again is the same."""
    log = tmp_path / "a.log"
    made = rig({"sources": {"a": {"type": "file", "path": str(log)}}})
    log.write_text("same\nsame\n")
    made.start()
    _read(made, 2)
    assert len({key for _index, key in made.server.documents}) == 2
    made.stop("rsyslog")
    for state in (made.spool / "state").iterdir():
        state.unlink()  # it forgets how far it read
    made.start("rsyslog")
    eventually(lambda: len(made.server.duplicates) == 2, what="both again")
    assert len(made.server.stored()) == 2
