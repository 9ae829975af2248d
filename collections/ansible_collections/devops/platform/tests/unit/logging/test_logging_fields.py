"""Fields of a line: what shippers and gateway can write is what Elasticsearch has been told, and the rest is moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import objects
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import Settings
from ansible_collections.devops.platform.plugins.module_utils.logging import documents, fields, model, outputs
from ansible_collections.devops.platform.tests.unit.logging.recorded import recordings

OURS = model.parsers_of({})
# What a parser's type of a field is to Elasticsearch; a text may be any that keeps text as it is.
TEXTS = {fields.KEYWORD, fields.LONG_KEYWORD, fields.TEXT, fields.DATE, fields.ADDRESS}
FITTING = {"string": TEXTS, "integer": {fields.INTEGER}, "number": {fields.NUMBER}, "boolean": {fields.KEYWORD}}


def found_by(parser: model.Parser) -> dict[str, str]:
    """{field: type} of all that a parser can find, by its new names; without what becomes @timestamp."""
    names = [*parser.fields, *(parser.pattern.groups if parser.pattern else ()), *parser.rename.values()]
    new = {parser.rename.get(name, name) for name in names} - {parser.time}
    return {name: parser.fields.get(name, "string") for name in new}


@pytest.mark.parametrize("parser", OURS.values(), ids=lambda parser: parser.name)
def test_what_our_parsers_find_has_a_fitting_type(parser: model.Parser) -> None:
    for name, kind in found_by(parser).items():
        assert fields.LINE[name] in FITTING[kind], name


def test_types_are_said_for_what_there_is() -> None:
    """Neither side has a field that the other does not know."""
    said = {"@timestamp", "message", "level", "parse_error"}  # of every line, by its parser or its collector
    assert {*model.OWN, *said} == set(fields.PLATFORM)
    parsed = {name for parser in OURS.values() for name in found_by(parser)}
    assert parsed - said == set(fields.PARSED)
    assert not set(fields.CUSTOMARY) & {*fields.PLATFORM, *fields.PARSED}


def test_the_mapping_is_made_of_them() -> None:
    assert set(objects.mappings()["properties"]) == set(fields.LINE)
    assert set(objects.dead_letter_mappings()["properties"]) == set(fields.LETTER)
    assert {kind for types in (fields.LINE, fields.LETTER) for kind in types.values()} <= set(objects.TYPES)


def test_the_gateway_writes_letters_of_these_fields() -> None:
    document = dict.fromkeys(fields.PLATFORM, "x")
    letter = outputs.Elasticsearch._letter(("index", "1", document), 400, {"type": "t"})
    assert set(letter) == set(fields.LETTER)


@pytest.mark.parametrize("retention", [{}, {"dead-letter": "30d", "chat": "7d"}])
def test_letters_keep_their_types_however_long_they_are_kept(retention: dict[str, str]) -> None:
    settings = Settings("p", "lab", "logging", "8.15.0", app_retention=retention)
    template = objects.declared(settings, 1, True)["index template"]["logs-lab-dead-letter"]
    assert template["template"]["mappings"] == objects.dead_letter_mappings()
    policy = template["template"]["settings"]["index"]["lifecycle"]["name"]
    assert policy == ("logs-lab-dead-letter" if retention else "logs-lab")


TYPED = frozenset(fields.LINE)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"message": "m", "status": 1}, {"message": "m", "status": 1}),
        ({"message": "m", "team": "web"}, {"message": "m", "fields": {"team": "web"}}),
        ({"team": "web", "fields": {"a": 1}}, {"fields": {"a": 1, "team": "web"}}),
        ({"team": "web", "fields": {"team": 1}}, {"fields": {"team": "web"}}),
        ({"fields": {"a": 1}}, {"fields": {"a": 1}}),
        ({"fields": "text"}, {"fields": {"fields": "text"}}),
        ({"fields": ["text"], "a": 1}, {"fields": {"fields": ["text"], "a": 1}}),
        ({"fields": None}, {"fields": None}),
    ],
)
def test_what_has_no_type_goes_below_fields(document: dict[str, Any], expected: dict[str, Any]) -> None:
    assert documents.arranged(document, TYPED, fields.REST) == expected


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_no_recorded_line_has_a_field_without_a_type_then(recording: Any) -> None:
    for line in recording.lines:
        arranged = documents.arranged(line.document, TYPED, fields.REST)
        assert set(arranged) <= TYPED
        assert {**arranged, **(arranged.get(fields.REST) or {})}.items() >= {
            key: value for key, value in line.document.items() if key != fields.REST
        }.items()


def test_docs_name_every_field() -> None:
    text = (Path(__file__).parents[7] / "docs/logging.md").read_text(encoding="utf-8")
    assert [name for name in (*fields.LINE, *fields.LETTER) if f"`{name}`" not in text] == []
