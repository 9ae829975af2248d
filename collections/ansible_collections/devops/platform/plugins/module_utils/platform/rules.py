"""Rule files of Prometheus as far as their structure goes. Whether expressions are right, promtool says on the host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .positions import Document, KeyPath
from .shape import check_shape

ONLY_ALERTS = ("for", "keep_firing_for", "annotations")


def check_rules(document: Document) -> None:
    """Report in the document whatever makes it no rule file."""
    if not document.readable:
        return
    check_shape(document, "rules.schema")
    if not isinstance(document.data, Mapping):
        return
    first: dict[str, KeyPath] = {}
    for number, group in _mappings(document.data.get("groups")):
        path: KeyPath = ("groups", number)
        name = group.get("name")
        if isinstance(name, str):
            if name in first:
                line = document.place((*first[name], "name"))[0]
                text = f"'{name}' is the name of another group already (line {line}), and names are unique in a file"
                document.report((*path, "name"), text)
            first.setdefault(name, path)
        for place, rule in _mappings(group.get("rules")):
            _check_rule(document, (*path, "rules", place), rule)


def _mappings(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, Mapping):
            yield number, item


def _check_rule(document: Document, path: KeyPath, rule: Mapping[str, Any]) -> None:
    if "alert" in rule and "record" in rule:
        document.report(path, "is both an alert and a record; make two rules of it")
    elif "alert" not in rule and "record" not in rule:
        document.report(path, "is neither an alert nor a record; name what it makes")
    elif "record" in rule:
        for key in ONLY_ALERTS:
            if key in rule:
                document.report((*path, key), "is for alerts only; take it out", at_key=True)
