"""Fluent Bit's configuration, of the same description as rsyslog's: fluent-bit.yaml as data, and a short Lua script.

Fluent Bit has no expression that replaces, so a redaction is a parser that cuts a line into head, before, secret and
tail, and a function that puts it together again without the secret. Types, levels and own fields are done in the same
script; everything that has an expression is done by Fluent Bit's own parsers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .lines import PASSES
from .model import LEVELS, MASK, OWN, PRIORITIES, UNITS, Logging, Parser, Redaction, Source, spool_bytes
from .patterns import Pattern, parse

SPOOL = "/var/lib/log-shipper"
DIRECTORY = "/etc/log-shipper"
METRICS_PORT = 2020
LUA = Path(__file__).with_name("fluent_bit.lua").read_text(encoding="utf-8")
Item = dict[str, Any]


def config(
    logging: Logging, sources: Sequence[Source], host: str, ports: dict[str, int], password: str, spool: str = SPOOL
) -> Item:
    """fluent-bit.yaml. ``ports``: of the gateway, by output; ``password``: what the gateway asks for."""
    journal = [source for source in sources if source.type != "file"]
    return {
        "service": {
            "flush": 1,
            "grace": 5,
            "log_level": "warn",
            "http_server": "on",
            "http_listen": "127.0.0.1",
            "http_port": METRICS_PORT,
            "storage.path": f"{spool}/queue",
            "storage.sync": "full",
            "storage.checksum": "on",
            "storage.max_chunks_up": 64,
            "storage.backlog.mem_limit": "32M",
            "scheduler.base": 1,
            "scheduler.cap": 30,
        },
        "parsers": [*_parsers(logging, sources)],
        "multiline_parsers": [
            _multiline(source.name, source.multiline.start) for source in sources if source.multiline
        ],
        "pipeline": {
            "inputs": [*_inputs(sources, journal, spool)],
            "filters": [*_filters(logging, sources, host)],
            "outputs": [
                {
                    "name": "es", "alias": output.name, "match": "*", "host": "127.0.0.1", "port": ports[output.name],
                    "http_user": "shipper", "http_passwd": password, "suppress_type_name": "on", "index": "-",
                    "write_operation": "create", "time_key": "@timestamp", "time_key_nanos": "on",
                    "retry_limit": "no_limits", "storage.total_limit_size": f"{spool_bytes(logging.shipper.spool)}",
                }
                for output in logging.outputs
            ],
        },
    }  # fmt: skip


def _parsers(logging: Logging, sources: Sequence[Source]) -> Iterator[Item]:
    for redaction in logging.redactions:
        yield {"name": f"redact_{redaction.name}", "format": "regex", "regex": _redaction(redaction).onigmo()}
    for parser in {source.parser.name: source.parser for source in sources}.values():
        if parser.type == "json":
            yield {"name": parser.name, "format": "json"}
        elif parser.type == "regex" and parser.pattern:
            yield {"name": parser.name, "format": "regex", "regex": parser.pattern.onigmo(), "skip_empty_values": "on"}
        elif parser.type == "logfmt":
            for field in parser.fields:
                for kind, value in (("quoted", f'"(?<{field}>[^"]*)"'), ("word", f'(?<{field}>[^ "]+)')):
                    name = f"{parser.name}_{field}_{kind}"
                    yield {"name": name, "format": "regex", "regex": parse(f"(^| ){field}={value}").onigmo()}
        if parser.format:
            yield {"name": f"{parser.name}_time", "format": "regex", "regex": _stamp(parser.format.pattern)}


def _stamp(pattern: str) -> str:
    """The parts of a time by names that no field has."""
    return parse(pattern.replace("(?<", "(?<stamp_")).onigmo()


def _redaction(redaction: Redaction) -> Pattern:
    """The parts by names that no field has."""
    found = redaction.pattern().source
    for part in ("head", "before", "secret", "tail"):
        found = found.replace(f"(?<{part}>", f"(?<redact_{part}>", 1)
    return parse(found)


def _multiline(name: str, start: Pattern) -> Item:
    """The pattern of a record's first line, and that of all others, which is what does not begin one."""
    expression = start.onigmo()
    return {
        "name": f"multiline_{name}",
        "type": "regex",
        "flush_timeout": 5000,
        "rules": [
            {"state": "start_state", "regex": f"/{expression}/", "next_state": "rest"},
            {"state": "rest", "regex": f"/\\A(?!{expression.replace(chr(92) + 'A', '', 1)})/", "next_state": "rest"},
        ],
    }


def _inputs(sources: Sequence[Source], journal: Sequence[Source], spool: str) -> Iterator[Item]:
    for source in sources:
        if source.type == "file":
            yield {
                "name": "tail", "tag": f"source.{source.name}", "path": source.path,
                "db": f"{spool}/state/{source.name}.db",
                "db.sync": "full", "path_key": "read_path", "offset_key": "read_offset", "key": "raw",
                "read_from_head": "true",
                "buffer_max_size": "4M", "skip_long_lines": "off", "storage.type": "filesystem",
                "storage.pause_on_chunks_overlimit": "on",
                **({"multiline.parser": f"multiline_{source.name}"} if source.multiline else {}),
            }  # fmt: skip
    if journal:
        yield {
            "name": "systemd", "tag": "journal", "db": f"{spool}/state/journal.db", "db.sync": "full",
            "read_from_tail": "off", "lowercase": "off", "strip_underscores": "off", "storage.type": "filesystem",
            "storage.pause_on_chunks_overlimit": "on",
        }  # fmt: skip


