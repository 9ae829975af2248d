# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The difference between what AWX has and what it shall have: what is sent, and what goes. Pure.

Ours is what carries its mark (owner.py) in its description, and the nodes of our workflows. Nothing else is changed or
removed; where something else has the name of one of ours, the plan refuses.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.alerting.receivers import with_secrets
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError

from .actual import NOTIFIED, REFERENCES, Actual
from .desired import KINDS, LINKS, Item
from .owner import Owner

ENCRYPTED = "$encrypted$"  # what AWX shows of a secret
# Arguments that say where something is, or how, and nothing that it has.
PLACE = ("name", "organization", "identifier", "workflow_job_template", "lookup_organization")
UNORDERED = ("credentials", *NOTIFIED, *LINKS)
# AWX adds keys of its own to these.
OPEN = ("notification_configuration", "messages")
WORDS = {
    "organization": "organisation",
    "workflow_job_template": "workflow",
    "workflow_job_template_node": "node",
}


@dataclass(frozen=True)
class Call:
    """One call of a module: `arguments` with marks for secrets, `says` in the words of a plan."""

    name: str
    arguments: Mapping[str, Any]
    says: str = ""

    @property
    def secret(self) -> bool:
        return bool(_marks(self.arguments))

    def data(self) -> dict[str, Any]:
        return {"name": self.name, "arguments": dict(self.arguments), "secret": self.secret}


@dataclass(frozen=True)
class Plan:
    """``present``: kind -> calls that make or change, in order; ``links``: the same for the ways between nodes, which
    come after all nodes; ``absent``: kind -> calls that remove."""

    present: Mapping[str, list[Call]] = field(default_factory=dict)
    links: Sequence[Call] = ()
    absent: Mapping[str, list[Call]] = field(default_factory=dict)

    def said(self) -> list[str]:
        calls = [*(self.present[kind] for kind in KINDS), self.links, *(self.absent[kind] for kind in reversed(KINDS))]
        return [call.says for group in calls for call in group if call.says]

    def data(self) -> dict[str, Any]:
        """For a playbook: plain data."""
        return {
            "present": {kind: [call.data() for call in self.present[kind]] for kind in KINDS},
            "links": [call.data() for call in self.links],
            "absent": {kind: [call.data() for call in self.absent[kind]] for kind in KINDS},
        }


def digest(item: Item, secrets: Mapping[str, str], key: str) -> str:
    """What stands in the mark of something with secrets, so that a secret that has changed is seen though AWX shows
    none. Without the key, which is AWX's token, nobody can try values against it."""
    names = _marks(item.arguments)
    if not names:
        return ""
    text = json.dumps([secrets[name] for name in names])
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:12]


def signed(item: Item, owner: Owner, secrets: Mapping[str, str], key: str) -> Item:
    """The item with that digest in its description."""
    found = digest(item, secrets, key)
    if not found:
        return item
    says = str(item.arguments["description"]).removesuffix(owner.mark(item.name))
    description = says + owner.mark(item.name, found)
    return Item(item.kind, item.name, {**item.arguments, "description": description}, item.parent)


def plan(wanted: Sequence[Item], actual: Sequence[Actual], owner: Owner, secrets: Mapping[str, str], key: str) -> Plan:
    """PlatformError where something that is not ours has the name of something that would be."""
    there = {(one.kind, one.parent, one.name): one for one in actual}
    refused = [
        f"{_called(item.kind, item.name)} (id {found.id}; {owner.mark(item.name)})"
        for item in wanted
        for found in [there.get(_key(item))]
        if found is not None and not _may_change(found, owner)
    ]
    if refused:
        raise PlatformError(
            f"AWX has {', '.join(refused)} already, and nothing says that it is this platform's. Rename or remove it "
            "in AWX; or hand it over: write what stands in brackets at the end of its description. Nothing was changed"
        )
    present: dict[str, list[Call]] = {kind: [] for kind in KINDS}
    links: list[Call] = []
    for plain in wanted:
        item = signed(plain, owner, secrets, key)
        _add(item, there.get(_key(item)), secrets, present, links)
    _update_project(wanted, present, there)
    return Plan(present, links, _prune(wanted, actual, owner))


def _key(item: Item) -> tuple[str, str, str]:
    return item.kind, item.parent, item.name


def _may_change(found: Actual, owner: Owner) -> bool:
    shared = ("organization", "workflow_job_template_node")
    return found.kind in shared or owner.owns(found.name, found.description)


