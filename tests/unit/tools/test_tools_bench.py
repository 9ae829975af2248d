"""Medians, verdicts and the document of the bench; nothing is measured here."""

from __future__ import annotations

import json
import platform

import pytest

from tools import REPOSITORY, bench
from tools.bench import BenchError, parts
from tools.measurements import (
    MEASURES,
    PARTS,
    Limit,
    Result,
    Sample,
    allowed,
    document,
    merged,
    missed,
    misses,
    rows,
    text,
    to_data,
)


def result(*seconds: float, floor: tuple[float, ...] = (), tasks: int = 1, changed: int = 0, name: str = "x") -> Result:
    return Result(name, 10, tuple(Sample(each, tasks, 10, changed) for each in seconds), floor)


@pytest.mark.parametrize(
    ("seconds", "floor", "median", "floors"),
    [
        ((3, 1, 2), (), 2, None),
        ((3.0, 9.0, 4.0), (2.0, 1.0, 2.0), 4.0, 2.0),  # one slow run of three is no matter
        ((2.0, 9.0, 6.0), (2.0, 6.0, 4.0), 6.0, 1.5),  # pairs: the machine was busy in the second and third
        ((1, 2, 3, 4), (1, 1, 2, 2), 2.5, 1.75),
        ((5,), (2,), 5, 2.5),
    ],
)
def test_times_are_medians_beside_that_of_the_floor(seconds, floor, median, floors):
    measured = result(*seconds, floor=floor)
    assert (measured.seconds, measured.floors) == (median, floors)


@pytest.mark.parametrize(
    ("limit", "measured", "expected"),
    [
        (Limit(floors=1.5), result(3.0, floor=(2.0,)), []),
        (Limit(floors=1.5), result(3.1, floor=(2.0,)), ["1.55 x the floor, at most 1.5 allowed"]),
        (Limit(floors=4), result(3.0), ["unknown x the floor, at most 4 allowed"]),  # no floor proves nothing
        (Limit(seconds=30), result(29, 31, 30), []),
        (Limit(seconds=30), result(31, 32, 1), ["31.0 s, at most 30 allowed"]),
        (Limit(tasks=60, changed=0), result(1, tasks=60), []),
        (
            Limit(tasks=60, changed=0),
            result(1, tasks=61, changed=2),
            ["tasks 61, at most 60 allowed", "changed 2, at most 0 allowed"],
        ),
        (Limit(), result(1e6, tasks=1000, changed=9), []),
    ],
)
def test_limits_are_kept_or_named_with_what_was_measured(limit, measured, expected):
    assert misses(limit, measured) == expected


def test_every_run_has_its_floor():
    with pytest.raises(ValueError, match="zip"):
        print(result(1.0, 2.0, floor=(1.0,)).floors)


def test_a_single_run_that_changes_something_is_enough():
    measured = Result("x", 10, (Sample(1, 5, 10, 0), Sample(1, 5, 10, 1), Sample(1, 5, 10, 0)))
    assert misses(Limit(changed=0), measured) == ["changed 1, at most 0 allowed"]


def test_the_limits_are_those_that_were_asked_for():
    limits = {measure.name: allowed(measure.limit) for measure in MEASURES}
    assert limits == {
        "node_exporter, nothing to change": "1.5 x floor, changed=0",
        "node_exporter, first installation": "4 x floor",
        "base and docker, nothing to change": "5 x floor, changed=0",
        "drift, nothing differs": "3 x floor, changed=0",
        "rollout of node_exporter, nothing to change": "2.5 x floor, changed=0",
        "make up, images and mirror cached": "300 s",
        "site.yml, nothing to change": "30 s, 60 tasks, changed=0",
        "make up, nothing cached": "900 s",
    }


NOTHING, FIRST = MEASURES[0].name, MEASURES[1].name


@pytest.fixture
def results():
    """The second one is too slow."""
    return {
        FIRST: result(9.0, floor=(2.0,), name=FIRST),
        NOTHING: result(2.4, 2.2, 2.3, floor=(2.0, 2.0, 2.0), tasks=3, name=NOTHING),
    }


def test_rows_are_in_the_order_of_the_measures(results):
    assert rows(results) == [
        (NOTHING, "10", "3", "3", "10", "0", "2.3", "2.0", "1.15", "1.5 x floor, changed=0", "kept"),
        (FIRST, "10", "1", "1", "10", "0", "9.0", "2.0", "4.50", "4 x floor", "4.50 x the floor, at most 4 allowed"),
    ]
    assert missed(results) == [f"{FIRST}: 4.50 x the floor, at most 4 allowed"]
    assert "round trips" in text(results).splitlines()[0]


