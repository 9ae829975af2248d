"""What Prometheus answers, and in which words it is said that it does not."""

from __future__ import annotations

import math
import socket
import time

import pytest

from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import Prometheus, QueryError, graph
from ansible_collections.devops.platform.tests.unit.gate.fake_prometheus import (
    FakePrometheus,
    matrix,
    refusal,
    vector,
)

APP1 = {"host": "app1"}


def ask(answer, path="instant", **keys):
    with FakePrometheus(lambda _path, _form: answer).serving() as fake:
        client = Prometheus(fake.url, **keys)
        found = client.instant("up", 100.0, 60.0) if path == "instant" else client.range("up", 0.0, 10.0, 5.0)
    return [(dict(item.labels), item.points) for item in found], fake


def failure(answer, path="instant"):
    with pytest.raises(QueryError) as raised:
        ask(answer, path)
    return raised.value


def test_an_instant_vector_and_what_is_asked_for_it():
    found, fake = ask(vector((APP1, "0.5"), ({}, "1e3"), at=100.0))
    assert found == [(APP1, ((100.0, 0.5),)), ({}, ((100.0, 1000.0),))]
    assert fake.asked == [
        {"path": "/api/v1/query", "query": "up", "time": "100.000", "timeout": "10s", "lookback_delta": "60.000"}
    ]


def test_a_prefix_in_the_url_stays():
    with FakePrometheus().serving() as fake:
        Prometheus(f"{fake.url}/prom/").instant("up", 1.0, 300.0)
    assert fake.asked[0]["path"] == "/prom/api/v1/query"
    assert "lookback_delta" not in fake.asked[0]  # Prometheus' own, whatever it is set to


def test_a_matrix():
    found, fake = ask(matrix((APP1, [(0.0, "1"), (5.0, "2")])), "range")
    assert found == [(APP1, ((0.0, 1.0), (5.0, 2.0)))]
    assert (fake.asked[0]["start"], fake.asked[0]["end"], fake.asked[0]["step"]) == ("0.000", "10.000", "5.000")


@pytest.mark.parametrize("said", ["NaN", "+Inf", "-Inf"])
def test_values_that_are_no_numbers_are_handed_on(said):
    [(_labels, ((_at, value),))], _fake = ask(vector((APP1, said)))
    assert not math.isfinite(value)


def test_a_scalar():
    found, _fake = ask((200, {"status": "success", "data": {"resultType": "scalar", "result": [1.0, "7"]}}))
    assert found == [({}, ((1.0, 7.0),))]


def test_no_series_are_no_error():
    assert ask(vector())[0] == []


@pytest.mark.parametrize(
    ("answer", "words", "final", "away"),
    [
        (
            refusal(400, "bad_data", 'parse error: unexpected "}"'),
            'does not understand the query (bad_data: parse error: unexpected "}"); correct it: up',
            True,
            False,
        ),
        (
            refusal(422, "execution", "many-to-many"),
            "cannot carry the query out (execution: many-to-many)",
            False,
            False,
        ),
        ((503, "Service Unavailable"), "answered with status 503 (Service Unavailable); query: up", False, True),
        ((500, ""), "answered with status 500 (an empty answer); query: up", False, False),
        ((404, "not found"), "with status 404 (not found); query: up; see whether url is right", True, False),
        ((401, "who?"), "with status 401 (who?)", True, False),
        ((200, "<html>"), "is not Prometheus' API: <html>", True, False),
        ((200, {"status": "success"}), "is not Prometheus' API: TypeError", True, False),
        ((200, {"status": "success", "data": {"resultType": "vector"}}), "KeyError 'result'", True, False),
        (matrix((APP1, [(0.0, "1")])), "the query gives a matrix, not one value a series; put rate()", True, False),
        (
            (200, {"status": "success", "data": {"resultType": "string", "result": [0, "x"]}}),
            "gives a string",
            True,
            False,
        ),
    ],
)
def test_refusals(answer, words, final, away):
    error = failure(answer)
    assert words in str(error)
    assert (error.final, error.away) == (final, away)


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(QueryError) as raised:
        Prometheus(url).instant("up", 1.0, 1.0)
    assert f"Prometheus at {url} cannot be reached" in str(raised.value)
    assert "Connection refused; query: up; see whether it runs there" in str(raised.value)
    assert raised.value.away
    assert not raised.value.final


def test_it_takes_too_long():
    with FakePrometheus(delay=0.5).serving() as fake, pytest.raises(QueryError) as raised:
        Prometheus(fake.url, timeout=0.1).instant("up", 1.0, 1.0)
    assert "did not answer within 0.1 s; query: up; look at its load, give a larger timeout" in str(raised.value)
    assert raised.value.away


def test_an_answer_that_drips_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def drip():
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
                try:
                    for _ in range(100):
                        connection.sendall(b" ")
                        time.sleep(0.05)
                except OSError:
                    """The client went away."""

        threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        with pytest.raises(QueryError, match="did not answer within"):
            Prometheus(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.2).instant("up", 1.0, 1.0)
        assert time.monotonic() - began < 2


def test_proxies_are_for_others(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert ask(vector())[0] == []


def test_the_graph_of_a_query():
    assert graph("http://m:9090/", 'up{a="b c"}') == "http://m:9090/graph?g0.expr=up%7Ba%3D%22b%20c%22%7D&g0.tab=0"
