# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a rollout does next. Pure: the state and the settings in, words and lists of hosts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .settings import Settings
from .state import SOUND, HostState, State
from .waves import Batch, batches, split


class RolloutError(Exception):
    """A rollout that cannot be begun, or went wrong: what, where, why, and what to do."""


def planned_waves(state: State, hosts: Sequence[str], settings: Settings) -> list[list[str]]:
    """The hosts that change, in waves. What is as declared already is no part of a rollout.

    RolloutError where a host did not say what would change on it: nothing has been touched then.
    """
    silent = [host for host in hosts if host not in state.hosts or not state.hosts[host].planned]
    if silent:
        raise RolloutError(
            f"no plan of {', '.join(silent)} (see above why); nothing was changed anywhere. Mend that, or leave the "
            f"host out: --limit '!{silent[0]}'"
        )
    return split([host for host in hosts if state.hosts[host].pending], settings.waves)


def refuse_nothing_to_undo(earlier: State, identifier: str) -> None:
    """RolloutError where a rollout left no change of its own on any host."""
    if earlier.result == "done":
        return
    if earlier.unfinished:
        raise RolloutError(
            f"rollout {identifier} has not ended; take it back with playbooks/rollout.yml -e resume={identifier} "
            "-e reverse=true"
        )
    raise RolloutError(
        f"rollout {identifier} left nothing to take back: it ended as '{earlier.result or 'nothing was changed'}'"
    )


def told(waves: Sequence[Sequence[str]]) -> str:
    """Waves in one line."""
    return "; ".join(f"wave {number}: {', '.join(wave)}" for number, wave in enumerate(waves, 1))


def news(step: str, before: State, after: State, batch: Mapping[str, Any]) -> str:
    """What is worth saying of a step between two states; '' where nothing is."""
    parts = []
    if after.reason and not before.reason:
        parts.append(f"turning back: {after.reason}")
    if step == "enter" and (batch.get("back") or not after.reverse):
        parts.append(entering(batch))
    if step == "proved" and batch.get("wave") in after.proved - before.proved:
        parts.append(f"wave {batch['wave']} of {batch['waves']} is proved")
    if step == "turn" and after.reverse:
        hosts = after.to_undo()
        parts.append(f"to be taken back: {', '.join(hosts)}" if hosts else "nothing has to be taken back")
    return "; ".join(parts)


def entering(batch: Mapping[str, Any]) -> str:
    """What begins with a batch. Up to the colon it says where the rollout is."""
    hosts = ", ".join(batch["hosts"])
    if batch.get("back"):
        return f"taking back: {hosts}"
    place = f"wave {batch['wave']} of {batch['waves']}"
    return f"{place}: only its proof is missing" if batch.get("prove_only") else f"{place}: {hosts}"