def _add(
    item: Item, found: Actual | None, secrets: Mapping[str, str], present: dict[str, list[Call]], links: list[Call]
) -> None:
    differing = None if found is None else differences(item, found, secrets)
    if differing == []:
        return
    if item.kind != "workflow_job_template_node":
        present[item.kind].append(Call(item.name, item.arguments, _says(item, differing)))
        return
    own = {name: value for name, value in item.arguments.items() if name not in LINKS}
    linked = {name: item.arguments[name] for name in ("identifier", "workflow_job_template", "organization", *LINKS)}
    if differing is None or set(differing) - set(LINKS):
        present[item.kind].append(Call(f"{item.parent}: {item.name}", own, _says(item, differing)))
    if differing is None or set(differing) & set(LINKS):
        # A node that is made says so once.
        says = _says(item, differing) if differing and not set(differing) - set(LINKS) else ""
        links.append(Call(f"{item.parent}: {item.name}", linked, says))


def differences(item: Item, found: Actual, secrets: Mapping[str, str]) -> list[str]:
    """Names of the arguments that differ, in order."""
    return [
        name
        for name, value in item.arguments.items()
        if name not in PLACE and not _same(name, with_secrets(value, secrets), found.value(name))
    ]


def _same(name: str, wanted: Any, there: Any) -> bool:
    if name in UNORDERED:
        return sorted(wanted) == sorted(there or ())
    if name == "survey_spec":
        return wanted.get("spec") == (there or {}).get("spec")
    if name in REFERENCES:
        return str(wanted) == str(there)
    return _alike(wanted, there, open_=name in OPEN)


def _alike(wanted: Any, there: Any, open_: bool) -> bool:
    if there == ENCRYPTED:
        return bool(wanted)
    if isinstance(wanted, Mapping):
        given = there if isinstance(there, Mapping) else {}
        keys = set(wanted) if open_ else {*wanted, *given}
        return all(_alike(wanted.get(key), given.get(key), open_) for key in keys)
    return wanted == there or (wanted in ("", None) and there in ("", None))


def _update_project(
    wanted: Sequence[Item], present: dict[str, list[Call]], there: Mapping[tuple[str, str, str], Actual]
) -> None:
    """AWX takes a job template only for playbooks that it has seen: it fetches the repository before a new one, and
    whenever the project changes."""
    known = {one.raw.get("playbook") for one in there.values() if one.kind == "job_template"}
    asked = {call.arguments["playbook"] for call in present["job_template"]}
    for item in wanted:
        if item.kind == "project" and (asked - known or present["project"]):
            says = "".join(call.says for call in present["project"])
            present["project"] = [Call(item.name, {**item.arguments, "update_project": True}, says)]


def _prune(wanted: Sequence[Item], actual: Sequence[Actual], owner: Owner) -> dict[str, list[Call]]:
    keep = {_key(item) for item in wanted}
    workflows = {item.name for item in wanted if item.kind == "workflow_job_template"}
    absent: dict[str, list[Call]] = {kind: [] for kind in KINDS}
    for one in actual:
        if (one.kind, one.parent, one.name) in keep or one.kind == "organization":
            continue
        if one.kind == "workflow_job_template_node":
            if one.parent in workflows:  # the nodes of a workflow that goes go with it
                says = f"remove {_called(one.kind, one.name)} of {one.parent}"
                absent[one.kind].append(Call(f"{one.parent}: {one.name}", dict(_removal(one)), says))
        elif owner.owns(one.name, one.description):
            absent[one.kind].append(Call(one.name, dict(_removal(one)), f"remove {_called(one.kind, one.name)}"))
    return absent


def _removal(one: Actual) -> Iterator[tuple[str, Any]]:
    """The arguments that remove exactly this object. It is named by its id: another one may have its name by then."""
    yield "state", "absent"
    if one.kind == "workflow_job_template_node":
        yield from (("identifier", one.name), ("workflow_job_template", str(one.raw["workflow_job_template"])))
        return
    yield "name", str(one.id)
    if one.kind in ("inventory", "notification_template", "credential", "project"):
        yield "organization", str(one.raw["organization"])
    if one.kind == "credential":
        yield "credential_type", str(one.raw["credential_type"])
    if one.kind == "inventory_source":
        yield "inventory", str(one.raw["inventory"])


def _says(item: Item, differing: Sequence[str] | None) -> str:
    called = _called(item.kind, item.name) + (f" of {item.parent}" if item.parent else "")
    return f"make {called}" if differing is None else f"change {called}: {', '.join(differing)}"


def _called(kind: str, name: str) -> str:
    return f"{WORDS.get(kind, kind.replace('_', ' '))} '{name}'"


def _marks(data: Any) -> list[str]:
    """Names of the secrets that stand in `data`, in order."""
    if isinstance(data, Mapping):
        if set(data) == {"secret"}:
            return [str(data["secret"])]
        return [name for key in data for name in _marks(data[key])]
    if isinstance(data, (list, tuple)):
        return [name for item in data for name in _marks(item)]
    return []


def secret_names(wanted: Sequence[Item]) -> list[str]:
    """Names of all secrets that stand in items, sorted."""
    return sorted({name for item in wanted for name in _marks(item.arguments)})
