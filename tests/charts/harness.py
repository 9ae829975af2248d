"""The chart rendered by the real Helm, as objects; and the programs that judge them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.monitoring.harness import programs
from tools import REPOSITORY

CHARTS = REPOSITORY / "charts"
CHART = CHARTS / "service"
SCHEMAS = Path(__file__).parent / "schemas"
Manifest = dict[str, Any]
KUBERNETES = "1.34"  # a helm that was not told at its build believes that it talks to 1.20

# Environment -> namespace.
ENVIRONMENTS = {"dev": "chat-app-dev", "staging": "chat-app-staging", "prod": "chat-app-prod"}
APPS = ("chat", "data")
# What a release can be made of, by the files below charts/values.
RELEASES = {
    f"{app}-{environment}": (app, namespace, (f"{app}/base.yaml", f"{app}/{environment}.yaml"))
    for app in APPS
    for environment, namespace in ENVIRONMENTS.items()
} | {
    "chat-services": ("chat", "chat-app-prod", ("chat/base.yaml", "chat/prod.yaml", "chat/services.yaml")),
    "data-backup": ("data", "chat-app-prod", ("data/base.yaml", "data/prod.yaml", "data/backup.yaml")),
}


class RefusedError(Exception):
    """Helm does not render this; its message."""


def program(name: str) -> str:
    """helm, kubeconform or conftest: what HELM, KUBECONFORM or CONFTEST names, else the lab's."""
    return str(programs.program(name, name))


def run(*command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    # Helm reads and writes below HOME only what nobody here needs.
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=100)


def text_of(
    values: Mapping[str, Any] | None = None,
    files: Sequence[str] = (),
    release: str = "shop",
    namespace: str = "shop-prod",
) -> str:
    """What `helm template` says to values files below charts/values and to values over them."""
    named = [argument for name in files for argument in ("--values", str(CHARTS / "values" / name))]
    done = run(
        program("helm"), "template", release, str(CHART), "--kube-version", KUBERNETES, "--namespace", namespace,
        *named, "--values", "-",
        stdin=json.dumps(dict(values or {})),  # as YAML, a y would be true for Helm
    )  # fmt: skip
    if done.returncode:
        raise RefusedError(done.stderr)
    return done.stdout


def render(values: Mapping[str, Any] | None = None, **more: Any) -> list[Manifest]:
    return [manifest for manifest in yaml.safe_load_all(text_of(values, **more)) if manifest]


def release(name: str, values: Mapping[str, Any] | None = None) -> list[Manifest]:
    app, namespace, files = RELEASES[name]
    return render(values, files=files, release=app, namespace=namespace)


def one(manifests: list[Manifest], kind: str, name: str = "") -> Manifest:
    """The one of a kind, or of a kind and a name."""
    found = [made for made in manifests if made["kind"] == kind and name in ("", made["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} of {kind} {name} in {titles(manifests)}"
    return found[0]


def titles(manifests: list[Manifest]) -> list[str]:
    return sorted(f"{made['kind']}/{made['metadata']['name']}" for made in manifests)


def at(node: Any, path: str) -> Any:
    """`spec.template.spec.containers.0.image`; None where it ends early. % stands for a dot within a key."""
    for part in path.split("."):
        key = part.replace("%", ".")
        if isinstance(node, list):
            node = node[int(key)] if int(key) < len(node) else None
        else:
            node = node.get(key) if isinstance(node, dict) else None
    return node


def container(manifests: list[Manifest], name: str) -> Manifest:
    """The container of the workload shop-NAME, or chat-NAME, ..."""
    found = [each for made in manifests for each in _containers(made) if each["name"] == name]
    assert len(found) == 1
    return found[0]


def _containers(manifest: Manifest) -> Iterator[Manifest]:
    for path in ("spec.template.spec.containers", "spec.jobTemplate.spec.template.spec.containers"):
        yield from at(manifest, path) or ()


def conftest(manifests: list[Manifest]) -> list[str]:
    """What the policies say against them."""
    done = run(
        program("conftest"), "test", "--combine", "--no-color", "--output", "json",
        "--policy", str(CHARTS / "policy"), "-",
        stdin="---\n".join(yaml.safe_dump(manifest) for manifest in manifests),
    )  # fmt: skip
    assert done.stdout, done.stderr
    return sorted(found["msg"] for result in json.loads(done.stdout) for found in result.get("failures") or ())
