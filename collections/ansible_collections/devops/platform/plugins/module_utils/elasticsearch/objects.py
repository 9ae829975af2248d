# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster should hold beside data: templates, policies, the repository of snapshots. Pure.

Bodies are written as Elasticsearch gives them back, with every setting as text: what is compared is then equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.logging import fields

from .settings import DEAD_LETTER, Settings, seconds

OWNER = "devops.platform"
DAY = 86400
# Longer ones are kept in the document and not indexed: Lucene refuses a term of 32 KiB, and the line with it.
KEYWORD_LONGEST = 1024
PATH_LONGEST = 2048
TYPES: Mapping[str, Mapping[str, Any]] = {
    fields.KEYWORD: {"type": "keyword", "ignore_above": KEYWORD_LONGEST},
    fields.LONG_KEYWORD: {"type": "keyword", "ignore_above": PATH_LONGEST},
    fields.TEXT: {"type": "text", "norms": False},
    fields.KEPT: {"type": "object", "enabled": False},
    fields.OBJECT: {"type": "flattened", "ignore_above": KEYWORD_LONGEST},
    **{name: {"type": name, "ignore_malformed": True} for name in fields.MALFORMED},
}


def meta(settings: Settings) -> dict[str, str]:
    """What marks an object as ours."""
    return {"managed_by": OWNER, "platform": settings.platform, "environment": settings.environment}


def mappings() -> dict[str, Any]:
    """Fields of a line, and `fields` for all others. One that is not here stays in the document and is neither indexed
    nor typed.

    A number, date or address that is none is kept and not indexed (ignore_malformed).
    """
    return _mappings(fields.LINE)


def dead_letter_mappings() -> dict[str, Any]:
    """Lines that no other index takes: what refused them is there as text alone."""
    return _mappings(fields.LETTER)


def _mappings(types: Mapping[str, str]) -> dict[str, Any]:
    return {"dynamic": "false", "properties": {name: dict(TYPES[types[name]]) for name in sorted(types)}}


def index_settings(nodes: int) -> dict[str, str]:
    """A copy on a second node, where there is one: one node's disk may die."""
    return {
        "number_of_shards": "1",
        "number_of_replicas": str(replicas(nodes)),
        "refresh_interval": "5s",
        "codec": "best_compression",
    }


def replicas(nodes: int) -> int:
    return 1 if nodes > 1 else 0


def pattern(settings: Settings, app: str) -> str:
    """Names of an app's indexes. With the year's first digits: 'chat' must not mean those of 'chat-admin', too."""
    return f"{settings.prefix}{app}-20*"


def declared(settings: Settings, nodes: int, ilm: bool) -> dict[str, dict[str, Any]]:
    """{kind: {name: body}} of all that should be there; `ilm`: whether the server has lifecycles."""
    name = settings.prefix.rstrip("-")
    mapped = f"{name}-fields"
    base = index_settings(nodes)
    templates = {name: _template(settings, "*", base, ilm, 500, [mapped], name)}
    policies = {}
    if ilm:
        policies[name] = policy(settings, settings.retention)
        for app, keep in settings.app_retention.items():
            policies[f"{name}-{app}"] = policy(settings, keep)
            templates[f"{name}-{app}"] = _template(settings, app, base, ilm, 600, [mapped], f"{name}-{app}")
    letters = _template(
        settings, DEAD_LETTER, base, ilm, 700, [], lifecycle_of(settings, f"{settings.prefix}{DEAD_LETTER}-20")
    )
    letters["template"]["mappings"] = dead_letter_mappings()
    templates[f"{name}-{DEAD_LETTER}"] = letters  # last: it stays one where `retention` names it as well
    return {
        "lifecycle policy": policies,
        "component template": {mapped: {"template": {"mappings": mappings()}, "_meta": meta(settings)}},
        "index template": templates,
        "snapshot repository": {name: repository(settings)} if settings.snapshots else {},
        "snapshot policy": {name: snapshot_policy(settings)} if settings.snapshots and ilm else {},
    }


def _template(
    settings: Settings, app: str, base: Mapping[str, str], ilm: bool, priority: int, parts: list[str], policy_name: str
) -> dict[str, Any]:
    index: dict[str, Any] = dict(base)
    if ilm:
        index["lifecycle"] = {"name": policy_name, "parse_origination_date": "true"}
    # Elasticsearch's own template for logs-*-* makes data streams, with priority 100: ours comes before it.
    return {
        "index_patterns": [pattern(settings, app)],
        "template": {"settings": {"index": index}},
        "composed_of": parts,
        "priority": priority,
        "_meta": meta(settings),
    }


def policy(settings: Settings, keep: str) -> dict[str, Any]:
    """An index goes when its last line is as old as `keep`: a day after what the date in its name says."""
    return {
        "phases": {
            "delete": {
                "min_age": f"{seconds(keep) + DAY}s",
                "actions": {"delete": {"delete_searchable_snapshot": True}},
            }
        },
        "_meta": meta(settings),
    }


def repository(settings: Settings) -> dict[str, Any]:
    snapshots = settings.snapshots
    assert snapshots is not None
    if snapshots.directory:
        return {"type": "fs", "settings": {"location": snapshots.directory, "compress": "true"}}
    given = {"bucket": snapshots.bucket, "base_path": snapshots.base_path, "region": snapshots.region}
    return {"type": "s3", "settings": {key: value for key, value in given.items() if value}}


def snapshot_policy(settings: Settings) -> dict[str, Any]:
    """SLM's, with the same settings that our own program works with."""
    snapshots = settings.snapshots
    assert snapshots is not None
    return {
        "name": f"<{settings.prefix}{{now/d{{yyyy.MM.dd}}}}>",
        "schedule": f"0 {snapshots.minute} {snapshots.hour} * * ?",
        "repository": settings.prefix.rstrip("-"),
        "config": {
            "indices": [f"{settings.prefix}*"],
            "ignore_unavailable": True,
            "include_global_state": False,
            "metadata": meta(settings),
        },
        "retention": {"min_count": 1, "max_count": snapshots.keep},
    }


def lifecycle_of(settings: Settings, index: str) -> str:
    """The policy that an existing index should follow."""
    name = settings.prefix.rstrip("-")
    apps = [app for app in settings.app_retention if index.startswith(f"{settings.prefix}{app}-20")]
    return f"{name}-{max(apps, key=len)}" if apps else name
