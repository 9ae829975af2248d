"""A real Loki with the product's configuration, and the product's gateway before it: what is stored, what is refused
and where that goes, and that nothing is lost. Tests stand in the order in which its limit of streams is used up."""

from __future__ import annotations

import datetime as dt
import json
import shlex
import ssl
import subprocess
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.logging.gateway import Gateway
from ansible_collections.devops.platform.plugins.module_utils.logging.outputs import ServerError
from ansible_collections.devops.platform.plugins.module_utils.platform.pki import Authority
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Store
from ansible_collections.devops.platform.tests.unit.logging.recorded import recordings
from tests.logging.loki.server import LIMITS, Loki

LONG = 4096  # more than a line may have


def document(number: int, **more: Any) -> dict[str, Any]:
    at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=60) + dt.timedelta(milliseconds=number)
    usual = {"host": "app1", "app": "chat", "service": "api", "environment": "lab", "source": "chat", "level": "info"}
    return {"@timestamp": at.isoformat(), "message": f"line {number}", **usual, "key": str(number), **more}


def push(gateway: Gateway, documents: list[dict[str, Any]]) -> None:
    lines = [json.dumps(each).encode() for each in documents]
    assert gateway.take("loki", lines, True) == len(lines)


def messages(loki: Loki, selector: str) -> list[str]:
    return sorted(str(line["message"]) for line in loki.lines(selector))


def test_it_accepts_its_configuration(loki: Loki) -> None:
    """With the very command that stands before a change on hosts."""
    [file] = [file for file in loki.component["files"] if file.get("validate")]
    command = file["validate"].replace("{release}/loki", str(loki.program)) % loki.config
    assert subprocess.run(shlex.split(command), capture_output=True, timeout=60, check=False).returncode == 0
    broken = loki.folder / "broken.yml"
    broken.write_text(loki.config.read_text().replace("retention_period", "retention_perriod"))
    command = command.replace(str(loki.config), str(broken))
    assert subprocess.run(shlex.split(command), capture_output=True, timeout=60, check=False).returncode != 0


def test_nobody_is_answered_without_a_certificate_of_its_authority(loki: Loki) -> None:
    none = ssl.create_default_context(cafile=str(loki.folder / "ca.crt"))
    other = Authority(Store(loki.folder / "other"), "other", peers=True).issue("x", ["127.0.0.1"])
    (loki.folder / "x.crt").write_text(other.certificate)
    (loki.folder / "x.key").write_text(other.key)
    for context in (none, loki.context(loki.folder / "x.crt", loki.folder / "x.key")):
        with pytest.raises(OSError, match=r"(?i)certificate|unknown ca|reset|closed|eof|broken pipe"):
            loki.ask("/ready", context)
    assert loki.ask("/ready").strip() == "ready"


def test_lines_are_found_by_the_job_that_prometheus_knows(loki: Loki) -> None:
    lines = [line.document for each in recordings() for line in each.lines if line.source == "chat"]
    assert lines
    ours = {key: document(0)[key] for key in ("host", "app", "service", "environment", "level")}
    recorded = [
        document(number, **{**line, **ours, "@timestamp": document(number)["@timestamp"]})
        for number, line in enumerate(lines)
    ]
    push(loki.gateway(), recorded)
    found = loki.lines('{job="chat-api"}')
    assert sorted(line["message"] for line in found) == sorted(line["message"] for line in recorded)
    assert all(line["id"] for line in found)
    assert loki.taken_back() == []


def test_labels_are_those_that_are_declared_and_no_others(loki: Loki) -> None:
    labels = json.loads(loki.ask("/loki/api/v1/labels"))["data"]
    assert labels == ["app", "environment", "host", "job", "level", "service"]


def test_a_line_that_comes_again_is_the_same(loki: Loki) -> None:
    gateway, lines = loki.gateway(), [document(1000 + number, message=f"again {number}") for number in range(20)]
    push(gateway, lines[:15])
    push(gateway, lines)
    assert len(messages(loki, '{job="chat-api"} |= "again"')) == 20


