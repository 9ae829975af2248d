"""A small AWX: as much of its API as awx.awx's modules use, in memory, on loopback.

It pages, filters (also through what an object refers to), checks what AWX checks, hides secrets, associates, keeps
surveys and approval nodes, fetches a project's repository, and forgets what goes. It runs no jobs. A real AWX is a
dozen containers from registries that are out of reach here; where this one differs from it, the tests prove nothing.
"""

from __future__ import annotations

import contextlib
import copy
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.awx.harness.fake_rules import (
    CASCADES,
    KINDS,
    MANAGED_TYPES,
    SECRET,
    TEMPLATES,
    Kind,
    Object,
    RefusedError,
    check,
    check_survey,
    secret_fields,
)

ROOT = "/api/v2/"
PAGE = 3  # fewer than there are objects: who reads the first page only sees too little


class NotFoundError(Exception):
    """A 404."""


class FakeAwx:
    """The state. ``playbooks``: what the project's repository holds; ``broken``: (method, part of a path) -> after how
    many such requests the next one is answered with a 500; ``refusing``: endpoint -> why it takes nothing new."""

    def __init__(self, token: str, playbooks: list[str]) -> None:
        self.token = token
        self.playbooks = playbooks
        self.tables: dict[str, dict[int, Object]] = {endpoint: {} for endpoint in KINDS}
        self.surveys: dict[int, Object] = {}
        self.broken: dict[tuple[str, str], int] = {}
        self.refusing: dict[str, str] = {}
        self.writes: list[tuple[str, str]] = []
        self.last = 0
        self.lock = threading.Lock()
        for described in MANAGED_TYPES:
            self.add("credential_types", described)

    # What a test does and looks at

    def add(self, endpoint: str, given: Mapping[str, Any]) -> Object:
        """An object, as if somebody had made it."""
        kind = KINDS[endpoint]
        self.last += 1
        obj = {"id": self.last, "type": kind.type, "description": "", **copy.deepcopy(dict(kind.defaults)), **given}
        obj.update({name: obj.get(name) for name in kind.references}, **{name: [] for name in kind.lists})
        if endpoint == "projects":
            obj.update(playbooks=list(self.playbooks), scm_revision="r1", updating=True)
        self.tables[endpoint][self.last] = obj
        return obj

    def copy(self) -> FakeAwx:
        other = FakeAwx(self.token, list(self.playbooks))
        other.tables, other.surveys = copy.deepcopy(self.tables), copy.deepcopy(self.surveys)
        other.last = self.last
        return other

    def forget(self, endpoint: str, name: str) -> None:
        """As if somebody had removed it."""
        self._delete(endpoint, self.named(endpoint)[name])

    def named(self, endpoint: str) -> dict[str, Object]:
        return {str(obj.get("identifier") or obj["name"]): obj for obj in self.tables[endpoint].values()}

    def get(self, endpoint: str, number: int) -> Object:
        try:
            return self.tables[endpoint][int(number)]
        except (KeyError, ValueError):
            raise NotFoundError from None

    def template(self, number: int) -> tuple[str, Object]:
        """A unified job template, whichever kind it is of."""
        for endpoint in TEMPLATES:
            if number in self.tables[endpoint]:
                return endpoint, self.tables[endpoint][number]
        raise NotFoundError

    # Requests

    def answer(self, method: str, path: str, query: list[tuple[str, str]], body: Object) -> tuple[int, Any]:
        parts = path.removeprefix(ROOT).strip("/").split("/")
        if method != "GET":
            self.writes.append((method, path))
        if len(parts) == 1:
            return self._list(parts[0], path, query) if method == "GET" else self._create(parts[0], body)
        if parts[0] == "project_updates":
            ended = {"status": "successful", "failed": False, "finished": "now", "scm_revision": "r2", "elapsed": 1.0}
            return 200, {"id": int(parts[1]), **ended}
        obj = self.get(parts[0], int(parts[1]))
        if len(parts) == 2:
            return self._detail(method, parts[0], obj, body)
        return self._related(method, parts[0], obj, parts[2], path, query, body)

    def _detail(self, method: str, endpoint: str, obj: Object, body: Object) -> tuple[int, Any]:
        if method == "DELETE":
            return self._delete(endpoint, obj)
        if method == "PATCH":
            self._save(endpoint, obj, body)
        return 200, self.shown(endpoint, obj)

    def _related(
        self, method: str, endpoint: str, obj: Object, name: str, path: str, query: list[tuple[str, str]], body: Object
    ) -> tuple[int, Any]:
        if name == "survey_spec":
            return self._survey(method, obj, body)
        if name == "update" and endpoint == "projects":
            obj["playbooks"] = list(self.playbooks)
            return 202, {"id": obj["id"], "url": f"{ROOT}project_updates/{obj['id']}/"}
        if name == "create_approval_template":
            template = self.add("workflow_approval_templates", {"timeout": 0, **body})
            obj["unified_job_template"] = template["id"]
            return 201, self.shown("workflow_approval_templates", template)
        other = KINDS[endpoint].lists[name]
        if method == "GET":
            return self._page([self.get(other, number) for number in obj[name]], other, path, query)
        member = self.get(other, body["id"])["id"]
        if body.get("disassociate"):
            obj[name].remove(member)
        else:
            obj[name].append(member)
        return 204, None

    def _survey(self, method: str, obj: Object, body: Object) -> tuple[int, Any]:
        if method == "POST":
            check_survey(body)
            self.surveys[obj["id"]] = body
        if method == "DELETE":
            self.surveys.pop(obj["id"], None)
        return 200, self.surveys.get(obj["id"], {}) if method == "GET" else {}

    def _create(self, endpoint: str, body: Object) -> tuple[int, Any]:
        kind = KINDS[endpoint]
        if endpoint in self.refusing:
            raise RefusedError({"__all__": [self.refusing[endpoint]]})
        obj = self.add(endpoint, {})
        try:
            self._save(endpoint, obj, body)
        except RefusedError:
            del self.tables[endpoint][obj["id"]]
            raise
        if "project" in kind.references:
            obj["organization"] = self.get("projects", obj["project"])["organization"]
        return 201, self.shown(endpoint, obj)

    def _save(self, endpoint: str, obj: Object, body: Object) -> None:
        kind = KINDS[endpoint]
        hidden = ("id", "type", "url", "related", "summary_fields", *kind.lists)
        new = {**obj, **{name: value for name, value in body.items() if name not in hidden}}
        for name, endpoints in kind.references.items():
            if new.get(name) is not None and not any(new[name] in self.tables[other] for other in endpoints):
                raise RefusedError({name: [f'Invalid pk "{new[name]}" - object does not exist.']})
        check(endpoint, new, self.get)
        for other in self.tables[endpoint].values():
            if (
                kind.unique
                and other["id"] != obj["id"]
                and all(other.get(name) == new.get(name) for name in kind.unique)
            ):
                raise RefusedError({"__all__": [f"{kind.type} with this {' and '.join(kind.unique)} already exists."]})
        for name, keys in secret_fields(endpoint, new, self.get).items():
            for key in keys:
                if new[name].get(key) == SECRET:
                    new[name][key] = obj[name][key]
        obj.update(new)

    def _delete(self, endpoint: str, obj: Object) -> tuple[int, Any]:
        del self.tables[endpoint][obj["id"]]
        for other, name in CASCADES.get(endpoint, ()):
            for found in [one for one in self.tables[other].values() if one[name] == obj["id"]]:
                self._delete(other, found)
        if endpoint in TEMPLATES:
            for found in [one for one in self.tables["schedules"].values() if one["unified_job_template"] == obj["id"]]:
                self._delete("schedules", found)
        for other, kind in KINDS.items():
            for one in self.tables[other].values():
                one.update({name: None for name in kind.references if one[name] == obj["id"]})
                one.update({name: [id_ for id_ in one[name] if id_ != obj["id"]] for name in kind.lists})
        return (202, {}) if endpoint == "inventories" else (204, None)

    # Answers

    def shown(self, endpoint: str, obj: Object) -> Object:
        """An object as AWX shows it: with addresses, with names of what it refers to, and without secrets."""
        kind = KINDS[endpoint]
        url = f"{ROOT}{endpoint}/{obj['id']}/"
        related = {name: f"{url}{name}/" for name in kind.lists}
        if endpoint in ("job_templates", "workflow_job_templates"):
            related["survey_spec"] = f"{url}survey_spec/"
        if endpoint == "projects":
            related["update"] = f"{url}update/"
        shown = copy.deepcopy({name: value for name, value in obj.items() if name not in ("playbooks", "updating")})
        shown.update(url=url, related=related, summary_fields=self._summary(endpoint, obj, kind, related))
        if endpoint != "workflow_job_template_nodes":
            for name in kind.lists:
                shown.pop(name)
        for name, keys in secret_fields(endpoint, obj, self.get).items():
            shown[name].update({key: SECRET for key in keys if shown[name].get(key)})
        return shown

    def _summary(self, endpoint: str, obj: Object, kind: Kind, related: dict[str, str]) -> Object:
        summary: Object = {}
        for name, endpoints in {**kind.references, "organization": ("organizations",)}.items():
            for other in endpoints:
                found = self.tables[other].get(obj.get(name) or 0)
                if found:
                    type_ = found["type"].removesuffix("_template") if other in TEMPLATES else found["type"]
                    summary[name] = {"id": found["id"], "name": found["name"], "unified_job_type": type_}
                    related[name] = f"{ROOT}{other}/{found['id']}/"
        if endpoint == "job_templates":
            found_ = [self.tables["credentials"][number] for number in obj["credentials"]]
            summary["credentials"] = [{"id": one["id"], "name": one["name"]} for one in found_]
        if endpoint == "projects" and obj.pop("updating", False):
            summary["current_update"] = {"id": obj["id"], "status": "pending"}
        return summary

    def _list(self, endpoint: str, path: str, query: list[tuple[str, str]]) -> tuple[int, Any]:
        if endpoint == "unified_job_templates":
            pairs = [(other, obj) for other in TEMPLATES for obj in self.tables[other].values()]
        elif endpoint in KINDS:
            pairs = [(endpoint, obj) for obj in self.tables[endpoint].values()]
        else:
            raise NotFoundError
        return self._page([obj for other, obj in pairs if self._fits(other, obj, query)], endpoint, path, query)

    def _page(self, found: list[Object], endpoint: str, path: str, query: list[tuple[str, str]]) -> tuple[int, Any]:
        asked = dict(query)
        number, size = int(asked.get("page", 1)), min(int(asked.get("page_size", PAGE)), PAGE)
        following = {**asked, "page": str(number + 1)} if number * size < len(found) else None
        results = []
        for obj in found[(number - 1) * size : number * size]:
            own = endpoint if endpoint in KINDS else self.template(obj["id"])[0]
            results.append(self.shown(own, obj))
        link = f"{path}?{urlencode(following)}" if following else None
        return 200, {"count": len(found), "next": link, "previous": None, "results": results}

    def _fits(self, endpoint: str, obj: Object, query: list[tuple[str, str]]) -> bool:
        either = []
        for key, wanted in query:
            if key in ("page", "page_size"):
                continue
            alternative = key.startswith("or__")
            value = self._value(endpoint, obj, key.removeprefix("or__").split("__"))
            same = str(value).lower() == wanted.lower() if isinstance(value, bool) else str(value) == wanted
            if alternative:
                either.append(same)
            elif not same:
                return False
        return not either or any(either)

    def _value(self, endpoint: str, obj: Object, steps: list[str]) -> Any:
        first, *rest = steps
        if first not in obj and first != "organization":
            raise RefusedError({"detail": f"{KINDS[endpoint].type} has no field named '{first}'"})
        if not rest:
            return obj.get(first)
        for other in KINDS[endpoint].references[first]:
            if obj[first] in self.tables[other]:
                return self._value(other, self.tables[other][obj[first]], rest)
        return None


class Handler(BaseHTTPRequestHandler):
    awx: FakeAwx

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}") if length else {}
        with self.awx.lock:
            status, answer = self._answer(parts.path, parse_qsl(parts.query), body)
        data = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("X-API-Product-Name", "AWX")
        self.send_header("X-API-Product-Version", "24.6.1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _answer(self, path: str, query: list[tuple[str, str]], body: Object) -> tuple[int, Any]:
        if self.headers.get("Authorization") != f"Bearer {self.awx.token}":
            return 401, {"detail": "Authentication credentials were not provided."}
        for (method, part), left in self.awx.broken.items():
            if method == self.command and part in path:
                self.awx.broken[method, part] = left - 1
                if left == 0:
                    return 500, {"detail": "A server error has occurred."}
        try:
            return self.awx.answer(self.command, path, query, body)
        except RefusedError as refused:
            return 400, refused.answer
        except NotFoundError:
            return 404, {"detail": "Not found."}

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 (the names are http.server's)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is http.server's)
        """Quiet."""


@contextlib.contextmanager
def served(awx: FakeAwx) -> Iterator[str]:
    """The address at which it answers meanwhile."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"awx": awx}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
