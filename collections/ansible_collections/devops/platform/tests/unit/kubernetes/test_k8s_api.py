"""The API server's answers, by a transport that has recorded some."""

from __future__ import annotations

import json
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.devops.platform.plugins.module_utils.kubernetes import api as apis
from ansible_collections.devops.platform.plugins.module_utils.kubernetes import watch as watches
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.api import Api
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.cluster import (
    ApiError,
    Conflict,
    NotFound,
    explained,
    has_field,
    may_force,
)
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import KINDS, Ref
from ansible_collections.devops.platform.tests.unit.kubernetes.samples import config, workload

POD = {"metadata": {"name": "a", "namespace": "chat", "resourceVersion": "7"}}


class Recorded:
    """Answers by method and path, the last one for ever; streams likewise."""

    def __init__(self, answers, streams=()):
        self.answers = {key: list(value) for key, value in answers.items()}
        self.streams = list(streams)
        self.asked = []
        self.idle = threading.Event()

    def send(self, method, path, body, content_type):
        parts = urlsplit(path)
        self.asked.append((method, parts.path, parse_qs(parts.query), body, content_type))
        left = self.answers[method, parts.path]
        status, answer = left.pop(0) if len(left) > 1 else left[0]
        return status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def stream(self, path):
        self.asked.append(("WATCH", urlsplit(path).path, parse_qs(urlsplit(path).query), None, ""))
        if not self.streams:
            self.idle.set()
            threading.Event().wait(5)
            return
        for one in self.streams.pop(0):
            if isinstance(one, Exception):
                raise one
            yield json.dumps(one).encode()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(apis, "PAUSE", 0.0)
    monkeypatch.setattr(watches, "POLL", 0.01)