def _filters(logging: Logging, sources: Sequence[Source], host: str) -> Iterator[Item]:
    yield {"name": "lua", "match": "journal", "code": script(logging, sources, host), "call": "journal"}
    for source in sources:
        if source.type != "file":
            # The first source that fits has the line.
            rule = f"$source ^{source.name}$ source.{source.name} false"
            yield {"name": "rewrite_tag", "match": "journal", "rule": rule, "emitter_name": f"emit_{source.name}",
                   "emitter_storage.type": "filesystem"}  # fmt: skip
    for source in sources:
        yield from _steps(logging, source, host, sources)


def _steps(logging: Logging, source: Source, host: str, sources: Sequence[Source]) -> Iterator[Item]:
    match = f"source.{source.name}"
    code = script(logging, sources, host)
    for redaction in logging.redactions:
        for _pass in range(PASSES):
            yield _parse(match, "raw", f"redact_{redaction.name}")
            yield {"name": "lua", "match": match, "code": code, "call": f"redact_{redaction.name}"}
        # Once more: what is left then is not shown at all.
        yield _parse(match, "raw", f"redact_{redaction.name}")
        yield {"name": "lua", "match": match, "code": code, "call": f"hide_{redaction.name}"}
    parser = source.parser
    if parser.type in ("json", "regex"):
        yield _parse(match, "raw", parser.name)
    elif parser.type == "logfmt":
        for field in parser.fields:
            yield _parse(match, "raw", f"{parser.name}_{field}_quoted", f"{parser.name}_{field}_word")
    yield {"name": "lua", "match": match, "code": code, "call": f"fields_{source.name}"}
    if parser.format:
        yield _parse(match, parser.time, f"{parser.name}_time")
    yield {"name": "lua", "match": match, "code": code, "call": f"finish_{source.name}"}


def _parse(match: str, key: str, *parsers: str) -> Item:
    return {
        "name": "parser", "match": match, "key_name": key, "parser": list(parsers) if len(parsers) > 1 else parsers[0],
        "reserve_data": "on", "preserve_key": "on",
    }  # fmt: skip


def quoted(text: str) -> str:
    """A text of Lua."""
    written = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{written}"'


def _table(values: dict[str, str]) -> str:
    return "{" + ", ".join(f"[{quoted(key)}] = {quoted(value)}" for key, value in values.items()) + "}"


def script(logging: Logging, sources: Sequence[Source], host: str) -> str:
    """The functions that filters call."""
    lines = [LUA.replace("@levels", _table(LEVELS)).replace("@own", _table(dict.fromkeys((*OWN, "key"), "own")))]
    for redaction in logging.redactions:
        hidden = f"{MASK} a line with more than {PASSES} secrets of the kind {redaction.name}"
        lines.append(f"function redact_{redaction.name}(tag, at, r) return joined(at, r, {quoted(redaction.mask)}) end")
        lines.append(f"function hide_{redaction.name}(tag, at, r) return hidden(at, r, {quoted(hidden)}) end")
    for source in sources:
        known = {key: getattr(source, key) for key in ("app", "service", "version") if getattr(source, key)}
        said = {**logging.enrich, **known, "host": host, "environment": logging.environment, "source": source.name}
        lines.append(
            f"function fields_{source.name}(tag, at, r) return fields(at, r, {_parser_table(source.parser)}, "
            f"{json.dumps(source.type != 'file')}) end"
        )
        lines.append(f"function finish_{source.name}(tag, at, r) return finish(at, r, {_table(said)}, "
                     f"{quoted(source.parser.time if source.parser.format else '')}) end")  # fmt: skip
    lines.append(_choice([source for source in sources if source.type != "file"]))
    return "\n".join(lines)


def _parser_table(parser: Parser) -> str:
    return (
        f"{{name = {quoted(parser.name)}, type = {quoted(parser.type)}, empty = {quoted(parser.empty)}, "
        f"rename = {_table(dict(parser.rename))}, types = {_table(dict(parser.fields))}}}"
    )


def _choice(sources: Sequence[Source]) -> str:
    """Which source an entry of the journal is of; none of ours."""
    lines = ["function choose(e)", *(f'  if e["_SYSTEMD_UNIT"] == "{unit}" then return nil end' for unit in UNITS)]
    for source in sources:
        docker = source.type == "docker"
        field, names = ("COM_DOCKER_COMPOSE_PROJECT", source.apps) if docker else ("_SYSTEMD_UNIT", source.units)
        wanted = f'e["CONTAINER_ID_FULL"] {"~=" if docker else "=="} nil'
        if names:
            wanted += " and (" + " or ".join(f'e["{field}"] == {quoted(name)}' for name in names) + ")"
        lines.append(f"  if {wanted} then return {quoted(source.name)} end")
    priorities = _table({str(number): level for number, level in enumerate(PRIORITIES)})
    return "\n".join([*lines, "  return nil", "end", f"priorities = {priorities}"])
