"""Saved objects: what differs, what goes, what stays; and the module with a Kibana that answers as one does."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import (
    Elasticsearch,
    ElasticsearchError,
    Upload,
)
from ansible_collections.devops.platform.plugins.module_utils.kibana import objects
from ansible_collections.devops.platform.plugins.module_utils.kibana.client import Kibana


def item(slug: str, kind: str = "search", **attributes: Any) -> dict[str, Any]:
    title = {"title": slug.title(), **attributes}
    return {"type": kind, "id": f"{objects.PREFIX}{slug}", "attributes": title, "references": []}


def titles(*changes: objects.Change) -> list[str]:
    return [change.title for change in changes]


@pytest.mark.parametrize(
    ("wanted", "actual", "expected"),
    [
        ([item("a")], [], ["make search 'A'"]),
        ([item("a")], [item("a")], []),
        ([item("a")], [item("a", kibana="adds this")], []),
        ([item("a", columns=["x"])], [item("a", columns=["x", "y"])], ["change search 'A'"]),
        ([item("a", visState='{"b": 1, "a": 2}')], [item("a", visState='{"a":2,"b":1,"c":3}')], []),
        ([item("a", visState='{"a": 2}')], [item("a", visState="{")], ["change search 'A'"]),
        ([item("a", kibanaSavedObjectMeta={"searchSourceJSON": '{"a":1}'})], [item("a")], ["change search 'A'"]),
        ([], [item("a"), item("b", "dashboard")], ["remove dashboard 'B'", "remove search 'A'"]),
        ([], [{**item("a"), "id": "of-somebody-else"}], []),
        ([item("a")], [item("a", "dashboard")], ["make search 'A'", "remove dashboard 'A'"]),
    ],
)
def test_what_changes(wanted, actual, expected):
    assert titles(*objects.plan(wanted, actual)) == expected


def test_references_count():
    there = {**item("a"), "references": [{"id": "v", "name": "n", "type": "index-pattern"}]}
    assert titles(*objects.plan([there], [item("a")])) == ["change search 'A'"]
    assert objects.plan([there], [{**there, "references": [{**there["references"][0], "more": 1}]}]) == []


ATTRIBUTES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abcde"), st.dictionaries(st.text(max_size=4), ATTRIBUTES, max_size=3)))
def test_after_a_change_nothing_changes(given_objects):
    wanted = [item(slug, **{f"x{key}": value for key, value in data.items()}) for slug, data in given_objects.items()]
    assert objects.plan(wanted, wanted) == []
    assert {change.id for change in objects.plan(wanted, [])} == {each["id"] for each in wanted}
    assert {change.id for change in objects.plan([], wanted)} == {each["id"] for each in wanted}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2 is no JSON"),
        ('{"type": "search"}', "line 2 is no saved object"),
        ('{"type": "map", "id": "devops-platform-x", "attributes": {}}', "line 2 is of type map"),
        ('{"type": "search", "id": "x", "attributes": {}}', "line 2 has the id x; ours begin with devops-platform-"),
    ],
)
def test_files_that_hold_something_else(line, words):
    with pytest.raises(ValueError, match=words):
        objects.read(f"\n{line}\n", "lab")


class FakeKibana(http.server.BaseHTTPRequestHandler):
    """Keeps what is imported, and adds to it as Kibana does."""

    kept: dict[tuple[str, str], dict[str, Any]]
    asked: list[str]
    refuse = ""

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_POST(self) -> None:
        path, body = urlsplit(self.path).path, self._body()
        self.asked.append(f"POST {self.path}")
        if not self.headers.get("kbn-xsrf"):
            self._answer(
                400, '{"statusCode":400,"error":"Bad Request","message":"Request must contain a kbn-xsrf header."}'
            )
        elif path.endswith("_export"):
            kinds = json.loads(body)["type"]
            self._answer(200, "\n".join(json.dumps(each) for key, each in self.kept.items() if key[0] in kinds))
        elif self.refuse:
            self._answer(
                200,
                json.dumps(
                    {"success": False, "errors": [{"type": "search", "id": "x", "error": {"type": self.refuse}}]}
                ),
            )
        else:
            for line in body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0].splitlines():
                each = json.loads(line)
                each["attributes"]["added"] = True
                self.kept[each["type"], each["id"]] = {**each, "updated_at": "now"}
            self._answer(200, '{"success": true}')

    def do_DELETE(self) -> None:
        self.asked.append(f"DELETE {self.path}")
        kind, name = urlsplit(self.path).path.split("/")[-2:]
        found = self.kept.pop((kind, name), None)
        self._answer(200 if found else 404, "{}")

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def fake() -> Iterator[tuple[type[FakeKibana], Kibana]]:
    handler = type("Own", (FakeKibana,), {"kept": {}, "asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield handler, Kibana(Elasticsearch(url, "superuser", "p", service="kibana", headers={"kbn-xsrf": "x"}))
    server.shutdown()
    server.server_close()


def test_what_is_put_is_there_and_changes_nothing_then(fake):
    handler, kibana = fake
    wanted = [item("a"), item("b", "dashboard")]
    assert kibana.objects() == []
    kibana.put(wanted[:1])
    assert len(kibana.objects()) == 1  # one line, which is JSON as it stands
    kibana.put(wanted)
    assert objects.plan(wanted, kibana.objects()) == []
    assert "POST /api/saved_objects/_import?overwrite=true" in handler.asked


def test_what_is_declared_no_more_goes_once(fake):
    handler, kibana = fake
    kibana.put([item("a")])
    [change] = objects.plan([], kibana.objects())
    kibana.remove(change)
    kibana.remove(change)  # somebody was quicker
    assert handler.kept == {}


def test_refusals_are_in_words(fake):
    handler, kibana = fake
    handler.refuse = "missing_references"
    with pytest.raises(ElasticsearchError, match=r"search x: .*missing_references"):
        kibana.put([item("a")])
    with pytest.raises(ElasticsearchError, match=r"400 Bad Request: Request must contain a kbn-xsrf header"):
        Kibana(Elasticsearch(kibana.server.url)).objects()


def test_who_does_not_answer_is_named():
    with pytest.raises(ElasticsearchError, match=r"does kibana\.service run there"):
        Kibana(Elasticsearch("http://127.0.0.1:1", service="kibana")).objects()


def test_a_file_in_a_form():
    body, headers = Upload("file", "a.ndjson", b"{}\n").encoded()
    assert headers["Content-Type"].endswith(Upload.BOUNDARY)
    assert body.startswith(f"--{Upload.BOUNDARY}\r\n".encode())
    assert b'name="file"; filename="a.ndjson"' in body
    assert body.endswith(f"\r\n\r\n{{}}\n\r\n--{Upload.BOUNDARY}--\r\n".encode())
