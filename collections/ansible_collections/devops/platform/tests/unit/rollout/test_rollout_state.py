"""From events to how a rollout stands, and what it does next."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.module_utils.rollout import steps
from ansible_collections.devops.platform.plugins.module_utils.rollout.settings import Settings
from ansible_collections.devops.platform.plugins.module_utils.rollout.state import fold

HOSTS = ["app1", "app2", "app3", "app4"]
SETTINGS = Settings(waves=(1, "50%", "100%"), parallel=2)
UPSTREAMS = {"chat_api": HOSTS}
BEGIN = {"event": "begin", "format": 1, "id": "r1", "target": "chat", "kind": "rollout", "hosts": HOSTS}


def planned(host, changed=True, previous="0123"):
    part = {"name": "chat", "changed": changed, "previous": previous}
    return {"event": "planned", "host": host, "status": "changed", "components": [part]}


def change(host, *statuses, message=""):
    return [{"event": "change", "host": host, "status": status, "message": message} for status in statuses]


def changed(host):
    return change(host, "begun", "changed")


def proof(wave, passed=True):
    return {"event": "proof", "wave": wave, "passed": passed, "asked": True}


WAVES = {"event": "waves", "waves": [["app1"], ["app2"], ["app3", "app4"]], "prove": True}
PLANNED = [BEGIN, *(planned(host) for host in HOSTS), WAVES]


def shapes(found):
    return [(batch["wave"], batch["hosts"], batch["last"], batch.get("prove_only", False)) for batch in found]


def test_hosts_that_are_as_declared_are_no_part_of_it():
    state = fold([BEGIN, *(planned(host, changed=host != "app2") for host in HOSTS)])
    assert steps.planned_waves(state, HOSTS, SETTINGS) == [["app1"], ["app3"], ["app4"]]


def test_nothing_to_do_is_no_wave():
    state = fold([BEGIN, *(planned(host, changed=False) for host in HOSTS)])
    assert steps.planned_waves(state, HOSTS, SETTINGS) == []


def test_a_host_without_a_plan_stops_it_before_anything_is_changed():
    state = fold([BEGIN, *(planned(host) for host in HOSTS[:3])])
    with pytest.raises(steps.RolloutError, match=r"no plan of app4.*nothing was changed anywhere.*--limit '!app4'"):
        steps.planned_waves(state, HOSTS, SETTINGS)


@pytest.mark.parametrize("before", [[], [planned("app4")]])
def test_a_host_that_is_lost_while_it_is_asked_has_no_plan(before):
    lost = {"event": "planned", "host": "app4", "status": "unreachable", "message": "not reachable: ssh"}
    state = fold([BEGIN, *(planned(host, changed=False) for host in HOSTS[:3]), *before, lost])
    with pytest.raises(steps.RolloutError, match=r"no plan of app4"):
        steps.planned_waves(state, HOSTS, SETTINGS)


def test_several_tasks_make_one_plan():
    state = fold([BEGIN, planned("app1", changed=False), planned("app1"), planned("app1", changed=False)])
    assert state.hosts["app1"].pending


def test_all_waves_are_to_be_done_at_first():
    state = fold(PLANNED)
    assert shapes(steps.remaining(state, SETTINGS, UPSTREAMS)) == [
        (1, ["app1"], True, False),
        (2, ["app2"], True, False),
        (3, ["app3", "app4"], True, False),
    ]


RESUME = {"event": "resume", "how": "forward"}


def test_after_a_death_what_is_left_is_done_and_what_was_not_proved_is_proved():
    died = [*PLANNED, *changed("app1"), proof(1), *changed("app2"), *changed("app3"), *change("app4", "begun")]
    again = [planned(host, changed=host == "app4") for host in HOSTS]
    state = fold([*died, RESUME, *again])
    assert shapes(steps.remaining(state, SETTINGS, UPSTREAMS)) == [
        (2, ["app2"], True, True),
        (3, ["app4"], True, False),
    ]


def test_after_a_death_without_proofs_only_the_changes_are_left():
    waves = {**WAVES, "prove": False}
    died = [BEGIN, *(planned(host) for host in HOSTS), waves, *changed("app1")]
    state = fold([*died, RESUME, *(planned(host, changed=host != "app1") for host in HOSTS)])
    assert [shape[0] for shape in shapes(steps.remaining(state, SETTINGS, UPSTREAMS))] == [2, 3]


@pytest.mark.parametrize(
    ("statuses", "status", "touched"),
    [
        ((), "", False),
        (("begun",), "begun", True),
        (("begun", "unchanged"), "unchanged", False),
        (("begun", "changed"), "changed", True),
        (("begun", "changed", "begun", "unchanged"), "changed", True),
        (("begun", "changed", "begun"), "begun", True),
        (("begun", "failed"), "failed", True),
        (("begun", "changed", "begun", "unreachable"), "unreachable", True),
        (("begun", "unchanged", "begun", "failed"), "failed", True),
    ],
)
def test_how_a_hosts_change_stands(statuses, status, touched):
    host = fold([*PLANNED, *change("app1", *statuses)]).hosts["app1"]
    assert (host.status, host.touched) == (status, touched)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (changed("app1"), ""),
        (change("app1", "begun", "failed", message="probe: no answer"), "app1: probe: no answer"),
        (change("app1", "begun"), "app1: no answer came back"),
        ([], "app1: it was not changed"),
        ([*changed("app1"), {"event": "interrupted", "signal": "SIGINT"}], "interrupted"),
    ],
)
def test_why_it_does_not_go_on(events, words):
    assert steps.verdict(fold([*PLANNED, *events]), ["app1"]) == words


STOP = {"event": "stop", "reason": "gate: errors: 5 is not < 1", "wave": 2}


def test_the_way_back_is_the_other_way_round_and_takes_everybody_who_may_be_other():
    events = [*PLANNED, *changed("app1"), *changed("app2"), *change("app3", "begun", "unreachable"), STOP]
    state = fold(events)
    assert state.reverse
    assert state.to_undo() == ["app3", "app2", "app1"]
    found = steps.backwards(state, SETTINGS, UPSTREAMS)
    assert [batch["hosts"] for batch in found] == [["app3", "app2"], ["app1"]]
    assert all(batch["back"] for batch in found)


def undone(host, status="changed", message=""):
    return {"event": "undo", "host": host, "status": status, "message": message}


def test_who_was_taken_back_is_not_taken_back_again():
    events = [*PLANNED, *changed("app1"), *changed("app2"), STOP, undone("app2"), undone("app1", "failed", "no disk")]
    state = fold(events)
    assert state.to_undo() == ["app1"]
    assert steps.not_taken_back(state) == {"app1": "no disk"}
    again = fold([*events, {"event": "end", "result": "incomplete"}, {"event": "resume", "how": "reverse"}])
    assert again.unfinished
    assert again.reverse
    assert again.to_undo() == ["app1"]


@pytest.mark.parametrize(
    ("events", "unfinished"),
    [
        ([BEGIN], False),
        ([BEGIN, planned("app1")], False),
        (PLANNED, True),
        ([*PLANNED, {"event": "end", "result": "done"}], False),
        ([*PLANNED, {"event": "end", "result": "reversed"}], False),
        ([*PLANNED, {"event": "end", "result": "incomplete"}], True),
        ([*PLANNED, {"event": "end", "result": "incomplete"}, RESUME], True),
    ],
)
def test_what_has_to_be_resumed(events, unfinished):
    assert fold(events).unfinished is unfinished


@pytest.mark.parametrize(
    ("events", "drained", "out"),
    [
        (changed("app1"), [], []),
        ([], ["app1"], ["app1"]),
        (change("app1", "begun", "failed"), [], []),  # its engine put the old state back: it serves
        (change("app1", "begun", "unreachable"), ["app2"], ["app1", "app2"]),
        (change("app1", "begun"), [], ["app1"]),
        ([*change("app1", "begun", "unreachable"), STOP, undone("app1")], [], []),
        ([*changed("app1"), STOP, undone("app1", "unreachable")], [], ["app1"]),
    ],
)
def test_the_edge_sends_nobody_to_who_leaves_or_is_lost(events, drained, out):
    assert steps.out_of_service(fold([*PLANNED, *events]), drained) == out


def test_a_host_that_is_new_serves_from_its_change_on():
    begun = [BEGIN, *(planned(host, previous="" if host == "app4" else "01") for host in HOSTS), WAVES]
    assert steps.out_of_service(fold(begun), []) == ["app4"]
    assert steps.out_of_service(fold([*begun, *changed("app4")]), []) == []
    assert steps.out_of_service(fold([*begun, *changed("app4"), STOP, undone("app4")]), []) == ["app4"]


def edge(host, *out, status="changed"):
    return {"event": "edge", "host": host, "out": list(out), "status": status}


@pytest.mark.parametrize(
    ("events", "out", "told"),
    [
        ([], [], True),
        ([], ["app1"], False),
        ([edge("edge1", "app1")], ["app1"], True),
        ([edge("edge1", "app1"), edge("edge2", status="failed")], ["app1"], False),
        ([edge("edge1", "app1", status="begun")], ["app1"], False),
        ([edge("edge1", "app1"), edge("edge1")], [], True),
    ],
)
def test_whether_the_edge_has_to_be_told(events, out, told):
    state = fold([*PLANNED, *events])
    assert state.edge_told(out) is told
    assert bool(steps.unsteered(state, out)) is not told


def test_why_the_edge_took_nothing_is_told():
    lost = {**edge("edge2", "app1", status="unreachable"), "message": "not reachable: no route"}
    words = "the edge did not take which hosts it is to leave out: edge2: not reachable: no route"
    assert steps.unsteered(fold([*PLANNED, edge("edge1", "app1"), lost]), ["app1"]) == words
    assert steps.unsteered(fold(PLANNED), ["app1"]).endswith("it was not asked to")


@pytest.mark.parametrize(
    ("smoke", "gate", "words"),
    [
        ({}, {}, ""),
        ({"results": [{"failed": False}]}, {"skipped": True}, ""),
        ({"failed": True, "results": [{"failed": True, "msg": "502"}]}, {}, "the smoke test failed: 502"),
        ({"failed": True, "msg": "nginx -t"}, {}, "the smoke test failed: nginx -t"),
        ({}, {"unreachable": True, "msg": "ssh"}, "the gate could not be asked: ssh"),
        (
            {},
            {"objectives": [{"name": "errors", "verdict": "failed", "reason": "5 is not < 1"}, {"verdict": "passed"}]},
            "gate: errors: 5 is not < 1",
        ),
    ],
)
def test_what_a_proof_failed_on(smoke, gate, words):
    assert steps.proof_words(smoke, gate) == words


def test_another_rollout_is_refused_with_what_to_do():
    state = fold([*PLANNED, *changed("app1"), proof(1)])
    words = steps.refusal(state, alive=False, command="ansible-playbook -i inventories/prod")
    assert "rollout r1 of chat is not finished: 1 of 4 hosts are changed, 1 of 3 waves proved" in words
    assert "ansible-playbook -i inventories/prod playbooks/rollout.yml -e resume=r1 -e reverse=true" in words
    assert "is being carried out by process" in steps.refusal(state, alive=True, command="ansible-playbook")


def test_the_last_words_name_who_is_not_as_before():
    events = [*PLANNED, *changed("app1"), *change("app2", "begun", "unreachable"), STOP]
    events += [undone("app1"), undone("app2", "unreachable", "ssh: no route"), edge("edge1", "app2")]
    state = fold(events)
    words = steps.closing_words(state, steps.not_taken_back(state), {"asked": True, "passed": True}, "ansible-playbook")
    assert "stopped: gate: errors: 5 is not < 1" in words
    assert "taken back: app1" in words
    assert "NOT taken back: app2: ssh: no route" in words
    assert "edge1 sends nobody to app2" in words
    assert "never changed: app3, app4" in words
    assert "ansible-playbook playbooks/rollout.yml -e resume=r1 -e reverse=true" in words
    assert "the old state serves" in words


def test_an_edge_that_took_nothing_is_named_with_the_way_to_mend_it():
    lost = {**edge("edge1", "app2", status="unreachable"), "message": "not reachable: no route"}
    state = fold([*PLANNED, *changed("app1"), STOP, undone("app1"), edge("edge2"), lost])
    words = steps.closing_words(state, {}, {}, "ansible-playbook").splitlines()
    assert words[-2:] == [
        "NOT as before: edge1, which the rollout steered by: not reachable: no route",
        "Once that is reachable and mended: ansible-playbook playbooks/rollout.yml -e resume=r1 -e reverse=true",
    ]
    assert state.deaf() == {"edge1": "not reachable: no route"}
    assert fold([edge("edge1", "app2", status="unreachable"), edge("edge1")]).deaf() == {}


def test_a_host_that_left_the_inventory_holds_nothing_up():
    events = [*PLANNED, *changed("app1"), *change("app2", "begun", "unreachable"), STOP, undone("app1")]
    events += [undone("app2", "unreachable"), {"event": "end", "result": "incomplete"}]
    state = fold([*events, {"event": "resume", "how": "reverse", "gone": ["app2"]}])
    assert state.to_undo() == []
    assert steps.out_of_service(state, []) == []
    alone = fold([*PLANNED, *changed("app1"), {**RESUME, "gone": ["app1"]}, *(planned(host) for host in HOSTS[1:])])
    assert shapes(steps.remaining(alone, SETTINGS, UPSTREAMS))[0] == (1, ["app2"], True, True)


@pytest.mark.parametrize(
    ("events", "hosts"),
    [
        ([], []),
        ([*changed("app1"), *changed("app2")], ["app1", "app2"]),
        # The first host failed, and nothing was changed: it is the old state that is asked, everywhere.
        ([*change("app1", "begun", "failed"), STOP, undone("app1", "unchanged")], HOSTS),
        ([*changed("app1"), STOP, undone("app1", "unreachable")], HOSTS[1:]),
    ],
)
def test_whom_a_proof_is_about(events, hosts):
    assert steps.watched(fold([*PLANNED, *events])) == hosts


def enter(number):
    return {"event": "enter", "number": number}


@pytest.mark.parametrize(
    ("events", "number", "right"),
    [
        ([], 1, True),
        ([], 2, False),
        ([enter(1)], 2, True),
        ([enter(1)], 1, False),
        ([enter(1), enter(2), RESUME], 1, True),
        ([enter(1), enter(2), STOP], 1, True),
    ],
)
def test_batches_come_one_after_the_other(events, number, right):
    assert (steps.out_of_turn(fold([*PLANNED, *events]), number) == "") is right


def test_events_of_a_later_version_are_passed_over():
    assert fold([*PLANNED, {"event": "weather", "sun": True}]).order == HOSTS
