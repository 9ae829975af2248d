"""The controller's part: what the host has to know of Compose files without a YAML parser. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

FORMAT = 1


def services_of(component: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The services of a component's Compose file as model.Service takes them; {} where it has none."""
    if not component.get("compose"):
        return {}
    path = component["compose"]["file"]
    content = next(item.get("content") or "" for item in component["files"] if item["path"] == path)
    services = (yaml.safe_load(content) or {}).get("services") or {}
    return {str(name): _service(service) for name, service in services.items()}


def _service(service: Mapping[str, Any]) -> dict[str, Any]:
    restart = str(service.get("restart", "no"))
    return {
        "image": str(service.get("image", "")),
        "environment": _environment(service.get("environment") or {}),
        "command": _words(service.get("command")),
        "entrypoint": _words(service.get("entrypoint")),
        "restart": restart,
        "replicas": int((service.get("deploy") or {}).get("replicas", 1)),
        "lasts": restart != "no" and not service.get("profiles"),
    }


def _environment(given: Any) -> dict[str, str]:
    """Compose takes a mapping or a list of NAME=VALUE; a doubled dollar is a plain one."""
    pairs = given.items() if isinstance(given, Mapping) else (str(item).partition("=")[::2] for item in given)
    return {str(name): _plain(value) for name, value in pairs}


def _words(given: Any) -> list[str] | None:
    if given is None:
        return None
    return [_plain(word) for word in (shlex.split(given) if isinstance(given, str) else given)]


def _plain(value: Any) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text.replace("$$", "$")


def payload(parts: Sequence[Mapping[str, Any]], everything: bool) -> dict[str, Any]:
    """What one host is sent: of all collected tasks the components that are to be there, and the packages."""
    components = [
        {**component, "services": services_of(component)}
        for part in parts
        for component in part.get("components") or ()
        if (component.get("state") or "present") == "present"
    ]
    requested: dict[str, list[str]] = {}
    for part in parts:
        if part.get("packages"):
            names = requested.setdefault(str(part.get("role") or "packages"), [])
            names += [name for name in part["packages"] if name not in names]
    return {"format": FORMAT, "everything": everything, "components": components, "packages": requested}
