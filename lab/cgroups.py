"""How a container must be started so that systemd boots in it, as pure data.

Two worlds: on cgroup v1 (and hybrid, which is v1 for every controller) the container shares the machine's cgroup tree;
on v2 it gets a namespace of its own. Only v1 has been run by this project's tests; the v2 flags are unit-tested data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# The kernel's capability numbers, from linux/capability.h. Docker knows them by these names.
_NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
CAPABILITIES = tuple(_NAMES.split())

SYSTEMD_VERSION = {"12": 252, "13": 257}
FIRST_SYSTEMD_WITHOUT_V1 = 256


@dataclass(frozen=True)
class CgroupMode:
    """``version`` is 1 or 2; ``name`` is v1, hybrid or v2; ``reason`` says how that was found."""

    version: int
    name: str
    reason: str


@dataclass(frozen=True)
class RunFlags:
    """What Docker's API takes, beyond image, name and network."""

    cgroupns: str
    cap_add: tuple[str, ...]
    cap_drop: tuple[str, ...]
    security_opt: tuple[str, ...]
    binds: tuple[str, ...]
    command: tuple[str, ...]
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    unmask_system_paths: bool = True


def detect(docker_version: str, mounts: str) -> CgroupMode:
    """Tell the cgroup version from ``docker info``'s CgroupVersion ("1", "2" or "") and the text of /proc/mounts.

    Docker's word decides, because its daemon sets up the containers; the mounts tell hybrid from v1, and decide where
    an old daemon does not say.
    """
    types = {
        fields[1]: fields[2]
        for fields in (line.split() for line in mounts.splitlines())
        if len(fields) > 2 and fields[1].startswith("/sys/fs/cgroup")
    }
    if docker_version not in ("1", "2"):
        docker_version = "2" if types.get("/sys/fs/cgroup") == "cgroup2" else "1"
        source = "/proc/mounts"
    else:
        source = "docker info"
    if docker_version == "2":
        return CgroupMode(2, "v2", f"{source} says cgroup v2: private cgroup namespace")
    hybrid = any(kind == "cgroup2" for kind in types.values())
    name = "hybrid" if hybrid else "v1"
    return CgroupMode(1, name, f"{source} says cgroup v1 ({name}): the machine's cgroup tree is shared")


def missing_capabilities(status: str) -> tuple[str, ...]:
    """Capabilities that the Docker daemon's bounding set lacks, from the text of its /proc/PID/status.

    ``cap_add ALL`` asks for every capability and fails where the daemon itself lacks one.
    """
    for line in status.splitlines():
        if line.startswith("CapBnd:"):
            mask = int(line.split()[1], 16)
            # A kernel older than the list has fewer bits: nothing above its highest set bit counts as lacking.
            known = CAPABILITIES[: mask.bit_length()]
            return tuple(name for bit, name in enumerate(known) if not mask >> bit & 1)
    return ()


def run_flags(mode: CgroupMode, debian: str, lacking: tuple[str, ...] = ()) -> RunFlags:
    """The flags for a host of a Debian release ("12" or "13")."""
    environment = {"container": "docker"}
    tmpfs = {"/run": "exec,mode=755", "/run/lock": "mode=1777", "/tmp": "exec,mode=1777"}  # noqa: S108
    command: tuple[str, ...] = ("/sbin/init",)
    binds: tuple[str, ...] = ()
    if mode.version == 2:
        cgroupns = "private"
        # Docker mounts the container's own cgroup tree read-only; systemd needs to write there.
        command = ("/bin/sh", "-c", "mount -o remount,rw /sys/fs/cgroup && exec /sbin/init")
    else:
        cgroupns = "host"
        binds = ("/sys/fs/cgroup:/sys/fs/cgroup:rw",)
        if SYSTEMD_VERSION[debian] >= FIRST_SYSTEMD_WITHOUT_V1:
            environment["SYSTEMD_PROC_CMDLINE"] = (
                "systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"
            )
    return RunFlags(
        cgroupns=cgroupns,
        cap_add=("ALL",),
        cap_drop=lacking,
        security_opt=("seccomp=unconfined", "apparmor=unconfined"),
        binds=binds,
        command=command,
        tmpfs=tmpfs,
        environment=environment,
    )


def leftover_names(container_ids: list[str]) -> frozenset[str]:
    """Names of the cgroup folders that belong to containers: Docker's two drivers name them differently."""
    return frozenset(name for identity in container_ids for name in (identity, f"docker-{identity}.scope"))
