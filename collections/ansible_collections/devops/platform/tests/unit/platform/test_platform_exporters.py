"""Exporters as data: where they run, what they are told, how Prometheus asks them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bcrypt
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.engine.describe import normalise
from ansible_collections.devops.platform.plugins.module_utils.platform import exporters, scraping, topology
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import UNSET, Store
from ansible_collections.devops.platform.tests.unit.platform import example

GROUPS = {**example.GROUPS, "search": ["app2"]}
WEB = {"certificate": "CERT\n", "key": "KEY\n", "password": "p" * 32, "digest": "$2b$10$x", "authority": "CA\n"}
SECRETS = {"chat_redis": "redis-password", "search": "search-password", "rows": "rows-password"}
ALL = {
    "postgresql": {"version": "1"},
    "redis": {"version": "2"},
    "nginx": {"version": "3", "port": 9999},
    "blackbox": {"version": "6"},
    "cadvisor": {"version": "7"},
    "mysql": {"version": "4", "groups": ["search"], "address": "10.0.0.9:3306", "password": "rows"},
    "elasticsearch": {"version": "5", "groups": ["search"], "password": "search"},
}


def platform(**monitoring: Any) -> dict[str, Any]:
    data = example.data()
    return {**data, "monitoring": {**data["monitoring"], "exporters": ALL, **monitoring}}


def on(host: str, web: Any = WEB) -> dict[str, dict[str, Any]]:
    found = exporters.exporter_components(platform(), host, GROUPS, example.ADDRESSES, SECRETS, web, "EDGE CA\n")
    return {component["name"]: component for component in found}


def contents(component: dict[str, Any]) -> dict[str, str]:
    return {Path(item["path"]).name: item["content"] for item in component["files"]}


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("data1", ["postgres_exporter", "redis_exporter"]),
        ("edge1", ["nginx_exporter"]),
        ("app2", ["cadvisor", "mysqld_exporter", "elasticsearch_exporter"]),
        ("app1", ["cadvisor"]),
        ("mon1", ["blackbox_exporter"]),
    ],
)
@pytest.mark.parametrize("web", [WEB, {}, None])
def test_each_host_runs_what_watches_its_services(host: str, names: list[str], web: Any) -> None:
    components = on(host, web)
    assert list(components) == names
    assert not components or len(normalise({"components": list(components.values())})) == len(names)


def test_secrets_are_those_of_the_host() -> None:
    assert exporters.secret_names(platform(), "data1", GROUPS) == ["chat_redis"]
    assert exporters.secret_names(platform(), "app2", GROUPS) == ["rows", "search"]
    assert exporters.secret_names(platform(), "edge1", GROUPS) == []


@pytest.mark.parametrize("host", ["data1", "edge1", "app2", "mon1"])
def test_no_secret_stands_where_others_read_it(host: str) -> None:
    """Not in the unit, and of the files only in those that the exporter, or root for its probe, alone reads."""
    for component in on(host).values():
        if component["name"] == "cadvisor":
            continue  # has none
        known = set(component["secrets"].values())
        assert {WEB["password"], WEB["key"]} <= known
        unit = yaml.safe_dump(component["unit"])
        assert not [value for value in known if value in unit]
        readers = {(item["mode"], item.get("group", "root")) for item in component["files"]}
        assert readers == {("0640", component["user"]), ("0600", "root")}
        values = {**SECRETS, "password": WEB["password"]}.values()
        held = {value for value in values if any(value in text for text in contents(component).values())}
        assert held <= known


def test_the_way_in_of_each() -> None:
    data, other = on("data1"), on("app2")
    source = data["postgres_exporter"]["unit"]["environment"]["DATA_SOURCE_NAME"]
    assert "host=/run/postgresql" in source
    assert "password" not in source
    assert contents(data["redis_exporter"])["redis.json"] == '{"redis://127.0.0.1:6379": "redis-password"}\n'
    assert 'password="rows-password"' in contents(other["mysqld_exporter"])["client.cnf"]
    assert "ES_PASSWORD=search-password" in contents(other["elasticsearch_exporter"])["environment"]


def test_tls_and_a_password_are_asked_for_and_given() -> None:
    nginx = on("edge1")["nginx_exporter"]
    config = yaml.safe_load(contents(nginx)["web.yml"])
    assert config["basic_auth_users"] == {"prometheus": WEB["digest"]}
    assert config["tls_server_config"]["cert_file"] == "tls.crt"
    assert "--web.config.file=/etc/nginx_exporter/web.yml" in nginx["unit"]["exec"]
    assert nginx["probe"]["http"] == "https://127.0.0.1:9999/metrics"
    assert nginx["probe"]["user"] == "prometheus"
    kept = next(file for file in nginx["files"] if file["path"] == nginx["probe"]["password_file"])
    assert (kept["content"], kept["mode"], kept.get("group")) == (f"{WEB['password']}\n", "0600", None)
    assert not set(WEB.values()) & set(str(nginx["probe"]).split("'"))
    redis = on("data1")["redis_exporter"]
    assert "--tls-server-key-file=/etc/redis_exporter/tls.key" in redis["unit"]["exec"]
    assert redis["unit"]["options"]["Service"]["EnvironmentFile"] == "/etc/redis_exporter/web.environment"


def test_without_tls_there_is_none_of_it() -> None:
    nginx = on("edge1", {})["nginx_exporter"]
    assert (nginx["files"], nginx["secrets"]) == ([], {})
    assert nginx["probe"]["http"] == "http://127.0.0.1:9999/metrics"
    assert "web.config" not in nginx["unit"]["exec"]


@pytest.mark.parametrize("tls", [True, False])
def test_prometheus_asks_as_they_want_to_be_asked(tls: bool) -> None:
    described = platform(exporter_tls=tls)
    jobs = {job["job_name"]: job for job in topology.scrape_jobs(described, GROUPS, example.ADDRESSES)}
    for name in ("node", *sorted(set(ALL) - {"cadvisor"})):
        assert (jobs[name].get("scheme") == "https") is tls
        assert ("basic_auth" in jobs[name]) is tls
    # Whoever knows no TLS is asked without, and is not given the password.
    assert not {"scheme", "basic_auth"} & {*jobs["prometheus"], *jobs["cadvisor"]}
    assert jobs["nginx"]["static_configs"] == [{"targets": ["192.0.2.10:9999"], "labels": {"host": "edge1"}}]


def test_cadvisor_is_asked_for_what_is_used_and_no_more() -> None:
    unit = on("app1")["cadvisor"]["unit"]
    flags = dict(word.partition("=")[::2] for word in unit["exec"].split()[1:])
    left_out = flags["--disable_metrics"].split(",")
    assert not {"cpu", "memory", "network", "oom_event", "disk", "diskIO", "pressure"} & set(left_out)
    assert {"app", "percpu", "process", "tcp"} <= set(left_out)
    assert len(set(left_out)) == len(left_out)
    # Idle containers are looked at often enough for rates over a minute.
    assert flags["--max_housekeeping_interval"] == "15s"
    assert (flags["--docker_only"], flags["--store_container_labels"]) == ("true", "false")
    assert (unit["user"], unit["after"]) == ("root", ["docker.service"])


def test_containers_that_are_gone_are_gone_from_the_graphs() -> None:
    """cAdvisor's samples bear their own time, and Prometheus marks the end of such series only when it is told to."""
    jobs = {job["job_name"]: job for job in topology.scrape_jobs(platform(), GROUPS, example.ADDRESSES)}
    assert [name for name, job in jobs.items() if job.get("track_timestamps_staleness")] == ["cadvisor"]


