# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines across hosts, for people: what is asked of Elasticsearch, and how an answer reads."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.logging.model import own_cluster
from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, section

from .client import Elasticsearch, ElasticsearchError
from .query import query
from .settings import seconds

MOST = 10000  # documents that Elasticsearch gives at once
SHOWN = ("host", "app", "service", "source", "level", "message", "reason")
# What a terminal would obey instead of showing it.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Wanted:
    """`indexes`: a pattern; `since`: a duration such as 15m, back from now; `app` and `host`: '' for all of them."""

    indexes: str
    query: str = ""
    since: str = "15m"
    app: str = ""
    host: str = ""
    limit: int = 200


@dataclass(frozen=True)
class Found:
    """`lines`, the newest last; `total`: how many there are in all, of which `lines` are the last ones."""

    lines: tuple[str, ...]
    total: int


def request(wanted: Wanted) -> dict[str, Any]:
    """The body of the search. QueryError or ValueError where something cannot be asked, in words for people."""
    if not 1 <= wanted.limit <= MOST:
        raise ValueError(f"limit is {wanted.limit}; it can be 1 to {MOST}")
    filters: list[dict[str, Any]] = [
        {"range": {"@timestamp": {"gte": f"now-{seconds(wanted.since)}s"}}},
        *({"term": {name: value}} for name, value in (("app", wanted.app), ("host", wanted.host)) if value),
        query(wanted.query),
    ]
    return {
        "size": wanted.limit,
        "track_total_hits": True,
        "timeout": "30s",
        "_source": list(SHOWN),
        "query": {"bool": {"filter": filters}},
        # Lines of one moment in the order in which they stand in their file.
        "sort": [
            {"@timestamp": {"order": "desc", "unmapped_type": "date"}},
            {"offset": {"order": "desc", "unmapped_type": "long", "missing": "_last"}},
        ],
    }


def search(client: Elasticsearch, wanted: Wanted) -> Found:
    """ElasticsearchError where the search fails or is not whole: a line that is not shown must not look absent."""
    body = request(wanted)
    answer = client.ask("POST", f"/{wanted.indexes}/_search?ignore_unavailable=true", body)
    shards = answer.get("_shards") or {}
    if shards.get("failed") or answer.get("timed_out"):
        reason = _missing(shards.get("failures") or ()) if shards.get("failed") else "it took more than 30 s"
        raise ElasticsearchError(f"not all of {wanted.indexes} was searched: {reason}; ask for less, or a shorter time")
    hits = answer["hits"]
    shown = [line(hit.get("_source") or {}, hit["sort"][0]) for hit in reversed(hits["hits"])]
    return Found(tuple(shown), int(hits["total"]["value"]))


def _missing(failures: Sequence[Mapping[str, Any]]) -> str:
    """Elasticsearch counts a shard without a node among those that failed, and lists it nowhere."""
    if not failures:
        return "parts of it have no node now; see its health, and ask again"
    return str((failures[0].get("reason") or {}).get("reason"))


def line(document: Mapping[str, Any], at: int) -> str:
    """TIME  HOST  APP/SERVICE  LEVEL  MESSAGE; lines of a message behind the first one are indented. `at`: milliseconds
    since 1970, whatever zone the line itself names."""
    moment = dt.datetime.fromtimestamp(at / 1000, dt.timezone.utc)
    who = "/".join(str(document[key]) for key in ("app", "service") if document.get(key))
    # A dead letter has no level: what it is, is that an output refused it.
    refused = document.get("reason")
    level = "refused" if refused else str(document.get("level") or "-")
    said = str(document.get("message") or "") + (f" [{refused}]" if refused else "")
    parts = [
        f"{moment:%Y-%m-%d %H:%M:%S}.{at % 1000:03d}",
        str(document.get("host") or "-"),
        who or str(document.get("source") or "-"),
        level,
    ]
    message = clean(said).rstrip("\n").replace("\n", "\n    ")
    return "  ".join([*(clean(part).replace("\n", " ") for part in parts), message])


def clean(text: str) -> str:
    """Without what a terminal takes for an order: \\x1b and the like are shown as what they are."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def unsearchable(platform: Data) -> str:
    """Why lines of this platform cannot be searched for here; '' where they can."""
    outputs = section(platform, "logging", "outputs")
    if section(platform, "logging", "elasticsearch"):
        if any(own_cluster(platform, str(name)) for name in outputs):
            return ""
        return "platform.logging.outputs sends no lines to platform.logging.elasticsearch; add the output elasticsearch"
    kinds = {str(section(outputs, str(name)).get("type") or name) for name in outputs}
    if kinds == {"loki"}:
        return "Loki is the only output of platform.logging: search there, in Grafana's Explore or with logcli"
    if kinds:
        return "lines go to servers of somebody else (platform.logging.outputs): search there"
    return "platform.yml has no platform.logging.outputs: no lines are kept anywhere but on their hosts"
