"""Rollouts on a model cluster: whatever happens, as many pods serve as was promised, and the end is new or old."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import OWNER, Ref, ref, template
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.plan import PlanError
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.rollout import (
    Options,
    Result,
    Rollout,
)
from ansible_collections.devops.platform.tests.unit.kubernetes.model_cluster import KilledError, ModelCluster
from ansible_collections.devops.platform.tests.unit.kubernetes.samples import (
    APP,
    SPACE,
    config,
    job,
    secret,
    service,
    workload,
)

WAYS = {
    "rolling": {"type": "rolling", "max_surge": 1},
    "blue_green": {"type": "blue_green"},
    "canary": {"type": "canary", "steps": [1, "50%"]},
}


def run(cluster, declared, strategies=None, judge=None, check=False, rollout="r", prune=True) -> Result:
    options = Options(rollout, timeout=200, patience=10)
    made = Rollout(cluster, APP, SPACE, options, judge, random=lambda n: b"k" * n)
    return made.forward(declared, strategies or {}, prune, check)


def state(cluster) -> dict[str, Any]:
    """Everything but what the API server counts, pods by their images."""
    found: dict[str, Any] = {}
    images = []
    for which, item in cluster.objects.items():
        if which.kind == "Pod":
            images.append(item["spec"]["containers"][0]["image"])
        elif not which.name.startswith("devops.platform."):
            found[str(which)] = {key: value for key, value in item.items() if key not in ("status", "metadata")}
    return {**found, "images": sorted(images)}


@pytest.mark.parametrize("way", WAYS)
def test_new_then_better_then_nothing(way):
    cluster = ModelCluster()
    assert run(cluster, [service(), workload()], {"api": WAYS[way]}, rollout="a").changed
    assert {one["spec"]["containers"][0]["image"] for one in cluster.serving(SPACE, "api")} == {"good:1"}
    assert not run(cluster, [service(), workload()], {"api": WAYS[way]}, rollout="b").changed
    cluster.check = promise(cluster, 3)
    result = run(cluster, [service(), workload(image="good:2")], {"api": WAYS[way]}, rollout="c")
    assert result.changed
    assert not result.failure
    serving = cluster.serving(SPACE, "api")
    assert {one["spec"]["containers"][0]["image"] for one in serving} == {"good:2"}
    assert len(serving) == 3
    before = cluster.mutations
    assert not run(cluster, [service(), workload(image="good:2")], {"api": WAYS[way]}, rollout="d").changed
    assert cluster.mutations == before


@pytest.mark.parametrize("way", WAYS)
def test_a_bad_one_is_taken_back_and_named(way):
    cluster = ModelCluster()
    good = [service(), config("1"), secret(), workload()]
    run(cluster, good, {"api": WAYS[way]}, rollout="a")
    was = state(cluster)
    cluster.check = promise(cluster, 3)
    bad = [service(), config("2"), secret("another"), workload(image="bad:2"), config("new", "more")]
    result = run(cluster, bad, {"api": WAYS[way]}, rollout="b")
    assert "CrashLoopBackOff" in result.failure
    assert "container app" in result.failure
    assert result.finding["reason"] == "CrashLoopBackOff"
    assert result.rolled_back
    # Earlier values of a Secret stay until a later rollout is kept.
    kept = {key: item for key, item in state(cluster).items() if key.startswith("Secret chat/credentials.")}
    assert state(cluster) == {**was, **kept}
    assert not run(cluster, good, {"api": WAYS[way]}, rollout="c").changed


def test_what_a_container_says_of_secrets_is_masked():
    cluster = ModelCluster()
    result = run(cluster, [secret(), workload(image="bad:1")])
    assert "tr0ub4dor" not in result.log
    assert "<secret credentials.password #" in result.log


def test_a_first_rollout_that_fails_leaves_nothing():
    cluster = ModelCluster()
    result = run(cluster, [service(), workload(image="bad:1")])
    assert result.rolled_back
    assert state(cluster) == {"images": []}


def test_what_was_there_before_is_put_back():
    cluster = ModelCluster()
    run(cluster, [service(), workload()], rollout="a")
    del cluster.objects[Ref("ConfigMap", SPACE, f"devops.platform.{APP}")]  # somebody has lost the ledger
    was = state(cluster)
    result = run(cluster, [service(), workload(image="bad:2")], rollout="b")
    assert result.rolled_back
    assert state(cluster) == was


def test_all_workloads_are_taken_back_not_only_the_failed_one():
    cluster = ModelCluster()
    run(cluster, [workload("a"), workload("b")], rollout="a")
    was = state(cluster)
    result = run(cluster, [workload("a", "good:2"), workload("b", "bad:2")], rollout="b")
    assert result.rolled_back
    assert state(cluster) == was


def test_the_gate_stops_a_canary():
    cluster = ModelCluster()
    ways = {"api": WAYS["canary"]}
    run(cluster, [service(), workload()], ways, rollout="a")
    was = state(cluster)
    asked = []

    def judge(gate):
        asked.append(gate)
        return ["errors: 0.3, not < 0.01"] if len(asked) == 2 else []

    result = run(cluster, [service(), workload(image="good:2")], ways, judge, rollout="b")
    assert "errors: 0.3" in result.failure
    assert [len(gate.changed) for gate in asked] == [1, 2]
    assert [len(gate.unchanged) for gate in asked] == [3, 3]
    assert state(cluster) == was


@pytest.mark.parametrize(
    ("kind", "steps", "seen"),
    [
        ("StatefulSet", [1, "50%"], [(1, 3), (2, 2), (4, 0)]),
        ("StatefulSet", ["100%"], [(4, 0)]),
        ("DaemonSet", [1, 2], [(1, 3), (2, 2), (4, 0)]),
    ],
)
def test_partitions(kind, steps, seen):
    cluster = ModelCluster()
    cluster.nodes = 4
    ways = {"db": {"type": "partition", "steps": steps}}
    run(cluster, [workload("db", kind=kind, replicas=4)], ways, rollout="a")
    gates = []

    def judge(gate):
        gates.append((len(gate.changed), len(gate.unchanged)))
        return []

    result = run(cluster, [workload("db", "good:2", kind=kind, replicas=4)], ways, judge, rollout="b")
    assert not result.failure
    assert gates == seen
    assert state(cluster)["images"] == ["good:2"] * 4
    assert not run(cluster, [workload("db", "good:2", kind=kind, replicas=4)], ways, rollout="c").changed


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_a_stuck_pod_of_a_set_is_taken_away(kind):
    cluster = ModelCluster()
    run(cluster, [workload("db", kind=kind)], rollout="a")
    result = run(cluster, [workload("db", "bad:2", kind=kind)], rollout="b")
    assert result.rolled_back, result.failure
    assert state(cluster)["images"] == ["good:1"] * 3


def test_check_mode_changes_nothing_and_says_what_the_run_does():
    cluster = ModelCluster()
    run(cluster, [service(), workload(), config()], rollout="a")
    before = json.dumps(state(cluster), sort_keys=True)
    count = cluster.mutations
    new = [service(), workload(image="good:2"), secret()]
    said = run(cluster, new, check=True, rollout="b")
    assert cluster.mutations == count
    assert json.dumps(state(cluster), sort_keys=True) == before
    assert said.plan == ["create Secret chat/credentials", "apply Deployment chat/api", "prune ConfigMap chat/settings"]
    assert "tr0ub4dor" not in said.diff
    assert "dHIwdWI0ZG9y" not in said.diff  # in base64
    assert "+        image: good:2" in said.diff or "image: good:2" in said.diff
    assert run(cluster, new, rollout="b").plan == said.plan


def test_prunes_only_what_is_ours():
    cluster = ModelCluster()
    run(cluster, [workload(), config("1", "a"), config("1", "b")], rollout="a")
    for name, owner in (("b", "other"), ("c", APP)):  # taken over by somebody, and labelled by hand
        cluster.objects[Ref("ConfigMap", SPACE, name)] = {
            **config("1", name),
            "metadata": {"name": name, "namespace": SPACE, "labels": {OWNER: owner}, "generation": 1},
        }
    result = run(cluster, [workload()], rollout="b")
    assert result.plan == ["prune ConfigMap chat/a"]
    assert Ref("ConfigMap", SPACE, "b") in cluster.objects
    assert Ref("ConfigMap", SPACE, "c") in cluster.objects


def test_several_rollouts_back_with_their_secrets():
    cluster = ModelCluster()
    for n in range(1, 5):
        run(cluster, [service(), secret(f"value-{n}"), workload(image=f"good:{n}")], rollout=f"r{n}")
    made = Rollout(cluster, APP, SPACE, Options("back"), random=lambda n: b"k" * n)
    result = made.back_to("r2", prune=True, check=False)
    assert result.changed
    assert state(cluster)["images"] == ["good:2"] * 3
    live = cluster.objects[Ref("Secret", SPACE, "credentials")]
    assert live["data"] == secret("value-2")["data"]


def test_values_of_secrets_are_not_in_the_ledger():
    cluster = ModelCluster()
    run(cluster, [secret(), workload()])
    kept = cluster.objects[Ref("ConfigMap", SPACE, f"devops.platform.{APP}")]
    for part in kept["binaryData"].values():
        text = gzip.decompress(base64.b64decode(part)).decode()
        assert "dHIwdWI0ZG9y" not in text
        assert "sealed:" in text


def test_a_job_runs_once_and_before_the_workloads():
    cluster = ModelCluster()
    run(cluster, [job(), workload()], rollout="a")
    assert cluster.log.index("apply Job chat/migrate") < cluster.log.index("apply Deployment chat/api")
    del cluster.objects[ref(job())]  # ttlSecondsAfterFinished
    assert not run(cluster, [job(), workload()], rollout="b").changed
    assert run(cluster, [job("good:2"), workload()], rollout="c").changed
    assert template(cluster.objects[ref(job())])["spec"]["containers"][0]["image"] == "good:2"


def test_a_second_controller_stops_the_first():
    cluster = ModelCluster()
    run(cluster, [service(), workload()], {"api": WAYS["canary"]}, rollout="a")
    new = [service(), workload(image="good:2")]

    def judge(_gate):
        run(cluster, new, {"api": WAYS["canary"]}, rollout="other")
        return []

    with pytest.raises(Exception, match="another controller has taken over"):
        run(cluster, new, {"api": WAYS["canary"]}, judge, rollout="b")


def test_conflicts_are_named_and_those_over_our_own_fields_settled():
    cluster = ModelCluster()
    run(cluster, [workload()], rollout="a")
    cluster.conflicts[ref(workload())] = ((".spec.replicas", "kubectl-scale"),)
    assert not run(cluster, [workload(image="good:2")], rollout="b").failure
    foreign = ((".spec.minReadySeconds", "somebody"),)
    cluster.conflicts[ref(workload())] = foreign
    with pytest.raises(PlanError, match=r"\.spec\.minReadySeconds \(of somebody\)"):
        run(cluster, [workload(image="good:3", minReadySeconds=3)], rollout="c")


def promise(cluster, least):
    def check():
        serving = cluster.serving(SPACE, "api")
        assert len(serving) >= least, f"{len(serving)} of {least} serve after {cluster.log[-5:]}"

    return check


def to_its_end(cluster, new, ways, kills, judge):
    """Runs until one is neither killed nor without anything more to be killed in."""
    result = None
    for at, after in [*kills, (None, False)]:
        cluster.kill_at = cluster.mutations + at if at else None
        cluster.kill_after = after
        try:
            result = run(cluster, new, ways, judge, rollout="new")
        except KilledError:
            continue
        if at is None or result.failure:
            break
    assert result is not None
    return result


def judged(gates):
    verdicts = iter(gates)
    return lambda _gate: [] if next(verdicts, True) else ["breach"]


KILLS = st.lists(st.tuples(st.integers(1, 25), st.booleans()), max_size=4)
GATES = st.lists(st.booleans(), max_size=6)
IMAGES = st.sampled_from(["good:2", "bad:2"])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["", *WAYS]), st.sampled_from(sorted(WAYS)), IMAGES, KILLS, GATES, st.integers(1, 5))
def test_whatever_happens_it_serves_and_ends_new_or_old(first, second, image, kills, gates, replicas):
    cluster = ModelCluster()
    if first:
        old = [service(), config("1"), workload(replicas=replicas)]
        run(cluster, old, {"api": WAYS[first]}, rollout="old")
        cluster.check = promise(cluster, replicas)
    was = state(cluster)
    new = [service(), config("2"), workload(image=image, replicas=replicas)]
    ways = {"api": WAYS[second]}
    result = to_its_end(cluster, new, ways, kills, judged(gates))
    if result.failure:
        assert result.rolled_back, result.failure
        assert state(cluster) == was
    else:
        serving = cluster.serving(SPACE, "api")
        assert {one["spec"]["containers"][0]["image"] for one in serving} == {image}
        assert image.startswith("good")
        assert Ref("Deployment", SPACE, "api-canary", "apps") not in cluster.objects
        assert not run(cluster, new, ways, rollout="again").changed


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["StatefulSet", "DaemonSet"]),
    st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True).map(sorted),
    IMAGES,
    KILLS,
    GATES,
)
def test_whatever_happens_one_pod_of_a_set_is_away(kind, steps, image, kills, gates):
    cluster = ModelCluster()
    cluster.nodes = 4
    ways = {"api": {"type": "partition", "steps": steps}}
    run(cluster, [service(), workload(kind=kind, replicas=4)], ways, rollout="old")
    was = state(cluster)
    cluster.check = promise(cluster, 3)
    new = [service(), workload(image=image, kind=kind, replicas=4)]
    result = to_its_end(cluster, new, ways, kills, judged(gates))
    if result.failure:
        assert result.rolled_back, result.failure
        assert state(cluster) == was
    else:
        assert state(cluster)["images"] == [image] * 4
        assert not run(cluster, new, ways, rollout="again").changed
