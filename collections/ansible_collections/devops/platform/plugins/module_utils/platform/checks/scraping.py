"""What Prometheus is told to ask beyond the platform's own parts, and how it is backed up: can that work?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from ansible_collections.devops.platform.plugins.module_utils.platform import kubernetes
from ansible_collections.devops.platform.plugins.module_utils.platform.model import services_of
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import made_by
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import KeyPath

from .context import Check, Context, Finding

TLS = ("ca", "server_name")
DATA = "/var/lib/prometheus"


def _paths(context: Context, kind: str) -> list[KeyPath]:
    return [("monitoring", kind, str(name)) for name in context.section("monitoring", kind)]


def targets(context: Context) -> Iterator[Finding]:
    """Targets of nobody, and those that would be asked in two ways."""
    for path in _paths(context, "targets"):
        given = context.section(*map(str, path))
        if not given.get("groups") and not given.get("addresses") and context.intact(*path):
            yield Finding(path, "is nowhere; give it groups of the inventory, or addresses", at_key=True)
        if given.get("bearer") and given.get("user"):
            yield Finding((*path, "bearer"), "Prometheus shows one thing only; remove this, or user and password")
        if given.get("scheme") == "https" or not context.trusted(*path):
            continue
        for key in TLS:
            if key in given:
                yield Finding((*path, key), "is for TLS, and this target is asked without; add scheme: https")
        for key in ("password", "bearer"):
            if key in given:
                text = "goes over the network as it is; add scheme: https where the server has that"
                yield Finding((*path, key), text, severity="warning")


def files(context: Context) -> Iterator[Finding]:
    for path in (*_paths(context, "targets"), *_paths(context, "kubernetes")):
        name = context.section(*map(str, path)).get("ca")
        if name is None:
            continue
        full = context.root / str(name)
        if not full.is_file():
            yield Finding((*path, "ca"), f"no such file {name}: {made_by(str(name))}")
        elif not os.access(full, os.R_OK):
            yield Finding((*path, "ca"), f"{name} cannot be read by the user who runs Ansible")


def clusters(context: Context) -> Iterator[Finding]:
    """Tokens that would be shown to anybody, and jobs of one name."""
    taken = {
        f"{app}-{service}": ("apps", str(app), "services", service)
        for app in context.section("apps")
        for service in services_of(context.platform, str(app))
    }
    for path in _paths(context, "kubernetes"):
        given = context.section(*map(str, path))
        if urlsplit(str(given.get("api_server") or "https:")).scheme != "https":
            yield Finding((*path, "api_server"), "would be shown the token without TLS; it begins with https://")
        for job in kubernetes.job_names(str(path[-1]), given).values():
            if job in taken:
                line = context.line(taken[job])
                text = f"its job {job} would be called like that of a service (line {line}); rename one of them"
                yield Finding(path, text, at_key=True)


def backup(context: Context) -> Iterator[Finding]:
    """A backup that is lost with what it is one of."""
    path = ("monitoring", "prometheus", "backup", "directory")
    directory = context.section(*path[:-1]).get("directory")
    data = str(context.section("monitoring", "prometheus").get("directory") or DATA)
    if directory is not None and PurePosixPath(str(directory)).is_relative_to(data):
        text = (
            f"is in Prometheus' own directory {data}, and would be lost with it; choose another, best on another disk"
        )
        yield Finding(path, text)


CHECKS: tuple[Check, ...] = (targets, files, clusters, backup)
