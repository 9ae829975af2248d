# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The objects that a caller gives: mappings, YAML, or a file of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from .objects import Manifest


class DefinitionError(ValueError):
    """Objects that are none; one line each in `problems`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def read(given: Sequence[Any] | None, src: str | None) -> list[Manifest]:
    """All objects, lists and documents taken apart; DefinitionError with every one that is no object."""
    found: list[tuple[str, Any]] = []
    if src:
        try:
            text = Path(src).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DefinitionError([f"src: {src} cannot be read: {error}"]) from error
        found += _documents(src, text)
    for number, one in enumerate(given or []):
        place = f"definition[{number}]"
        found += _documents(place, one) if isinstance(one, str) else [(place, one)]
    objects: list[Manifest] = []
    problems: list[str] = []
    for place, one in found:
        _take(place, one, objects, problems)
    if not objects and not problems:
        # An empty file would prune the whole application.
        problems.append(f"{src or 'definition'} holds no object, and all that the application has would be pruned")
    if problems:
        raise DefinitionError(problems)
    return objects


def _documents(place: str, text: str) -> list[tuple[str, Any]]:
    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        raise DefinitionError([f"{place} is no YAML: {' '.join(str(error).split())}"]) from error
    return [(f"{place}, document {number}", one) for number, one in enumerate(documents, 1) if one is not None]


def _take(place: str, one: Any, objects: list[Manifest], problems: list[str]) -> None:
    if not isinstance(one, Mapping):
        problems.append(f"{place}: must be an object with apiVersion and kind, not {type(one).__name__}")
        return
    if str(one.get("kind", "")).endswith("List") and isinstance(one.get("items"), list):
        for number, item in enumerate(one["items"]):
            _take(f"{place}.items[{number}]", item, objects, problems)
        return
    about = one.get("metadata")
    missing = [key for key in ("apiVersion", "kind") if not isinstance(one.get(key), str) or not one[key]]
    if not isinstance(about, Mapping) or not about.get("name"):
        missing.append("metadata.name")
    if missing:
        problems.append(f"{place}: {', '.join(missing)} is missing; each object needs it")
        return
    objects.append(dict(one))
