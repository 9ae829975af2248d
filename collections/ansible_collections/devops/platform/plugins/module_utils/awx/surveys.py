# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Surveys: the questions that AWX asks before a job, from the variables of playbooks. Pure.

Which keys a question has, and that defaults of choices are text, says AWX's JobTemplateSurveySpec.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from .playbooks import Variable

BOOLEANS = ("true", "false")


@cache
def _document() -> Mapping[str, Any]:
    path = Path(__file__).parent.parent / "platform" / "schema.json"
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """`schema` with what its `$ref` leads to in schema.json; its own keys win."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    node: Any = _document()
    for step in str(reference)[2:].split("/"):
        node = node[step]
    own = {key: value for key, value in schema.items() if key != "$ref"}
    return {**resolved(node), **own}


def survey(variables: Sequence[Variable], choices: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """A survey's specification; empty where nothing is asked. `choices`: what each `x-choices` stands for."""
    if not variables:
        return {}
    return {"name": "", "description": "", "spec": [question(variable, choices) for variable in variables]}


def question(variable: Variable, choices: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    schema = resolved(variable.schema)
    options = [str(option) for option in _options(schema, choices)]
    default = schema.get("default", options[0] if options and variable.required else "")
    low, high = _limits(schema)
    return {
        "question_name": variable.title,
        "question_description": variable.help,
        "variable": variable.name,
        "required": variable.required,
        "type": _type(schema, options),
        "choices": options or "",
        "default": _text(default) if options else default,
        "min": low if variable.required or schema.get("type") in ("integer", "number") else None,
        "max": high,
    }


def _options(schema: Mapping[str, Any], choices: Mapping[str, Sequence[str]]) -> Sequence[Any]:
    if "x-choices" in schema:
        return choices[str(schema["x-choices"])]
    if schema.get("type") == "boolean":
        return BOOLEANS
    return list(schema.get("enum") or ())


def _type(schema: Mapping[str, Any], options: Sequence[str]) -> str:
    if options:
        return "multiplechoice"
    return {"integer": "integer", "number": "float"}.get(str(schema.get("type")), "text")


def _limits(schema: Mapping[str, Any]) -> tuple[Any, Any]:
    if _type(schema, ()) == "text" and ("enum" in schema or "x-choices" in schema or schema.get("type") == "boolean"):
        return None, None
    if schema.get("type") in ("integer", "number"):
        return schema.get("minimum"), schema.get("maximum")
    return schema.get("minLength"), schema.get("maxLength", 1024 if schema.get("type") == "string" else None)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def problems(variables: Sequence[Variable], answers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(variable, what is wrong) of answers that a schedule gives; choices that only the inventory knows are not
    looked at."""
    known = {variable.name: resolved(variable.schema) for variable in variables}
    for name, value in answers.items():
        if name not in known:
            yield name, f"is no question of this job{_listed(list(known))}"
        elif not _fits(known[name], value):
            yield name, f"must be {_wanted(known[name])}"


def _listed(names: Sequence[str]) -> str:
    return f"; it asks for {', '.join(names)}" if names else "; it asks for nothing"


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    kind = schema.get("type")
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and schema.get("minimum", value) <= value <= schema.get("maximum", value)
    return isinstance(value, str) and len(value) <= schema.get("maxLength", len(value))


def _wanted(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "boolean":
        return "true or false"
    if schema.get("type") == "integer":
        return f"a whole number between {schema.get('minimum')} and {schema.get('maximum')}"
    return "text" + (f" of at most {schema['maxLength']} characters" if "maxLength" in schema else "")


def answered(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Answers as AWX takes them: what is chosen from a list is text."""
    return {str(name): _text(value) if isinstance(value, bool) else value for name, value in answers.items()}
