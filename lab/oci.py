"""Container images written without a container engine: an OCI archive of one layer each. Pure.

Equal files give equal bytes: entries are sorted, owned by root and dated 0, and nothing is compressed. What reads such
an archive, as `ctr images import` does, finds its images by their full names.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Image:
    """``name`` in full, with registry and tag. ``programs``: path → content. ``base``: layers below, as tar files."""

    name: str
    programs: Mapping[str, bytes]
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    base: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Written:
    """An image's manifest, and all blobs that it needs by digest, itself among them."""

    manifest: Mapping[str, Any]  # its descriptor: mediaType, digest, size
    blobs: Mapping[str, bytes]


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(programs: Mapping[str, bytes]) -> bytes:
    """A tar file of programs and the folders that they are in."""
    stream = io.BytesIO()
    folders = sorted({str(folder) for path in programs for folder in PurePosixPath(path).parents} - {"/", "."})
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in folders:
            info = tarfile.TarInfo(name.lstrip("/"))
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for path in sorted(programs):
            info = tarfile.TarInfo(path.lstrip("/"))
            info.size, info.mode = len(programs[path]), 0o755
            tar.addfile(info, io.BytesIO(programs[path]))
    return stream.getvalue()


def write(image: Image, architecture: str) -> Written:
    layers = [*image.base, layer(image.programs)]
    config = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "created": EPOCH,
            "config": {
                "Env": [f"PATH={PATH}"],
                **({"Entrypoint": list(image.entrypoint)} if image.entrypoint else {}),
                **({"User": image.user} if image.user else {}),
            },
            "rootfs": {"type": "layers", "diff_ids": [digest(content) for content in layers]},
            "history": [{"created": EPOCH} for _content in layers],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(CONFIG, config),
            "layers": [_descriptor(LAYER, content) for content in layers],
        }
    )
    blobs = {digest(content): content for content in (config, *layers, manifest)}
    return Written(_descriptor(MANIFEST, manifest), blobs)


def archive(images: Iterable[Image], architecture: str) -> bytes:
    """One archive of all of them; a layer that several have is in it once."""
    blobs: dict[str, bytes] = {}
    manifests, saved = [], []
    for image in sorted(images, key=lambda each: each.name):
        written = write(image, architecture)
        blobs.update(written.blobs)
        # The second is what the specification asks for, the first what containerd goes by.
        names = {"io.containerd.image.name": image.name, "org.opencontainers.image.ref.name": tag_of(image.name)}
        platform = {"architecture": architecture, "os": "linux"}
        manifests.append({**written.manifest, "platform": platform, "annotations": names})
        inside = json.loads(written.blobs[written.manifest["digest"]])
        layers = [_blob(each["digest"]) for each in inside["layers"]]
        saved.append({"Config": _blob(inside["config"]["digest"]), "RepoTags": [image.name], "Layers": layers})
    index = _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
    files = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": index,
        "manifest.json": _json(saved),  # Docker's own way to say the same: before 25 it knows no other
        **{_blob(key): content for key, content in blobs.items()},
    }
    return _tar(files)


def renamed(image: Image, name: str) -> Image:
    return replace(image, name=name)


def tag_of(name: str) -> str:
    """``a.example:5000/b:1`` → ``1``; ValueError where there is none."""
    tag = name.rpartition("/")[2].partition(":")[2]
    if not tag:
        raise ValueError(f"{name} has no tag")
    return tag


def repository_of(name: str) -> str:
    """``a.example:5000/b/c:1`` → ``b/c``: what a registry, or a mirror of it, has it as."""
    return name.partition("/")[2].rpartition(":")[0]


def _blob(key: str) -> str:
    """Where the content with this digest is."""
    return f"blobs/{key.replace(':', '/')}"


def _descriptor(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest(content), "size": len(content)}


def _json(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def _tar(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(files[name]), 0o644
            tar.addfile(info, io.BytesIO(files[name]))
    return stream.getvalue()
