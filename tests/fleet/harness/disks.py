"""Small disks of their own for the lab's hosts, which tests may fill: the machine's own is left alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lab.runtime import PREFIX as CONTAINER_PREFIX
from tests.fleet.harness.fleet import Fleet

DEVICE = "/dev/small"  # inside the host; nothing can be mounted from its other folders


def add_disk(fleet: Fleet, host: str, where: str, megabytes: int) -> None:
    """Mount an empty disk at ``where``. Mounts do not reach services that run already: start those anew."""
    image = fleet.folder / f"{host}.img"
    with image.open("wb") as handle:
        handle.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    device = subprocess.run(
        ["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True
    ).stdout.strip()
    major, minor = (part.strip() for part in Path(f"/sys/block/{Path(device).name}/dev").read_text().split(":"))
    inside = ["nsenter", "--target", str(_pid(host)), "--mount", "sh", "-euc"]
    script = f"mkdir -p {where}; rm -f {DEVICE}; mknod {DEVICE} b {major} {minor}; mount {DEVICE} {where}"
    subprocess.run([*inside, script], check=True)
    # From now on the loop device lives as long as the mount does, which ends with the host at the latest.
    subprocess.run(["losetup", "--detach", device], check=True)


def remove_disk(fleet: Fleet, host: str, where: str) -> None:
    fleet.attempt(host, "umount", where)


def _pid(host: str) -> int:
    shown = ["docker", "inspect", "--format", "{{.State.Pid}}", f"{CONTAINER_PREFIX}-{host}"]
    return int(subprocess.run(shown, check=True, capture_output=True, text=True).stdout)
