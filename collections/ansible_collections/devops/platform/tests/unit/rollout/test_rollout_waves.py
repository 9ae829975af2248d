"""Which hosts of a rollout are changed together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.rollout.waves import (
    batches,
    hosts_of,
    split,
)

TWELVE = [f"app{number}" for number in range(1, 13)]
SIZES = st.one_of(st.integers(1, 40), st.integers(1, 100).map(lambda share: f"{share}%"))


@pytest.mark.parametrize(
    ("size", "total", "hosts"),
    [(1, 12, 1), (20, 12, 12), ("10%", 12, 2), ("50%", 12, 6), ("100%", 12, 12), ("1%", 1, 1), ("10%", 0, 0)],
)
def test_a_share_is_rounded_up_and_never_more_than_all(size, total, hosts):
    assert hosts_of(size, total) == hosts


@pytest.mark.parametrize(
    ("waves", "sizes"),
    [
        ([1, "10%", "50%", "100%"], [1, 1, 4, 6]),
        (["100%"], [12]),
        ([1], [1, 11]),  # what is left over is a wave
        ([5, 3, "50%"], [5, 1, 6]),  # one that adds no host is none
    ],
)
def test_sizes_count_from_the_first_host(waves, sizes):
    parts = split(TWELVE, waves)
    assert [len(part) for part in parts] == sizes
    assert [host for part in parts for host in part] == TWELVE


def shape(found):
    return [(batch.wave, batch.hosts, batch.drain, batch.last) for batch in found]


def test_a_wave_goes_in_steps_of_the_hosts_that_may_change_at_the_same_time():
    found = batches([["app1"], ["app2", "app3", "app4"]], 2, {"chat": [*TWELVE]})
    assert shape(found) == [
        (1, ("app1",), ("app1",), True),
        (2, ("app2", "app3"), ("app2", "app3"), False),
        (2, ("app4",), ("app4",), True),
    ]


def test_the_last_server_of_an_upstream_stays():
    found = batches([["app1", "app2"]], "100%", {"chat": ["app1", "app2"]})
    assert shape(found) == [(1, ("app1",), ("app1",), False), (1, ("app2",), ("app2",), True)]


def test_an_only_server_is_changed_in_service():
    assert shape(batches([["app1"]], 1, {"chat": ["app1"]})) == [(1, ("app1",), (), True)]


def test_hosts_that_nobody_is_sent_to_do_not_leave_and_do_not_stand_in():
    found = batches([["app1", "app2", "db1"]], 3, {"chat": ["app1", "app2"]}, new=["app2"])
    assert shape(found) == [(1, ("app1", "app2", "db1"), (), True)]


@given(
    hosts=st.integers(0, 60).map(lambda number: [f"h{index}" for index in range(number)]),
    waves=st.lists(SIZES, min_size=1, max_size=6),
    parallel=SIZES,
    serving=st.sets(st.integers(0, 60)),
    new=st.sets(st.integers(0, 60)),
)
def test_every_host_has_its_turn_once_and_somebody_always_serves(hosts, waves, parallel, serving, new):
    upstream = [host for index, host in enumerate(hosts) if index in serving]
    fresh = [host for index, host in enumerate(hosts) if index in new]
    parts = split(hosts, waves)
    found = batches(parts, parallel, {"u": upstream}, fresh)
    assert [host for batch in found for host in batch.hosts] == hosts
    assert [batch.number for batch in found] == list(range(1, len(found) + 1))
    assert [batch.wave for batch in found if batch.last] == list(range(1, len(parts) + 1))
    in_service = {host for host in upstream if host not in fresh}
    for batch in found:
        assert len(batch.hosts) <= max(1, hosts_of(parallel, len(hosts)))
        assert set(batch.drain) <= in_service & set(batch.hosts)
        if len(in_service) > 1:
            assert in_service - set(batch.drain)
            assert in_service & set(batch.hosts) == set(batch.drain)
