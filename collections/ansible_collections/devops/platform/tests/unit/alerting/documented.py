"""The whole form of docs/alerting.md, on the example of the platform's tests."""

from __future__ import annotations

import copy
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.platform import paths
from ansible_collections.devops.platform.tests.unit.platform import example

PAGE = paths.find_root(Path(example.__file__)) / "docs" / "alerting.md"


@cache
def form() -> dict[str, Any]:
    """What the page gives as `platform`."""
    [text] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found: dict[str, Any] = yaml.safe_load(text)["platform"]
    return found


def alerting() -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(form()["monitoring"]["alerting"])
    return found


@cache
def _example() -> dict[str, Any]:
    return example.data()


def platform(changed: dict[str, Any] | None = None) -> dict[str, Any]:
    """The example with the documented alerting, or with `changed` instead of it."""
    whole = copy.deepcopy(_example())
    whole["monitoring"]["alerting"] = alerting() if changed is None else changed
    whole["secrets"]["names"].update(form()["secrets"]["names"])
    return whole
