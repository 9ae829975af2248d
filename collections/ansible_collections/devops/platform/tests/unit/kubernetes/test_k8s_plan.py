"""Plans: what cannot be is refused before anything is asked to change. And what plans are made of."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.ledger import (
    LARGEST,
    Ledger,
    LedgerError,
    Pending,
    Revision,
    opened,
    read,
    sealed,
    version_name,
    version_secret,
    write,
)
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import (
    MANAGER,
    OWNER,
    Ref,
    canonical,
    holds,
    normal,
    ref,
    workload_of,
)
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.plan import PlanError, Wanted, plan, scaled
from ansible_collections.devops.platform.tests.unit.kubernetes.samples import (
    APP,
    SPACE,
    config,
    secret,
    service,
    workload,
)

KEY = b"k" * 32


def scaler(name="api", least=2):
    body = {"scaleTargetRef": {"kind": "Deployment", "name": name}, "minReplicas": least}
    about = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}}
    return normal({**about, "spec": body}, SPACE, APP)


def live(item, **more):
    about = {**item["metadata"], "resourceVersion": "1", "generation": 1, "uid": "u", **more}
    return {**item, "metadata": about}


def claims(size):
    claim = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": size}}}}
    return {"volumeClaimTemplates": [claim]}


STRANGER = {"labels": {OWNER: "shop"}}
REFUSED: dict[str, Any] = {
    "the same twice": ([config(), config()], {}, [], "ConfigMap chat/settings stands 2 times"),
    "two workloads of one name": (
        [workload(), workload(kind="StatefulSet")],
        {},
        [],
        "api is the name of 2 workloads",
    ),
    "somebody else's": ([config()], {}, [live(config(), **STRANGER)], "belongs to the application shop"),
    "another selector": (
        [workload()],
        {},
        [live({**workload(), "spec": {**workload()["spec"], "selector": {"matchLabels": {"app": "old"}}}})],
        "its selector is {'app': 'old'}, and would be {'app': 'api'}",
    ),
    "another size of volumes": (
        [workload("db", kind="StatefulSet", **claims("20Gi"))],
        {},
        [live(workload("db", kind="StatefulSet", **claims("10Gi")))],
        "spec.volumeClaimTemplates cannot be changed",
    ),
    "colours without a Service": ([workload()], {"api": {"type": "blue_green"}}, [], "needs a Service"),
    "colours and an autoscaler": (
        [workload(), service(), scaler()],
        {"api": {"type": "blue_green"}},
        [],
        "an autoscaler cannot follow",
    ),
    "a name that a strategy needs": (
        [workload(), workload("api-canary")],
        {"api": {"type": "canary"}},
        [],
        "canary makes a Deployment api-canary",
    ),
    "an unknown workload": ([workload()], {"web": {}}, [], "strategies.web: the definition has no such workload"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    declared, strategies, there, said = REFUSED[case]
    wanted = Wanted(APP, SPACE, tuple(declared), strategies)
    with pytest.raises(PlanError) as caught:
        plan(wanted, Ledger(APP, SPACE), {ref(item): item for item in there})
    assert said in str(caught.value)


def test_what_the_server_fills_into_claims_is_no_change():
    there = workload("db", kind="StatefulSet", **claims("10Gi"))
    there["spec"]["volumeClaimTemplates"][0]["status"] = {"phase": "Pending"}
    wanted = Wanted(APP, SPACE, (workload("db", kind="StatefulSet", **claims("10Gi")),))
    assert plan(wanted, Ledger(APP, SPACE), {ref(there): live(there)}).courses


def test_claims_and_namespaces_are_left_and_named():
    claim = normal({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}, SPACE, APP)
    items = {ref(one): one for one in (claim, config())}
    ledger = Ledger(APP, SPACE, (Revision("a", concrete=items),))
    drawn = plan(Wanted(APP, SPACE, (workload(),)), ledger, {which: live(one) for which, one in items.items()})
    assert drawn.prune == (ref(config()),)
    assert drawn.left == (ref(claim),)


def owned(by):
    return [{"manager": by, "fieldsV1": {"f:spec": {"f:replicas": {}}}}]


@pytest.mark.parametrize(
    ("there", "replicas"),
    [
        (None, 2),  # minReplicas
        (live(workload(replicas=7), managedFields=owned("kube-controller-manager")), None),
        (live(workload(replicas=7), managedFields=owned(MANAGER)), 7),  # left out, it would fall to 1
    ],
)
def test_an_autoscaler_keeps_its_number(there, replicas):
    found = scaled([workload(replicas=3), scaler()], {ref(there): there} if there else {})
    assert found[0]["spec"].get("replicas") == replicas


def test_the_order_of_a_plan():
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a"}}
    items = [normal(ingress, SPACE, APP), workload(), service(), secret(), config()]
    drawn = plan(Wanted(APP, SPACE, tuple(items)), Ledger(APP, SPACE), {})
    assert [item["kind"] for item in drawn.ground] == ["ConfigMap", "Secret", "Service"]
    assert [item["kind"] for item in drawn.after] == ["Ingress"]


# ---- objects


@pytest.mark.parametrize(
    ("wanted", "there", "same"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": {}}, {}, True),
        ({"a": None}, {}, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": [{"n": 1}]}, {"a": [{"n": 1, "protocol": "TCP"}]}, True),
        ({"a": [1]}, {"a": [1, 2]}, False),
    ],
)
def test_holding(wanted, there, same):
    assert holds(wanted, there) is same


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_everything_holds_itself(value):
    assert holds(value, value)


def test_pods_of_workloads():
    owner = {"kind": "ReplicaSet", "name": "api-web-5d8f", "controller": True}
    about = {"namespace": SPACE, "labels": {"pod-template-hash": "5d8f"}, "ownerReferences": [owner]}
    assert workload_of({"metadata": about}) == Ref("Deployment", SPACE, "api-web", "apps")
    assert workload_of({"metadata": {**about, "labels": {}}}) is None
    assert workload_of({"metadata": {"ownerReferences": [{**owner, "controller": False}]}}) is None


def test_the_stamp_follows_the_template_alone():
    tags = {canonical(one["spec"]["template"]["metadata"]["labels"]) for one in (workload(), workload(replicas=9))}
    assert len(tags) == 1
    assert normal(workload(), SPACE, APP) == workload()
    assert workload(image="good:2")["spec"]["template"]["metadata"] != workload()["spec"]["template"]["metadata"]


# ---- the ledger


def ledger(number=2):
    items = {ref(one): one for one in (config(), secret(), workload())}
    declared = tuple(items.values())
    revisions = tuple(Revision(f"r{n}", declared, {"api": {}}, items, {"api": "blue"}, n) for n in range(number))
    before = {ref(config()): config()}
    pending = Pending(revisions[-1], "forward", {"Deployment chat/api": 2}, (ref(config()),), (), before)
    return Ledger(APP, SPACE, revisions, pending, "17")


def test_a_ledger_is_read_as_it_was_written():
    item = write(ledger(), KEY)
    assert item["metadata"]["resourceVersion"] == "17"
    found = read(item, APP, SPACE)
    assert write(found, KEY) == item
    assert found.pending is not None
    assert found.pending.positions == {"Deployment chat/api": 2}
    assert found.find("r0").colours == {"api": "blue"}


def test_secrets_are_sealed_and_opened_again():
    shut = sealed(secret(), KEY)
    assert "dHIwdWI0ZG9y" not in str(shut)
    assert sealed(shut, KEY) == shut
    kept = version_secret(secret(), KEY, APP)
    assert opened(shut, KEY, {(SPACE, version_name(shut, KEY)): kept}) == secret()
    assert opened(shut, KEY, {}) == shut
    assert version_name(secret("other"), KEY) != version_name(secret(), KEY)


def test_the_oldest_revisions_make_room():
    noise = {str(n): hashlib.sha512(str(n).encode()).hexdigest() for n in range(2000)}  # what packing cannot shorten
    big = {ref(config()): {**config(), "data": noise}}
    few = Ledger(APP, SPACE, tuple(Revision(f"r{n}", concrete=big) for n in range(9)))
    kept = read(write(few, KEY), APP, SPACE)
    assert len(canonical(write(few, KEY))) <= LARGEST
    assert kept.revisions[-1].rollout == "r8"
    assert len(kept.revisions) < 9


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda item: item["data"].update(format="9"), "format '9', and this version knows 1"),
        (lambda item: item["binaryData"].pop("revision.0"), "is damaged"),
        (lambda item: item["binaryData"].update({"revision.pending": "AAAA"}), "is damaged"),
    ],
)
def test_a_damaged_ledger_is_named(break_it, said):
    item = write(ledger(), KEY)
    break_it(item)
    with pytest.raises(LedgerError, match=r"ConfigMap chat/devops\.platform\.chat") as caught:
        read(item, APP, SPACE)
    assert said in str(caught.value)


def test_a_rollout_that_is_not_kept_is_named_with_those_that_are():
    with pytest.raises(LedgerError, match=r"no rollout 'r9' to go back to; it has: r0, r1"):
        ledger().find("r9")
