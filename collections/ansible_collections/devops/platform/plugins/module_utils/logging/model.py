"""`platform.logging` as typed values: sources, parsers, redactions, outputs. Every backend is made of these."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import SHIPPER, node_urls
from ansible_collections.devops.platform.plugins.module_utils.loki.settings import loki_url
from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    Data,
    Groups,
    PlatformError,
    section,
)

from .patterns import Pattern, parse
from .times import TimeFormat

BACKENDS = ("fluent_bit", "rsyslog")
TYPES = ("string", "integer", "number", "boolean")
# What the platform says of a line itself: no parser may give these, and what an application writes there is replaced.
OWN = (
    "host",
    "environment",
    "source",
    "app",
    "service",
    "version",
    "rollout_id",
    "container",
    "unit",
    "path",
    "offset",
)
LEVELS = {
    "warn": "warning", "err": "error", "crit": "critical", "fatal": "critical", "alert": "critical",
    "emerg": "critical", "panic": "critical", "trace": "debug", "notice": "info",
}  # fmt: skip
# Whose lines are not shipped: one about a line that cannot be shipped would be the next one.
UNITS = ("log_gateway.service", "log_shipper.service")
# journald's priorities, the most urgent first.
PRIORITIES = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")
MASK = "*****"
SIZES = {"B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4, "PB": 1000**5}


@dataclass(frozen=True)
class Parser:
    """How text becomes fields. ``fields``: name -> type, all others are as they come; ``empty``: what stands for
    nothing; ``time`` and ``format``: the field that says when, which becomes @timestamp."""

    name: str
    type: str  # plain, json, regex, logfmt
    pattern: Pattern | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    empty: str = ""
    time: str = ""
    format: TimeFormat | None = None


@dataclass(frozen=True)
class Multiline:
    """Records of several lines: each begins where ``start`` fits."""

    name: str
    start: Pattern


@dataclass(frozen=True)
class Source:
    """Where lines come from. ``units`` of the journal and ``apps`` of Docker narrow it down; nothing means all."""

    name: str
    type: str  # journal, docker, file
    groups: tuple[str, ...]
    parser: Parser
    path: str = ""
    units: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    multiline: Multiline | None = None
    app: str = ""
    service: str = ""
    version: str = ""


@dataclass(frozen=True)
class Redaction:
    """Between ``before`` and ``after``, which stay, ``secret`` becomes ``mask``. The mask must not fit ``secret``."""

    name: str
    before: str
    secret: str
    after: str = ""
    mask: str = MASK

    @property
    def _flag(self) -> str:
        return "(?i)" if self.before.startswith("(?i)") else ""

    def pattern(self) -> Pattern:
        """The whole text in parts. The head is greedy: the last secret is found first."""
        before = self.before.removeprefix("(?i)")
        return parse(f"{self._flag}^(?<head>.*)(?<before>{before})(?<secret>{self.secret})(?<tail>({self.after}).*)$")

    def trace(self) -> Pattern:
        """Whether there is a secret at all; cheap, because nothing is kept of it."""
        return parse(f"{self._flag}({self.before.removeprefix('(?i)')})({self.secret})({self.after})")


@dataclass(frozen=True)
class Output:
    name: str
    type: str  # elasticsearch, loki
    urls: tuple[str, ...]
    user: str = ""
    password: str = ""  # the name of a secret
    own: bool = False  # of the platform: its own authority vouches for it
    labels: tuple[str, ...] = ("app", "environment", "host", "level", "service")


@dataclass(frozen=True)
class Shipper:
    backend: str
    spool: str = "1GB"
    version: str = ""  # of Fluent Bit


@dataclass(frozen=True)
class Logging:
    """All of it, for one platform."""

    environment: str
    shipper: Shipper
    sources: tuple[Source, ...]
    outputs: tuple[Output, ...]
    redactions: tuple[Redaction, ...]
    enrich: Mapping[str, str]
    exported: bool = False  # whether node_exporter shows what the gateway counts


_KEYS = (
    "passwords?|passwd|pwd|secret|secret_key|client_secret|api_?key|access_?key|private_?key|"
    "token|access_token|refresh_token|id_token|auth_token|csrf_?token|session_?id|sid"
)
_QUOTED = r"([^\"\\*]|\\.)([^\"\\]|\\.)*"
REDACTIONS: dict[str, dict[str, str]] = {
    "authorization": {
        "before": r"(?i)authorization(\\?[\"'])?[ ]*[=:][ ]*(\\?[\"'])?((basic|bearer|digest|token|apikey)[ ]+)?",
        "secret": r"[A-Za-z0-9._~+/=-]{7,}",
    },
    "aws_keys": {"before": r"(^|[^A-Z0-9])", "secret": r"(AKIA|ASIA)[A-Z0-9]{16}"},
    "bearer": {"before": r"(?i)bearer[ ]+", "secret": r"[A-Za-z0-9._~+/=-]{8,}"},
    "cards": {
        "before": r"(^|[^0-9.-])",
        "secret": r"(4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|3[47][0-9]{2}|6011)([ -]?[0-9]{4}){2}[ -]?[0-9]{1,4}",
    },
    "jwt": {"before": r"(^|[^A-Za-z0-9_.-])", "secret": r"eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}(\.[A-Za-z0-9_-]*)?"},
    # key=value in text and query strings; the same with quotes, of JSON, within a text of JSON, and of Python.
    "passwords": {"before": rf"(?i)({_KEYS})[ ]*[=:][ ]*", "secret": r"[^\s\"'\\&,;*][^\s\"'\\&,;]*"},
    "passwords_escaped": {
        "before": rf"(?i)({_KEYS})(\\\")?[ ]*[=:][ ]*\\\"", "secret": r"[^\"\\*][^\"\\]*"
    },
    "passwords_numbers": {"before": rf"(?i)({_KEYS})\\?\"[ ]*:[ ]*", "secret": r"-?[0-9][0-9.eE+-]*", "mask": "null"},
    "passwords_quoted": {"before": rf"(?i)({_KEYS})[\"']?[ ]*[=:][ ]*\"", "secret": _QUOTED},
    "passwords_single": {"before": rf"(?i)({_KEYS})[\"']?[ ]*[=:][ ]*'", "secret": r"[^'*][^']*"},
    "private_keys": {"before": r"-----BEGIN [A-Z ]*PRIVATE KEY-----", "secret": r"[^-*][^-]*"},
    "urls": {"before": r"://[^\s/:@\"]*:", "secret": r"[^\s/@\"*][^\s/@\"]*", "after": "@"},
}  # fmt: skip

_NGINX = (
    r"^(?<client>[^ ]+) [^ ]+ (?<user>[^ ]+) \[(?<time>[^\]]+)\] "
    r'"(?<method>[A-Z]+) (?<path>[^ "]+)( (?<protocol>[^"]*))?" '
    r'(?<status>[0-9]{3}) (?<bytes>[0-9]+|-)( "(?<referrer>[^"]*)" "(?<user_agent>[^"]*)")?( (?<duration>[0-9.]+))?'
    r"( (?<request_id>[A-Za-z0-9-]+))?$"
)
PARSERS: dict[str, dict[str, Any]] = {
    "plain": {"type": "plain"},
    "json": {"type": "json", "time": {"field": "timestamp", "format": "rfc3339"}, "rename": {"msg": "message"}},
    "edge": {  # what the role edge has nginx write
        "type": "json", "time": {"field": "time", "format": "rfc3339"},
        "fields": {"duration": "number"}, "rename": {"agent": "user_agent", "seconds": "duration", "uri": "url_path"},
    },
    "nginx": {
        "type": "regex", "regex": _NGINX, "empty": "-",
        "fields": {"status": "integer", "bytes": "integer", "duration": "number"},
        "rename": {"path": "url_path"},
        "time": {"field": "time", "format": "%d/%b/%Y:%H:%M:%S %z"},
    },
    "nginx_error": {
        "type": "regex",
        "regex": r"^(?<time>[0-9/]{10} [0-9:]{8}) \[(?<level>[a-z]+)\] [0-9]+#[0-9]+: (?<message>.*)$",
        "time": {"field": "time", "format": "%Y/%m/%d %H:%M:%S"},
    },
    "syslog": {
        "type": "regex",
        "regex": r"^(<[0-9]+>)?(?<time>[0-9T:.Z+-]{20,35}) [^ ]+ "
        r"(?<logger>[^ :\[]+)(\[(?<pid>[0-9]+)\])?: (?<message>.*)$",
        "fields": {"pid": "integer"},
        "time": {"field": "time", "format": "rfc3339"},
    },
    "logfmt": {
        "type": "logfmt",
        "fields": {
            "ts": "string", "level": "string", "msg": "string", "logger": "string", "request_id": "string",
            "duration": "number", "status": "integer", "method": "string", "error": "string",
        },
        "rename": {"msg": "message"},
        "time": {"field": "ts", "format": "rfc3339"},
    },
}  # fmt: skip

# Where a record begins: a time stamp, a level, JSON. All else is of the record before it: frames, "Caused by", blank
# lines, and what a language writes between them.
_STAMP = r"[\[(]?[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}|[A-Z]{4,8}[ :\]]|\{|<[0-9]+>"
MULTILINE: dict[str, str] = {
    "python": rf"^({_STAMP})",
    "java": rf"^({_STAMP}|Exception in thread)",
    "node": rf"^({_STAMP}|Uncaught )",
    "go": rf"^({_STAMP}|panic: |fatal error: )",
}


def spool_bytes(size: str) -> int:
    found = re.fullmatch(r"([0-9]+)([A-Z]+)", size)
    if not found or found[2] not in SIZES:
        raise PlatformError(f"'{size}' is not a size, such as 512MB or 5GB")
    return int(found[1]) * SIZES[found[2]]


def parser_of(name: str, given: Data) -> Parser:
    """PlatformError or PatternError where it cannot be one."""
    kind = str(given.get("type", ""))
    time = section(given, "time")
    pattern = parse(str(given["regex"])) if kind == "regex" else None
    fields = {str(key): str(value) for key, value in section(given, "fields").items()}
    return Parser(
        name,
        kind,
        pattern,
        fields,
        {str(key): str(value) for key, value in section(given, "rename").items()},
        str(given.get("empty") or ""),
        str(time.get("field") or ""),
        TimeFormat(str(time["format"])) if time.get("format") else None,
    )


def parsers_of(platform: Data) -> dict[str, Parser]:
    """Ours, and those of platform.yml, which may replace ours."""
    declared = {**PARSERS, **section(platform, "logging", "parsers")}
    return {str(name): parser_of(str(name), declared[name]) for name in declared}


def redactions_of(platform: Data) -> tuple[Redaction, ...]:
    """Ours, on unless switched off with `false`, and those of platform.yml, in the order of their names."""
    declared: dict[str, Any] = {**REDACTIONS, **section(platform, "logging", "redact")}
    return tuple(
        Redaction(
            name,
            str(given.get("before") or ""),
            str(given["secret"]),
            str(given.get("after") or ""),
            str(given.get("mask", MASK)),
        )
        for name, given in sorted(declared.items())
        if isinstance(given, Mapping)
    )


def _multiline(given: Any) -> Multiline | None:
    if not given:
        return None
    name = str(given)
    return Multiline(name, parse(MULTILINE.get(name, name)))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value or ())


def logging_of(platform: Data, groups: Groups, addresses: Mapping[str, str]) -> Logging:
    """PlatformError where platform.yml has no `logging`, or names what is not there."""
    given = section(platform, "logging")
    if not given:
        raise PlatformError("platform.yml has no platform.logging")
    parsers = parsers_of(platform)
    shipper = section(given, "shipper")
    backend = str(shipper.get("backend") or "rsyslog")
    if backend not in BACKENDS:
        raise PlatformError(f"'{backend}' is no backend of platform.logging.shipper; there are {', '.join(BACKENDS)}")
    sources = []
    for name, raw in section(given, "sources").items():
        parser = str(raw.get("parser") or "plain")
        if parser not in parsers:
            raise PlatformError(f"source '{name}' names the parser '{parser}', which is not there")
        sources.append(
            Source(
                str(name),
                str(raw["type"]),
                _names(raw.get("groups") or ["all"]),
                parsers[parser],
                str(raw.get("path") or ""),
                _names(raw.get("units")),
                _names(raw.get("apps")),
                _multiline(raw.get("multiline")),
                str(raw.get("app") or ""),
                str(raw.get("service") or ""),
                str(raw.get("version") or ""),
            )
        )
    return Logging(
        str(platform.get("environment", "")),
        Shipper(backend, str(shipper.get("spool") or "1GB"), str(shipper.get("version") or "")),
        tuple(sources),
        tuple(_output(str(name), raw, platform, groups, addresses) for name, raw in section(given, "outputs").items()),
        redactions_of(platform),
        {str(key): str(value) for key, value in section(given, "enrich").items()},
        bool(section(platform, "monitoring", "node_exporter")),
    )


def _output(name: str, raw: Data, platform: Data, groups: Groups, addresses: Mapping[str, str]) -> Output:
    kind, own = str(raw.get("type") or name), own_cluster(platform, name)
    urls = tuple(node_urls(platform, groups, addresses).values()) if own else _names(raw.get("urls"))
    if kind == "loki" and not urls:
        urls = tuple(filter(None, [loki_url(platform, groups, addresses)]))
        own = bool(urls)
    if not urls:
        raise PlatformError(f"output '{name}' has no server; give it 'urls'")
    password = password_of(platform, name)
    user = str(raw.get("user") or (SHIPPER if password else ""))
    return Output(name, kind, urls, user, password, own, _names(raw.get("labels")) or Output.labels)


def own_cluster(platform: Data, name: str) -> bool:
    """Whether the output goes to the platform's own Elasticsearch."""
    raw = section(platform, "logging", "outputs", name)
    kind = str(raw.get("type") or name)
    return kind == "elasticsearch" and not raw.get("urls") and bool(section(platform, "logging", "elasticsearch"))


