"""The application's images: confined users, health checks, what they are made of, and that a second build is equal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from lab.dockerfiles import base_images
from tests.chat.harness.alone import AGAIN, APP, Alone
from tests.chat.harness.trees import Tree, differences, read_tree

IMAGES = ("api", "websocket", "web", "pgadmin")
# What each image must name, of each kind that it has.
NAMED: Mapping[str, tuple[str, ...]] = {
    "api": ("pkg:deb/debian/libc6@", "pkg:pypi/flask@", "pkg:pypi/chat@"),
    "websocket": ("pkg:deb/debian/libc6@", "pkg:pypi/flask-socketio@", "pkg:pypi/chat@"),
    "web": ("pkg:deb/debian/libc6@", "pkg:npm/react@", "pkg:npm/socket.io-client@"),
    "pgadmin": ("pkg:deb/debian/libc6@", "pkg:pypi/pgadmin4@"),
}
SECRETS = re.compile(r"(?i)(password|secret|token|credential)[a-z_]*=\S|BEGIN [A-Z ]*PRIVATE KEY")


@cache
def _tree(alone: Alone, image: str) -> Tree:
    values = tuple(value.encode() for value in alone.secrets().values())
    return read_tree(alone.client, image, "usr/share/sbom", values)


@pytest.fixture(params=IMAGES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def config(alone: Alone, name: str) -> dict[str, Any]:
    return dict(alone.client.images.get(alone.image(name)).attrs["Config"])


def _bill(alone: Alone, name: str) -> dict[str, Any]:
    data = _tree(alone, alone.image(name)).contents[f"usr/share/sbom/chat-{name}.cdx.json"]
    return dict(json.loads(data))


def test_it_does_not_run_as_root(config: dict[str, Any]) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", config["User"])


def test_it_says_how_it_is(config: dict[str, Any]) -> None:
    assert config["Healthcheck"]["Test"][0] == "CMD"


def test_it_says_what_it_is(config: dict[str, Any], name: str) -> None:
    assert config["Labels"]["org.opencontainers.image.title"] == f"chat-{name}"


def test_its_user_can_write_nothing_of_it(alone: Alone, config: dict[str, Any], name: str) -> None:
    """It needs no writable root, and where it has one, its code stays as it was built."""
    uid, gid = (int(number) for number in config["User"].split(":"))
    tree = _tree(alone, alone.image(name))
    own = [path for path, node in tree.nodes.items() if uid == node.owner[0] or gid == node.owner[1]]
    assert not own
    loose = [path for path, node in tree.nodes.items() if node.kind == "file" and node.mode & 0o002]
    assert not loose


def test_its_base_images_are_pinned() -> None:
    for path in (APP / "Dockerfile", APP / "pgadmin" / "Dockerfile"):
        for base in base_images(path.read_text()):
            assert ":" in base, f"{path}: {base} has no tag"
            assert not base.endswith(":latest")


def test_no_secret_is_in_it_or_its_history(alone: Alone, config: dict[str, Any], name: str) -> None:
    history = alone.client.images.get(alone.image(name)).history()
    steps = [*(entry["CreatedBy"] for entry in history), *config["Env"], *(config["Labels"] or {}).values()]
    assert not [step for step in steps if SECRETS.search(step)]
    assert _tree(alone, alone.image(name)).holding == ()


def test_it_holds_only_what_runs(alone: Alone, name: str) -> None:
    paths = _tree(alone, alone.image(name)).nodes
    left = re.compile(r"(^|/)(node_modules|\.git|\.npm|requirements[^/]*\.lock|uv\.lock|package-lock\.json)$")
    venv = re.compile(r"^opt/venv/(bin/pip|lib/python3[^/]*/site-packages/pip/)")
    assert not [path for path in paths if left.search(path) or venv.search(path)]


def test_its_bill_of_materials_is_valid(alone: Alone, name: str) -> None:
    data = _tree(alone, alone.image(name)).contents[f"usr/share/sbom/chat-{name}.cdx.json"]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(data.decode()) is None
    bill = _bill(alone, name)
    assert bill["metadata"]["component"]["name"] == f"chat-{name}"
    addresses = [component.get("purl", "") for component in bill["components"]]
    for start in NAMED[name]:
        assert [address for address in addresses if address.startswith(start)], start


def test_its_bill_of_materials_names_all_that_is_installed(alone: Alone, name: str) -> None:
    """Against what dpkg itself says in a container, and the folders of Python's distributions in the tree."""
    image = alone.image(name)
    listed = alone.client.containers.run(
        image, ["dpkg-query", "--show", "--showformat", r"${Package} ${Version}\n"], entrypoint=[], remove=True
    )
    debian = {tuple(line.split(" ")) for line in listed.decode().splitlines()}
    components = _bill(alone, name)["components"]
    named = {
        kind: [item for item in components if item.get("purl", "").startswith(f"pkg:{kind}/")]
        for kind in ("deb", "pypi")
    }
    assert {(item["name"], item["version"]) for item in named["deb"]} == debian
    infos = [
        re.fullmatch(r"opt/venv/lib/[^/]+/site-packages/([^/]+)-([^-/]+)\.dist-info", path)
        for path in _tree(alone, image).nodes
    ]
    python = {(_plain(found[1]), found[2]) for found in infos if found}
    assert {(_plain(item["name"]), item["version"]) for item in named["pypi"]} == python
    assert bool(python) == (name != "web")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_a_second_build_without_cache_gives_the_same(alone: Alone) -> None:
    """Paths, kinds, modes, owners, links and contents; only times may differ. Also how the image is to be run."""
    again = f"{alone.project}{AGAIN}"
    try:
        alone.compose("build", "--no-cache", "api", "web", project=again)
        for name in ("api", "web"):
            first, second = (_tree(alone, alone.image(name, project)) for project in ("", again))
            assert list(differences(first.nodes, second.nodes)) == []
            assert len(first.nodes) > 1000
            one, other = (
                alone.client.images.get(alone.image(name, project)).attrs["Config"] for project in ("", again)
            )
            for key in ("User", "Env", "Cmd", "Entrypoint", "WorkingDir", "Healthcheck", "ExposedPorts", "StopSignal"):
                assert one.get(key) == other.get(key), key
    finally:
        for name in ("api", "web"):
            if alone.client.images.list(alone.image(name, again)):
                alone.client.images.remove(alone.image(name, again))
