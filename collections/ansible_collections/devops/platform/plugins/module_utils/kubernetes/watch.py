# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One watch a kind and namespace, each in a thread: what thousands of objects become costs one request.

A watch that ends is taken up where it was. Where the server has forgotten that place (410) all is listed again; where
watching is not allowed, all is listed every few seconds.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import urlencode

from .cluster import ApiError
from .objects import KINDS, Kind, Object, Ref, metadata, ref

LONGEST = 290  # seconds of one watch; proxies cut what is longer
POLL = 2.0
REFUSED = (401, 403, 405)


class Server(Protocol):
    """What is asked of `api.Api`, which holds the watches."""

    @property
    def transport(self) -> Any: ...

    def collection(self, known: Kind, namespace: str) -> str: ...

    def listed(self, known: Kind, kind: str, namespace: str) -> tuple[list[Object], str]: ...

    def count(self) -> None: ...


class Watches:
    def __init__(self, api: Server) -> None:
        self.api = api
        self.known: dict[tuple[str, str, str], dict[Ref, Object]] = {}
        self.news = threading.Condition()
        self.fresh = False
        self.stopped = threading.Event()
        self.error: ApiError | None = None

    def add(self, group: str, kind: str, namespace: str) -> None:
        """Watch one more; returns when all of it is known."""
        key = (group, kind, namespace)
        if key in self.known:
            return
        known = KINDS[group, kind]
        items, version = self.api.listed(known, kind, namespace)
        self._replace(key, items)
        threading.Thread(target=self._follow, args=(key, known, version), daemon=True).start()

    def snapshot(self) -> Mapping[Ref, Object]:
        with self.news:
            return {which: item for one in self.known.values() for which, item in one.items()}

    def wait(self, seconds: float) -> None:
        with self.news:
            if not self.fresh:
                self.news.wait(seconds)
            self.fresh = False
            if self.error is not None:
                raise self.error

    def close(self) -> None:
        self.stopped.set()

    def _replace(self, key: tuple[str, str, str], items: list[Object]) -> None:
        with self.news:
            self.known[key] = {ref(item): item for item in items}
            self.fresh = True
            self.news.notify_all()

    def _take(self, key: tuple[str, str, str], event: Mapping[str, Any], known: Kind) -> str:
        """The version after one event, or nothing where the list is to be made anew."""
        item = event.get("object") or {}
        if event.get("type") == "ERROR":
            return ""
        version = str(metadata(item).get("resourceVersion", ""))
        if event.get("type") == "BOOKMARK":
            return version
        with self.news:
            which = ref({"apiVersion": known.api_version, "kind": key[1], **item})
            if event.get("type") == "DELETED":
                self.known[key].pop(which, None)
            else:
                self.known[key][which] = item
            self.fresh = True
            self.news.notify_all()
        return version

    def _follow(self, key: tuple[str, str, str], known: Kind, version: str) -> None:
        poll = False
        while not self.stopped.is_set():
            try:
                if poll or not version:
                    items, version = self.api.listed(known, key[1], key[2])
                    self._replace(key, items)
                if poll:
                    self.stopped.wait(POLL)
                    continue
                version = self._once(key, known, version)
            except ApiError as error:
                if error.status in REFUSED and not poll:
                    poll = True
                    continue
                if error.status == 410:
                    version = ""
                    continue
                # Listing tried several times already: who waits is told.
                with self.news:
                    self.error = error
                    self.news.notify_all()
                return

    def _once(self, key: tuple[str, str, str], known: Kind, version: str) -> str:
        """One watch to its end. A connection that breaks is an end like any other."""
        query = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(LONGEST),
        }
        self.api.count()
        began = version
        for line in self._lines(f"{self.api.collection(known, key[2])}?{urlencode(query)}"):
            version = self._take(key, json.loads(line), known)
            if not version or self.stopped.is_set():
                return version
        if version == began:
            self.stopped.wait(POLL)  # one that ends at once is not asked for again at once
        return version

    def _lines(self, path: str) -> Iterator[bytes]:
        return (line for line in self.api.transport.stream(path) if line.strip())
