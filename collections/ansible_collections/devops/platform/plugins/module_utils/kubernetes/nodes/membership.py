"""Which node makes the cluster, which ones join it, and which are left alone or refused. Pure.

What each node has is seen first; then all of them are decided about together. A second cluster is never made beside
one that a node not looked at may hold: where `--limit` leaves out a control plane, nothing is initialised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

INIT, JOIN, NOTHING, REFUSE = "init", "join", "nothing", "refuse"
CONTROL_PLANE, WORKER = "control_plane", "worker"


@dataclass(frozen=True)
class Seen:
    """What is on a node. `authority` is the digest of the cluster's CA, '' where it is in none.

    `joined`: it has the credentials of a node. `serves`: it has the API server's manifest. `data`: etcd's, or a CA,
    lies there. `attempt`: what a run of ours began and did not end, `init` or `join`.
    """

    joined: bool = False
    serves: bool = False
    authority: str = ""
    data: bool = False
    attempt: str = ""
    version: str = ""  # of the kubelet's program

    @property
    def member(self) -> bool:
        """In a cluster, for good."""
        return self.joined and not self.attempt


@dataclass(frozen=True)
class Step:
    """What a node does. `reset`: first it forgets what a run that died has left. `via`: the control plane node that
    invites it."""

    action: str
    reason: str
    role: str = WORKER
    reset: bool = False
    via: str = ""


def plan(
    control_plane: Sequence[str], workers: Sequence[str], seen: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """`{node: {action, reason, role, reset, via}}` of all nodes that were looked at; `seen` is `{node: its look}`."""
    looks = {str(name): Seen(**_fields(look)) for name, look in seen.items()}
    steps = decide([str(name) for name in control_plane], [str(name) for name in workers], looks)
    return {name: asdict(step) for name, step in steps.items()}


def decide(control_plane: Sequence[str], workers: Sequence[str], looks: Mapping[str, Seen]) -> dict[str, Step]:
    steps: dict[str, Step] = {}
    inviting = [name for name in control_plane if _invites(looks.get(name))]
    unseen = [name for name in control_plane if name not in looks]
    authorities = {look.authority for look in looks.values() if look.member and look.authority}
    maker = ""
    strange = [name for name in control_plane if name in looks and _strange(looks[name])]
    if not any(look.member for look in looks.values()) and not unseen and not strange:
        # One that began goes on: its etcd may be what the others would join.
        begun = [name for name in control_plane if looks[name].attempt == INIT]
        maker = (begun or list(control_plane) or [""])[0]
    for name in [*control_plane, *(worker for worker in workers if worker not in control_plane)]:
        look = looks.get(name)
        if look is None:
            continue
        role = CONTROL_PLANE if name in control_plane else WORKER
        steps[name] = _step(name, role, look, maker, inviting or ([maker] if maker else []), unseen, authorities)
    return steps


def _invites(look: Seen | None) -> bool:
    return look is not None and look.member and look.serves


def _strange(look: Seen) -> bool:
    """Whether it holds what is of a cluster, and is in none."""
    return look.data and not look.member and not look.attempt


def _step(
    name: str,
    role: str,
    look: Seen,
    maker: str,
    inviting: Sequence[str],
    unseen: Sequence[str],
    authorities: set[str],
) -> Step:
    if look.member:
        return _member(role, look, authorities)
    if _strange(look):
        return Step(
            REFUSE,
            "it holds a certificate authority or etcd's data, and is in no cluster: nobody knows whether they are "
            "wanted; run `kubeadm reset` there, or move them away",
            role,
        )
    died = f"a run of `kubeadm {look.attempt}` ended in the midst of it" if look.attempt else ""
    if name == maker:
        return Step(INIT, died or "no node is in a cluster", role, reset=bool(died))
    via = next((other for other in inviting if other != name), "")
    if not via:
        left = f"; not looked at: {', '.join(unseen)}; run without --limit, or with these" if unseen else ""
        return Step(REFUSE, f"no node of the control plane is in the cluster{left}", role)
    return Step(JOIN, died or "it is in no cluster", role, reset=bool(died), via=via)


def _member(role: str, look: Seen, authorities: set[str]) -> Step:
    if len(authorities) > 1:
        shown = ", ".join(sorted(authority[:12] for authority in authorities))
        reason = f"nodes are in {len(authorities)} clusters (authorities {shown}); reset those that do not belong here"
        return Step(REFUSE, reason, role)
    if role == CONTROL_PLANE and not look.serves:
        return Step(REFUSE, "it is a worker of the cluster; drain it, run `kubeadm reset` there, then this again", role)
    if role == WORKER and look.serves:
        return Step(
            REFUSE,
            "it is of the control plane; put it into that group, or take it out of the cluster: drain it, then "
            "`kubeadm reset`",
            role,
        )
    return Step(NOTHING, "it is in the cluster", role)


def refusals(steps: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One line for each node that cannot be brought into the cluster."""
    return [f"{name}: {step['reason']}" for name, step in sorted(steps.items()) if step["action"] == REFUSE]


def _fields(look: Mapping[str, Any]) -> dict[str, Any]:
    return {name: look[name] for name in Seen.__dataclass_fields__ if name in look}
