"""As much of TOML as containerd's files need, written: the standard library only reads it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

BARE = re.compile(r"[A-Za-z0-9_-]+")


def text(data: Mapping[str, Any]) -> str:
    """Mappings become tables; ValueError for a value that TOML has no word for."""
    return "\n".join(_table(data, ())).strip() + "\n"


def _table(data: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    values = {key: value for key, value in data.items() if not isinstance(value, Mapping)}
    if path and (values or not data):
        yield ""
        yield f"[{'.'.join(map(_key, path))}]"
    for key, value in values.items():
        yield f"{_key(key)} = {_value(value, (*path, key))}"
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _table(value, (*path, str(key)))


def _key(key: Any) -> str:
    return str(key) if BARE.fullmatch(str(key)) else _string(str(key))


def _string(value: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which JSON leaves as it is, and halves of surrogate pairs.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any, path: tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, (list, tuple)) and not any(isinstance(item, Mapping) for item in value):
        return f"[{', '.join(_value(item, path) for item in value)}]"
    raise ValueError(f"{'.'.join(path)}: TOML is not written of {type(value).__name__} here")
