"""Values of a plan as they may be shown: what Terraform marks as sensitive is not in them. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import Change, Plan

SENSITIVE = "(sensitive)"
SENSITIVE_CHANGED = "(sensitive, changed)"
UNKNOWN = "(known after apply)"
LONGEST = 120


def masked(value: Any, marks: Any, unknown: Any = None) -> Any:
    """`value` with what `marks` says replaced; both marks are true, or as deep as the value.

    A mark that does not fit the value masks all of it: rather too much than too little.
    """
    if marks is True:
        return SENSITIVE
    if unknown is True:
        return UNKNOWN
    if isinstance(value, Mapping) or (value is None and isinstance(unknown, Mapping) and unknown):
        return _masked_mapping(value or {}, marks, unknown)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _masked_list(value, marks, unknown)
    return SENSITIVE if _has_mark(marks) else value


def _masked_mapping(value: Mapping[str, Any], marks: Any, unknown: Any) -> Any:
    if marks and not isinstance(marks, Mapping):
        return SENSITIVE if _has_mark(marks) else masked(value, None, unknown)
    marks = marks or {}
    unknown = unknown if isinstance(unknown, Mapping) else {}
    names = sorted({*value, *(name for name, mark in unknown.items() if _has_mark(mark))})
    return {name: masked(value.get(name), marks.get(name), unknown.get(name)) for name in names}


def _masked_list(value: Sequence[Any], marks: Any, unknown: Any) -> Any:
    if marks and not isinstance(marks, list):
        return SENSITIVE if _has_mark(marks) else masked(value, None, unknown)
    marks = marks or []
    unknown = unknown if isinstance(unknown, list) else []
    return [
        masked(item, marks[at] if at < len(marks) else None, unknown[at] if at < len(unknown) else None)
        for at, item in enumerate(value)
    ]


def _has_mark(marks: Any) -> bool:
    """Whether anything in marks is true."""
    if isinstance(marks, Mapping):
        return any(_has_mark(mark) for mark in marks.values())
    if isinstance(marks, list):
        return any(_has_mark(mark) for mark in marks)
    return marks is True


def differences(change: Change) -> list[tuple[str, str, str]]:
    """(path, before, after) of what differs in one resource, as text, masked, by path."""
    before = _without(_flat(masked(change.before, change.before_sensitive)), change.secrets)
    after = _without(_flat(masked(change.after, change.after_sensitive, change.unknown)), change.secrets)
    # Where only a masked value differs, both sides would look the same.
    raw_before, raw_after = _flat(change.before), _flat(change.after)
    rows = []
    for path in sorted({*before, *after}):
        old, new = before.get(path, ""), after.get(path, "")
        if old == new == SENSITIVE:
            below = [name for name in {*raw_before, *raw_after} if _is_below(name, path)]
            if any(raw_before.get(name) != raw_after.get(name) for name in below):
                new = SENSITIVE_CHANGED
        if old != new:
            rows.append((path, _short(old), _short(new)))
    return rows


def _without(rows: dict[str, str], secrets: frozenset[str]) -> dict[str, str]:
    """Values that hold one that is sensitive elsewhere are so here."""
    return {path: SENSITIVE if any(_holds(text, secret) for secret in secrets) else text for path, text in rows.items()}


def _holds(text: str, secret: str) -> bool:
    return secret in text or json.dumps(secret, ensure_ascii=False)[1:-1] in text


def _is_below(name: str, path: str) -> bool:
    return name == path or name.startswith((f"{path}.", f"{path}["))


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """`{"a": [{"b": 1}]}` → `{"a[0].b": "1"}`; null and empty values are left out, as Terraform does."""
    if isinstance(value, Mapping):
        rows: dict[str, str] = {}
        for name, item in value.items():
            rows.update(_flat(item, f"{path}.{name}" if path else str(name)))
        return rows
    if isinstance(value, list):
        rows = {}
        for at, item in enumerate(value):
            rows.update(_flat(item, f"{path}[{at}]"))
        return rows
    if value is None or value == "":
        return {}
    return {path: value if value in (SENSITIVE, UNKNOWN) else json.dumps(value, ensure_ascii=False)}


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def diff(plan: Plan) -> dict[str, str]:
    """What Ansible shows with --diff: the attributes of changed resources before and after, by address."""
    sides: dict[str, list[str]] = {"before": [], "after": []}
    for change in sorted(plan.changes, key=lambda change: change.address):
        if change.action in ("nothing", "read"):
            continue
        rows = differences(change)
        for side, at in (("before", 1), ("after", 2)):
            present = change.before if side == "before" else change.after
            if present is None and not any(row[at] for row in rows):
                continue
            sides[side].append(change.address)
            sides[side] += [f"  {row[0]} = {row[at]}" for row in rows if row[at]]
    return {side: "".join(f"{line}\n" for line in lines) for side, lines in sides.items()}
