"""Programs from Go modules: really built, and cAdvisor started as the role exporters starts it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.platform.exporters import exporter_components
from lab import REPOSITORY, artifacts, gobuild, unpacked
from lab.recipes import FOLDER, RECIPES, Recipe, find
from lab.state import State

ROLES = REPOSITORY / "collections/ansible_collections/devops/platform/roles"
# What is said of cAdvisor's series stands in these.
READERS = (ROLES / "prometheus/files/rules/containers.yml", ROLES / "grafana/files/dashboards/containers.json")
LIMITED = {"container_cpu_cfs_throttled_seconds_total"}  # only of containers with a limit on their processors

pytestmark = pytest.mark.timeout(2400)


@pytest.fixture(scope="module", params=RECIPES, ids=lambda recipe: recipe.name)
def built(request: pytest.FixtureRequest) -> tuple[Recipe, str, str, dict[str, bytes]]:
    recipe: Recipe = request.param
    return recipe, *gobuild.build(recipe, State())


@pytest.fixture(scope="module")
def cadvisor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    version, arch, programs = gobuild.build(find("cadvisor"), State())
    tarball = artifacts.pack(artifacts.release_name("cadvisor", version, arch), programs)
    return unpacked._unpack(tarball, tmp_path_factory.mktemp("programs") / "cadvisor") / "cadvisor"


def test_the_same_comes_out_elsewhere(built: tuple[Recipe, str, str, dict[str, bytes]], tmp_path: Path) -> None:
    """Of another folder, with nothing compiled before; only the downloads are shared."""
    recipe, version, arch, programs = built
    shutil.copytree(FOLDER / recipe.folder, tmp_path / "elsewhere" / recipe.folder)
    state = State(tmp_path / "state")
    state.go.mkdir(parents=True)
    (state.go / "modules").symlink_to(State().go / "modules")
    again = gobuild.build(recipe, state, tmp_path / "elsewhere")
    assert (version, arch) == again[:2]
    assert {name: hashlib.sha256(content).hexdigest() for name, content in again[2].items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in programs.items()
    }
    root = artifacts.release_name(recipe.name, version, arch)
    assert artifacts.pack(root, programs) == artifacts.pack(root, again[2])


def test_it_says_its_version(cadvisor: Path) -> None:
    said = subprocess.run([cadvisor, "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"github.com/google/cadvisor v(\S+)", (FOLDER / "cadvisor" / "go.mod").read_text())
    assert version
    assert said.stdout == f"cAdvisor version v{version[1]} (lab)\n"


@contextmanager
def started(program: Path, log: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A cAdvisor with the arguments that the role gives it, on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    platform = {
        "docker": {"groups": ["app"]},
        "monitoring": {"group": "monitoring", "exporters": {"cadvisor": {"version": "1", "port": port}}},
    }
    [component] = exporter_components(platform, "app1", {"all": ["app1"], "app": ["app1"]}, {}, {})
    arguments = component["unit"]["exec"].split()[1:]
    with log.open("wb") as stream:
        process = subprocess.Popen([program, *arguments, "--listen_ip=127.0.0.1"], stdout=stream, stderr=stream)
    try:
        yield f"http://127.0.0.1:{port}", process
        process.terminate()
        assert process.wait(20) == 0, log.read_text()[-2000:]
    finally:
        process.kill()
        process.wait()


def metrics(address: str, process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{address}/metrics", timeout=30) as answer:
                text = answer.read().decode()
            if "container_memory_working_set_bytes{" in text:
                return text
        except OSError:
            pass
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.5)


@pytest.mark.skipif(os.geteuid() != 0, reason="cAdvisor reads control groups as root")
def test_it_knows_the_roles_arguments_and_shows_what_is_read(cadvisor: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with started(cadvisor, log) as (address, process):
        text = metrics(address, process, log)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/containers/", timeout=10)
    shown = set(re.findall(r"^([a-z_]+)[{ ]", text, re.MULTILINE))
    read = {name for path in READERS for name in re.findall(r"container_[a-z_]+", path.read_text())}
    assert read > LIMITED
    assert read - LIMITED <= shown
    assert "cadvisor_version_info" in shown  # what the role's probe looks for
    assert set(re.findall(r'cpu="([^"]*)"', text)) == {"total"}
