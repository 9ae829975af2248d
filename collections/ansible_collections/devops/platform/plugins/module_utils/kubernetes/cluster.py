# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a rollout needs of a cluster, and how a cluster says no. `api.Api` is a real one, tests have a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from .objects import Manifest, Object, Ref


class ApiError(Exception):
    """The API server refused, or could not be asked. `status` is 0 where it was not reached."""

    def __init__(self, what: str, status: int, reason: str, message: str) -> None:
        super().__init__(f"{what}: {reason or status}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class NotFound(ApiError):  # noqa: N818 - Kubernetes' own word
    """There is no such object, or no such namespace."""


class Conflict(ApiError):  # noqa: N818
    """Other managers own fields that are to be applied, `fields`: path and manager; or another one wrote before us."""

    def __init__(self, what: str, message: str, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__(what, 409, "Conflict", message)
        self.fields = fields


class Cluster(Protocol):
    """`seen` holds what is watched, as of the last `refresh`; `requests` counts what was asked of the API server."""

    requests: int

    @property
    def seen(self) -> Mapping[Ref, Object]: ...

    def learn(self, items: Iterable[Object]) -> None:
        """Find out how kinds are addressed that not each cluster has."""

    def get(self, which: Ref) -> Object | None: ...

    def look(self, which: Iterable[Ref]) -> dict[Ref, Object]: ...

    def versions(self, namespace: str, selector: str) -> list[Object]: ...

    def apply(self, item: Manifest, dry_run: bool = False, force: bool = False) -> Object: ...

    def create(self, item: Manifest) -> Object: ...

    def replace(self, item: Manifest) -> Object:
        """The whole object; Conflict where it is not the version that `item` names."""

    def delete(self, which: Ref, uid: str = "") -> None:
        """With a uid that very object: another one that has taken its name meanwhile stays."""

    def watch(self, kinds: Iterable[tuple[str, str, str]]) -> None:
        """Group, kind and namespace of what `seen` shall hold from now on."""

    def refresh(self, seconds: float) -> None:
        """Wait for news, at most so long."""

    def events(self, namespace: str) -> list[Object]: ...

    def logs(self, namespace: str, pod: str, container: str, previous: bool, lines: int) -> str: ...

    def now(self) -> float: ...


STEP = re.compile(r"\.([^.\[\]]+)|\[([^\]]*)\]")


def has_field(item: Mapping[str, Any], path: str) -> bool:
    """Whether a manifest has a field, named as in a conflict: `.spec.template.spec.containers[name="app"].image`."""
    value: Any = item
    for match in STEP.finditer(path):
        key, selector = match[1], match[2]
        if key is not None:
            if not isinstance(value, Mapping) or key not in value:
                return False
            value = value[key]
        else:
            pairs = re.findall(r'(\w+)=(?:"([^"]*)"|([^,]+))', selector or "")
            value = next(
                (
                    one
                    for one in (value if isinstance(value, (list, tuple)) else ())
                    if isinstance(one, Mapping) and all(str(one.get(k)) == (text or bare) for k, text, bare in pairs)
                ),
                None,
            )
            if value is None:
                return False
    return True


def may_force(conflict: Conflict, recorded: Mapping[str, Any] | None) -> bool:
    """Fields that we applied before are ours, whoever wrote to them since."""
    return bool(recorded and conflict.fields and all(has_field(recorded, path) for path, _manager in conflict.fields))


def explained(conflict: Conflict, which: Ref) -> str:
    """What to do about a conflict."""
    if not conflict.fields:
        return f"{which}: another writer was first: {conflict.message}; run it again"
    fields = ", ".join(f"{path} (of {manager})" for path, manager in conflict.fields)
    return (
        f"{which}: others own fields that the definition sets: {fields}. Leave them out of the definition, or have the "
        "rollout take them over with take_over: true"
    )
