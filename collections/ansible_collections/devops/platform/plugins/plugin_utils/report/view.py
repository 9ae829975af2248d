# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the page says of a story: headline, numbers, rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.devops.platform.plugins.module_utils.rollout.state import SOUND
from ansible_collections.devops.platform.plugins.module_utils.rollout.steps import standing
from ansible_collections.devops.platform.plugins.plugin_utils.report.chart import Chart, chart
from ansible_collections.devops.platform.plugins.plugin_utils.report.diffs import Difference, grouped
from ansible_collections.devops.platform.plugins.plugin_utils.report.scale import Scale
from ansible_collections.devops.platform.plugins.plugin_utils.report.story import Gate, Lane, Span, Story
from ansible_collections.devops.platform.plugins.plugin_utils.report.words import duration, moment

# result -> (tone, icon, words, what that means)
HEADLINES = {
    "done": ("ok", "check", "Done", "Every host that had to change is changed."),
    "unchanged": ("idle", "dash", "Nothing to do", "Every host was as declared already."),
    "reversed": ("back", "back", "Taken back", "Every changed host is as it was before."),
    "incomplete": ("bad", "cross", "Not fully taken back", "Some of it is not as it was before; see below."),
    "": ("warn", "alert", "Unfinished", "The journal has no end: it is still under way, or its controller died."),
}
SPANS = {"drained": "out of service", "change": "changing", "undo": "taking back", "proof": "proving"}
NARROW = 0.4  # per cent; what took no time is seen, too
SHOWN = 3  # hosts that are named before the number of the others


@dataclass(frozen=True)
class Earlier:
    """A rollout that one can go back to."""

    id: str
    at: float
    kind: str = "rollout"


@dataclass
class Bar:
    """A span on the axis, in per cent."""

    kind: str
    status: str
    x: float
    width: float
    label: str
    words: str


@dataclass
class Row:
    lane: Lane
    tone: str
    icon: str
    status: str
    bars: list[Bar]
    words: str


@dataclass
class Section:
    """A wave. ``proof``: (tone, icon, words)."""

    number: int
    rows: list[Row]
    proof: tuple[str, str, str]


@dataclass
class Proof:
    gate: Gate
    title: str
    charts: list[Chart]
    when: str


@dataclass
class View:
    """Everything that the template needs."""

    title: str
    place: str
    id: str
    tone: str
    icon: str
    result: str
    meaning: str
    times: list[tuple[str, str]]
    turned: str
    reason: str
    numbers: list[tuple[str, str, str]]  # (tone, figure, words)
    actions: list[tuple[str, str]]  # (words, command)
    left: dict[str, str]
    back_to: list[tuple[str, str, str]]  # (id, words, command)
    sections: list[Section]
    same: list[str]
    ticks: list[tuple[float, str]]
    bands: list[tuple[float, float, str, str]]
    breaks: list[tuple[float, float, str]]
    columns: list[str]
    proofs: list[Proof]
    diffs: list[Difference]
    failures: list[tuple[str, str, str, str]]
    course: list[tuple[str, str, str]]
    passed_over: int = 0
    legend: list[tuple[str, str]] = field(default_factory=lambda: list(SPANS.items()))


def view(story: Story, earlier: Sequence[Earlier], command: str) -> View:
    state = story.state
    begin = state.begin
    tone, icon, result, meaning = HEADLINES.get(state.result, HEADLINES[""])
    if not state.result and not state.waves:
        result, meaning = "Not begun", "It ended before a host was changed."
    kind = str(begin.get("kind") or "rollout")
    to = f" to {begin['to']}" if begin.get("to") else f" to before {begin['undo']}" if begin.get("undo") else ""
    scale = Scale(story.runs)
    sections = _sections(story, scale)
    return View(
        title=f"{kind.capitalize()} of {begin.get('target') or 'an unknown target'}{to}",
        place=" \N{MIDDLE DOT} ".join(str(begin[key]) for key in ("platform", "environment") if begin.get(key)),
        id=str(begin.get("id") or ""),
        tone=tone,
        icon=icon,
        result=result,
        meaning=meaning,
        times=_times(story),
        turned=_turned(story),
        reason="" if state.reason == "interrupted" else state.reason,
        numbers=_numbers(story),
        actions=_actions(story, command),
        left=story.left,
        back_to=_back_to(story, earlier, command),
        sections=sections,
        same=_same(story),
        ticks=[(scale.x(at), moment(at, date=False)) for at in scale.ticks()],
        bands=[_band(gate, scale) for gate in story.gates],
        breaks=[(x, width, duration(seconds)) for x, width, seconds in scale.breaks()],
        columns=sorted({name for lane in story.lanes.values() for name in lane.parts}),
        proofs=[_proof(gate) for gate in story.gates],
        diffs=grouped({host: lane.diff for host, lane in _ordered(story) if lane.diff}),
        failures=_failures(story),
        course=[(moment(at, date=False), kind, words) for at, kind, words in story.course],
        passed_over=story.passed_over,
    )


