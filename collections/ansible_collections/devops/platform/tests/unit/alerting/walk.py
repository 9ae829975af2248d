"""How Alertmanager goes through its routes, in a few lines; tests/monitoring compares them with amtool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')


def matches(matchers: Sequence[str], labels: Mapping[str, str]) -> bool:
    """Alertmanager's matchers: regular expressions match whole values, and an absent label is an empty one."""
    for text in matchers:
        parsed = MATCHER.fullmatch(text)
        assert parsed, text
        name, operator, value = parsed.groups()
        found = labels.get(name, "")
        same = re.fullmatch(value, found) is not None if "~" in operator else found == value
        if same != operator.startswith("="):
            return False
    return True


def leaves(node: Mapping[str, Any], labels: Mapping[str, str], above: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Alertmanager's walk: the nodes that handle an alert, with what they inherit. Muting is not inherited."""
    own = {**above, **node}
    own["mute_time_intervals"] = node.get("mute_time_intervals", [])
    found = False
    for child in node.get("routes", ()):
        if matches(child.get("matchers", ()), labels):
            found = True
            yield from leaves(child, labels, {key: value for key, value in own.items() if key != "continue"})
            if not child.get("continue"):
                break
    if not found:
        yield own


def told(made: Mapping[str, Any], **labels: str) -> list[str]:
    return [node["receiver"] for node in leaves(made["route"], labels, {})]
