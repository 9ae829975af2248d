"""Operations of the HTTP API: one declaration both checks the requests and makes the OpenAPI document.

Pydantic's JSON Schema is the dialect of OpenAPI 3.1, so that nothing has to be translated.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Flask, Response, current_app, make_response, request
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from pydantic_core import from_json

from chat import schemas
from chat.errors import UnsupportedMediaType
from chat.gate import TOKEN_HEADER, UNSAFE, Gate
from chat.sessions import COOKIE
from chat.validation import Invalid, find_problems

TEMPLATE = "#/components/schemas/{model}"
REFUSALS = {
    400: "invalid", 401: "unauthenticated", 403: "csrf or not_member", 404: "not_found",
    409: "name_taken or client_id_reused", 413: "too_large", 415: "unsupported_media_type", 429: "rate_limited",
    503: "unavailable",
}  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """``answers``: model of the body of each successful status, None for an empty one."""

    method: str
    summary: str
    answers: Mapping[int, type[BaseModel] | None]
    path: type[BaseModel] = schemas.Nothing
    query: type[BaseModel] = schemas.Nothing
    body: type[BaseModel] | None = None
    signed_in: bool = True
    conflict: bool = field(default=False)

    @property
    def refusals(self) -> list[int]:
        wanted = {400, 429, 503}
        if self.signed_in or 401 in self.answers or self.body is schemas.Credentials:
            wanted.add(401)
        if self.method in UNSAFE:
            wanted.add(403)
        if self.body is not None:
            wanted |= {413, 415}
        if self.path is not schemas.Nothing:
            wanted |= {403, 404}
        if self.conflict:
            wanted.add(409)
        return sorted(wanted)


def operation(blueprint: Blueprint, rule: str, declared: Operation) -> Callable[[Callable[..., Any]], Any]:
    """Registers a view. It gets ``path``, ``query`` and ``body`` as far as they are declared, valid ones."""

    def register(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def run(**parameters: str) -> Response:
            gate: Gate = current_app.extensions["chat.gate"]
            gate.admit(declared.signed_in)
            return make_response(view(**_checked(declared, parameters)))

        run.chat_operation = declared  # type: ignore[attr-defined]
        blueprint.add_url_rule(rule, view.__name__, run, methods=[declared.method])
        return run

    return register


def _checked(declared: Operation, parameters: dict[str, str]) -> dict[str, BaseModel]:
    """All problems of path, query and body at once."""
    given: dict[str, tuple[type[BaseModel] | None, object]] = {
        "path": (declared.path, parameters),
        "query": (declared.query, _query()),
        "body": (declared.body, _body() if declared.body else None),
    }
    values, problems = {}, {}
    for name, (model, data) in given.items():
        if model is None:
            continue
        value, found = find_problems(model, data, name)
        problems.update(found)
        if value is not None and not isinstance(value, schemas.Nothing):
            values[name] = value
    if problems:
        raise Invalid(problems)
    return values


def _query() -> dict[str, object]:
    """A parameter that is given twice stays a list, which no rule takes."""
    return {name: values[0] if len(values) == 1 else values for name, values in request.args.lists()}


def _body() -> object:
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        return from_json(request.get_data(), allow_inf_nan=False)
    except ValueError as error:
        raise Invalid({"body": "is not valid JSON"}) from error


# The document ---------------------------------------------------------------------------------------------------------


def document(app: Flask, version: str) -> dict[str, Any]:
    operations = [
        (rule.rule, found)
        for rule in app.url_map.iter_rules()
        if (found := getattr(app.view_functions[rule.endpoint], "chat_operation", None)) is not None
    ]
    models: set[type[BaseModel]] = {schemas.Refusal}
    for _, found in operations:
        models |= {model for model in (found.path, found.query, found.body, *found.answers.values()) if model}
    ordered = sorted(models - {schemas.Nothing}, key=lambda model: model.__name__)
    by_model, definitions = models_json_schema([(model, "validation") for model in ordered], ref_template=TEMPLATE)
    references: dict[Any, Any] = {model: schema for (model, _), schema in by_model.items()}
    components = definitions["$defs"]
    paths: dict[str, Any] = {}
    for rule, found in sorted(operations, key=lambda item: (item[0], item[1].method)):
        path = re.sub(r"<(\w+)>", r"{\1}", rule)
        paths.setdefault(path, {})[found.method.lower()] = _describe(path, found, references, components)
    for model in ordered:  # parameters stand where they are used
        if model.__name__.endswith(("Path", "Query")) or model is schemas.Page:
            del components[model.__name__]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "chat",
            "version": version,
            "description": "Unsafe methods need the X-CSRF-Token that GET /api/session gives.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": COOKIE}},
        },
    }


def _describe(
    path: str, found: Operation, references: Mapping[Any, Any], components: Mapping[str, Any]
) -> dict[str, Any]:
    parameters = _parameters(found.path, "path", components) + _parameters(found.query, "query", components)
    if found.method in UNSAFE:
        token = {"type": "string", "pattern": "^[!-~]+$"}
        parameters.append({"name": TOKEN_HEADER, "in": "header", "required": True, "schema": token})
    responses: dict[str, Any] = {}
    for status, model in found.answers.items():
        responses[str(status)] = {"description": "Done."}
        if model is not None:
            responses[str(status)]["content"] = {"application/json": {"schema": references[model]}}
    for status in found.refusals:
        content = {"application/json": {"schema": references[schemas.Refusal]}}
        responses[str(status)] = {"description": REFUSALS[status], "content": content}
    described: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{found.method.lower()}{path.removeprefix('/api')}").strip("_"),
        "summary": found.summary,
        "parameters": parameters,
        "responses": responses,
    }
    if found.signed_in:
        described["security"] = [{"session": []}]
    if found.body is not None:
        content = {"application/json": {"schema": references[found.body]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(model: type[BaseModel], place: str, components: Mapping[str, Any]) -> list[dict[str, Any]]:
    schema = components.get(model.__name__, {})
    return [
        {
            "name": name,
            "in": place,
            "required": name in schema.get("required", []),
            "schema": _without_null(described),
        }
        for name, described in schema.get("properties", {}).items()
    ]


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter that may be missing is never sent as null."""
    kept = {key: value for key, value in schema.items() if key not in ("title", "anyOf", "default")}
    for choice in schema.get("anyOf", ()):
        if choice != {"type": "null"}:
            kept |= choice
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    return kept
