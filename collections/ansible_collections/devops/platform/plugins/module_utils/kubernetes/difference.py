# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What changes in the cluster, in words and as a diff without secrets. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.engine.masking import keyed_digest, unified

from .objects import OWNER, Manifest, Object, Ref, holds, labels, metadata

WRITTEN = ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink")
REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True)
class Change:
    """One object that changes. `before` and `after` as the API server has them, or would have them."""

    ref: Ref
    action: str
    before: Object | None
    after: Object | None

    def said(self) -> str:
        return f"{self.action} {self.ref}"


def compared(item: Object) -> Manifest:
    """What of an object people and managers write."""
    about = {key: value for key, value in metadata(item).items() if key not in WRITTEN}
    notes = {key: value for key, value in (about.pop("annotations", None) or {}).items() if key != REVISION}
    if notes:
        about["annotations"] = notes
    return {**{key: value for key, value in item.items() if key not in ("status", "metadata")}, "metadata": about}


def certainly_same(item: Manifest, recorded: Manifest | None, live: Object | None) -> bool:
    """Whether nothing would change, without asking: it is what was applied last, and is still there."""
    return recorded is not None and live is not None and recorded == item and holds(item, live)


def change(which: Ref, live: Object | None, after: Object | None) -> Change | None:
    """The change from what is there to what a dry run answered, or None."""
    if live is None:
        return Change(which, "create", None, after)
    if after is None:
        return Change(which, "delete", live, None)
    if compared(live) == compared(after):
        return None
    return Change(which, "apply" if labels(live).get(OWNER) else "take over", live, after)


def masked(item: Object | None, key: bytes) -> Manifest:
    """Values of a Secret as `<secret #tag>`: a changed one shows as a changed tag."""
    if item is None:
        return {}
    result = compared(item)
    if result.get("kind") == "Secret":
        for part in ("data", "stringData"):
            values: Mapping[str, Any] = result.get(part) or {}
            if values:
                result[part] = {
                    name: f"<secret #{keyed_digest(key, str(value).encode())[:8]}>" for name, value in values.items()
                }
        # kubectl apply keeps a copy of all that it was given.
        notes = dict(result["metadata"].get("annotations") or {})
        if notes.pop("kubectl.kubernetes.io/last-applied-configuration", None):
            result["metadata"] = {**result["metadata"], "annotations": notes}
    return result


def text(item: Object | None, key: bytes) -> str:
    shown = masked(item, key)
    return yaml.safe_dump(shown, sort_keys=True, default_flow_style=False, allow_unicode=True) if shown else ""


def diff_of(one: Change, key: bytes) -> str:
    return unified(str(one.ref), text(one.before, key).encode(), text(one.after, key).encode())
