"""What a line becomes, by the recorded lines: the reference that the shippers are compared with."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.logging import lines
from ansible_collections.devops.platform.tests.unit.logging.recorded import READ, Line, Recording, recordings

CASES = [
    pytest.param(recording, line, id=f"{recording.name}-{line.source}-{number}")
    for recording in recordings()
    for number, line in enumerate(recording.lines)
]


def known(line: Line) -> dict[str, Any]:
    """What the collector says of a line."""
    entry = line.entry or {}
    levels = dict(enumerate(("critical", "critical", "critical", "error", "warning", "info", "info", "debug")))
    said: dict[str, Any] = {"host": "h1", "@timestamp": READ}
    if "CONTAINER_ID_FULL" in entry:
        names = {"container": "CONTAINER_NAME", "app": "COM_DOCKER_COMPOSE_PROJECT",
                 "service": "COM_DOCKER_COMPOSE_SERVICE",
                 "version": "PLATFORM_VERSION"}  # fmt: skip
        return {**said, **{key: entry[name] for key, name in names.items() if name in entry}}
    if entry:
        said |= {"unit": entry["_SYSTEMD_UNIT"], "level": levels[int(entry["PRIORITY"])]}
    return said


@pytest.mark.parametrize(("recording", "line"), CASES)
def test_a_recorded_line_becomes_its_document(recording: Recording, line: Line) -> None:
    [source] = [source for source in recording.logging.sources if source.name == line.source]
    expected = {"@timestamp": READ, **line.document}
    assert lines.document(recording.logging, source, line.raw, known(line)) == expected


@pytest.mark.parametrize(("recording", "line"), [case for case in CASES if "redaction" in str(case.id)])
def test_no_canary_is_left(recording: Recording, line: Line) -> None:
    [source] = [source for source in recording.logging.sources if source.name == line.source]
    assert "CANARY" not in str(lines.document(recording.logging, source, line.raw, known(line)))


@pytest.mark.parametrize("recording", [r for r in recordings() if r.traces], ids=lambda r: r.name)
def test_a_trace_is_one_record(recording: Recording) -> None:
    for source in recording.logging.sources:
        assert source.multiline
        start = source.multiline.start.python()
        records: list[str] = []
        for line in "\n".join(recording.traces[source.name]).split("\n"):
            if start.search(line) or not records:
                records.append(line)
            else:
                records[-1] += f"\n{line}"
        assert records == recording.traces[source.name], source.name
