"""The containers of our Compose projects, in three calls of Docker. Reads only; parsing is pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine.host import Host, tail

from .model import Container, Image

PROJECT = "com.docker.compose.project"
LABELS = {
    "service": "com.docker.compose.service",
    "source": "com.docker.compose.project.config_files",
    "one_off": "com.docker.compose.oneoff",
}


def look(
    host: Host, projects: Collection[str], wanted: Iterable[str]
) -> tuple[str, tuple[Container, ...], dict[str, Image]]:
    """(why Docker does not answer, containers of the projects, images of these and those that are wanted)."""
    if not projects:
        return "", (), {}
    listed = host.query(["docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={PROJECT}"])
    if listed.code != 0:
        return tail(listed.output, 1) or f"docker ended with {listed.code}", (), {}
    ids = listed.output.split()
    # One that ends between the two questions is missing from the answer, which is then about the others.
    inspected = _array(host.query(["docker", "inspect", *ids]).output) if ids else []
    names = set(projects)
    found = tuple(item for item in map(container, inspected) if item.project in names)
    asked = sorted({item.image_id for item in found} | {name for name in wanted if name})
    answers = _array(host.query(["docker", "image", "inspect", *asked]).output) if asked else []
    images: dict[str, Image] = {}
    for raw in answers:
        made = image(raw)
        for name in (made.id, *(raw.get("RepoTags") or ()), *(raw.get("RepoDigests") or ())):
            images[name] = made
    return "", found, {name: images[key] for name in asked for key in _keys(name) if key in images}


def _keys(reference: str) -> list[str]:
    """The names by which an image may be listed: NAME:TAG@DIGEST is kept as NAME@DIGEST, NAME as NAME:latest."""
    name, _, digest = reference.partition("@")
    if not digest:
        return [reference, f"{reference}:latest"]
    head, _, last = name.rpartition("/")
    plain = last.partition(":")[0]
    return [reference, f"{head}/{plain}@{digest}" if head else f"{plain}@{digest}"]


def _array(output: str) -> list[dict[str, Any]]:
    """The JSON array in what `docker inspect` prints; a word about what was not found may stand before or after it."""
    start, end = output.find("["), output.rfind("]")
    if start < 0 or end < start:
        return []
    try:
        found: list[dict[str, Any]] = json.loads(output[start : end + 1])
    except ValueError:
        return []
    return found


def container(raw: Mapping[str, Any]) -> Container:
    config, state = raw["Config"], raw["State"]
    labels = config.get("Labels") or {}
    return Container(
        name=str(raw.get("Name", "")).lstrip("/"),
        project=labels.get(PROJECT, ""),
        service=labels.get(LABELS["service"], ""),
        image=str(config.get("Image", "")),
        image_id=str(raw.get("Image", "")),
        environment=tuple(config.get("Env") or ()),
        command=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        restart=str(((raw.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name") or "no"),
        state=str(state.get("Status", "")),
        health=str((state.get("Health") or {}).get("Status", "")),
        exit_code=int(state.get("ExitCode") or 0),
        source=labels.get(LABELS["source"], ""),
        one_off=labels.get(LABELS["one_off"], "False") == "True",
    )


def image(raw: Mapping[str, Any]) -> Image:
    config = raw.get("Config") or {}
    return Image(
        id=str(raw["Id"]),
        environment=tuple(config.get("Env") or ()),
        command=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
    )
