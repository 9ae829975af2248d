"""A platform whose database, cache and way in are no hosts of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform import exporters, topology
from ansible_collections.devops.platform.plugins.module_utils.platform.listeners import listeners
from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    PlatformError,
    Topology,
    host_addresses,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.placeholders import resolve
from ansible_collections.devops.platform.tests.unit.platform import example

ENDPOINTS = {
    "database": {"kind": "postgresql", "host": "db.example", "port": 5433},
    "cache": {"kind": "redis", "host": "cache.example", "port": 6380},
    "way-in": {"kind": "alb", "host": "lb.example", "port": None},
    "six": {"kind": "redis", "host": "2001:db8::1", "port": 6379},
}
HOSTS = {name: address for name, address in example.ADDRESSES.items() if name not in ("edge1", "data1")}
GROUPS = {**example.GROUPS, "all": list(HOSTS), "edge": [], "data": []}
ADDRESSES = host_addresses({host: {"ansible_host": HOSTS[host], "platform_endpoints": ENDPOINTS} for host in HOSTS})
DATA = (
    "    group: data\n    postgresql:\n      port: 5432\n      databases: {chat: {owner: chat}}\n"
    "      users: {chat: {password: chat_database}}\n      clients: [app]\n    redis:\n      password: chat_redis\n"
    "      clients: [app]\n      maxmemory: 128mb\n"
)
ELSEWHERE = (
    (
        DATA,
        (
            "    postgresql:\n      endpoint: database\n      databases: {chat: {owner: chat}}\n"
            "      users: {chat: {password: chat_database}}\n"
            "    redis: {endpoint: cache, user: app, password: chat_redis}\n"
        ),
    ),
    ("    group: edge\n", "    endpoint: way-in\n    networks: [10.0.0.0/24]\n"),
    ("    tls: {certificate: edge.crt, key: edge.key}\n", ""),
    ('"@address(data)"', '"@endpoint(database)"'),
    ('"@address(data):@port(redis)"', '"@endpoint(cache):@endpoint_port(cache)"'),
    ("      database: {port: 9187, groups: [data]}", "      other: {port: 9999, groups: [app]}"),
)
PLATFORM = example.data(*ELSEWHERE)


def found(root: Any, *edits: tuple[str, str]) -> list[str]:
    problems = example.problems(root, *ELSEWHERE, *edits, groups=GROUPS, addresses=ADDRESSES)
    return [problem.partition("error: platform.")[2] for problem in problems]


def test_preflight_is_content(tmp_path):
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        (
            [("endpoint: database\n", "endpoint: databse\n")],
            "data.postgresql.endpoint: the inventory has no endpoint 'databse'; did you mean 'database'?",
        ),
        (
            [('"@endpoint(database)"', '"@endpoint(way)"')],
            "apps.chat.environment.DATABASE_HOST: @endpoint(way): the inventory has no endpoint 'way'; did you mean",
        ),
        (
            [("endpoint: cache, user: app,", "")],
            "data: lacks the key 'group': where redis runs, as it is no endpoint",
        ),
        (
            [("endpoint: cache, user: app,", "clients: [app], user: app,"), ("  data:\n", "  data:\n    group: app\n")],
            "data.redis.user: is for an endpoint; a server that the platform runs is reached from its own host",
        ),
        (
            [("endpoint: cache,", "endpoint: cache, clients: [app],")],
            "data.redis.clients: is for a server that the platform runs, and this one is an endpoint; remove it",
        ),
        (
            [("    networks: [10.0.0.0/24]\n", "")],
            "edge: lacks the key 'networks', which it asks from: no application would let it in",
        ),
        (
            [("endpoint: way-in", "endpoint: way-in\n    group: app")],
            "edge: has group and endpoint; remove one of them",
        ),
        (
            [("endpoint: way-in", "endpoint: way-in\n    tls: {certificate: edge.crt, key: edge.key}")],
            "edge.tls: is for an edge that the platform runs: an endpoint brings its certificate; remove it",
        ),
        ([("    endpoint: way-in\n", "    group: app\n")], "edge.networks: are those of an endpoint; hosts of a group"),
        (
            [("    targets:\n", '    exporters: {postgresql: {version: "1"}}\n    targets:\n')],
            "monitoring.exporters.postgresql: lacks the key 'password', the secret of its user: an endpoint has no",
        ),
    ],
)
def test_mistakes(edits, expected, tmp_path):
    assert expected in "\n".join(found(tmp_path, *edits))


def test_an_exporter_beside_its_server_needs_no_password(tmp_path):
    edit = ("    targets:\n", '    exporters: {postgresql: {version: "1", password: chat_redis}}\n    targets:\n')
    assert any("beside a server none is needed" in problem for problem in example.problems(tmp_path, edit))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@endpoint(database):@endpoint_port(database)", "db.example:5433"),
        ("@port(postgresql) @port(redis)", "5433 6380"),
        ("@endpoint(way-in) @endpoint_port(way-in)", "lb.example 443"),
        ("@endpoint(six)", "2001:db8::1"),
    ],
)
def test_placeholders(text, expected):
    assert resolve(text, Topology(PLATFORM, GROUPS, ADDRESSES)) == expected


def test_an_endpoint_that_is_not_there():
    with pytest.raises(PlatformError, match=r"no endpoint 'x' \(it has: cache, database, six, way-in\)"):
        Topology(PLATFORM, GROUPS, ADDRESSES).endpoint("x")


def test_nothing_listens_that_is_not_ours_and_the_balancer_is_let_in():
    names = [listener.name for listener in listeners(PLATFORM)]
    assert not {"postgresql", "redis", "edge http", "edge https"} & set(names)
    rules = topology.firewall_rules(PLATFORM, "app1", GROUPS, ADDRESSES)
    assert {rule["port"]: rule["sources"] for rule in rules}[3000] == ["10.0.0.0/24"]


def test_ways_in_and_servers():
    assert topology.edge_urls(PLATFORM, GROUPS, ADDRESSES) == {"way-in": "https://lb.example"}
    assert topology.data_endpoints(PLATFORM, ADDRESSES) == [
        {"name": "postgresql", "host": "db.example", "port": 5433},
        {"name": "redis", "host": "cache.example", "port": 6380},
    ]
    own = example.data()
    assert topology.data_endpoints(own, {}) == []
    assert topology.edge_urls(own, example.GROUPS, example.ADDRESSES) == {"edge1": "https://192.0.2.10"}
    own["edge"]["tls"] = None
    six = {**example.ADDRESSES, "edge1": "2001:db8::443"}
    assert topology.edge_urls(own, example.GROUPS, six) == {"edge1": "http://[2001:db8::443]"}
    other = {**ADDRESSES, "@way-in": "lb.example:8443"}
    assert topology.edge_urls(PLATFORM, GROUPS, other) == {"way-in": "https://lb.example:8443"}
    del own["edge"]
    assert topology.edge_urls(own, example.GROUPS, example.ADDRESSES) == {}


def test_exporters_of_endpoints_stand_beside_prometheus_and_show_no_password():
    monitoring = {
        **PLATFORM["monitoring"],
        "exporters": {
            "postgresql": {"version": "1", "password": "chat_database"},
            "redis": {"version": "1"},
            "blackbox": {"version": "1"},
        },
    }
    platform = {**PLATFORM, "monitoring": monitoring}
    assert exporters.secret_names(platform, "mon1", GROUPS) == ["chat_database", "chat_redis"]
    secrets = {"chat_database": "s3cret-a", "chat_redis": "s3cret-b"}
    made = exporters.exporter_components(platform, "mon1", GROUPS, ADDRESSES, secrets)
    parts = {component["name"]: component for component in made}
    assert parts["postgres_exporter"]["unit"]["environment"] == {
        "DATA_SOURCE_URI": "db.example:5433/postgres?sslmode=require",
        "DATA_SOURCE_USER": "postgres_exporter",
        "DATA_SOURCE_PASS_FILE": "/etc/postgres_exporter/password",
    }
    assert "--redis.addr=rediss://cache.example:6380 --redis.user=app" in parts["redis_exporter"]["unit"]["exec"]
    assert parts["redis_exporter"]["unit"]["after"] == []
    (passwords,) = [file for file in parts["redis_exporter"]["files"] if file["path"].endswith("/redis.json")]
    assert json.loads(passwords["content"]) == dict.fromkeys(
        ("rediss://cache.example:6380", "rediss://app@cache.example:6380"), "s3cret-b"
    )
    assert not any(value in str(part["unit"]) for part in made for value in secrets.values())
    jobs = {job["job_name"]: job for job in topology.scrape_jobs(platform, GROUPS, ADDRESSES)}
    assert jobs["postgresql"]["static_configs"][0]["labels"] == {"host": "mon1"}
    probed = [
        row["labels"]["instance"] for job in ("blackbox_http", "blackbox_tcp") for row in jobs[job]["static_configs"]
    ]
    assert probed == ["https://chat.example/", "db.example:5433", "cache.example:6380"]
