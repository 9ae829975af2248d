"""What preflight says of platform.logging.kibana; and what the rest of the platform makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import nodes
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import settings as elasticsearch
from ansible_collections.devops.platform.plugins.module_utils.kibana import server
from ansible_collections.devops.platform.plugins.module_utils.platform import listeners
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.roles import placement
from ansible_collections.devops.platform.tests.unit.platform import example

MARK = "  edge:\n"
NAMES = "      chat_redis:\n"
SECRETS = ("es_superuser", "es_shipper", "es_reader", "es_kibana", "kibana_key")
LOGGING = """\
  logging:
    group: data
    elasticsearch:
      version: "8.15.0"
      passwords: {superuser: es_superuser, shipper: es_shipper, reader: es_reader, kibana_system: es_kibana}
    kibana: {version: "8.15.0", group: monitoring, port: 5601, url: "https://logs.example/", encryption_key: kibana_key}
"""
TLS = {"certificate": "CERTIFICATE", "key": "KEY", "authority": "AUTHORITY"}
VALUES = {"password": "of-kibana-42", "encryption_key": "of-keys-42"}


def edits(*changes: tuple[str, str]) -> list[tuple[str, str]]:
    text = LOGGING
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    names = "".join(f"      {name}:\n" for name in SECRETS)
    return [(MARK, text + MARK), (NAMES, names + NAMES)]


def found(root: Path, *changes: tuple[str, str]) -> list[str]:
    problems = example.problems(root, *edits(*changes))
    return [problem for problem in problems if "lock.yml has no artifact" not in problem]


def test_a_right_one(tmp_path):
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (", kibana_system: es_kibana", "", "elasticsearch.passwords: lacks the key 'kibana_system'"),
        ('"8.15.0"\n', '"8.15.0"\n      distribution: integ-test\n', "kibana: the distribution integ-test"),
        (", encryption_key: kibana_key", "", "lacks the key 'encryption_key'"),
        ("encryption_key: kibana_key", "encryption_key: kibana_kye", "no secret 'kibana_kye' is declared"),
        ("group: monitoring", "group: monitorin", "did you mean 'monitoring'?"),
        ("port: 5601", "port: 9090", "port 9090 is prometheus's"),
        ('"https://logs.example/"', "logs.example", "kibana.url"),
        ("port: 5601", "password: x", "password"),
    ],
)
def test_mistakes(tmp_path, old, new, expected):
    assert any(expected in problem for problem in found(tmp_path, (old, new))), found(tmp_path, (old, new))


def test_there_must_be_something_to_show(tmp_path):
    start, end = LOGGING.index("    elasticsearch:"), LOGGING.index("    kibana:")
    problems = found(tmp_path, (LOGGING[start:end], ""))
    assert any("kibana: shows what Elasticsearch has, and there is no" in problem for problem in problems), problems


def test_it_is_pinned(tmp_path):
    problems = example.problems(tmp_path, *edits())
    assert any("artifacts.lock.yml has no artifact 'kibana'" in problem for problem in problems)


def test_who_may_reach_it_and_where_it_runs():
    platform = example.data(*edits())
    [listener] = [each for each in listeners.listeners(platform) if each.name == "kibana"]
    assert (listener.port, listener.groups, listener.networks) == (5601, ("monitoring",), ("192.0.2.1/32",))
    assert "platform_kibana" in placement.phase_groups(platform, "mon1", example.GROUPS)
    assert "platform_kibana" not in placement.phase_groups(platform, "data1", example.GROUPS)


def test_readers_may_look_at_everything_and_change_nothing():
    platform = example.data(*edits())
    assert nodes.roles(elasticsearch.settings_of(platform))["log_reader"]["applications"] == [
        {"application": "kibana-.kibana", "privileges": ["read"], "resources": ["*"]}
    ]
    del platform["logging"]["kibana"]
    assert "applications" not in nodes.roles(elasticsearch.settings_of(platform))["log_reader"]


def component(*changes: tuple[str, str]) -> dict[str, Any]:
    platform = example.data(*edits(*changes))
    return server.kibana_component(platform, "mon1", example.GROUPS, example.ADDRESSES, VALUES, TLS, "NODES")


def content(made: dict[str, Any], name: str) -> Any:
    [file] = [each for each in made["files"] if each["path"] == f"/etc/kibana/{name}"]
    return file["content"] if not name.endswith(".yml") else yaml.safe_load(file["content"])


def test_it_speaks_tls_to_both_sides_and_tells_nobody():
    made = component()
    config = content(made, "kibana.yml")
    assert config["elasticsearch.hosts"] == ["https://192.0.2.20:9200"]
    assert config["elasticsearch.ssl.verificationMode"] == "full"
    assert content(made, "elasticsearch-ca.crt") == "NODES"
    assert config["server.ssl.enabled"] is True
    assert config["server.publicBaseUrl"] == "https://logs.example"
    assert (config["telemetry.optIn"], config["newsfeed.enabled"], config["status.allowAnonymous"]) == (False,) * 3
    assert config["xpack.security.authc.providers"] == {"basic.basic1": {"order": 0}}
    own = component((', url: "https://logs.example/"', ""))
    assert content(own, "kibana.yml")["server.publicBaseUrl"] == "https://192.0.2.30:5601"


def test_secrets_are_in_a_file_of_their_own():
    made = component()
    hidden = content(made, "secrets.yml")
    assert hidden["elasticsearch.password"] == "of-kibana-42"
    keys = [hidden[name] for name in server.ENCRYPTED]
    assert len(set(keys)) == len(keys)
    assert all(len(key) >= 32 and "of-keys" not in key for key in keys)
    assert set(made["secrets"].values()) >= {"KEY", *hidden.values()}
    rest = str({key: value for key, value in made.items() if key != "secrets"} | {"files": content(made, "kibana.yml")})
    assert not any(value in rest for value in hidden.values())
    assert {file["mode"] for file in made["files"]} == {"0640"}


def test_what_it_needs_of_secrets():
    assert server.kibana_secrets(example.data(*edits())) == {"password": "es_kibana", "encryption_key": "kibana_key"}
    with pytest.raises(PlatformError, match=r"no platform\.logging\.kibana"):
        server.settings_of({})
