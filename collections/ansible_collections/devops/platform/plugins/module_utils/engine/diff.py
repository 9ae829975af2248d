"""What changes, as a unified diff that holds no secret. Pure."""

from __future__ import annotations

from .masking import Mask, unified
from .plan import Change, Plan

UNKNOWN = b"<hidden: this file is to hold secrets, and what it held before is not known>\n"


def diff_of(plan: Plan, mask: Mask, ours: set[str], back: bool = False) -> str:
    """A unified diff of every changed path, with secrets masked on both sides. `ours`: paths in the ledger.

    `back`: what comes is a kept generation's, of whose secrets only digests are known.
    """
    return "".join(_difference(change, mask, change.path in ours, back) for change in plan.changes)


def _difference(change: Change, mask: Mask, ours: bool, back: bool) -> str:
    head = f"--- {change.path}\n+++ {change.path}\n"
    if change.before.kind == "link" or (change.after and change.after.is_link):
        was = f"link to {change.before.target}" if change.before.kind == "link" else change.before.kind
        return f"{head}-{was}\n+{_becomes(change)}\n"
    if change.action == "set attributes":
        return f"{head}{change.reason}\n"
    content = change.after.content if change.after else b""
    after = mask.hide_former(content) if back else mask.hide(content)
    before = mask.hide_former(change.before.content) if ours else mask.hide(change.before.content)
    # A foreign file that makes room for one with secrets may well have held the same kind: its own are not known.
    if after != content and not ours and before:
        before = UNKNOWN
    return unified(change.path, before, after)


def _becomes(change: Change) -> str:
    if change.after is None:
        return "absent"
    return f"link to {change.after.target}" if change.after.is_link else "file"
