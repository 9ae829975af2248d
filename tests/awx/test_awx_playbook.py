"""playbooks/awx.yml as a user runs it, with the real modules of awx.awx, against a fake of AWX on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.awx.playbooks import JOBS
from tests.awx.harness.controller import SECRETS, Controller, Run
from tests.awx.harness.fake_awx import FakeAwx, served
from tools import REPOSITORY

PLAYBOOKS = ["site.yml", *(f"playbooks/{path.name}" for path in sorted((REPOSITORY / "playbooks").glob("*.yml")))]
MARK = "[devops.platform chat/lab"
PREFIX = "chat lab"
WEEKLY = '      weekly: {job: site, at: "05:00", weekdays: [sunday], timezone: Europe/Rome}\n'
VAULTS = '      vaults: {type: hashicorp, inputs: {url: "https://vault.example"}, secrets: {token: awx_vault}}\n'
TOLD = "    notifications: {success: [ops], error: [ops, chat], approval: [chat]}\n"
FLOW = {
    "plan": (["approve"], []),
    "approve": (["rollout"], []),
    "rollout": (["verify"], []),
    "verify": ([], ["rollback"]),
    "rollback": ([], []),
}


def empty() -> FakeAwx:
    """An AWX that has no more than a credential that somebody made."""
    fake = FakeAwx(SECRETS["awx_token"], list(PLAYBOOKS))
    fake.add("credentials", {"name": "Jump host", "credential_type": 1, "inputs": {}})
    return fake


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[FakeAwx, Run]:
    """AWX as the playbook's first run leaves it."""
    fake = empty()
    with served(fake) as url:
        run = Controller.made(tmp_path_factory.mktemp("first"), url).run()
    return fake, run


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[tuple[FakeAwx, Controller]]:
    fake = empty()
    with served(fake) as url:
        yield fake, Controller.made(tmp_path, url)


@pytest.fixture
def made(first: tuple[FakeAwx, Run], tmp_path: Path) -> Iterator[tuple[FakeAwx, Controller]]:
    """A copy of what the first run left, for one test."""
    fake = first[0].copy()
    with served(fake) as url:
        yield fake, Controller.made(tmp_path, url)


def expect(controller: Controller, changed: bool, *arguments: str) -> str:
    run = controller.run(*arguments)
    assert run.code == 0, run.output[-6000:]
    assert bool(run.changed) is changed, run.output[-6000:]
    return run.words


def refused(controller: Controller) -> str:
    run = controller.run()
    assert run.code == 2, run.output[-6000:]
    return run.words


def test_everything_is_made(first):
    fake, run = first
    assert run.code == 0, run.output[-6000:]
    assert "make job template 'chat lab rollout'" in run.words
    assert set(fake.named("job_templates")) == {f"{PREFIX} {job.name}" for job in JOBS if job.usual}
    for endpoint in ("projects", "inventories", "inventory_sources", "job_templates", "schedules", "credential_types"):
        own = [obj for name, obj in fake.named(endpoint).items() if name.startswith(PREFIX)]
        assert own, endpoint
        assert all(MARK in obj["description"] for obj in own), endpoint
    rules = {name: obj["rrule"] for name, obj in fake.named("schedules").items()}
    assert rules == {
        f"{PREFIX} drift": "DTSTART;TZID=Etc/UTC:20260101T031700 RRULE:FREQ=DAILY;INTERVAL=1",
        f"{PREFIX} weekly": "DTSTART;TZID=Europe/Rome:20260101T050000 RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=SU",
    }


def test_a_job_has_its_survey_its_credentials_and_its_receivers(first):
    fake = first[0]
    rollout = fake.named("job_templates")[f"{PREFIX} rollout"]
    spec = {one["variable"]: one for one in fake.surveys[rollout["id"]]["spec"]}
    assert set(spec) == {"target", "resume", "reverse"}
    assert spec["target"]["choices"][:2] == ["apps", "chat"]
    own = [f"{PREFIX} {name}" for name in ("hosts machine", "cloud aws", "values secrets", "vaults hashicorp")]
    assert names(fake, "credentials", rollout["credentials"]) == {"Jump host", *own}
    told = {f"{PREFIX} {name}" for name in ("ops email", "chat slack", "chat webhook")}
    assert names(fake, "notification_templates", rollout["notification_templates_error"]) == told


def names(fake: FakeAwx, endpoint: str, numbers: list[int]) -> set[str]:
    return {str(fake.tables[endpoint][number]["name"]) for number in numbers}


