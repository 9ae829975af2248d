"""Who may do what: the table, what is made of it, and what nobody may be given by accident."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.module_utils.kubernetes import permissions
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.permissions import (
    BOUND,
    ROLES,
    TABLE,
    Question,
    questions,
    rules,
)


def may(role: str, verb: str, resource: str) -> bool:
    """What Kubernetes makes of the rules."""
    name, _, group = resource.partition(".")
    return any(
        verb in rule["verbs"] and name in rule["resources"] and rule["apiGroups"] == [group] for rule in rules(role)
    )


@pytest.mark.parametrize(
    ("role", "verb", "resource", "allowed"),
    [
        ("developer", "patch", "deployments.apps", True),
        ("developer", "create", "pods/exec", True),
        ("developer", "get", "secrets", False),
        ("developer", "update", "networkpolicies.networking.k8s.io", False),
        ("ci-cd", "create", "secrets", True),
        ("ci-cd", "create", "pods/exec", False),
        ("ci-cd", "create", "rolebindings.rbac.authorization.k8s.io", False),
        ("ci-cd", "create", "serviceaccounts/token", False),
        ("read-only", "get", "pods/log", True),
        ("read-only", "get", "secrets", False),
        ("read-only", "delete", "pods", False),
    ],
)
def test_what_was_decided(role, verb, resource, allowed):
    assert may(role, verb, resource) is allowed
    assert Question(role, verb, resource, allowed) in set(questions())


@pytest.mark.parametrize("role", BOUND)
def test_the_questions_are_about_all_that_the_rules_say(role):
    asked = {(question.verb, question.resource) for question in questions((role,)) if question.allowed}
    said = {
        (verb, f"{resource}.{group}" if group else resource)
        for rule in rules(role)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert asked == said
    assert all(may(role, q.verb, q.resource) is q.allowed for q in questions((role,)))


@pytest.mark.parametrize("role", BOUND)
def test_nobody_gets_more_by_what_he_has(role):
    assert not any("*" in rule["verbs"] + rule["resources"] + rule["apiGroups"] for rule in rules(role))
    for verb in ("create", "update", "patch", "delete"):
        for resource in ("roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io"):
            assert not may(role, verb, resource)
    assert not any(verb in rule["verbs"] for rule in rules(role) for verb in ("escalate", "bind", "impersonate"))


def test_who_only_looks_changes_nothing():
    verbs = {verb for rule in rules("read-only") for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}


def test_each_resource_stands_once():
    named = [(row.group, resource) for row in TABLE for resource in row.resources]
    assert len(named) == len(set(named))
    assert len(list(questions())) == len(ROLES) * len(named) * len(permissions.WRITE)


def test_a_question_as_kubectl_asks_it():
    assert Question("x", "create", "pods/exec", True).arguments() == [
        "auth",
        "can-i",
        "create",
        "pods",
        "--subresource=exec",
    ]
    assert Question("x", "get", "deployments.apps", True).arguments() == ["auth", "can-i", "get", "deployments.apps"]
