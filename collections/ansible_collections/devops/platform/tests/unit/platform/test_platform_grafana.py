"""What platform.yml's key grafana means: data sources, port, scrape job, secrets, pins."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform import grafana, listeners, topology
from ansible_collections.devops.platform.plugins.module_utils.rollout import settings
from ansible_collections.devops.platform.tests.unit.platform import example

LINE = '    alertmanager: {version: "0.28.1", port: 9093}\n'
GRAFANA = '    grafana: {version: "11.6.1", password: grafana_admin, secret_key: grafana_key}\n'
DECLARED = (LINE, LINE + GRAFANA)
NAMES = ("      chat_redis:\n", "      chat_redis:\n      grafana_admin: {length: 32}\n      grafana_key:\n")
PINNED = copy.deepcopy(example.ARTIFACTS)
PINNED["artifacts"]["grafana"] = {
    "11.6.1": {"url": "https://up", "path": "p", "sha256": {"amd64": example.DIGEST}, "binaries": ["bin/grafana"]}
}


def problems(folder: Path, *edits: tuple[str, str], artifacts=PINNED) -> list[str]:
    return example.problems(folder, *edits, artifacts=artifacts)


def test_a_right_one(tmp_path):
    assert problems(tmp_path, DECLARED, NAMES) == []


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ((", secret_key: grafana_key", ""), "secret_key"),
        (("password: grafana_admin", "password: grafana_adnim"), "did you mean 'grafana_admin'"),
        (('"11.6.1"', '"11.6.2"'), "artifacts.lock.yml has no grafana 11.6.2"),
        (("version: ", "port: 9093, version: "), "port 9093 is"),
        (("version: ", "url: grafana, version: "), "platform.monitoring.grafana.url"),
        (("version: ", "loki: nowhere, version: "), "platform.monitoring.grafana.loki"),
        (("grafana: {", "grafana: {theme: dark, "), "theme"),
        (("secret_key: grafana_key", "secret_key: !vault x"), "is an encrypted value"),
    ],
)
def test_mistakes(tmp_path, edit, words):
    wrong = GRAFANA.replace(*edit)
    assert wrong != GRAFANA
    found = problems(tmp_path, (LINE, LINE + wrong), NAMES)
    assert any(words in text for text in found), found


def test_a_target_may_not_be_called_like_its_scrape_job(tmp_path):
    [problem] = problems(tmp_path, ("      database: {port", "      grafana: {port"))
    assert "a scrape job of this name" in problem


def test_there_must_be_something_to_show(tmp_path):
    start, end = example.TEXT.index("    prometheus: {"), example.TEXT.index(LINE)
    [problem] = problems(tmp_path, (example.TEXT[start:end], ""), DECLARED, NAMES)
    assert "platform.monitoring.grafana: shows what Prometheus has, and there is none" in problem


def test_who_may_reach_it():
    platform = example.data(DECLARED)
    [found] = [each for each in listeners.listeners(platform) if each.name == "grafana"]
    assert (found.port, found.from_groups, found.networks) == (3000, ("monitoring",), ("192.0.2.1/32",))


def test_it_is_scraped():
    jobs = topology.scrape_jobs(example.data(DECLARED), example.GROUPS, example.ADDRESSES)
    [job] = [job for job in jobs if job["job_name"] == "grafana"]
    assert job["static_configs"] == [{"targets": [f"{example.ADDRESSES['mon1']}:3000"], "labels": {"host": "mon1"}}]


def test_it_can_be_rolled_out():
    target = settings.target_of(example.data(DECLARED), "grafana", example.GROUPS)
    assert (target.tasks, target.hosts) == ("grafana", ("mon1",))


def test_data_sources_are_those_beside_it():
    found = {each["uid"]: each for each in grafana.grafana_datasources(example.data(DECLARED))}
    assert {uid: each["url"] for uid, each in found.items()} == {
        "prometheus": "http://127.0.0.1:9090",
        "alertmanager": "http://127.0.0.1:9093",
    }
    assert found["prometheus"]["isDefault"] is True
    assert found["prometheus"]["jsonData"]["timeInterval"] == "15s"
    assert found["alertmanager"]["jsonData"]["implementation"] == "prometheus"
    assert not any(each["editable"] for each in found.values())


@pytest.mark.parametrize(
    ("monitoring", "uids"),
    [
        ({}, []),
        ({"prometheus": {"version": "2"}}, ["prometheus"]),
        ({"prometheus": {"version": "2"}, "grafana": {"loki": "http://192.0.2.1:3100"}}, ["prometheus", "loki"]),
        ({"alertmanager": {"port": 9094}}, ["alertmanager"]),
    ],
)
def test_data_sources_are_what_there_is(monitoring, uids):
    assert [each["uid"] for each in grafana.grafana_datasources({"monitoring": monitoring})] == uids
