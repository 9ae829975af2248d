"""The parts of a report: words, differences, the time axis, charts, spans."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.plugin_utils.report.chart import chart
from ansible_collections.devops.platform.plugins.plugin_utils.report.diffs import files, grouped
from ansible_collections.devops.platform.plugins.plugin_utils.report.scale import Run, Scale
from ansible_collections.devops.platform.plugins.plugin_utils.report.story import tell
from ansible_collections.devops.platform.plugins.plugin_utils.report.view import named
from ansible_collections.devops.platform.plugins.plugin_utils.report.words import clean, count, duration, moment, number
from ansible_collections.devops.platform.tests.unit.report.journals import ALL, Author, difference


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0.0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (7_800, "2 h 10 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.0021, "0.0021"),
        (0.03991, "0.0399"),
        (0.5, "0.5"),
        (12.345, "12.3"),
        (1234567, "1\u202f234\u202f567"),
        (1234.5, "1\u202f234"),
        (0.0000012, "1.20e-06"),
        (-0.25, "-0.25"),
        (100, "100"),
        (120.0, "120"),
        (float("nan"), "not a number"),
        (float("inf"), "infinite"),
        (None, "none"),
        ("odd", "odd"),
    ],
)
def test_numbers(value, words):
    assert number(value) == words


def test_moments():
    assert moment(1_795_279_874.7) == "2026-11-21 16:51:14 UTC"
    assert moment(1_795_279_874.7, date=False) == "16:51:14"
    assert moment(1e300) == "an unknown time"


def test_text_of_others_is_made_visible():
    assert clean("a\tb\r\nc\x1b[1m\x00\u202e\ufeff") == "a\tb\nc\ufffd[1m\ufffd\ufffd\ufffd"


def test_counts_and_names():
    assert (count(1, "host"), count(2, "host"), count(0, "host")) == ("1 host", "2 hosts", "0 hosts")
    assert named(["a", "b", "c", "d"]) == "a, b, c, d"
    assert named(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_the_same_difference_is_there_once_with_its_hosts():
    both, own = difference("/etc/a", "1", "2"), difference("/etc/b", "1", "3")
    found = grouped({"x": own + both, "y": both, "z": difference("/etc/a", "1", "4")})
    assert [(one.file, one.hosts) for one in found] == [("/etc/a", ["x", "y"]), ("/etc/a", ["z"]), ("/etc/b", ["x"])]
    assert (found[0].added, found[0].removed) == (1, 1)


def test_files_of_a_difference():
    new = "--- /dev/null\n+++ /etc/new\n@@ -0,0 +1 @@\n+a\n"
    gone = "--- /etc/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
    assert [name for name, _text in files(new + gone)] == ["/etc/new", "/etc/old"]
    assert [name for name, _text in files("something else")] == ["differences"]
    assert files("\n \n") == []


def test_a_removed_line_of_dashes_is_no_file():
    text = "--- /etc/a\n+++ /etc/a\n@@ -1,2 +1 @@\n--- this was a rule\n same\n"
    assert len(files(text)) == 1


def test_the_axis_cuts_short_what_lay_between_runs():
    scale = Scale([Run(0, 100), Run(10_000, 10_100)])
    assert (scale.x(-5), scale.x(0), scale.x(100), scale.x(5_000), scale.x(10_000), scale.x(10_100)) == (
        0, 0, 47, 53, 53, 100,
    )  # fmt: skip
    assert scale.breaks() == [(47, 6, 9_900)]
    ticks = scale.ticks()
    assert all(0 < tick < 100 or 10_000 < tick < 10_100 for tick in ticks)
    assert 3 <= len(ticks) <= 8


@pytest.mark.parametrize(
    "runs", [[], [Run(5, 5)], [Run(5, 5), Run(9, 9)], [Run(n * 10, n * 10 + 1) for n in range(40)]]
)
def test_odd_axes(runs):
    scale = Scale(runs)
    assert all(0 <= scale.x(at) <= 100 for at in (0, 5, 9, 300, 1e9))
    assert all(0 <= x <= 100 for x, _width, _seconds in scale.breaks())
    assert isinstance(scale.ticks(), list)


def test_a_chart_draws_what_is_finite():
    drawn = chart(
        {
            "name": "n", "verdict": "failed", "value": 4.0, "threshold": 2, "comparison": "<", "samples": 3,
            "series": [[10, 1.0], [20, "NaN"], [30, 4.0], "x", [40]], "baseline": {"series": [[10, 1.5]], "value": 1.5},
        }
    )  # fmt: skip
    assert len(drawn.changed_line.split()) == 2
    points = [tuple(map(float, point.split(","))) for point in drawn.changed_line.split()]
    assert points[0][0] == 6
    assert points[1][0] == 314
    assert points[1][1] < float(drawn.threshold or 0) < points[0][1]
    assert (drawn.value, drawn.limit, drawn.baseline) == ("4", "2", "1.5")


@pytest.mark.parametrize("objective", [{}, {"series": None, "baseline": []}, {"series": [[1, 0]]}, {"threshold": "x"}])
def test_odd_charts(objective):
    assert chart(objective).name == "objective"


def test_spans_of_a_host():
    lane = tell(ALL["breached"]()).lanes["app6"]
    assert [(span.kind, span.status) for span in lane.spans] == [
        ("drained", ""), ("change", "changed"), ("proof", "failed"), ("drained", ""), ("undo", "changed"),
    ]  # fmt: skip
    assert round(lane.seconds("change"), 1) == round(17 * 1.26, 1)
    assert all(span.ended and span.end >= span.start for span in lane.spans)


def test_what_a_dead_controller_left_has_no_end():
    story = tell(ALL["resumed"]())
    first, second = (span for span in story.lanes["app2"].spans if span.kind == "change")
    assert (first.ended, second.ended) == (False, True)
    assert first.end <= story.runs[0].end
    assert len(story.runs) == 2


def test_an_edge_that_never_takes_a_host_back():
    lane = tell(ALL["incomplete"]()).lanes["app5"]
    last = [span for span in lane.spans if span.kind == "drained"][-1]
    assert not last.ended
    assert last.end == tell(ALL["incomplete"]()).end


def test_a_plan_after_a_change_does_not_hide_what_was_before():
    author = Author([["app1"]]).begin().sort()
    author.change("app1")
    author.resume()
    author.plan(["app1"], False)
    part = tell(author.events).lanes["app1"].parts["chat"]
    assert (part.done, bool(part.before), bool(part.after)) == (True, True, True)
