"""Application images: built from ``apps/*/images.yml``, pushed to the mirror's registry, pinned by digest.

What an image is made from has a digest of its own (context, Dockerfile, base images). The registry keeps a tag for it,
so an unchanged image is neither built nor pushed again, also after the state directory or the local images are gone.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import yaml
from docker.utils.build import exclude_paths  # type: ignore[import-untyped]

from lab import REPOSITORY, base_images, dockerfiles, host_image, mirror
from lab.errors import LabError
from lab.host_image import Recipe
from lab.hosts import Launcher
from lab.progress import step
from lab.runtime import IMAGE_LABEL, PREFIX, Client, FileEntry, archive, build, digest_of, publish
from lab.state import State

MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
KEYS = ("context", "dockerfile", "target", "optional")  # of an image in an images.yml


@dataclass(frozen=True)
class Declared:
    """One image of an application: ``app`` is its folder below apps/, paths are absolute. An ``optional`` one is built
    where it was asked for."""

    name: str
    app: str
    version: str
    context: Path
    dockerfile: str
    target: str | None
    optional: bool = False

    @property
    def repository(self) -> str:
        """``chat-api`` of the application chat is kept as ``chat/api``."""
        return f"{self.app}/{self.name.removeprefix(self.app + '-')}"


@dataclass(frozen=True)
class Revision:
    """The commit that last changed an application, and whether its files differ from it."""

    sha: str | None
    dirty: bool


def declared(path: Path) -> list[Declared]:
    """The images that an ``images.yml`` declares; LabError names the file and the key that is wrong."""
    app = path.parent.name
    try:
        data = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise LabError(f"{path}: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("images"), dict) or not data.get("version"):
        raise LabError(f"{path}: 'version' and a mapping 'images' are needed")
    found = []
    for name, given in data["images"].items():
        item = given or {}
        unknown = set(item) - set(KEYS)
        if unknown:
            raise LabError(f"{path}: images.{name}: unknown key {min(unknown)!r}; {', '.join(KEYS)}")
        if not isinstance(item.get("optional", False), bool):
            raise LabError(f"{path}: images.{name}.optional: true or false")
        context = (path.parent / item.get("context", ".")).resolve()
        dockerfile = str(item.get("dockerfile", "Dockerfile"))
        if not (context / dockerfile).is_file():
            raise LabError(f"{path}: images.{name}: there is no {context / dockerfile}")
        optional = item.get("optional", False)
        found.append(Declared(name, app, str(data["version"]), context, dockerfile, item.get("target"), optional))
    return found


def wanted(images: Sequence[Declared], asked: Collection[str], locked: Collection[str]) -> list[Declared]:
    """Those to build: all but the optional ones that were neither asked for now nor, as the lock tells, before."""
    unknown = set(asked) - {image.name for image in images}
    if unknown:
        known = ", ".join(sorted(image.name for image in images))
        raise LabError(f"no application declares the image {min(unknown)}", f"there are: {known}")
    return [image for image in images if not image.optional or image.name in asked or image.name in locked]


def locked_names(path: Path) -> set[str]:
    """The images that a lock file holds; none where there is no such file yet."""
    if not path.exists():
        return set()
    data = yaml.safe_load(path.read_text()) or {}
    return set(data.get("images") or {})


def image_tag(version: str, revision: Revision, content: str) -> str:
    """``1.0.0-<sha>``; with changes beyond that commit ``1.0.0-<sha>-dirty-<content>``."""
    tag = f"{version}-{revision.sha or 'uncommitted'}"
    return f"{tag}-dirty-{content[:10]}" if revision.dirty or revision.sha is None else tag


def read_revision(folder: Path) -> Revision:
    """Ask git about a folder. Outside a work tree everything counts as uncommitted."""

    def git(*arguments: str) -> str | None:
        command = ["git", "-C", str(folder), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        return result.stdout.strip() if result.returncode == 0 else None

    status = git("status", "--porcelain", "--", ".")
    return Revision(git("log", "-1", "--format=%h", "--", ".") or None, status is None or bool(status))


def context_files(context: Path) -> dict[str, FileEntry]:
    """The build context as Docker would see it, less what .dockerignore names; modes are reduced to 0644 and 0755."""
    ignore = context / ".dockerignore"
    patterns = [line.strip() for line in ignore.read_text().splitlines()] if ignore.exists() else []
    patterns = [line for line in patterns if line and not line.startswith("#")]
    files = {}
    for name in sorted(exclude_paths(str(context), patterns)):
        path = context / name
        if path.is_file():
            mode = 0o755 if os.access(path, os.X_OK) else 0o644
            files[name] = FileEntry(path.read_bytes(), mode)
    return files


def content_digest(image: Declared, files: Mapping[str, FileEntry], bases: Mapping[str, str], tag_stem: str) -> str:
    """Stands for everything that goes into an image: equal digests mean that a build would give nothing new."""
    total = hashlib.sha256()
    for name, entry in sorted(files.items()):
        total.update(f"{name}\0{entry.mode:o}\0{len(entry.content)}\0".encode() + entry.content)
    rest = [image.name, image.dockerfile, image.target or "", tag_stem, *(f"{k}={v}" for k, v in sorted(bases.items()))]
    return digest_of(total.hexdigest(), *rest)


class Registry:
    """The few calls of the registry's HTTP API that are needed."""

    def __init__(self, launcher: Launcher) -> None:
        self.base = f"http://{launcher.settings.mirror}:{mirror.REGISTRY_PORT}/v2"
        self.push_host = f"127.0.0.1:{launcher.settings.registry_port}"

    def digest(self, repository: str, tag: str) -> str | None:
        """The digest of a manifest, None where the registry has none."""
        try:
            with self._manifest(repository, tag, "HEAD") as answer:
                return str(answer.headers["Docker-Content-Digest"])
        except HTTPError as error:
            if error.code == 404:
                return None
            raise LabError(f"the registry answers {error.code} for {repository}:{tag}") from error

    def retag(self, repository: str, tag: str, new_tag: str) -> None:
        """Give a manifest another tag; no layer moves."""
        with self._manifest(repository, tag, "GET") as answer:
            body, kind = answer.read(), answer.headers["Content-Type"]
        url = f"{self.base}/{repository}/manifests/{new_tag}"
        mirror.open_url(url, data=body, headers={"Content-Type": kind}, method="PUT").close()

    def _manifest(self, repository: str, tag: str, method: str) -> Any:
        url = f"{self.base}/{repository}/manifests/{tag}"
        return mirror.open_url(url, headers={"Accept": ", ".join(MANIFESTS)}, method=method)


