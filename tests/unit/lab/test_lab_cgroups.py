from __future__ import annotations

from pathlib import Path

import pytest

from lab.cgroups import CAPABILITIES, CgroupMode, detect, leftover_names, missing_capabilities, run_flags
from lab.hosts import remove_cgroup_folders

V1_MOUNTS = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
HYBRID_MOUNTS = V1_MOUNTS + "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
V2_MOUNTS = "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n"


@pytest.mark.parametrize(
    ("docker", "mounts", "version", "name", "source"),
    [
        ("1", V1_MOUNTS, 1, "v1", "docker info"),
        ("1", HYBRID_MOUNTS, 1, "hybrid", "docker info"),
        ("2", V2_MOUNTS, 2, "v2", "docker info"),
        ("", V2_MOUNTS, 2, "v2", "/proc/mounts"),
        ("", HYBRID_MOUNTS, 1, "hybrid", "/proc/mounts"),
        ("", "", 1, "v1", "/proc/mounts"),
        ("2", HYBRID_MOUNTS, 2, "v2", "docker info"),  # the daemon runs elsewhere: its word counts
    ],
)
def test_detect(docker: str, mounts: str, version: int, name: str, source: str) -> None:
    mode = detect(docker, mounts)
    assert (mode.version, mode.name) == (version, name)
    assert source in mode.reason


@pytest.mark.parametrize(
    ("version", "debian", "legacy_forced"),
    [(1, "13", True), (1, "12", False), (2, "13", False), (2, "12", False)],
)
def test_flags_by_version_and_release(version: int, debian: str, legacy_forced: bool) -> None:
    flags = run_flags(CgroupMode(version, "x", "x"), debian, ("SYS_RESOURCE",))
    assert ("SYSTEMD_PROC_CMDLINE" in flags.environment) is legacy_forced
    assert flags.cap_add == ("ALL",)
    assert flags.cap_drop == ("SYS_RESOURCE",)
    assert set(flags.tmpfs) == {"/run", "/run/lock", "/tmp"}
    if version == 1:
        assert flags.cgroupns == "host"
        assert flags.binds == ("/sys/fs/cgroup:/sys/fs/cgroup:rw",)
        assert flags.command == ("/sbin/init",)
    else:
        # Never the machine's tree: systemd would take it for its own.
        assert flags.cgroupns == "private"
        assert flags.binds == ()
        assert "remount,rw /sys/fs/cgroup" in flags.command[-1]
        assert flags.command[-1].endswith("exec /sbin/init")


def test_unknown_release_has_no_flags() -> None:
    with pytest.raises(KeyError):
        run_flags(CgroupMode(1, "v1", ""), "11")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Name:\tdockerd\nCapBnd:\t000001fffeffffff\n", ("SYS_RESOURCE",)),
        ("CapBnd:\t000001ffffffffff\n", ()),
        ("CapBnd:\t0000003fffffffff\n", ()),  # an older kernel with 38 capabilities
        ("", ()),  # the daemon cannot be seen
    ],
)
def test_missing_capabilities(status: str, expected: tuple[str, ...]) -> None:
    assert missing_capabilities(status) == expected


def test_capabilities_stand_at_their_numbers() -> None:
    assert [CAPABILITIES[number] for number in (0, 12, 21, 24, 40)] == [
        "CHOWN",
        "NET_ADMIN",
        "SYS_ADMIN",
        "SYS_RESOURCE",
        "CHECKPOINT_RESTORE",
    ]


def test_only_folders_of_our_containers_go(tmp_path: Path) -> None:
    for folder in ("memory/docker/aaa/system.slice/x.service", "systemd/system.slice/docker-aaa.scope/init.scope"):
        (tmp_path / folder).mkdir(parents=True)
    other = tmp_path / "memory/docker/bbb/init.scope"
    other.mkdir(parents=True)
    assert leftover_names(["aaa"]) == {"aaa", "docker-aaa.scope"}
    assert remove_cgroup_folders(["aaa"], tmp_path) == 5
    assert other.is_dir()
    assert not (tmp_path / "memory/docker/aaa").exists()
    assert not (tmp_path / "systemd/system.slice/docker-aaa.scope").exists()
