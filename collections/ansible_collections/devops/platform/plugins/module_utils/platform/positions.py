"""YAML as data plus the place of every key and value, so that a message can say where.

Built on PyYAML's node tree, because the plain loader forgets positions, and lets a second key of the same name win
without a word.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

import yaml

try:
    from yaml import CSafeLoader as _Loader  # ten times faster
except ImportError:
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

Key = Union[str, int]
KeyPath = tuple[Key, ...]

MAX_NODES = 100_000  # aliases of aliases can describe more data than any memory holds
MAX_DEPTH = 60


class Opaque(str):
    """A value that Ansible decrypts at run time (!vault): known to be there, not what it is."""


class Raw(str):
    """A value marked !unsafe: braces in it are text, not a template."""


@dataclass(frozen=True, order=True)
class Problem:
    """One finding. Ordered by place; line and column count from 1, or are 0 where the whole file is meant."""

    file: str
    line: int
    column: int
    path: str
    text: str
    severity: str = "error"

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.file}{place}: {self.severity}: {where}{self.text}"


@dataclass
class Document:
    """A YAML file: its data (keys are text), the places of keys and values by key path, and what is wrong so far.

    `readable`: something can be said about its data. `loadable`: Ansible could load it, whatever else is wrong.
    """

    file: str
    data: Any = None
    keys: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    values: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    readable: bool = True
    loadable: bool = True

    def reject(self, line: int, column: int, text: str) -> None:
        """A finding after which nothing can be said about the rest."""
        self.problems.append(Problem(self.file, line, column, "", text))
        self.readable = self.loadable = False

    def report(self, path: KeyPath, text: str, *, at_key: bool = False, severity: str = "error") -> None:
        """Add a finding at a key or value; for a path that is not in the file, at its nearest parent."""
        line, column = self.place(path, at_key=at_key)
        self.problems.append(Problem(self.file, line, column, show(path), text, severity))

    def place(self, path: KeyPath, *, at_key: bool = False) -> tuple[int, int]:
        first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
        known = path
        while known:
            found = first.get(known) or second.get(known)
            if found:
                return found
            known, first, second = known[:-1], self.keys, self.values
        return self.values.get((), (1, 1))


def show(path: KeyPath) -> str:
    """`platform.edge.routes[0].path`; keys that hold a dot are quoted in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif "." in part or not part:
            text += f'["{part}"]'
        else:
            text += f".{part}" if text else part
    return text