def test_secrets_are_where_they_belong_and_nowhere_else(first):
    fake = first[0]
    values = fake.named("credentials")[f"{PREFIX} values secrets"]["inputs"]
    shared = ("chat_database", "chat_redis", "mail_password", "hook_password", "slack_url")
    assert values == {name: SECRETS[name] for name in shared}  # and not AWX's own
    types = fake.named("credential_types")[f"{PREFIX} secrets"]
    assert types["injectors"]["extra_vars"]["vault_chat_redis"] == "{{ chat_redis }}"
    slack = fake.named("notification_templates")[f"{PREFIX} chat slack"]
    assert slack["notification_configuration"]["url"] == SECRETS["slack_url"]
    shown = [str(obj) for kind in ("job_templates", "projects", "schedules") for obj in fake.tables[kind].values()]
    assert [value for value in SECRETS.values() if any(value in text for text in shown)] == []


def test_the_workflow_asks_before_it_changes_anything(first):
    fake = first[0]
    nodes = fake.named("workflow_job_template_nodes")
    assert follows(fake) == FLOW
    _endpoint, approval = fake.template(nodes["approve"]["unified_job_template"])
    assert (approval["type"], approval["timeout"]) == ("workflow_approval_template", 86400)
    _endpoint, plan = fake.template(nodes["plan"]["unified_job_template"])
    assert (plan["job_type"], plan["playbook"]) == ("check", "playbooks/rollout.yml")


def follows(fake: FakeAwx) -> dict[str, tuple[list[str], list[str]]]:
    nodes = fake.named("workflow_job_template_nodes")
    ids = {node["id"]: name for name, node in nodes.items()}
    return {
        name: ([ids[one] for one in node["success_nodes"]], [ids[one] for one in node["failure_nodes"]])
        for name, node in nodes.items()
    }


def test_a_second_run_changes_nothing(made):
    fake, controller = made
    assert "has what chat lab declares" in expect(controller, False)
    assert fake.writes == []


def test_check_mode_tells_everything_and_changes_nothing(fresh):
    fake, controller = fresh
    words = expect(controller, True, "--check")
    for said in ("organisation 'chat'", "node 'approve' of chat lab release", "schedule 'chat lab drift'"):
        assert f"make {said}" in words
    assert fake.writes == []


def test_check_mode_tells_what_differs(made):
    fake, controller = made
    controller.edit(('at: "03:17"', 'at: "04:17"'), (WEEKLY, ""), ("branch: main", "branch: next"))
    words = expect(controller, True, "--check")
    for said in (
        "change project 'chat lab': scm_branch",
        "change schedule 'chat lab drift': rrule",
        "remove schedule 'chat lab weekly'",
    ):
        assert said in words
    assert fake.writes == []


def test_what_is_no_longer_declared_goes_and_what_is_foreign_stays(made):
    fake, controller = made
    organization = next(iter(fake.tables["organizations"]))
    project = next(iter(fake.tables["projects"]))
    foreign = {
        "job_templates": {"name": "theirs", "project": project, "playbook": "site.yml", "organization": organization},
        "inventories": {"name": "chat lab of somebody else", "organization": organization},
        "credential_types": {"name": "chat lab own type", "kind": "cloud"},
        "schedules": {"name": "chat lab theirs", "rrule": "x", "unified_job_template": project},
        # A platform whose name begins like this one's.
        "notification_templates": {
            "name": "chat labs ops",
            "organization": organization,
            "notification_type": "webhook",
            "notification_configuration": {},
            "description": "x [devops.platform chat/labs ops]",
        },
        # What AWX makes of "copy": the same description, another name.
        "workflow_job_templates": {
            "name": f"{PREFIX} release @ 12:01",
            "organization": organization,
            "description": f"x {MARK} release]",
        },
    }
    numbers = {endpoint: fake.add(endpoint, given)["id"] for endpoint, given in foreign.items()}
    controller.edit((WEEKLY, ""), (TOLD, "    jobs: [site, rollout, drift]\n"), (VAULTS, ""))
    expect(controller, True)
    assert set(fake.named("job_templates")) == {
        "theirs",
        *(f"{PREFIX} {name}" for name in ("site", "rollout", "drift")),
    }
    assert set(fake.named("workflow_job_templates")) == {f"{PREFIX} release @ 12:01"}
    assert set(fake.named("schedules")) == {"chat lab theirs", f"{PREFIX} drift"}
    assert set(fake.named("notification_templates")) == {"chat labs ops"}
    assert f"{PREFIX} hashicorp vault" not in fake.named("credential_types")
    assert [endpoint for endpoint, number in numbers.items() if number not in fake.tables[endpoint]] == []
    expect(controller, False)