def test_the_document_has_the_table_the_machine_and_the_way_to_repeat(results):
    page = document(results, [("cores", "2")], "2026-01-31")
    assert f"| {NOTHING} | 10 | 3 | 3 | 10 | 0 | 2.3 | 2.0 | 1.15 | 1.5 x floor, changed=0 | kept |" in page
    assert "| cores | 2 |" in page
    assert "Last measured 2026-01-31." in page
    assert "make bench BENCH=" in page
    assert "Not measured yet: base and docker, nothing to change; drift, nothing differs; rollout of" in page


def test_the_document_names_neither_machine_nor_paths(results, tmp_path, monkeypatch):
    page = document(results, bench.facts(), "2026-01-31")
    assert str(REPOSITORY) not in page
    assert platform.node() not in page


def test_what_is_not_measured_again_keeps_its_last_result(results, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "FIGURES", tmp_path / "benchmarks.json")
    monkeypatch.setattr(bench, "DOCUMENT", tmp_path / "benchmarks.md")
    bench.save(results)
    faster = result(7.0, floor=(2.0,), name=FIRST)
    bench.save({FIRST: faster})
    kept = merged(json.loads(bench.FIGURES.read_text()), {})
    assert kept == {NOTHING: results[NOTHING], FIRST: faster}
    assert missed(kept) == []


@pytest.mark.parametrize("old", [{}, {"format": 0, "results": {NOTHING: {}}}, {"format": 1, "results": {"gone": {}}}])
def test_figures_that_mean_nothing_any_more_are_dropped(old):
    assert merged(old, {}) == {}


def test_results_survive_being_written(results):
    assert merged(json.loads(json.dumps(to_data(results))), {}) == results


@pytest.mark.parametrize(
    ("named", "cold", "expected"),
    [
        ([], False, ["hosts", "drift", "up", "site"]),
        ([], True, ["hosts", "drift", "cold", "up", "site"]),
        (["site", "up"], False, ["up", "site"]),
        (["hosts"], True, ["hosts", "cold"]),
        (["capacity"], False, ["capacity"]),
        (["logging", "capacity"], False, ["capacity", "logging"]),
    ],
)
def test_parts_run_in_the_order_in_which_one_serves_the_next(named, cold, expected):
    assert parts(named, cold) == expected


def test_every_part_has_measures_and_every_measure_a_part():
    assert {measure.part for measure in MEASURES} | {"capacity", "logging"} == set(PARTS) == set(bench.MEASURED)


def test_a_run_that_fails_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "WORK", tmp_path)
    with pytest.raises(BenchError, match=r"`sh -c echo why; exit 3` ended with 3; nothing to measure:\nwhy"):
        bench.Bench(1).command("sh", "-c", "echo why; exit 3")


def test_a_sample_takes_its_counts_from_the_runs_report(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "WORK", tmp_path)
    script = """echo '{"tasks": 7, "round_trips": 70, "changed": 1}' >"$DEVOPS_PLATFORM_REPORT"; sleep 0.1"""
    sample = bench.Bench(1).command("sh", "-c", script)
    assert (sample.tasks, sample.round_trips, sample.changed) == (7, 70, 1)
    assert 0.1 <= sample.seconds < 5
    assert bench.Bench(1).command("true").tasks == 0  # the last run's report is not this run's


def test_a_missed_limit_is_the_exit_code(tmp_path, monkeypatch, results, capsys):
    for name in ("FIGURES", "DOCUMENT"):
        monkeypatch.setattr(bench, name, REPOSITORY / "build" / "bench" / f"test-{name}")
    monkeypatch.setattr(bench, "WORK", tmp_path)
    monkeypatch.setattr(bench, "save", lambda _results: None)
    monkeypatch.setitem(bench.MEASURED, "hosts", lambda _bench: results)
    assert bench.main(["hosts"]) == 1
    assert f"missed: {FIRST}: 4.50 x the floor" in capsys.readouterr().err
    monkeypatch.setitem(bench.MEASURED, "hosts", lambda _bench: {NOTHING: results[NOTHING]})
    assert bench.main(["hosts"]) == 0
