"""The controller's decisions about a component's description: pure, tested without Ansible."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

from .arguments import ARGUMENTS, TASK, problems

ORIGINS = ("template", "content", "source", "link")


class DescriptionError(Exception):
    """The task's description is wrong; found before the host is spoken to."""


def normalise(arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The task's arguments as a list of components. Raises DescriptionError with every mistake."""
    single = {key: given for key, given in arguments.items() if key not in TASK}
    listed = arguments.get("components")
    wrong = list(problems(arguments, ARGUMENTS, f"component {single['name']}" if single.get("name") else "the task"))
    if bool(single) == (listed is not None):
        wrong.append("give either components, a list, or the keys of a single component")
    components = [] if wrong else [dict(item) for item in (listed if listed is not None else [single])]
    for index, component in enumerate(components):
        if not component.get("name"):
            wrong.append(f"component {index} has no name")
        wrong += _contradictions(component, f"component {component.get('name') or index}")
    names = Counter(str(component.get("name")) for component in components)
    wrong += [f"component {name} stands in the list twice" for name, count in names.items() if count > 1]
    if wrong:
        raise DescriptionError("; ".join(wrong) + ".")
    return components


def _contradictions(component: Mapping[str, Any], where: str) -> list[str]:
    """What no single key shows."""
    wrong = []
    for position, item in enumerate(component.get("files") or []):
        origins = [key for key in ORIGINS if item.get(key) is not None]
        if len(origins) != 1:
            told = " and ".join(origins) if origins else "none of them"
            wrong.append(
                f"{where}, files[{position}] ({item.get('path')}) needs one of {', '.join(ORIGINS)}; it has {told}"
            )
    ways = [key for key in ("undo", "to") if component.get(key) is not None]
    wrong += [f"{where}: {key} is empty; it needs the id of a rollout" for key in ways if not component[key]]
    if len(ways) > 1:
        wrong.append(f"{where} has undo and to; a component goes back one way")
    if ways and component.get("state") != "rolled_back":
        wrong.append(f"{where} has {ways[0]}, which needs state: rolled_back")
    runtimes = [key for key in ("unit", "service", "compose") if component.get(key)]
    if len(runtimes) > 1:
        wrong.append(f"{where} has {' and '.join(runtimes)}; a component has one runtime")
    return wrong


def resolve_release(
    name: str, release: Mapping[str, Any], locked: Mapping[str, Any], sources: list[str]
) -> dict[str, Any]:
    """A release with its digests and addresses, in the order of `sources`.

    A source is 'upstream' or the base address of a mirror or an offline bundle; the digest is the same for all.
    """
    if not release.get("artifact"):
        urls = list(release.get("urls") or ([release["url"]] if release.get("url") else []))
        return {**{key: value for key, value in release.items() if key != "url"}, "urls": urls}
    artifact, version = str(release["artifact"]), str(release["version"])
    versions = locked.get(artifact)
    if versions is None:
        close = difflib.get_close_matches(artifact, locked, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(sorted(locked)) or 'none'}."
        raise DescriptionError(f"{name}: the lock file has no artifact {artifact!r}; {hint}")
    if version not in versions:
        raise DescriptionError(
            f"{name}: the lock file has no {artifact} {version}; it has {', '.join(sorted(versions))}."
        )
    entry = versions[version]
    urls = []
    for source in sources:
        if source == "upstream":
            if entry.get("url"):
                urls.append(entry["url"])
        elif entry.get("path"):
            urls.append(f"{source.rstrip('/')}/{entry['path']}")
    return {
        "version": version,
        "sha256": dict(entry["sha256"]),
        "urls": urls,
        "strip": int(entry.get("strip", 0)),
        "binaries": list(release.get("binaries") or entry.get("binaries") or []),
    }


UNDEFINED = re.compile(r"'(\w+)' is undefined|has no attribute '(\w+)'")


def line_of(error: BaseException, source: str) -> int:
    """The line of a template that an error is about, from 1, or 0 where it cannot be told.

    Jinja knows it for what it cannot parse. For what is undefined, it is the first line that uses that name.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(getattr(cause, "lineno", None), int):
            return int(cause.lineno)  # type: ignore[attr-defined]
        cause = cause.__cause__ or cause.__context__
    found = UNDEFINED.search(str(error))
    if found:
        name = re.compile(rf"\{{[{{%].*\b{found[1] or found[2]}\b")
        for number, line in enumerate(source.splitlines(), 1):
            if name.search(line):
                return number
    return 0


def compose_facts(component: Mapping[str, Any]) -> dict[str, Any]:
    """What the host has to know of the Compose file without a YAML parser: lasting services, and images by digest.

    One-shot tasks (restart 'no', or behind a profile) end by design and are not expected to run.
    """
    path = component["compose"]["file"]
    content = next((item.get("content") for item in component.get("files") or [] if item["path"] == path), None)
    if content is None:
        raise DescriptionError(f"{component['name']}: compose.file {path} is not one of its files.")
    try:
        document = yaml.safe_load(content) or {}
    except yaml.YAMLError as error:
        raise DescriptionError(f"{component['name']}: {path} is no YAML: {error}.") from error
    services = document.get("services") or {}
    lasting = [
        name
        for name, service in services.items()
        if service.get("restart", "no") != "no" and not service.get("profiles")
    ]
    images = sorted({service["image"] for service in services.values() if service.get("image")})
    return {"services": sorted(lasting), "images": images}