def ensure(launcher: Launcher, state: State, folder: Path = REPOSITORY / "apps", asked: Collection[str] = ()) -> str:
    """Make sure that the registry has every image that is wanted and write the lock file; returns the outcome.

    ``asked``: names of optional images to build, too. From then on they are in the lock and are kept up to date.
    """
    every = [image for path in sorted(folder.glob("*/images.yml")) for image in declared(path)]
    images = wanted(every, asked, locked_names(state.images_lock))
    mirror.wait_ready(launcher)
    registry = Registry(launcher)
    bases = _Bases(launcher.client, registry)
    # One after the other: images of one application share stages, which the builder then takes from its cache.
    outcomes = [_ensure_image(launcher.client, registry, bases, image) for image in images]
    entries = {
        image.name: {"ref": f"{mirror.NAME}:{mirror.REGISTRY_PORT}/{image.repository}", "tag": tag, "digest": digest}
        for image, (tag, digest, _built) in zip(images, outcomes, strict=True)
    }
    state.write(state.images_lock, yaml.safe_dump({"format": 1, "images": entries}, explicit_start=True), mode=0o644)
    built = sum(1 for *_rest, new in outcomes if new)
    left = ", ".join(image.name for image in every if image not in images)
    return f"{len(images)} wanted, {built} built" + (f"; optional and not asked for: {left}" if left else "")


class _Bases:
    """Base images, looked up once a run; built only when something has to be built on them."""

    def __init__(self, client: Client, registry: Registry) -> None:
        self.client = client
        self.registry = registry
        self._online: bool | None = None
        self._recipes: dict[str, Recipe] = {}

    def recipe(self, name: str) -> Recipe:
        if name not in self._recipes:
            if self._online is None:
                self._online = host_image.registry_answers()
            self._recipes[name] = base_images.wanted_recipe(name, self._online)
        return self._recipes[name]

    def provide(self, name: str) -> str:
        """Build a base image where needed, publish it under its upstream name, return the name to build from."""
        made = base_images.ensure(self.client, name, bool(self._online))
        self._recipes[name] = made
        repository, _, tag = name.partition(":")
        repository = repository if "/" in repository else f"library/{repository}"
        mark = f"recipe-{made.digest}"
        if self.registry.digest(repository, mark) is None or self.registry.digest(repository, tag) is None:
            target = f"{self.registry.push_host}/{repository}"
            for label in (tag or "latest", mark):
                publish(self.client, made.tag, target, label)
        return made.tag


def _ensure_image(client: Client, registry: Registry, bases: _Bases, image: Declared) -> tuple[str, str, bool]:
    """Returns the image's tag, its digest, and whether it was built now."""
    files = context_files(image.context)
    text = (image.context / image.dockerfile).read_text()
    files[image.dockerfile] = FileEntry(text.encode())  # .dockerignore may hide the Dockerfile itself
    recipes = {name: bases.recipe(name).digest for name in dockerfiles.base_images(text)}
    revision = read_revision(REPOSITORY / "apps" / image.app)
    stem = f"{image.version}-{revision.sha}"
    content = content_digest(image, files, recipes, stem)
    tag, mark = image_tag(image.version, revision, content), f"content-{content}"
    digest = registry.digest(image.repository, mark)
    if digest is not None:
        if registry.digest(image.repository, tag) != digest:
            registry.retag(image.repository, mark, tag)
        return tag, digest, False
    with step(f"build {image.name} {tag}", announce=True):
        names = {name: bases.provide(name) for name in recipes}
        rewritten = dockerfiles.label_stages(dockerfiles.rewrite_bases(text, lambda name: names[name]), IMAGE_LABEL)
        files[image.dockerfile] = FileEntry(rewritten.encode())
        local = f"{PREFIX}/{image.repository}:{tag}"
        labels = {
            IMAGE_LABEL: "yes",
            "org.opencontainers.image.version": image.version,
            "org.opencontainers.image.revision": revision.sha or "uncommitted",
        }
        build(
            client,
            image.name,
            local,
            archive(files),
            dockerfile=image.dockerfile,
            target=image.target,
            labels=labels,
            arguments={"VERSION": image.version, "REVISION": tag.removeprefix(f"{image.version}-")},
        )
        target = f"{registry.push_host}/{image.repository}"
        for label in (tag, mark):
            digest = publish(client, local, target, label)
    return tag, str(digest), True