def password_of(platform: Data, name: str) -> str:
    """The name of the secret of an output; the platform's own Elasticsearch knows its shipper's."""
    given = section(platform, "logging", "outputs", name).get("password")
    if not given and own_cluster(platform, name):
        given = section(platform, "logging", "elasticsearch", "passwords").get(SHIPPER)
    return str(given or "")


def sources_on(logging: Logging, host: str, groups: Groups) -> tuple[Source, ...]:
    """Those whose lines ``host`` has, in their order: the first that fits a line has it."""
    return tuple(source for source in logging.sources if any(host in groups.get(group, ()) for group in source.groups))


def secret_names(platform: Data) -> list[str]:
    """Names of the secrets that the outputs need, sorted."""
    names = (password_of(platform, str(name)) for name in section(platform, "logging", "outputs"))
    return sorted({name for name in names if name})


def docker_apps(platform: Data, groups: Groups, host: str) -> Sequence[str]:
    """Applications whose containers' lines a source on ``host`` wants; all of the platform's where it names none."""
    found: set[str] = set()
    for raw in section(platform, "logging", "sources").values():
        here = any(host in groups.get(str(group), ()) for group in raw.get("groups") or ["all"])
        if raw.get("type") == "docker" and here:
            found |= {str(app) for app in raw.get("apps") or section(platform, "apps")}
    return sorted(found)
