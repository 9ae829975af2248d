"""Kubernetes' programs for tests: of the folder that KUBERNETES_BIN names, or the very ones of the lab's clusters."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from lab import unpacked

ARTIFACTS = {
    **dict.fromkeys(("kube-apiserver", "kube-controller-manager", "kube-scheduler"), "kubernetes"),
    **dict.fromkeys(("etcd", "etcdctl", "etcdutl"), "etcd"),
    "kubeadm": "kubeadm",
    "kwok": "kwok",
}


@cache
def program(name: str) -> Path:
    """Where it is; built before, which takes minutes, where nobody has it."""
    folder = os.environ.get("KUBERNETES_BIN", "")
    found = (Path(folder) if folder else unpacked.ensure(ARTIFACTS[name])) / name
    if not found.exists():
        pytest.fail(f"there is no {found}; without KUBERNETES_BIN the lab's is taken", pytrace=False)
    return found
