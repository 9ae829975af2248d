"""Rotations of real servers' passwords, killed in between, while clients sign in all the time.

What plays is the controller's part as it is (`secret_rotation`, the lookup, the users of the role `postgresql`, the
template of the role `redis`); in the place of applications on hosts there are files, which clients read as containers
read theirs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration, Store
from ansible_collections.devops.platform.plugins.module_utils.secrets.backend import Stage
from ansible_collections.devops.platform.plugins.module_utils.secrets.read import Reader
from tests.secrets.servers import Servers, running
from tools import REPOSITORY

FIRST = "f1rst" * 6
CLIENTS = 3
PLAY = """\
- name: Rotate
  hosts: "{{ lookup('devops.platform.sound_hosts', 'all') }}"
  gather_facts: false
  tasks:
    - name: Look
      devops.platform.secret_rotation: {step: plan, force: "{{ force | bool }}"}
      register: plan
    - name: Step
      ansible.builtin.include_tasks: step.yml
      loop: "{{ plan.steps }}"
      loop_control: {loop_var: rotation, index_var: number, label: "{{ rotation.secret }} {{ rotation.step }}"}
      vars:
        platform_secrets_retiring: "{{ [rotation.secret] if rotation.step == 'refuse' else [] }}"
"""
STEP = """\
- name: Die
  ansible.builtin.fail: {msg: died}
  when: number == dies | int
- name: Stages
  devops.platform.secret_rotation: {step: "{{ rotation.step }}", secret: "{{ rotation.secret }}"}
  when: rotation.step in ['stage', 'promote', 'forget']
- name: PostgreSQL
  ansible.builtin.include_role: {name: devops.platform.postgresql, tasks_from: users, rolespec_validate: false}
  when: rotation.step in ['accept', 'refuse'] and rotation.kind == 'postgresql'
  vars:
    postgresql_login: {login_unix_socket: "{{ socket }}", login_port: "{{ platform.data.postgresql.port }}"}
    logins: "{{ {'chat_database': lookup('devops.platform.secret', 'chat_database', part='logins')} }}"
    users: "{{ platform | devops.platform.postgresql_roles(logins) }}"
    postgresql_passwords: "{{ users.passwords }}"
    postgresql_members: "{{ users.members }}"
    postgresql_closed: "{{ users.closed }}"
    postgresql_databases: {chat: {owner: chat}}
- name: Redis
  when: rotation.step in ['accept', 'refuse'] and rotation.kind == 'redis'
  vars:
    password: "{{ lookup('devops.platform.secret', 'chat_redis') }}"
    others: "{{ lookup('devops.platform.secret', 'chat_redis', part='others').splitlines() }}"
    secrets: "{{ ([password] + others) | devops.platform.redis_digests }}"
  block:
    - name: File
      ansible.builtin.template: {src: "{{ template }}", dest: "{{ acl }}", mode: "0644"}
    - name: Tell
      devops.platform.redis_users: {port: "{{ platform.data.redis.port }}", passwords: "{{ [password] + others }}"}
- name: Prove
  ansible.builtin.include_tasks: "{{ tasks }}/prove_secret.yml"
  when: rotation.step == 'prove'
- name: Deliver
  ansible.builtin.copy:
    dest: "{{ clients }}/{{ item }}.json"
    content: "{{ {'user': user, 'database': database, 'redis': redis} | to_json }}"
    mode: "0600"
  loop: [0, 1, 2]
  diff: false
  no_log: true
  when: rotation.step == 'deliver'
  vars:
    user: "{{ lookup('devops.platform.secret', 'chat_database_user') }}"
    database: "{{ lookup('devops.platform.secret', 'chat_database') }}"
    redis: "{{ lookup('devops.platform.secret', 'chat_redis') }}"
"""


class Clients:
    """They sign in with what they were given, again and again; ``refused`` is what went wrong."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers, self.folder = servers, folder
        self.refused: list[str] = []
        self.rounds = 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._ask, daemon=True)

    def held(self, number: int) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.folder / f"{number}.json").read_text(encoding="utf-8"))
        return found

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stopped.set()
        self.thread.join(30)

    def _ask(self) -> None:
        while not self.stopped.wait(0.05):
            for number in range(CLIENTS):
                before = self.held(number)
                good = {
                    "PostgreSQL": self.servers.let_in_by_postgresql(before["user"], before["database"]),
                    "Redis": self.servers.let_in_by_redis(before["redis"]),
                }
                # Who was given another value meanwhile is not refused with it: that one is asked in the next round.
                if before == self.held(number):
                    self.refused += [f"{name} refuses client {number}" for name, let_in in good.items() if not let_in]
            self.rounds += 1


