"""What goes wrong at night, done to hosts of the lab: each with the alert that has to come of it, and its end.

Bounds add up what lies between a fault and its message: a scrape and an evaluation (2 x 5 s here), the window of the
rule, its `for`, and Alertmanager's `group_wait`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.devops.platform.plugins.module_utils.platform import pki
from lab import keys
from lab.runtime import PREFIX as CONTAINER_PREFIX
from lab.state import State
from tests.fleet.harness.disks import add_disk, remove_disk
from tests.fleet.harness.fleet import Fleet

MEGABYTES = 64  # of the disk that is filled
SMALL = "/srv/small"


@dataclass(frozen=True)
class Fault:
    """``labels`` are of the alert that comes; ``fires``, ``ends``: seconds within which its messages must be there."""

    name: str
    labels: Mapping[str, str]
    begin: Callable[[Fleet], None]
    end: Callable[[Fleet], None]
    fires: float
    ends: float


def _on(group: str, *command: str, given: str = "") -> Callable[[Fleet], None]:
    return lambda fleet: (fleet.on(fleet.of(group)[-1], *command, given=given), None)[1]


def _sql(text: str) -> Callable[[Fleet], None]:
    return _on("data", "runuser", "-u", "postgres", "--", "psql", "-X", "-v", "ON_ERROR_STOP=1", "chat", given=text)


# A view in the place of a table: what is written to the table by other queries goes on.
SLOW = """
begin;
alter table memberships rename to memberships_as_they_are;
create view memberships as select m.* from memberships_as_they_are m, lateral (select pg_sleep(1.5)) s;
grant select on memberships to chat;
commit;
"""
NO_LONGER_SLOW = "begin; drop view memberships; alter table memberships_as_they_are rename to memberships; commit;"
BROKEN = "alter table memberships rename to memberships_gone;"
MENDED = "alter table memberships_gone rename to memberships;"


def lose(fleet: Fleet) -> None:
    subprocess.run(["docker", "kill", f"{CONTAINER_PREFIX}-{fleet.of('app')[-1]}"], check=True, capture_output=True)


def find(fleet: Fleet) -> None:
    subprocess.run(["docker", "start", f"{CONTAINER_PREFIX}-{fleet.of('app')[-1]}"], check=True, capture_output=True)


def add_small_disk(fleet: Fleet) -> None:
    """On the data host, before node_exporter starts."""
    add_disk(fleet, fleet.of("data")[0], SMALL, MEGABYTES)


def fill_disk(fleet: Fleet) -> None:
    size = MEGABYTES * 95 // 100
    fleet.on(fleet.of("data")[0], "sh", "-c", f"head -c {size}M /dev/zero > {SMALL}/full || true")


def empty_disk(fleet: Fleet) -> None:
    host = fleet.of("data")[0]
    fleet.on(host, "rm", "-f", f"{SMALL}/full")


def remove_small_disk(fleet: Fleet) -> None:
    for host in fleet.of("data"):
        remove_disk(fleet, host, SMALL)


def burn(fleet: Fleet) -> None:
    """All processors, by programs that yield to any other: they are the machine's, and it has further work."""
    unit = ["systemd-run", "--unit=burn", "--nice=19", "--property=RuntimeMaxSec=1500"]
    busy = "for i in $(seq $(nproc)); do while :; do :; done & done; wait"
    fleet.on(fleet.of("monitoring")[0], *unit, "sh", "-c", busy)


def _certify(hours: float) -> Callable[[Fleet], None]:
    """Give the edge a certificate of the same authority, of which so many ``hours`` are left."""

    def begin(fleet: Fleet) -> None:
        state = State(fleet.folder / "state")
        ca, ca_key = keys.authority(state)
        names = sorted(pki.names_of(x509.load_pem_x509_certificate((state.pki / "edge.crt").read_bytes())))
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = pki.server_certificate(names[0], names[1:], key, ca, ca_key, days=hours / 24)
        _show(fleet, pki.text_of(certificate), pki.key_text(key))

    return begin


def certify_again(fleet: Fleet) -> None:
    folder = State(fleet.folder / "state").pki
    _show(fleet, (folder / "edge.crt").read_text(), (folder / "edge.key").read_text())


def _show(fleet: Fleet, certificate: str, key: str) -> None:
    edge = fleet.of("edge")[-1]
    fleet.on(edge, "tee", "/etc/nginx/tls/edge.crt", given=certificate)
    fleet.on(edge, "tee", "/etc/nginx/tls/edge.key", given=key)
    fleet.on(edge, "systemctl", "reload", "nginx")


FAULTS = {
    "database": Fault(
        "PostgreSQL is stopped",
        {"alertname": "PostgresqlDown", "severity": "high", "host": "data"},
        _on("data", "systemctl", "stop", "postgresql@17-main"),
        _on("data", "systemctl", "start", "postgresql@17-main"),
        fires=60 + 10 + 15 + 20,
        ends=120,
    ),
    "host": Fault(
        "an application host is killed",
        {"alertname": "InstanceDown", "severity": "high", "host": "app", "job": "node"},
        lose,
        find,
        fires=60 + 10 + 15 + 20,
        ends=180,
    ),
    "disk": Fault(
        "a disk is full",
        {"alertname": "HostDiskHigh", "severity": "high", "host": "data", "mountpoint": SMALL},
        fill_disk,
        empty_disk,
        fires=5 * 60 + 10 + 15 + 30,
        ends=120,
    ),
    "broken": Fault(
        "the API answers with errors",
        {"alertname": "HttpErrors", "severity": "high", "app": "chat", "service": "api"},
        _sql(BROKEN),
        _sql(MENDED),
        fires=5 * 60 + 5 * 60 + 60,
        ends=5 * 60 + 120,
    ),
    "slow": Fault(
        "the API is slow",
        {"alertname": "HttpLatency", "severity": "medium", "app": "chat", "service": "api"},
        _sql(SLOW),
        _sql(NO_LONGER_SLOW),
        fires=5 * 60 + 5 * 60 + 90,
        ends=5 * 60 + 6 * 60,
    ),
    "processors": Fault(
        "the processors are busy",
        {"alertname": "HostCpuHigh", "severity": "low", "host": "monitoring"},
        burn,
        _on("monitoring", "systemctl", "stop", "burn"),
        fires=10 * 60 + 5 * 60 + 120 + 60,
        ends=5 * 60 + 16 * 60,
    ),
    "expiring": Fault(
        "a certificate expires in two days",
        {"alertname": "CertificateExpires", "severity": "high"},
        _certify(hours=48),
        certify_again,
        fires=15 * 60 + 10 + 15 + 20,
        ends=120,
    ),
    "expired": Fault(
        "a certificate has expired",
        {"alertname": "ProbeFailed", "severity": "high"},
        _certify(hours=-0.5),
        certify_again,
        fires=2 * 60 + 10 + 15 + 20,
        ends=120,
    ),
}  # fmt: skip
