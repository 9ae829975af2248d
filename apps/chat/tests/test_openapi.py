"""The document, and whether the service does what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)  # fmt: skip
from support import Person, Service

SHAPE = [
    not_a_server_error, content_type_conformance, response_headers_conformance, response_schema_conformance,
    status_code_conformance,
]  # fmt: skip
CHECKS = [*SHAPE, ignored_auth, negative_data_rejection]
TOKEN_HEADER = "X-CSRF-Token"
SIGNS_IN = {("post", "/api/session"), ("post", "/api/users"), ("delete", "/api/session")}
CONTRACT = {
    "/api/session": {"get", "post", "delete"},
    "/api/users": {"post"},
    "/api/rooms": {"get", "post"},
    "/api/rooms/{room}": {"get"},
    "/api/rooms/{room}/membership": {"put", "delete"},
    "/api/rooms/{room}/members": {"get"},
    "/api/rooms/{room}/messages": {"get", "post"},
}


@pytest.fixture(scope="module")
def document(api: Service) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/api/openapi.json").json()
    return found


def test_it_is_the_contract(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert {path: set(methods) for path, methods in document["paths"].items()} == CONTRACT
    assert not re.search(r"[a-z]+://", str(document))


def test_every_refusal_has_the_same_shape(document: dict[str, Any]) -> None:
    for methods in document["paths"].values():
        for described in methods.values():
            for status, response in described["responses"].items():
                if int(status) >= 400:
                    schema = response["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Refusal"}


@pytest.fixture(scope="module")
def walker(api: Service) -> Person:
    person = Person(api)
    person.enter("lobby")
    return person


@pytest.mark.parametrize(
    ("method", "path"), sorted((method, path) for path, methods in CONTRACT.items() for method in methods)
)
def test_the_service_does_what_it_says(
    document: dict[str, Any], api: Service, walker: Person, method: str, path: str
) -> None:
    """Right and wrong requests of every operation, by somebody who is signed in."""
    operation = schemathesis.openapi.from_dict(document)[path][method]
    right, wrong = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)
    walker.enter("lobby")
    seen: set[int] = set()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=right | wrong, known=st.booleans(), token=st.integers(0, 7))
    def check(case: Any, known: bool, token: int) -> None:
        # Nobody guesses a token or the name of a room: mostly they are right, so that there is something to see.
        if token and case.headers and TOKEN_HEADER in case.headers:
            case.headers[TOKEN_HEADER] = walker.http.headers[TOKEN_HEADER]
        if known and "room" in case.path_parameters and case.meta.generation.mode is GenerationMode.POSITIVE:
            case.path_parameters["room"] = "lobby"
        cookie = walker.cookie
        if (method, path) in SIGNS_IN:  # a session of its own, the walker keeps his
            browser = requests.Session()
            token_now = browser.get(f"{api.url}/api/session", timeout=5).json()["csrf_token"]
            if case.headers and TOKEN_HEADER in case.headers:
                case.headers[TOKEN_HEADER] = token_now
            cookie = f"chat_session={browser.cookies['chat_session']}"
        wrong_in = {place.name for place, part in case.meta.components.items() if part.mode is GenerationMode.NEGATIVE}
        # What was wrong with the cookie or the token has just been put right.
        checks = CHECKS if wrong_in - {"COOKIE", "HEADER"} else [*SHAPE, ignored_auth]
        seen.add(case.call_and_validate(base_url=api.url, headers={"Cookie": cookie}, checks=checks).status_code)

    check()
    assert seen & {200, 201, 204, 401}, seen
    assert (method, path) == ("get", "/api/session") or seen & {400, 403, 404, 409}, seen
