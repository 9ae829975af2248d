# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The strategies that were asked for, as typed values, or every mistake in them. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

KEYS: Mapping[str, tuple[str, ...]] = {
    "rolling": ("max_surge",),
    "recreate": (),
    "blue_green": ("keep",),
    "canary": ("steps", "max_surge"),
    "partition": ("steps", "parallel"),
}
KINDS: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("rolling", "recreate", "blue_green", "canary"),
    "StatefulSet": ("partition",),
    "DaemonSet": ("partition",),
}
SHARE = re.compile(r"(\d{1,3})%")


class StrategyError(ValueError):
    """Strategies that make no sense; one line each in `problems`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class Amount:
    """A number of pods, or a share of all."""

    number: int = 0
    share: float = 0.0

    def of(self, total: int) -> int:
        """Rounded up, at least one, at most all."""
        wanted = math.ceil(self.share * total - 1e-9) if self.share else self.number
        return max(1, min(total, wanted)) if total else 0


@dataclass(frozen=True)
class Settings:
    type: str
    max_surge: int | str = "25%"
    keep: bool = True
    steps: tuple[Amount, ...] = ()
    parallel: int = 1


DEFAULTS = {
    "Deployment": Settings("rolling"),
    "StatefulSet": Settings("partition", steps=(Amount(share=1.0),)),
    "DaemonSet": Settings("partition", steps=(Amount(share=1.0),)),
}


def parse(raw: Mapping[str, Any], workloads: Mapping[str, str]) -> dict[str, Settings]:
    """Name of a workload -> its settings. `workloads`: name -> kind, all that there are."""
    found: list[str] = []
    settings = {name: DEFAULTS[kind] for name, kind in workloads.items()}
    for name, given in raw.items():
        if name not in workloads:
            known = ", ".join(sorted(workloads)) or "none"
            hint = did_you_mean(name, workloads)
            found.append(f"strategies.{name}: the definition has no such workload{hint}; it has: {known}")
        elif not isinstance(given, Mapping):
            found.append(f"strategies.{name}: must be a mapping such as {{type: canary}}, not {given!r}")
        else:
            settings[name] = _one(f"strategies.{name}", given, workloads[name], found)
    if found:
        raise StrategyError(found)
    return settings


def _one(place: str, raw: Mapping[str, Any], kind: str, found: list[str]) -> Settings:
    default = DEFAULTS[kind]
    which = raw.get("type", default.type)
    if which not in KINDS[kind]:
        found.append(f"{place}.type: {which!r} is none for a {kind}; it must be one of {', '.join(KINDS[kind])}")
        return default
    keys = KEYS[which]
    unknown = [str(key) for key in raw if key not in ("type", *keys)]
    found += [f"{place}.{key}: is no key of {which}{did_you_mean(key, keys)}" for key in unknown]
    surge = raw.get("max_surge", "25%")
    if "max_surge" in keys and not _is_surge(surge):
        found.append(f'{place}.max_surge: {surge!r} is neither a number from 1 nor a share such as "25%"')
    parallel = raw.get("parallel", 1)
    if not _whole(parallel) or parallel < 1:
        found.append(f"{place}.parallel: {parallel!r} is no number from 1")
    keep = raw.get("keep", True)
    if not isinstance(keep, bool):
        found.append(f"{place}.keep: {keep!r} is neither true nor false")
    steps = _steps(place, raw.get("steps"), which, found)
    return Settings(str(which), surge, bool(keep), steps, parallel if _whole(parallel) else 1)


def _steps(place: str, raw: Any, which: str, found: list[str]) -> tuple[Amount, ...]:
    if which not in ("canary", "partition"):
        return ()
    if raw is None:
        return (Amount(share=0.1), Amount(share=0.5)) if which == "canary" else (Amount(share=1.0),)
    if not isinstance(raw, (list, tuple)) or not raw:
        found.append(f'{place}.steps: must be a list such as [1, "50%"], not {raw!r}')
        return ()
    steps = [_amount(f"{place}.steps[{n}]", one, found) for n, one in enumerate(raw)]
    for kind in ("number", "share"):
        values = [getattr(step, kind) for step in steps if getattr(step, kind)]
        if values != sorted(set(values)):
            found.append(f"{place}.steps: each must be more than the one before it")
    return tuple(steps)


def _amount(place: str, raw: Any, found: list[str]) -> Amount:
    if _whole(raw) and raw >= 1:
        return Amount(number=raw)
    match = SHARE.fullmatch(raw) if isinstance(raw, str) else None
    if match and 1 <= int(match[1]) <= 100:
        return Amount(share=int(match[1]) / 100)
    found.append(f'{place}: {raw!r} is neither a number of pods from 1 nor a share from "1%" to "100%"')
    return Amount(number=1)


def _whole(raw: Any) -> bool:
    return isinstance(raw, int) and not isinstance(raw, bool)


def _is_surge(raw: Any) -> bool:
    if _whole(raw):
        return bool(raw >= 1)
    match = SHARE.fullmatch(raw) if isinstance(raw, str) else None
    return bool(match and 1 <= int(match[1]) <= 100)
