"""What add-ons bring into a cluster: right as Kubernetes' own schemas have it, and enough for those who rely on it."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import jsonschema
import pytest

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.addons import VERSIONS, addons
from ansible_collections.devops.platform.plugins.module_utils.platform import kubernetes
from tools import REPOSITORY
from tools.kubernetes_schemas import schema

ROLES = REPOSITORY / "collections/ansible_collections/devops/platform/roles"


def made(name: str) -> list[dict[str, Any]]:
    """The manifests of one add-on."""
    network = {} if name == "flannel" else {"network": "none"}
    given = {"version": "1.34.4", "control_plane": "servers", "addons": {name: {}}, **network}
    return addons({"kubernetes": {"cluster": given}})


def one(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    [found] = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def pods(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each["spec"]["template"]["spec"] for each in manifests if each["kind"] in ("Deployment", "DaemonSet")]


@pytest.mark.parametrize("name", VERSIONS)
def test_kubernetes_takes_them(name: str) -> None:
    manifests = made(name)
    assert pods(manifests)
    for manifest in manifests:
        jsonschema.validate(manifest, schema(manifest["apiVersion"], manifest["kind"]))


RESTRICTED = ("kube_state_metrics",)


@pytest.mark.parametrize("name", RESTRICTED)
def test_pods_that_need_nothing_of_their_node_have_nothing(name: str) -> None:
    manifests = made(name)
    assert one(manifests, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for pod in pods(manifests):
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert all("emptyDir" in volume or "configMap" in volume for volume in pod.get("volumes", ()))
        for container in pod["containers"]:
            security = container["securityContext"]
            assert security["runAsNonRoot"]
            assert security["readOnlyRootFilesystem"]
            assert not security["allowPrivilegeEscalation"]
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert {"requests", "limits"} <= set(container["resources"])
            assert "livenessProbe" in container


def resources_of(metrics: set[str]) -> set[str]:
    """The kinds of objects that kube-state-metrics tells these of: its metrics are called after them."""
    return {f"{re.match('kube_([a-z]+)', name)[1]}s" for name in metrics}  # type: ignore[index]


def read() -> set[str]:
    """Metrics of kube-state-metrics in the platform's rules and dashboards."""
    files = [*(ROLES / "prometheus/files/rules").glob("*.yml"), *(ROLES / "grafana/files/dashboards").glob("*.json")]
    return {name for path in files for name in re.findall(r"\bkube_[a-z_]+", path.read_text(encoding="utf-8"))}


def test_what_is_asked_for_is_what_rules_and_dashboards_read() -> None:
    metrics = read()
    assert {"kube_pod_info", "kube_statefulset_replicas", "kube_job_status_failed"} <= metrics
    [container] = pods(made("kube_state_metrics"))[0]["containers"]
    flags = dict(argument.removeprefix("--").split("=", 1) for argument in container["args"])
    assert set(flags["resources"].split(",")) == resources_of(metrics)


def test_it_may_look_at_that_and_at_nothing_else() -> None:
    rules = one(made("kube_state_metrics"), "ClusterRole")["rules"]
    allowed: dict[str, set[str]] = defaultdict(set)
    for rule in rules:
        for resource in rule["resources"]:
            allowed[resource] |= set(rule["verbs"])
    assert set(allowed) == resources_of(read())
    assert all(verbs == {"list", "watch"} for verbs in allowed.values())


def test_prometheus_finds_it() -> None:
    """By what its job keeps: the Service's label and the name of its port, which is one of the pod's."""
    platform = {"monitoring": {"kubernetes": {"main": {"api_server": "https://k8s.example", "token": "t"}}}}
    [job] = [each for each in kubernetes.jobs(platform) if each["job_name"] == "main-kube-state-metrics"]
    [keep] = [each for each in job["relabel_configs"] if each.get("action") == "keep"]
    manifests = made("kube_state_metrics")
    service = one(manifests, "Service")
    labels, [port] = service["metadata"]["labels"], service["spec"]["ports"]
    known = {
        "__meta_kubernetes_service_label_app_kubernetes_io_name": labels["app.kubernetes.io/name"],
        "__meta_kubernetes_endpointslice_port_name": port["name"],
    }
    assert re.fullmatch(keep["regex"], ";".join(known[source] for source in keep["source_labels"]))
    deployment = one(manifests, "Deployment")["spec"]["template"]
    assert service["spec"]["selector"].items() <= deployment["metadata"]["labels"].items()
    assert port["targetPort"] in {each["name"] for each in deployment["spec"]["containers"][0]["ports"]}
