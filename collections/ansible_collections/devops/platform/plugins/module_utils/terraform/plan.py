"""A plan as typed values, from what `terraform show -json` says, and what its saved file says. Pure."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CREATE, CHANGE, REPLACE, DESTROY, FORGET, READ, NOTHING = (
    "create",
    "change",
    "replace",
    "destroy",
    "forget",
    "read",
    "nothing",
)
# Terraform writes a replacement as both of its halves, in the order in which they happen.
_ACTIONS = {
    ("no-op",): NOTHING,
    ("create",): CREATE,
    ("read",): READ,
    ("update",): CHANGE,
    ("delete",): DESTROY,
    ("forget",): FORGET,
    ("delete", "create"): REPLACE,
    ("create", "delete"): REPLACE,
    ("create", "forget"): REPLACE,
}

SHORTEST_SECRET = 6


class PlanError(ValueError):
    """A plan that cannot be read; says what is wrong with it, and what to do."""


@dataclass(frozen=True)
class Change:
    """What happens to one resource. `before` and `after` are values in clear: they leave by `masking` only.

    `secrets`: values that are sensitive anywhere in the plan. Terraform loses marks where a resource copies a value.
    """

    address: str
    type: str
    action: str
    before: Any = None
    after: Any = None
    unknown: Any = None
    before_sensitive: Any = None
    after_sensitive: Any = None
    forced_by: tuple[str, ...] = ()
    reason: str = ""
    secrets: frozenset[str] = frozenset()

    @property
    def module(self) -> str:
        """`module.network` of `module.network.aws_vpc.this`, without indexes; the root's is empty."""
        parts = self.address.split(".")
        names = []
        while len(parts) > 1 and parts[0] == "module":
            names.append("module." + parts[1].split("[")[0])
            parts = parts[2:]
        return ".".join(names)


@dataclass(frozen=True)
class Plan:
    """`changes` are to come, `drift` is what others did since the last apply."""

    changes: tuple[Change, ...]
    drift: tuple[Change, ...]
    outputs: tuple[Change, ...]
    variables: Mapping[str, Any]
    planned: Mapping[str, Any]
    prior: Mapping[str, Any]

    def of(self, *actions: str) -> list[Change]:
        return [change for change in self.changes if change.action in actions]

    @property
    def changes_resources(self) -> bool:
        return bool(self.of(CREATE, CHANGE, REPLACE, DESTROY, FORGET))


def parse_plan(data: Mapping[str, Any]) -> Plan:
    """From the JSON of `terraform show -json PLAN`."""
    version = str(data.get("format_version", ""))
    if version.split(".", maxsplit=1)[0] != "1":
        raise PlanError(
            f"the plan's format is {version or 'not said'}, not 1.x: show it with a Terraform of version 1, as made it"
        )
    if data.get("errored"):
        raise PlanError("planning broke off with an error: what is in the plan is not all; plan again")
    outputs = data.get("output_changes") or {}
    rows = data.get("resource_changes") or []
    drift = data.get("resource_drift") or []
    results = [{"address": name, "change": outputs[name]} for name in sorted(outputs)]
    secrets = frozenset(
        {*_sensitive_variables(data), *(text for row in (*rows, *drift, *results) for text in _sensitive(row))}
    )
    return Plan(
        changes=tuple(_change(row, secrets) for row in rows),
        drift=tuple(_change(row, secrets) for row in drift),
        outputs=tuple(_change(row, secrets) for row in results),
        variables={name: row.get("value") for name, row in (data.get("variables") or {}).items()},
        planned=data.get("planned_values") or {},
        prior=(data.get("prior_state") or {}).get("values") or {},
    )


def _sensitive_variables(data: Mapping[str, Any]) -> Iterator[str]:
    declared = ((data.get("configuration") or {}).get("root_module") or {}).get("variables") or {}
    for name, row in (data.get("variables") or {}).items():
        yield from _texts(row.get("value"), bool((declared.get(name) or {}).get("sensitive")))


def _sensitive(row: Mapping[str, Any]) -> Iterator[str]:
    change = row.get("change") or {}
    yield from _texts(change.get("before"), change.get("before_sensitive"))
    yield from _texts(change.get("after"), change.get("after_sensitive"))


def _texts(value: Any, marks: Any) -> Iterator[str]:
    """Texts below a mark. Short ones are found everywhere, and would mask everything."""
    if not marks:
        return
    if isinstance(value, str):
        if marks is True and len(value) >= SHORTEST_SECRET:
            yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, marks if marks is True else marks.get(name) if isinstance(marks, Mapping) else None)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            below = marks[at] if isinstance(marks, list) and at < len(marks) else None
            yield from _texts(item, marks if marks is True else below)


def _change(row: Mapping[str, Any], secrets: frozenset[str]) -> Change:
    change = row.get("change") or {}
    actions = tuple(change.get("actions") or ())
    address = str(row.get("address", ""))
    if actions not in _ACTIONS:
        raise PlanError(f"{address}: the plan says {list(actions)}, which this version does not know: not summed up")
    return Change(
        address=address,
        type=str(row.get("type", "")),
        action=_ACTIONS[actions],
        before=change.get("before"),
        after=change.get("after"),
        unknown=change.get("after_unknown"),
        before_sensitive=change.get("before_sensitive"),
        after_sensitive=change.get("after_sensitive"),
        forced_by=tuple(_path(path) for path in change.get("replace_paths") or ()),
        reason=str(row.get("action_reason") or ""),
        secrets=secrets,
    )


def _path(steps: Any) -> str:
    """`["ebs", 0, "size"]` → `ebs[0].size`."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def resources(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All resources of `planned_values` or of a state's `values`, those of modules included; no data sources."""
    waiting = [values.get("root_module") or {}]
    while waiting:
        module = waiting.pop()
        yield from (row for row in module.get("resources") or [] if row.get("mode", "managed") == "managed")
        waiting += module.get("child_modules") or []


@dataclass(frozen=True)
class Place:
    """Where a state stands: its identity, and how often it was written. A plan is good for one place only."""

    lineage: str = ""
    serial: int = 0


def parse_place(text: str) -> Place:
    """From what `terraform state pull` prints; that is nothing where there is no state yet."""
    if not text.strip():
        return Place()
    try:
        data = json.loads(text)
        return Place(str(data.get("lineage") or ""), int(data.get("serial") or 0))
    except (ValueError, AttributeError, TypeError) as error:
        raise PlanError(f"the state cannot be read ({error}): look at it with terraform state pull") from None


def planned_place(content: bytes) -> Place:
    """Of which place of the state a saved plan is; its file is a ZIP archive with the state in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return parse_place(archive.read("tfstate").decode("utf-8"))
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise PlanError(f"the file is no saved plan of Terraform ({error}): plan again") from None


def digest_of(content: bytes) -> str:
    """What an approval names: no other plan has it, not even one of the same changes."""
    return hashlib.sha256(content).hexdigest()
