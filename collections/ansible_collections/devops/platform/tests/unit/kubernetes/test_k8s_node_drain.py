"""Draining a model of an API server: budgets that give in late, pods that never leave."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.api import Api
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.cluster import ApiError
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import drain


class Server:
    """As much of an API server as a drain asks. `held`: pod -> how often its budget says no."""

    def __init__(self, pods, held=None, unschedulable=False, code=429):
        self.pods = {pod["metadata"]["name"]: pod for pod in pods}
        self.held, self.code = dict(held or {}), code
        self.node = {"metadata": {"name": "w1"}, "spec": {"unschedulable": unschedulable}}
        self.asked: list[tuple[str, str]] = []
        self.time = 0.0

    def send(self, method, path, body, content_type):
        parts = urlsplit(path)
        self.asked.append((method, parts.path))
        evicted = re.fullmatch(r"/api/v1/namespaces/chat/pods/([^/]+)/eviction", parts.path)
        if evicted:
            return self.evict(evicted[1], json.loads(body))
        if parts.path == "/api/v1/nodes/w1":
            if method == "PATCH":
                assert content_type == "application/merge-patch+json"
                value = json.loads(body)["spec"]["unschedulable"]
                self.node["spec"] = {"unschedulable": value} if value else {}
            return 200, json.dumps(self.node).encode()
        items = list(self.pods.values()) if parts.path == "/api/v1/pods" else []
        if "fieldSelector" in parse_qs(parts.query):
            assert parse_qs(parts.query)["fieldSelector"] == ["spec.nodeName=w1"]
            items = [pod for pod in items if pod["spec"]["nodeName"] == "w1"]
        return 200, json.dumps({"items": items}).encode()

    def evict(self, name, body):
        assert body["deleteOptions"]["preconditions"]["uid"] == name
        if self.held.get(name, 0):
            self.held[name] -= 1
            return self.code, json.dumps({"reason": "TooManyRequests", "message": "it would violate a budget"}).encode()
        if name == "stuck":
            self.pods[name]["metadata"] |= {"deletionTimestamp": "1970-01-01T00:00:30Z", "finalizers": ["a.example/x"]}
        else:
            del self.pods[name]
        return 201, b"{}"

    def stream(self, _path):
        return iter(())


def pod(name, node="w1", **metadata):
    about = {"ownerReferences": [{"kind": "ReplicaSet", "controller": True}], **metadata}
    return {"metadata": {"name": name, "namespace": "chat", "uid": name, **about}, "spec": {"nodeName": node}}


def run(server, monkeypatch, check=False, **options):
    api = Api(server)
    monkeypatch.setattr(api, "now", lambda: server.time)

    def sleep(seconds):
        server.time += seconds

    asked = drain.Asked("w1", **{"timeout": 60.0, **options})
    return drain.drain(api, asked, check, sleep)


def test_pods_leave_and_none_comes(monkeypatch):
    agent = pod("d", ownerReferences=[{"kind": "DaemonSet", "controller": True}])
    server = Server([pod("a"), pod("b"), pod("c", "w2"), agent])
    done = run(server, monkeypatch)
    assert done.changed
    assert done.left == ["Pod chat/a", "Pod chat/b"]
    assert sorted(server.pods) == ["c", "d"]
    assert server.node["spec"]["unschedulable"] is True
    assert server.asked.index(("PATCH", "/api/v1/nodes/w1")) < server.asked.index(
        ("POST", "/api/v1/namespaces/chat/pods/a/eviction")
    )


def test_an_empty_node_is_left_alone(monkeypatch):
    server = Server([pod("c", "w2")], unschedulable=True)
    assert not run(server, monkeypatch).changed
    assert [method for method, _path in server.asked] == ["GET", "GET", "GET"]


def test_a_budget_is_asked_again(monkeypatch):
    server = Server([pod("a"), pod("b")], held={"a": 5})
    assert run(server, monkeypatch).left == ["Pod chat/b", "Pod chat/a"]
    assert server.time < 20


@pytest.mark.parametrize(
    ("held", "code", "message"),
    [
        ({"a": 1000}, 429, "Pod chat/a: it would violate a budget"),
        ({"a": 1000}, 500, "Pod chat/a: TooManyRequests: it would violate a budget"),
    ],
)
def test_who_does_not_leave_is_named(monkeypatch, held, code, message):
    server = Server([pod("a"), pod("b"), pod("stuck")], held=held, code=code)
    with pytest.raises(drain.DrainError) as error:
        run(server, monkeypatch, timeout=10.0)
    lines = str(error.value).splitlines()
    assert lines[0] == "after 10 s there are still on node w1:"
    assert lines[1:] == [message, "Pod chat/stuck is kept by a.example/x: what set this finalizer has not let it go"]
    assert server.node["spec"]["unschedulable"] is True


def test_what_may_not_go_is_said_before_anything_is_done(monkeypatch):
    server = Server([pod("a"), pod("bare", ownerReferences=[])])
    with pytest.raises(drain.DrainError, match="Pod chat/bare has no controller"):
        run(server, monkeypatch)
    assert {method for method, _path in server.asked} == {"GET"}
    assert run(server, monkeypatch, force=True).left == ["Pod chat/a", "Pod chat/bare"]


def test_check_mode_asks_and_does_nothing(monkeypatch):
    server = Server([pod("a")])
    assert run(server, monkeypatch, check=True).changed
    assert {method for method, _path in server.asked} == {"GET"}


def test_who_may_not_evict_is_told_so(monkeypatch):
    server = Server([pod("a")], held={"a": 1}, code=403)
    with pytest.raises(ApiError, match="it would violate"):
        run(server, monkeypatch)


@pytest.mark.parametrize(("before", "changed"), [(True, True), (False, False)])
def test_pods_may_come_again(before, changed):
    server = Server([], unschedulable=before)
    assert drain.schedulable(Api(server), "w1", True, check=True) is changed
    assert drain.schedulable(Api(server), "w1", True) is changed
    assert not server.node["spec"].get("unschedulable")