def test_only_prometheus_gets_through_the_firewall() -> None:
    rules = topology.firewall_rules(platform(), "data1", GROUPS, example.ADDRESSES)
    assert {rule["port"]: rule["sources"] for rule in rules if rule["port"] in (9187, 9121)} == {
        9187: ["192.0.2.30/32"],
        9121: ["192.0.2.30/32"],
    }


def test_an_exporter_must_be_pinned(tmp_path: Path) -> None:
    edit = ("    targets:\n", "    exporters:\n      postgresql: {version: '0.1'}\n    targets:\n")
    [problem] = example.problems(tmp_path, edit)
    assert "platform.monitoring.exporters.postgresql.version: " in problem
    assert "has no artifact 'postgres_exporter'" in problem


def test_a_password_must_be_declared(tmp_path: Path) -> None:
    mysql = "    exporters:\n      mysql: {version: '1', groups: [data], password: chat_redi}\n    targets:\n"
    found = example.problems(tmp_path, ("    targets:\n", mysql))
    assert any("exporters.mysql.password: " in line and "did you mean 'chat_redis'" in line for line in found), found


# What they show


def test_all_hosts_share_one_password_and_have_certificates_of_their_own(tmp_path: Path) -> None:
    store = Store(tmp_path / "exporters")
    first, again = (scraping.web_of(store, "chat", "app1", ["10.0.0.1"]) for _ in range(2))
    other = scraping.web_of(store, "chat", "app2", ["10.0.0.2"])
    assert first == again
    assert (first.password, first.digest, first.authority) == (other.password, other.digest, other.authority)
    assert first.key != other.key
    assert scraping.web_of(Store(tmp_path / "none"), "chat", "app1", [], check=True).password == UNSET


def test_a_store_within_a_store_leaves_that_closed(tmp_path: Path) -> None:
    """Whichever is asked first."""
    secrets = tmp_path / "secrets"
    scraping.password(Store(secrets / "exporters"))
    assert len(Store(secrets).ensure("other", 8)) == 8
    assert (secrets / "exporters").stat().st_mode & 0o077 == 0


@settings(max_examples=5, deadline=None)
@given(st.text(min_size=1, max_size=40, alphabet=st.characters(codec="ascii", exclude_characters="\0")))
def test_a_digest_is_of_its_password_and_always_the_same(word: str) -> None:
    digest = scraping.digest(word)
    assert digest == scraping.digest(word)
    assert bcrypt.checkpw(word.encode(), digest.encode())
    assert not bcrypt.checkpw(word.encode() + b"x", digest.encode())
