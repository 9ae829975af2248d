"""Images without a container engine: read back by what their specification says."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import cluster_images, oci
from lab.errors import LabError
from lab.recipes import find

APP = oci.Image("registry.k8s.io/pause:3.10.1", {"/pause": b"program"}, ("/pause",), "65535:65535")


def contents(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = {}
        for member in tar.getmembers():
            file = tar.extractfile(member)
            if file:
                found[member.name] = file.read()
        return found


def read(archive: bytes) -> list[tuple[str, dict[str, Any], list[bytes]]]:
    """(name, config, layers) of each image; every descriptor must hold."""
    files = contents(archive)
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}

    def blob(descriptor):
        content = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
        assert oci.digest(content) == descriptor["digest"]
        assert len(content) == descriptor["size"]
        return content

    found = []
    for descriptor in json.loads(files["index.json"])["manifests"]:
        manifest = json.loads(blob(descriptor))
        config = json.loads(blob(manifest["config"]))
        layers = [blob(each) for each in manifest["layers"]]
        assert config["rootfs"]["diff_ids"] == [oci.digest(each) for each in layers]
        assert manifest["mediaType"] == descriptor["mediaType"]
        found.append((descriptor["annotations"]["io.containerd.image.name"], config, layers))
    return found


def test_an_image_is_what_its_specification_says():
    [(name, config, layers)] = read(oci.archive([APP], "amd64"))
    assert name == "registry.k8s.io/pause:3.10.1"
    assert config["config"] == {"Entrypoint": ["/pause"], "Env": [f"PATH={oci.PATH}"], "User": "65535:65535"}
    assert (config["architecture"], config["os"]) == ("amd64", "linux")
    assert contents(layers[0]) == {"pause": b"program"}
    with tarfile.open(fileobj=io.BytesIO(layers[0])) as tar:
        assert [(each.mode, each.uid, each.mtime) for each in tar.getmembers()] == [(0o755, 0, 0)]


def test_docker_is_told_the_same_in_its_own_way():
    files = contents(oci.archive([APP], "amd64"))
    [saved] = json.loads(files["manifest.json"])
    assert saved["RepoTags"] == [APP.name]
    assert contents(files[saved["Layers"][0]]) == {"pause": b"program"}
    assert json.loads(files[saved["Config"]])["config"]["Entrypoint"] == ["/pause"]


def test_layers_below_come_first_and_are_kept_once():
    base = oci.layer({"/usr/sbin/iptables": b"x"})
    images = [oci.Image(f"a.example/{name}:1", {f"/opt/{name}": b"y"}, base=(base,)) for name in ("b", "a")]
    made = oci.archive(images, "arm64")
    assert [name for name, _config, _layers in read(made)] == ["a.example/a:1", "a.example/b:1"]
    assert all(layers[0] == base and len(layers) == 2 for _name, _config, layers in read(made))
    assert list(contents(made).values()).count(base) == 1


@given(st.dictionaries(st.from_regex(r"(/[a-z]{1,4}){1,3}", fullmatch=True), st.binary(max_size=20), max_size=4))
def test_equal_files_are_equal_bytes_in_any_order(programs):
    folders = {path for path in programs if any(other.startswith(f"{path}/") for other in programs)}
    leaves = {path: content for path, content in programs.items() if path not in folders}
    made = oci.archive([oci.Image("a.example/a:1", leaves)], "amd64")
    assert made == oci.archive([oci.Image("a.example/a:1", dict(reversed(leaves.items())))], "amd64")
    [(_name, _config, layers)] = read(made)
    assert contents(layers[0]) == {path.lstrip("/"): content for path, content in leaves.items()}


@pytest.mark.parametrize(
    ("name", "repository", "tag"),
    [
        ("registry.k8s.io/coredns/coredns:v1.12.1", "coredns/coredns", "v1.12.1"),
        ("a.example:5000/b:1", "b", "1"),
    ],
)
def test_names_are_taken_apart(name, repository, tag):
    assert (oci.repository_of(name), oci.tag_of(name)) == (repository, tag)
    with pytest.raises(ValueError, match="has no tag"):
        oci.tag_of("a.example:5000/b")


@pytest.mark.parametrize("wanted", cluster_images.IMAGES, ids=lambda wanted: wanted.name)
def test_images_of_a_cluster_are_made_of_what_recipes_give(wanted):
    programs = dict.fromkeys(find(wanted.recipe).programs if wanted.recipe else (), b"x")
    made = cluster_images.image(wanted, "1.2.3", programs, (oci.layer({}),) if wanted.packages else ())
    assert oci.tag_of(made.name)
    assert set(made.programs) == set(wanted.programs)
    if not wanted.recipe:
        return
    with pytest.raises(LabError, match=r"which .* is made of"):
        cluster_images.image(wanted, "1.2.3", {})
    if wanted.packages:
        with pytest.raises(LabError, match="and there are none"):
            cluster_images.image(wanted, "1.2.3", programs)
