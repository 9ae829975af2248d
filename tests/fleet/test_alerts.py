"""A live fault, the right message at the right receiver within its bound, and another one when it is over.

The receivers are a fake Slack endpoint, a mail server, moto's SNS and a webhook, on the machine that the hosts run on.
Prometheus scrapes every five seconds here; thresholds and waits are those that the role brings.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.journey.account import (
    Account,
    Session,
    become_member,
    enter,
)
from ansible_collections.devops.platform.plugins.module_utils.journey.edge import Edge, JourneyError
from lab import unpacked
from lab.recipes import find, read_mod, version_of
from lab.state import State
from tests.fleet.conftest import Starter
from tests.fleet.harness.faults import FAULTS, Fault, add_disk, remove_disk
from tests.fleet.harness.fleet import Fleet
from tests.monitoring.alerting.alertmanager import free_port
from tests.monitoring.alerting.sinks import PHONE, REGION, Http, Mail, Sms, http_sink, mail_sink, sms_sink

GROUPS = [["app"], ["app"], ["data"], ["monitoring"], ["edge"]]
# What cannot be done at the same time, in its order: the API stands on the database.
LANES = (("database", "broken", "slow"), ("host",), ("disk",), ("processors",), ("expiring",))
# After all others: nobody gets past the edge then, and they need somebody who asks.
LAST = ("expired",)

pytestmark = [
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
    pytest.mark.timeout(4500),
]


@dataclass(frozen=True)
class Receivers:
    http: Http
    mail: Mail
    sms: Sms


@pytest.fixture(scope="module")
def receivers() -> Iterator[Receivers]:
    address = State().load_settings().gateway
    with (
        http_sink(address) as http,
        # Without TLS, which the lab's hosts could not check here, Alertmanager sends no password.
        mail_sink(free_port(address), address, login=False) as mail,
        sms_sink(free_port(address), address) as sms,
    ):
        yield Receivers(http, mail, sms)


def alerting(to: Receivers) -> dict[str, Any]:
    """The highest by all ways, the others by less; everything by webhook, which says most to a test."""
    mail = {"to": ["ops@example.com"], "from": "alerts@example.com", "tls": False}
    mail["smarthost"] = re.sub(r"^http://([^:]+):.*", rf"\1:{to.mail.port}", to.http.url)
    keys = {"access_key": "alert_key_id", "secret_key": "alert_key"}
    quick = {"group_wait": "10s", "group_interval": "30s"}
    return {
        "receivers": {
            "log": {"webhook": {"url": f"{to.http.url}/log"}},
            "slack": {"slack": {"webhook": "alert_slack"}},
            "mail": {"email": mail},
            "pager": {"sms": {"region": REGION, "phone": PHONE, "endpoint": to.sms.url, **keys}},
        },
        "default": ["log"],
        "routes": [
            {"receivers": ["log"], "continue": True},
            {"severity": "high", "receivers": ["slack", "mail", "pager"]},
            {"severity": "medium", "receivers": ["mail"]},
        ],
        "timing": {"high": quick, "medium": quick},
    }


@pytest.fixture(scope="module")
def fleet(start_fleet: Starter, receivers: Receivers) -> Iterator[Fleet]:
    names = ("alert_slack", "alert_key_id", "alert_key")
    recipe = find("cadvisor")
    exporters = {"cadvisor": {"version": version_of(recipe, read_mod(recipe))}}
    over = {
        "monitoring": {
            "prometheus": {"scrape_interval": "5s"},
            "alerting": alerting(receivers),
            "exporters": exporters,
        },
        "secrets": {"names": {name: {} for name in names}},
    }
    started = start_fleet(5, over, GROUPS, "t-alerts")  # waits an hour, beside which other fleets may live
    unpacked.ensure("cadvisor")  # built where it is not in the mirror
    secrets = started.folder / "state" / "secrets"
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in names:
        path = secrets / name
        path.write_text(f"{receivers.http.url}/slack" if name == "alert_slack" else "AKIAEXAMPLE")
        path.chmod(0o600)
    try:
        add_disk(started)
        started.play("site.yml").expect_ok()
        yield started
    finally:
        remove_disk(started)


@pytest.fixture(scope="module")
def users(fleet: Fleet) -> Iterator[None]:
    """Somebody asks the API all the time: without requests there are no errors, and nothing is slow."""
    authority = fleet.folder / "state" / "pki" / "ca.crt"
    edge = Edge(f"https://{fleet.address(fleet.of('edge')[0])}", "chat.lab", str(authority), timeout=15)
    over = threading.Event()

    def ask(session: Session) -> None:
        while not over.wait(0.5):
            with suppress(JourneyError):
                session.ask("GET", "/api/rooms")

    # Members of a room: what is slow is looking for those.
    sessions = [enter(edge, Account("watcher", "correct horse battery")) for _ in range(4)]
    become_member(sessions[0], "lobby")
    assert sessions[0].ask("GET", "/api/rooms").status == 200
    threads = [threading.Thread(target=ask, args=(session,), daemon=True) for session in sessions]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join(20)


@dataclass(frozen=True)
class Seen:
    """Seconds from a fault to its message, and from its end to the message that it is over; or ``failure``, why not."""

    fired: float = 0.0
    ended: float = 0.0
    failure: str = ""


def labels(fault: Fault, fleet: Fleet) -> dict[str, str]:
    """Those of the fault, with the name of the host that a group stands for."""
    return {**fault.labels, **({"host": fleet.of(fault.labels["host"])[-1]} if "host" in fault.labels else {})}


def carry_out(fault: Fault, fleet: Fleet, to: Receivers) -> Seen:
    wanted = labels(fault, fleet)

    def told(status: str, since: int) -> bool:
        return any(wanted.items() <= found.items() for found in to.http.alerts("/log", status)[since:])

    before = len(to.http.alerts("/log"))
    began = time.monotonic()
    fault.begin(fleet)
    try:
        fired = _within(fault.fires, began, lambda: told("firing", before), f"{fault.name}: no message")
    finally:
        over = len(to.http.alerts("/log", "resolved"))
        mended = time.monotonic()
        fault.end(fleet)
    ended = _within(fault.ends, mended, lambda: told("resolved", over), f"{fault.name}: no end is told")
    print(f"{fault.name}: message after {fired:.0f} s, its end after {ended:.0f} s", flush=True)
    return Seen(fired, ended)


def _within(seconds: float, since: float, come: Callable[[], bool], missing: str) -> float:
    while not come():
        if time.monotonic() - since > seconds:
            raise AssertionError(f"{missing} within {seconds:.0f} s")
        time.sleep(0.5)
    return time.monotonic() - since


@pytest.fixture(scope="module")
def seen(fleet: Fleet, users: None, receivers: Receivers) -> dict[str, Seen]:
    def tried(fault: Fault) -> Seen:
        try:
            return carry_out(fault, fleet, receivers)
        except (AssertionError, OSError, subprocess.SubprocessError) as error:  # the others take long, and go on
            print(f"{fault.name}: {error}", flush=True)
            return Seen(failure=str(error))

    def lane(names: tuple[str, ...]) -> dict[str, Seen]:
        return {name: tried(FAULTS[name]) for name in names}

    print()
    with ThreadPoolExecutor(len(LANES)) as pool:
        together = {name: item for found in pool.map(lane, LANES) for name, item in found.items()}
    return {**together, **lane(LAST)}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_within_its_bound_and_so_is_its_end(seen: dict[str, Seen], name: str) -> None:
    assert not seen[name].failure
    assert seen[name].fired <= FAULTS[name].fires
    assert seen[name].ended <= FAULTS[name].ends


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.labels["severity"] == "high"])
def test_the_highest_come_by_every_way(fleet: Fleet, seen: dict[str, Seen], receivers: Receivers, name: str) -> None:
    alert = FAULTS[name].labels["alertname"]
    titles = [attachment["title"] for body in receivers.http.bodies("/slack") for attachment in body["attachments"]]
    assert any(title.startswith(f"HIGH: {alert}") for title in titles), titles
    subjects = [str(message["Subject"]) for _to, message in receivers.mail.messages]
    assert any(subject.startswith(f"HIGH: {alert}") for subject in subjects), subjects
    texts = [text for number, text in receivers.sms.texts() if number == PHONE]
    assert any(text.startswith(f"HIGH {alert}") for text in texts), texts


def test_the_others_wake_nobody(seen: dict[str, Seen], receivers: Receivers) -> None:
    texts = " ".join(text for _number, text in receivers.sms.texts())
    assert "HttpLatency" not in texts
    assert "HostCpuHigh" not in texts
    assert any("HttpLatency" in str(message["Subject"]) for _to, message in receivers.mail.messages)


def test_containers_are_watched_as_well(fleet: Fleet) -> None:
    """site.yml has asked the dashboards' queries before, those about containers among them."""
    for host in fleet.of("app"):
        assert "cadvisor_version_info" in fleet.on(host, "curl", "-sf", "http://127.0.0.1:9338/metrics")


def test_a_host_that_is_down_silences_its_services(fleet: Fleet, seen: dict[str, Seen], receivers: Receivers) -> None:
    """All its targets are down; one message says so."""
    lost = fleet.of("app")[-1]
    told = {found.get("job") for found in receivers.http.alerts("/log") if found.get("host") == lost}
    assert told <= {"node", "chat-api", "chat-websocket", "docker"}
    downs = [found for found in receivers.http.alerts("/log") if found["alertname"] == "InstanceDown"]
    assert {found["job"] for found in downs if found["host"] == lost} == {"node"}
