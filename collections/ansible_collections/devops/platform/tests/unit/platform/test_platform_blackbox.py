"""Probes from outside: what is asked, how, and that Prometheus asks for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.journey.targets import declared_targets
from ansible_collections.devops.platform.plugins.module_utils.platform import blackbox, topology
from ansible_collections.devops.platform.plugins.module_utils.platform.model import Topology
from ansible_collections.devops.platform.tests.unit.platform import example

PROBES = {
    "mail": {"tcp": "mail.example:25"},
    "partner": {"http": "https://partner.example/health", "timeout": "2s"},
    "directory": {"tls": "ldap.example:636", "server_name": "ldap"},
}


def platform(probes: Any = None, **exporters: Any) -> dict[str, Any]:
    data = example.data()
    chosen = exporters or {"blackbox": {"version": "1"}}
    return {**data, "monitoring": {**data["monitoring"], "probes": probes or PROBES, "exporters": chosen}}


def known(described: dict[str, Any]) -> list[blackbox.Probe]:
    return blackbox.probes(described, Topology(described, example.GROUPS, example.ADDRESSES))


def test_the_edge_is_asked_by_its_address_for_its_name() -> None:
    edge, *_others = known(platform())
    assert (edge.name, edge.target, edge.server_name) == ("edge_edge1", "https://192.0.2.10/", "chat.example")
    module = blackbox.config([edge], "/etc/blackbox_exporter")["modules"]["edge_edge1"]
    assert module["http"] == {
        "follow_redirects": False,
        "headers": {"Host": "chat.example"},
        "tls_config": {"server_name": "chat.example", "ca_file": "/etc/blackbox_exporter/edge.crt"},
        "fail_if_not_ssl": True,
    }


def test_each_probe_has_a_module_of_its_own() -> None:
    modules = blackbox.config(known(platform()), "/etc/b")["modules"]
    assert list(modules) == ["edge_edge1", "directory", "mail", "partner"]
    assert modules["mail"] == {"prober": "tcp", "timeout": "5s"}
    assert modules["partner"]["timeout"] == "2s"
    assert modules["directory"]["tcp"] == {"tls": True, "tls_config": {"server_name": "ldap"}}


def test_prometheus_asks_for_each_probe_once() -> None:
    jobs = topology.scrape_jobs(platform(), example.GROUPS, example.ADDRESSES)
    asked = {
        config["labels"]["target"]: (job["job_name"], config["labels"]["instance"], config["targets"])
        for job in jobs
        if job["metrics_path"] == "/probe"
        for config in job["static_configs"]
    }
    at = ["192.0.2.30:9115"]
    assert asked == {
        "edge_edge1": ("blackbox_http", "https://192.0.2.10/", at),
        "partner": ("blackbox_http", "https://partner.example/health", at),
        "mail": ("blackbox_tcp", "mail.example:25", at),
        "directory": ("blackbox_tls", "ldap.example:636", at),
    }
    # Prometheus knows a target by its labels; that is what verify looks for.
    assert ("blackbox_tcp", "mail.example:25", "mon1") in list(declared_targets(jobs))


def test_without_an_exporter_nobody_asks() -> None:
    jobs = topology.scrape_jobs(platform(postgresql={"version": "1"}), example.GROUPS, example.ADDRESSES)
    assert not [job for job in jobs if job["metrics_path"] == "/probe"]


BLACKBOX = "    exporters:\n      blackbox: {version: '1'}\n"


@pytest.mark.parametrize(
    ("probes", "exporter", "words"),
    [
        ("a: {tcp: 'b:1', http: 'http://c/'}", BLACKBOX, "probes.a: has http and tcp; make a probe of each"),
        ("a: {timeout: 5s}", BLACKBOX, "probes.a: asks nothing; give it one of http, tcp, tls"),
        ("a: {tcp: 'b'}", BLACKBOX, "probes.a.tcp: 'b' is not HOST:PORT, such as 0.0.0.0:9323"),
        ("a: {http: 'b'}", BLACKBOX, "probes.a.http: 'b' is not"),
        ("a: {tcp: 'b:1'}", "", "probes: nobody asks them; add platform.monitoring.exporters.blackbox"),
    ],
)
def test_a_probe_that_would_ask_nothing_is_refused(tmp_path: Path, probes: str, exporter: str, words: str) -> None:
    edit = ("    targets:\n", f"{exporter}    probes:\n      {probes}\n    targets:\n")
    found = [line for line in example.problems(tmp_path, edit) if "no artifact" not in line]
    assert len(found) == 1, found
    assert words in found[0]
