"""Ctrl-C in real runs of ansible-playbook: while a rollout is open, outside of one, once, twice, and both at a time."""

from __future__ import annotations

import json
import os
import signal
import stat
import time

import pytest

from ansible_collections.devops.platform.tests.unit.callback.tiny import Tiny, finish

ALONE = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.command: {argv: [touch, "{{ folder }}/begun"]}
    - ansible.builtin.command: {argv: [sleep, "20"]}
"""


@pytest.mark.parametrize("callback", ["devops.platform.progress", "default"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_one_takes_everything_back(tmp_path, callback, number):
    tiny = Tiny(tmp_path, callback)
    process = tiny.start()
    tiny.changing()
    os.killpg(process.pid, number)  # as a terminal does it
    code, output, errors = finish(process)
    assert code == 2, output + errors
    assert tiny.names()[4:] == ["change", "interrupted", "change", "left", "stop", "undo", "end"]
    assert tiny.events()[5]["signal"] == number.name
    assert tiny.events()[-1]["result"] == "reversed"
    identifier = tiny.events()[0]["id"]
    assert "interrupted: what is under way ends first, then every changed host is taken back" in errors
    assert f"ansible-playbook playbooks/rollout.yml -e resume={identifier}\n" in errors
    assert f"report: .rollouts/tiny-test/{identifier}.html" in output
    assert stat.S_IMODE(tiny.report().stat().st_mode) == 0o600
    assert "Taken back" in tiny.report().read_text()
    assert sorted(path.suffix for path in tiny.journals.iterdir()) == [".html", ".jsonl"]


def test_one_that_arrives_twice_counts_once(tmp_path):
    """From the terminal and from the program that started this one."""
    tiny = Tiny(tmp_path)
    process = tiny.start()
    tiny.changing()
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == 2
    assert tiny.names().count("interrupted") == 1
    assert tiny.events()[-1]["result"] == "reversed"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 99), (signal.SIGTERM, -signal.SIGTERM)])
def test_the_second_one_stops_at_once_and_leaves_it_to_be_resumed(tmp_path, number, code):
    tiny = Tiny(tmp_path)
    (tmp_path / "hosts.yml").write_text((tmp_path / "hosts.yml").read_text().replace('"seconds": 2', '"seconds": 30'))
    process = tiny.start()
    tiny.changing()
    process.send_signal(signal.SIGINT)
    tiny.wait(lambda: "interrupted" in tiny.names())
    time.sleep(0.7)
    start = time.monotonic()
    process.send_signal(number)
    found, output, errors = finish(process)
    assert time.monotonic() - start < 15
    assert found == code, output + errors
    assert tiny.names()[-1] == "interrupted"
    assert "interrupted again: stopping at once" in errors
    if number == signal.SIGINT:
        assert "Unfinished" in tiny.report().read_text()


def test_without_a_rollout_the_first_one_ends_the_run(tmp_path):
    tiny = Tiny(tmp_path, playbook=ALONE)
    process = tiny.start()
    tiny.wait((tmp_path / "begun").exists)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    code, _output, errors = finish(process)
    assert code == 99
    assert "interrupted:" not in errors
    assert not tiny.journals.exists()


def test_check_mode_leaves_neither_journal_nor_report(tmp_path):
    tiny = Tiny(tmp_path)
    tiny.run("--check")
    assert list(tiny.journals.iterdir()) == []


def test_a_report_that_cannot_be_written_is_a_warning(tmp_path):
    tiny = Tiny(tmp_path)
    process = tiny.start()
    tiny.changing()
    name = tiny.events()[0]["id"]
    (tiny.journals / f"{name}.html").mkdir()
    code, _output, errors = finish(process)
    assert code == 0
    assert "was not written" in errors.replace("\n", " ")
    assert sorted(path.name for path in tiny.journals.iterdir()) == [f"{name}.html", f"{name}.jsonl"]


def test_a_rollout_reads_well(tmp_path):
    _code, output, _errors = Tiny(tmp_path).run()
    told = output.split("PLAY RECAP")[0]
    assert "\nwave 1: alpha\n" in told
    assert "\nwave 1 of 1: alpha\n" in told
    assert "hosts changed\n" in told
    for bookkeeping in ("Begin", "Keep something", "Sort:", "Turn", "End:"):
        assert bookkeeping not in told


def test_verbose_shows_bookkeeping(tmp_path):
    output = Tiny(tmp_path).run("-v")[1]
    assert "TASK [Keep something]" in output


def test_a_failed_end_is_said_in_words_alone(tmp_path):
    tiny = Tiny(tmp_path)
    hosts = json.loads((tmp_path / "hosts.yml").read_text())
    hosts["all"]["vars"].update(
        seconds=0, ended={**hosts["all"]["vars"]["ended"], "status": "failed", "message": "why"}
    )
    (tmp_path / "hosts.yml").write_text(json.dumps(hosts))
    code, output, errors = tiny.run()
    assert code == 2
    assert "\nturning back: alpha: why\n" in output
    assert "\nto be taken back: alpha\n" in output
    said = output + errors
    assert "was stopped: alpha: why\ntaken back: alpha\n" in said
    assert "fatal:" not in said


def test_it_is_not_found_where_it_is_not_enabled(tmp_path):
    """The tests above prove nothing if Ansible loads it anyway."""
    tiny = Tiny(tmp_path)
    config = tmp_path / "ansible.cfg"
    config.write_text(config.read_text().replace("callbacks_enabled", "#"))
    process = tiny.start()
    tiny.changing()
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == 99
    assert "interrupted" not in tiny.names()