def test_a_name_that_is_taken_is_refused_before_anything_is_changed(made):
    fake, controller = made
    inventory = fake.named("inventories")[PREFIX]
    description = inventory["description"]
    inventory["description"] = "Somebody's"
    words = refused(controller)
    assert f"AWX has inventory 'chat lab' (id {inventory['id']}; {MARK}]) already, and nothing says" in words
    assert "write what stands in brackets at the end of its description" in words
    assert fake.writes == []
    inventory["description"] = f"Somebody's {MARK}]"
    assert "change inventory 'chat lab': description" in expect(controller, True)
    assert inventory["description"] == description


def test_a_change_by_hand_is_put_right(made):
    fake, controller = made
    rollout = fake.named("job_templates")[f"{PREFIX} rollout"]
    rollout.update(credentials=[], job_type="check")
    fake.surveys[rollout["id"]]["spec"].pop()
    nodes = fake.named("workflow_job_template_nodes")
    nodes["verify"]["failure_nodes"] = []
    workflow = nodes["verify"]["workflow_job_template"]
    fake.add("workflow_job_template_nodes", {"identifier": "extra", "workflow_job_template": workflow})
    words = expect(controller, True)
    assert "change job template 'chat lab rollout': job_type, credentials, survey_spec" in words
    assert "change node 'verify' of chat lab release: failure_nodes" in words
    assert "remove node 'extra' of chat lab release" in words
    assert follows(fake) == FLOW
    expect(controller, False)


def test_a_secret_that_has_changed_is_sent_again(made):
    fake, controller = made
    controller.set_secrets({"mail_password": "canary-another"})
    words = expect(controller, True)
    assert "change notification template 'chat lab ops email': description" in words
    assert "canary-another" not in words
    mail = fake.named("notification_templates")[f"{PREFIX} ops email"]
    assert mail["notification_configuration"]["password"] == "canary-another"
    expect(controller, False)


def test_a_playbook_that_is_new_in_the_repository_is_fetched_first(made):
    fake, controller = made
    fake.named("projects")[PREFIX]["playbooks"].remove("playbooks/uninstall.yml")
    every = ", ".join(job.name for job in JOBS)
    controller.edit(("    notifications:", f"    jobs: [{every}]\n    notifications:"))
    expect(controller, True)
    assert f"{PREFIX} uninstall" in fake.named("job_templates")


@pytest.mark.parametrize(
    ("method", "part", "left", "forgotten"),
    [
        ("POST", "/survey_spec/", 1, "job_templates"),
        ("POST", "/create_approval_template/", 0, "workflow_job_templates"),
        ("POST", "/success_nodes/", 1, "workflow_job_templates"),
        ("DELETE", "/schedules/", 0, ""),
    ],
)
def test_awx_fails_in_the_middle_and_the_next_run_goes_on(made, method, part, left, forgotten):
    fake, controller = made
    for name in (f"{PREFIX} drift", f"{PREFIX} rollback", f"{PREFIX} release"):
        if name in fake.named(forgotten or "organizations"):
            fake.forget(forgotten, name)
    controller.edit((WEEKLY, ""))
    fake.broken[method, part] = left
    words = refused(controller)
    assert "The host sent back a server error" in words
    assert "failed by itself; its log (the container awx-web) says why. What was done so far holds" in words
    expect(controller, True)
    assert follows(fake) == FLOW
    assert f"{PREFIX} weekly" not in fake.named("schedules")
    rollback = fake.named("job_templates")[f"{PREFIX} rollback"]
    assert [one["variable"] for one in fake.surveys[rollback["id"]]["spec"]] == ["to", "undo"]


def test_a_wrong_token_and_an_awx_that_does_not_answer_are_told(fresh):
    fake, controller = fresh
    controller.set_secrets({"awx_token": "canary-wrong"})
    words = refused(controller)
    assert "refuses the token" in words
    assert "the secret 'awx_token', which platform.awx.token names" in words
    assert "canary-wrong" not in words
    controller.edit((controller.url, "http://127.0.0.1:9"))
    assert "AWX does not answer at http://127.0.0.1:9 (platform.awx.url)" in refused(controller)
    assert fake.writes == []


def test_what_awx_refuses_is_quoted_without_secrets(made):
    fake, controller = made
    fake.playbooks.clear()
    fake.forget("job_templates", f"{PREFIX} drift")
    fake.named("projects")[PREFIX]["playbooks"].clear()
    words = refused(controller)
    assert "chat lab drift: Unable to create job_template chat lab drift" in words
    assert "or this playbook is not in it" in words


def test_a_secret_in_what_awx_refuses_is_masked(made):
    fake, controller = made
    fake.refusing["notification_templates"] = f"no such host {SECRETS['mail_password']}"
    fake.forget("notification_templates", f"{PREFIX} ops email")
    words = refused(controller)
    assert "chat lab ops email: Unable to create notification_template" in words
    assert "no such host <mail_password>" in words
