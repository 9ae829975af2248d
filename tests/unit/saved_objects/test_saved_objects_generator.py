"""The generator: what is committed is what the definitions say, and each object is one that Kibana can show."""

from __future__ import annotations

import json

import pytest

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import DEAD_LETTER
from ansible_collections.devops.platform.plugins.module_utils.kibana import objects
from ansible_collections.devops.platform.plugins.module_utils.kibana.queries import asked
from ansible_collections.devops.platform.plugins.module_utils.logging import fields
from tools.saved_objects import __main__ as program
from tools.saved_objects.build import WIDTH
from tools.saved_objects.definitions import BOARDS, LETTERS

MADE = objects.read(program.wanted(), "prod")
SEARCHES = asked(MADE)


def test_the_committed_file_is_what_the_definitions_say() -> None:
    assert program.PATH.read_text(encoding="utf-8") == program.wanted(), "run: make dashboards"
    assert program.main(["--check"]) == 0


def test_views_are_of_the_environment() -> None:
    titles = [item["attributes"]["title"] for item in MADE if item["type"] == "index-pattern"]
    assert titles[0] == f"logs-prod-*,-logs-prod-{DEAD_LETTER}-*"
    assert all("prod" in title and "@" not in title for title in titles)


def test_what_is_referred_to_comes_before() -> None:
    seen: set[str] = set()
    for item in MADE:
        assert {each["id"] for each in item["references"]} <= seen, item["id"]
        seen.add(item["id"])


@pytest.mark.parametrize("item", [item for item in MADE if item["type"] == "dashboard"], ids=lambda item: item["id"])
def test_panels_stand_side_by_side_and_are_what_they_refer_to(item: dict[str, object]) -> None:
    attributes = item["attributes"]
    assert isinstance(attributes, dict)
    panels = json.loads(attributes["panelsJSON"])
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridData"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= WIDTH
        assert not cells & taken
        taken |= cells
    named = {f"{panel['panelIndex']}:{panel['panelRefName']}" for panel in panels}
    assert isinstance(item["references"], list)
    assert named == {each["name"] for each in item["references"]}


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search.title)
def test_fields_are_those_that_have_a_type(search) -> None:
    known = fields.LETTER if DEAD_LETTER in search.indexes.split(",")[0] else fields.LINE
    assert set(search.fields) <= set(known), sorted(set(search.fields) - set(known))


def test_every_dashboard_asks_a_question() -> None:
    assert all(board.question.endswith("?") for board in BOARDS)
    assert LETTERS.pattern in program.wanted()
