"""What a cluster should hold, and the requests that make it so. Answers are those of Elasticsearch 8.15."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import cluster, objects
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import settings_of

from .documented import platform

S3 = {"s3": {"bucket": "logs", "region": "eu-south-1"}, "at": "03:15", "keep": 7}
SETTINGS = settings_of(platform(snapshots=S3))


def held(ilm: bool = True, nodes: int = 3, **more) -> cluster.Actual:
    """A cluster that is as declared."""
    return cluster.Actual(objects.declared(SETTINGS, nodes, ilm), ilm=ilm, **more)


def titles(actual: cluster.Actual, nodes: int = 3, passwords=None) -> list[str]:
    return [change.title for change in cluster.plan(SETTINGS, nodes, actual, passwords or {})]


def test_an_empty_cluster_with_lifecycles():
    assert titles(cluster.Actual({}, ilm=True)) == [
        "make snapshot repository logs-prod",
        "make snapshot policy logs-prod",
        "make lifecycle policy logs-prod",
        "make lifecycle policy logs-prod-chat",
        "make lifecycle policy logs-prod-chat-admin",
        "make component template logs-prod-fields",
        "make index template logs-prod",
        "make index template logs-prod-chat",
        "make index template logs-prod-chat-admin",
        "make index template logs-prod-dead-letter",
    ]


def test_an_empty_cluster_without():
    assert titles(cluster.Actual({})) == [
        "make snapshot repository logs-prod",
        "make component template logs-prod-fields",
        "make index template logs-prod",
        "make index template logs-prod-dead-letter",
    ]


@pytest.mark.parametrize("ilm", [True, False])
def test_nothing_to_do(ilm):
    assert titles(held(ilm)) == []


def test_answers_hold_text():
    """Numbers and booleans come back as text, and the other way round."""
    assert titles(cluster.Actual(cluster.normal(held().objects), ilm=True)) == []


def test_what_goes_goes_after_what_names_it():
    actual = held()
    meta = objects.meta(SETTINGS)
    more: dict[str, Any] = {
        "lifecycle policy": {"logs-prod-old": {"phases": {}, "_meta": meta}, "logs-prod-mine": {"phases": {}}},
        "index template": {"logs-prod-old": {"_meta": meta}, "logs-prod-mine": {"_meta": {"managed_by": "me"}}},
    }
    merged = {kind: {**there, **more.get(kind, {})} for kind, there in actual.objects.items()}
    assert titles(cluster.Actual(merged, ilm=True)) == [
        "remove index template logs-prod-old",
        "remove lifecycle policy logs-prod-old",
    ]
    used = frozenset({"logs-prod-old"})
    assert titles(cluster.Actual(merged, used=used, ilm=True)) == ["remove index template logs-prod-old"]


def test_snapshots_that_are_declared_no_more():
    settings = settings_of(platform(snapshots=None))
    planned = cluster.plan(settings, 3, held(), {})
    assert [change.title for change in planned] == [
        "remove snapshot policy logs-prod",
        "remove snapshot repository logs-prod",
    ]


INDEXES = {
    "logs-prod-chat-2026.01.01": {"index.number_of_replicas": "0", "index.lifecycle.name": "logs-prod-chat"},
    "logs-prod-chat-admin-2026.01.01": {"index.number_of_replicas": "1", "index.lifecycle.name": "logs-prod"},
    "logs-prod-other-2026.01.01": {"index.number_of_replicas": "1", "index.lifecycle.name": "logs-prod"},
}


def test_indexes_follow_what_is_declared():
    planned = cluster.plan(SETTINGS, 3, held(indexes=INDEXES), {})
    assert [(change.path, change.body) for change in planned] == [
        (
            "/logs-prod-chat-2026.01.01/_settings",
            {"index.number_of_replicas": "1", "index.lifecycle.name": "logs-prod-chat"},
        ),
        (
            "/logs-prod-chat-admin-2026.01.01/_settings",
            {"index.number_of_replicas": "1", "index.lifecycle.name": "logs-prod-chat-admin"},
        ),
    ]


@pytest.mark.parametrize(("nodes", "copies"), [(1, "0"), (2, "1"), (3, "1"), (5, "1")])
def test_copies(nodes, copies):
    template = objects.declared(SETTINGS, nodes, False)["index template"]["logs-prod"]
    assert template["template"]["settings"]["index"]["number_of_replicas"] == copies


def test_passwords_are_set_and_not_shown():
    planned = cluster.plan(SETTINGS, 3, held(wrong_passwords=("elastic",)), {"elastic": "hush"})
    (change,) = planned
    assert (change.path, change.body) == ("/_security/user/elastic/_password", {"password": "hush"})
    assert "hush" not in repr(change)
    assert (change.before, change.after) == (None, None)


def test_what_a_run_that_died_has_left():
    assert titles(held(held=True)) == ["let copies move again"]


def test_lines_stay_a_day_longer_than_their_index_is_old():
    """The index of a day holds lines that are younger than its name says."""
    assert objects.policy(SETTINGS, "14d")["phases"]["delete"]["min_age"] == f"{15 * 86400}s"


@pytest.mark.parametrize(
    ("first", "second"), [("logs-prod", "logs-prod-chat"), ("logs-prod-chat", "logs-prod-dead-letter")]
)
def test_the_narrower_template_wins(first, second):
    """Elasticsearch refuses two of one priority that match one name."""
    templates = objects.declared(SETTINGS, 3, True)["index template"]
    assert 100 < templates[first]["priority"] < templates[second]["priority"]


def test_of_two_apps_the_longer_name_wins():
    """The pattern logs-prod-chat-20* does not mean those of chat-admin."""
    patterns = {
        name: body["index_patterns"][0] for name, body in objects.declared(SETTINGS, 3, True)["index template"].items()
    }
    assert patterns["logs-prod-chat"] == "logs-prod-chat-20*"
    assert not "logs-prod-chat-admin-2026.01.01".startswith(patterns["logs-prod-chat"].rstrip("*"))


def test_snapshot_policy():
    found = objects.declared(SETTINGS, 3, True)["snapshot policy"]["logs-prod"]
    assert found["schedule"] == "0 15 3 * * ?"
    assert found["retention"] == {"min_count": 1, "max_count": 7}
    assert objects.repository(SETTINGS) == {"type": "s3", "settings": {"bucket": "logs", "region": "eu-south-1"}}


def test_every_declared_field_tolerates_what_it_can():
    for name, field in objects.mappings()["properties"].items():
        strict = field["type"] in ("date", "ip", "integer", "long", "double")
        assert field.get("ignore_malformed", False) is strict, name
        assert field["type"] != "keyword" or field["ignore_above"] <= 8191, name
