"""The arguments of devops.platform.component, and what is wrong with given ones. Pure.

ARGUMENTS has the form of an Ansible argument spec; the module's DOCUMENTATION is compared with it by a test.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

Spec = Mapping[str, Mapping[str, Any]]

STRINGS: dict[str, Any] = {"type": "list", "elements": "str"}

FILE: Spec = {
    "path": {"type": "str", "required": True},
    "template": {"type": "str"},
    "content": {"type": "str"},
    "source": {"type": "str"},
    "link": {"type": "str"},
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "mode": {"type": "str"},
    "validate": {"type": "str"},
    "on_change": {"type": "str", "choices": ["none", "reload", "restart"]},
    "reload_keys": STRINGS,
    "live": {"type": "str", "choices": ["nftables", "sysctl", "machine_sysctl"]},
}
DIRECTORY: Spec = {
    "path": {"type": "str", "required": True},
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "mode": {"type": "str"},
    "data": {"type": "bool"},
}
RELEASE: Spec = {
    "artifact": {"type": "str"},
    "version": {"type": "str", "required": True},
    "url": {"type": "str"},
    "urls": STRINGS,
    "sha256": {"type": "dict"},
    "strip": {"type": "int"},
    "binaries": STRINGS,
}
USER: Spec = {
    "name": {"type": "str", "required": True},
    "group": {"type": "str"},
    "home": {"type": "str"},
    "shell": {"type": "str"},
    "groups": STRINGS,
}
TIMER: Spec = {
    "calendar": {"type": "str", "required": True},
}
UNIT: Spec = {
    "exec": {"type": "str", "required": True},
    "description": {"type": "str"},
    "type": {"type": "str", "choices": ["simple", "exec", "notify", "forking", "oneshot"]},
    "reload": {"type": "str"},
    "stop": {"type": "str"},
    "restart": {"type": "str"},
    "user": {"type": "str"},
    "group": {"type": "str"},
    "after": STRINGS,
    "environment": {"type": "dict"},
    "hardening": {"type": "str", "choices": ["none", "standard", "strict"]},
    "writable": STRINGS,
    "capabilities": STRINGS,
    "wanted_by": STRINGS,
    "timer": {"type": "dict", "options": TIMER},
    "options": {"type": "dict"},
}
COMPOSE: Spec = {
    "project": {"type": "str", "required": True},
    "file": {"type": "str", "required": True},
    "wait": {"type": "int"},
}
PROBE: Spec = {
    "http": {"type": "str"},
    "status": {"type": "int"},
    "headers": {"type": "dict"},
    "user": {"type": "str"},
    "password_file": {"type": "str"},
    "certificate": {"type": "str"},
    "key": {"type": "str"},
    "tcp": {"type": "str"},
    "send": {"type": "str"},
    "expect": {"type": "str"},
    "command": {"type": "raw"},
    "rc": {"type": "int"},
    "contains": {"type": "str"},
    "timeout": {"type": "float"},
}
COMPONENT: Spec = {
    "name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent", "rolled_back"]},
    "undo": {"type": "str"},
    "to": {"type": "str"},
    "transient": {"type": "bool"},
    "release": {"type": "dict", "options": RELEASE},
    "expose": STRINGS,
    "user": {"type": "raw", "options": USER},
    "directories": {"type": "list", "elements": "dict", "options": DIRECTORY},
    "files": {"type": "list", "elements": "dict", "options": FILE},
    "packages": STRINGS,
    "unit": {"type": "dict", "options": UNIT},
    "service": {"type": "dict", "options": {"name": {"type": "str", "required": True}}},
    "compose": {"type": "dict", "options": COMPOSE},
    "probe": {"type": "raw", "options": PROBE},
    "secrets": {"type": "dict"},
    "keep": {"type": "int"},
    "purge": {"type": "bool"},
}
TASK: Spec = {
    "components": {"type": "list", "elements": "dict", "options": COMPONENT},
    "rollout": {"type": "str"},
    "patience": {"type": "float"},
    "artifacts": {
        "type": "dict",
        "options": {"locks": {**STRINGS, "required": True}, "sources": STRINGS},
    },
}
# A single component's keys stand at the top level.
ARGUMENTS: Spec = {**COMPONENT, **TASK}

WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}


def problems(given: Mapping[str, Any], spec: Spec, where: str) -> Iterator[str]:
    """Everything that is wrong with a mapping: unknown and missing keys, wrong types, values outside the choices."""
    for key in given:
        if key not in spec:
            close = difflib.get_close_matches(str(key), spec, 1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(sorted(spec))}"
            yield f"{where} has an unknown key {key!r}{hint}"
    for key, item in spec.items():
        value = given.get(key)
        if value is None:
            if item.get("required"):
                yield f"{where} lacks the key {key!r}"
            continue
        yield from _value(value, item, f"{where}, {key}")


def _value(value: Any, item: Mapping[str, Any], where: str) -> Iterator[str]:
    kind = item["type"]
    if kind == "raw":
        yield from _raw(value, item, where)
    elif kind == "list":
        if isinstance(value, str) or not hasattr(value, "__iter__") or isinstance(value, Mapping):
            yield f"{where} must be a list"
            return
        for index, element in enumerate(value):
            yield from _value(element, {**item, "type": item["elements"]}, f"{where}[{index}]")
    elif kind == "dict":
        if not isinstance(value, Mapping):
            yield f"{where} must be a mapping"
        elif item.get("options"):
            yield from problems(value, item["options"], where)
    elif not _is(value, kind):
        quotes = ": put quotes around it" if kind == "str" and isinstance(value, (int, float)) else ""
        yield f"{where} must be {WORDS[kind]}, not {value!r}{quotes}"
    elif item.get("choices") and value not in item["choices"]:
        yield f"{where} is {value!r}; it must be one of {', '.join(item['choices'])}"


def _raw(value: Any, item: Mapping[str, Any], where: str) -> Iterator[str]:
    """A mapping, a list of mappings, or something shorter that stands for one."""
    options = item.get("options")
    if options and isinstance(value, Mapping):
        yield from problems(value, options, where)
    elif options and isinstance(value, (list, tuple)):
        for index, element in enumerate(value):
            yield from _value(element, {"type": "dict", "options": options}, f"{where}[{index}]")


def _is(value: Any, kind: str) -> bool:
    """Whether a value is of a type, or is text that Jinja made of it."""
    if kind == "str":
        return isinstance(value, str)
    if kind == "bool":
        return isinstance(value, bool) or str(value).lower() in ("true", "false", "yes", "no")
    if isinstance(value, bool):
        return False
    try:
        return (int(value) if kind == "int" else float(value)) is not None
    except (TypeError, ValueError):
        return False
