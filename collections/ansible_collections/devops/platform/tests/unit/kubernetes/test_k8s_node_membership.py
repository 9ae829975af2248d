"""Which node makes the cluster, which ones join it: table and laws."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes.membership import (
    CONTROL_PLANE,
    INIT,
    JOIN,
    NOTHING,
    REFUSE,
    Seen,
    decide,
    plan,
    refusals,
)

EMPTY = Seen()
SERVER = Seen(joined=True, serves=True, authority="aa", data=True, version="1.34.4")
NODE = Seen(joined=True, authority="aa", version="1.34.4")


def actions(control_plane, workers, looks):
    return {name: step.action for name, step in decide(control_plane, workers, looks).items()}


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param({"c1": EMPTY, "w1": EMPTY}, {"c1": INIT, "w1": JOIN}, id="from nothing"),
        pytest.param({"c1": SERVER, "w1": NODE}, {"c1": NOTHING, "w1": NOTHING}, id="all is there"),
        pytest.param({"c1": SERVER, "w1": EMPTY}, {"c1": NOTHING, "w1": JOIN}, id="a new worker"),
        pytest.param({"c1": EMPTY, "c2": SERVER, "w1": NODE}, {"c1": JOIN, "c2": NOTHING, "w1": NOTHING}, id="lost c1"),
        pytest.param({"c1": EMPTY, "w1": NODE}, {"c1": REFUSE, "w1": NOTHING}, id="lost the whole control plane"),
        pytest.param({"w1": EMPTY}, {"w1": REFUSE}, id="a limit leaves out who invites"),
        pytest.param({"c2": EMPTY}, {"c2": REFUSE}, id="a limit leaves out who may have a cluster"),
        pytest.param(
            {"c1": replace(EMPTY, attempt=INIT, data=True), "w1": EMPTY}, {"c1": INIT, "w1": JOIN}, id="init died"
        ),
        pytest.param(
            {"c1": EMPTY, "c2": replace(SERVER, attempt=INIT), "w1": EMPTY},
            {"c1": JOIN, "c2": INIT, "w1": JOIN},
            id="init died on another one",
        ),
        pytest.param({"c1": SERVER, "w1": replace(NODE, attempt=JOIN)}, {"c1": NOTHING, "w1": JOIN}, id="join died"),
        pytest.param({"c1": replace(EMPTY, data=True), "w1": EMPTY}, {"c1": REFUSE, "w1": REFUSE}, id="strange data"),
        pytest.param({"c1": SERVER, "w1": SERVER}, {"c1": NOTHING, "w1": REFUSE}, id="a worker serves"),
        pytest.param({"c1": SERVER, "c2": NODE}, {"c1": NOTHING, "c2": REFUSE}, id="the control plane does not"),
        pytest.param(
            {"c1": SERVER, "w1": replace(NODE, authority="bb")}, {"c1": REFUSE, "w1": REFUSE}, id="two clusters"
        ),
    ],
)
def test_what_each_node_does(looks, expected):
    control_plane = ["c1", *(["c2"] if "c2" in looks else [])]
    assert actions(control_plane, ["w1"], looks) == expected


def test_a_step_says_who_invites_and_what_is_forgotten_first():
    steps = plan(["c1"], ["w1"], {"c1": asdict(SERVER), "w1": {**asdict(NODE), "attempt": JOIN, "changed": False}})
    assert steps["w1"] == {
        "action": JOIN,
        "reason": "a run of `kubeadm join` ended in the midst of it",
        "role": "worker",
        "reset": True,
        "via": "c1",
    }
    assert refusals(steps) == []
    assert refusals(plan(["c1"], ["w1"], {"w1": {}})) == [
        "w1: no node of the control plane is in the cluster; not looked at: c1; run without --limit, or with these"
    ]


looks = st.builds(
    Seen,
    joined=st.booleans(),
    serves=st.booleans(),
    authority=st.sampled_from(["", "aa", "bb"]),
    data=st.booleans(),
    attempt=st.sampled_from(["", INIT, JOIN]),
)


@given(st.dictionaries(st.sampled_from(["c1", "c2", "c3", "w1", "w2"]), looks))
def test_no_cluster_is_made_beside_another_and_no_member_is_touched(seen):
    control_plane = ["c1", "c2", "c3"]
    steps = decide(control_plane, ["w1", "w2"], seen)
    assert set(steps) == set(seen)
    makers = [name for name, step in steps.items() if step.action == INIT]
    assert len(makers) <= 1
    if makers:
        assert set(control_plane) <= set(seen)
        assert not any(look.member and look.authority for look in seen.values())
        assert not any(seen[name].member and seen[name].serves for name in control_plane)
    for name, step in steps.items():
        if seen[name].member:
            assert step.action in (NOTHING, REFUSE)
        if step.action == JOIN:
            assert step.via in control_plane
            assert step.via != name
            assert step.via in makers or (seen[step.via].member and seen[step.via].serves)
        if step.reset:
            assert seen[name].attempt
        assert (step.role == CONTROL_PLANE) == (name in control_plane)
