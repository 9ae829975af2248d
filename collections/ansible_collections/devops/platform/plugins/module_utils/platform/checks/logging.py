"""What platform.logging says: names of parsers, expressions, times, sizes, and what a shipper cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import SHIPPER
from ansible_collections.devops.platform.plugins.module_utils.logging.model import (
    MASK,
    MULTILINE,
    OWN,
    PARSERS,
    REDACTIONS,
    Redaction,
    own_cluster,
    spool_bytes,
)
from ansible_collections.devops.platform.plugins.module_utils.logging.patterns import PatternError, parse
from ansible_collections.devops.platform.plugins.module_utils.logging.times import TimeFormat
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError, section
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

from .context import Check, Context, Finding

SPOOL_LEAST = 16_000_000
# What a source takes, besides what all take.
KEYS = {"journal": {"units"}, "docker": {"apps"}, "file": {"path", "multiline"}}


def _named(context: Context, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(name, settings) of the parts of platform.logging.<kind> that are mappings."""
    for name, given in context.section("logging", kind).items():
        if isinstance(given, Mapping):
            yield str(name), given


def sources(context: Context) -> Iterator[Finding]:
    known = sorted({*PARSERS, *map(str, context.section("logging", "parsers"))})
    for name, given in _named(context, "sources"):
        path = ("logging", "sources", name)
        kind = str(given.get("type") or "")
        if given.get("parser") is not None and given["parser"] not in known:
            yield Finding(
                (*path, "parser"), f"no such parser '{given['parser']}'{did_you_mean(given['parser'], known)}"
            )
        if kind == "file" and given.get("path") is None and context.trusted(*path):
            yield Finding(path, "is a file, and lacks the key 'path'")
        for key in sorted(set().union(*KEYS.values()) - KEYS.get(kind, set())):
            if kind in KEYS and given.get(key) is not None:
                owners = ", ".join(sorted(other for other in KEYS if key in KEYS[other]))
                yield Finding((*path, key), _misplaced(key, kind, owners), at_key=True)
        for number, app in context.items(*path, "apps"):
            if app not in context.section("apps"):
                yield Finding((*path, "apps", number), f"no such app{did_you_mean(app, context.section('apps'))}")
        start = given.get("multiline")
        if start is not None and start not in MULTILINE:
            yield from _expression((*path, "multiline"), str(start))


def _misplaced(key: str, kind: str, owners: str) -> str:
    if key == "multiline":
        return (
            f"rsyslog joins lines of files only, and both shippers must do the same; let what runs there write its "
            f"traces as JSON, one line each, instead of joining lines of type {kind}"
        )
    return f"is of sources of type {owners}; this one is of type {kind}"


def _expression(path: tuple[str, ...], text: str) -> Iterator[Finding]:
    try:
        parse(text)
    except PatternError as error:
        yield Finding(path, str(error))


def parsers(context: Context) -> Iterator[Finding]:
    for name, given in _named(context, "parsers"):
        path = ("logging", "parsers", name)
        kind = given.get("type")
        if kind == "regex" and given.get("regex") is None and context.trusted(*path):
            yield Finding(path, "is of type regex, and lacks the key 'regex'")
        if kind == "logfmt" and not section(given, "fields") and context.trusted(*path, "fields"):
            yield Finding(path, "is of type logfmt, and lacks 'fields': only keys that it names are taken")
        if kind != "regex" and given.get("regex") is not None:
            text = f"is of parsers of type regex; this one is of type {kind}"
            yield Finding((*path, "regex"), text, at_key=True)
        yield from _fields(path, given)
        try:
            format_ = section(given, "time").get("format")
            if format_ is not None:
                TimeFormat(str(format_))
        except ValueError as error:
            yield Finding((*path, "time", "format"), str(error))


def _fields(path: tuple[str, ...], given: Mapping[str, Any]) -> Iterator[Finding]:
    """Fields that no group gives, and those that are not the parser's to give."""
    renamed = section(given, "rename")
    groups: list[str] = []
    if given.get("type") == "regex" and given.get("regex") is not None:
        try:
            groups = list(parse(str(given["regex"])).groups)
        except PatternError as error:
            yield Finding((*path, "regex"), str(error))
            return
        if not groups:
            yield Finding((*path, "regex"), "has no named group, so no field; write (?<name>...)")
        for field in section(given, "fields"):
            if field not in (*groups, *renamed.values()):
                text = f"no such group{did_you_mean(str(field), groups)}"
                yield Finding((*path, "fields", str(field)), text, at_key=True)
    made = {*map(str, section(given, "fields")), *map(str, renamed.values()), *groups} - set(map(str, renamed))
    for field in sorted(made & set(OWN)):
        yield Finding(path, f"'{field}' is what the platform says of a line; call it otherwise, with rename")