@pytest.mark.parametrize(
    ("which", "path"),
    [
        (Ref("Deployment", "chat", "api", "apps"), "/apis/apps/v1/namespaces/chat/deployments/api"),
        (Ref("Secret", "chat", "a.b"), "/api/v1/namespaces/chat/secrets/a.b"),
        (Ref("Namespace", "", "chat"), "/api/v1/namespaces/chat"),
        (
            Ref("ClusterRole", "", "read", "rbac.authorization.k8s.io"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/read",
        ),
    ],
)
def test_paths(which, path):
    assert Api(Recorded({})).path(which) == path


def test_an_unknown_kind_is_named():
    with pytest.raises(ApiError, match=r"knows no kind Widget of 'example\.com'"):
        Api(Recorded({})).path(Ref("Widget", "chat", "a", "example.com"))


def test_kinds_of_others_cost_one_request_a_group(monkeypatch):
    monkeypatch.setattr(apis, "KINDS", KINDS)
    resources = [
        {"name": "widgets", "kind": "Widget", "namespaced": True},
        {"name": "widgets/status", "kind": "Widget", "namespaced": True},
        {"name": "shops", "kind": "Shop", "namespaced": False},
    ]
    api = Api(Recorded({("GET", "/apis/example.com/v1"): [(200, {"resources": resources})]}))
    items = [{"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "a"}} for kind in ("Widget", "Shop")]
    try:
        api.learn(items)
        api.learn(items)
        assert api.requests == 1
        assert api.path(Ref("Shop", "", "a", "example.com")) == "/apis/example.com/v1/shops/a"
    finally:
        for kind in ("Widget", "Shop"):
            del KINDS["example.com", kind]


def test_apply_is_server_side_and_strict():
    path = "/apis/apps/v1/namespaces/chat/deployments/api"
    transport = Recorded({("PATCH", path): [(200, {})]})
    Api(transport).apply(workload(), dry_run=True)
    _method, _path, query, body, content_type = transport.asked[0]
    assert query == {
        "fieldManager": ["devops.platform"],
        "force": ["false"],
        "fieldValidation": ["Strict"],
        "dryRun": ["All"],
    }
    assert content_type == "application/apply-patch+yaml"
    assert json.loads(body)["metadata"]["name"] == "api"


CONFLICT = {
    "reason": "Conflict",
    "message": 'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas',
    "details": {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "kubectl-edit" using apps/v1',
                "field": ".spec.replicas",
            }
        ]
    },
}


def test_a_conflict_names_fields_and_managers():
    path = "/apis/apps/v1/namespaces/chat/deployments/api"
    with pytest.raises(Conflict) as caught:
        Api(Recorded({("PATCH", path): [(409, CONFLICT)]})).apply(workload())
    assert caught.value.fields == ((".spec.replicas", "kubectl-edit"),)
    assert ".spec.replicas (of kubectl-edit)" in explained(caught.value, Ref("Deployment", "chat", "api", "apps"))
    assert may_force(caught.value, workload())
    assert not may_force(caught.value, None)
    assert not may_force(caught.value, config())


@pytest.mark.parametrize(
    ("path", "there"),
    [
        (".spec.replicas", True),
        (".spec.minReadySeconds", False),
        ('.spec.template.spec.containers[name="app"].image', True),
        ('.spec.template.spec.containers[name="other"].image', False),
        ('.spec.template.spec.containers[name="app"].ports', False),
    ],
)
def test_fields_of_conflicts(path, there):
    assert has_field(workload(), path) is there


@pytest.mark.parametrize(("status", "requests"), [(503, 3), (429, 3), (0, 3), (500, 3)])
def test_what_passes_is_asked_again(status, requests):
    path = "/api/v1/namespaces/chat/configmaps/settings"
    api = Api(Recorded({("GET", path): [(status, b"busy"), (status, b"busy"), (200, POD)]}))
    assert api.get(Ref("ConfigMap", "chat", "settings"))
    assert api.requests == requests


def test_what_may_have_been_done_is_not_asked_again():
    api = Api(Recorded({("POST", "/api/v1/namespaces/chat/configmaps"): [(0, b"reset"), (200, POD)]}))
    with pytest.raises(ApiError, match="Unreachable: reset"):
        api.create(config())


@pytest.mark.parametrize(("status", "error"), [(403, ApiError), (422, ApiError), (404, NotFound)])
def test_refusals_are_final(status, error):
    path = "/api/v1/namespaces/chat/configmaps/settings"
    api = Api(Recorded({("PATCH", path): [(status, {"reason": "Because", "message": "no"})]}))
    with pytest.raises(error, match="Because: no"):
        api.apply(config())
    assert api.requests == 1


@pytest.mark.parametrize("answer", [(404, {"reason": "NotFound"}), (409, {"reason": "Conflict"}), (200, {})])
def test_only_that_very_object_is_deleted(answer):
    transport = Recorded({("DELETE", "/api/v1/namespaces/chat/pods/db-0"): [answer]})
    Api(transport).delete(Ref("Pod", "chat", "db-0"), "u-1")
    assert json.loads(transport.asked[0][3]) == {
        "propagationPolicy": "Background",
        "preconditions": {"uid": "u-1"},
    }


def test_the_ledger_is_replaced_and_not_applied():
    transport = Recorded({("PUT", "/api/v1/namespaces/chat/configmaps/settings"): [(409, {"reason": "Conflict"})]})
    with pytest.raises(Conflict):
        Api(transport).replace(config())
    assert transport.asked[0][4] == "application/json"


def test_looking_at_many_is_one_request():
    items = [config("1", name) for name in "abcd"]
    transport = Recorded(
        {
            ("GET", "/api/v1/namespaces/chat/configmaps"): [(200, {"items": items, "metadata": {}})],
            ("GET", "/api/v1/namespaces/chat/services/s"): [(404, {"reason": "NotFound"})],
        }
    )
    api = Api(transport)
    wanted = [Ref("ConfigMap", "chat", name) for name in "abc"]
    assert sorted(api.look([*wanted, Ref("Service", "chat", "s")])) == wanted
    assert api.requests == 2


def event(kind, name, version):
    return {"type": kind, "object": {"metadata": {"name": name, "namespace": "chat", "resourceVersion": version}}}


def followed(transport):
    api = Api(transport)
    api.watch([("", "Pod", "chat")])
    assert transport.idle.wait(5)
    api.close()
    return api, [one[2].get("resourceVersion") for one in transport.asked if one[0] == "WATCH"]


PODS = ("GET", "/api/v1/namespaces/chat/pods")


def test_a_watch_is_taken_up_where_it_was():
    transport = Recorded(
        {PODS: [(200, {"metadata": {"resourceVersion": "5"}, "items": [POD]})]},
        [
            [event("ADDED", "b", "8"), event("DELETED", "a", "9")],
            [event("BOOKMARK", "", "20")],
        ],
    )
    api, versions = followed(transport)
    assert [which.name for which in api.seen] == ["b"]
    assert versions == [["5"], ["9"], ["20"]]
    assert api.requests == 4


def test_what_the_server_has_forgotten_is_listed_again():
    gone = ApiError("watch", 410, "Expired", "too old")
    for stream in ([gone], [{"type": "ERROR", "object": {"code": 410}}]):
        transport = Recorded(
            {
                PODS: [
                    (200, {"metadata": {"resourceVersion": "5"}, "items": [POD]}),
                    (200, {"metadata": {"resourceVersion": "50"}, "items": []}),
                ]
            },
            [stream],
        )
        api, versions = followed(transport)
        assert api.seen == {}
        assert versions == [["5"], ["50"]]


def test_where_watching_is_refused_it_lists():
    transport = Recorded(
        {
            PODS: [
                (200, {"metadata": {"resourceVersion": "5"}, "items": []}),
                (200, {"metadata": {"resourceVersion": "6"}, "items": [POD]}),
            ]
        },
        [[ApiError("watch", 403, "Forbidden", "no")]],
    )
    api = Api(transport)
    api.watch([("", "Pod", "chat")])
    for _ in range(50):
        api.refresh(0.1)
        if api.seen:
            break
    api.close()
    assert [which.name for which in api.seen] == ["a"]


def test_who_waits_is_told_that_nobody_answers():
    transport = Recorded(
        {PODS: [(200, {"metadata": {"resourceVersion": "5"}, "items": []}), (403, {"reason": "Forbidden"})]},
        [[ApiError("watch", 410, "Expired", "too old")]],
    )
    api = Api(transport)
    api.watch([("", "Pod", "chat")])
    transport.answers[PODS] = [(418, {"reason": "Teapot", "message": "short and stout"})]
    with pytest.raises(ApiError):  # noqa: PT012 - the thread decides when
        for _ in range(50):
            api.refresh(0.1)
    api.close()
