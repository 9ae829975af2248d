"""A plan in words: how much of what, what is lost with it, line by line where it matters. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.terraform.masking import differences
from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import (
    CHANGE,
    CREATE,
    DESTROY,
    FORGET,
    NOTHING,
    REPLACE,
    Change,
    Plan,
)

# Resources that hold what no second apply brings back: data, keys to data, names that others rely on.
STATEFUL = frozenset(
    {
        "aws_backup_vault",
        "aws_cloudwatch_log_group",
        "aws_db_instance",
        "aws_dynamodb_table",
        "aws_ebs_volume",
        "aws_ecr_repository",
        "aws_efs_file_system",
        "aws_eip",
        "aws_eks_cluster",
        "aws_elasticache_replication_group",
        "aws_instance",
        "aws_kms_key",
        "aws_rds_cluster",
        "aws_route53_zone",
        "aws_s3_bucket",
        "aws_s3_object",
        "aws_secretsmanager_secret",
    }
)
_WORDS = ((CREATE, "to create"), (CHANGE, "to change"), (REPLACE, "TO REPLACE"), (DESTROY, "TO DESTROY"))
_REASONS = {
    "replace_because_tainted": "its last apply broke off",
    "replace_because_cannot_update": "it cannot be changed in place",
    "replace_by_request": "asked for by -replace",
    "replace_by_triggers": "what it depends on is replaced",
    "delete_because_no_resource_config": "the configuration has it no more",
    "delete_because_no_module": "the configuration has its module no more",
    "delete_because_each_key": "its key is gone",
    "delete_because_count_index": "its number is gone",
}


def counts(plan: Plan) -> dict[str, int]:
    """action → resources; each resource is in exactly one of them."""
    found = Counter(change.action for change in plan.changes)
    return {action: found.get(action, 0) for action in (CREATE, CHANGE, REPLACE, DESTROY, FORGET, NOTHING)}


def losses(plan: Plan) -> list[Change]:
    """What is replaced or destroyed although it holds data."""
    return sorted((change for change in plan.of(REPLACE, DESTROY) if change.type in STATEFUL), key=_by_address)


def headline(plan: Plan, name: str) -> str:
    """One line: `dev: 3 to create, 1 to change, 0 TO REPLACE, 0 TO DESTROY`."""
    number = counts(plan)
    said = ", ".join(f"{number[action]} {words}" for action, words in _WORDS)
    if number[FORGET]:
        said += f", {number[FORGET]} to forget (they stay, unmanaged)"
    return f"{name}: {said}" if plan.changes_resources else f"{name}: no changes of resources"


def lines(plan: Plan, name: str) -> list[str]:
    """The whole summary. What is lost comes first and in capitals; what is new, at last and by module."""
    said = [headline(plan, name)]
    said += _losses(plan)
    for action, sign in ((REPLACE, "-/+"), (DESTROY, "-"), (CHANGE, "~"), (FORGET, ".")):
        said += _single(plan.of(action), action, sign)
    said += _created(plan.of(CREATE))
    said += _drift(plan)
    said += _outputs(plan)
    return said


def _losses(plan: Plan) -> list[str]:
    said = []
    for change in losses(plan):
        what = "REPLACED" if change.action == REPLACE else "DESTROYED"
        said.append(f"{what}, AND WHAT IT HOLDS IS LOST: {change.address}{_because(change)}")
    return ["", *said] if said else []


def _single(changes: Iterable[Change], action: str, sign: str) -> list[str]:
    said = []
    for change in sorted(changes, key=_by_address):
        said.append(f"  {sign} {change.address}{_because(change)}")
        if action == CHANGE:
            said += [f"      {path}: {old or '(none)'} → {new or '(none)'}" for path, old, new in differences(change)]
    return ["", f"{action}:", *said] if said else []


def _because(change: Change) -> str:
    if change.forced_by:
        return f", because of {', '.join(change.forced_by)}"
    return f", because {_REASONS[change.reason]}" if change.reason in _REASONS else ""


def _created(changes: list[Change]) -> list[str]:
    """By module, as a first apply has more than a hundred."""
    modules: dict[str, Counter[str]] = {}
    for change in changes:
        modules.setdefault(change.module, Counter())[change.type] += 1
    said = []
    for module in sorted(modules):
        kinds = ", ".join(
            f"{kind} {number}" if number > 1 else kind for kind, number in sorted(modules[module].items())
        )
        said.append(f"  + {module or 'root'} ({sum(modules[module].values())}): {kinds}")
    return ["", "create:", *said] if said else []


def drifted(plan: Plan) -> dict[str, list[tuple[str, str, str]]]:
    """address → (path, was, is) of what others changed and this plan puts right; no rows for what is gone.

    Terraform's own list has all that reads otherwise than after the last apply, such as times and what other resources
    add to this one. Only what the plan acts upon is anybody's doing.
    """
    acts = {change.address: change for change in plan.of(CREATE, CHANGE, REPLACE)}
    found: dict[str, list[tuple[str, str, str]]] = {}
    for change in sorted(plan.drift, key=_by_address):
        if change.action == DESTROY:
            found[change.address] = []
        elif change.address in acts:
            wanted = {path for path, _old, _new in differences(acts[change.address])}
            rows = [row for row in differences(change) if row[0] in wanted]
            if rows:
                found[change.address] = rows
    return found


def _drift(plan: Plan) -> list[str]:
    said = []
    for address, rows in drifted(plan).items():
        said.append(f"  ! {address}" + ("" if rows else ": is gone"))
        said += [f"      {path}: was {old or '(none)'}, is {new or '(none)'}" for path, old, new in rows]
    return ["", "changed by others since the last apply, and put right:", *said] if said else []


def _outputs(plan: Plan) -> list[str]:
    names = [change.address for change in plan.outputs if change.action != NOTHING]
    return ["", f"outputs that change: {', '.join(names)}"] if names else []


def _by_address(change: Change) -> Any:
    return change.address
