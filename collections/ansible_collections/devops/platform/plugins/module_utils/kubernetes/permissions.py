"""Who may do what in a namespace, as one table: roles are made of it, and `kubectl auth can-i` is asked by it. Pure.

Whoever may make pods in a namespace can read its secrets through them. So `developer` belongs where secrets are for
trying out; elsewhere `read-only` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

READ = ("get", "list", "watch")
WRITE = (*READ, "create", "update", "patch", "delete")
NONE: tuple[str, ...] = ()

ADMIN, DEVELOPER, CI_CD, READ_ONLY = "admin", "developer", "ci-cd", "read-only"
ROLES = (ADMIN, DEVELOPER, CI_CD, READ_ONLY)
BOUND = (DEVELOPER, CI_CD, READ_ONLY)  # in namespaces; admin is the whole cluster's


@dataclass(frozen=True)
class Row:
    """What each role may do with resources of a group of the API. An admin may do all of it."""

    group: str
    resources: tuple[str, ...]
    developer: tuple[str, ...] = NONE
    ci_cd: tuple[str, ...] = NONE
    read_only: tuple[str, ...] = NONE

    def verbs(self, role: str) -> tuple[str, ...]:
        return {ADMIN: WRITE, DEVELOPER: self.developer, CI_CD: self.ci_cd, READ_ONLY: self.read_only}[role]


TABLE = (
    # What runs. A pipeline says what is to run and looks on; people also look inside.
    Row("apps", ("deployments", "statefulsets", "daemonsets"), WRITE, WRITE, READ),
    Row("apps", ("replicasets", "controllerrevisions"), READ, READ, READ),
    Row("batch", ("jobs", "cronjobs"), WRITE, WRITE, READ),
    Row("", ("pods",), (*READ, "delete"), READ, READ),
    Row("", ("pods/log",), READ, READ, READ),
    Row("", ("pods/exec", "pods/portforward"), ("create", "get")),
    Row("", ("events",), READ, READ, READ),
    # What belongs to it.
    Row("", ("services", "configmaps", "persistentvolumeclaims"), WRITE, WRITE, READ),
    Row("networking.k8s.io", ("ingresses",), WRITE, WRITE, READ),
    Row("discovery.k8s.io", ("endpointslices",), READ, READ, READ),
    Row("autoscaling", ("horizontalpodautoscalers",), WRITE, WRITE, READ),
    Row("autoscaling.k8s.io", ("verticalpodautoscalers",), WRITE, WRITE, READ),
    Row("policy", ("poddisruptionbudgets",), WRITE, WRITE, READ),
    Row("monitoring.coreos.com", ("servicemonitors",), WRITE, WRITE, READ),
    # What keeps it apart. Helm keeps its releases in secrets.
    Row("", ("secrets",), ci_cd=WRITE),
    Row("", ("serviceaccounts",), READ, WRITE, READ),
    Row("networking.k8s.io", ("networkpolicies",), READ, WRITE, READ),
    Row("", ("resourcequotas", "limitranges"), READ, READ, READ),
    # What would give more than one has: nobody but an admin.
    Row("", ("serviceaccounts/token",)),
    Row("rbac.authorization.k8s.io", ("roles", "rolebindings"), READ, NONE, READ),
)


def rules(role: str) -> list[dict[str, Any]]:
    """The rules of a role's ClusterRole."""
    return [
        {"apiGroups": [row.group], "resources": list(row.resources), "verbs": list(row.verbs(role))}
        for row in TABLE
        if row.verbs(role)
    ]


@dataclass(frozen=True)
class Question:
    """`kubectl auth can-i VERB RESOURCE --namespace ...`, and what the answer must be."""

    role: str
    verb: str
    resource: str  # as kubectl takes it: deployments.apps, pods/log
    allowed: bool

    def arguments(self) -> list[str]:
        resource, _, part = self.resource.partition("/")
        return ["auth", "can-i", self.verb, resource, *([f"--subresource={part}"] if part else [])]


def questions(roles: Mapping[str, Any] | tuple[str, ...] = ROLES) -> Iterator[Question]:
    """Every verb on every resource of the table: also what must be refused."""
    for role in roles:
        for row in TABLE:
            for resource in row.resources:
                name = f"{resource}.{row.group}" if row.group else resource
                for verb in WRITE:
                    yield Question(role, verb, name, verb in row.verbs(role))
