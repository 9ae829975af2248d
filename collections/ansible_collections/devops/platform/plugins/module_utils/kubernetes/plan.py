# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wanted beside what is remembered and what is there: the plan. Pure.

A plan has ground (what pods need before they start), courses (the workloads, side by side), what comes after them, and
what is pruned when all of it has proved itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import strategies
from .ledger import Ledger, Revision
from .objects import (
    KEPT,
    MANAGER,
    OWNER,
    Manifest,
    Object,
    Ref,
    application_of,
    changed,
    in_order,
    is_workload,
    labels,
    metadata,
    named,
    order,
    ref,
    replicas,
    selects,
    spec,
    template,
    without,
)
from .strategies import Course, Former, Settings, StrategyError, blue_green

AFTER = 50  # kinds from this order on come after the workloads
# What the API server refuses to change in a StatefulSet.
FIXED = ("serviceName", "podManagementPolicy", "volumeClaimTemplates", "selector")


class PlanError(ValueError):
    """What cannot be; one line each in `problems`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class Wanted:
    """What the caller asks for, normal."""

    application: str
    namespace: str
    declared: tuple[Manifest, ...]
    strategies: Mapping[str, Any] = field(default_factory=dict)
    prune: bool = True


@dataclass(frozen=True)
class Plan:
    """`concrete`: all that there is when it is done; `before`: what was there and was nobody's that we know."""

    ground: tuple[Manifest, ...]
    jobs: tuple[Course, ...]
    courses: tuple[Course, ...]
    after: tuple[Manifest, ...]
    prune: tuple[Ref, ...]
    left: tuple[Ref, ...]
    concrete: Mapping[Ref, Manifest]
    colours: Mapping[str, str]
    before: Mapping[Ref, Manifest]

    @property
    def transient(self) -> tuple[Ref, ...]:
        return tuple(one for course in self.courses for one in course.transient)

    def revision(self, rollout: str, wanted: Wanted, at: int) -> Revision:
        return Revision(rollout, wanted.declared, wanted.strategies, self.concrete, self.colours, at)


def wanted_refs(wanted: Wanted, ledger: Ledger) -> set[Ref]:
    """Every object that the plan has to know: wanted now or before, in each colour."""
    found = {ref(item) for item in wanted.declared}
    for revision in (ledger.head, ledger.pending.revision if ledger.pending else None):
        found |= set(revision.concrete) if revision else set()
    if ledger.pending:
        found |= set(ledger.pending.transient)
    for item in wanted.declared:
        if ref(item).kind == "Deployment" and is_workload(ref(item)):
            name = str(metadata(item)["name"])
            kind = str((wanted.strategies.get(name) or {}).get("type", ""))
            more = {"blue_green": blue_green.COLOURS, "canary": ("canary",)}.get(kind, ())
            found |= {ref(named(item, f"{name}-{each}")) for each in more}
    return found


def stripped(live: Object) -> Manifest:
    """A foreign object as it was, to be put back."""
    about = metadata(live)
    kept = {key: about[key] for key in ("name", "namespace", "labels", "annotations") if key in about}
    result = {key: value for key, value in live.items() if key not in ("status", "metadata")}
    return {**result, "metadata": kept}


def owns_replicas(live: Object) -> bool:
    """Whether the number of replicas is ours: it would fall to 1 if we left it out."""
    return any(
        entry.get("manager") == MANAGER and "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
        for entry in metadata(live).get("managedFields") or []
    )


def scaled(declared: Iterable[Manifest], live: Mapping[Ref, Object]) -> list[Manifest]:
    """Workloads that an autoscaler scales have the number of pods that it gave them."""
    items = list(declared)
    targets: dict[tuple[str, str], Manifest] = {}
    for item in items:
        if item.get("kind") == "HorizontalPodAutoscaler":
            target = spec(item).get("scaleTargetRef") or {}
            targets[(str(target.get("kind")), str(target.get("name")))] = item
    result = []
    for item in items:
        scaler = targets.get((str(item.get("kind")), str(metadata(item).get("name"))))
        there = live.get(ref(item))
        if scaler is None or not is_workload(ref(item)):
            result.append(item)
        elif there is None:
            result.append(changed(item, ("spec", "replicas"), int(spec(scaler).get("minReplicas") or 1)))
        elif owns_replicas(there):
            result.append(changed(item, ("spec", "replicas"), replicas(there)))
        else:
            result.append(without(item, ("spec", "replicas")))
    return result


