# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a rollout stands, from the events of its journal. Pure: the same events, the same state.

Events: ``begin``, ``resume``, ``planned`` (a host), ``waves``, ``enter`` and ``left`` (a batch), ``edge``, ``change``
(a host: begun, then how it ended), ``proof`` (a wave), ``interrupted``, ``stop``, ``undo`` (a host), ``end``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .journal import OVER

# How the change of a host, or the taking back of it, can end well. The other ends are failed and unreachable; `begun`
# without an end is what a lost connection or a killed controller leaves behind.
SOUND = ("changed", "unchanged")


@dataclass
class HostState:
    """What is known of one host.

    ``new``: nothing of the target was there before. ``dirty``: a change was begun that did not end well. ``trouble``:
    failed, unreachable or ''. ``undone``: how taking it back ended, '' where nobody tried. ``gone``: no longer in the
    inventory when the rollout was resumed.
    """

    planned: bool = False
    pending: bool = False
    new: bool = False
    open: bool = False
    seen: bool = False
    changed: bool = False
    dirty: bool = False
    trouble: str = ""
    message: str = ""
    undone: str = ""
    undo_message: str = ""
    gone: bool = False
    components: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> str:
        if self.trouble:
            return self.trouble
        if self.open:
            return "begun"
        if self.changed:
            return "changed"
        return "unchanged" if self.seen else ""

    @property
    def touched(self) -> bool:
        """Whether something may be other on it than before the rollout."""
        return self.changed or self.dirty


@dataclass(frozen=True)
class EdgeState:
    """What an edge was told last. ``sound``: it took it; ``out``: hosts that it was to send nobody to."""

    sound: bool
    out: list[str]
    message: str = ""


@dataclass
class State:
    """A rollout. ``waves``: lists of hosts, empty until it is planned; ``reason``: why it turned back.

    ``entered``: number of the batch begun last, since the waves or the way back were planned.
    """

    begin: dict[str, Any] = field(default_factory=dict)
    controller: dict[str, Any] = field(default_factory=dict)
    hosts: dict[str, HostState] = field(default_factory=dict)
    waves: list[list[str]] = field(default_factory=list)
    prove: bool = False
    proved: set[int] = field(default_factory=set)
    restored: dict[str, Any] = field(default_factory=dict)
    edges: dict[str, EdgeState] = field(default_factory=dict)
    entered: int = 0
    reason: str = ""
    interrupted: bool = False
    result: str = ""
    ended: float = 0.0

    @property
    def reverse(self) -> bool:
        return bool(self.reason) or self.interrupted

    @property
    def unfinished(self) -> bool:
        """Whether hosts may be changed and nobody said that this is over."""
        return bool(self.waves) and self.result not in OVER

    @property
    def order(self) -> list[str]:
        return [host for wave in self.waves for host in wave]

    def troubled(self, hosts: Iterable[str]) -> dict[str, str]:
        """Host -> what is wrong, for those of ``hosts`` whose change did not end well."""
        return {host: words(self.hosts[host]) for host in hosts if self.hosts[host].status not in SOUND}

    def to_undo(self) -> list[str]:
        """Hosts that are to be taken back still, the last one changed first."""
        return [
            host
            for host in reversed(self.order)
            if self.hosts[host].touched and self.hosts[host].undone not in SOUND and not self.hosts[host].gone
        ]

    def edge_told(self, out: list[str]) -> bool:
        """Whether every edge is known to send nobody to these hosts, and to all others."""
        if not self.edges:
            return not out
        return all(edge.sound and edge.out == out for edge in self.edges.values())

    def deaf(self) -> dict[str, str]:
        """Edge -> why it did not take what it was told last."""
        return {name: edge.message or "no answer" for name, edge in self.edges.items() if not edge.sound}

    def parts(self) -> list[str]:
        """Names of the components that the rollout is of."""
        names = {str(part["name"]) for host in self.hosts.values() for part in host.components}
        return sorted(names - {"packages"})

    def changed(self) -> list[str]:
        return [host for host in self.order if self.hosts[host].status == "changed"]

    def waiting(self) -> list[str]:
        """Hosts that the rollout has not come to."""
        return [host for host in self.order if not self.hosts[host].status]


