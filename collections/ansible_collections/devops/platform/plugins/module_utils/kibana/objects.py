# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Saved objects of Kibana: those under version control, compared with those that are there. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PREFIX = "devops-platform-"  # of the ids of all that is ours: what bears it and is declared no more goes
ENVIRONMENT = "@environment@"  # stands in the files where the name of the environment goes
TYPES = ("dashboard", "index-pattern", "search", "visualization")
# Texts that hold JSON, in which the order of keys and spaces mean nothing.
NESTED = ("optionsJSON", "panelsJSON", "searchSourceJSON", "uiStateJSON", "visState")

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """`before` and `after` are what a diff shows, None where there is nothing."""

    title: str
    type: str
    id: str
    before: Any = None
    after: Any = None


def read(text: str, environment: str) -> list[dict[str, Any]]:
    """The objects of a file, one a line, for an environment. ValueError, with the line, for what cannot be one."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line.replace(ENVIRONMENT, environment))
        except ValueError as error:
            raise ValueError(f"line {number} is no JSON: {error}") from error
        if not isinstance(item, dict) or not isinstance(item.get("attributes"), dict):
            raise ValueError(f"line {number} is no saved object: it has no attributes")
        if item.get("type") not in TYPES:
            raise ValueError(
                f"line {number} is of type {item.get('type')}; those that are kept here are {', '.join(TYPES)}"
            )
        if not str(item.get("id", "")).startswith(PREFIX):
            raise ValueError(f"line {number} has the id {item.get('id')}; ours begin with {PREFIX}")
        found.append(item)
    return found


def plan(wanted: Sequence[Object], actual: Sequence[Object]) -> list[Change]:
    """What makes Kibana as declared: all that is new or other, then what goes, what refers to others first."""
    present = {_key(item): item for item in actual if str(item.get("id", "")).startswith(PREFIX)}
    changes = []
    for item in wanted:
        there = present.get(_key(item))
        after = essence(item)
        before = essence(there) if there is not None else None
        if before is None or not covers(before, after):
            verb = "make" if before is None else "change"
            changes.append(Change(f"{verb} {_title(item)}", *_key(item), before, after))
    kept = {_key(item) for item in wanted}
    gone = sorted((key for key in present if key not in kept), key=lambda key: (TYPES.index(key[0]), key[1]))
    return changes + [Change(f"remove {_title(present[key])}", *key, essence(present[key]), None) for key in gone]


def essence(item: Object) -> dict[str, Any]:
    """What counts of an object: its attributes, with JSON in texts as values, and what it refers to."""
    references = [{key: str(each.get(key)) for key in ("id", "name", "type")} for each in item.get("references") or ()]
    return {
        "attributes": _plain(item["attributes"]),
        "references": sorted(references, key=lambda each: (each["name"], each["id"])),
    }


def covers(there: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there. Kibana adds attributes of its own to what it is given."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(
            key in there and covers(there[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(there, list)
            and len(there) == len(wanted)
            and all(covers(*pair) for pair in zip(there, wanted, strict=True))
        )
    return bool(there == wanted)


def lines(items: Sequence[Object]) -> bytes:
    """A file of objects, as Kibana imports it."""
    return "".join(json.dumps(item, ensure_ascii=False, sort_keys=True) + "\n" for item in items).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _nested(value[key]) if key in NESTED else _plain(value[key]) for key in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _nested(value: Any) -> Any:
    try:
        return _plain(json.loads(value))
    except (TypeError, ValueError):
        return value  # not ours, or broken by somebody: other than what is wanted in any case


def _key(item: Object) -> tuple[str, str]:
    return str(item["type"]), str(item["id"])


def _title(item: Object) -> str:
    attributes = item["attributes"]
    return f"{item['type']} '{attributes.get('name') or attributes.get('title')}'"
