# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A real cluster, by few requests: kinds that everybody has need no discovery, and what is waited for is watched."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from .cluster import ApiError, Conflict, NotFound
from .objects import KINDS, MANAGER, Kind, Manifest, Object, Ref, kind_of, metadata, ref
from .watch import Watches

MANY = 3  # from so many objects of a kind and namespace on, all of them are listed at once
TRIES = 5
AGAIN = (0, 429, 500, 502, 503, 504)  # worth asking again
PAUSE = 1.0
LINE = 400  # characters of a line of a log that are kept


class Transport(Protocol):
    """HTTP with the cluster's credentials: `transport.Http`, or a test."""

    def send(self, method: str, path: str, body: bytes | None, content_type: str) -> tuple[int, bytes]:
        """Status 0 where nobody answered; the body is then why."""

    def stream(self, path: str) -> Iterator[bytes]:
        """Lines of an answer, as they come."""


class Api:
    """`cluster.Cluster` over HTTP."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.requests = 0
        self.counting = threading.Lock()  # watches count, too
        self.watches = Watches(self)

    @property
    def seen(self) -> Mapping[Ref, Object]:
        return self.watches.snapshot()

    def now(self) -> float:
        return time.time()

    def count(self) -> None:
        with self.counting:
            self.requests += 1

    # ---- addresses

    def path(self, which: Ref, name: bool = True) -> str:
        known = kind_of(which)
        if known is None:
            raise ApiError(str(which), 404, "NotFound", f"the cluster knows no kind {which.kind} of {which.group!r}")
        return self.collection(known, which.namespace) + (f"/{quote(which.name)}" if name else "")

    @staticmethod
    def collection(known: Kind, namespace: str) -> str:
        root = f"/apis/{known.api_version}" if known.group else f"/api/{known.version}"
        inside = f"/namespaces/{quote(namespace)}" if known.namespaced and namespace else ""
        return f"{root}{inside}/{known.plural}"

    def learn(self, items: Iterable[Object]) -> None:
        """Kinds that only the API server knows, one request for each of their groups."""
        wanted = {(str(item.get("apiVersion")), str(item.get("kind"))) for item in items if kind_of(ref(item)) is None}
        for api_version in sorted({version for version, _kind in wanted}):
            try:
                found = self.ask("GET", f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}")
            except NotFound:
                continue
            for one in found.get("resources") or []:
                if "/" not in one["name"]:
                    group, _slash, version = api_version.rpartition("/")
                    KINDS[group, one["kind"]] = Kind(group, version, one["name"], bool(one["namespaced"]))

    # ---- requests

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Any:
        """One request, again where the server is away or busy for a moment."""
        raw = self.raw(method, path, query, body, content_type)
        try:
            return json.loads(raw) if raw else {}
        except ValueError as error:
            raise ApiError(f"{method} {path}", 0, "NoJSON", f"the answer is no JSON: {raw[:80]!r}") from error

    def raw(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> bytes:
        target = f"{path}?{urlencode(query)}" if query else path
        coded = None if body is None else json.dumps(body).encode()
        for left in reversed(range(TRIES)):
            self.count()
            status, answer = self.transport.send(method, target, coded, content_type)
            if 200 <= status < 300:
                return answer
            # A POST that was lost on its way back may have been carried out: asking again would say AlreadyExists.
            again = status in AGAIN and not (method == "POST" and status != 429)
            if not left or not again:
                raise refusal(f"{method} {path}", status, answer)
            time.sleep(PAUSE * (TRIES - left))
        raise AssertionError("the loop ends by itself")

    def get(self, which: Ref) -> Object | None:
        try:
            return self.ask("GET", self.path(which))
        except NotFound:
            return None

    def listed(self, known: Kind, kind: str, namespace: str, selector: str = "") -> tuple[list[Object], str]:
        """All objects of a kind in a namespace, and the version of the list."""
        query = {"labelSelector": selector} if selector else {}
        found = self.ask("GET", self.collection(known, namespace), query)
        # Objects in lists bear neither of these.
        items: list[Object] = [
            {"apiVersion": known.api_version, "kind": kind, **item} for item in found.get("items") or []
        ]
        return items, str(metadata(found).get("resourceVersion", ""))

    def look(self, which: Iterable[Ref]) -> dict[Ref, Object]:
        groups: dict[tuple[str, str, str], list[Ref]] = {}
        for one in which:
            groups.setdefault((one.group, one.kind, one.namespace), []).append(one)
        found: dict[Ref, Object] = {}
        for (group, kind, namespace), refs in sorted(groups.items()):
            known = KINDS.get((group, kind))
            if known is None:
                continue
            if len(refs) >= MANY:
                items, _version = self.listed(known, kind, namespace)
                found.update({ref(item): item for item in items if ref(item) in refs})
            else:
                for one in refs:
                    item = self.get(one)
                    if item is not None:
                        found[one] = item
        return found

    def versions(self, namespace: str, selector: str) -> list[Object]:
        return self.listed(KINDS["", "Secret"], "Secret", namespace, selector)[0]

    def apply(self, item: Manifest, dry_run: bool = False, force: bool = False) -> Object:
        query = {"fieldManager": MANAGER, "force": "true" if force else "false", "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        return self.ask("PATCH", self.path(ref(item)), query, item, "application/apply-patch+yaml")

    def create(self, item: Manifest) -> Object:
        return self.ask("POST", self.path(ref(item), name=False), {"fieldManager": MANAGER}, item)

    def replace(self, item: Manifest) -> Object:
        return self.ask("PUT", self.path(ref(item)), {"fieldManager": MANAGER}, item)

    def delete(self, which: Ref, uid: str = "") -> None:
        options: dict[str, Any] = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            self.ask("DELETE", self.path(which), None, options)
        except (NotFound, Conflict):
            return

    def watch(self, kinds: Iterable[tuple[str, str, str]]) -> None:
        for group, kind, namespace in kinds:
            self.watches.add(group, kind, namespace)

    def refresh(self, seconds: float) -> None:
        self.watches.wait(seconds)

    def events(self, namespace: str) -> list[Object]:
        query = {"fieldSelector": "type!=Normal"}
        return self.ask("GET", f"/api/v1/namespaces/{quote(namespace)}/events", query).get("items") or []

    def logs(self, namespace: str, pod: str, container: str, previous: bool, lines: int) -> str:
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/log"
        query = {"container": container, "tailLines": str(lines), **({"previous": "true"} if previous else {})}
        try:
            text = self.raw("GET", path, query).decode("utf-8", "replace")
        except ApiError as error:
            return f"(no log: {error.message})"
        return "\n".join(line[:LINE] for line in text.splitlines())

    def close(self) -> None:
        self.watches.close()


def refusal(what: str, status: int, answer: bytes) -> ApiError:
    """The API server's own reason and message; for a conflict, the fields and who has them."""
    if not status:
        return ApiError(what, 0, "Unreachable", answer.decode("utf-8", "replace"))
    try:
        body = json.loads(answer)
    except ValueError:
        body = {}
    reason, message = (
        str(body.get("reason") or status),
        str(body.get("message") or answer[:200].decode("utf-8", "replace")),
    )
    if status == 404:
        return NotFound(what, status, reason, message)
    if status == 409:
        causes = (body.get("details") or {}).get("causes") or []
        fields = tuple(
            (str(one.get("field")), _manager(str(one.get("message", ""))))
            for one in causes
            if one.get("reason") == "FieldManagerConflict"
        )
        return Conflict(what, message, fields)
    return ApiError(what, status, reason, message)


def _manager(message: str) -> str:
    """The name in `conflict with "kubectl-edit" using apps/v1`."""
    parts = message.split('"')
    return parts[1] if len(parts) > 2 else message
