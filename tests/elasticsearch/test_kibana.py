"""What Kibana shows, asked of a real Elasticsearch with the product's mappings: every query, every field. No Kibana is
needed for that, and none can be had everywhere."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import cluster as objects
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import ElasticsearchError
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import DEAD_LETTER, SYSTEM
from ansible_collections.devops.platform.plugins.module_utils.kibana import objects as saved
from ansible_collections.devops.platform.plugins.module_utils.kibana.queries import Asked, asked, emptiness
from ansible_collections.devops.platform.plugins.module_utils.logging import fields, gateway
from ansible_collections.devops.platform.tests.unit.logging.recorded import recordings
from tests.elasticsearch.cluster import Cluster
from tools.saved_objects.__main__ import PATH

ENVIRONMENT = "lab"
# What may find nothing here, and why. One that finds something is no exception any more.
EXCEPTIONS = {f"Restored logs ({ENVIRONMENT})": "Nothing was restored."}
SEARCHES = asked(saved.read(PATH.read_text(encoding="utf-8"), ENVIRONMENT))
NOW = dt.datetime.now(dt.UTC)
# Beside the recorded lines: what an application writes on a bad day.
LINES: list[dict[str, Any]] = [
    {"level": "error", "message": "boom", "error_type": "KeyError", "logger": "chat.rooms", "request_id": "r-1"},
    {"level": "critical", "message": "out of memory", "error_type": "MemoryError", "logger": "chat"},
    {"level": "info", "message": "POST /api/login", "status": 401, "method": "POST", "url_path": "/api/login"},
    {
        "level": "info",
        "message": "GET /api/rooms",
        "status": 503,
        "url_path": "/api/rooms",
        "duration": 2.5,
        "bytes": 9,
    },
]
REFUSED: dict[str, Any] = {"message": "a user that is no text", "user": {"id": 1}}


@pytest.fixture(scope="module")
def one(home: Path, folder: Path) -> Iterator[Cluster]:
    """A single node, of which no other test knows."""
    place = folder / "kibana"
    place.mkdir(mode=0o755)
    made = Cluster(place, home, names=("log9",), first=41)
    made.platform["logging"]["kibana"] = {"version": "8.15.0", "encryption_key": "kibana_key"}
    try:
        made.prepare()
        made.start()
        client = made.client()
        objects.carry_out(client, objects.plan(made.settings, 1, objects.observe(client, made.settings, {}), {}))
        _write(made)
        yield made
    finally:
        made.stop()


def _write(cluster: Cluster) -> None:
    """Through the gateway's own code, as the user that ships: names of indexes, dead letters and all."""
    config = {
        "prefix": cluster.settings.prefix,
        "system": SYSTEM,
        "dead_letter": DEAD_LETTER,
        "fields": sorted(fields.LINE),
        "rest": fields.REST,
        "refused": str(cluster.folder / "refused.ndjson"),
        "spool": "",
        "host": "h1",
        "outputs": [
            {
                "name": "es",
                "type": "elasticsearch",
                "port": 1,  # of nobody: what is posted is handed over here
                "urls": cluster.urls(),
                "user": "shipper",
                "password": cluster.passwords["shipper"],
                "ca": str(cluster.ca),
            }
        ],
    }
    told = {"host": "app1", "environment": ENVIRONMENT, "app": "chat", "service": "api", "source": "chat"}
    told |= {"rollout_id": "20260101T000000Z-1", "@timestamp": NOW.isoformat(), "version": "1.0"}
    lines = [{**told, **line.document, "@timestamp": NOW.isoformat()} for each in recordings() for line in each.lines]
    lines += [{**told, **line} for line in [*LINES, REFUSED]]
    posted = [json.dumps({**line, "key": str(number)}).encode() for number, line in enumerate(lines)]
    gateway.Gateway(config).take("es", posted, count=False)
    cluster.client().ask("POST", f"/{cluster.settings.prefix}*/_refresh")
    assert not (cluster.folder / "refused.ndjson").exists()


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search.title)
def test_a_query_is_understood_and_finds_something(one: Cluster, search: Asked) -> None:
    """As the user that people sign in as."""
    answer = one.client(user="reader").ask("POST", f"/{search.indexes}/_search", dict(search.body))
    assert answer["_shards"]["failed"] == 0, answer["_shards"]
    nothing = emptiness(answer, search)
    if search.title in EXCEPTIONS:
        assert nothing, f"'{search.title}' finds something: it is no exception any more"
    else:
        assert not nothing


NAMING = [search for search in SEARCHES if search.fields and search.title not in EXCEPTIONS]


@pytest.mark.parametrize("search", NAMING, ids=lambda search: search.title)
def test_fields_are_there_and_can_be_used_so(one: Cluster, search: Asked) -> None:
    names = ",".join(search.fields)
    found = one.client(user="reader").get(f"/{search.indexes}/_field_caps?fields={names}")["fields"]
    assert set(search.fields) <= set(found), f"no field {sorted(set(search.fields) - set(found))}"
    grouped = search.fields if "aggs" in search.body else ()
    texts = [name for name in grouped if not all(kind["aggregatable"] for kind in found[name].values())]
    assert not texts, f"{texts} are text, by which nothing can be grouped"


def test_who_reads_may_read_in_kibana(one: Cluster) -> None:
    asked = [{"application": "kibana-.kibana", "privileges": [name], "resources": ["*"]} for name in ("read", "all")]
    may = [
        one.client(user="reader").ask("POST", "/_security/user/_has_privileges", {"application": [each]})
        for each in asked
    ]
    assert [each["has_all_requested"] for each in may] == [True, False]


def test_what_is_wrong_is_noticed(one: Cluster) -> None:
    """The three ways in which an object goes wrong."""
    client, indexes = one.client(user="reader"), SEARCHES[0].indexes
    with pytest.raises(ElasticsearchError, match=r"query_shard_exception|Failed to parse query"):
        client.ask("POST", f"/{indexes}/_search", {"query": {"query_string": {"query": "level:(error"}}})
    assert client.get(f"/{indexes}/_field_caps?fields=levle")["fields"] == {}
    body = {"size": 0, "track_total_hits": True, "aggs": {"2": {"terms": {"field": "span_id"}}}}
    assert "nothing in 2" in emptiness(client.ask("POST", f"/{indexes}/_search", body), Asked("x", indexes, body, ()))


def test_every_exception_is_of_an_object() -> None:
    assert set(EXCEPTIONS) <= {search.title for search in SEARCHES}
