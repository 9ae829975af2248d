"""What a cluster of ours runs for itself: does anybody use it, and does it have what it needs?"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import settings
from ansible_collections.devops.platform.plugins.module_utils.platform import kubernetes

from .context import Check, Context, Finding

ADDONS = ("kubernetes", "cluster", "addons")
STATE_METRICS = "kube-state-metrics"


def asked(context: Context) -> Iterator[Finding]:
    """Metrics of objects that no Prometheus of ours asks for."""
    if not settings.is_ours(context.platform) or "kube_state_metrics" not in context.section(*ADDONS):
        return
    jobs = [kubernetes.job_names(name, given) for name, given in kubernetes.clusters(context.platform).items()]
    if context.intact("monitoring", "kubernetes") and not any(STATE_METRICS in each for each in jobs):
        text = (
            f"nobody asks for its metrics: no cluster of platform.monitoring.kubernetes has the job {STATE_METRICS}; "
            "add the cluster there, unless another Prometheus asks"
        )
        yield Finding((*ADDONS, "kube_state_metrics"), text, at_key=True, severity="warning")


CHECKS: tuple[Check, ...] = (asked,)
