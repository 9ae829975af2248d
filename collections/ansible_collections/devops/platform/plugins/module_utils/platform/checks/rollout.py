"""What platform.rollout says, beside what can be rolled out and who could be asked how it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.devops.platform.plugins.module_utils.gate.spec import problems
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.rollout.settings import target_of

from .context import Check, Context, Finding


def objectives(context: Context) -> Iterator[Finding]:
    """Objectives that the gate would refuse, or that are for nothing that can be rolled out."""
    listed = context.section("rollout", "gate").get("objectives") or ()
    for number, objective in enumerate(listed):
        if not isinstance(objective, Mapping):
            continue
        path = ("rollout", "gate", "objectives", number)
        stripped = {key: value for key, value in objective.items() if key != "targets"}
        for problem in problems([stripped]):
            yield Finding(path, problem)
        for place, target in enumerate(objective.get("targets") or ()):
            problem = _unknown(context, str(target))
            if problem:
                yield Finding((*path, "targets", place), problem)


def _unknown(context: Context, target: str) -> str:
    try:
        target_of(context.platform, target, context.inventory.groups)
    except PlatformError as error:
        return str(error)
    return ""


def prometheus(context: Context) -> Iterator[Finding]:
    """A gate without anybody to ask."""
    if context.section("rollout", "gate") and not context.section("monitoring", "prometheus"):
        text = "asks Prometheus, and there is none; add platform.monitoring.prometheus, or take the gate away"
        yield Finding(("rollout", "gate"), text)


CHECKS: tuple[Check, ...] = (objectives, prometheus)
