"""Whether a plan may be applied: approved by its digest, the state where it was, and for a destruction a second key.

Pure. A refusal says what is wrong and what to run.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import DESTROY, NOTHING, Place, Plan

PLAYBOOK = "ansible-playbook playbooks/infrastructure.yml"
GUARDED = ("prod",)


@dataclass(frozen=True)
class Request:
    """What somebody asks for: an environment, perhaps the approval of a plan, perhaps its destruction."""

    environment: str
    approve: str = ""
    destroy: bool = False
    destroy_key: str = ""

    @property
    def command(self) -> str:
        """The call that plans the same."""
        return f"{PLAYBOOK} -e env={self.environment}" + (f" -e destroy={self.environment}" if self.destroy else "")


@dataclass(frozen=True)
class Verdict:
    """`apply`: go on. Otherwise `said` is why not: `refused` where it is wrong, else where something is still to do."""

    apply: bool
    said: str
    refused: bool = False


def destroy_key(plan: Plan, environment: str) -> str:
    """The second key: who types it has read how much goes."""
    return f"{environment}-{len(plan.of(DESTROY))}"


def decide(plan: Plan, digest: str, planned: Place, current: Place, request: Request) -> Verdict:
    """May this saved plan be applied now?"""
    planned_for = plan.variables.get("environment")
    if planned_for is not None and planned_for != request.environment:
        return Verdict(
            apply=False, refused=True, said=f"the plan is for {planned_for}, not for {request.environment}: plan again"
        )
    protected = _protected(plan, request)
    if protected:
        return Verdict(apply=False, refused=True, said=protected)
    nothing = not plan.changes_resources and all(change.action == NOTHING for change in plan.outputs)
    if nothing and not request.approve:
        return Verdict(apply=False, said=f"{request.environment} is as the configuration says: nothing to approve")
    if not request.approve:
        return Verdict(apply=False, said=_ask(digest, request))
    if request.approve != digest:
        return Verdict(
            apply=False,
            refused=True,
            said=f"approved is {request.approve}, but the saved plan is {digest}: read it, and approve that:\n"
            f"  {_approve(digest, request)}",
        )
    if planned != current:
        return Verdict(apply=False, refused=True, said=_moved(planned, current, request))
    if (
        request.destroy
        and request.environment in GUARDED
        and request.destroy_key != destroy_key(plan, request.environment)
    ):
        return Verdict(
            apply=False,
            refused=True,
            said=f"destroying {request.environment} needs a second key: its name and the number of resources that "
            f"the summary says are destroyed, -e destroy_key={request.environment}-NUMBER",
        )
    return Verdict(apply=True, said=f"approved: {digest}")


def _protected(plan: Plan, request: Request) -> str:
    """AWS refuses to delete what is protected, in the middle of a destruction: refused before it begins."""
    if not (request.destroy and plan.variables.get("protected")):
        return ""
    return (
        f"{request.environment} is protected from deletion. Set protected = false in "
        f"terraform/environments/{request.environment}/terraform.tfvars, apply that, and plan the destruction again"
    )


def _ask(digest: str, request: Request) -> str:
    return f"nothing is changed yet. The plan is {digest}; who approves it, runs:\n  {_approve(digest, request)}"


def _approve(digest: str, request: Request) -> str:
    second = request.destroy and request.environment in GUARDED
    return f"{request.command} -e approve={digest}" + (
        f" -e destroy_key={request.environment}-NUMBER   (NUMBER: how many resources are destroyed)" if second else ""
    )


def _moved(planned: Place, current: Place, request: Request) -> str:
    if planned.lineage and planned.lineage != current.lineage:
        what = f"the state is another one ({current.lineage or 'none'}, planned on {planned.lineage})"
    else:
        what = f"the state was written since (it is number {current.serial}, planned on {planned.serial})"
    return f"{what}: what was approved is not what would happen now. Plan again, and approve that:\n  {request.command}"
