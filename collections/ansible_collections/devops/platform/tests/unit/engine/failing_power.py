"""A host that loses power at any of its mutations, as the tests of crashes need it."""

from __future__ import annotations

from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine.host import MUTATIONS
from ansible_collections.devops.platform.tests.unit.engine.fake_packages import FakeHost, FakePackages


class Power(BaseException):
    """The power fails: no `except` of the engine may see it."""


class FailingPower(FakeHost):
    """Loses power before the mutation that a countdown ends at, also between two things that dpkg does."""

    def __init__(self, packages: FakePackages, left: int | None = None) -> None:
        super().__init__(packages)
        self.left = left
        packages.tick = self._tick
        for name in MUTATIONS:
            setattr(self, name, self._guarded(getattr(self, name)))

    def _guarded(self, method: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self._tick()
            return method(*arguments, **named)

        return call

    def _tick(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Power
