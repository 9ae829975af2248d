# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Indexes of a snapshot, put back beside the live ones or in their place, and whether all of it came back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .client import Elasticsearch, ElasticsearchError
from .health import INTERVAL, Clock, Sleep
from .retention import parse_index

LATEST = "latest"
BESIDE = "restored-"


@dataclass(frozen=True)
class Wanted:
    """`beside`: what the names of restored indexes begin with; '' puts them in the place of the live ones."""

    repository: str
    snapshot: str = LATEST
    index: str = "*"
    beside: str = BESIDE


@dataclass(frozen=True)
class Chosen:
    snapshot: str
    day: str  # on which it was begun, as yyyy.mm.dd
    indexes: tuple[str, ...]


@dataclass(frozen=True)
class Proof:
    """Documents of an index as it was restored, and of the live one; None where there is none."""

    index: str
    restored: int
    live: int | None

    def shown(self) -> dict[str, Any]:
        return {"index": self.index, "restored": self.restored, "live": self.live}


def choose(wanted: Wanted, snapshots: Sequence[Mapping[str, Any]]) -> Chosen:
    """Which snapshot, and which of its indexes. ElasticsearchError names what there is instead."""
    usable = sorted(
        (item for item in snapshots if item.get("state") in ("SUCCESS", "PARTIAL")),
        key=lambda item: int(item.get("start_time_in_millis") or 0),
    )
    names = [str(item["snapshot"]) for item in usable]
    if wanted.snapshot == LATEST:
        usable = [item for item in usable if item["state"] == "SUCCESS"]
    else:
        usable = [item for item in usable if item["snapshot"] == wanted.snapshot]
    if not usable:
        there = ", ".join(names[-5:]) or "none"
        raise ElasticsearchError(f"{wanted.repository} has no snapshot '{wanted.snapshot}'; the last ones are: {there}")
    taken = usable[-1]
    held = sorted(str(name) for name in taken.get("indices") or ())
    matching = tuple(name for name in held if fnmatchcase(name, wanted.index))
    if not matching:
        raise ElasticsearchError(
            f"snapshot {taken['snapshot']} has no index '{wanted.index}'; it has {', '.join(held[:10]) or 'none'}"
        )
    day = time.strftime("%Y.%m.%d", time.gmtime(int(taken.get("start_time_in_millis") or 0) / 1000))
    return Chosen(str(taken["snapshot"]), day, matching)


def verdict(proofs: Sequence[Proof], prefix: str, day: str) -> list[str]:
    """What is wrong: an index of a day before the snapshot's had all its lines by then, so it must be equal to the live
    one. One of that day or later may have grown since."""
    wrong = []
    for proof in proofs:
        parsed = parse_index(prefix, proof.index)
        past = parsed is not None and f"{parsed[1]:%Y.%m.%d}" < day
        if proof.live is not None and past and proof.restored < proof.live:
            wrong.append(
                f"{proof.index}: {proof.restored} documents of {proof.live}; lines that came a day late, or a snapshot "
                "that is not whole"
            )
    return wrong


def find(client: Elasticsearch, wanted: Wanted) -> Chosen:
    return choose(wanted, client.get(f"/_snapshot/{wanted.repository}/*").get("snapshots") or ())


def restore(
    client: Elasticsearch,
    wanted: Wanted,
    chosen: Chosen,
    patience: float,
    now: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> list[Proof]:
    """Restore, wait until every shard is there, and count."""
    targets = {name: f"{wanted.beside}{name}" for name in chosen.indexes}
    live = {name: count(client, name) for name in chosen.indexes}
    _make_room(client, targets, bool(wanted.beside))
    body: dict[str, Any] = {
        "indices": ",".join(chosen.indexes),
        "include_global_state": False,
        "include_aliases": False,
    }
    if wanted.beside:
        body |= {"rename_pattern": "^(.+)$", "rename_replacement": f"{wanted.beside}$1"}
        # Nothing removes it by its age, and nothing writes to it.
        body |= {"ignore_index_settings": ["index.lifecycle.name", "index.lifecycle.parse_origination_date"]}
    client.ask("POST", f"/_snapshot/{wanted.repository}/{chosen.snapshot}/_restore?wait_for_completion=false", body)
    _wait(client, list(targets.values()), patience, now, sleep)
    client.ask("POST", f"/{','.join(targets.values())}/_refresh")
    return [Proof(name, count(client, target) or 0, live[name]) for name, target in targets.items()]


def count(client: Elasticsearch, index: str) -> int | None:
    """Documents of an index; None where there is none, or it is closed."""
    try:
        return int(client.get(f"/{index}/_count")["count"])
    except ElasticsearchError as error:
        if error.status == 404 or error.kind == "index_closed_exception":
            return None
        raise


def _make_room(client: Elasticsearch, targets: Mapping[str, str], beside: bool) -> None:
    """A restore writes into closed indexes and new ones only. A copy of an earlier restore goes; a live index is
    closed, so that it is still there where the restore fails."""
    for target in targets.values():
        if client.find(f"/{target}/_settings/index.uuid") is None:
            continue
        client.ask("DELETE" if beside else "POST", f"/{target}" if beside else f"/{target}/_close")


def _wait(client: Elasticsearch, names: Sequence[str], patience: float, now: Clock, sleep: Sleep) -> None:
    """Until each shard's first copy has come from the snapshot."""
    deadline = now() + patience
    listed = ",".join(names)
    while True:
        health = client.get(f"/_cluster/health/{listed}?level=indices&timeout=5s")
        status = {name: found["status"] for name, found in (health.get("indices") or {}).items()}
        late = [name for name in names if status.get(name) not in ("green", "yellow")]
        if not late:
            return
        if now() > deadline:
            raise ElasticsearchError(
                f"not restored after {patience:g} s: {', '.join(late)}; GET /_cat/recovery says how far it is"
            )
        sleep(INTERVAL)
