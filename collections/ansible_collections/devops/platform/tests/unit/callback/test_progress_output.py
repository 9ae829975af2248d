"""The callback in real runs of ansible-playbook on this machine: what is on the screen, in CI and in the report."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.devops.platform.plugins.callback.progress import CallbackModule

CANARY = "canary-3f9a1c"
PLAYBOOK = """
- name: First play
  hosts: all
  gather_facts: false
  tasks:
    - name: Say nothing
      ansible.builtin.command: {argv: ["true"]}
      changed_when: inventory_hostname == 'beta'
    - name: Skip everywhere
      ansible.builtin.command: {argv: ["true"]}
      when: false
    - name: Loop
      ansible.builtin.command: {argv: [echo, "{{ item }}"]}
      loop: [1, 2]
      changed_when: false
    - name: Write a file
      ansible.builtin.copy:
        content: "new line\\n"
        dest: "{{ folder }}/{{ inventory_hostname }}"
        mode: "0600"
      diff: true
    - name: Hide a secret
      ansible.builtin.command: {argv: [echo, "{{ canary }}"]}
      no_log: true
    - name: Break on one host
      ansible.builtin.command: {argv: [sh, -c, "echo the reason >&2; exit 3"]}
      when: inventory_hostname == 'alpha'
    - name: Break with a secret
      ansible.builtin.command: {argv: [sh, -c, "echo {{ canary }}; exit 1"]}
      no_log: true
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("progress")
    (folder / "site.yml").write_text(PLAYBOOK)
    (folder / "hosts.yml").write_text(
        f"all:\n  vars: {{ansible_connection: local, ansible_python_interpreter: {sys.executable}}}\n"
        f"  hosts: {{alpha: {{folder: {folder}, canary: {CANARY}}}, beta: {{folder: {folder}, canary: {CANARY}}}}}\n"
    )
    (folder / "ansible.cfg").write_text(
        "[defaults]\nstdout_callback = devops.platform.progress\ncallback_result_format = yaml\n"
        f"display_skipped_hosts = false\ncollections_path = {Path(__file__).parents[6]}\n"
    )
    return folder


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "CI"))}
    return {**kept, "ANSIBLE_CONFIG": str(folder / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", **more}


def command(folder: Path) -> list[str]:
    program = Path(sys.executable).with_name("ansible-playbook")
    return [str(program), "-i", str(folder / "hosts.yml"), str(folder / "site.yml")]


@pytest.fixture(scope="module")
def plain(folder) -> str:
    """Standard output and error of a run without a terminal."""
    for name in ("alpha", "beta"):
        (folder / name).unlink(missing_ok=True)
    report = str(folder / "reports" / "run.json")
    done = subprocess.run(
        command(folder),
        env=environment(folder, CI="true", DEVOPS_PLATFORM_REPORT=report),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def live(folder) -> str:
    """What a terminal gets."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command(folder), env=environment(folder, TERM="xterm"), stdout=theirs, stderr=theirs)
    os.close(theirs)
    chunks = []
    try:
        while chunk := os.read(ours, 65536):
            chunks.append(chunk)
    except OSError:  # Linux' way to say that the other side is closed
        pass
    os.close(ours)
    assert process.wait() == 2
    return b"".join(chunks).decode().replace("\r\n", "\n")


def lines_of(text: str) -> list[str]:
    """The lines of finished tasks, without their seconds."""
    return [line[11:] for line in text.splitlines() if re.match(r" +[0-9.]+ s  ", line)]


def test_each_task_that_ran_is_one_line(plain):
    before_recap = plain.split("PLAY RECAP")[0]
    assert lines_of(before_recap) == [
        "Say nothing: 1 ok, 1 changed (beta)",
        "Loop: 2 ok",
        "Write a file: 2 changed (alpha, beta)",
        "Hide a secret: 2 changed (alpha, beta)",
        "Break on one host: 1 failed, 1 skipped",
        "Break with a secret: 1 failed",
    ]
    assert before_recap.lstrip().startswith("First play\n")


def test_a_failure_says_what_failed_where_and_why(plain):
    failure = plain[plain.index("TASK [Break on one host]") :].split("Break on one host: 1 failed")[0]
    assert "fatal: [alpha]: FAILED!" in failure
    assert "stderr: the reason" in failure
    assert "rc: 3" in failure
    assert re.search(r"site\.yml:\d+", failure)


def test_a_difference_stands_below_its_host(plain):
    assert "Write a file: differences on alpha" in plain
    assert "+new line" in plain


def test_nothing_is_rewritten_without_a_terminal(plain):
    assert "\r" not in plain
    assert "\x1b" not in plain


def test_the_end_has_recap_and_sums(plain):
    end = plain.split("PLAY RECAP")[1]
    assert re.search(r"alpha +: ok=4 +changed=2 +unreachable=0 +failed=1", end)
    # One a host each, two items of the loop a host; skipped ones and tasks for nobody are none.
    assert re.search(r"^7 tasks, 12 round trips, [\d.]+ s$", end, re.MULTILINE)


def test_secrets_are_nowhere(plain, live, folder):
    report = (folder / "reports" / "run.json").read_text()
    assert [name for name, text in (("plain", plain), ("live", live), ("report", report)) if CANARY in text] == []
    assert "censored" in plain


def test_the_report_is_complete(plain, folder):
    report = json.loads((folder / "reports" / "run.json").read_text())
    assert (report["playbook"], report["tasks"], report["failed"]) == ("site.yml", 7, 2)
    assert report["task_list"][0]["counts"] == {"ok": 1, "changed": 1}
    assert list(folder.glob("reports/.*")) == []


def test_a_terminal_gets_a_line_that_is_rewritten_and_left_behind_nowhere(live):
    drawn = re.findall(r"\r\x1b\[2K(\d+:\d\d \| First play[^\r\n]*)", live)
    assert drawn, live
    assert any("of 2 hosts" in line for line in drawn)
    # After everything that was ever drawn comes the command that empties the line: no line ends in one.
    assert [line for line in live.split("\n") if re.search(r"\d+:\d\d \| First play[^\r]*$", line)] == []


def test_a_terminal_gets_the_same_lines_besides(live, plain):
    cleaned = re.sub(r"\r\x1b\[2K(\d+:\d\d \| [^\r\n]*)?", "", live)
    finished = [line.replace("2 changed (alpha, beta)", "") for line in lines_of(cleaned.split("PLAY RECAP")[0])]
    assert [line.split(":")[0] for line in finished] == [
        line.split(":")[0] for line in lines_of(plain.split("PLAY RECAP")[0])
    ]


@pytest.mark.parametrize(
    ("wish", "terminal", "ci", "verbosity", "expected"),
    [
        ("auto", True, "", 0, True),
        ("auto", True, "true", 0, False),
        ("auto", True, "", 1, False),
        ("auto", False, "", 0, False),
        ("always", False, "true", 2, True),
        ("never", True, "", 0, False),
    ],
)
def test_where_a_line_is_rewritten(monkeypatch, wish, terminal, ci, verbosity, expected):
    callback = CallbackModule()
    monkeypatch.setattr(callback, "get_option", lambda _name: wish)
    monkeypatch.setattr(callback, "_display", SimpleNamespace(verbosity=verbosity))
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: terminal))
    monkeypatch.setenv("CI", ci)
    assert callback._wants_live() is expected


def test_a_play_in_batches_has_one_heading(folder, tmp_path):
    """One host at a time is still one play to whoever reads."""
    playbook = tmp_path / "serial.yml"
    playbook.write_text(
        "- name: One by one\n  hosts: all\n  gather_facts: false\n  serial: 1\n  tasks:\n"
        "    - name: Say nothing\n      ansible.builtin.command: {argv: ['true']}\n"
    )
    arguments = [*command(folder)[:-1], str(playbook)]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment(folder), check=True)
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines.count("One by one") == 1
    assert [re.sub(r"^[0-9.]+ s +", "", line) for line in lines if "Say nothing:" in line] == [
        "Say nothing: 1 changed (alpha)",
        "Say nothing: 1 changed (beta)",
    ]


def test_the_same_difference_of_several_hosts_is_shown_once(folder, tmp_path):
    playbook = tmp_path / "diff.yml"
    playbook.write_text(
        "- name: Differ\n  hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - name: Write\n      ansible.builtin.copy:\n        content: same\n"
        f"        dest: {tmp_path}/one\n        mode: '0600'\n      check_mode: true\n      diff: true\n"
        "    - name: Keep\n      ansible.builtin.set_fact: {kept: true}\n"
    )
    arguments = [*command(folder)[:-1], str(playbook)]

    def shown(*more: str) -> str:
        words = [*arguments, *more]
        return subprocess.run(words, capture_output=True, text=True, env=environment(folder), check=True).stdout

    found = shown("--diff")
    assert "Write: differences on alpha, beta\n" in found
    assert found.count("+same") == 1
    assert "Keep" not in found
    # A task that plans with differences for a report's sake shows them to nobody who did not ask.
    assert "+same" not in shown()
