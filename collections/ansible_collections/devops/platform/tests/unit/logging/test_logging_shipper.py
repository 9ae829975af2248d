"""What a host gets: two components, with secrets where they belong, of either backend."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.logging import model, shipper
from ansible_collections.devops.platform.plugins.module_utils.platform import compose
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.tests.unit.platform import example

WORD = "of-the-shipper-42"


def components(backend: str = "rsyslog", host: str = "app1") -> list[dict[str, Any]]:
    edits = [("  edge:\n", f"{example.LOGGING}  edge:\n"), ("backend: rsyslog", f"backend: {backend}, version: '4.1'")]
    platform = example.data(*edits)
    return shipper.log_shipper_components(platform, host, example.GROUPS, {}, {"log_shipper": WORD}, "PEM")


@pytest.mark.parametrize("backend", model.BACKENDS)
def test_secrets_are_in_files_for_root_and_declared(backend: str) -> None:
    for component in components(backend):
        assert component["secrets"] == {"log_shipper": WORD}
        holding = [file for file in component["files"] if WORD in file.get("content", "")]
        assert {file["mode"] for file in holding} <= {"0600"}
        assert WORD not in json.dumps({key: component[key] for key in ("unit", "probe", "name", "directories")})


def test_rsyslog_is_one_beside_the_distributions() -> None:
    gateway, rsyslog = components()
    assert [gateway["name"], rsyslog["name"]] == ["log_gateway", "log_shipper"]
    assert "-f /etc/log-shipper/rsyslog.conf" in rsyslog["unit"]["exec"]
    assert all(not file["path"].startswith("/etc/rsyslog") for file in rsyslog["files"])
    assert rsyslog["files"][0]["validate"].endswith("/usr/sbin/rsyslogd -N1 -f %s")


def test_fluent_bit_checks_itself() -> None:
    _gateway, bit = components("fluent_bit")
    assert "--dry-run" in bit["files"][0]["validate"]
    assert bit["release"] == {"artifact": "fluent_bit", "version": "4.1", "binaries": ["bin/fluent-bit"]}


def gateway_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    [text] = [file["content"] for file in found[0]["files"] if file["path"].endswith("/gateway.json")]
    config: dict[str, Any] = json.loads(text)
    return config


def test_the_gateway_may_write_what_it_reads() -> None:
    gateway, rsyslog = components()
    assert gateway_of([gateway])["spool"] in gateway["unit"]["writable"]
    for component in (gateway, rsyslog):
        assert gateway_of([gateway])["spool"] in [item["path"] for item in component["directories"]]


def test_an_output_has_a_port_or_a_spool_of_its_own() -> None:
    config = gateway_of(components("fluent_bit"))
    assert {output["name"]: output["port"] for output in config["outputs"]} == {"elasticsearch": 9881, "loki": 9882}
    config, text = gateway_of(components()), components()[1]["files"][0]["content"]
    assert {output["name"]: output["port"] for output in config["outputs"]} == {"elasticsearch": 0, "loki": 0}
    assert all(f'string="{config["spool"]}/{name}-%$year%' in text for name in ("elasticsearch", "loki"))
    # Servers of somebody else: what the host trusts vouches for them.
    assert [output["ca"] for output in config["outputs"]] == ["", ""]


def test_a_host_has_the_sources_of_its_groups() -> None:
    text = components(host="data1")[1]["files"][0]["content"]
    assert "source_own" not in text
    assert 'set $.source = "system"' in text


def test_elasticsearch_of_the_platform_is_found_by_its_group() -> None:
    platform = {"logging": {"group": "data", "elasticsearch": {"port": 9201}, "outputs": {"elasticsearch": {}}}}
    found = model.logging_of(platform, {"data": ["d2", "d1"]}, {"d1": "192.0.2.1", "d2": "2001:db8::2"})
    assert found.outputs[0].urls == ("https://[2001:db8::2]:9201", "https://192.0.2.1:9201")
    with pytest.raises(PlatformError, match="has no server"):
        model.logging_of({"logging": {"outputs": {"loki": {}}}}, {}, {})


PASSWORDS = {"superuser": "es_superuser", "shipper": "es_shipper", "reader": "es_reader"}


def test_the_platforms_own_elasticsearch_is_said_once() -> None:
    """Servers, user, password and authority of the output follow from the cluster's part."""
    own = {"version": "8.15.0", "passwords": PASSWORDS}
    logging: dict[str, Any] = {"group": "data", "elasticsearch": own, "outputs": {"elasticsearch": {}}}
    logging["sources"] = {"system": {"type": "journal"}}
    platform = {"name": "p", "environment": "lab", "logging": logging}
    assert shipper.log_shipper_secrets(platform) == ["es_shipper"]
    groups, secrets = {"all": ["a1"], "data": ["d1", "d2"]}, {"es_shipper": WORD}
    addresses = {"d1": "192.0.2.1", "d2": "192.0.2.2"}
    gateway, _shipper = shipper.log_shipper_components(platform, "a1", groups, addresses, secrets, "PEM")
    config = gateway_of([gateway])
    [output] = config["outputs"]
    assert (output["user"], output["password"], output["ca"]) == ("shipper", WORD, "/etc/log-shipper/ca.crt")
    assert sorted(output["urls"]) == ["https://192.0.2.1:9200", "https://192.0.2.2:9200"]
    assert {"path": "/etc/log-shipper/ca.crt", "content": "PEM", "mode": "0644"} in gateway["files"]
    assert (config["prefix"], config["system"], config["dead_letter"]) == ("logs-lab-", "system", "dead-letter")


def test_hosts_begin_with_different_servers() -> None:
    urls = ("a", "b", "c")
    turned = [shipper.turned(urls, f"app{number}") for number in range(30)]
    assert {found[0] for found in turned} == set(urls)
    assert all(sorted(found) == list(urls) for found in turned)


def test_containers_log_to_the_journal_where_their_lines_are_wanted() -> None:
    def of_api(*edits: tuple[str, str]) -> dict[str, Any]:
        project = compose.compose_project(
            example.data(*edits), "chat", "app1", example.GROUPS, example.ADDRESSES, example.IMAGES["images"]
        )
        found: dict[str, Any] = project["services"]["api"]
        return found

    assert of_api()["logging"]["driver"] == "local"
    assert "labels" not in of_api()
    api = of_api(("  edge:\n", f"{example.LOGGING}  edge:\n"))
    assert api["logging"]["driver"] == "journald"
    assert api["logging"]["options"]["labels"].split(",") == [*compose.COMPOSE_LABELS, compose.VERSION_LABEL]
    assert list(api["labels"]) == [compose.VERSION_LABEL]
