# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two Deployments side by side, and a Service that leads to one of them. Pure.

The old one is not touched before the new one has proved itself under load: the way back is one write to the Service.
"""

from __future__ import annotations

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import (
    COLOUR,
    Manifest,
    changed,
    metadata,
    named,
    ref,
    spec,
    template,
    template_of,
)

from .course import Course, Former, Stage, restored
from .rolling import prepared
from .settings import Settings

COLOURS = ("blue", "green")


def other(colour: str) -> str:
    return COLOURS[1] if colour == COLOURS[0] else COLOURS[0]


def coloured(declared: Manifest, colour: str, settings: Settings) -> Manifest:
    """The Deployment of one colour, which selects its own pods only."""
    name = f"{metadata(declared)['name']}-{colour}"
    mark = {COLOUR: colour}
    result = named(prepared(declared, settings), name)
    selector = {**((spec(declared).get("selector") or {}).get("matchLabels") or {}), **mark}
    result = changed(result, ("spec", "selector", "matchLabels"), selector)
    pods = {**(metadata(template(declared)).get("labels") or {}), **mark}
    result = changed(result, ("spec", "template", "metadata", "labels"), pods)
    return changed(result, ("metadata", "labels"), {**(metadata(declared).get("labels") or {}), **mark})


def led(service: Manifest, colour: str) -> Manifest:
    """The Service as it leads to one colour."""
    return changed(service, ("spec", "selector"), {**(spec(service).get("selector") or {}), COLOUR: colour})


def colour_for(declared: Manifest, former: Former) -> str:
    """The colour that the new template gets: the other one, but for a template that serves already."""
    if not former.colour:
        return COLOURS[0]
    serving = former.manifests.get(f"{metadata(declared)['name']}-{former.colour}")
    same = serving is not None and template_of(serving) == template_of(declared)
    return former.colour if same else other(former.colour)


def course(declared: Manifest, former: Former, settings: Settings) -> Course:
    """`former.services` lead to the new colour already, see `led`."""
    colour = colour_for(declared, former)
    new = coloured(declared, colour, settings)
    which = ref(new)
    name = str(metadata(declared)["name"])
    forward = [Stage(f"starts {colour}", apply=(new,), settled=(which,), gate=not former.services)]
    if former.services:
        forward.append(Stage(f"leads the Service to {colour}", apply=former.services, settled=(which,), gate=True))
    concrete = [new]
    retire: tuple[Manifest, ...] = ()
    before = former.manifests.get(f"{name}-{other(colour)}")
    if before is not None:
        rest = before if settings.keep else changed(before, ("spec", "replicas"), 0)
        concrete.append(rest)
        retire = (rest,) if rest != before else ()
    return Course(
        ref(declared),
        template_of(new),
        tuple(forward),
        restored(former, (which,)),
        tuple(concrete),
        retire=retire,
        colour=colour,
    )
