"""What a module that runs the engine over components answers; shared by component_apply and rollback."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .engine import Engine
from .host import Host
from .store import Store
from .work import Mode, Result

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def engine_of(mode: Mode) -> Engine:
    """The engine for the host that this runs on."""
    host = Host()
    machine = os.uname().machine
    return Engine(host, Store(host), ARCHITECTURES.get(machine, machine), mode)


def answer(results: Sequence[Result], mode: Mode) -> dict[str, Any]:
    """A module's result: one a component, and their diffs where somebody looks."""
    told: dict[str, Any] = {
        "changed": any(result.changed for result in results),
        "rollout": mode.rollout,
        "components": [{key: value for key, value in asdict(result).items() if key != "diff"} for result in results],
    }
    if mode.diff:
        told["diff"] = [{"prepared": result.diff} for result in results if result.diff]
    return told


def trouble(results: Sequence[Result], asked: int) -> str:
    """Which components failed, each with step and reason; empty where none did. `asked`: how many were to run."""
    reasons = [f"{result.name}: {result.step}: {result.message}" for result in results if result.failed]
    left = asked - len(results)
    behind = f" ({left} later component{'s' if left > 1 else ''} not started)" if left and reasons else ""
    counted = f"{len(reasons)} of {asked} components failed. " if len(reasons) > 1 else ""
    return counted + "\n".join(reasons) + behind
