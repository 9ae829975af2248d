"""What a cluster has before anything runs in it: does it fit together?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.quantity import quantity
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.resources import LIMITS
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import KeyPath
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

from .context import Check, Context, Finding

NAMESPACES = ("kubernetes", "namespaces")
ROLES = ("kubernetes", "roles")
# A cluster has them without being told.
GIVEN = ("default", "kube-system", "kube-public", "kube-node-lease")
# A quota of this makes the API server refuse containers that do not say it, unless a default says it for them.
DEMANDS = {
    "requests.cpu": ("default_request", "cpu"),
    "requests.memory": ("default_request", "memory"),
    "limits.cpu": ("default", "cpu"),
    "limits.memory": ("default", "memory"),
}


def _each(context: Context) -> Iterator[KeyPath]:
    for name in context.section(*NAMESPACES):
        yield (*NAMESPACES, str(name))


def allowances(context: Context) -> Iterator[Finding]:
    """Allowances of nothing, of two things, and for namespaces that nobody makes."""
    for namespace in _each(context):
        for name in context.section(*map(str, namespace), "allow"):
            path = (*namespace, "allow", str(name))
            given = context.section(*map(str, path))
            if not context.intact(*path):
                continue
            if len([key for key in ("from", "to") if key in given]) != 1:
                yield Finding(path, "needs either 'from', who may come in, or 'to', where pods may go", at_key=True)
            for key in ("from", "to"):
                yield from _peer(context, (*path, key))


def _peer(context: Context, path: KeyPath) -> Iterator[Finding]:
    peer = context.section(*map(str, path))
    if "cidr" in peer and len(peer) > 1:
        yield Finding((*path, "cidr"), "addresses are no pods; make an allowance of each")
    known = {str(name) for name in context.section(*NAMESPACES)} | set(GIVEN)
    name = peer.get("namespace")
    if name is not None and str(name) not in known and context.trusted(*NAMESPACES):
        text = f"platform.kubernetes.namespaces has no '{name}'{did_you_mean(str(name), known)}"
        yield Finding((*path, "namespace"), f"{text}; until somebody makes it this allows nothing", severity="warning")


def subjects(context: Context) -> Iterator[Finding]:
    """Roles in namespaces that there are not."""
    if not context.trusted(*NAMESPACES):
        return
    known = {str(name) for name in context.section(*NAMESPACES)}
    for role in context.section(*ROLES):
        for number, name in context.items(*ROLES, str(role), "namespaces"):
            if name not in known:
                text = f"platform.kubernetes.namespaces has no '{name}'{did_you_mean(name, known)}"
                yield Finding((*ROLES, str(role), "namespaces", number), text)
        for number, account in context.items(*ROLES, str(role), "accounts"):
            namespace = account.partition("/")[0]
            if namespace not in known:
                text = f"platform.kubernetes.namespaces has no '{namespace}'{did_you_mean(namespace, known)}"
                yield Finding((*ROLES, str(role), "accounts", number), text)
        given = context.section(*ROLES, str(role))
        if context.intact(*ROLES, str(role)) and not any(given.get(key) for key in ("groups", "users", "accounts")):
            yield Finding((*ROLES, str(role)), "nobody has this role; give it groups, users or accounts", at_key=True)


def limits(context: Context) -> Iterator[Finding]:
    """Limits that contradict each other: the API server would refuse them, or every pod."""
    for namespace in _each(context):
        path = (*namespace, "limits")
        if not context.intact(*path):
            continue
        for low, high in combinations(LIMITS, 2):
            less, more = (context.section(*map(str, path), key) for key in (low, high))
            for resource in ("cpu", "memory"):
                if resource in less and resource in more and quantity(less[resource]) > quantity(more[resource]):
                    text = f"{less[resource]} is more than {high} ({more[resource]}, line "
                    line = context.line((*path, high, resource))
                    yield Finding((*path, low, resource), f"{text}{line}); no pod could be both")


def quotas(context: Context) -> Iterator[Finding]:
    """Quotas that pods without numbers of their own would be refused by."""
    for namespace in _each(context):
        if not context.trusted(*namespace) or not context.intact(*namespace, "limits"):
            continue
        for key, (kind, resource) in DEMANDS.items():
            # The API server takes a limit for the request where there is none.
            said = [context.section(*map(str, namespace), "limits", each) for each in {kind, "default"}]
            if key in context.section(*map(str, namespace), "quota") and not any(resource in each for each in said):
                text = f"pods that do not say their own would be refused; add limits.{kind}.{resource} to the namespace"
                yield Finding((*namespace, "quota", key), text, severity="warning")


def privileged(context: Context) -> Iterator[Finding]:
    for namespace in _each(context):
        if context.section(*map(str, namespace)).get("pod_security") == "privileged":
            text = "its pods may become root of their nodes; baseline is enough for most"
            yield Finding((*namespace, "pod_security"), text, severity="warning")


CHECKS: tuple[Check, ...] = (allowances, subjects, limits, quotas, privileged)
