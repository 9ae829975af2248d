"""Descriptions of the component under test, and the changes that every promise is tried on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.engine.harness.agent import PORT
from tests.engine.harness.machine import ARTIFACTS, DIGESTS

NAME = "probe_app"
CONFIG = "/etc/probe_app/app.json"
START = "/etc/probe_app/start.conf"
UNIT_FILE = "/etc/systemd/system/probe_app.service"
CURRENT = "/opt/devops-platform/probe_app/current"
Description = dict[str, Any]


def release(version: str, sha256: str = "", urls: list[str] | None = None) -> Description:
    return {
        "version": version,
        "sha256": {"amd64": sha256 or DIGESTS[version]},
        "urls": [f"file://{ARTIFACTS}/probe_app-{version}.tar"] if urls is None else urls,
        "strip": 1,
        "binaries": ["service", "probe-app-check"],
    }


def config(message: str, **more: Any) -> str:
    return json.dumps({"port": PORT, "message": message, **more}) + "\n"


def file(path: str, content: str, **more: Any) -> Description:
    return {"path": path, "content": content, **more}


def service(
    version: str = "1.0",
    message: str = "first",
    start: str = "a",
    *,
    unit: Mapping[str, Any] | None = None,
    more_files: tuple[Description, ...] = (),
    timeout: float = 3,
    **more: Any,
) -> Description:
    """The component as a playbook would declare it: a release, a user, two folders, two files, a unit and a probe.

    `message` stands in a file for which a reload is enough, `start` in one that needs a restart.
    """
    return {
        "name": NAME,
        "state": "present",
        "release": release(version),
        "expose": ["probe-app-check"],
        "user": NAME,
        "directories": [
            {"path": "/etc/probe_app", "group": NAME, "mode": "0750"},
            {"path": "/var/lib/probe_app", "owner": NAME, "group": NAME, "mode": "0750", "data": True},
        ],
        "files": [
            file(
                CONFIG,
                config(message),
                group=NAME,
                mode="0640",
                validate="{release}/probe-app-check %s",
                on_change="reload",
            ),
            file(START, f"start = {start}\n", on_change="restart"),
            *more_files,
        ],
        "unit": {
            "description": "the service under test",
            "exec": f"{{release}}/service {CONFIG}",
            "user": NAME,
            "reload": "/bin/kill -HUP $MAINPID",
            "hardening": "none",
            **(unit or {}),
        },
        "probe": {
            "http": f"http://127.0.0.1:{PORT}/",
            "contains": f'"health": "well", "port": {PORT}, "message": "{message}"',
            "timeout": timeout,
        },
        **more,
    }


def files_only(*contents: str, **more: Any) -> Description:
    """A component without a runtime: its files are all there is."""
    return {
        "name": NAME,
        "state": "present",
        "directories": [{"path": "/etc/probe_app"}],
        "files": [file(f"/etc/probe_app/{number}.conf", text) for number, text in enumerate(contents)],
        **more,
    }


ABSENT: Description = {"name": NAME, "state": "absent"}
PURGED: Description = {**ABSENT, "purge": True}
ROLLED_BACK: Description = {"name": NAME, "state": "rolled_back"}


def undo(rollout: str) -> Description:
    return {**ROLLED_BACK, "undo": rollout}


def to(rollout: str) -> Description:
    return {**ROLLED_BACK, "to": rollout}


@dataclass(frozen=True)
class Scenario:
    """One change: what runs one after the other before it, what foreign files stand there, and the change itself.

    `fails`: the change is to be refused, and the state after it is the state before it.
    `repeatable`: describing it once more changes nothing; going back a generation is not like that.
    """

    name: str
    before: tuple[Description, ...]
    change: Description
    foreign: Mapping[str, str] = field(default_factory=dict)
    fails: bool = False
    repeatable: bool = True


FOREIGN = {
    "/etc/probe_app.foreign": "somebody else wrote this\n",
    "/usr/local/bin/probe-app-check": "#!/bin/sh\necho by hand\n",
}
EXTRA = file("/etc/probe_app/extra.conf", "extra\n", on_change="reload")

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("first install", (), service()),
        Scenario(
            "upgrade of release, configuration and unit",
            (service(),),
            service("1.1", "second", "b", unit={"environment": {"PLACE": "here"}}),
        ),
        Scenario("reload-only change", (service(),), service(message="second")),
        Scenario("restart change", (service(),), service(start="b")),
        Scenario("a file no longer declared", (service(more_files=(EXTRA,)),), service()),
        Scenario(
            "foreign files taken over",
            (),
            service(more_files=(file("/etc/probe_app.foreign", "ours\n"),)),
            foreign=FOREIGN,
        ),
        Scenario("failed probe", (service(),), service("2.0-ill", "second", "b", timeout=0.5), fails=True),
        Scenario("failed first install", (), service("2.0-exits", timeout=0.5), fails=True),
        Scenario("absent", (service(),), ABSENT),
        Scenario("absent with data and foreign files", (service(),), PURGED, foreign=FOREIGN),
        Scenario("rolled back", (service(), service("1.1", "second", "b")), ROLLED_BACK, repeatable=False),
        Scenario(
            "undone",
            (service(), service("1.1", "second", "b", rollout="bad"), service("1.2", "third", "b", rollout="bad")),
            undo("bad"),
        ),
        Scenario("undone first install", (service(rollout="bad"),), undo("bad")),
        Scenario("gone back to", (service(), service("1.1", "second", rollout="next")), to("test")),
        Scenario("files only", (files_only("one\n", "two\n"),), files_only("uno\n", "two\n", "three\n")),
    )
}


def prepare(machine: Any, scenario: Scenario) -> None:
    """Bring a machine to the state before the change."""
    machine.wipe_everything()
    for path, content in scenario.foreign.items():
        machine.put(path, content, "0700")
    for description in scenario.before:
        machine.well(description)
