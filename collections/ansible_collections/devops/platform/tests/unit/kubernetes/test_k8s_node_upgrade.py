"""The order of an upgrade, budgets that stand in its way, and who stays on a node."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import disruption, playbook, upgrade

OLD, NEW = "1.34.3", "1.34.4"


def server(serves, version):
    return {"joined": True, "serves": True, "serves_version": serves, "version": version}


def worker(version):
    return {"joined": True, "serves": False, "serves_version": "", "version": version}


def planned(seen, target=NEW, parallel=1):
    return upgrade.upgrade_plan(target, ["c1", "c2", "c3"], ["w1", "w2", "w3", "w4"], seen, parallel)


def everywhere(**changes):
    seen = {name: server(OLD, OLD) for name in ("c1", "c2", "c3")}
    seen |= {name: worker(OLD) for name in ("w1", "w2", "w3", "w4")}
    return {**seen, **changes}


@pytest.mark.parametrize(
    ("changes", "first", "servers", "batches"),
    [
        ({}, "c1", ["c1", "c2", "c3"], [["w1", "w2"], ["w3", "w4"]]),
        # Broken off after the first API server, before its kubelet; after the second server; in the first batch.
        ({"c1": server(NEW, OLD)}, "", ["c1", "c2", "c3"], [["w1", "w2"], ["w3", "w4"]]),
        ({"c1": server(NEW, NEW), "c2": server(NEW, NEW)}, "", ["c3"], [["w1", "w2"], ["w3", "w4"]]),
        (
            {**{name: server(NEW, NEW) for name in ("c1", "c2", "c3")}, "w1": worker(NEW)},
            "",
            [],
            [["w2", "w3"], ["w4"]],
        ),
        (
            {
                **{name: server(NEW, NEW) for name in ("c1", "c2", "c3")},
                **{f"w{number}": worker(NEW) for number in range(1, 5)},
            },
            "",
            [],
            [],
        ),
    ],
)
def test_an_upgrade_goes_on_from_what_is_there(changes, first, servers, batches):
    made = planned(everywhere(**changes), parallel="50%")
    assert made["problems"] == []
    assert (made["first"], made["control_plane"], made["batches"]) == (first, servers, batches)
    assert made["nodes"] == servers + [name for batch in batches for name in batch]


@pytest.mark.parametrize(
    ("changes", "target", "message"),
    [
        ({}, "1.36.0", "c1: from 1.34.3 to 1.36.0 is more than one minor version; go by 1.35 first"),
        ({}, "2.0.0", "c1: from 1.34.3 to 2.0.0 is more than one minor version"),
        ({}, "1.34.2", "c1: its API server is 1.34.3, newer than 1.34.2; Kubernetes has no way back"),
        ({}, "1.34", "platform.kubernetes.cluster.version: '1.34' is no version of Kubernetes"),
        ({"w1": worker("1.35.0")}, NEW, "w1: its kubelet is 1.35.0, newer than 1.34.4"),
        ({"w1": worker("1.30.9")}, NEW, "w1: its kubelet is 1.30.9, more than 3 minor versions behind"),
        ({"w1": {"joined": False}}, NEW, "w1: it is in no cluster; playbooks/kubernetes.yml brings it there"),
        ({"c2": server("", OLD)}, NEW, "c2: its API server: '' is no version of Kubernetes"),
        ({"w2": worker("")}, NEW, "w2: its kubelet: '' is no version"),
    ],
)
def test_what_forbids_an_upgrade_is_said(changes, target, message):
    problems = planned(everywhere(**changes), target)["problems"]
    assert any(problem.startswith(message) for problem in problems), problems


@pytest.mark.parametrize("version", ["1.31.0", "1.34.0", "1.34.4"])
def test_kubelets_may_be_three_minor_versions_behind(version):
    assert planned(everywhere(w1=worker(version)))["problems"] == []


def test_nodes_that_were_not_looked_at_are_named():
    seen = everywhere()
    del seen["w4"]
    assert planned(seen)["problems"] == ["w4: it was not looked at; run without --limit"]


def test_settings_come_from_the_platform():
    platform = {
        "kubernetes": {
            "cluster": {"version": NEW, "control_plane": "servers", "workers": "nodes", "upgrade": {"parallel": 2}}
        }
    }
    seen = {"c1": server(NEW, NEW), "w1": worker(OLD), "w2": worker(OLD), "w10": worker(OLD)}
    groups = {"servers": ["c1"], "nodes": ["w10", "w1", "w2", "c1"]}
    assert playbook.upgrade_plan(platform, groups, seen)["batches"] == [["w1", "w2"], ["w10"]]


@given(st.lists(st.text(min_size=1), unique=True), st.one_of(st.integers(1, 9), st.integers(1, 100).map("{}%".format)))
def test_batches_hold_each_once_and_no_more_than_allowed(names, parallel):
    made = upgrade.batches(names, len(names), parallel)
    assert [name for batch in made for name in batch] == names
    share = len(names) * int(str(parallel)[:-1]) / 100 if str(parallel).endswith("%") else int(parallel)
    assert all(0 < len(batch) <= max(1, share) for batch in made)


# ---- pods that leave


def pod(name="web-1", **changes):
    made = {
        "metadata": {
            "name": name,
            "namespace": "chat",
            "uid": name,
            "labels": {"app": "web"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "controller": True}],
        },
        "spec": {"nodeName": "w1", "containers": [{"name": "web"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    for path, value in changes.items():
        part, key = path.split("__")
        made[part][key] = value
    return made


def budget(name="web", wanted=2, have=2, pods=2, allowed=0, **spec):
    return {
        "metadata": {"name": name, "namespace": "chat", "generation": 1},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **(spec or {"minAvailable": 2})},
        "status": {
            "observedGeneration": 1,
            "desiredHealthy": wanted,
            "currentHealthy": have,
            "expectedPods": pods,
            "disruptionsAllowed": allowed,
        },
    }


@pytest.mark.parametrize(
    ("item", "goes", "refused"),
    [
        (pod(), True, ""),
        (pod(metadata__ownerReferences=[{"kind": "DaemonSet", "controller": True}]), False, ""),
        (pod(metadata__annotations={"kubernetes.io/config.mirror": "x"}), False, ""),
        (pod(metadata__ownerReferences=[]), False, "Pod chat/web-1 has no controller"),
        (pod(metadata__ownerReferences=[], status__phase="Succeeded"), True, ""),
        (pod(metadata__ownerReferences=[{"kind": "Web"}]), False, "has no controller"),
        (pod(spec__volumes=[{"name": "a", "emptyDir": {}}]), False, "would lose the files in its emptyDir"),
        (
            pod(
                metadata__ownerReferences=[{"kind": "DaemonSet", "controller": True}],
                spec__volumes=[{"name": "a", "emptyDir": {}}],
            ),
            False,
            "",
        ),
    ],
)
def test_who_leaves(item, goes, refused):
    made = disruption.leaving([item], force=False, scratch=False)
    assert bool(made.pods) is goes
    assert [refused in text for text in made.refused] == ([True] if refused else [])
    if refused:
        assert disruption.leaving([item], force=True, scratch=True).pods == (item,)


@pytest.mark.parametrize(
    ("selector", "labels", "fits"),
    [
        (None, {"a": "1"}, False),
        ({}, {}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "2"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, {"a": "1"}, True),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {"a": "1"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": ""}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": ""}, False),
    ],
)
def test_selectors(selector, labels, fits):
    assert disruption.matches(selector, labels) is fits


@pytest.mark.parametrize(
    ("budgets", "message"),
    [
        ([budget(allowed=1)], ""),
        ([budget(pods=0, wanted=0)], ""),
        ([budget()], "PodDisruptionBudget chat/web never lets a pod go: minAvailable: 2 wants 2 of 2 pods; lower it"),
        ([budget(maxUnavailable=0)], "maxUnavailable: 0 wants 2 of 2 pods"),
        (
            [budget(wanted=1, have=1)],
            "chat/web lets no pod go now: 1 of 2 pods are healthy, 1 must be (Pod chat/web-2 not ready)",
        ),
        ([budget(allowed=1), budget("more", allowed=1)], "Pod chat/web-1 is in several budgets (web, more)"),
    ],
)
def test_what_stands_in_the_way_is_said_before(budgets, message):
    pods = [pod(), pod("web-2", spec__nodeName="w2", status__conditions=[])]
    found = disruption.blockers(budgets, pods, ["w1"])
    assert message in found[0] if message else not found, found
    assert disruption.blockers(budgets, pods, ["w9"]) == []


def test_a_budget_that_was_just_changed_says_nothing_yet():
    fresh = copy.deepcopy(budget())
    fresh["metadata"]["generation"] = 2
    assert disruption.blocked(fresh, [pod()]) == ""


NOW = 1_767_225_660.0  # 2026-01-01T00:01:00Z


@pytest.mark.parametrize(
    ("item", "refusal", "message"),
    [
        (pod(), "", "Pod chat/web-1: PodDisruptionBudget chat/web never lets a pod go"),
        (pod(metadata__labels={}), "InternalError: no", "Pod chat/web-1: InternalError: no"),
        (pod(metadata__labels={}), "", "Pod chat/web-1: it has not been asked to leave yet"),
        (
            pod(metadata__deletionTimestamp="2026-01-01T00:01:10Z", metadata__deletionGracePeriodSeconds=30),
            "",
            "Pod chat/web-1 is ending for 20 s; its terminationGracePeriodSeconds are 30",
        ),
        (
            pod(metadata__deletionTimestamp="2026-01-01T00:00:10Z", metadata__deletionGracePeriodSeconds=30),
            "",
            "Pod chat/web-1 should have ended 50 s ago; its node's kubelet does not end it",
        ),
        (
            pod(metadata__deletionTimestamp="2026-01-01T00:00:10Z", metadata__finalizers=["a.example/keep"]),
            "",
            "Pod chat/web-1 is kept by a.example/keep",
        ),
    ],
)
def test_why_a_pod_stays(item, refusal, message):
    assert disruption.stays(item, refusal, [budget()], [item], NOW).startswith(message)
