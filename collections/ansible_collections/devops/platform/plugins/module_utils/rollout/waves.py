# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which hosts of a rollout are changed together, and which of them leave the edge for that. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Union

Size = Union[int, str]


@dataclass(frozen=True)
class Batch:
    """Hosts that are changed at the same time.

    ``number``: from 1, over all waves; ``wave`` from 1 of ``waves``; ``drain``: those of ``hosts`` that leave the edge
    meanwhile; ``last``: the wave is proved after it.
    """

    number: int
    wave: int
    waves: int
    hosts: tuple[str, ...]
    drain: tuple[str, ...]
    last: bool

    def data(self) -> dict[str, Any]:
        return {**asdict(self), "hosts": list(self.hosts), "drain": list(self.drain)}


def hosts_of(size: Size, total: int) -> int:
    """How many of ``total`` hosts a size means: a share is rounded up, and never more than all."""
    if isinstance(size, int):
        return min(size, total)
    share = int(size.rstrip("%"))
    return -(-total * share // 100)


def split(hosts: Sequence[str], waves: Sequence[Size]) -> list[list[str]]:
    """The hosts of each wave, in their order. Sizes count from the first host on: [1, "10%"] of 20 hosts is 1, then 1.

    Waves without a host of their own are left out; what the last size leaves over is a wave as well.
    """
    parts: list[list[str]] = []
    done = 0
    for size in [*waves, "100%"]:
        reached = max(done, hosts_of(size, len(hosts)))
        if reached > done:
            parts.append(list(hosts[done:reached]))
        done = reached
    return parts


def batches(
    waves: Sequence[Sequence[str]], parallel: Size, upstreams: Mapping[str, Sequence[str]], new: Sequence[str] = ()
) -> list[Batch]:
    """The waves in steps of at most ``parallel`` hosts.

    A share counts hosts of the whole rollout. ``upstreams``: name -> hosts that the edge sends requests to. Of each at
    least one stays in service: a step is shorter where it would take the last one out, and a host that is the only one
    is changed in service. ``new``: hosts that nobody is sent to yet, so that they can neither leave nor stand in.
    """
    limit = max(1, hosts_of(parallel, sum(len(wave) for wave in waves)))
    serving = {name: [host for host in hosts if host not in new] for name, hosts in upstreams.items()}
    result: list[Batch] = []
    for number, wave in enumerate(waves, 1):
        steps = _steps(wave, limit, serving)
        for hosts in steps:
            drained = tuple(host for host in hosts if _can_leave(host, serving))
            last = hosts is steps[-1]
            result.append(Batch(len(result) + 1, number, len(waves), tuple(hosts), drained, last))
    return result


def _can_leave(host: str, serving: Mapping[str, Sequence[str]]) -> bool:
    """Whether the edge sends requests to a host and has another one for each upstream of it."""
    of_host = [hosts for hosts in serving.values() if host in hosts]
    return bool(of_host) and all(len(hosts) > 1 for hosts in of_host)


def _steps(wave: Sequence[str], limit: int, serving: Mapping[str, Sequence[str]]) -> list[list[str]]:
    steps: list[list[str]] = []
    current: list[str] = []
    for host in wave:
        tried = {*current, host}
        empties = any(host in hosts and len(hosts) > 1 and tried >= set(hosts) for hosts in serving.values())
        if current and (len(current) == limit or empties):
            steps.append(current)
            current = []
        current.append(host)
    return [*steps, current] if current else steps
