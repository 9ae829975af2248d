"""The schema's verdict on a document, in sentences with places."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
from jsonschema.exceptions import ValidationError

from . import formats
from .positions import Document, KeyPath, Opaque, kind
from .suggest import did_you_mean, nearest

WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "empty",
}


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """The validator of `<name>.json` beside this file."""
    schema = json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))
    checker = jsonschema.FormatChecker(formats=())
    for form, check in formats.CHECKS.items():
        checker.checks(form, raises=ValueError)(_text_only(check))
    return jsonschema.Draft202012Validator(schema, format_checker=checker)


def _text_only(check: Any) -> Any:
    def checked(value: object) -> bool:
        # Encrypted values are not known here, and what is no text at all is the type check's affair.
        if isinstance(value, str) and not isinstance(value, Opaque) and value:
            check(value)
        return True

    return checked


@dataclass(frozen=True)
class Finding:
    """What is wrong with a value, or (`at_key`) with its key; `meant` is the key that an unknown one resembles."""

    path: KeyPath
    text: str
    at_key: bool = False
    meant: str = ""


@dataclass(frozen=True)
class Verdict:
    """Paths of values that are wrong, and of keys that are: nothing should be concluded from the former, nor from
    something's absence where one of the latter may stand for it."""

    values: frozenset[KeyPath] = frozenset()
    keys: frozenset[KeyPath] = frozenset()


def check_shape(document: Document, schema: str, skip: Collection[KeyPath] = ()) -> Verdict:
    """Report every violation of the schema at its place, except below the paths of `skip`."""
    findings = [
        finding
        for error in validator(schema).iter_errors(document.data)
        if not isinstance(error.instance, Opaque) or error.validator == "type"
        for finding in _findings(error)
        if not any(finding.path[: len(path)] == path for path in skip)
    ]
    # One slip of the pen is one message: `prot` is unknown, and that `port` is missing follows from it.
    meant = {(*finding.path[:-1], finding.meant) for finding in findings if finding.meant}
    wrong: set[KeyPath] = set()
    for finding in findings:
        if isinstance(finding, Missing) and (*finding.path, finding.key) in meant:
            continue
        if not finding.at_key and finding.path in wrong:  # what is empty has no right pattern either
            continue
        document.report(finding.path, finding.text, at_key=finding.at_key)
        if not finding.at_key:
            wrong.add(finding.path)
    names = {finding.path for finding in findings if finding.at_key and not isinstance(finding, Missing)}
    return Verdict(frozenset(wrong), frozenset(names | meant))


@dataclass(frozen=True)
class Missing(Finding):
    """`path` lacks `key`."""

    key: str = ""


class Violation(NamedTuple):
    """jsonschema's error, as far as it is used: the value, what its keyword wants, the (sub)schema around that."""

    path: KeyPath
    value: Any
    wanted: Any
    schema: Mapping[str, Any]
    error: ValidationError


def _findings(error: ValidationError) -> Iterator[Finding]:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    found = Violation(tuple(error.absolute_path), error.instance, error.validator_value, schema, error)
    rule = RULES.get(str(error.validator))
    if rule is None:  # a keyword that the schema began to use and RULES doesn't know yet
        yield Finding(found.path, error.message)
    else:
        yield from rule(found)


def _unknown_keys(found: Violation) -> Iterator[Finding]:
    known = found.schema.get("properties", {})
    patterns = found.schema.get("patternProperties", {})
    for key in found.value:
        if key in known or any(re.search(pattern, key) for pattern in patterns):
            continue
        child = (*found.path, key)
        if patterns:
            yield Finding(child, f"'{key}' is not {found.schema.get('x-name', 'a valid name')}", at_key=True)
        else:
            free = set(known) - set(found.value)
            yield Finding(child, f"unknown key{did_you_mean(key, free)}", at_key=True, meant=nearest(key, free) or "")


def _missing_key(found: Violation) -> Iterator[Finding]:
    match = re.match(r"'(.+)' is a required property", found.error.message)
    key = match.group(1) if match else "?"
    described = str(found.schema.get("properties", {}).get(key, {}).get("description", "")).rstrip(".")
    if described.lower() == key:  # nothing to add
        described = ""
    if not described[:2].isupper():
        described = described[:1].lower() + described[1:]
    yield Missing(found.path, f"lacks the key '{key}'" + (f": {described}" if described else ""), at_key=True, key=key)


def _missing_beside(found: Violation) -> Iterator[Finding]:
    for key, needs in found.wanted.items():
        for need in needs:
            if key in found.value and need not in found.value:
                yield Finding((*found.path, key), f"needs the key '{need}' beside it", at_key=True)


def _type(found: Violation) -> Iterator[Finding]:
    yield Finding(found.path, _wrong_type(found.value, found.wanted))


def _choice(found: Violation) -> Iterator[Finding]:
    choices = ", ".join(map(str, found.wanted))
    yield Finding(found.path, f"{_quote(found.value)} is not one of {choices}{_near(found.value, found.wanted)}")


def _constant(found: Violation) -> Iterator[Finding]:
    yield Finding(found.path, f"is {_quote(found.value)}; only {found.wanted} is understood")


def _pattern(found: Violation) -> Iterator[Finding]:
    wanted = found.schema.get("x-format", f"matched by {found.wanted}")
    yield Finding(found.path, f"{_quote(found.value)} is not {wanted}")


def _format(found: Violation) -> Iterator[Finding]:
    yield Finding(found.path, str(found.error.cause))


def _empty(found: Violation) -> Iterator[Finding]:
    yield Finding(found.path, "must not be empty")


def _range(found: Violation) -> Iterator[Finding]:
    low, high = found.schema.get("minimum"), found.schema.get("maximum")
    limits = f"between {low} and {high}" if None not in (low, high) else f"at least {low}"
    yield Finding(found.path, f"{found.value} is out of range; it must be {limits}")


def _twice(found: Violation) -> Iterator[Finding]:
    seen: list[Any] = []
    for number, item in enumerate(found.value):
        if item in seen:
            yield Finding((*found.path, number), f"{_quote(item)} is listed twice")
        seen.append(item)


RULES: dict[str, Callable[[Violation], Iterator[Finding]]] = {
    "additionalProperties": _unknown_keys,
    "const": _constant,
    "dependentRequired": _missing_beside,
    "enum": _choice,
    "format": _format,
    "maximum": _range,
    "minItems": _empty,
    "minLength": _empty,
    "minProperties": _empty,
    "minimum": _range,
    "pattern": _pattern,
    "required": _missing_key,
    "type": _type,
    "uniqueItems": _twice,
}


def _wrong_type(value: Any, expected: Any) -> str:
    wanted = [expected] if isinstance(expected, str) else [name for name in expected if name != "null"]
    if set(wanted) >= {"string", "number", "boolean"}:
        return f"is {kind(value)}; it must be a plain value"
    text = f"is {kind(value)}; it must be {' or '.join(WORDS.get(name, name) for name in wanted)}"
    if wanted == ["string"] and isinstance(value, (int, float)):
        return f"{text}: put quotes around it"
    if isinstance(value, str) and value.strip().isdigit() and "integer" in wanted:
        return f"{text}: remove the quotes around {value.strip()}"
    return text


def _near(value: Any, choices: list[Any]) -> str:
    return did_you_mean(value, choices) if nearest(value, choices) else ""


def _quote(value: Any) -> str:
    text = str(value)
    return f"'{text if len(text) <= 60 else text[:57] + '...'}'"