def remaining(state: State, settings: Settings, upstreams: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """What is left to do of the waves, as batches.

    A wave that was proved is over. One whose hosts are as declared now was changed by a run that died: one host stands
    for it, nothing is changed on it, and the proof is made up for.
    """
    left: list[list[str]] = []
    for number, wave in enumerate(state.waves, 1):
        pending = [host for host in wave if state.hosts[host].pending]
        left.append([] if number in state.proved else pending)
    new = [host for host in state.order if state.hosts[host].new]
    numbers = [number for number, hosts in enumerate(left, 1) if hosts]
    planned = batches([left[number - 1] for number in numbers], settings.parallel, upstreams, new)
    found = [{**batch.data(), "wave": numbers[batch.wave - 1], "waves": len(state.waves)} for batch in planned]
    for number, wave in enumerate(state.waves, 1):
        if number in state.proved or number in numbers or not state.prove:
            continue
        present = [host for host in (*wave, *state.order) if not state.hosts[host].gone]
        carrier = Batch(0, number, len(state.waves), tuple(present[:1]), (), last=True)
        found.append({**carrier.data(), "prove_only": True})
    found.sort(key=lambda batch: (batch["wave"], batch["number"]))
    return [{**batch, "number": number} for number, batch in enumerate(found, 1)]


def backwards(state: State, settings: Settings, upstreams: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """The batches in which hosts are taken back, the last one changed first."""
    hosts = state.to_undo()
    if not hosts:
        return []
    new = [host for host in state.order if state.hosts[host].new]
    return [{**batch.data(), "back": True} for batch in batches([hosts], settings.parallel, upstreams, new)]


def out_of_service(state: State, drained: Sequence[str]) -> list[str]:
    """Hosts that the edge must not send anybody to: those that leave now, the lost ones, and those not there yet."""
    lost = [name for name, host in state.hosts.items() if _lost(host)]
    absent = [name for name in state.order if state.hosts[name].new and not _serves(state.hosts[name])]
    return sorted({*drained, *lost, *absent})


def watched(state: State) -> list[str]:
    """Hosts that a proof is about: those that are changed; after a way back all that there are."""
    if not state.reverse:
        return state.changed()
    return [name for name in state.order if not state.hosts[name].gone and not _lost(state.hosts[name])]


def _lost(host: HostState) -> bool:
    if host.gone:
        return False
    if host.undone:
        return host.undone not in SOUND
    return host.trouble == "unreachable" or host.status == "begun"


def _serves(host: HostState) -> bool:
    return host.gone or (host.changed and not host.undone)


def out_of_turn(state: State, number: int) -> str:
    """Why a batch must not begin now; '' where it is the next one. They have to come one after the other."""
    if number == state.entered + 1:
        return ""
    return f"batch {number} was to begin, and the next one is {state.entered + 1}: this is a mistake of the playbook"


def verdict(state: State, hosts: Sequence[str]) -> str:
    """Why a rollout must not go on after these hosts were changed; '' where it may."""
    if state.interrupted:
        return "interrupted"
    troubled = state.troubled(hosts)
    if not troubled:
        return ""
    return "; ".join(f"{host}: {why}" for host, why in troubled.items())


def unsteered(state: State, out: Sequence[str]) -> str:
    """Why an edge may still send requests to hosts that were to leave it, or none to others; '' where all is well."""
    if state.edge_told(sorted(out)):
        return ""
    deaf = "; ".join(f"{edge}: {why}" for edge, why in state.deaf().items())
    return f"the edge did not take which hosts it is to leave out: {deaf or 'it was not asked to'}"


def proof_words(smoke: Mapping[str, Any], gate: Mapping[str, Any]) -> str:
    """What a wave's proof failed on, '' where it was passed. Both are results of tasks; empty where nobody asked."""
    said = [str(item.get("msg")) for item in smoke.get("results") or () if item.get("failed")]
    reasons = [f"the smoke test failed: {'; '.join(said or [str(smoke.get('msg'))])}"] if _failed(smoke) else []
    if _failed(gate) and not gate.get("objectives"):
        reasons.append(f"the gate could not be asked: {gate.get('msg') or 'no answer'}")
    reasons += [
        f"gate: {objective.get('name')}: {objective.get('reason')}"
        for objective in gate.get("objectives") or ()
        if objective.get("verdict") == "failed"
    ]
    return "; ".join(reasons)


def _failed(result: Mapping[str, Any]) -> bool:
    return bool(result.get("failed") or result.get("unreachable"))


def not_taken_back(state: State) -> dict[str, str]:
    """Host -> why it is not as it was before the rollout."""
    return {host: state.hosts[host].undo_message or state.hosts[host].undone or "not tried" for host in state.to_undo()}


def refusal(state: State, alive: bool, command: str) -> str:
    """Why no other rollout may begin; ``command`` is how ansible-playbook is called here."""
    name, begun = state.begin.get("id"), state.begin.get("target")
    if alive:
        return (
            f"rollout {name} of {begun} is being carried out by process {state.controller.get('pid')}; wait for it, or "
            "stop it with Ctrl-C, which takes it back"
        )
    return (
        f"rollout {name} of {begun} is not finished: {standing(state)}. Nothing else is rolled out before that.\n"
        f"  go on:     {command} playbooks/rollout.yml -e resume={name}\n"
        f"  take back: {command} playbooks/rollout.yml -e resume={name} -e reverse=true"
    )


def standing(state: State) -> str:
    """How far a rollout got, in a few words."""
    changed = len(state.changed())
    total = len(state.order)
    if state.reverse:
        left = len(state.to_undo())
        why = state.reason or "interrupted"
        return f"it turned back ({why}), and {left} of {changed} changed hosts are not taken back"
    return f"{changed} of {total} hosts are changed, {len(state.proved)} of {len(state.waves)} waves proved"


def closing_words(state: State, left: Mapping[str, str], proof: Mapping[str, Any], command: str) -> str:
    """How a rollout that turned back ended. ``left``: host -> why it is not as before."""
    name = state.begin.get("id")
    lines = [f"rollout {name} of {state.begin.get('target')} was stopped: {state.reason}"]
    back = [host for host in state.order if state.hosts[host].undone in SOUND]
    if back:
        lines.append(f"taken back: {', '.join(back)}")
    untouched = [host for host in state.order if not state.hosts[host].touched]
    if untouched:
        lines.append(f"never changed: {', '.join(untouched)}")
    lines += [f"NOT taken back: {host}: {why}" for host, why in left.items()]
    lines += [
        f"NOT as before: {edge} sends nobody to {', '.join(told.out)}"
        for edge, told in state.edges.items()
        if told.out and told.sound
    ]
    lines += [f"NOT as before: {edge}, which the rollout steered by: {why}" for edge, why in state.deaf().items()]
    if proof.get("asked"):
        lines.append(
            "the old state serves: smoke test and gate were passed"
            if proof.get("passed")
            else f"the old state was asked too, and does not serve well: {proof.get('reason')}"
        )
    if left or not state.edge_told([]):
        again = f"{command} playbooks/rollout.yml -e resume={name} -e reverse=true"
        lines.append(f"Once that is reachable and mended: {again}")
        if left:
            lines.append(
                f"A host that is gone for good: take it out of the inventory, then the same. ({', '.join(left)})"
            )
    return "\n".join(lines)
