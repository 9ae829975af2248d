# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whose an object of AWX is: names, and the mark in its description. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Owner:
    """A platform in one of its environments."""

    platform: str
    environment: str

    @property
    def prefix(self) -> str:
        return f"{self.platform} {self.environment}"

    def called(self, name: str) -> str:
        """What AWX calls something of ours; without a name what there is one of."""
        return f"{self.prefix} {name}".rstrip()

    def mark(self, called: str, digest: str = "") -> str:
        """What ends the description of the object that is called so: `[devops.platform chat/prod rollout]`.

        Its name is part of the mark: a copy, which AWX gives the same description, is not ours.
        """
        own = called.removeprefix(self.prefix).strip()
        parts = ("devops.platform", f"{self.platform}/{self.environment}", own, digest)
        return f"[{' '.join(part for part in parts if part)}]"

    def owns(self, called: str, description: str) -> bool:
        """Whether a description ends with the mark of the object that is called so, with whatever digest."""
        mark = re.escape(self.mark(called)[:-1])
        return re.search(rf"{mark}( [0-9a-f]{{12}})?\]$", description.strip()) is not None
