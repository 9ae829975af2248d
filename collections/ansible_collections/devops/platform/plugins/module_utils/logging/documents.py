"""What a line's document is called, where it goes to, and what is added to it.

Of the standard library alone, for Python 3.9: hosts get this file as it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

STAMP = re.compile(r"(.{19})(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")
UNSAFE = re.compile(r"[^a-z0-9_-]+")


def moment(text: str, now: float) -> float:
    """Seconds since 1970 of a time in ISO 8601; ``now`` where it is none."""
    try:
        # Python 3.9 knows neither Z nor fractions of other than 3 and 6 digits.
        found = STAMP.fullmatch(text)
        assert found
        zone = "+00:00" if found[3] in (None, "Z") else found[3]
        return datetime.fromisoformat(found[1] + zone).timestamp() + float(found[2] or 0)
    except (AssertionError, ValueError):
        return now


def identity(document: dict[str, Any], key: str) -> str:
    """The same for the same line, however often it is read: of its place and its text."""
    parts = [str(document.get("host")), str(document.get("source")), key, str(document.get("message"))]
    if not key:
        parts.append(json.dumps(document, sort_keys=True))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def index(document: dict[str, Any], config: dict[str, Any], now: float) -> str:
    """Of application and day. A line whose clock is more than a day off goes to today's: what it says must not decide
    how long it is kept."""
    app = UNSAFE.sub("-", str(document.get("app") or config["system"]).lower())
    said = moment(str(document.get("@timestamp")), now)
    return dated(f"{config['prefix']}{app}", said if abs(now - said) < 86400 else now)


def dated(name: str, at: float) -> str:
    """The index of a day: its name says when it may go."""
    return f"{name}-{datetime.fromtimestamp(at, timezone.utc):%Y.%m.%d}"


def arranged(document: dict[str, Any], typed: frozenset[str], rest: str) -> dict[str, Any]:
    """Fields without a type go below ``rest``, where they can be searched for whatever they are."""
    given = document.get(rest)
    if typed.issuperset(document) and (given is None or isinstance(given, dict)):
        return document
    below = {key: value for key, value in document.items() if key not in typed}
    kept = {key: value for key, value in document.items() if key in typed and key != rest}
    kept[rest] = {**(given if isinstance(given, dict) else {rest: given} if given else {}), **below}
    return kept


def job(document: dict[str, Any]) -> str:
    """What Prometheus calls the job whose line it is: APP-SERVICE, or what is known of it."""
    parts = dict.fromkeys(str(document[key]) for key in ("app", "service") if document.get(key))
    return "-".join(parts) or str(document.get("source") or "system")


def rollouts(directory: str) -> dict[str, list[tuple[float, str]]]:
    """{component: [(since, rollout), ...]} as the ledger has it, the oldest first."""
    found: dict[str, list[tuple[float, str]]] = {}
    for path in sorted(Path(directory).glob("*.json")):
        try:
            ledger = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        present = ledger.get("generation") or {}
        # After a way back, what is there is of an earlier rollout again, since the change that led there.
        since = {"at": (ledger.get("changed_by") or {}).get("at"), "rollout": present.get("rollout")}
        entries = [*(ledger.get("previous") or []), present, since]
        times = {
            (float(item["at"]), str(item["rollout"])) for item in entries if item.get("at") and item.get("rollout")
        }
        if times:
            found[path.stem] = sorted(times)
    return found


def rollout_of(history: list[tuple[float, str]], at: float) -> str:
    """The rollout by which a component was as it was at that time."""
    before = [rollout for since, rollout in history if since <= at]
    return before[-1] if before else ""