class Lab:
    def __init__(self, folder: Path, servers: Servers) -> None:
        self.folder, self.servers = folder, servers
        self.said = ""
        self.platform = {
            "name": "chat",
            "environment": "lab",
            "data": {
                "group": "all",
                "postgresql": {
                    "port": servers.postgresql,
                    "databases": {"chat": {"owner": "chat"}},
                    "users": {"chat": {"password": "chat_database"}},
                },
                "redis": {"port": servers.redis, "password": "chat_redis"},
            },
            "secrets": {
                "backend": "files",
                "directory": "secrets",
                "names": {
                    "chat_database": {"rotate": "postgresql"},
                    "chat_database_user": {"of": "chat_database", "part": "username"},
                    "chat_redis": {"rotate": "redis"},
                },
            },
        }
        (folder / "ansible.cfg").write_text("", encoding="utf-8")
        (folder / "clients").mkdir()
        (folder / "group_vars" / "all").mkdir(parents=True)
        (folder / "group_vars" / "all" / "platform.yml").write_text(yaml.safe_dump({"platform": self.platform}))
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"here": local}}}), encoding="utf-8")
        (folder / "play.yml").write_text(PLAY, encoding="utf-8")
        (folder / "step.yml").write_text(STEP, encoding="utf-8")
        store = Store(folder / "secrets")
        with store.locked():
            store.write("chat_redis", FIRST)
            store.write("chat_database", "plain" * 6)
        for number in range(CLIENTS):
            given = {"user": "chat", "database": "plain" * 6, "redis": FIRST}
            (folder / "clients" / f"{number}.json").write_text(json.dumps(given), encoding="utf-8")

    def stages(self, name: str) -> list[str]:
        return sorted(stage.name for stage in self.reader().stages(name))

    def reader(self) -> Reader:
        return Reader(Declaration.of(self.platform, self.folder), lambda _name: None)

    def rotate(self, dies: int = 99, *, force: bool = True) -> tuple[int, str]:
        role = REPOSITORY / "collections/ansible_collections/devops/platform/roles/redis/templates/users.acl.j2"
        extra = {
            "dies": dies,
            "force": force,
            "socket": str(self.servers.folder / "postgresql"),
            "acl": str(self.servers.acl),
            "template": str(role),
            "tasks": str(REPOSITORY / "playbooks" / "tasks"),
            "clients": str(self.folder / "clients"),
        }
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "LAB_"))}
        done = subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", "-vv", "--diff", "-i", "hosts.yml", "play.yml",
             "-e", json.dumps(extra)],
            cwd=self.folder,
            env={**kept, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )  # fmt: skip
        return done.returncode, done.stdout


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with running(tmp_path, FIRST) as servers:
        lab = Lab(tmp_path, servers)
        with_users(lab)
        yield lab


def with_users(lab: Lab) -> None:
    """The users as the role makes them: nothing is staged, so the steps that tell servers do just that."""
    play = lab.folder / "play.yml"
    first = [{"secret": name, "kind": kind, "step": "accept", "place": kind}
             for name, kind in (("chat_database", "postgresql"), ("chat_redis", "redis"))]  # fmt: skip
    play.write_text(PLAY.replace('"{{ plan.steps }}"', json.dumps(first)), encoding="utf-8")
    code, lab.said = lab.rotate()
    assert code == 0, lab.said
    play.write_text(PLAY, encoding="utf-8")


@pytest.mark.timeout(600)
def test_clients_are_let_in_all_the_time_however_often_a_rotation_dies(lab):
    shown = []
    with Clients(lab.servers, lab.folder / "clients") as clients, lab.servers.connect("chat", "plain" * 6) as open_one:
        for dies in (2, 1, 0, 3, 4, 99):
            code, output = lab.rotate(dies)
            shown.append(output)
            assert code == (0 if dies == 99 else 2), output
            assert clients.refused == []
        assert open_one.execute("select 1").fetchone() == (1,)  # a connection that is open stays so
    assert clients.refused == []
    assert clients.rounds > 20
    for name in ("chat_database", "chat_redis"):
        assert lab.stages(name) == ["CURRENT"]
    held = clients.held(0)
    assert held["user"] == "chat_clone"
    assert not lab.servers.let_in_by_postgresql("chat", "plain" * 6)
    assert not lab.servers.let_in_by_redis(FIRST)
    values = {*held.values(), "plain" * 6, FIRST} - {"chat_clone"}
    assert not [value for output in shown for value in values if value in re.sub(r"\s+", " ", output)]


@pytest.mark.timeout(600)
def test_users_take_turns_and_what_is_young_is_left_alone(lab):
    code, output = lab.rotate(force=False)
    assert code == 0, output
    assert lab.reader().values(["chat_redis"]) == [FIRST]
    for user in ("chat_clone", "chat"):
        code, output = lab.rotate()
        assert code == 0, output
        (login,) = lab.reader().values(["chat_database"], "logins")[0]
        assert login["username"] == user
        assert lab.servers.let_in_by_postgresql(**login)
    assert Stage.PREVIOUS not in lab.reader().stages("chat_database")


def test_users_that_are_as_they_should_be_are_left_alone(lab):
    with_users(lab)
    recap = re.search(r"^here +: .*changed=(\d+)", lab.said, re.MULTILINE)
    assert recap is not None
    assert recap[1] == "0", lab.said