def plan(wanted: Wanted, ledger: Ledger, live: Mapping[Ref, Object]) -> Plan:
    """The plan, or PlanError with everything that cannot be."""
    problems = _duplicates(wanted)
    declared = scaled(wanted.declared, live)
    workloads = [item for item in declared if is_workload(ref(item))]
    kinds = {str(metadata(item).get("name")): str(item["kind"]) for item in workloads}
    try:
        settings = strategies.parse(wanted.strategies, kinds)
    except StrategyError as error:
        raise PlanError([*problems, *error.problems]) from error
    problems += _foreign(wanted, declared, live)
    problems += _strategies(declared, workloads, settings)
    if problems:
        raise PlanError(problems)
    head = ledger.head
    recorded = dict(head.concrete) if head else {}
    # What was there before us is what a first rollout goes back to. Also what bears our label although no ledger knows
    # it: without one, going back must not be deleting.
    came = set(ledger.pending.came) if ledger.pending else set()
    mine = {ref(one) for one in declared}
    before = {
        which: stripped(item)
        for which, item in live.items()
        if which in mine and which not in recorded and which not in came
    }
    if ledger.pending:
        before = {**before, **ledger.pending.before}
    old = {**before, **recorded}
    drafts = _Drafts(declared, workloads, settings, old, dict(head.colours) if head else {})
    courses = [drafts.course(item) for item in workloads]
    problems = [line for course in courses for line in _immutable(course, live)]
    if problems:
        raise PlanError(problems)
    switched = {ref(item) for one in drafts.switches.values() for item in one}
    rest = [drafts.services.get(ref(item), item) for item in declared if not is_workload(ref(item))]
    jobs = [_job(item, recorded) for item in rest if ref(item).kind == "Job"]
    plain = in_order(item for item in rest if ref(item).kind != "Job")
    concrete = {ref(item): dict(item) for item in (*rest, *(one for course in courses for one in course.concrete))}
    gone, left = _prunable(wanted, ledger, concrete, live)
    return Plan(
        ground=tuple(dict(one) for one in plain if order(ref(one))[0] < AFTER and ref(one) not in switched),
        jobs=tuple(jobs),
        courses=tuple(courses),
        after=tuple(dict(one) for one in plain if order(ref(one))[0] >= AFTER),
        prune=gone,
        left=left,
        concrete=concrete,
        colours={course.workload.name: course.colour for course in courses if course.colour},
        before=before,
    )


class _Drafts:
    """Workloads with the Services that lead to them."""

    def __init__(
        self,
        declared: Sequence[Manifest],
        workloads: Sequence[Manifest],
        settings: Mapping[str, Settings],
        old: Mapping[Ref, Manifest],
        colours: Mapping[str, str],
    ) -> None:
        self.settings, self.old, self.colours = settings, old, colours
        self.services: dict[Ref, Manifest] = {}
        self.switches: dict[Ref, list[Manifest]] = {}
        for service in (item for item in declared if item.get("kind") == "Service"):
            leads_to = next((item for item in workloads if leads(service, item)), None)
            if leads_to is None:
                continue
            new = service
            if self.setting(leads_to).type == "blue_green":
                new = blue_green.led(service, blue_green.colour_for(leads_to, self.former(leads_to)))
            self.services[ref(service)] = new
            before = old.get(ref(service))
            if before is not None and spec(before).get("selector") != spec(new).get("selector"):
                self.switches.setdefault(ref(leads_to), []).append(new)

    def setting(self, workload: Manifest) -> Settings:
        return self.settings[str(metadata(workload)["name"])]

    def former(self, workload: Manifest, services: Sequence[Manifest] = ()) -> Former:
        name = str(metadata(workload)["name"])
        colour = self.colours.get(name, "")
        names = [f"{name}-{one}" for one in blue_green.COLOURS] if colour else [name]
        found = {one: self.old.get(ref(named(workload, one))) for one in names}
        return Former(
            {one: item for one, item in found.items() if item is not None},
            colour,
            tuple(services),
            tuple(self.old[ref(item)] for item in services),
        )

    def course(self, workload: Manifest) -> Course:
        former = self.former(workload, self.switches.get(ref(workload), ()))
        return strategies.course(workload, former, self.setting(workload))


def leads(service: Object, workload: Object) -> bool:
    return metadata(service).get("namespace") == metadata(workload).get("namespace") and selects(
        spec(service).get("selector") or {}, labels(template(workload))
    )


def _job(item: Manifest, recorded: Mapping[Ref, Manifest]) -> Course:
    """A Job runs once for each description of it: what is done is not done again, and is not taken back."""
    which = ref(item)
    stages = []
    if recorded.get(which) != item:
        first = strategies.Stage("makes room", delete=(which,))
        stages = [first, strategies.Stage("runs", apply=(dict(item),), settled=(which,))]
    return Course(which, "", tuple(stages), (), (dict(item),))


