"""Manifests that others release: the pinned file, whose, and where it settles."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.devops.platform.plugins.lookup.k8s_releases import LookupModule
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.addons import released
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.resources import resources, settled
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import MARKER

FILE = """\
# Theirs.
apiVersion: v1
kind: Namespace
metadata: {name: cert-manager}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: clusterissuers.cert-manager.io}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: cert-manager, namespace: cert-manager}
"""
CERT_MANAGER = released.CERT_MANAGER


def platform(**cluster: Any) -> dict[str, Any]:
    given = {"version": "1.34.4", "control_plane": "servers", "addons": {"cert_manager": {}}, **cluster}
    return {"name": "shop", "kubernetes": {"cluster": given}}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / MARKER).write_text("")
    for name in ("bundle", "run"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "run"))
    store(tmp_path, FILE)
    return tmp_path


def store(root: Path, text: str, pinned: str = "") -> None:
    """A bundle with the file, and the lock that pins it."""
    (root / "bundle" / "cert-manager-1.11.5.yaml").write_text(text)
    digest = hashlib.sha256((pinned or text).encode()).hexdigest()
    entry = {
        "path": "cert-manager-{version}.yaml",
        "sha256": {"amd64": digest, "arm64": digest},
        "binaries": ["cert-manager.yaml"],
    }
    lock = {"format": 1, "artifacts": {"cert_manager_manifests": {"1.11.5": entry}}}
    (root / "lock.yml").write_text(yaml.safe_dump(lock))


def found(root: Path, described: dict[str, Any]) -> list[dict[str, Any]]:
    sources = {"locks": ["lock.yml"], "sources": [f"file://{root}/bundle"]}
    variables = {"platform": {**described, "artifacts": sources}, "inventory_dir": str(root)}
    loader = DataLoader()
    lookup = LookupModule(loader=loader, templar=Templar(loader=loader, variables=variables))
    lookup.set_options = lambda **_: None  # Ansible reads their declaration only where it loads a plugin itself
    return lookup.run([], variables)


def test_the_file_is_what_is_applied(root: Path) -> None:
    made = found(root, platform())
    assert [each["kind"] for each in made] == ["Namespace", "CustomResourceDefinition", "ServiceAccount"]
    assert made[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_it_is_fetched_once_in_a_run(root: Path) -> None:
    found(root, platform())
    (root / "bundle" / "cert-manager-1.11.5.yaml").unlink()
    assert len(found(root, platform())) == 3


def test_nothing_is_fetched_for_nobody(root: Path) -> None:
    (root / "lock.yml").unlink()
    for described in ({"name": "shop"}, platform(addons={"traefik": {}})):
        assert found(root, described) == []


def test_what_is_not_pinned_is_not_used(root: Path) -> None:
    store(root, FILE.replace("restricted", "x") + "# more\n", pinned=FILE)
    with pytest.raises(AnsibleLookupError, match=r"sha256 is [0-9a-f]{64}, the pinned one is"):
        found(root, platform())
    assert not [path for path in (root / "run").iterdir() if path.suffix != ".unfinished"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "cert_manager_manifests 1.11.5 is no YAML: while parsing"),
        ("<html>", "holds what is no object with kind and metadata; the lock pins another file"),
        ("---\n", "holds what is no object with kind and metadata"),
        ("kind: List\nitems: []\n", "holds what is no object with kind and metadata"),
    ],
)
def test_another_file_is_refused(root: Path, text: str, message: str) -> None:
    store(root, text)
    with pytest.raises(AnsibleLookupError, match=message):
        found(root, platform())


def test_a_version_that_the_lock_has_not_is_refused(root: Path) -> None:
    with pytest.raises(AnsibleLookupError, match=r"no cert_manager_manifests 1.11.6; it has 1.11.5"):
        found(root, platform(addons={"cert_manager": {"version": "1.11.6"}}))


def test_it_is_asked_for_nothing_in_particular(root: Path) -> None:
    with pytest.raises(AnsibleLookupError, match="takes no terms"):
        LookupModule(loader=DataLoader(), templar=None).run(["cert_manager"], {})


def test_files_of_architectures_are_no_manifests() -> None:
    assert released.pinned(CERT_MANAGER, {"amd64": "a", "arm64": "a"}) == "a"
    with pytest.raises(PlatformError, match="has 2 digests of cert_manager_manifests"):
        released.pinned(CERT_MANAGER, {"amd64": "a", "arm64": "b"})


def test_a_namespace_that_platform_yml_has_is_made_as_it_says() -> None:
    """Applied before all the rest and again with the namespaces: the very same, so that neither undoes the other."""
    described = platform()
    described["kubernetes"]["namespaces"] = {"cert-manager": {"isolated": False, "pod_security": "baseline"}}
    made = settled(described, CERT_MANAGER, released.read(CERT_MANAGER, FILE))
    [declared] = [each for each in resources(described) if each["kind"] == "Namespace"]
    assert [each for each in made if each["kind"] == "Namespace"] == [declared]
    assert made[0] == declared
