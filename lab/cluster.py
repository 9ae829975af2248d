"""What a cluster finds in the mirror: programs for its nodes, and images under the names that they have elsewhere."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lab import artifacts, gobuild, host_image, oci, programs
from lab.cluster_images import IMAGES, ClusterImage, dockerfile, image, recipes
from lab.errors import LabError
from lab.hosts import Launcher
from lab.images import Registry
from lab.progress import step
from lab.runtime import IMAGE_LABEL, PREFIX, FileEntry, archive, build, digest_of, publish, stable_json
from lab.state import State

# What hosts get, beside what images are made of.
NODES = ("kubeadm", "kubectl", "kubelet", "cni_plugins", "helm", "etcd")


def ensure(launcher: Launcher, state: State) -> str:
    """Make sure that the mirror has all of it; builds what it lacks, which takes half an hour the first time."""
    outcome = programs.ensure(launcher, state, [*NODES, *recipes()])
    lock = artifacts.stored(launcher, artifacts.PROGRAMS_LOCK)
    if lock is None:
        raise LabError("the mirror has no lock of programs", "run this again")
    registry = Registry(launcher)
    base = host_image.ensure_rootfs(launcher.client)
    made = [each.name for each in IMAGES if _ensure(launcher, registry, lock, each, base)]
    return f"programs {outcome}, {len(made)} of {len(IMAGES)} images made"


def mark(wanted: ClusterImage, recipe: str, base: str) -> str:
    """A tag that stands for all that an image is made of; `recipe` and `base` are digests of what it stands on."""
    return f"made-{digest_of(stable_json(asdict(wanted)), recipe, base if wanted.packages else '', 'image 1')}"


def _ensure(
    launcher: Launcher, registry: Registry, lock: artifacts.Lock, wanted: ClusterImage, base: host_image.Recipe
) -> bool:
    """Whether the image was made now."""
    version, entry = _entry(lock, wanted.recipe)
    name = f"{wanted.name}:{wanted.tag.format(version=version)}"
    repository, tag = oci.repository_of(name), oci.tag_of(name)
    label = mark(wanted, lock.recipes.get(wanted.recipe, ""), base.digest)
    found = registry.digest(repository, label)
    if found is not None and registry.digest(repository, tag) == found:
        return False
    local = f"{PREFIX}/cluster/{repository}:{tag}"
    with step(f"make the image {name}", announce=True):
        held = contents(artifacts.fetch(launcher, {**entry, "version": version})) if entry else {}
        if wanted.packages:
            files = {path: FileEntry(held[program], 0o755) for path, program in wanted.programs.items()}
            files = {f"files{path}": file for path, file in files.items()}
            text = dockerfile(wanted, base.tag)
            context = archive({"Dockerfile": FileEntry(text.encode()), "files/.keep": FileEntry(b""), **files})
            build(launcher.client, name, local, context, labels={IMAGE_LABEL: "yes"})
        else:
            written = image(wanted, version, held)
            launcher.client.images.load(oci.archive([oci.renamed(written, local)], gobuild.architecture()))
        for each in (tag, label):
            publish(launcher.client, local, f"{registry.push_host}/{repository}", each)
    return True


def _entry(lock: artifacts.Lock, recipe: str) -> tuple[str, Mapping[str, Any]]:
    """A recipe's version and its entry in the lock; nothing for an image that holds packages alone."""
    if not recipe:
        return "", {}
    for version, entry in (lock.entries.get(recipe) or {}).items():
        return str(version), entry
    raise LabError(f"the mirror has no artifact {recipe}", f"build it: python -m lab artifacts {recipe}")


def contents(tarball: bytes) -> dict[str, bytes]:
    """Program → content, of a release's tarball."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(tarball)) as tar:
        for member in tar.getmembers():
            file = tar.extractfile(member)
            if file is not None:
                found[member.name.partition("/")[2]] = file.read()
    return found
