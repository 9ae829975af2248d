"""rsyslog's configuration: an instance of its own, which reads, redacts, parses, and writes into the gateway's spool.

A line goes through rulesets that call each other: of its source, ``redact``, of its parser, ``ship``. What is known of
it stands in local variables (``$.``), its document below ``$!doc``. Nothing has a queue of rsyslog's own: all of that
is done by the input's thread, which remembers how far it read only after the line is in the spool of each output.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .lines import PASSES
from .model import LEVELS, MASK, OWN, PRIORITIES, UNITS, Logging, Output, Parser, Redaction, Source
from .patterns import Pattern, parse
from .spool import SUFFIX
from .times import AS_IT_SHOULD_BE, MONTHS, TimeFormat

DIRECTORY = "/etc/log-shipper"
SPOOL = "/var/lib/log-shipper"
QUEUE = f"{SPOOL}/queue"
UTC = 'dateFormat="rfc3339" date.inUTC="on"'
LINE_BYTES = "4m"  # a longer line is cut into several


def environment(spool: str) -> dict[str, str]:
    """Where the state is. Not in the file: rsyslogd refuses it while that is not there, as in check mode."""
    return {"LOG_SHIPPER_STATE": f"{spool}/state"}


def quoted(text: str) -> str:
    """A constant of RainerScript."""
    for char, written in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"),
                          ("\f", "\\x0c"), ("\v", "\\x0b")):  # fmt: skip
        text = text.replace(char, written)
    return f'"{text}"'


def config(logging: Logging, sources: Sequence[Source], host: str) -> str:
    """The whole file."""
    files = [source for source in sources if source.type == "file"]
    journal = [source for source in sources if source.type != "file"]
    lines = [
        "# Managed by devops.platform.",
        f'global(workDirectory=`echo $LOG_SHIPPER_STATE` localHostname={quoted(host)} maxMessageSize="{LINE_BYTES}"',
        '  parser.escapeControlCharactersOnReceive="off" internalmsg.severity="warning")',
        'module(load="mmutf8fix")',
    ]
    if journal:
        lines += [
            'module(load="imjournal" StateFile="journal" PersistStateInterval="100" Ratelimit.Interval="0"',
            '  IgnoreNonValidStatefile="on" IgnorePreviousMessages="off" UsePidFromSystem="on")',
        ]
    if files:
        lines.append('module(load="imfile" mode="inotify")')
    lines += [
        'main_queue(queue.type="Direct")',
        # Between two ends of lines: what was cut off when it was killed is a line by itself.
        'template(name="line" type="list") { constant(value="\\n") property(name="$!doc") constant(value="\\n") }',
        *(
            f'template(name="segment_{output.name}" type="string"'
            f' string="{QUEUE}/{output.name}-%$year%%$month%%$day%%$hour%%$minute%{SUFFIX}")'
            for output in logging.outputs
        ),
        f'template(name="collected" type="list") {{ property(name="timegenerated" {UTC}) }}',
        f'template(name="journaled" type="list") {{ property(name="timereported" {UTC}) }}',
    ]
    lines += _ship(logging, host)
    lines += _redact(logging.redactions)
    used = {source.parser.name: source.parser for source in sources}
    for name in sorted(used):
        lines += _parser(used[name])
    for source in files:
        lines += _file(source)
    if journal:
        lines += _journal(journal)
    return "\n".join([*lines, ""])


def _ship(logging: Logging, host: str) -> Iterator[str]:
    """What every document has, and the outputs."""
    yield 'ruleset(name="ship") {'
    for key, value in sorted(logging.enrich.items()):
        yield f"  set $!doc!{key} = {quoted(value)};"
    yield f"  set $!doc!host = {quoted(host)};"
    yield f"  set $!doc!environment = {quoted(logging.environment)};"
    for key in ("source", "key", "app", "service", "version", "container", "unit", "path", "offset"):
        yield f'  if $.{key} != "" then set $!doc!{key} = $.{key};'
    yield '  if $!doc!level == "" and $.level != "" then set $!doc!level = $.level;'
    yield '  if $.stamp == "" then set $.stamp = $.collected;'
    yield "  set $!doc!@timestamp = $.stamp;"
    for output in logging.outputs:
        yield from _output(output)
    yield "}"


def _output(output: Output) -> Iterator[str]:
    """Each line by one write into the segment of its minute; one segment is open at a time, see `spool`."""
    yield f'  action(type="omfile" name="{output.name}" dynaFile="segment_{output.name}" dynaFileCacheSize="1"'
    yield '    template="line" asyncWriting="off" flushOnTXEnd="on" ioBufferSize="64k" fileCreateMode="0600"'
    yield '    createDirs="off" action.resumeRetryCount="-1" action.resumeInterval="1" action.resumeIntervalMax="30")'


def _redact(redactions: Sequence[Redaction]) -> Iterator[str]:
    for redaction in redactions:
        pattern = redaction.pattern()
        yield f'ruleset(name="redact_{redaction.name}") {{'
        for part in ("head", "before", "tail"):
            yield f"  set $.{part} = {_extract('$.raw', pattern, part)};"
        yield f"  set $.raw = $.head & $.before & {quoted(redaction.mask)} & $.tail;"
        yield "}"
    yield 'ruleset(name="redact") {'
    for redaction in redactions:
        fits = _match("$.raw", redaction.trace())
        yield f"  if {fits} then {{"
        yield f"    call redact_{redaction.name}"
        yield from (f"    if {fits} then call redact_{redaction.name}" for _pass in range(PASSES - 1))
        text = f"{MASK} a line with more than {PASSES} secrets of the kind {redaction.name}"
        yield f"    if {fits} then set $.raw = {quoted(text)};"
        yield "  }"
    yield "}"


def _parser(parser: Parser) -> Iterator[str]:
    """From $.raw to $!doc and, where the line says when, $.stamp."""
    yield f'ruleset(name="parse_{parser.name}") {{'
    yield '  unset $!doc; set $.stamp = ""; set $.understood = "no";'
    yield from {"plain": _plain, "json": _json, "regex": _regex, "logfmt": _logfmt}[parser.type](parser)
    yield '  if $.understood == "no" then {'
    yield f"    unset $!doc; set $!doc!message = $.raw; set $!doc!parse_error = {quoted(parser.name)};"
    yield "  } else {"
    for old, new in sorted(parser.rename.items()):
        yield f'    if $!doc!{old} != "" then {{ set $!doc!{new} = $!doc!{old}; unset $!doc!{old}; }}'
    for name, kind in sorted(parser.fields.items()):
        yield from _typed(name, kind)
    if parser.format:
        yield from _time(parser.time, parser.format)
    yield '    if $!doc!message == "" then set $!doc!message = $.raw;'
    yield '    if $!doc!level != "" then {'
    yield "      set $!doc!level = tolower($!doc!level);"
    for short, level in LEVELS.items():
        yield f'      if $!doc!level == "{short}" then set $!doc!level = "{level}";'
    yield "    }"
    yield "  }"
    yield from (f"  unset $!doc!{key};" for key in (*OWN, "key"))
    yield "}"


def _plain(_parser: Parser) -> Iterator[str]:
    yield '  set $!doc!message = $.raw; set $.understood = "yes";'


def _json(_parser: Parser) -> Iterator[str]:
    whole = _match("$.raw", parse(r"^\{.*\}\s*$"))
    yield f'  if {whole} then {{ if parse_json($.raw, "\\$!doc") == 0 then set $.understood = "yes"; }}'


def _regex(parser: Parser) -> Iterator[str]:
    assert parser.pattern
    yield f"  if {_match('$.raw', parser.pattern)} then {{"
    yield '    set $.understood = "yes";'
    for name in parser.pattern.groups:
        yield f"    set $.value = {_extract('$.raw', parser.pattern, name)};"
        yield f'    if $.value != "" and $.value != {quoted(parser.empty)} then set $!doc!{name} = $.value;'
    yield "  }"


def _logfmt(parser: Parser) -> Iterator[str]:
    for name in parser.fields:
        for value in (r'"(?<value>[^"]*)"', r'(?<value>[^ "]+)'):
            pattern = parse(f"(^| ){name}={value}")
            yield f"  set $.value = {_extract('$.raw', pattern, 'value')};"
            yield f'  if $.value != "" then {{ set $!doc!{name} = $.value; set $.understood = "yes"; }}'


def _typed(name: str, kind: str) -> Iterator[str]:
    number = {
        "integer": r"^-?(0|[1-9][0-9]*)$",
        "number": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$",
        "boolean": "^(true|false)$",
    }
    if kind in number:
        # RainerScript has no fractions and no booleans of its own, but copies those that it has read as JSON.
        yield f"    if {_match(f'$!doc!{name}', parse(number[kind]))} then {{"
        yield f'      unset $!typed; set $.read = parse_json("{{\\"value\\":" & $!doc!{name} & "}}", "\\$!typed");'
        yield f"      set $!doc!{name} = $!typed!value;"
        yield "    }"


def _time(field: str, format: TimeFormat) -> Iterator[str]:  # noqa: A002 - the field's word
    """$.stamp, in ISO 8601 with its zone."""
    pattern = parse(format.pattern)
    yield f"    set $.time = $!doc!{field};"
    if format.format == "rfc3339":
        # Most are as they should be. Each part that is taken out of a time costs as much as looking at all of it.
        yield f"    if {_match('$.time', parse(AS_IT_SHOULD_BE))} then set $.stamp = $.time; else"
    yield f"    if {_match('$.time', pattern)} then {{"
    for part in pattern.groups:
        yield f"      set $.{part} = {_extract('$.time', pattern, part)};"
    if "fraction" in pattern.groups:
        yield '      if $.fraction != "" then set $.fraction = "." & $.fraction;'
    else:
        yield '      set $.fraction = "";'
    if "seconds" in pattern.groups:
        yield '      set $.whole = format_time(cnum($.seconds), "date-rfc3339");'
        yield '      set $.stamp = replace($.whole, "Z", "") & $.fraction & "Z";'
    else:
        if "name" in pattern.groups:
            yield '      set $.month = "";'
            for number, name in enumerate(MONTHS, 1):
                yield f'      if $.name == "{name}" then set $.month = "{number:02d}";'
        zone = parse(r"^(?<hours>[+-][0-9]{2}):?(?<minutes>[0-9]{2})$")
        if "zone" in pattern.groups:
            colon = f'{_extract("$.zone", zone, "hours")} & ":" & {_extract("$.zone", zone, "minutes")}'
            yield f'      if $.zone == "" or $.zone == "Z" then set $.zone = "Z"; else set $.zone = {colon};'
        else:
            yield '      set $.zone = "Z";'
        yield '      if $.month != "" then set $.stamp = $.year & "-" & $.month & "-" & $.day & "T"'
        yield '        & $.hour & ":" & $.minute & ":" & $.second & $.fraction & $.zone;'
    yield "    }"
    yield f'    if $.stamp != "" then unset $!doc!{field};'


def _file(source: Source) -> Iterator[str]:
    yield f'ruleset(name="source_{source.name}") {{'
    yield '  action(type="mmutf8fix" mode="utf-8" replacementChar="?")'
    yield '  set $.raw = $msg; set $.collected = exec_template("collected"); set $.level = "";'
    yield "  set $.path = $!metadata!filename; set $.offset = $!metadata!fileoffset;"
    yield '  set $.key = $.path & ":" & $.offset; set $.container = ""; set $.unit = "";'
    yield from _known(source, "  ")
    yield f"  call redact\n  call parse_{source.parser.name}\n  call ship"
    yield "}"
    yield f'input(type="imfile" File={quoted(source.path)} Tag="{source.name}" ruleset="source_{source.name}"'
    yield '  addMetadata="on" reopenOnTruncate="on" persistStateAfterSubmission="on"'
    if source.multiline:
        yield f'  startmsg.regex={quoted(source.multiline.start.posix())} escapeLF="off" readTimeout="5"'
    yield '  freshStartTail="off")'


def _known(source: Source, indent: str) -> Iterator[str]:
    yield f"{indent}set $.source = {quoted(source.name)};"
    for key in ("app", "service", "version"):
        yield f"{indent}set $.{key} = {quoted(getattr(source, key))};"


def _journal(sources: Sequence[Source]) -> Iterator[str]:
    """One reader of the journal; the first source that fits has the line. Ours are left out: a line about a line that
    could not be shipped would be the next one."""
    yield 'ruleset(name="journal") {'
    yield from (f'  if $!_SYSTEMD_UNIT == "{unit}" then stop' for unit in UNITS)
    yield '  set $.container = ""; set $.unit = ""; set $.path = ""; set $.offset = "";'
    for number, level in enumerate(PRIORITIES):
        yield f'  if $!PRIORITY == "{number}" then set $.level = "{level}";'
    yield "  call redact"
    for source in sources:
        yield from _journal_source(source)
    yield "}"
    yield 'ruleset(name="journal_input") {'
    yield '  action(type="mmutf8fix" mode="utf-8" replacementChar="?")'
    yield '  set $.raw = $msg; set $.collected = exec_template("journaled"); set $.level = "";'
    yield "  call journal"
    yield "}"
    yield 'input(type="imjournal" ruleset="journal_input")'


def _journal_source(source: Source) -> Iterator[str]:
    docker = source.type == "docker"
    names = [("$!COM_DOCKER_COMPOSE_PROJECT", app) for app in source.apps] if docker else [
        ("$!_SYSTEMD_UNIT", unit) for unit in source.units
    ]  # fmt: skip
    wanted = '$!CONTAINER_ID_FULL != ""' if docker else '$!CONTAINER_ID_FULL == ""'
    if names:
        wanted += " and (" + " or ".join(f"{field} == {quoted(name)}" for field, name in names) + ")"
    yield f"  if {wanted} then {{"
    yield from _known(source, "    ")
    if docker:
        yield '    set $.container = $!CONTAINER_NAME; set $.level = "";'
        for key, label in (("app", "COM_DOCKER_COMPOSE_PROJECT"), ("service", "COM_DOCKER_COMPOSE_SERVICE"),
                           ("version", "PLATFORM_VERSION")):  # fmt: skip
            yield f'    if $.{key} == "" then set $.{key} = $!{label};'
        # Docker numbers the lines of a container's run.
        yield '    set $.key = $!CONTAINER_ID_FULL & ":" & $!CONTAINER_LOG_EPOCH & ":" & $!CONTAINER_LOG_ORDINAL;'
        yield '    if $!CONTAINER_LOG_ORDINAL == "" then set $.key = $!CONTAINER_ID_FULL & ":" & $.collected;'
    else:
        yield "    set $.unit = $!_SYSTEMD_UNIT;"
        yield '    set $.key = $!_BOOT_ID & ":" & $!_PID & ":" & $!_SOURCE_REALTIME_TIMESTAMP & ":" & $.collected;'
    yield f"    call parse_{source.parser.name}\n    call ship\n    stop"
    yield "  }"


def _match(value: str, pattern: Pattern) -> str:
    return f"re_match{'_i' if pattern.any_case else ''}({value}, {quoted(pattern.posix())})"


def _extract(value: str, pattern: Pattern, group: str) -> str:
    function = "re_extract_i" if pattern.any_case else "re_extract"
    return f'{function}({value}, {quoted(pattern.posix())}, 0, {pattern.groups[group]}, "")'
