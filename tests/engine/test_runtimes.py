"""The runtime `service`: a unit that a package brought. (`compose` is tried in the lab, where Docker is.)"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.harness.machine import Machine
from tests.engine.harness.matrix import Matrix
from tests.engine.harness.scenarios import ABSENT, CONFIG, PURGED, ROLLED_BACK, Scenario, config, file

PACKAGED = "/usr/lib/systemd/system/probe_app.service"
DEFAULT = "/etc/probe_app/app.json"
UNIT = f"""[Unit]
Description=as a package brings it
[Service]
ExecStart=/usr/bin/python3 /srv/packaged/service {CONFIG}
ExecReload=/bin/kill -HUP $MAINPID
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture
def packaged(machine: Machine) -> Iterator[Machine]:
    """A host on which a package has put its unit and its own configuration, and started it."""
    machine.put("/srv/packaged/release.json", '{"version": "package", "fault": ""}')
    machine.execute("cp", "/srv/engine-under-test/tests/engine/harness/service.py", "/srv/packaged/service")
    machine.put(PACKAGED, UNIT)
    machine.put(DEFAULT, config("as packaged"))
    machine.execute("systemctl", "daemon-reload")
    machine.execute("systemctl", "enable", "--now", "probe_app")
    machine.remember("packaged")
    yield machine
    machine.execute("systemctl", "disable", "--now", "probe_app")
    machine.remove(PACKAGED)
    machine.execute("systemctl", "daemon-reload")


def described(message: str = "first", on_change: str = "reload", **more: Any) -> dict[str, Any]:
    return {
        "name": "probe_app",
        "state": "present",
        "files": [file(CONFIG, config(message), on_change=on_change)],
        "service": {"name": "probe_app"},
        "probe": {"http": "http://127.0.0.1:9400/", "contains": f'"message": "{message}"', "timeout": 1},
        **more,
    }


def test_the_packages_configuration_is_taken_over_and_given_back(packaged: Machine) -> None:
    """The unit stays the package's: absent neither stops nor disables nor removes it."""
    before = packaged.ask()
    result = packaged.well(described())
    assert [item["action"] for item in result["plan"]] == ["take over", "reload"]
    assert packaged.ask()["message"] == "first"
    assert packaged.ask()["pid"] == before["pid"]
    assert packaged.well(described())["plan"] == []
    packaged.well(ABSENT)
    packaged.assert_is("packaged")
    assert packaged.ask()["message"] == "as packaged"


def test_reload_restart_and_back(packaged: Machine) -> None:
    packaged.well(described())
    assert packaged.well(described("second"))["effect"] == "reload"
    assert packaged.well(described("third", on_change="restart"))["effect"] == "restart"
    packaged.well(ROLLED_BACK)
    assert packaged.ask()["message"] == "second"


def test_a_failed_probe_puts_the_packages_state_back(packaged: Machine) -> None:
    change = described()
    change["probe"]["contains"] = "never"
    result = packaged.result(change)
    assert "does not contain" in result["message"]
    assert "Everything is as before; the old service answers again" in result["message"]
    packaged.assert_is("packaged")


def test_a_stopped_and_disabled_unit_is_started_and_given_back_stopped(packaged: Machine) -> None:
    packaged.execute("systemctl", "disable", "--now", "probe_app")
    packaged.remember("stopped")
    result = packaged.well(described())
    assert [item["action"] for item in result["plan"]] == ["take over", "enable", "start"]
    assert packaged.show()["UnitFileState"] == "enabled"
    failing = packaged.result(described("second", probe={"tcp": "127.0.0.1:1", "timeout": 0.2}))
    assert failing["failed"]
    assert packaged.ask()["message"] == "first"


def test_killed_at_every_step(packaged: Machine) -> None:
    """A change of the package's configuration, and its going away; see test_killed.py."""
    for scenario in (
        Scenario("a package's service, reload", (described(),), described("second")),
        Scenario("a package's service, absent", (described(),), PURGED),
    ):
        packaged.put(DEFAULT, config("as packaged"))
        report = Prepared(packaged, scenario).die_everywhere(thorough=False)
        print(report.line("killed"))
        assert not report.problems, "\n".join(report.problems)
        assert report.before
        assert report.after


class Prepared(Matrix):
    """The package is there already: only the component's own past is made."""

    def prepare(self) -> None:
        self.machine.well(PURGED)
        for description in self.scenario.before:
            self.machine.well(description)
