"""The same promises through ansible-playbook: one task a component, rendered on the controller."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import REPOSITORY
from tests.engine.harness.machine import Machine
from tests.engine.harness.scenarios import CONFIG, NAME, service
from tests.engine.test_secrets import OLD, assert_hidden, holding

ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
TEMPLATE = '{"port": {{ served_on }},\n"message": "{{ message }}"}\n'


class Playbook:
    """One playbook with one component's task; its result is written to a file on the controller."""

    def __init__(self, folder: Path, inventory: Path) -> None:
        self.folder = folder
        self.inventory = inventory
        (folder / "templates").mkdir()
        self.template(TEMPLATE)

    def template(self, text: str) -> None:
        (self.folder / "templates" / "app.json.j2").write_text(text)

    def run(
        self,
        description: dict[str, Any],
        *options: str,
        variables: dict[str, Any] | None = None,
        module: str = "component",
    ) -> tuple[int, str, dict[str, Any]]:
        """(exit code, everything that Ansible printed, result of the task)."""
        result = self.folder / "result.json"
        result.unlink(missing_ok=True)
        task = {"name": "Roll out the component", f"devops.platform.{module}": description, "register": "rolled_out"}
        keep = {
            "name": "Keep the result for the test",
            "ansible.builtin.copy": {"content": "{{ rolled_out | to_json }}", "dest": str(result), "mode": "0600"},
            "delegate_to": "localhost",
            "become": False,
            "check_mode": False,
            "diff": False,
            "no_log": True,
        }
        play = {
            "name": "One component",
            "hosts": "all",
            "gather_facts": False,
            "become": True,
            "vars": {"served_on": 9400, "message": "first", **(variables or {})},
            "tasks": [{"name": "Try", "block": [task], "always": [keep]}],
        }
        path = self.folder / "play.yml"
        path.write_text(yaml.safe_dump([play], sort_keys=False))
        done = subprocess.run(
            [ANSIBLE_PLAYBOOK, "-i", self.inventory, *options, path],
            cwd=REPOSITORY,
            env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_NOCOLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        kept = json.loads(result.read_text()) if result.exists() else {}
        return done.returncode, done.stdout, kept


@pytest.fixture
def playbook(tmp_path: Path, inventory: Path) -> Playbook:
    return Playbook(tmp_path, inventory)


def templated(**more: Any) -> dict[str, Any]:
    described = {**service(), **more}
    described["files"][0].pop("content")
    described["files"][0]["template"] = "app.json.j2"
    return described


def plan(result: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = result["components"][0]["plan"]
    return found


def test_check_and_diff_on_an_empty_host_then_the_run(machine: Machine, playbook: Playbook) -> None:
    """`--check --diff` plans everything and changes nothing; the run does that, and the next one nothing."""
    machine.remember("empty")
    machine.remember("empty system", what="system")
    code, output, predicted = playbook.run(templated(), "--check", "--diff")
    assert code == 0, output
    assert "+++ /etc/probe_app/app.json" in output
    assert '+"message": "first"}' in output
    machine.assert_is("empty")
    machine.assert_is("empty system", what="system")
    code, output, done = playbook.run(templated(), "--diff")
    assert code == 0, output
    assert plan(predicted) == plan(done)
    assert predicted["diff"] == done["diff"]
    assert machine.ask()["message"] == "first"
    code, output, again = playbook.run(templated(), "--diff")
    assert code == 0, output
    assert (again["changed"], plan(again)) == (False, [])


@pytest.mark.parametrize(("own", "kept"), [({}, 2), ({"keep": 4}, 4)])
def test_old_states_are_pruned_by_the_platforms_setting(
    machine: Machine, playbook: Playbook, own: dict[str, int], kept: int
) -> None:
    """Unless the component has a setting of its own; what went is gone from the disk, too."""
    for number in range(5):
        described = {**service(message=f"number {number}"), **own}
        code, output, _result = playbook.run(described, variables={"platform": {"rollout": {"keep": 2}}})
        assert code == 0, output
    ledger = machine.ledger(NAME)
    assert (ledger["keep"], len(ledger["previous"])) == (kept, kept - 1)
    objects = machine.execute(
        "grep", "--recursive", "--files-with-matches", "number [0-9]", "/var/lib/devops-platform/objects"
    )
    assert len(objects.splitlines()) == kept


def test_a_broken_template_names_file_and_line(machine: Machine, playbook: Playbook) -> None:
    """It is rendered before anything is sent: the host is untouched, and the old service runs on."""
    playbook.run(templated())
    machine.remember("installed")
    for text, line in (
        (TEMPLATE + "{{ not_defined_anywhere }}\n", 3),
        ('{"a": 1,\n{{ served_on | not_a_filter }}}\n', 2),
    ):
        playbook.template(text)
        code, output, _result = playbook.run(templated())
        assert code != 0
        assert f"template app.json.j2:{line} could not be rendered" in output
        assert "Nothing was touched on t-engine1" in output
        machine.assert_is("installed")
    assert machine.ask()["message"] == "first"


def test_a_wrong_key_is_refused_before_the_host_is_spoken_to(playbook: Playbook, machine: Machine) -> None:
    machine.remember("empty")
    described = templated()
    described["files"][1]["onchange"] = "none"
    described["units"] = described.pop("unit")
    code, output, _result = playbook.run(described)
    assert code != 0
    for expected in ("'onchange'", "did you mean 'on_change'", "'units'", "did you mean 'unit'"):
        assert expected in output.replace("\\'", "'")
    machine.assert_is("empty")


def test_a_failure_is_told_with_host_component_step_and_reason(machine: Machine, playbook: Playbook) -> None:
    playbook.run(templated())
    described = templated(release=service("2.0-exits")["release"])
    code, output, result = playbook.run(described)
    assert code != 0
    assert "t-engine1" in output
    assert result["msg"].startswith("probe_app: probe: probe 'http http://127.0.0.1:9400/' failed")
    assert "the disk of memories is missing" in output
    assert machine.ask()["version"] == "1.0"


def test_a_list_of_components_is_one_round_trip(machine: Machine, playbook: Playbook) -> None:
    """The second is not started when the first fails, and the error says so."""
    files = {"name": "other", "files": [{"path": "/etc/probe_app.foreign", "content": "x\n"}]}
    code, output, result = playbook.run({"components": [service("2.0-exits"), files]})
    assert code != 0, output
    assert "1 later component not started" in result["msg"]
    assert not machine.exists("/etc/probe_app.foreign")
    code, output, result = playbook.run({"components": [files, service()]})
    assert code == 0, output
    assert [item["name"] for item in result["components"]] == ["other", "probe_app"]
    code, output, result = playbook.run({"name": "other", "state": "absent"})
    assert code == 0, output


@pytest.mark.parametrize("fails", [False, True], ids=["well", "failing"])
def test_secrets_are_in_nothing_that_ansible_prints(fails: bool, machine: Machine, playbook: Playbook) -> None:
    """At the highest verbosity, with diff, in success and in failure; the host keeps no trace in its logs either."""
    secrets = {name: f"{{{{ canaries.{name} }}}}" for name in OLD}
    described = holding(secrets, "2.0-exits" if fails else "1.0")
    described["files"][0].pop("content")
    described["files"][0]["template"] = "app.json.j2"
    described["files"][2]["content"] = "{{ canaries.values() | join('\n') }}\n"
    playbook.template("{{ dict(port=served_on, message=message, **secrets) | to_json }}\n")
    variables = playbook.folder / "canaries.yml"
    variables.write_text(yaml.safe_dump({"canaries": OLD}))
    since = machine.execute("date", "+%Y-%m-%d %H:%M:%S").strip()
    for options in (("--check",), ()):
        code, output, result = playbook.run(described, "-vvv", "--diff", "--extra-vars", f"@{variables}", *options)
        assert (code != 0) == (fails and not options), output
        assert "<secret plain #" in output
        assert_hidden(output, "Ansible's output")
        assert_hidden(json.dumps(result), "the result")
    # The service prints its configuration by itself; everything else that logs must not have seen it.
    logged = machine.execute("journalctl", f"--since={since}", "--output=json").splitlines()
    others = [line for line in logged if json.loads(line).get("_SYSTEMD_UNIT") != "probe_app.service"]
    assert_hidden("\n".join(others), "the host's journal")
    if not fails:
        assert "c4n4ryA" in str(machine.read(CONFIG))


def test_a_rollout_is_taken_back_in_one_task(machine: Machine, playbook: Playbook) -> None:
    """The run's id, the play's, and the task's own stand in the ledger; what is predicted is what is done."""
    code, output, first = playbook.run(templated())
    assert code == 0, output
    assert machine.ledger("probe_app")["changed_by"]["rollout"] == first["rollout"]
    variables = {"message": "second", "platform_rollout_id": "{{ 'wave' }}-2"}
    changed = templated(probe=service(message="second")["probe"])
    code, output, second = playbook.run(changed, variables=variables)
    assert (code, second["rollout"]) == (0, "wave-2"), output
    files = {"name": "other", "files": [{"path": "/etc/probe_app.foreign", "content": "x\n"}], "rollout": "wave-2"}
    code, output, _ = playbook.run(files, variables={"platform_rollout_id": "not this one"})
    assert code == 0, output
    code, output, predicted = playbook.run({"undo": "wave-2"}, "--check", "--diff", module="rollback")
    assert code == 0, output
    assert machine.ask()["message"] == "second"
    code, output, done = playbook.run({"undo": "wave-2", "patience": 5}, "--diff", module="rollback")
    assert code == 0, output
    assert predicted["diff"] == done["diff"]
    # The component that was changed last goes first.
    assert [(item["name"], item["changed"]) for item in done["components"]] == [("other", True), ("probe_app", True)]
    assert machine.ask()["message"] == "first"
    assert not machine.exists("/etc/probe_app.foreign")
    assert machine.ledger("probe_app")["generation"]["rollout"] == first["rollout"]
    code, output, again = playbook.run({"undo": "wave-2"}, module="rollback")
    assert (code, again["changed"]) == (0, False), output
    code, output, gone = playbook.run({"to": "wave-2", "components": ["probe_app"]}, module="rollback")
    assert code != 0
    assert "what rollout wave-2 left is no longer on this host" in gone["msg"]
    for wrong in ({}, {"undo": ""}, {"undo": "a", "to": "b"}):
        assert playbook.run(wrong, module="rollback")[0] != 0
