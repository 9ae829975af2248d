"""Images written without a container engine, taken in by a containerd of this test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import components
from lab import cluster_images, gobuild, oci


@pytest.fixture
def ctr(tmp_path: Path) -> Iterator[list[str]]:
    """How a containerd that nobody else uses is asked; it runs nothing."""
    if os.geteuid() != 0 or not shutil.which("containerd") or not shutil.which("ctr"):
        pytest.skip("needs root, containerd and ctr")
    (tmp_path / "config.toml").write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
    socket = tmp_path / "socket"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "containerd",
                f"--config={tmp_path}/config.toml",
                f"--root={tmp_path}/root",
                f"--state={tmp_path}/state",
                f"--address={socket}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        end = time.monotonic() + 20
        while not socket.exists():
            assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
            assert time.monotonic() < end
            time.sleep(0.1)
        yield ["ctr", f"--address={socket}", "--namespace=k8s.io"]
    finally:
        process.terminate()
        process.wait(20)


def test_they_are_imported_under_their_names(ctr: list[str], tmp_path: Path) -> None:
    wanted = [each for each in cluster_images.IMAGES if each.name.endswith(("/pause", "/etcd"))]
    made = [
        cluster_images.image(each, "3.6.5", {program: program.encode() for program in each.programs.values()})
        for each in wanted
    ]
    (tmp_path / "images.tar").write_bytes(oci.archive(made, gobuild.architecture()))
    subprocess.run(
        [*ctr, "images", "import", "--no-unpack", str(tmp_path / "images.tar")], check=True, capture_output=True
    )
    done = subprocess.run([*ctr, "images", "list", "--quiet"], check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) == {"registry.k8s.io/pause:3.10.1", "registry.k8s.io/etcd:3.6.5-0"}
    # All that their manifests name is there.
    done = subprocess.run([*ctr, "images", "check"], check=True, capture_output=True, text=True)
    assert done.stdout.count("complete (") == 2, done.stdout


@pytest.mark.parametrize(
    "given", [{}, {"systemd_cgroup": False, "restrict_oom_score_adj": True, "disable_apparmor": True}]
)
def test_containerd_takes_its_configuration(tmp_path: Path, given: dict[str, bool]) -> None:
    """The command that the component has before the file goes live."""
    if not shutil.which("containerd"):
        pytest.skip("needs containerd")
    path = tmp_path / "config.toml"
    path.write_text(components.containerd_config({"images": "registry.k8s.io", "containerd": given}))
    command = ["containerd", "--config", str(path), "config", "dump"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    plugin = tomllib.loads(done.stdout)["plugins"]["io.containerd.grpc.v1.cri"]
    assert plugin["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is given.get("systemd_cgroup", True)
    assert plugin["restrict_oom_score_adj"] is given.get("restrict_oom_score_adj", False)
    assert plugin["cni"]["bin_dir"] == "/opt/cni/bin"
    assert plugin["registry"]["config_path"] == "/etc/containerd/certs.d"
