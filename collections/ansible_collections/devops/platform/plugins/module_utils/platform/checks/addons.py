"""What a cluster runs for itself: does anybody use it, and does it have what it needs?"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.devops.platform.plugins.module_utils.kubernetes import resources
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.addons.released import CERT_MANAGER, releases
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.resources import INGRESS_CLASS
from ansible_collections.devops.platform.plugins.module_utils.platform import kubernetes

from .context import Check, Context, Finding

ADDONS = ("kubernetes", "cluster", "addons")
STATE_METRICS = "kube-state-metrics"


def asked(context: Context) -> Iterator[Finding]:
    """Metrics of objects that no Prometheus of ours asks for."""
    if "kube_state_metrics" not in context.section(*ADDONS):
        return
    jobs = [kubernetes.job_names(name, given) for name, given in kubernetes.clusters(context.platform).items()]
    if context.intact("monitoring", "kubernetes") and not any(STATE_METRICS in each for each in jobs):
        text = (
            f"nobody asks for its metrics: no cluster of platform.monitoring.kubernetes has the job {STATE_METRICS}; "
            "add the cluster there, unless another Prometheus asks"
        )
        yield Finding((*ADDONS, "kube_state_metrics"), text, at_key=True, severity="warning")


def issuers(context: Context) -> Iterator[Finding]:
    """An issuer that nobody answers for, and one whose proofs nobody leads in."""
    given = context.section("kubernetes", "certificates")
    cluster = context.section(*ADDONS[:-1])
    if not given or not cluster or not context.intact(*ADDONS):
        return
    if cluster.get("manifests"):
        return  # of whatever
    if INGRESS_CLASS not in context.section(*ADDONS) and resources.ingress_class(context.platform) == INGRESS_CLASS:
        text = (
            f"names are proved through Ingresses of class {INGRESS_CLASS}, and that add-on is not asked for; add "
            f"platform.{'.'.join(ADDONS)}.{INGRESS_CLASS}, or set platform.kubernetes.ingress_class to another one"
        )
        yield Finding(("kubernetes", "certificates"), text, at_key=True, severity="warning")
    if CERT_MANAGER.name not in context.section(*ADDONS):
        text = (
            "nobody answers for an issuer unless cert-manager is there; add "
            f"platform.{'.'.join(ADDONS)}.{CERT_MANAGER.name}, unless others have brought it"
        )
        yield Finding(("kubernetes", "certificates"), text, at_key=True, severity="warning")


def isolated(context: Context) -> Iterator[Finding]:
    """Add-ons in a namespace that nothing comes into: the API server asks their webhooks, and they ask others."""
    for release in releases(context.platform):
        path = ("kubernetes", "namespaces", release.namespace)
        given = context.section("kubernetes", "namespaces")
        if release.namespace in given and context.trusted(*path) and context.section(*path).get("isolated", True):
            text = (
                f"the add-on {release.name} runs here: neither could the API server ask it, nor could it ask others; "
                "add isolated: false"
            )
            yield Finding(path, text, at_key=True)


CHECKS: tuple[Check, ...] = (asked, issuers, isolated)
