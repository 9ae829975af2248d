"""What the client sends, and what it says where there is no answer, with a server of our own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import (
    Elasticsearch,
    ElasticsearchError,
    encoded,
    said,
)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = int(self.path.strip("/") or 200)
        error = {"error": {"type": "sad", "reason": "outer", "root_cause": [{"reason": "inner"}]}, "status": status}
        body = json.dumps(error if status >= 400 else {"told": self.headers.get("Authorization")}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_says_who_asks(url):
    assert Elasticsearch(url, "user", "word").get("/200") == {"told": "Basic dXNlcjp3b3Jk"}
    assert Elasticsearch(url).get("/200") == {"told": None}


@pytest.mark.parametrize(
    ("status", "away", "text"),
    [
        (400, False, "400 sad: inner"),
        (401, False, "the user 'user' or its password is not known"),
        (403, False, "the user 'user' may not do that"),
        (429, True, "429 sad"),
        (503, True, "503 sad"),
    ],
)
def test_errors(url, status, away, text):
    with pytest.raises(ElasticsearchError, match=text) as caught:
        Elasticsearch(url, "user", "hush").get(f"/{status}")
    assert (caught.value.status, caught.value.kind, caught.value.away) == (status, "sad", away)
    assert "hush" not in str(caught.value)


def test_nothing_there_is_no_error(url):
    assert Elasticsearch(url).find("/404") is None
    with pytest.raises(ElasticsearchError):
        Elasticsearch(url).find("/403")


def test_nobody_there():
    with pytest.raises(ElasticsearchError, match=r"http://127.0.0.1:9 cannot be reached: .*refused") as caught:
        Elasticsearch("http://127.0.0.1:9", timeout=2).get("/")
    assert caught.value.away


def test_the_password_is_in_no_text():
    assert "hush" not in repr(Elasticsearch("https://a", "user", "hush", ca_text="PEM"))


def test_bodies():
    assert encoded(None) == (None, {})
    assert encoded({"a": 1})[0] == b'{"a": 1}'
    data, headers = encoded([{"create": {}}, {"a": "ä"}])
    assert data is not None
    assert data.decode() == '{"create": {}}\n{"a": "ä"}\n'
    assert headers == {"Content-Type": "application/x-ndjson"}


@pytest.mark.parametrize(
    ("answer", "found"),
    [("gone", ("", "gone")), ({}, ("", "an empty answer")), ({"error": "no handler found"}, ("", "no handler found"))],
)
def test_what_was_said(answer, found):
    assert said(answer) == found
