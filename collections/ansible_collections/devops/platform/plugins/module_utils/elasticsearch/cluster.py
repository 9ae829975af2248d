# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The difference between what a cluster holds and what it should, as requests in their order; and carrying them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .client import Elasticsearch, ElasticsearchError
from .health import ENABLE
from .objects import declared, lifecycle_of, meta, replicas
from .rolling import BACK
from .settings import Settings

# In the order in which one needs the other; what goes goes the other way round.
PATHS = {
    "snapshot repository": "/_snapshot/{}",
    "snapshot policy": "/_slm/policy/{}",
    "lifecycle policy": "/_ilm/policy/{}",
    "component template": "/_component_template/{}",
    "index template": "/_index_template/{}",
}
Objects = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """One request. `before` and `after` are what a diff shows; a secret `body` is in neither."""

    title: str
    method: str
    path: str
    body: Any = field(default=None, repr=False)
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class Actual:
    """What a cluster holds: objects that can be ours, settings of our indexes, and what the server can do."""

    objects: Objects
    used: frozenset[str] = frozenset()  # lifecycle policies that an index follows
    indexes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    held: bool = False  # allocation is not as it should be
    ilm: bool = False
    wrong_passwords: tuple[str, ...] = ()


def normal(value: Any) -> Any:
    """Elasticsearch gives settings back as text: 1 and "1", true and "true" are one."""
    if isinstance(value, Mapping):
        return {str(key): normal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [normal(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def plan(settings: Settings, nodes: int, actual: Actual, passwords: Mapping[str, str]) -> list[Change]:
    """Requests that make the cluster as declared."""
    wanted = declared(settings, nodes, actual.ilm)
    changes = []
    if actual.held:
        changes.append(
            Change("let copies move again", "PUT", "/_cluster/settings", BACK, {ENABLE: "not all"}, {ENABLE: "all"})
        )
    for kind, path in PATHS.items():
        there = actual.objects.get(kind, {})
        for name, body in sorted(wanted[kind].items()):
            if name not in there or normal(there[name]) != normal(body):
                sent = {"policy": body} if kind == "lifecycle policy" else body
                title = f"{'change' if name in there else 'make'} {kind} {name}"
                changes.append(Change(title, "PUT", path.format(name), sent, there.get(name), body))
    changes += _indexes(settings, nodes, actual)
    for kind, path in reversed(PATHS.items()):
        for name, body in sorted(actual.objects.get(kind, {}).items()):
            followed = kind == "lifecycle policy" and name in actual.used
            if name not in wanted[kind] and _ours(settings, kind, name, body) and not followed:
                changes.append(Change(f"remove {kind} {name}", "DELETE", path.format(name), None, body, None))
    for user in actual.wrong_passwords:
        path = f"/_security/user/{user}/_password"
        changes.append(Change(f"set the password of {user}", "PUT", path, {"password": passwords[user]}))
    return changes


def _ours(settings: Settings, kind: str, name: str, body: Mapping[str, Any]) -> bool:
    """A repository cannot say whose it is; ours is called like the environment."""
    if kind == "snapshot repository":
        return name == settings.prefix.rstrip("-")
    found = (body.get("config") or {}).get("metadata") if kind == "snapshot policy" else body.get("_meta")
    return isinstance(found, Mapping) and normal(found) == normal(meta(settings))


def _indexes(settings: Settings, nodes: int, actual: Actual) -> list[Change]:
    """Templates are for new indexes only: those that are there get as many copies, and follow the policy that they
    would follow now."""
    groups: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for index, given in sorted(actual.indexes.items()):
        after: dict[str, Any] = {"index.number_of_replicas": str(replicas(nodes))}
        if actual.ilm:
            after["index.lifecycle.name"] = lifecycle_of(settings, index)
        if any(given.get(key) != value for key, value in after.items()):
            groups.setdefault(str(after), (after, []))[1].append(index)
    return [
        Change(
            f"change settings of {len(names)} indexes",
            "PUT",
            f"/{','.join(names)}/_settings",
            after,
            {name: {key: actual.indexes[name].get(key) for key in after} for name in names},
            dict.fromkeys(names, after),
        )
        for after, names in groups.values()
    ]


def observe(client: Elasticsearch, settings: Settings, passwords: Mapping[str, str]) -> Actual:
    """One look at the cluster."""
    name = settings.prefix.rstrip("-")
    policies = _lifecycles(client)
    objects: dict[str, dict[str, Any]] = {
        "component template": {
            item["name"]: item["component_template"]
            for item in (client.find(f"/_component_template/{name}*") or {}).get("component_templates", ())
        },
        "index template": {
            item["name"]: item["index_template"]
            for item in (client.find(f"/_index_template/{name}*") or {}).get("index_templates", ())
        },
        "snapshot repository": dict(client.get("/_snapshot/_all")),
    }
    for body in objects["snapshot repository"].values():
        body.pop("uuid", None)
    used: frozenset[str] = frozenset()
    if policies is not None:
        objects["lifecycle policy"] = {key: found["policy"] for key, found in policies.items() if key.startswith(name)}
        used = frozenset(key for key, found in policies.items() if (found.get("in_use_by") or {}).get("indices"))
        objects["snapshot policy"] = {key: found["policy"] for key, found in client.get("/_slm/policy").items()}
    indexes = client.get(
        f"/{settings.prefix}*/_settings/index.number_of_replicas,index.lifecycle.name?flat_settings=true"
    )
    allocation = client.get("/_cluster/settings?flat_settings=true")
    return Actual(
        objects=objects,
        used=used,
        indexes={index: found["settings"] for index, found in indexes.items()},
        held=any((allocation.get(kind) or {}).get(ENABLE, "all") != "all" for kind in ("persistent", "transient")),
        ilm=policies is not None,
        wrong_passwords=tuple(user for user in sorted(passwords) if not _knows(client, user, passwords[user])),
    )


def _lifecycles(client: Elasticsearch) -> dict[str, Any] | None:
    """All policies; None where the server knows none of that: it takes _ilm for an index, and says 400 or 404."""
    try:
        found: dict[str, Any] = client.get("/_ilm/policy")
    except ElasticsearchError as error:
        if error.status in (400, 404, 405):
            return None
        raise
    return found


def _knows(client: Elasticsearch, user: str, password: str) -> bool:
    other = Elasticsearch(client.url, user, password, client.ca, client.ca_text, client.timeout)
    try:
        other.get("/_security/_authenticate")
    except ElasticsearchError as error:
        if error.status == 401:
            return False
        raise
    return True


def carry_out(client: Elasticsearch, changes: list[Change]) -> None:
    """In order; ElasticsearchError names the change that was refused."""
    for change in changes:
        _carry_out(client, change)


def _carry_out(client: Elasticsearch, change: Change) -> None:
    try:
        client.ask(change.method, change.path, change.body)
    except ElasticsearchError as error:
        raise ElasticsearchError(f"{change.title}: {error}", error.status, error.kind) from error


def nothing_yet(settings: Settings, nodes: int) -> list[Change]:
    """What check mode foresees where no server answers yet."""
    return plan(settings, nodes, Actual({}), {})
