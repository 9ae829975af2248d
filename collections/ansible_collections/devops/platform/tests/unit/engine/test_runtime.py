"""What systemd is told when a unit goes."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.devops.platform.plugins.module_utils.engine.host import Host, tail
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


TRACE = """
java.lang.IllegalArgumentException: unknown setting [no.such.setting]
\tat org.elasticsearch.server@8.15.0/org.elasticsearch.node.Node.<init>(Node.java:192)
\tat org.elasticsearch.server@8.15.0/org.elasticsearch.bootstrap.Elasticsearch.main(Elasticsearch.java:76)
\t... 12 more
ERROR: Elasticsearch died while starting up, with exit code 1
"""


def test_a_stack_trace_does_not_push_the_reason_out():
    assert tail(TRACE, 2).splitlines() == [
        "java.lang.IllegalArgumentException: unknown setting [no.such.setting]",
        "ERROR: Elasticsearch died while starting up, with exit code 1",
    ]
    assert (
        tail("web-1  |     at Server.listen (node:net:1898:7)\nweb-1  | look at it\n at noon")
        == "web-1  | look at it\n at noon"
    )


def test_other_indented_lines_stay():
    assert tail("first\n  attempt 3 failed\n  more\n") == "first\n  attempt 3 failed\n  more"