def test_a_line_that_is_too_long_stays_on_its_host(loki: Loki) -> None:
    gateway = loki.gateway()
    before = loki.discarded("line_too_long")
    push(gateway, [document(2000), document(2001, message="x" * LONG), document(2002)])
    assert {"line 2000", "line 2002"} <= set(messages(loki, '{job="chat-api"}'))
    [kept] = loki.taken_back()
    assert kept["document"]["message"] == "x" * LONG
    assert "max entry size" in kept["reason"]
    assert loki.discarded("line_too_long") > before
    assert 'log_shipper_refused_lines_total{app="chat",output="loki",reason="400"} 1' in gateway.counters.text({})


def test_what_is_older_than_it_keeps_stays_on_its_host(loki: Loki) -> None:
    push(loki.gateway(), [document(1, **{"@timestamp": "2020-01-01T00:00:00Z", "message": "of old"})])
    [kept] = loki.taken_back()
    assert "too old" in kept["reason"]


def test_too_much_a_second_comes_again(loki: Loki) -> None:
    """Three megabytes at once, of which two are allowed: not now, and nothing is kept aside."""
    lines = [document(5000 + number, message="y" * 1500) for number in range(2200)]
    with pytest.raises(ServerError, match="rate limit"):
        push(loki.gateway(), lines)
    assert loki.taken_back() == []
    assert loki.discarded("rate_limited") > 0


def test_nothing_is_lost_when_it_dies(loki: Loki) -> None:
    gateway = loki.gateway()
    push(gateway, [document(9000 + number, message=f"before {number}") for number in range(50)])
    loki.kill()
    later = [document(9100 + number, message=f"after {number}") for number in range(50)]
    with pytest.raises(ServerError):
        push(gateway, later)
    loki.start()
    push(gateway, later)  # the shipper has them in its queue, and comes again
    assert len(messages(loki, '{job="chat-api"} |= "before"')) == 50
    assert len(messages(loki, '{job="chat-api"} |= "after"')) == 50


def test_lines_of_too_many_streams_stay_on_their_hosts(loki: Loki) -> None:
    gateway = loki.gateway()
    hosts = [document(number, host=f"h{number:02}", message=f"of host {number}") for number in range(30)]
    push(gateway, [*hosts, document(9900, message="of a stream that is there")])
    kept = loki.taken_back()
    stored = messages(loki, '{job="chat-api"} |= "of host"')
    assert len(kept) + len(stored) == 30
    assert 0 < len(stored) <= int(str(LIMITS["streams"]))
    assert all("maximum active stream limit" in each["reason"] for each in kept)
    assert messages(loki, '{job="chat-api"} |= "of a stream that is there"')
    assert loki.discarded("stream_limit") > 0


def test_lines_are_kept_as_long_as_declared(loki: Loki) -> None:
    """Loki's own view of it; the compactor removes two hours after that."""
    config = yaml.safe_load(loki.ask("/config"))
    limits = config["limits_config"]
    assert limits["retention_period"] == "2w"
    [stream] = limits["retention_stream"]
    assert (stream["period"], stream["selector"]) == ("4w", '{app="shop"}')
    assert config["compactor"]["retention_enabled"] is True
    assert config["analytics"]["reporting_enabled"] is False


@pytest.mark.parametrize(
    "metric",
    [
        'loki_request_duration_seconds_count{method="POST",route="loki_api_v1_push",status_code="204"',
        'loki_request_duration_seconds_count{method="POST",route="loki_api_v1_push",status_code="400"',
        "loki_discarded_samples_total{",
        "loki_ingester_memory_streams{",
    ],
)
def test_it_says_of_itself_what_rules_and_dashboards_read(loki: Loki, metric: str) -> None:
    push(loki.gateway(), [document(9950), document(9951, message="x" * LONG)])
    assert loki.taken_back()
    assert f"\n{metric}" in loki.ask("/metrics")
