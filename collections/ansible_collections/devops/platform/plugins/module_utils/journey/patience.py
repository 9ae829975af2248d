# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asking again until all is well or the time is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """How long to ask, and how often, in seconds. `clock` only goes forward."""

    timeout: float
    interval: float = 1.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def until_empty(self, look: Callable[[], list[str]]) -> list[str]:
        """What `look` answered last: nothing, or what is still wrong when the time is over."""
        deadline = self.clock() + self.timeout
        while True:
            lines = look()
            if not lines or self.clock() >= deadline:
                return lines
            self.sleep(self.interval)