def named(hosts: Sequence[str]) -> str:
    """``app1, app2, app3 and 9 more``."""
    if len(hosts) <= SHOWN + 1:
        return ", ".join(hosts)
    return f"{', '.join(hosts[:SHOWN])} and {len(hosts) - SHOWN} more"


def _ordered(story: Story) -> list[tuple[str, Lane]]:
    return [(host, story.lanes[host]) for host in map(str, story.state.order) if host in story.lanes]


def _times(story: Story) -> list[tuple[str, str]]:
    if not story.runs:
        return []
    times = [("Began", moment(story.start)), ("Ended" if story.state.result else "Last word", moment(story.end))]
    if len(story.runs) > 1:
        whole = duration(story.end - story.start)
        times.append(("Took", f"{duration(story.seconds)} at work, in {len(story.runs)} runs within {whole}"))
    else:
        times.append(("Took", duration(story.seconds)))
    return times


def _turned(story: Story) -> str:
    if not story.turned:
        return ""
    place = f" in wave {story.turned_wave} of {len(story.state.waves)}" if story.turned_wave else ""
    who = "by " + {"SIGINT": "Ctrl-C (SIGINT)"}.get(story.signal, story.signal) if story.signal else ""
    if who:
        return f"Interrupted {who} at {moment(story.turned, date=False)} UTC{place}."
    return f"Turned back at {moment(story.turned, date=False)} UTC{place}:"


def _numbers(story: Story) -> list[tuple[str, str, str]]:
    state = story.state
    touched = [host for host in state.order if state.hosts[host].touched]
    back = [host for host in touched if state.hosts[host].undone in SOUND]
    failed = {one.where for one in story.failures} & set(state.order)
    objectives = [one for gate in story.gates for one in gate.objectives]
    breached = sum(one.get("verdict") == "failed" for one in objectives)
    passed = sum(one.get("verdict") == "passed" for one in objectives)
    half = any(state.hosts[host].status != "changed" for host in touched)
    numbers = [
        ("", f"{len(touched)} of {len(state.order)}", "hosts changed, or begun" if half else "hosts changed"),
        ("", str(len(state.order) - len(touched)), "never touched"),
        ("bad" if failed else "", str(len(failed)), "failed or not reached"),
    ]
    if state.reverse:
        numbers.append(("back", f"{len(back)} of {len(touched)}", "taken back"))
    if state.prove:
        numbers.append(("", f"{len(state.proved)} of {len(state.waves)}", "waves proved"))
    if objectives:
        numbers.append(("bad" if breached else "", f"{passed} of {passed + breached}", "gate objectives met"))
    return numbers if state.order else []


def _actions(story: Story, command: str) -> list[tuple[str, str]]:
    state = story.state
    resume = f"{command} playbooks/rollout.yml -e resume={state.begin.get('id')}"
    if state.result == "incomplete":
        return [("Once what failed is reachable and mended", f"{resume} -e reverse=true")]
    if not state.unfinished or not state.begin.get("id"):
        return []
    if state.reverse:
        return [(f"It is not over ({standing(state)}). Take back the rest", f"{resume} -e reverse=true")]
    return [
        (f"If no one is at work on it ({standing(state)}): go on", resume),
        ("or take it back", f"{resume} -e reverse=true"),
    ]


def _same(story: Story) -> list[str]:
    """Hosts that needed no change; known only where all of them said so."""
    state = story.state
    known = state.waves or state.result == "unchanged"
    return sorted({str(host) for host in state.begin.get("hosts") or ()} - set(state.order)) if known else []


