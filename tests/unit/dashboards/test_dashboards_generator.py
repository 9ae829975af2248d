"""The generator: what is committed is what the definitions say, and each dashboard is one that Grafana can show."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tools import REPOSITORY
from tools.dashboards import __main__ as program
from tools.dashboards.build import TAG, WIDTH, as_json, files, widths
from tools.dashboards.definitions import ALL
from tools.dashboards.model import Dashboard, Link, Panel, Query, Row, Variable
from tools.dashboards.promql import hit_ratio, mean, quantile, rate, share

MADE = {definition.uid: json.loads(as_json(definition)) for definition in ALL}
EACH = pytest.mark.parametrize("made", MADE.values(), ids=MADE)


def panels(made):
    return [panel for panel in made["panels"] if panel["type"] != "row"]


def test_the_committed_files_are_what_the_definitions_say():
    assert program.differences(files(ALL), program.FOLDER) == [], "run: make dashboards"


def test_the_same_bytes_each_time():
    assert files(ALL) == files(ALL)


@EACH
def test_panels_stand_side_by_side_and_nowhere_twice(made):
    taken: set[tuple[int, int]] = set()
    for panel in made["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= WIDTH, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells
    numbers = [panel["id"] for panel in made["panels"]]
    assert len(set(numbers)) == len(numbers)
    assert all(numbers)


@EACH
def test_titles_name_one_panel(made):
    """The checker of queries names panels by title."""
    titles = [panel["title"] for panel in panels(made)]
    assert sorted(set(titles)) == sorted(titles)


@EACH
def test_it_asks_only_for_variables_that_it_has(made):
    known = {variable["name"] for variable in made.get("templating", {}).get("list", [])}
    used = set()
    for panel in panels(made):
        for target in panel["targets"]:
            used |= set(re.findall(r"\$\{?(\w+)", target["expr"]))
    assert {name for name in used if not name.startswith("__")} <= known
    assert {name for name in used if name.startswith("__")} <= {"__rate_interval", "__range"}
    assert known <= used | {"objective"}, "a choice that changes nothing"


@EACH
def test_variables_that_may_have_many_values_are_matched_as_patterns(made):
    many = [variable["name"] for variable in made.get("templating", {}).get("list", []) if variable.get("multi")]
    expressions = [target["expr"] for panel in panels(made) for target in panel["targets"]]
    wrong = [text for text in expressions for name in many if re.search(rf'[^~]"?\${name}\b', text.replace('~"', "~"))]
    assert wrong == []


@EACH
def test_what_every_dashboard_has(made):
    assert TAG in made["tags"]
    assert made["description"].endswith("?"), "the question that it answers"
    assert made["editable"] is False
    assert made["links"][0]["type"] == "dashboards"
    for panel in panels(made):
        assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]


def test_links_lead_to_dashboards_and_variables_that_there_are():
    text = "\n".join(as_json(definition) for definition in ALL)
    found = set(re.findall(r'"/d/([\w-]+)\?var-(\w+)=', text))
    assert found
    for uid, variable in found:
        assert variable in {each["name"] for each in MADE[uid]["templating"]["list"]}, uid


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([0], [24]),
        ([0, 0, 0], [8, 8, 8]),
        ([0] * 4, [6] * 4),
        ([0] * 5, [8, 8, 8, 12, 12]),
        ([0] * 8, [8] * 6 + [12] * 2),
        ([0, 4, 4], [16, 4, 4]),
        ([12, 12], [12, 12]),
    ],
)
def test_widths(given, expected):
    assert widths(Row("r", tuple(Panel("p", (Query("up"),), width=width) for width in given))) == expected


def test_stats_are_small():
    assert widths(Row("r", tuple(Panel("p", (Query("up"),), kind="stat") for _ in range(6)))) == [4] * 6


@pytest.mark.parametrize("given", [[20, 0, 0], [20, 5]])
def test_a_row_that_does_not_fit(given):
    with pytest.raises(ValueError, match="'r': its panels do not fit into 24 columns"):
        widths(Row("r", tuple(Panel("p", (Query("up"),), width=width) for width in given)))


ONE = Dashboard("one", "One", "Is it?", (Row("r", (Panel("p", (Query("up", "{{job}}"),)),)),))


def test_two_dashboards_of_one_name():
    with pytest.raises(ValueError, match="two dashboards have the uid 'one'"):
        files([ONE, replace(ONE, title="Other")])


def test_a_tables_link_needs_a_column():
    panel = Panel("p", (Query("up"),), kind="table", columns=(("job", "Job"),), links=(Link("Host", "/d/hosts"),))
    with pytest.raises(ValueError, match="no column is headed 'Host'"):
        as_json(replace(ONE, rows=(Row("r", (panel,)),)))


def test_choices_are_fixed_and_the_first_is_chosen():
    made = json.loads(as_json(replace(ONE, variables=(Variable("v", "V", choices=("b", "a")),))))
    [variable] = made["templating"]["list"]
    assert (variable["query"], variable["current"]["value"]) == ("b,a", "b")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (rate("m"), "sum (rate(m{}[$__rate_interval]))"),
        (rate("m", 'a="b"', "x", "y"), 'sum by (x, y) (rate(m{a="b"}[$__rate_interval]))'),
        (quantile(0.95, "h", "", "x"), "histogram_quantile(0.95, sum by (le, x) (rate(h_bucket{}[$__rate_interval])))"),
        (share("p", "w"), "((p) or (w) * 0) / (w)"),
        (mean("t", "c", "", "x"), f"{rate('t', '', 'x')} / {rate('c', '', 'x')}"),
        (hit_ratio("h", "m", "w"), f"{rate('h', 'w')} / ({rate('h', 'w')} + {rate('m', 'w')})"),
    ],
)
def test_shared_promql(made, expected):
    assert made == expected


def test_files_are_written_removed_and_told_apart(tmp_path: Path):
    wanted = files([ONE])
    (tmp_path / "old.json").write_text("{}")
    assert program.differences(wanted, tmp_path) == ["old.json has no definition", "one.json is missing"]
    program.write(wanted, tmp_path)
    assert program.differences(wanted, tmp_path) == []
    (tmp_path / "one.json").write_text("{}")
    assert program.differences(wanted, tmp_path) == ["one.json differs"]


def test_check_fails_and_says_what_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(program, "FOLDER", tmp_path)
    assert program.main(["--check"]) == 1
    assert "overview.json is missing; run: make dashboards" in capsys.readouterr().err
    assert program.main([]) == 0
    assert program.main(["--check"]) == 0


def test_the_documentation_lists_every_dashboard():
    text = (REPOSITORY / "docs" / "dashboards.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z-]+)` \| (.*?\?)? ?", text, re.MULTILINE)
    assert [uid for uid, _question in listed] == list(MADE)
    for uid, question in listed:
        assert not question or question == MADE[uid]["description"]
