# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ways from a workload's old state to its new one, as stages. Pure.

A stage may be entered any number of times: applying, deleting and waiting again change nothing. So a rollout whose
controller died goes on at the stage that the ledger names, and the way back is the same from wherever it begins.
"""

from __future__ import annotations

from typing import Any

from . import blue_green, canary, partition, rolling
from .course import Course, Former, Renew, Stage
from .settings import Settings, StrategyError, parse

__all__ = ["Course", "Former", "Renew", "Settings", "Stage", "StrategyError", "course", "parse"]

WAYS = {
    "rolling": rolling.course,
    "recreate": rolling.course,
    "blue_green": blue_green.course,
    "canary": canary.course,
    "partition": partition.course,
}


def course(declared: dict[str, Any], former: Former, settings: Settings) -> Course:
    """The way of one workload. `declared`: as the caller wants it, normal; `former`: what the last kept state has."""
    return WAYS[settings.type](declared, former, settings)
