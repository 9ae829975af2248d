"""Every program and image that is named must be pinned in a lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.addons.released import releases
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes.settings import is_ours
from ansible_collections.devops.platform.plugins.module_utils.platform.exporters import declared
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import made_by
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import KeyPath
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean, nearest

from .context import Check, Context, Finding
from .names import parts

ARTIFACTS = {  # where a version stands: which artifact it is of
    ("monitoring", "node_exporter"): "node_exporter",
    ("monitoring", "prometheus"): "prometheus",
    ("monitoring", "alertmanager"): "alertmanager",
    ("monitoring", "grafana"): "grafana",
    ("logging", "elasticsearch"): "elasticsearch",
    ("logging", "loki"): "loki",
    ("logging", "kibana"): "kibana",
}

CLUSTER = ("kubernetes", "cluster")
NODES = (
    *(((*CLUSTER, "version"), name) for name in ("kubeadm", "kubelet", "kubectl")),
    ((*CLUSTER, "cni_plugins"), "cni_plugins"),
    ((*CLUSTER, "helm"), "helm"),
    ((*CLUSTER, "snapshots", "version"), "etcd"),
)


def artifacts(context: Context) -> Iterator[Finding]:
    wanted: list[tuple[tuple[str, ...], str]] = [
        ((*path, "version"), name) for path, name in ARTIFACTS.items() if context.section(*path)
    ]
    wanted += [
        (("monitoring", "exporters", kind.key, "version"), kind.name) for kind, _given in declared(context.platform)
    ]
    wanted += [(path, name) for path, name in NODES if is_ours(context.platform)]
    released = list(releases(context.platform))
    if (wanted or released) and not context.section("artifacts") and context.trusted("artifacts"):
        yield Finding((), "lacks the key 'artifacts': it says where programs come from", at_key=True)
    if not context.artifacts.complete:
        return  # what is wrong with the lock is said already
    for path, name in wanted:
        version = context.section(*path[:-1]).get(path[-1])
        if version is not None:
            yield from _artifact(context, path, name, str(version))
    for each in released:
        yield from _artifact(context, (*CLUSTER, "addons", each.name), each.artifact, each.version)


def _artifact(context: Context, path: KeyPath, name: str, version: str) -> Iterator[Finding]:
    lock = ", ".join(context.artifacts.files)
    versions = context.artifacts.entries.get(name)
    if not isinstance(versions, Mapping):
        yield Finding(path, f"{lock} has no artifact '{name}'{_adding(lock, name)}")
        return
    if version not in versions:
        yield Finding(path, f"{lock} has no {name} {version}{did_you_mean(version, versions)}")
        return
    entry = versions[version]
    digests = entry.get("sha256") or {}
    missing = [arch for _number, arch in context.items("hosts", "architectures") if arch not in digests]
    if missing:
        pinned = ", ".join(sorted(digests))
        text = f"{lock} pins {name} {version} for {pinned} only; hosts.architectures has {missing[0]} too"
        yield Finding(path, text)
    sources = [source for _number, source in context.items("artifacts", "sources")]
    keys = {"url" if source == "upstream" else "path" for source in sources}
    if sources and not any(entry.get(key) for key in keys):
        text = f"no source has {name} {version}: its entry in {lock} lacks {' and '.join(sorted(keys))}"
        yield Finding(path, text)


def images(context: Context) -> Iterator[Finding]:
    used = [
        ((*path, "image"), str(image))
        for app, kind, name, path in parts(context)
        for part in (context.section("apps", app, kind, name),)
        for image in (part.get("image"),)
        if image is not None and part.get("enabled") is not False  # nobody has to build what is switched off
    ]
    if used and not context.section("images") and context.trusted("images"):
        yield Finding((), "lacks the key 'images': it names the lock that pins the images of 'apps'", at_key=True)
    if not context.images.complete:
        return
    lock = ", ".join(context.images.files)
    for path, image in used:
        if image not in context.images.entries:
            near = nearest(image, context.images.entries)
            yield Finding(
                path, f"{lock} has no image '{image}'; " + (f"did you mean '{near}'?" if near else _building(lock))
            )


def _building(lock: str) -> str:
    if "lab/.state/" in lock:
        return "build it: python -m lab images (make up does so, too)"
    return "build and push it, and add its digest there"


def _adding(lock: str, name: str) -> str:
    if "lab/.state/" in lock:
        return f"; {made_by(lock)}, or 'python -m lab artifacts {name}' where it is built from Go modules"
    return "; add it with its digests"


CHECKS: tuple[Check, ...] = (artifacts, images)
