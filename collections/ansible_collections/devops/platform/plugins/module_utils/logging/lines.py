"""What a line becomes: the meaning of `platform.logging` in Python. Tests hold the shippers to it; no host runs it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any

from .model import LEVELS, MASK, OWN, Logging, Parser, Redaction, Source
from .patterns import parse
from .times import MONTHS, TimeFormat

PASSES = 8  # secrets of one kind in one line; with more the line is not shown at all
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")


def repaired(raw: bytes) -> str:
    """Each byte that is not UTF-8 becomes a question mark, as rsyslog's mmutf8fix has it."""
    return re.sub("[\udc80-\udcff]", "?", raw.decode("utf-8", "surrogateescape"))


def redacted(text: str, redactions: tuple[Redaction, ...]) -> str:
    for redaction in redactions:
        trace, pattern = redaction.trace().python(), redaction.pattern().python()
        for _pass in range(PASSES):
            found = pattern.match(text) if trace.search(text) else None
            if not found:
                break
            text = f"{found['head']}{found['before']}{redaction.mask}{found['tail']}"
        if trace.search(text):
            return f"{MASK} a line with more than {PASSES} secrets of the kind {redaction.name}"
    return text


def iso(text: str, format: TimeFormat) -> str:  # noqa: A002 - the field's word
    """A time in ISO 8601 with its zone, Z where it names none; nothing where it is none."""
    found = parse(format.pattern).python().search(text)
    if not found:
        return ""
    parts = {key: value for key, value in found.groupdict().items() if value}
    fraction = f".{parts['fraction']}" if parts.get("fraction") else ""
    if "seconds" in parts:
        moment = dt.datetime.fromtimestamp(int(parts["seconds"]), dt.timezone.utc)
        return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
    if "name" in parts:
        if parts["name"] not in MONTHS:
            return ""
        parts["month"] = f"{MONTHS.index(parts['name']) + 1:02d}"
    zone = parts.get("zone", "Z")
    if zone != "Z" and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    date = f"{parts['year']}-{parts['month']}-{parts['day']}"
    return f"{date}T{parts['hour']}:{parts['minute']}:{parts['second']}{fraction}{zone}"


def parsed(text: str, parser: Parser) -> dict[str, Any]:
    """The fields of a text, and `parse_error` where the parser does not understand it."""
    found = _fields(text, parser)
    if found is None:
        return {"message": text, "parse_error": parser.name}
    for old, new in parser.rename.items():
        if old in found:
            found[new] = found.pop(old)
    found = {key: _typed(value, parser.fields.get(key, "")) for key, value in found.items()}
    if parser.format:
        moment = iso(str(found.get(parser.time, "")), parser.format)
        if moment:
            del found[parser.time]
            found["@timestamp"] = moment
    found["message"] = found.get("message") or text
    if found.get("level"):
        level = str(found["level"]).lower()
        found["level"] = LEVELS.get(level, level)
    return found


def _fields(text: str, parser: Parser) -> dict[str, Any] | None:
    if parser.type == "plain":
        return {"message": text}
    if parser.type == "json":
        try:
            data = json.loads(text) if text.startswith("{") else None
        except ValueError:
            data = None
        return data if isinstance(data, dict) else None
    if parser.type == "regex":
        assert parser.pattern
        found = parser.pattern.python().search(text)
        if not found:
            return None
        return {key: value for key, value in found.groupdict().items() if value and value != parser.empty}
    pairs = {key: _logfmt(text, key) for key in parser.fields}
    return {key: value for key, value in pairs.items() if value} or None


def _logfmt(text: str, key: str) -> str:
    found = re.search(rf'(?:^| ){re.escape(key)}=(?:"([^"]*)"|([^ "]+))', text)
    return (found[1] or found[2] or "") if found else ""


def _typed(value: Any, kind: str) -> Any:
    """Text of a number as the number; what does not fit its type stays what it is, and the server refuses it."""
    if not isinstance(value, str):
        return value
    if kind == "integer" and INTEGER.fullmatch(value):
        return int(value)
    if kind == "number" and NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def document(logging: Logging, source: Source, raw: bytes, known: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a line. ``known``: what the collector says of it (host, @timestamp, container, path, ...)."""
    fields = parsed(redacted(repaired(raw), logging.redactions), source.parser)
    for key in OWN:
        fields.pop(key, None)
    given = {"app": source.app, "service": source.service, "version": source.version}
    said = {**logging.enrich, **known, **{key: value for key, value in given.items() if value}}
    level = fields.get("level") or said.get("level")
    fields |= {key: value for key, value in said.items() if value and key != "@timestamp"}
    if level:
        fields["level"] = level
    fields |= {"environment": logging.environment, "source": source.name}
    fields.setdefault("@timestamp", known.get("@timestamp", ""))
    return fields
