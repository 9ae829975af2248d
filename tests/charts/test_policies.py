"""Each policy, and a release that it refuses: production's chat, with one thing in it made wrong."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.charts.harness import CHARTS, Manifest, conftest, one, release

Wrong = Callable[[list[Manifest]], object]


@cache
def production() -> tuple[Manifest, ...]:
    return tuple(release("chat-prod"))


def pod(manifests: list[Manifest]) -> dict[str, Any]:
    spec: dict[str, Any] = one(manifests, "Deployment", "chat-api")["spec"]["template"]["spec"]
    return spec


def main(manifests: list[Manifest]) -> dict[str, Any]:
    container: dict[str, Any] = pod(manifests)["containers"][0]
    return container


def without(kind: str, name: str) -> Wrong:
    return lambda manifests: manifests.remove(one(manifests, kind, name))


def policy(manifests: list[Manifest]) -> dict[str, Any]:
    spec: dict[str, Any] = one(manifests, "NetworkPolicy", "chat-api")["spec"]
    return spec


HOST_PATH = {"name": "x", "hostPath": {"path": "/"}}
INIT = {"name": "init", "image": "busybox", "resources": {}}
CASES: list[tuple[str, Wrong, str]] = [
    ("no tag", lambda made: main(made).update(image="r.example:5000/chat-api"), "chat-api is not pinned"),
    ("latest", lambda made: main(made).update(image="chat-api:latest"), "image chat-api:latest is not pinned"),
    ("half a version", lambda made: main(made).update(image="chat-api:1"), "image chat-api:1 is not pinned"),
    ("no request", lambda made: main(made)["resources"]["requests"].pop("cpu"), "resources.requests.cpu is missing"),
    ("no limit", lambda made: main(made)["resources"]["limits"].pop("memory"), "resources.limits.memory is missing"),
    ("not asked", lambda made: main(made).pop("readinessProbe"), "has no readinessProbe"),
    ("not asked whether it lives", lambda made: main(made).pop("livenessProbe"), "has no livenessProbe"),
    ("perhaps root", lambda made: pod(made)["securityContext"].pop("runAsNonRoot"), "may run as root"),
    ("root", lambda made: main(made)["securityContext"].update(runAsUser=0), "may run as root"),
    ("no seccomp", lambda made: pod(made)["securityContext"].pop("seccompProfile"), "seccompProfile is not"),
    (
        "writes anywhere",
        lambda made: main(made)["securityContext"].pop("readOnlyRootFilesystem"),
        "readOnlyRootFilesystem is not true",
    ),
    (
        "escalates",
        lambda made: main(made)["securityContext"].update(allowPrivilegeEscalation=True),
        "allowPrivilegeEscalation is not false",
    ),
    ("privileged", lambda made: main(made)["securityContext"].update(privileged=True), "is privileged"),
    ("capable", lambda made: main(made)["securityContext"].pop("capabilities"), "keeps capabilities"),
    (
        "more capable",
        lambda made: main(made)["securityContext"]["capabilities"].update(add=["NET_ADMIN"]),
        "keeps capabilities",
    ),
    ("a token", lambda made: pod(made).pop("automountServiceAccountToken"), "mounts a token"),
    ("the host's network", lambda made: pod(made).update(hostNetwork=True), "hostNetwork is the host's own"),
    ("the host's processes", lambda made: pod(made).update(hostPID=True), "hostPID is the host's own"),
    ("the host's files", lambda made: pod(made)["volumes"].append(HOST_PATH), "volume x is a hostPath"),
    ("the host's port", lambda made: main(made)["ports"][0].update(hostPort=80), "port 80 is one of the host"),
    (
        "a secret to read",
        lambda made: main(made)["env"].append({"name": "DATABASE_PASSWORD", "value": "x"}),
        "DATABASE_PASSWORD holds a secret in plain text",
    ),
    ("an init container", lambda made: pod(made).update(initContainers=[INIT]), "container init: image busybox"),
    ("no budget", without("PodDisruptionBudget", "chat-web"), "has 3 pods and no PodDisruptionBudget"),
    ("no budget, scaled", without("PodDisruptionBudget", "chat-api"), "has 3 pods and no PodDisruptionBudget"),
    ("not spread", lambda made: pod(made).pop("topologySpreadConstraints"), "no topologySpreadConstraints over nodes"),
    (
        "others are spread",
        lambda made: [
            each["labelSelector"]["matchLabels"].update({"app.kubernetes.io/component": "web"})
            for each in pod(made)["topologySpreadConstraints"]
        ],
        "no topologySpreadConstraints over nodes",
    ),
    ("no policy", without("NetworkPolicy", "chat-api"), "no NetworkPolicy says who may reach it"),
    ("half a policy", lambda made: policy(made).update(policyTypes=["Ingress"]), "no NetworkPolicy says who"),
    ("anybody comes in", lambda made: policy(made)["ingress"].append({}), "lets anybody in"),
    (
        "it goes anywhere",
        lambda made: policy(made)["egress"].append({"ports": [{"port": 443}]}),
        "lets out to anywhere",
    ),
    ("no account", without("ServiceAccount", "chat-api"), "service account chat-api, which is not its own"),
    ("the default account", lambda made: pod(made).pop("serviceAccountName"), "service account default, which is not"),
    (
        "an account with a token",
        lambda made: one(made, "ServiceAccount", "chat-api").pop("automountServiceAccountToken"),
        "mounts its token by default",
    ),
    (
        "anywhere",
        lambda made: one(made, "Service", "chat-api")["metadata"].pop("namespace"),
        "Service/chat-api: has no namespace",
    ),
]


@cache
def said_of(name: str) -> tuple[str, ...]:
    manifests = copy.deepcopy(list(production()))
    next(wrong for known, wrong, _message in CASES if known == name)(manifests)
    return tuple(conftest(manifests))


@pytest.mark.parametrize(("name", "message"), [(name, message) for name, _wrong, message in CASES])
def test_what_is_wrong_is_refused(name: str, message: str) -> None:
    found = said_of(name)
    assert any(message in said for said in found), found
    # One thing is wrong, and nothing else is said; an init container lacks more than one.
    assert len(found) == 1 or name == "an init container"


def test_jobs_are_looked_at_as_well() -> None:
    for name, kind, path in (
        ("chat-prod", "Job", ("template",)),
        ("data-backup", "CronJob", ("jobTemplate", "spec", "template")),
    ):
        manifests = copy.deepcopy(release(name))
        node = one(manifests, kind)["spec"]
        for key in path:
            node = node[key]
        node["spec"]["containers"][0]["image"] = "x:latest"
        assert [said for said in conftest(manifests) if said.startswith(f"{kind}/")] != []


def test_each_rule_refuses_something() -> None:
    text = "".join(path.read_text() for path in (CHARTS / "policy").glob("*.rego"))
    rules = re.findall(r'^deny contains sprintf\("([^"]+)"', text, re.MULTILINE)
    assert len(rules) == len(re.findall(r"^deny\b", text, re.MULTILINE))
    said = [message for name, _wrong, _message in CASES for message in said_of(name)]
    for rule in rules:
        form = re.escape(rule).replace("%s", ".+").replace("%d", "[0-9]+")
        assert any(re.fullmatch(form, message) for message in said), f"no case has ever failed by: {rule}"
