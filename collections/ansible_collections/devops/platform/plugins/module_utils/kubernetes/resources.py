"""What a cluster has before anything runs in it: `platform.kubernetes` as manifests. Pure.

Namespaces with their Pod Security, quotas, limits and policies, roles and who has them, the issuer of certificates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, section

from .addons.released import CERT_MANAGER, Released, releases
from .permissions import ADMIN, BOUND, rules

Manifest = dict[str, Any]

MANAGER = "devops-platform"
SECURITY = "restricted"
RBAC = "rbac.authorization.k8s.io"
QUOTAS = (
    "requests.cpu",
    "requests.memory",
    "limits.cpu",
    "limits.memory",
    "requests.storage",
    "pods",
    "persistentvolumeclaims",
    "services.loadbalancers",
    "services.nodeports",
)
# Key of platform.yml -> key of a LimitRange.
LIMITS = {"min": "min", "default_request": "defaultRequest", "default": "default", "max": "max"}
DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
}
EVERYTHING = ["Ingress", "Egress"]
INGRESS_CLASS = "traefik"  # of the add-on; the chart's default is the same
ISSUER, ACME = "letsencrypt", "https://acme-v02.api.letsencrypt.org/directory"


def resources(platform: Data) -> list[Manifest]:
    """All manifests, in the order in which a cluster takes them: what others refer to comes first."""
    cluster = section(platform, "kubernetes")
    labels = {
        "app.kubernetes.io/managed-by": MANAGER,
        "app.kubernetes.io/part-of": str(platform.get("name", "platform")),
    }
    made = [*_namespaces(cluster), *_roles(cluster), *_issuer(platform)]
    for manifest in made:
        manifest["metadata"]["labels"] = {**labels, **manifest["metadata"].get("labels", {})}
    return made


def applicable(
    manifests: Iterable[Manifest],
    namespaces: Iterable[str],
    coming: Iterable[Manifest] = (),
    present: Iterable[Manifest] = (),
) -> list[Manifest]:
    """Those that an API server can be asked about before anything is made: not what is in a namespace to come, nor of
    a kind to come, which one of `coming` defines and none of those that are `present`."""
    there = {"", *namespaces}
    unknown = _defined(coming) - _defined(present)
    return [
        one
        for one in manifests
        if one["metadata"].get("namespace", "") in there
        and (str(one["apiVersion"]).rpartition("/")[0], one["kind"]) not in unknown
    ]


def _defined(manifests: Iterable[Manifest]) -> set[tuple[str, str]]:
    """(group, kind) of all that these define."""
    definitions = [one["spec"] for one in manifests if one.get("kind") == "CustomResourceDefinition"]
    return {(str(spec["group"]), str(spec["names"]["kind"])) for spec in definitions}


def ingress_class(platform: Data) -> str:
    """The IngressClass of what leads into the cluster."""
    return str(section(platform, "kubernetes").get("ingress_class", INGRESS_CLASS))


def settled(platform: Data, release: Released, manifests: Iterable[Manifest]) -> list[Manifest]:
    """What is applied of others' manifests: all, but their namespace is as platform.yml has it, or else restricted.

    Two that apply one object under one name take from each other what the other one does not say.
    """
    declared = [one for one in resources(platform) if _is_namespace(one, release.namespace)]
    namespace = declared[0] if declared else _namespace(release.namespace, {})
    return [namespace, *(one for one in manifests if not _is_namespace(one, release.namespace))]


def _is_namespace(manifest: Manifest, name: str) -> bool:
    return bool(manifest["kind"] == "Namespace" and manifest["metadata"].get("name") == name)


def _namespaces(cluster: Data) -> Iterator[Manifest]:
    declared = section(cluster, "namespaces")
    for name in sorted(declared):
        yield _namespace(str(name), section(declared, name))
    for name in sorted(declared):
        given = section(declared, name)
        yield from _quota(str(name), section(given, "quota"))
        yield from _limits(str(name), section(given, "limits"))
        if given.get("isolated", True):
            yield _policy(str(name), "default-deny", policyTypes=EVERYTHING)
            yield _policy(str(name), "allow-dns", policyTypes=["Egress"], egress=[DNS])
        for label in sorted(section(given, "allow")):
            yield _allowance(str(name), str(label), section(given, "allow", label))


def _namespace(name: str, given: Data) -> Manifest:
    level = str(given.get("pod_security", SECURITY))
    # What is wrong is refused at once; what restricted would refuse is at least said.
    security = {"enforce": level, "audit": SECURITY, "warn": SECURITY}
    labels = {f"pod-security.kubernetes.io/{mode}": value for mode, value in security.items()}
    if given.get("team"):
        labels["team"] = str(given["team"])
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _quota(namespace: str, quota: Data) -> Iterator[Manifest]:
    hard = {key: str(quota[key]) for key in QUOTAS if quota.get(key) is not None}
    if hard:
        yield {**_inside("v1", "ResourceQuota", namespace, "platform"), "spec": {"hard": hard}}


def _limits(namespace: str, limits: Data) -> Iterator[Manifest]:
    entry = {
        theirs: {
            resource: str(section(limits, ours)[resource])
            for resource in ("cpu", "memory")
            if section(limits, ours).get(resource) is not None
        }
        for ours, theirs in LIMITS.items()
        if section(limits, ours)
    }
    if entry:
        spec = {"limits": [{"type": "Container", **entry}]}
        yield {**_inside("v1", "LimitRange", namespace, "platform"), "spec": spec}


def _policy(namespace: str, name: str, **spec: Any) -> Manifest:
    made = _inside("networking.k8s.io/v1", "NetworkPolicy", namespace, name)
    return {**made, "spec": {"podSelector": {}, **spec}}


def _allowance(namespace: str, name: str, given: Data) -> Manifest:
    """Between all pods of the namespace and somebody else, at these ports, or at all of them."""
    towards, direction = ("to", "Egress") if section(given, "to") else ("from", "Ingress")
    rule: dict[str, Any] = {towards: [_peer(section(given, towards))]}
    if given.get("ports"):
        rule["ports"] = [{"port": int(port), "protocol": "TCP"} for port in given["ports"]]
    return _policy(namespace, f"allow-{name}", policyTypes=[direction], **{direction.lower(): [rule]})


def _peer(given: Data) -> dict[str, Any]:
    if given.get("cidr"):
        return {"ipBlock": {"cidr": str(given["cidr"])}}
    peer: dict[str, Any] = {}
    if given.get("namespace"):
        peer["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": str(given["namespace"])}}
    if given.get("app") or "namespace" not in given:
        app = {"matchLabels": {"app.kubernetes.io/name": str(given["app"])}} if given.get("app") else {}
        peer["podSelector"] = app
    return peer


def _roles(cluster: Data) -> Iterator[Manifest]:
    declared = section(cluster, "roles")
    own = sorted(str(name) for name in section(cluster, "namespaces"))
    accounts = {str(account) for role in declared for account in section(declared, role).get("accounts") or ()}
    for account in sorted(accounts):
        namespace, _, name = account.partition("/")
        made = _inside("v1", "ServiceAccount", namespace, name)
        yield {**made, "automountServiceAccountToken": False}
    for role in BOUND:
        if role in declared:
            yield {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": _named(role), "rules": rules(role)}
    if ADMIN in declared:
        yield {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": _named(ADMIN),
            **_binding("cluster-admin", section(declared, ADMIN)),
        }
    for role in BOUND:
        given = section(declared, role)
        for namespace in (given.get("namespaces") or own) if role in declared else ():
            made = _inside(f"{RBAC}/v1", "RoleBinding", str(namespace), f"platform-{role}")
            yield {**made, **_binding(f"platform-{role}", given)}


def _named(role: str) -> dict[str, Any]:
    return {"name": f"platform-{role}"}


def _binding(role: str, given: Data) -> dict[str, Any]:
    people = [
        {"apiGroup": RBAC, "kind": kind, "name": str(name)}
        for kind, key in (("Group", "groups"), ("User", "users"))
        for name in given.get(key) or ()
    ]
    programs = [
        {"kind": "ServiceAccount", "namespace": account.partition("/")[0], "name": account.partition("/")[2]}
        for account in map(str, given.get("accounts") or ())
    ]
    return {"roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}, "subjects": [*people, *programs]}


def _issuer(platform: Data) -> Iterator[Manifest]:
    """cert-manager's: proves by HTTP, through the ingress, that the name is ours, and renews in time."""
    given = section(platform, "kubernetes", "certificates")
    if not given:
        return
    name = str(given.get("issuer", ISSUER))
    acme = {
        "server": str(given.get("server", ACME)),
        "email": str(given["email"]),
        "privateKeySecretRef": {"name": f"{name}-account"},
        "solvers": [{"http01": {"ingress": {_key_of_class(platform): ingress_class(platform)}}}],
    }
    yield {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": name},
        "spec": {"acme": acme},
    }


def _key_of_class(platform: Data) -> str:
    """How a solver names its IngressClass: before cert-manager 1.12 by the annotation that classes had once."""
    own = [each for each in releases(platform) if each.name == CERT_MANAGER.name]
    return "class" if own and own[0].older_than(1, 12) else "ingressClassName"


def autoscaler_values(platform: Data) -> dict[str, Any]:
    """Values of the chart cluster-autoscaler for EKS; empty where the number of nodes is not the load's affair."""
    nodes = section(platform, "kubernetes", "node_autoscaling")
    if not nodes:
        return {}
    return {
        "cloudProvider": "aws",
        "awsRegion": str(nodes["region"]),
        "autoDiscovery": {"clusterName": str(nodes["cluster"])},
        "rbac": {
            "serviceAccount": {
                "name": "cluster-autoscaler",
                "annotations": {"eks.amazonaws.com/role-arn": str(nodes["role"])},
            }
        },
        "extraArgs": {
            "balance-similar-node-groups": True,
            "expander": str(nodes.get("expander", "least-waste")),
            "scale-down-unneeded-time": str(nodes.get("idle", "10m")),
            "skip-nodes-with-system-pods": False,
        },
    }


def _inside(api_version: str, kind: str, namespace: str, name: str) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}
