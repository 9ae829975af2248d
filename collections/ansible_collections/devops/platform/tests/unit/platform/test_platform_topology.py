"""What a platform means for firewalls, Prometheus and the edge."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.platform import model, topology
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.tests.unit.platform import example
from ansible_collections.devops.platform.tests.unit.platform.example import ADDRESSES, GROUPS

ADMIN, EDGE, DATA, MON, APP1, APP2 = (f"192.0.2.{last}/32" for last in (1, 10, 20, 30, 101, 102))
ANYWHERE = ["0.0.0.0/0", "::/0"]


def rules(host: str, platform: Any = None, groups: Any = GROUPS, addresses: Any = ADDRESSES) -> dict[int, Any]:
    found = topology.firewall_rules(platform or example.data(), host, groups, addresses)
    assert [rule["port"] for rule in found] == sorted(rule["port"] for rule in found)
    return {rule["port"]: (rule["sources"], rule["published"]) for rule in found}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("edge1", {22: ([ADMIN], False), 80: (ANYWHERE, False), 443: (ANYWHERE, False), 9100: ([MON], False)}),
        (
            "data1",
            {
                22: ([ADMIN], False),
                5432: ([APP1, APP2], False),
                6379: ([APP1, APP2], False),
                9100: ([MON], False),
                9187: ([MON], False),
            },
        ),
        (
            "mon1",
            {22: ([ADMIN], False), 9090: ([ADMIN, MON], False), 9093: ([ADMIN, MON], False), 9100: ([MON], False)},
        ),
        (
            "app1",
            {
                22: ([ADMIN], False),
                3000: ([EDGE], True),
                5000: ([EDGE, MON], True),
                5001: ([EDGE], True),
                9100: ([MON], False),
                9323: ([MON], False),
            },
        ),
    ],
)
def test_firewall_rules(host, expected):
    assert rules(host) == expected


def test_rules_name_what_they_are_for():
    found = topology.firewall_rules(example.data(), "app1", GROUPS, ADDRESSES)
    assert [rule["comment"] for rule in found] == [
        "ssh", "chat/web", "chat/api", "chat/websocket", "node_exporter", "docker metrics"
    ]  # fmt: skip
    assert {rule["protocol"] for rule in found} == {"tcp"}


def test_replicas_open_a_port_each():
    ports = rules("app1", example.data(("port: 5000", "port: 5100"), ("replicas: 1", "replicas: 3")))
    assert [port for port in ports if 5100 <= port < 5200] == [5100, 5101, 5102]


def test_a_further_scrape_of_a_published_port_joins_its_rule():
    platform = example.data(("{port: 9187, groups: [data]}", "{port: 5001, groups: [app]}"))
    assert rules("app1", platform)[5001] == ([EDGE, MON], True)


def test_ssh_may_come_from_further_networks():
    platform = example.data(("{allow_users: [admin]}", "{allow_users: [admin], from: [198.51.100.0/24]}"))
    assert rules("app1", platform)[22][0] == [ADMIN, "198.51.100.0/24"]


def test_a_port_that_nobody_may_reach_has_no_rule():
    platform = example.data(("  monitoring:\n    group: monitoring\n", "  monitoring:\n"))
    assert 9100 not in rules("app1", platform)


def test_rules_follow_the_inventory_alone():
    """What --limit leaves out of a play is still in `groups`: nothing of a play goes in."""
    assert rules("data1") == rules("data1", groups=dict(reversed(GROUPS.items())))


def test_addresses_may_be_ipv6_and_must_be_addresses():
    six = {**ADDRESSES, "app1": "2001:db8::1"}
    assert rules("data1", addresses=six)[5432][0] == [APP2, "2001:db8::1/128"]
    with pytest.raises(PlatformError, match=r"host 'app1' has the address 'app1.example', which is a name"):
        rules("data1", addresses={**ADDRESSES, "app1": "app1.example"})
    with pytest.raises(PlatformError, match=r"host 'app1' has no address; set ansible_host or platform_address"):
        rules("data1", addresses={name: value for name, value in ADDRESSES.items() if name != "app1"})


CIDRS = st.builds(
    lambda address, length: str(ipaddress.ip_network(f"{address}/{min(length, address.max_prefixlen)}", strict=False)),
    st.ip_addresses(),
    st.integers(0, 128),
)


@given(st.lists(CIDRS, min_size=1, max_size=8), st.randoms())
def test_merged_sources_are_each_once_in_one_order(networks, random):
    shuffled = [*networks, *networks]
    random.shuffle(shuffled)

    def sources(admin: list[str]) -> list[str]:
        platform = {"hosts": {"admin_networks": admin[: len(admin) // 2], "ssh": {"from": admin[len(admin) // 2 :]}}}
        found = topology.firewall_rules(platform, "edge1", GROUPS, ADDRESSES)
        return [str(source) for rule in found for source in rule["sources"]]

    assert sources(shuffled) == sources([*networks, *networks])
    assert len(sources(shuffled)) == len(set(networks))
    assert set(sources(shuffled)) == set(networks)
    both = topology.ip_family(sources(shuffled), 4) + topology.ip_family(sources(shuffled), 6)
    assert both == sources(shuffled)


def test_scrape_jobs():
    def target(host: str, port: int, **labels: str) -> dict[str, Any]:
        return {"targets": [f"{ADDRESSES[host]}:{port}"], "labels": {"host": host, **labels}}

    jobs = topology.scrape_jobs(example.data(), GROUPS, ADDRESSES)
    found = {job["job_name"]: (job["metrics_path"], job["static_configs"]) for job in jobs}
    assert found == {
        "prometheus": ("/metrics", [target("mon1", 9090)]),
        "alertmanager": ("/metrics", [target("mon1", 9093)]),
        "node": ("/metrics", [target(host, 9100) for host in ("app1", "app2", "data1", "edge1", "mon1")]),
        "docker": ("/metrics", [target(host, 9323) for host in ("app1", "app2")]),
        "chat-api": ("/metrics", [target(host, 5000, app="chat", service="api") for host in ("app1", "app2")]),
        "database": ("/metrics", [target("data1", 9187)]),
    }
    assert topology.alertmanagers(example.data(), GROUPS, ADDRESSES) == ["192.0.2.30:9093"]


def test_every_replica_is_scraped_and_ten_comes_after_two():
    groups = {**GROUPS, "app": ["app10", "app2"]}
    addresses = {**ADDRESSES, "app10": "2001:db8::10"}
    jobs = topology.scrape_jobs(example.data(("replicas: 1", "replicas: 2")), groups, addresses)
    api = next(job for job in jobs if job["job_name"] == "chat-api")
    assert [config["targets"] for config in api["static_configs"]] == [
        ["192.0.2.102:5000"], ["192.0.2.102:5001"], ["[2001:db8::10]:5000"], ["[2001:db8::10]:5001"]
    ]  # fmt: skip


TWO = {**GROUPS, "monitoring": ["mon1", "edge1"]}


def test_alertmanagers_of_several_hosts_are_a_cluster():
    def flags(host: str, **more: Any) -> list[str]:
        platform = example.data(*more.get("edits", ()))
        return topology.alertmanager_cluster(platform, host, more.get("groups", TWO), more.get("addresses", ADDRESSES))

    assert flags("mon1", groups=GROUPS) == ["--cluster.listen-address="]
    assert flags("mon1") == [
        "--cluster.listen-address=0.0.0.0:9094",
        "--cluster.advertise-address=192.0.2.30:9094",
        "--cluster.peer=192.0.2.10:9094",
    ]
    assert flags("edge1")[-1] == "--cluster.peer=192.0.2.30:9094"
    port = [('alertmanager: {version: "0.28.1"', 'alertmanager: {cluster_port: 7000, version: "0.28.1"')]
    assert flags("edge1", edits=port, addresses={**ADDRESSES, "edge1": "2001:db8::1"}) == [
        "--cluster.listen-address=[::]:7000",
        "--cluster.advertise-address=[2001:db8::1]:7000",
        "--cluster.peer=192.0.2.30:7000",
    ]


def test_the_cluster_talks_over_tcp_and_udp_where_there_is_one():
    def cluster(host: str, groups: Any) -> list[tuple[str, list[str], str]]:
        found = topology.firewall_rules(example.data(), host, groups, ADDRESSES)
        return [(rule["protocol"], rule["sources"], rule["comment"]) for rule in found if rule["port"] == 9094]

    assert cluster("mon1", GROUPS) == []
    assert cluster("app1", TWO) == []
    for host in ("mon1", "edge1"):
        assert cluster(host, TWO) == [(name, [EDGE, MON], "alertmanager cluster") for name in ("tcp", "udp")]


def test_nothing_is_scraped_without_monitoring():
    assert topology.scrape_jobs({}, GROUPS, ADDRESSES) == []
    assert topology.alertmanagers({}, GROUPS, ADDRESSES) == []


def test_edge_routes():
    def upstream(service: str, port: int, health: str, sticky: bool = False) -> dict[str, Any]:
        servers = [{"host": host, "address": ADDRESSES[host], "port": port} for host in ("app1", "app2")]
        return {"name": f"chat_{service}", "app": "chat", "service": service, "health": health, "sticky": sticky,
                "servers": servers}  # fmt: skip

    assert topology.edge_routes(example.data(), GROUPS, ADDRESSES) == {
        "upstreams": [
            upstream("api", 5000, "/readyz"),
            upstream("web", 3000, "/healthz"),
            upstream("websocket", 5001, "/", sticky=True),
        ],
        "locations": [
            {"path": "/api", "upstream": "chat_api", "websocket": False},
            {"path": "/ws", "upstream": "chat_websocket", "websocket": True},
            {"path": "/", "upstream": "chat_web", "websocket": False},
        ],
    }


@pytest.mark.parametrize("flags", [(True, False), (False, True), (False, False)])
def test_one_websocket_route_makes_clients_stay_at_a_server(flags):
    routes = [
        {"path": f"/{number}", "app": "chat", "service": "web", "websocket": flag} for number, flag in enumerate(flags)
    ]
    platform = {**example.data(), "edge": {"routes": routes}}
    [upstream] = topology.edge_routes(platform, GROUPS, ADDRESSES)["upstreams"]
    assert upstream["sticky"] is any(flags)


@pytest.mark.parametrize(
    "edit", [("service: api}", "service: apii}"), ("app: chat, service: api", "app: chatt, service: api")]
)
def test_a_route_to_nowhere(edit):
    with pytest.raises(PlatformError, match="which is no service with a port"):
        topology.edge_routes(example.data(edit), GROUPS, ADDRESSES)


def test_addresses_prefer_what_other_hosts_reach():
    assert model.host_addresses(
        {
            "a": {"platform_address": "10.0.0.1", "ansible_host": "203.0.113.1"},
            "b": {"ansible_host": "203.0.113.2"},
            "c": {},
        }
    ) == {"a": "10.0.0.1", "b": "203.0.113.2", "c": "c"}


def test_networks_of_groups():
    assert topology.networks(["app", "edge", "app"], GROUPS, ADDRESSES) == [APP1, APP2, EDGE]
    with pytest.raises(PlatformError, match=r"no group 'web' \(it has: app, data, edge, monitoring\)"):
        topology.networks(["web"], GROUPS, ADDRESSES)


@given(st.lists(st.integers(0, 300), unique=True))
def test_hosts_are_in_the_order_of_their_numbers(numbers):
    names = [f"app{number}" for number in numbers]
    assert sorted(names, key=model.natural) == [f"app{number}" for number in sorted(numbers)]
