"""What preflight says of platform.logging, each with its place; and what the rest of the platform makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform import exporters, listeners
from ansible_collections.devops.platform.plugins.module_utils.roles import placement
from ansible_collections.devops.platform.tests.unit.elasticsearch import documented
from ansible_collections.devops.platform.tests.unit.platform import example

MARK = "  edge:\n"
NAMES = "      chat_redis:\n"
SECRETS = ("es_superuser", "es_shipper", "es_reader", "es_monitor")
LOGGING = """\
  logging:
    group: data
    elasticsearch:
      version: "8.15.0"
      passwords: {superuser: es_superuser, shipper: es_shipper, reader: es_reader, monitor: es_monitor}
      snapshots: {directory: /srv/snapshots}
    retention: {default: 14d, apps: {chat: 30d}}
"""


def found(root: Path, *edits: tuple[str, str]) -> list[str]:
    text = LOGGING
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    names = "".join(f"      {name}:\n" for name in SECRETS)
    problems = example.problems(root, (MARK, text + MARK), (NAMES, f"{names}{NAMES}"))
    return [problem for problem in problems if "has no artifact 'elasticsearch'" not in problem]


def test_a_right_one(tmp_path):
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("group: data", "group: dat", "platform.logging.group: the inventory has no group 'dat'; did you mean 'data'?"),
        ("shipper: es_shipper", "shipper: es_shiper", "no secret 'es_shiper' is declared; did you mean 'es_shipper'?"),
        ("reader: es_reader", "reader: es_shipper", "passwords.reader: is the secret of shipper already"),
        ("reader: es_reader, ", "", "lacks the key 'reader'"),
        ("{directory: /srv/snapshots}", "{keep: 3}", "lacks where snapshots go; give it a directory or s3"),
        ("/srv/snapshots}", "/srv/snapshots, s3: {bucket: abc}}", "they go to a directory already"),
        ("/srv/snapshots}", "/srv/snapshots, at: '24:00'}", "is not a time of day"),
        ("default: 14d", "default: 14", "retention.default"),
        ("chat: 30d", "chta: 30d", "no line is of an app 'chta'; did you mean 'chat'?"),
        ('"8.15.0"\n', '"8.15.0"\n      heap: 512\n', "heap"),
        ('"8.15.0"\n', '"8.15.0"\n      port: 9300\n', "port 9300 is elasticsearch's"),
        ('"8.15.0"\n', '"8.15.0"\n      port: 5432\n', "port 5432 is postgresql's"),
        (
            '"8.15.0"\n',
            '"8.15.0"\n      settings: {cluster.name: x}\n',
            'settings["cluster.name"]: follows from',
        ),
        ('"8.15.0"\n', '"8.15.0"\n      settings: {xpack.security.enabled: false}\n', "cannot be set here"),
        ('"8.15.0"\n', '"8.15.0"\n      distribution: integ-test\n', "lacks the key 'retention': this distribution"),
        ("monitor: es_monitor}", "monitor: es_monitor, elastic: x}", "no secret 'x' is declared"),
    ],
)
def test_mistakes(tmp_path, old, new, expected):
    assert any(expected in problem for problem in found(tmp_path, (old, new))), found(tmp_path, (old, new))


SHIPPED = """\
    sources:
      access: {type: file, path: /var/log/nginx/access.log, parser: nginx, app: edge}
    outputs: {elasticsearch: {password: es_shipper}}
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("chat: 30d", "edge: 30d, system: 7d, dead-letter: 90d", ""),
        ("{password: es_shipper}", "{}", ""),
        ("{password: es_shipper}", "{user: shipper}", ""),
        ("chat: 30d", "egde: 30d", "no line is of an app 'egde'; did you mean 'edge'?"),
        ("app: edge}", "app: dead-letter}", "sources.access.app: logs-"),
        (
            "{password: es_shipper}",
            "{password: es_reader}",
            "password: the platform's own Elasticsearch knows its shipper by the secret 'es_shipper'",
        ),
        (
            "{password: es_shipper}",
            "{user: someone}",
            "outputs.elasticsearch.user: to the platform's own",
        ),
    ],
)
def test_what_is_shipped_there(tmp_path, old, new, expected):
    problems = found(tmp_path, ("    retention:", f"{SHIPPED}    retention:"), (old, new))
    assert any(expected in problem for problem in problems) if expected else problems == []


def test_what_integ_test_cannot(tmp_path):
    edits = [
        ('"8.15.0"\n', '"8.15.0"\n      distribution: integ-test\n'),
        ("monitor: es_monitor}", "elastic: es_monitor}"),
        ("{directory: /srv/snapshots}", "{s3: {bucket: abc}}"),
    ]
    text = "\n".join(found(tmp_path, *edits))
    assert "passwords.elastic: the distribution integ-test cannot store users" in text
    assert "snapshots.s3: the distribution integ-test has no S3" in text


def test_nothing_to_keep(tmp_path):
    text = "  logging: {group: data, retention: {default: 14d}}\n"
    assert any(
        "there is no elasticsearch or loki in platform.logging" in problem
        for problem in example.problems(tmp_path, (MARK, text + MARK))
    )


def test_ports():
    by_name = {listener.name: listener for listener in listeners.listeners(documented.platform())}
    assert by_name["elasticsearch"].from_groups == ("all",)
    transport = by_name["elasticsearch transport"]
    assert (transport.port, transport.from_groups, transport.peers) == (9300, ("logging",), False)


def test_phase():
    assert placement.phase_groups(documented.platform(), "log1", documented.GROUPS) == ["platform_logging"]


def test_an_exporter_watches_the_node_beside_it():
    platform = {**documented.platform(), "monitoring": {"exporters": {"elasticsearch": {"version": "1.7.0"}}}}
    assert exporters.secret_names(platform, "log2", documented.GROUPS) == ["es_monitor"]
    assert exporters.secret_names(platform, "app1", documented.GROUPS) == []
    (made,) = exporters.exporter_components(
        platform, "log2", documented.GROUPS, documented.ADDRESSES, {"es_monitor": "word"}, None, "", "AUTHORITY"
    )
    assert (
        "--es.uri=https://127.0.0.1:9200 --es.ca=/etc/elasticsearch_exporter/elasticsearch.crt" in made["unit"]["exec"]
    )
    contents = {item["path"].rpartition("/")[2]: item["content"] for item in made["files"]}
    assert contents == {"elasticsearch.crt": "AUTHORITY", "environment": "ES_USERNAME=monitor\nES_PASSWORD=word\n"}
    assert "word" not in made["unit"]["exec"]


def test_an_exporter_of_another_cluster_stays_what_it_was():
    settings = {"version": "1.7.0", "groups": ["all"], "address": "http://192.0.2.9:9200"}
    platform = {**documented.platform(), "monitoring": {"exporters": {"elasticsearch": settings}}}
    (made,) = exporters.exporter_components(
        platform, "app1", documented.GROUPS, documented.ADDRESSES, {"es_monitor": "word"}
    )
    assert "--es.uri=http://192.0.2.9:9200 --es.all --es.indices" in made["unit"]["exec"]
