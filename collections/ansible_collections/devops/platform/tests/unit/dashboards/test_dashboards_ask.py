"""What Prometheus is asked, over one connection."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import contextmanager
from urllib.parse import parse_qs

import pytest

from ansible_collections.devops.platform.plugins.module_utils.dashboards.ask import Source
from ansible_collections.devops.platform.plugins.module_utils.dashboards.fill import Window
from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import QueryError
from ansible_collections.devops.platform.tests.unit.gate.fake_prometheus import FakePrometheus, matrix, refusal, vector

WINDOW = Window(1_000_010.0, 3600, 15)


def test_the_value_now_and_a_range():
    def answer(path, _form):
        return matrix(({"a": "b"}, [(1, "NaN")])) if path == "query_range" else vector(({}, "1"), ({"a": "b"}, "2"))

    with FakePrometheus(answer).serving() as fake:
        source = Source(fake.url, 5)
        assert source.count("up", WINDOW, instant=True) == 2
        assert source.count("up", WINDOW, instant=False) == 1
        assert source.answered("up", 1.0)
    assert fake.asked[0]["time"] == "1000010.000"
    assert (fake.asked[1]["start"], fake.asked[1]["end"], fake.asked[1]["step"]) == ("996410.000", "1000010.000", "15")
    assert "lookback_delta" not in fake.asked[0] | fake.asked[1]


@pytest.mark.parametrize(("metric", "match"), [('up{a="b"}', 'up{a="b"}'), ("", '{host!=""}')])
def test_label_values_are_each_one_once_and_in_order(metric, match):
    found = [{"host": "app10"}, {"host": "app2"}, {"host": "app2"}, {"other": "x"}]
    with FakePrometheus(lambda _path, _form: (200, {"status": "success", "data": found})).serving() as fake:
        assert Source(fake.url, 5).label_values(metric, "host", WINDOW) == ["app2", "app10"]
    assert (fake.asked[0]["path"], fake.asked[0]["match[]"]) == ("/api/v1/series", match)


def test_words_of_a_refusal():
    with FakePrometheus(lambda _path, _form: refusal(400, "bad_data", "parse error")).serving() as fake:
        with pytest.raises(QueryError, match=r"does not understand the query \(bad_data: parse error\)") as error:
            Source(fake.url, 5).count("rate(", WINDOW, instant=False)
        assert error.value.final


@contextmanager
def fake_server(requests_a_connection):
    """Keeps a connection for some requests and closes it then without a word, as a busy server may."""
    connections = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            self.left = requests_a_connection
            connections.append(self)

        def do_POST(self):
            parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.left -= 1
            self.close_connection = self.left <= 0

        def log_message(self, *_):
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", connections
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("each", "expected"), [(100, 1), (2, 3)])
def test_one_connection_is_kept_and_opened_anew_where_it_was_closed(each, expected):
    with fake_server(each) as (url, connections):
        source = Source(url, 5)
        for _ in range(6):
            assert source.count("up", WINDOW, instant=True) == 0
        source.kept.close()
    assert len(connections) == expected


def test_nobody_there():
    with fake_server(1) as (url, _connections):
        pass
    with pytest.raises(QueryError, match="cannot be reached") as error:
        Source(url, 1).count("up", WINDOW, instant=True)
    assert error.value.away
