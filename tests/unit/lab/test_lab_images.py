from __future__ import annotations

from pathlib import Path

import pytest

from lab import base_images
from lab.dockerfiles import base_images as bases_of
from lab.dockerfiles import label_stages, normalise, rewrite_bases
from lab.errors import LabError
from lab.host_image import Recipe, host_recipe, rootfs_recipe
from lab.images import Declared, Revision, content_digest, context_files, declared, image_tag, locked_names, wanted
from lab.runtime import FileEntry, archive

DOCKERFILE = """\
# FROM comment:1
FROM python:3.13-slim AS build
RUN echo FROM nothing
FROM --platform=linux/amd64 docker.io/library/nginx:1.26 as web
COPY --from=build /x /x
COPY --chown=1:1 --from=alpine:3 /y /y
FROM Build
FROM scratch
"""


def test_bases_are_the_images_from_outside() -> None:
    assert bases_of(DOCKERFILE) == ["python:3.13-slim", "nginx:1.26", "alpine:3"]


def test_every_stage_is_labelled() -> None:
    labelled = label_stages("FROM a:1 AS x\nRUN true\nFROM x\n", "mine")
    assert labelled == "FROM a:1 AS x\nLABEL mine=yes\nRUN true\nFROM x\nLABEL mine=yes\n"


def test_rewriting_touches_nothing_else() -> None:
    rewritten = rewrite_bases(DOCKERFILE, lambda image: f"lab/{image}")
    expected = (
        DOCKERFILE.replace("FROM python:3.13-slim", "FROM lab/python:3.13-slim")
        .replace("docker.io/library/nginx", "lab/nginx")
        .replace("alpine:3", "lab/alpine:3")
    )
    assert rewritten == expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("docker.io/library/python:3.13-slim", "python:3.13-slim"),
        ("library/nginx", "nginx"),
        ("ghcr.io/a/b:1", "ghcr.io/a/b:1"),
    ],
)
def test_normalise(image: str, expected: str) -> None:
    assert normalise(image) == expected


@pytest.mark.parametrize(
    ("revision", "expected"),
    [
        (Revision("abc1234", False), "1.0.0-abc1234"),
        (Revision("abc1234", True), "1.0.0-abc1234-dirty-0123456789"),
        (Revision(None, True), "1.0.0-uncommitted-dirty-0123456789"),
        (Revision(None, False), "1.0.0-uncommitted-dirty-0123456789"),
    ],
)
def test_image_tag(revision: Revision, expected: str) -> None:
    assert image_tag("1.0.0", revision, "0123456789abcdef") == expected


def _app(root: Path, text: str) -> Path:
    folder = root / "chat"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "images.yml").write_text(text)
    return folder / "images.yml"


def test_declared(tmp_path: Path) -> None:
    path = _app(tmp_path, "version: 1.0.0\nimages:\n  chat-api: {target: api}\n  tool: {}\n")
    api, tool = declared(path)
    assert (api.repository, api.target, api.version, api.context) == ("chat/api", "api", "1.0.0", path.parent)
    assert tool.repository == "chat/tool"
    assert not api.optional


def test_an_optional_image_is_built_where_it_was_asked_for(tmp_path: Path) -> None:
    images = declared(_app(tmp_path, "version: 1.0.0\nimages: {chat-api: {}, chat-tool: {optional: true}}\n"))

    def names(asked: set[str], locked: set[str]) -> list[str]:
        return [image.name for image in wanted(images, asked, locked)]

    assert names(set(), set()) == ["chat-api"]
    assert names({"chat-tool"}, set()) == ["chat-api", "chat-tool"]
    assert names(set(), {"chat-api", "chat-tool"}) == ["chat-api", "chat-tool"], "asked for once, kept up to date"
    assert names({"chat-api"}, {"gone"}) == ["chat-api"]
    with pytest.raises(LabError, match="chat-tolo") as caught:
        wanted(images, {"chat-tolo"}, set())
    assert "chat-api, chat-tool" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, set()),
        ("", set()),
        ("format: 1\nimages: {}\n", set()),
        ("format: 1\nimages: {a: {tag: x}, b: {}}\n", {"a", "b"}),
    ],
)
def test_names_of_the_lock(tmp_path: Path, text: str | None, names: set[str]) -> None:
    path = tmp_path / "images.lock.yml"
    if text is not None:
        path.write_text(text)
    assert locked_names(path) == names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("images: {}\n", ["'version'"]),
        ("version: 1\nimages: {a: {tagret: api}}\n", ["images.a", "'tagret'"]),
        ("version: 1\nimages: {a: {dockerfile: Missing}}\n", ["images.a", "Missing"]),
        ("version: 1\nimages: {a: {optional: maybe}}\n", ["images.a.optional", "true or false"]),
        ("version: [\n", ["images.yml"]),
    ],
)
def test_wrong_declarations_are_named(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(LabError) as caught:
        declared(_app(tmp_path, text))
    assert all(word in str(caught.value) for word in words)


def test_context_leaves_out_what_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("# tests\ntests\n*.pyc\n")
    (tmp_path / "tests").mkdir()
    for name in ("tests/test_a.py", "a.pyc", "a.py", "run.sh"):
        (tmp_path / name).write_text("x")
    (tmp_path / "run.sh").chmod(0o700)
    files = context_files(tmp_path)
    assert {name: entry.mode for name, entry in files.items()} == {
        ".dockerignore": 0o644,
        "a.py": 0o644,
        "run.sh": 0o755,
    }


def test_content_digest_follows_everything_that_matters(tmp_path: Path) -> None:
    image = Declared("chat-api", "chat", "1.0.0", tmp_path, "Dockerfile", "api")
    files = {"a": FileEntry(b"1")}
    digests = {
        content_digest(image, files, {"python": "x"}, "1.0.0-abc"),
        content_digest(image, {"a": FileEntry(b"2")}, {"python": "x"}, "1.0.0-abc"),
        content_digest(image, {"a": FileEntry(b"1", 0o755)}, {"python": "x"}, "1.0.0-abc"),
        content_digest(image, files, {"python": "y"}, "1.0.0-abc"),
        content_digest(image, files, {"python": "x"}, "1.0.0-def"),
    }
    assert len(digests) == 5
    assert content_digest(image, dict(files), {"python": "x"}, "1.0.0-abc") in digests


def test_a_change_below_changes_every_recipe_above() -> None:
    plain, trusting = rootfs_recipe("13", {}), rootfs_recipe("13", {"ca.crt": b"x"})
    assert plain.digest != trusting.digest
    assert host_recipe("13", plain).digest != host_recipe("13", trusting).digest
    assert base_images.recipe("nginx:1.26", plain).digest != base_images.recipe("nginx:1.26", trusting).digest


def test_contexts_are_the_same_for_equal_recipes() -> None:
    entries = {"/b": FileEntry(b"2"), "/a": FileEntry(b"1")}
    assert Recipe("t", "FROM x", entries).context() == Recipe("t", "FROM x", dict(reversed(entries.items()))).context()
    assert archive(entries) == archive(dict(reversed(entries.items())))


def test_an_unknown_base_image_is_named() -> None:
    with pytest.raises(LabError, match=r"haskell:9") as caught:
        base_images.wanted_recipe("haskell:9", registry=False)
    assert "lab/base_images.py" in str(caught.value)
    assert base_images.wanted_recipe("haskell:9", registry=True).dockerfile.startswith("FROM haskell:9\n")
