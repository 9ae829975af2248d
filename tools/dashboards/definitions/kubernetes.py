"""A cluster as kube-state-metrics and the kubelets' cAdvisor tell it."""

from __future__ import annotations

from tools.dashboards.blocks import ANY, SHARE_FULL, graph, stat
from tools.dashboards.model import Dashboard, Panel, Query, Row, Variable
from tools.dashboards.promql import by

SPACE = 'namespace=~"$namespace"'


def requested(resource: str) -> str:
    asked = f'sum by (node) (kube_pod_container_resource_requests{{resource="{resource}"}})'
    return f'{asked} / on (node) sum by (node) (kube_node_status_allocatable{{resource="{resource}"}})'


KUBERNETES = Dashboard(
    "kubernetes",
    "Kubernetes cluster",
    "Are the nodes ready, do the pods run, and is there room for more?",
    (
        Row(
            "Now",
            (
                stat("Nodes", "count(kube_node_info)"),
                stat(
                    "Nodes not ready",
                    'count(kube_node_status_condition{condition="Ready", status="true"} == 0) or vector(0)',
                    steps=ANY,
                ),
                stat("Nodes closed to new pods", "sum(kube_node_spec_unschedulable)", steps=((1, "yellow"),)),
                stat(
                    "Pods not running",
                    f'sum(kube_pod_status_phase{{{SPACE}, phase=~"Pending|Failed|Unknown"}})',
                    steps=ANY,
                ),
                stat(
                    "Deployments short of replicas",
                    f"count(kube_deployment_spec_replicas{{{SPACE}}} > kube_deployment_status_replicas_available)"
                    " or vector(0)",
                    steps=ANY,
                ),
                stat(
                    "Restarts within the hour",
                    f"sum(increase(kube_pod_container_status_restarts_total{{{SPACE}}}[1h]))",
                    decimals=0,
                    steps=((1, "yellow"), (5, "red")),
                ),
            ),
        ),
        Row(
            "Pods",
            (
                graph("By phase", by(f"kube_pod_status_phase{{{SPACE}}}", "phase"), "{{phase}}", stacked=True),
                graph(
                    "Restarts",
                    by(
                        f"increase(kube_pod_container_status_restarts_total{{{SPACE}}}[$__rate_interval])",
                        "namespace",
                        "pod",
                    ),
                    "{{namespace}} {{pod}}",
                ),
                Panel(
                    "Waiting containers",
                    (
                        Query(
                            f"kube_pod_container_status_waiting_reason{{{SPACE}}} == 1 or "
                            "absent(kube_pod_container_status_waiting_reason == 1) * 0"
                        ),
                    ),
                    kind="table",
                    columns=(
                        ("namespace", "Namespace"),
                        ("pod", "Pod"),
                        ("container", "Container"),
                        ("reason", "Reason"),
                    ),
                    about="CrashLoopBackOff, ImagePullBackOff and the like. One empty line: none waits.",
                ),
            ),
        ),
        Row(
            "Room",
            (
                graph(
                    "Processors asked for",
                    requested("cpu"),
                    "{{node}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                    about="What pods request of what a node can give.",
                ),
                graph("Memory asked for", requested("memory"), "{{node}}", "percentunit", steps=SHARE_FULL, maximum=1),
                graph("Pods a node", "count by (node) (kube_pod_info)", "{{node}}"),
            ),
        ),
        Row(
            "Workloads",
            (
                Panel(
                    "Deployments",
                    (
                        Query(
                            f"kube_deployment_status_replicas_available{{{SPACE}}} / "
                            f"(kube_deployment_spec_replicas > 0)",
                            "{{namespace}} {{deployment}}",
                        ),
                    ),
                    "percentunit",
                    maximum=1,
                    about="Available replicas of those that are wanted.",
                ),
                graph("Failed jobs", by(f"kube_job_status_failed{{{SPACE}}}", "namespace"), "{{namespace}}"),
                graph(
                    "Volumes not bound",
                    by(f'kube_persistentvolumeclaim_status_phase{{{SPACE}, phase!="Bound"}}', "namespace"),
                    "{{namespace}}",
                ),
            ),
        ),
    ),
    (Variable("namespace", "Namespace", "label_values(kube_pod_info, namespace)", many=True),),
)
