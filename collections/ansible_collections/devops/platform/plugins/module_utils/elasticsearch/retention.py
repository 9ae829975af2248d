# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Removes old indexes of logs and takes snapshots, where Elasticsearch itself has neither ILM nor SLM.

Runs on every node and works on the elected master alone, so that there is always one of them and never two. Of the
standard library alone: hosts get this file and `client.py` as they are.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .client import Elasticsearch, ElasticsearchError

DAY = 86400
AT_ONCE = 20  # names in one request: they stand in its path
_NAME = re.compile(r"(.+)-(\d{4}\.\d{2}\.\d{2})")


@dataclass(frozen=True)
class Policy:
    """What ILM and SLM would be told. Times are seconds; `at` are seconds after midnight, UTC."""

    prefix: str
    default: int
    apps: Mapping[str, int] = field(default_factory=dict)
    repository: str = ""
    at: int = 0
    keep: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Policy:
        return cls(**{name: given[name] for name in cls.__dataclass_fields__ if name in given})


def parse_index(prefix: str, name: str) -> tuple[str, dt.datetime] | None:
    """(app, first moment of its day) of an index of logs; None for any other, which is nobody's here to remove."""
    found = _NAME.fullmatch(name[len(prefix) :]) if name.startswith(prefix) else None
    if found is None:
        return None
    try:
        day = dt.datetime.strptime(found[2], "%Y.%m.%d").replace(tzinfo=dt.timezone.utc)
    except ValueError:
        return None
    return found[1], day


def expired(policy: Policy, names: Iterable[str], now: dt.datetime) -> list[str]:
    """Indexes whose last line is older than what its app's lines are kept, by the day in their names."""
    gone = []
    for name in sorted(names):
        parsed = parse_index(policy.prefix, name)
        if parsed is None:
            continue
        app, day = parsed
        kept = policy.apps.get(app, policy.default)
        if day + dt.timedelta(seconds=DAY + kept) <= now:
            gone.append(name)
    return gone


@dataclass(frozen=True)
class Snapshot:
    name: str
    state: str
    started: dt.datetime

    @property
    def sound(self) -> bool:
        return self.state == "SUCCESS"


def parse_snapshots(answer: Mapping[str, Any], prefix: str) -> list[Snapshot]:
    """Ours of an answer of _snapshot/REPOSITORY/*, the oldest first."""
    found = [
        Snapshot(
            str(item["snapshot"]),
            str(item["state"]),
            dt.datetime.fromtimestamp(int(item.get("start_time_in_millis") or 0) / 1000, dt.timezone.utc),
        )
        for item in answer.get("snapshots") or ()
        if str(item["snapshot"]).startswith(prefix)
    ]
    return sorted(found, key=lambda snapshot: (snapshot.started, snapshot.name))


def due(policy: Policy, snapshots: Sequence[Snapshot], now: dt.datetime) -> bool:
    """Whether the day's snapshot is to be taken: its time has come, and none was begun since. One that failed is taken
    again the next time; one that is being taken is waited for."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    moment = midnight + dt.timedelta(seconds=policy.at)
    if now < moment:
        moment -= dt.timedelta(days=1)
    return not any(
        snapshot.started >= moment and snapshot.state in ("SUCCESS", "PARTIAL", "IN_PROGRESS") for snapshot in snapshots
    )


def surplus(policy: Policy, snapshots: Sequence[Snapshot]) -> list[str]:
    """Snapshots over the number that is kept: the newest sound ones stay, and what is newer than these' oldest."""
    sound = [snapshot for snapshot in snapshots if snapshot.sound]
    if len(sound) <= policy.keep:
        return []
    oldest = sound[-policy.keep].started
    return [snapshot.name for snapshot in snapshots if snapshot.started < oldest and snapshot.state != "IN_PROGRESS"]


def snapshot_name(policy: Policy, now: dt.datetime) -> str:
    return f"{policy.prefix}{now:%Y.%m.%d-%H%M%S}"


def is_master(client: Elasticsearch, node: str) -> bool:
    found = client.get("/_cat/master?format=json&h=node")
    return bool(found) and found[0].get("node") == node


def work(client: Elasticsearch, policy: Policy, now: dt.datetime) -> list[str]:
    """One round; what was done, in sentences. Nothing is removed while a snapshot is taken: Elasticsearch refuses that,
    and the next round is soon."""
    done = []
    if policy.repository:
        snapshots = parse_snapshots(client.get(f"/_snapshot/{policy.repository}/*?verbose=true"), policy.prefix)
        if due(policy, snapshots, now):
            name = snapshot_name(policy, now)
            body = {
                "indices": f"{policy.prefix}*",
                "ignore_unavailable": True,
                "include_global_state": False,
                "metadata": dict(policy.metadata),
            }
            client.ask("PUT", f"/_snapshot/{policy.repository}/{name}", body)
            return [f"began snapshot {name}"]
        if any(snapshot.state == "IN_PROGRESS" for snapshot in snapshots):
            return []
        for name in surplus(policy, snapshots):
            client.ask("DELETE", f"/_snapshot/{policy.repository}/{name}")
            done.append(f"removed snapshot {name}")
    gone = expired(policy, client.get(f"/{policy.prefix}*/_settings/index.creation_date"), now)
    for start in range(0, len(gone), AT_ONCE):
        some = gone[start : start + AT_ONCE]
        client.ask("DELETE", f"/{','.join(some)}")
        done += [f"removed index {name}" for name in some]
    return done


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("settings", type=Path, help="JSON: url, user, password, ca, node, interval, policy")
    parser.add_argument("--once", action="store_true", help="one round, whoever is master")
    options = parser.parse_args(arguments)
    given = json.loads(options.settings.read_text(encoding="utf-8"))
    client = Elasticsearch(given["url"], given["user"], given["password"], given["ca"])
    policy = Policy.of(given["policy"])
    while True:
        code = _round(client, policy, "" if options.once else given["node"])
        if options.once:
            return code
        time.sleep(given.get("interval", 300))


def _round(client: Elasticsearch, policy: Policy, node: str) -> int:
    """What cannot be done now is tried again in the next round; the journal says what it was."""
    try:
        if not node or is_master(client, node):
            for line in work(client, policy, dt.datetime.now(dt.timezone.utc)):
                print(line, flush=True)
    except ElasticsearchError as error:
        print(f"nothing done: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
