"""What preflight says of platform.logging.loki, each with its place; and what the rest of the platform makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.logging import model, shipper
from ansible_collections.devops.platform.plugins.module_utils.loki import server, settings
from ansible_collections.devops.platform.plugins.module_utils.platform import grafana, listeners, topology
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.roles import placement
from ansible_collections.devops.platform.tests.unit.platform import example

MARK = "  edge:\n"
LOGGING = """\
  logging:
    group: app
    loki:
      version: "3.7.8"
      group: monitoring
      port: 3100
      directory: /srv/loki
      limits: {rate: 4MB, burst: 8MB, stream_rate: 1MB, line: 64KB, streams: 100, labels: 10}
    retention: {default: 14d, apps: {chat: 4w}}
    sources:
      chat: {type: docker, groups: [app], apps: [chat], parser: json}
    outputs:
      loki: {labels: [app, host]}
    enrich: {team: web}
"""
TLS = {"certificate": "CERTIFICATE", "key": "KEY", "authority": "AUTHORITY"}


def edited(*edits: tuple[str, str]) -> str:
    text = LOGGING
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def found(root: Path, *edits: tuple[str, str]) -> list[str]:
    problems = example.problems(root, (MARK, edited(*edits) + MARK))
    return [problem for problem in problems if "has no artifact 'loki'" not in problem]


def platform(*edits: tuple[str, str]) -> dict[str, Any]:
    return example.data((MARK, edited(*edits) + MARK))


def test_a_right_one(tmp_path):
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("      group: monitoring\n", "", "logging.group: 'app' has 2 hosts, and Loki keeps its lines on one"),
        ("group: monitoring", "group: app", "loki.group: 'app' has 2 hosts"),
        ("group: monitoring", "group: monitorin", "the inventory has no group 'monitorin'; did you mean 'monitoring'?"),
        ("default: 14d", "default: 12h", "retention.default: Loki keeps lines for a day at least"),
        ("chat: 4w", "chat: 23h", "retention.apps.chat: Loki keeps lines for a day at least"),
        ("port: 3100", "port: 3100\n      retention: 2h", "loki.retention: Loki keeps lines for a day at least"),
        ("burst: 8MB", "burst: 1MB", "limits.burst: is less than the rate 4MB"),
        ("line: 64KB", "line: 64", "limits.line"),
        ("streams: 100", "streams: 0", "limits.streams"),
        ("[app, host]", "[app, request_id]", "labels[1]: 'request_id' may have a value of its own in each line"),
        ("[app, host]", "[app, user]", "labels[1]: 'user' may have a value of its own in each line"),
        ("[app, host]", "[app, hots]", "did you mean 'host'?"),
        ("port: 3100", "port: 9090", "port 9090 is prometheus's"),
        ("port: 3100", "prot: 3100", "did you mean 'port'"),
    ],
)
def test_mistakes(tmp_path, old, new, expected):
    assert any(expected in problem for problem in found(tmp_path, (old, new))), found(tmp_path, (old, new))


def test_what_is_added_to_all_lines_may_be_a_label(tmp_path):
    assert found(tmp_path, ("[app, host]", "[app, team]")) == []


def test_an_output_needs_a_server(tmp_path):
    start, end = LOGGING.index("    loki:\n"), LOGGING.index("    retention")
    problems = found(tmp_path, (LOGGING[start:end], ""))
    assert any("outputs.loki: has no server: there is no platform.logging.loki" in problem for problem in problems)


def test_it_needs_a_group(tmp_path):
    problems = found(tmp_path, ("    group: app\n", ""), ("      group: monitoring\n", ""))
    assert any("platform.logging.loki: lacks the key 'group'" in problem for problem in problems), problems


def test_it_is_pinned(tmp_path):
    problems = example.problems(tmp_path, (MARK, LOGGING + MARK))
    assert any("artifacts.lock.yml has no artifact 'loki'" in problem for problem in problems)


def test_who_may_reach_it_and_where_it_runs():
    [listener] = [each for each in listeners.listeners(platform()) if each.name == "loki"]
    assert (listener.port, listener.groups, listener.from_groups) == (3100, ("monitoring",), ("all",))
    assert listener.networks == ()
    assert placement.phase_groups(platform(), "mon1", example.GROUPS) == ["platform_loki", "platform_monitoring"]
    assert "platform_loki" not in placement.phase_groups(example.data(), "mon1", example.GROUPS)


def test_it_is_asked_with_a_certificate():
    jobs = topology.scrape_jobs(platform(), example.GROUPS, example.ADDRESSES)
    [job] = [job for job in jobs if job["job_name"] == "loki"]
    assert job["scheme"] == "https"
    assert job["static_configs"][0]["targets"] == ["192.0.2.30:3100"]
    assert set(job["tls_config"]) == {"ca_file", "cert_file", "key_file"}
    [source] = [
        each
        for each in grafana.grafana_datasources(platform(), example.GROUPS, example.ADDRESSES)
        if each["uid"] == "loki"
    ]
    assert source["url"] == "https://192.0.2.30:3100"
    assert source["secureJsonData"]["tlsClientKey"] == "$__file{/etc/grafana/secrets/loki.key}"


def test_the_gateway_shows_a_certificate():
    made = shipper.log_shipper_components(platform(), "app1", example.GROUPS, example.ADDRESSES, {}, "PEM", TLS)
    gateway = made[0]
    files = {file["path"]: file for file in gateway["files"]}
    [output] = json.loads(files["/etc/log-shipper/gateway.json"]["content"])["outputs"]
    assert output["urls"] == ["https://192.0.2.30:3100"]
    assert [files[output[key]]["content"] for key in ("ca", "certificate", "key")] == [
        "AUTHORITY",
        "CERTIFICATE",
        "KEY",
    ]
    assert files[output["key"]]["mode"] == "0600"
    assert gateway["secrets"] == {"loki_key": "KEY"}
    with pytest.raises(PlatformError, match="asks for a certificate"):
        shipper.log_shipper_components(platform(), "app1", example.GROUPS, example.ADDRESSES, {}, "PEM")


def test_a_loki_of_somebody_else_is_asked_without():
    declared = platform(("loki: {labels: [app, host]}", 'loki: {urls: ["https://loki.example"]}'))
    [output] = model.logging_of(declared, example.GROUPS, example.ADDRESSES).outputs
    assert (output.urls, output.own) == (("https://loki.example",), False)


def component(*edits: tuple[str, str]) -> dict[str, Any]:
    return server.loki_component(platform(*edits), "mon1", example.ADDRESSES, TLS)


def config(*edits: tuple[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(component(*edits)["files"][-1]["content"])
    return found


def test_only_who_shows_a_certificate_is_answered():
    tls = config()["server"]["http_tls_config"]
    assert tls["client_auth_type"] == "RequireAndVerifyClientCert"
    assert config()["server"]["grpc_listen_address"] == "127.0.0.1"
    probe = component()["probe"]
    assert (probe["certificate"], probe["key"]) == (tls["cert_file"], tls["key_file"])


def test_lines_stay_as_long_as_declared():
    limits = config()["limits_config"]
    assert limits["retention_period"] == "336h"
    assert limits["retention_stream"] == [{"selector": '{app="chat"}', "priority": 1, "period": "672h"}]
    assert limits["reject_old_samples_max_age"] == "672h"
    own = config(("port: 3100", "port: 3100\n      retention: 2d"))["limits_config"]
    assert (own["retention_period"], "retention_stream" in own, own["reject_old_samples_max_age"]) == (
        "48h",
        False,
        "48h",
    )
    assert config()["compactor"]["retention_enabled"] is True


def test_limits_are_loki_s_own():
    limits = config()["limits_config"]
    assert (limits["ingestion_rate_mb"], limits["ingestion_burst_size_mb"]) == (4, 8)
    assert (limits["max_line_size"], limits["per_stream_rate_limit"]) == (65536, 1 << 20)
    assert (limits["max_global_streams_per_user"], limits["max_label_names_per_series"]) == (100, 10)


def test_the_key_is_a_secret_and_only_loki_reads_it():
    made = component()
    assert made["secrets"] == {"tls_key": "KEY"}
    [key] = [file for file in made["files"] if file["content"] == "KEY"]
    assert (key["mode"], key["group"]) == ("0640", "loki")
    assert {each["path"]: each.get("data", False) for each in made["directories"]} == {
        "/etc/loki": False,
        "/srv/loki": True,
    }


@pytest.mark.parametrize(("text", "size"), [("1B", 1), ("256KB", 262144), ("8MB", 8 << 20), ("1GB", 1 << 30)])
def test_sizes(text, size):
    assert settings.size(text) == size


@pytest.mark.parametrize("text", ["", "0MB", "8", "8 MB", "8mb", "1.5MB"])
def test_no_sizes(text):
    with pytest.raises(ValueError, match="is no size"):
        settings.size(text)


def test_nothing_is_declared():
    assert settings.loki_url({}, {}, {}) == ""
    with pytest.raises(PlatformError, match=r"no platform\.logging\.loki"):
        settings.settings_of({})
