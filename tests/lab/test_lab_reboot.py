"""Power goes and comes back: everything runs again without a run."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

from lab.runtime import PREFIX
from tests.lab.harness.fleet import Fleet, reachable_from_here, until

SETTLED = "systemctl is-system-running --wait; systemctl list-units --failed --no-legend --plain"


def reboot(fleet: Fleet, host: str) -> None:
    subprocess.run(["docker", "restart", "--timeout", "20", f"{PREFIX}-{host}"], check=True, capture_output=True)
    until(f"{host}'s SSH", lambda: reachable_from_here(fleet.address(host), 22), seconds=60)


def firewall(fleet: Fleet, host: str) -> str:
    return fleet.on(host, "nft", "--stateless", "list", "table", "inet", "devops_platform")


def test_all_hosts_come_back_by_themselves(fleet: Fleet) -> None:
    before = {host: firewall(fleet, host) for host in fleet.hosts}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: reboot(fleet, host), fleet.hosts))
    failed = {host: fleet.attempt(host, "sh", "-c", SETTLED, seconds=120).stdout for host in fleet.hosts}
    assert failed == dict.fromkeys(fleet.hosts, "running\n")
    fleet.verify(patience=90).expect_nothing_changed()
    assert {host: firewall(fleet, host) for host in fleet.hosts} == before
    fleet.play("site.yml", "--check").expect_nothing_changed()
