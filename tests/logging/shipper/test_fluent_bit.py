"""Fluent Bit is not at hand: its configuration is walked through here, filter by filter. Its expressions are run by
Python's engine after a look that they hold what Onigmo has as well; its script is run by LuaJIT, as in Fluent Bit."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.logging import fluent_bit
from ansible_collections.devops.platform.tests.unit.logging.recorded import HOST, READ, Line, Recording, recordings

from . import programs

DRIVER = Path(__file__).with_name("driver.lua")


class Walk:
    """The filters of a configuration, applied to one record."""

    def __init__(self, config: dict[str, Any], folder: Path) -> None:
        self.parsers = {parser["name"]: parser for parser in config["parsers"]}
        self.filters = config["pipeline"]["filters"]
        [code] = {item["code"] for item in self.filters if item["name"] == "lua"}
        (folder / "script.lua").write_text(code)
        root = programs.root()
        [loader] = root.glob("usr/lib/*/ld-linux-*.so.*")
        command = [str(loader), "--library-path", str(loader.parent), str(root / "usr/bin/luajit"), str(DRIVER),
                   str(folder / "script.lua")]  # fmt: skip
        self.lua = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        assert self.lua.stdin
        self.lua.stdin.close()
        assert self.lua.wait(10) == 0

    def document(self, tag: str, record: dict[str, Any]) -> dict[str, Any]:
        for step in self.filters:
            if step["match"] != tag:
                continue
            if step["name"] == "lua":
                record = self.call(step["call"], record)
            elif step["name"] == "parser":
                self._parse(step, record)
            elif step["name"] == "rewrite_tag":
                key, expression, new, _keep = step["rule"].split(" ")
                if tag == "journal" and re.search(expression, str(record.get(key.removeprefix("$")))):
                    tag = new
        return record

    def _parse(self, step: dict[str, Any], record: dict[str, Any]) -> None:
        names = step["parser"] if isinstance(step["parser"], list) else [step["parser"]]
        for name in names:
            found = _parsed(self.parsers[name], str(record.get(step["key_name"], "")))
            if found is not None:
                record.update(found)
                return

    def call(self, function: str, record: dict[str, Any]) -> dict[str, Any]:
        """A line a field: its name and its kind with its value, both in hex; what is nested is carried as it stands."""
        assert self.lua.stdin
        assert self.lua.stdout
        lines = [f"{key.encode().hex()} {_sent(value)}" for key, value in record.items()]
        self.lua.stdin.write("\n".join([f"call {function}", *lines, "end", ""]))
        self.lua.stdin.flush()
        found = {}
        while (line := self.lua.stdout.readline().strip()) != "end":
            key, kind, value = (*line.split(" "), "")[:3]
            found[bytes.fromhex(key).decode()] = _received(kind, bytes.fromhex(value).decode())
        return found


def _sent(value: Any) -> str:
    kind = "s" if isinstance(value, str) else "j"
    return f"{kind} {(value if kind == 's' else json.dumps(value)).encode().hex()}"


def _received(kind: str, text: str) -> Any:
    return text if kind == "s" else json.loads(text)


def _parsed(parser: dict[str, Any], text: str) -> dict[str, Any] | None:
    if parser["format"] == "json":
        try:
            found = json.loads(text)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None
    found = onigmo(parser["regex"]).search(text)
    return {key: value for key, value in found.groupdict().items() if value is not None} if found else None


def onigmo(text: str) -> re.Pattern[str]:
    """Python's expression of one for Onigmo: (?m:) lets '.' take line ends, \\z is the very end."""
    flags = re.DOTALL
    if text.startswith("(?mi:"):
        flags |= re.IGNORECASE
    inside = re.sub(r"^\(\?mi?:(.*)\)$", r"\1", text, flags=re.DOTALL)
    # Of what begins with (?, only what both have; no quantifier that Ruby's syntax reads otherwise.
    assert not re.search(r"(?<!\\)\(\?(?!<[A-Za-z_]|:)", inside), text
    assert not re.search(r"[*+?}][+]", re.sub(r"\[[^\]]*\]|\\.", "", inside)), text
    return re.compile(inside.replace("(?<", "(?P<").replace(r"\z", r"\Z"), flags)


@pytest.fixture(params=[r for r in recordings() if r.lines], ids=lambda r: r.name)
def recording(request: pytest.FixtureRequest) -> Recording:
    found: Recording = request.param
    return found


def test_its_filters_make_the_document_of_every_recorded_line(recording: Recording, tmp_path: Path) -> None:
    logging = recording.logging
    config = fluent_bit.config(logging, logging.sources, HOST, {"elasticsearch": 9881}, "word")
    walk = Walk(config, tmp_path)
    for line in recording.lines:
        if b"\xff" in line.raw:
            continue  # the gateway mends what is no UTF-8
        found = walk.document(*_record(line))
        kept = {key: value for key, value in found.items() if key not in ("path", "offset", "key")}
        kept.setdefault("@timestamp", READ)
        assert kept == {"@timestamp": READ, **line.document}, line.raw
    walk.close()


def _record(line: Line) -> tuple[str, dict[str, Any]]:
    if line.entry is not None:
        return "journal", {"MESSAGE": line.raw.decode(), **line.entry}
    return f"source.{line.source}", {"raw": line.raw.decode(), "read_path": "/var/log/x", "read_offset": 7}


@pytest.mark.parametrize("recording", [r for r in recordings() if r.traces], ids=lambda r: r.name)
def test_its_multiline_rules_join_what_belongs_together(recording: Recording) -> None:
    logging = recording.logging
    config = fluent_bit.config(logging, logging.sources, HOST, {"elasticsearch": 9881}, "word")
    for rules in config["multiline_parsers"]:
        records: list[str] = []
        start, rest = (rule["regex"].strip("/") for rule in rules["rules"])
        name = rules["name"].removeprefix("multiline_")
        for line in "\n".join(recording.traces[name]).split("\n"):
            begins = bool(onigmo(start).search(line))
            inside = rest.removeprefix(r"\A(?!").removesuffix(")")
            assert bool(onigmo(inside.replace("(?m:", r"(?m:\A", 1)).search(line)) == begins
            if begins or not records:
                records.append(line)
            else:
                records[-1] += f"\n{line}"
        assert records == recording.traces[name]