def _failures(story: Story) -> list[tuple[str, str, str, str]]:
    """(when, where, what, message), the same message of a host once, and not again what the headline says."""
    found: dict[tuple[str, str], tuple[float, list[str]]] = {}
    for one in story.failures:
        if one.message != story.state.reason:
            found.setdefault((one.where, one.message), (one.at, []))[1].append(one.what)
    return [
        (moment(at, date=False), where, ", ".join(dict.fromkeys(what)), message)
        for (where, message), (at, what) in found.items()
    ]


def _back_to(story: Story, earlier: Sequence[Earlier], command: str) -> list[tuple[str, str, str]]:
    begin = story.state.begin
    own = [Earlier(str(begin.get("id")), story.end)] if story.state.result == "done" else []
    found = []
    for one in [*own, *earlier]:
        words = "what this rollout left" if one in own else f"what the {one.kind} of {moment(one.at)} left"
        found.append((one.id, words, f"{command} playbooks/rollback.yml -e to={one.id}"))
    return found


def _sections(story: Story, scale: Scale) -> list[Section]:
    found = []
    for number, wave in enumerate(story.state.waves, 1):
        rows = [_row(story, story.lanes[str(host)], scale) for host in wave]
        found.append(Section(number, rows, _proved(story, number)))
    return found


def _proved(story: Story, number: int) -> tuple[str, str, str]:
    gates = [gate for gate in story.gates if gate.wave == number]
    if gates:
        return ("ok", "check", "proved") if gates[-1].passed else ("bad", "cross", "not proved")
    wave = story.state.waves[number - 1]
    if {one.where for one in story.failures} & set(wave):
        return ("bad", "cross", "failed")
    begun = any(story.state.hosts[host].status for host in wave)
    return ("idle", "dash", "no proof" if begun else "never begun")


def _row(story: Story, lane: Lane, scale: Scale) -> Row:
    tone, icon, status = _status(story, lane.host)
    spans = sorted(lane.spans, key=lambda span: list(SPANS).index(span.kind))
    bars = [_bar(span, scale) for span in spans]
    said = "; ".join(bar.words for bar in bars) or "nothing was done here"
    return Row(lane, tone, icon, status, bars, said)


def _status(story: Story, name: str) -> tuple[str, str, str]:
    host = story.state.hosts[name]
    if host.undone in SOUND:
        return ("back", "back", "taken back")
    if host.undone or (host.touched and story.state.result == "incomplete"):
        return ("bad", "cross", "not taken back")
    return {
        "changed": ("ok", "check", "changed"),
        "unchanged": ("ok", "check", "as declared"),
        "": ("idle", "dash", "never touched"),
        "begun": ("warn", "alert", "no answer"),
    }.get(host.status, ("bad", "cross", host.status))


def _bar(span: Span, scale: Scale) -> Bar:
    x, end = scale.x(span.start), scale.x(span.end)
    took = duration(span.end - span.start)
    status = "open" if not span.ended else {"unreachable": "failed"}.get(span.status, span.status)
    how = f", {span.status}" if span.status in ("failed", "unreachable") else ""
    how = how if span.ended else ", and no end is known"
    words = f"{SPANS[span.kind]} from {moment(span.start, date=False)} for {took}{how}"
    width = round(max(NARROW, end - x), 3)
    x = min(x, 100 - width)
    return Bar(span.kind, status, x, width, took if width > 7 and span.kind in ("change", "undo") else "", words)


def _band(gate: Gate, scale: Scale) -> tuple[float, float, str, str]:
    x = scale.x(gate.start)
    words = f"{_gate_name(gate)}: {'passed' if gate.passed else 'failed'}, {duration(gate.end - gate.start)}"
    return (x, round(max(0.0, scale.x(gate.end) - x), 3), "ok" if gate.passed else "bad", words)


def _gate_name(gate: Gate) -> str:
    return f"Proof of wave {gate.wave}" if gate.wave else "Proof of the old state"


def _proof(gate: Gate) -> Proof:
    when = f"{moment(gate.start, date=False)} to {moment(gate.end, date=False)} UTC"
    return Proof(gate, _gate_name(gate), [chart(one) for one in gate.objectives], when)