def words(host: HostState) -> str:
    """Why a host's change counts as failed."""
    if host.message:
        return host.message
    return "no answer came back" if host.status == "begun" else "it was not changed"


def fold(events: Iterable[Mapping[str, Any]]) -> State:
    """The state that a journal's events lead to. Events of a later version that nobody knows here are passed over."""
    state = State()
    for event in events:
        step = _STEPS.get(str(event.get("event")))
        if step:
            step(state, event)
    return state


def _host(state: State, event: Mapping[str, Any]) -> HostState:
    return state.hosts.setdefault(str(event["host"]), HostState())


def _begin(state: State, event: Mapping[str, Any]) -> None:
    state.begin = dict(event)
    state.controller = dict(event.get("controller") or {})


def _resume(state: State, event: Mapping[str, Any]) -> None:
    state.controller = dict(event.get("controller") or {})
    state.interrupted = False
    state.result = ""
    state.entered = 0
    if event.get("how") == "reverse":
        state.reason = state.reason or str(event.get("reason") or "taken back on request")
    for name in event.get("gone") or ():
        state.hosts[str(name)].gone = True
    for host in state.hosts.values():
        host.planned, host.pending, host.open, host.trouble, host.message = False, False, False, "", ""
        host.seen = host.changed
        if host.undone not in SOUND:
            host.undone = ""


def _planned(state: State, event: Mapping[str, Any]) -> None:
    host = _host(state, event)
    if str(event.get("status", "unchanged")) not in SOUND:
        host.planned = False  # it was lost meanwhile, and nobody knows what would change on it
        return
    components = list(event.get("components") or [])
    if not host.planned:
        host.components = []
    host.planned = True
    host.components += components
    host.pending = any(component.get("changed") for component in host.components)
    parts = [component for component in host.components if "previous" in component]
    if not host.touched:
        host.new = bool(parts) and not any(component["previous"] for component in parts)


def _waves(state: State, event: Mapping[str, Any]) -> None:
    state.waves = [list(wave) for wave in event["waves"]]
    state.prove = bool(event.get("prove"))
    for name in state.order:
        state.hosts.setdefault(name, HostState())


def _change(state: State, event: Mapping[str, Any]) -> None:
    """A host has one such pair for each of the target's tasks: begun, and how that ended."""
    host = _host(state, event)
    status = str(event["status"])
    host.seen, host.open = True, status == "begun"
    if status == "begun":
        host.dirty = True
    elif status in SOUND:
        host.changed = host.changed or status == "changed"
        host.dirty = bool(host.trouble)
    else:
        host.trouble, host.message = status, str(event.get("message") or "")


def _enter(state: State, event: Mapping[str, Any]) -> None:
    state.entered = int(event.get("number") or 0)


def _edge(state: State, event: Mapping[str, Any]) -> None:
    state.edges[str(event.get("host"))] = EdgeState(
        event.get("status") in SOUND, sorted(event.get("out") or []), str(event.get("message") or "")
    )


def _proof(state: State, event: Mapping[str, Any]) -> None:
    if event.get("wave"):
        if event.get("passed"):
            state.proved.add(int(event["wave"]))
    else:
        state.restored = dict(event)


def _interrupted(state: State, _event: Mapping[str, Any]) -> None:
    state.interrupted = True


def _stop(state: State, event: Mapping[str, Any]) -> None:
    state.entered = 0
    state.reason = state.reason or str(event.get("reason") or "stopped")


def _undo(state: State, event: Mapping[str, Any]) -> None:
    host = _host(state, event)
    host.undone = str(event["status"])
    host.undo_message = str(event.get("message") or "")


def _end(state: State, event: Mapping[str, Any]) -> None:
    state.result = str(event["result"])
    state.ended = float(event.get("at") or 0)


_STEPS = {
    "begin": _begin,
    "resume": _resume,
    "planned": _planned,
    "waves": _waves,
    "enter": _enter,
    "change": _change,
    "edge": _edge,
    "proof": _proof,
    "interrupted": _interrupted,
    "stop": _stop,
    "undo": _undo,
    "end": _end,
}