def enrich(context: Context) -> Iterator[Finding]:
    for field in context.section("logging", "enrich"):
        if field in (*OWN, "message", "level", "key"):
            yield Finding(("logging", "enrich", str(field)), "every line has its own; choose another name", at_key=True)


def redactions(context: Context) -> Iterator[Finding]:
    for name, given in context.section("logging", "redact").items():
        path = ("logging", "redact", str(name))
        if given is True:
            yield Finding(path, "false switches a redaction off, and a mapping makes one; true says nothing")
        elif given is False and name not in REDACTIONS:
            yield Finding(path, f"no such redaction{did_you_mean(str(name), REDACTIONS)}", at_key=True)
        elif isinstance(given, Mapping) and given.get("secret") is not None:
            yield from _redaction(path, str(name), given)


def _redaction(path: tuple[str, ...], name: str, given: Mapping[str, Any]) -> Iterator[Finding]:
    for key in ("before", "secret", "after"):
        try:
            pattern = parse(str(given.get(key) or ""))
        except PatternError as error:
            yield Finding((*path, key), str(error))
            return
        if pattern.groups:
            yield Finding((*path, key), "groups need no names here; write (...)")
            return
        if pattern.any_case and key != "before":
            yield Finding((*path, key), "(?i) stands at the beginning of 'before', and holds for all three")
            return
    made = Redaction(
        name,
        str(given.get("before") or ""),
        str(given["secret"]),
        str(given.get("after") or ""),
        str(given.get("mask", MASK)),
    )
    secret = parse(made.secret).python()
    if secret.match("") and secret.fullmatch(""):
        yield Finding((*path, "secret"), "fits nothing at all, so everywhere; a secret has a character")
    elif secret.match(made.mask):
        yield Finding(
            (*path, "secret"), f"fits the mask '{made.mask}', so it would be masked again and again; exclude it"
        )


def outputs(context: Context) -> Iterator[Finding]:
    if (
        context.section("logging", "sources")
        and not context.section("logging", "outputs")
        and context.trusted("logging")
    ):
        yield Finding(("logging",), "has sources, and no 'outputs' for them", at_key=True)
    for name, given in _named(context, "outputs"):
        path = ("logging", "outputs", name)
        kind = given.get("type") or name
        if kind not in ("elasticsearch", "loki"):
            yield Finding(path, "lacks the key 'type': elasticsearch or loki", at_key=True)
        elif own_cluster(context.platform, name):
            yield from _own_cluster(context, path, given)
        elif kind == "loki" and not given.get("urls") and context.section("logging", "loki"):
            pass  # the platform's own
        elif not given.get("urls") and context.trusted(*path, "urls") and context.trusted("logging"):
            text = f"has no server: there is no platform.logging.{kind}; add that, or 'urls' here"
            yield Finding(path, text)
        if kind == "elasticsearch" and given.get("labels") is not None:
            yield Finding((*path, "labels"), "is of outputs of type loki; Elasticsearch has every field", at_key=True)


def _own_cluster(context: Context, path: tuple[str, ...], given: Mapping[str, Any]) -> Iterator[Finding]:
    """Who ships, and by which password, is said where the cluster is."""
    known = context.section("logging", "elasticsearch", "passwords").get(SHIPPER)
    if given.get("password") and known and given["password"] != known:
        text = (
            f"the platform's own Elasticsearch knows its shipper by the secret '{known}', as its 'passwords' say; take "
            "this away"
        )
        yield Finding((*path, "password"), text, at_key=True)
    if given.get("user") and given["user"] != SHIPPER:
        text = f"to the platform's own Elasticsearch '{SHIPPER}' ships, who may append and nothing else; take this away"
        yield Finding((*path, "user"), text, at_key=True)


def shipper(context: Context) -> Iterator[Finding]:
    given = context.section("logging", "shipper")
    size = given.get("spool")
    try:
        if size is not None and spool_bytes(str(size)) < SPOOL_LEAST:
            yield Finding(("logging", "shipper", "spool"), f"{size} holds a minute of lines; 16MB is the least")
    except PlatformError as error:
        yield Finding(("logging", "shipper", "spool"), str(error))
    if given.get("backend") == "fluent_bit":
        if given.get("version") is None and context.trusted("logging", "shipper"):
            yield Finding(("logging", "shipper"), "Fluent Bit comes from its makers: name the 'version' to run")
    elif given.get("version") is not None:
        text = "is of Fluent Bit; rsyslog comes with the distribution, in its version"
        yield Finding(("logging", "shipper", "version"), text, at_key=True)


CHECKS: tuple[Check, ...] = (sources, parsers, enrich, redactions, outputs, shipper)