def _duplicates(wanted: Wanted) -> list[str]:
    problems = []
    for which, number in sorted(Counter(ref(item) for item in wanted.declared).items()):
        if number > 1:
            problems.append(f"{which} stands {number} times in the definition; leave one")
        if not which.kind or not which.name:
            problems.append(f"definition: an object has no kind or no metadata.name ({which.kind} {which.name})")
    names = Counter(ref(item).name for item in wanted.declared if is_workload(ref(item)))
    for name, number in sorted(names.items()):
        if number > 1 and len({ref(i) for i in wanted.declared if is_workload(ref(i)) and ref(i).name == name}) > 1:
            problems.append(
                f"{name} is the name of {number} workloads; strategies are given by name, each needs its own"
            )
    return problems


def _foreign(wanted: Wanted, declared: Iterable[Manifest], live: Mapping[Ref, Object]) -> list[str]:
    problems = []
    for item in declared:
        there = live.get(ref(item))
        owner = application_of(there) if there else ""
        if owner and owner != wanted.application:
            problems.append(
                f"{ref(item)} belongs to the application {owner} (label {OWNER}); name it otherwise, or take it out of "
                f"{owner} first"
            )
    return problems


def _strategies(
    declared: Sequence[Manifest], workloads: Sequence[Manifest], settings: Mapping[str, Settings]
) -> list[str]:
    problems = []
    refs = {ref(item) for item in declared}
    for item in workloads:
        which = ref(item)
        kind = settings[which.name].type
        services = [one for one in declared if one.get("kind") == "Service" and leads(one, item)]
        if kind == "blue_green" and not services:
            problems.append(f"{which}: blue_green needs a Service that leads to it, and the definition has none")
        if kind == "blue_green" and any(_scales(one, which) for one in declared):
            problems.append(f"{which}: an autoscaler cannot follow the colours of blue_green; use canary or rolling")
        suffixes = {"blue_green": blue_green.COLOURS, "canary": ("canary",)}.get(kind, ())
        taken = [name for name in (f"{which.name}-{one}" for one in suffixes) if ref(named(item, name)) in refs]
        problems += [f"{which}: {kind} makes a Deployment {name}, and the definition has one" for name in taken]
        for service in services:
            both = [ref(one).name for one in workloads if leads(service, one)]
            if kind == "blue_green" and len(both) > 1:
                problems.append(f"{ref(service)} leads to {', '.join(both)}; with blue_green it must lead to one only")
    return problems


def _scales(item: Object, which: Ref) -> bool:
    target = spec(item).get("scaleTargetRef") or {}
    return item.get("kind") == "HorizontalPodAutoscaler" and target.get("name") == which.name


def _immutable(course: Course, live: Mapping[Ref, Object]) -> list[str]:
    problems = []
    for item in course.concrete:
        there = live.get(ref(item))
        if there is None:
            continue
        new, old = (_labels_selected(one) for one in (item, there))
        if new != old:
            problems.append(
                f"{ref(item)}: its selector is {old}, and would be {new}, which Kubernetes refuses; give the workload "
                "another name, and the old one is pruned when the new one serves"
            )
        if ref(item).kind == "StatefulSet":
            problems += _fixed(item, there)
    return problems


def _labels_selected(item: Object) -> Any:
    return (spec(item).get("selector") or {}).get("matchLabels") or {}


def _fixed(item: Manifest, there: Object) -> list[str]:
    def told(one: Object, key: str) -> Any:
        value = spec(one).get(key)
        if key == "volumeClaimTemplates":  # the server fills in the rest
            return [(metadata(claim).get("name"), spec(claim).get("resources")) for claim in value or []]
        return value

    return [
        f"{ref(item)}: spec.{key} cannot be changed in a StatefulSet; go back to what it was, or make a new one"
        for key in FIXED[:-1]
        if key in spec(item) and told(item, key) != told(there, key)
    ]


def _prunable(
    wanted: Wanted, ledger: Ledger, concrete: Mapping[Ref, Manifest], live: Mapping[Ref, Object]
) -> tuple[tuple[Ref, ...], tuple[Ref, ...]]:
    """What goes, and what is left although nobody wants it any more: only what the ledger and the label call ours."""
    candidates = set(ledger.head.concrete) if ledger.head else set()
    transient: set[Ref] = set()
    if ledger.pending:
        candidates |= set(ledger.pending.revision.concrete)
        transient = set(ledger.pending.transient)
    ours = {
        which
        for which in (candidates | transient) - set(concrete)
        if which in live and application_of(live[which]) == wanted.application
    }
    prunable = {which for which in ours if which.kind not in KEPT and (wanted.prune or which in transient)}
    backwards = sorted(prunable, key=order, reverse=True)
    return tuple(backwards), tuple(sorted(ours - prunable))
