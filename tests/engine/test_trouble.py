"""Full disk, read-only path, port taken, a unit that never gets ready, two runs at once.

Each ends with a clear error, and the old service still answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.engine.harness.host import Fate
from tests.engine.harness.machine import Machine
from tests.engine.harness.matrix import Matrix
from tests.engine.harness.scenarios import CONFIG, PURGED, SCENARIOS, UNIT_FILE, service

UPGRADE = SCENARIOS["upgrade of release, configuration and unit"].change


@pytest.fixture
def running(machine: Machine) -> Machine:
    """The first release runs; whatever the test does, it has to run afterwards."""
    machine.well(service())
    machine.remember("installed")
    return machine


def assert_untouched(machine: Machine, message: str) -> None:
    machine.assert_is("installed")
    assert machine.ask()["version"] == "1.0", message


FAILING = ["first install", "upgrade of release, configuration and unit", "absent"]


@pytest.mark.parametrize("name", FAILING)
def test_disk_full_from_any_step_on(name: str, machines: list[Machine]) -> None:
    """From each step on that needs space, no further one gets any: taking back needs none."""
    report = Matrix(machines[0], SCENARIOS[name]).fail_everywhere("full")
    print(report.line("the disk was full"))
    assert not report.problems, "\n".join(report.problems)


@pytest.mark.parametrize("name", ["upgrade of release, configuration and unit"])
def test_input_or_output_error_at_any_step(name: str, machines: list[Machine]) -> None:
    report = Matrix(machines[0], SCENARIOS[name]).fail_everywhere("error")
    print(report.line("a step failed"))
    assert not report.problems, "\n".join(report.problems)


@contextmanager
def small_disk(machine: Machine, path: str, kilobytes: int) -> Iterator[None]:
    """A file system of that size at `path`, with what was there."""
    machine.execute("cp", "-a", path, "/srv/aside")
    machine.execute("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=0700", "small", path)
    try:
        machine.execute("cp", "-a", "/srv/aside/.", path)
        yield
    finally:
        machine.execute("umount", path)
        machine.remove("/srv/aside")


@pytest.mark.parametrize("free", [0, 4, 8, 12, 16, 24])
@pytest.mark.parametrize("path", ["/var/lib/devops-platform", "/opt/devops-platform"])
def test_a_disk_that_is_really_full(running: Machine, path: str, free: int) -> None:
    """A real file system with `free` kilobytes left."""
    with small_disk(running, path, 256):
        left = int(running.execute("df", "--output=avail", "-k", path).split()[-1])
        running.execute(
            "dd", "if=/dev/zero", f"of={path}/filler", "bs=1k", f"count={max(left - free, 0)}", "status=none"
        )
        result = running.result(UPGRADE)
        running.remove(f"{path}/filler")
        if result["failed"]:
            assert "No space left on device" in result["message"]
            assert f"{path}/" in result["message"]
            assert_untouched(running, result["message"])
        assert free or result["failed"]


def test_a_read_only_path(running: Machine) -> None:
    running.execute("mount", "--bind", "/etc/probe_app", "/etc/probe_app")
    running.execute("mount", "-o", "remount,bind,ro", "/etc/probe_app")
    try:
        result = running.result(service("1.1", "second"))
        assert "Read-only file system" in result["message"]
        assert "/etc/probe_app/" in result["message"]
        assert_untouched(running, result["message"])
    finally:
        running.execute("umount", "/etc/probe_app")
    running.well(service("1.1", "second"))


def test_a_port_that_another_process_has(machine: Machine) -> None:
    """The other process answers the probe as well as the service would; it is not taken for the service."""
    machine.put("/srv/other/app.json", '{"port": 9400, "message": "first"}\n')
    machine.put("/srv/other/release.json", '{"version": "1.0", "fault": ""}')
    machine.execute("cp", "/srv/engine-under-test/tests/engine/harness/service.py", "/srv/other/service")
    machine.execute("systemd-run", "--unit=t-other", "/usr/bin/python3", "/srv/other/service", "/srv/other/app.json")
    try:
        machine.execute(
            "sh", "-c", "for i in $(seq 50); do ss -Hltn sport = :9400 | grep -q . && exit; sleep 0.1; done; exit 1"
        )
        machine.remember("other")
        result = machine.result(service())
        assert result["failed"]
        assert "something answers on port 9400, but it is not probe_app.service" in result["message"]
        assert "cannot listen on port 9400: Address already in use" in result["message"]
        machine.assert_is("other")
        assert machine.ask()["message"] == "first"
    finally:
        machine.execute("systemctl", "stop", "t-other")


@pytest.mark.parametrize(
    ("version", "unit", "reason"),
    [
        ("2.0-deaf", {}, "no answer"),
        ("2.0-ill", {}, "the answer does not contain"),
        ("2.0-exits", {}, "the disk of memories is missing"),
        ("1.1", {"type": "notify", "options": {"Service": {"TimeoutStartSec": "1s"}}}, "ended with 1"),
        ("1.1", {"exec": "/usr/bin/false"}, "status=1/FAILURE"),
        ("1.1", {"exec": "/not/there"}, "probe_app.service"),
    ],
)
def test_a_unit_that_never_gets_ready(running: Machine, version: str, unit: dict[str, object], reason: str) -> None:
    result = running.result(service(version, "second", unit=unit))
    assert result["failed"]
    assert reason in result["message"]
    assert "the service's last lines" in result["message"]
    assert "the old service answers again" in result["message"]
    assert_untouched(running, result["message"])


def test_two_runs_at_once(machines: list[Machine], running: Machine) -> None:
    """The second waits a little, then says who holds the lock; it touches nothing."""
    running.put("/srv/slow/check", "#!/bin/sh\nsleep 3\n", "0755")
    slow = service("1.1", "second")
    slow["files"][0]["validate"] = "/srv/slow/check %s"
    second = Machine.beside(running)
    try:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(running.well, slow)
            second.wait_for_lock()
            result = second.result(service("1.2", "third"), patience=0.5)
            assert first.result()["changed"]
    finally:
        second.close()
    assert result["step"] == "lock"
    assert "another run is changing probe_app on this host (process " in result["message"]
    assert running.ask()["version"] == "1.1"


def test_a_file_of_another_component_is_not_taken(running: Machine) -> None:
    other = {"name": "other", "state": "present", "files": [{"path": CONFIG, "content": "mine\n"}]}
    result = running.result(other)
    assert "probe_app" in result["message"]
    assert CONFIG in result["message"]
    assert_untouched(running, result["message"])


def test_a_folder_in_the_way_of_a_file(running: Machine) -> None:
    running.remove(CONFIG)
    running.execute("mkdir", CONFIG)
    result = running.result(service(message="second"))
    assert CONFIG in result["message"]
    assert "directory stands in the way" in result["message"]
    assert running.ask()["version"] == "1.0"


def test_a_command_that_outlives_its_killed_run_is_waited_for(running: Machine) -> None:
    """What the dead run had started goes on for a while: the next run does not work against it."""
    slow = "/usr/local/sbin/userdel"
    running.put(slow, '#!/bin/sh\nsleep 0.7\nexec /usr/sbin/userdel "$@"\n', "0755")
    try:
        steps = running.run(PURGED)["steps"]
        at = next(number for number, (_name, what, _half) in enumerate(steps) if what.startswith("userdel"))
        running.well(service())
        assert running.run(PURGED, fate=Fate(at, "middle"))["killed"]
        result = running.result(PURGED)
        assert not result["failed"], result["message"]
        assert "probe_app" not in running.execute("getent", "passwd")
    finally:
        running.remove(slow)


def test_a_killed_run_lets_go_of_its_lock(running: Machine) -> None:
    assert running.run(UPGRADE, fate=Fate(5, "before"))["killed"]
    assert running.well(UPGRADE)["recovered"] == "taken back"
    assert "PLACE" in str(running.read(UNIT_FILE))
