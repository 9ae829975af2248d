"""What systemd is told when a unit goes."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.devops.platform.plugins.module_utils.engine.host import Host
from ansible_collections.devops.platform.plugins.module_utils.engine.runtime import SystemdRuntime
from ansible_collections.devops.platform.plugins.module_utils.engine.units import UnitState


class Told:
    """A host that notes what it is told."""

    def __init__(self, exists: bool = True) -> None:
        self.exists, self.told = exists, list[str]()

    def unit(self, _name: str) -> UnitState:
        return UnitState(exists=self.exists)

    def run(self, words: list[str], **_options: Any) -> None:
        self.told.append(" ".join(words))

    def query(self, words: list[str], **_options: Any) -> None:
        self.told.append(" ".join(words))


@pytest.mark.parametrize(
    ("unit", "exists", "told"),
    [
        ("a.service", True, ["stop a.service", "reset-failed a.service", "disable --quiet a.service"]),
        (
            "a.timer",
            True,
            ["stop a.timer", "reset-failed a.timer", "clean --what=state a.timer", "disable --quiet a.timer"],
        ),
        ("a.timer", False, []),
    ],
)
def test_a_unit_that_goes_leaves_nothing(unit: str, exists: bool, told: list[str]) -> None:
    host = Told(exists)
    SystemdRuntime(cast(Host, host), unit).halt()
    assert host.told == [f"systemctl {words}" for words in told]
