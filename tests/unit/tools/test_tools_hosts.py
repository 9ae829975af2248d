"""How Molecule's platforms become batches of the lab's short-lived hosts."""

from __future__ import annotations

from typing import Any

import pytest

from lab.errors import LabError
from tools.hosts import Batch, batches


def test_hosts_of_one_prefix_start_together():
    platforms: list[dict[str, Any]] = [
        {"name": "mol-base-bookworm1", "debian": "12"},
        {"name": "mol-a1", "docker": True},
        {"name": "mol-a2", "docker": True},
    ]
    assert batches(platforms) == [
        Batch("mol-base-bookworm", ("mol-base-bookworm1",), "12", False),
        Batch("mol-a", ("mol-a1", "mol-a2"), "13", True),
    ]


@pytest.mark.parametrize(
    ("platforms", "complaint"),
    [
        ([{"name": "mol"}], "'mol' must end in 1"),
        ([{"name": "mol2"}], "'mol2' must end in 1"),
        ([{"name": "mol1"}, {"name": "mol3"}], "'mol3' must end in 2"),
        ([{"name": "mol1"}, {"name": "mol2", "debian": "12"}], "mol2 differs from mol1"),
    ],
)
def test_what_cannot_be_started_is_refused(platforms, complaint):
    with pytest.raises(LabError, match=complaint):
        batches(platforms)
