"""Plans for tests: rows as `terraform show -json` writes them, and strategies that make any number of them."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from hypothesis import strategies as st

ACTIONS = {
    "nothing": ["no-op"],
    "create": ["create"],
    "change": ["update"],
    "destroy": ["delete"],
    "replace": ["delete", "create"],
    "replace-new-first": ["create", "delete"],
    "forget": ["forget"],
    "read": ["read"],
}


def row(address: str, action: str = "create", **more: Any) -> dict[str, Any]:
    """`more`: before, after, after_unknown, before_sensitive, after_sensitive, replace_paths, action_reason."""
    kind = address.split("[", maxsplit=1)[0].split(".")[-2]
    reason = more.pop("action_reason", None)
    found = {"address": address, "type": kind, "mode": "managed", "change": {"actions": ACTIONS[action], **more}}
    return {**found, "action_reason": reason} if reason else found


def plan(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format_version": "1.2", "resource_changes": list(rows), **more}


def saved(state: dict[str, Any] | None, name: str = "tfstate") -> bytes:
    """A saved plan's file, as far as it is read."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, json.dumps(state) if state is not None else "")
    return stream.getvalue()


names = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
kinds = st.sampled_from(["aws_db_instance", "aws_s3_bucket", "aws_route", "aws_lb", "aws_kms_key", "null_resource"])
addresses = st.builds(
    lambda modules, kind, name, key: (
        "".join(f"module.{module}." for module in modules) + f"{kind}.{name}" + (f'["{key}"]' if key else "")
    ),
    st.lists(names, max_size=2),
    kinds,
    names,
    st.one_of(st.none(), names),
)
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)
rows = st.builds(
    lambda address, action, before, after: row(address, action, before={"a": before}, after={"a": after}),
    addresses,
    st.sampled_from(sorted(ACTIONS)),
    values,
    values,
)
plans = st.lists(rows, max_size=12, unique_by=lambda found: found["address"]).map(lambda found: plan(*found))
