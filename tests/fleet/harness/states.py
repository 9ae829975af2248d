"""The whole state of a host, taken by whole.py, and how two of them differ."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fleet.harness.fleet import Fleet

WHOLE = (Path(__file__).parent / "whole.py").read_text()
# What services write as they run.
LIVING = ("/var/lib/prometheus/", "/var/lib/postgresql/", "/var/lib/redis/", "/var/lib/alertmanager/")


def whole(fleet: Fleet, host: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(fleet.on(host, "python3", "-B", "-", given=WHOLE, seconds=300))
    return found


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [
        f"{name}: {before.get(name, 'nothing')} -> {after.get(name, 'nothing')}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
