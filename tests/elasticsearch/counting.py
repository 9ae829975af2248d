"""How many documents a cluster has, and which, page by page. An answer that lacks a shard is none: a document that it
does not have must not look lost."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import (
    Elasticsearch,
    ElasticsearchError,
)

PAGE = 10_000  # as many as Elasticsearch gives at once


def refresh(client: Elasticsearch, index: str) -> None:
    client.ask("POST", f"/{index}/_refresh?ignore_unavailable=true")


def count(client: Elasticsearch, index: str, query: dict[str, Any]) -> int:
    """Of what could be asked, a moment ago: fewer while a shard does not answer, never more."""
    refresh(client, index)
    return int(client.ask("POST", f"/{index}/_count?ignore_unavailable=true", {"query": query})["count"])


def documents(client: Elasticsearch, index: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    """All of them, by file and offset."""
    return [hit["_source"] for hit in hits(client, index, query)]


def messages(client: Elasticsearch, index: str, query: dict[str, Any], wanted: set[str]) -> Counter[str]:
    """How often each message is there. Where some are missing it is asked again, for half a minute: a copy of a shard
    that has just come up shows what it has after its next refresh."""
    end = time.monotonic() + 30
    while True:
        refresh(client, index)
        found = Counter(str(document["message"]) for document in documents(client, index, query))
        if wanted <= set(found) or time.monotonic() > end:
            return found
        time.sleep(1)


def hits(client: Elasticsearch, index: str, query: dict[str, Any], seconds: float = 60) -> list[dict[str, Any]]:
    """All documents with what Elasticsearch knows of them; asked for again, so long, while a shard does not answer."""
    end = time.monotonic() + seconds
    while True:
        try:
            return _pages(client, index, query)
        except ElasticsearchError as error:
            if not error.away or time.monotonic() > end:
                raise
            time.sleep(0.5)


def _pages(client: Elasticsearch, index: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    # An index without a document has no fields yet.
    sort = [{"path": {"unmapped_type": "keyword"}}, {"offset": {"unmapped_type": "long"}}]
    body: dict[str, Any] = {"size": PAGE, "query": query, "sort": sort, "track_total_hits": False}
    while True:
        answer = client.ask("POST", f"/{index}/_search?allow_partial_search_results=false", body)
        page = answer["hits"]["hits"]
        if not page:
            return found
        found += page
        body["search_after"] = page[-1]["sort"]