def read(path: Path, name: str) -> Document:
    """Load a file. Never raises for its content: what is wrong stands in `problems`, and `readable` is False where
    nothing can be said about the rest. OSError where there is no file to read."""
    raw = path.read_bytes()
    document = Document(name)
    try:
        return parse(raw.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        document.reject(line, 1, "the file is not UTF-8 text")
        return document


def parse(text: str, name: str) -> Document:
    """As `read`, of text."""
    document = Document(name)
    if text.startswith("$ANSIBLE_VAULT;"):
        document.reject(1, 1, "the file is encrypted; keep it readable, and encrypt the values of secrets only")
        return document
    try:
        _limit_depth(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            _Builder(document, loader).build_root(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        document.reject(line, column, _syntax(error, text, line, column))
    except yaml.YAMLError as error:  # a character that YAML forbids
        line = text.count("\n", 0, getattr(error, "position", 0) or 0) + 1
        reason = str(getattr(error, "reason", error)).splitlines()[0]
        document.reject(line, 1, f"not YAML: {reason}")
    except RecursionError:
        document.reject(1, 1, "not YAML that can be read: nested too deeply")
    return document


def _limit_depth(text: str) -> None:
    """The C library composes nodes by recursion without a limit: deep enough nesting would end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark: Any = event.start_mark  # the C parser's marks are of a type of its own
                raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


# What libyaml says: what to look for.
HINTS = (
    ("expected ',' or", "a bracket or brace is not closed, or a comma is missing"),
    ("expected node content", "a bracket or brace is not closed, or a value is missing"),
    ("unexpected end of stream", "a quote is not closed"),
    ("expected key", "check the indentation here and above, and what stands behind a closing quote"),
    ("mapping values are not allowed", "quote a value that holds ': ', and check the indentation above"),
)


def _syntax(error: yaml.MarkedYAMLError, text: str, line: int, column: int) -> str:
    lines = text.split("\n")
    character = lines[line - 1][column - 1 : column] if line <= len(lines) else ""
    problem = error.problem or "unreadable"
    hint = next((f"; {hint}" for words, hint in HINTS if words in problem), "")
    if character in ("@", "`", "%"):
        hint = f"; a value that begins with {character} needs quotes"
    elif character == "\t":
        hint = "; indent with spaces, not tabs"
    begun = error.context_mark.line + 1 if error.context_mark else line
    context = (
        f" ({error.context}" + (f" that begins in line {begun})" if begun != line else ")") if error.context else ""
    )
    return f"not YAML: {problem}{context}{hint}"


class _Builder:
    """Walks the nodes once, making data and noting places."""

    def __init__(self, document: Document, loader: Any) -> None:
        self.document = document
        self.loader = loader
        self.left = MAX_NODES
        self.open: set[int] = set()

    def build_root(self, node: yaml.Node | None) -> None:
        if node is not None:
            self.document.data = self.build(node, ())

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        self.document.values[path] = _place(node)
        self.left -= 1
        if self.left < 0 or len(path) > MAX_DEPTH:  # aliases of aliases may go deeper than what is written
            what = "too much data; aliases (*name) multiply it" if self.left < 0 else "nested too deeply"
            raise yaml.MarkedYAMLError(problem=what, problem_mark=node.start_mark)
        if id(node) in self.open:
            raise yaml.MarkedYAMLError(problem="an alias contains itself", problem_mark=node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, (*path, number)) for number, item in enumerate(node.value)]
            return self.mapping(node, path)
        finally:
            self.open.discard(id(node))

    def mapping(self, node: Any, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                merged += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                continue
            key = self.key(key_node, path)
            if key is None:
                continue
            child = (*path, key)
            if key in result:
                first = self.document.keys[child][0]
                line, column = _place(key_node)
                text = f"duplicate key; it stands in line {first} already, and only one of them can count"
                self.document.problems.append(Problem(self.document.file, line, column, show(child), text))
                continue
            self.document.keys[child] = _place(key_node)
            result[key] = self.build(value_node, child)
        for source in merged:
            self.merge(source, path, result)
        return result

    def merge(self, source: yaml.Node, path: KeyPath, result: dict[str, Any]) -> None:
        """`<<: *base`: keys of the base that are not given."""
        if not isinstance(source, yaml.MappingNode):
            self.report(source, path, "'<<' takes a mapping, or a list of mappings")
            return
        shadow = _Builder(Document(self.document.file), self.loader)
        shadow.left, shadow.open = self.left, self.open
        for key, value in shadow.build(source, path).items():
            if key not in result:
                result[key] = value
                prefix = (*path, key)
                for known, target in (
                    (shadow.document.keys, self.document.keys),
                    (shadow.document.values, self.document.values),
                ):
                    target.update({k: v for k, v in known.items() if k[: len(prefix)] == prefix})
        self.left = shadow.left

    def key(self, node: yaml.Node, path: KeyPath) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self.report(node, path, "a key must be plain text, not a list or mapping")
            return None
        value = self.scalar(node, path)
        if not isinstance(value, str):
            self.report(node, path, f'the key {node.value} is read as {kind(value)}; quote it: "{node.value}"')
        return str(node.value)

    def scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if node.tag in ("!vault", "!vault-encrypted"):
            return Opaque("")
        if node.tag == "!unsafe":
            return Raw(node.value)
        try:
            value = self.loader.construct_object(node)
        except yaml.YAMLError:
            self.document.loadable = False
            self.report(node, path, f"unknown tag {node.tag}; plain values, !unsafe and !vault are understood")
            return Opaque("")
        except (ValueError, OverflowError):
            self.document.loadable = False
            self.report(node, path, f"'{node.value}' looks like a number or date and is none; quote it")
            return Opaque("")
        return value if isinstance(value, Hashable) else Opaque("")

    def report(self, node: yaml.Node, path: KeyPath, text: str) -> None:
        line, column = _place(node)
        self.document.problems.append(Problem(self.document.file, line, column, show(path), text))


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def kind(value: Any) -> str:
    """What a value is, in a reader's words."""
    if value is None:
        return "empty"
    for types, name in (
        ((bool,), "true or false"),
        ((int, float), "a number"),
        ((str,), "text"),
        ((list, tuple), "a list"),
        ((dict,), "a mapping"),
    ):
        if isinstance(value, types):
            return name
    return f"a {type(value).__name__}"
