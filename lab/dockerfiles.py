"""Reading and rewriting Dockerfiles as far as base images go. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Callable

_FROM = re.compile(
    r"^(?P<head>[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*)(?P<image>\S+)(?P<tail>(?:[ \t]+AS[ \t]+(?P<stage>\S+))?[ \t]*)$",
    re.IGNORECASE | re.MULTILINE,
)
_COPY_FROM = re.compile(
    r"^(?P<head>[ \t]*COPY[ \t]+(?:--\S+[ \t]+)*?--from=)(?P<image>\S+)", re.IGNORECASE | re.MULTILINE
)


def normalise(image: str) -> str:
    """The short name of an image of the public registry: no registry host, no ``library/``."""
    for prefix in ("docker.io/", "index.docker.io/"):
        image = image.removeprefix(prefix)
    return image.removeprefix("library/")


def base_images(dockerfile: str) -> list[str]:
    """Images outside of the Dockerfile that its stages start from or copy from, each once, in order."""
    stages: set[str] = set()
    found: list[str] = []
    for match in sorted((*_FROM.finditer(dockerfile), *_COPY_FROM.finditer(dockerfile)), key=lambda item: item.start()):
        image = match["image"]
        external = image.lower() not in stages and image != "scratch" and not image.isdigit()
        if external and normalise(image) not in found:
            found.append(normalise(image))
        stage = match.groupdict().get("stage")
        if stage:
            stages.add(stage.lower())
    return found


def rewrite_bases(dockerfile: str, rename: Callable[[str], str]) -> str:
    """The Dockerfile with every external image renamed; stages, flags and comments stay as they are."""
    external = set(base_images(dockerfile))

    def replace(match: re.Match[str]) -> str:
        image = match["image"]
        if normalise(image) not in external:
            return match[0]
        tail = match.groupdict().get("tail") or ""
        return f"{match['head']}{rename(normalise(image))}{tail}"

    return _COPY_FROM.sub(replace, _FROM.sub(replace, dockerfile))


def label_stages(dockerfile: str, label: str) -> str:
    """The Dockerfile with a label on every stage: a builder labels only the last one, so that what earlier stages leave
    behind could not be told from anybody's."""
    return _FROM.sub(lambda match: f"{match[0]}\nLABEL {label}=yes", dockerfile)
