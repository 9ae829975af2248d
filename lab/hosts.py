"""Starting and removing hosts: containers with systemd, an address, an SSH key and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from typing import Any, TypeVar

from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import ADMIN_USER, LabHost, LabSettings
from lab import cgroups, keys, prerequisites
from lab.errors import LabError
from lab.progress import say
from lab.runtime import (
    LABEL,
    NETWORK,
    PREFIX,
    ROLES,
    APIError,
    Client,
    FileEntry,
    NotFound,
    archive,
    digest_of,
    execute,
    find_container,
    port_open,
    stable_json,
    wait_until,
)
from lab.state import State

SPEC_LABEL = f"{LABEL}.spec"
NAME_LABEL = f"{LABEL}.name"
ADDRESS_LABEL = f"{LABEL}.address"
PREFIX_LABEL = f"{LABEL}.prefix"
BOOT_TIMEOUT = 120
ADMIN_ID = 1000
DOCKER_DATA = "/var/lib/docker"
NODE_DATA = ("/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd")
CGROUP_ROOT = Path("/sys/fs/cgroup")

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Container:
    """A systemd container to be: a host or the mirror."""

    name: str  # host name; the container is called devops-lab-<name>
    address: str
    image: str
    role: str  # fleet, ephemeral or mirror
    debian: str = "13"
    volumes: Mapping[str, str] | None = None  # mount point → volume name, "" for an anonymous one
    ports: Mapping[int, tuple[str, int]] | None = None  # container port → where it is published
    prefix: str = ""

    @property
    def container(self) -> str:
        return f"{PREFIX}-{self.name}"


# A kubelet reads the kernel's messages, which containers have not. A link to /dev/null would not do: units from which
# systemd hides the kernel's log (ProtectKernelLogs) would lose /dev/null itself.
KMSG = b"c /dev/kmsg 0600 root root - 1:3\n"


def host_container(host: LabHost, image: str, role: str = "fleet", prefix: str = "") -> Container:
    # Overlays of nested Docker and containerd do not stand on the container's own: they need volumes, and etcd a disk.
    volumes = dict.fromkeys(((DOCKER_DATA,) if host.docker else ()) + (NODE_DATA if host.kubernetes else ()), "")
    return Container(host.name, host.address, image, role, host.debian, volumes, prefix=prefix)


def routed_through(subnet: str, table: str | None = None) -> str:
    """The interface through which the machine reaches a network of this lab's size that overlaps with `subnet`, or ''.

    Docker knows its own networks only: a VPN's, or a bridge that outlived its daemon, would swallow what is meant for
    the lab. Wider routes do no harm, the lab's is the more specific one. Source: /proc/net/route, addresses in hex,
    least significant byte first.
    """
    wanted = ip_network(subnet)
    if table is None:
        path = Path("/proc/net/route")
        table = path.read_text() if path.exists() else ""
    for row in table.splitlines()[1:]:
        name, destination, mask = (row.split()[column] for column in (0, 1, 7))
        network, netmask = (IPv4Address(int.from_bytes(bytes.fromhex(part), "little")) for part in (destination, mask))
        route = ip_network(f"{network}/{netmask}")
        if route.prefixlen >= wanted.prefixlen and route.overlaps(wanted):
            return name
    return ""


class Launcher:
    """Creates containers with the flags that this machine needs."""

    def __init__(self, client: Client, settings: LabSettings) -> None:
        self.client = client
        self.settings = settings
        mounts = Path("/proc/mounts").read_text()
        self.mode = cgroups.detect(str(client.info().get("CgroupVersion", "")), mounts)
        self.lacking = cgroups.missing_capabilities(prerequisites.daemon_status())

    def describe(self) -> str:
        without = f", without {', '.join(self.lacking)}" if self.lacking else ""
        return f"{self.mode.reason}{without}"

    def ensure_network(self) -> bool:
        """The lab's network with our own addressing; True where it was made."""
        try:
            network = self.client.networks.get(NETWORK)
        except NotFound:
            taken = routed_through(self.settings.subnet)
            if taken:
                raise LabError(
                    f"this machine reaches {self.settings.subnet} through the interface {taken} already, and would "
                    "look for the lab's hosts there",
                    f"choose another private /24 with LAB_SUBNET, or remove the interface if it is a left-over: "
                    f"ip link delete {taken}",
                ) from None
            pool = {
                "Subnet": self.settings.subnet,
                "Gateway": self.settings.gateway,
                "IPRange": self.settings.dynamic_range,
            }
            try:
                self.client.api.create_network(
                    NETWORK, driver="bridge", ipam={"Driver": "default", "Config": [pool]}, labels={LABEL: "network"}
                )
            except APIError as error:
                raise LabError(
                    f"the network {self.settings.subnet} cannot be made: {error.explanation}",
                    "choose another private /24 with LAB_SUBNET",
                ) from error
            return True
        subnet = network.attrs["IPAM"]["Config"][0]["Subnet"]
        if subnet != self.settings.subnet:
            raise LabError(
                f"the lab runs on {subnet}, {self.settings.subnet} is asked for",
                "run `down` first, then `up` with the new LAB_SUBNET",
            )
        return False

    def ensure(self, wanted: Container, files: bytes | None = None) -> str:
        """Make sure that a container runs as wanted; returns created, started or running.

        A container of another make (address, flags, volumes) is replaced, and so is one with other ``files``: it has
        the SSH keys of another checkout, which nobody could enter from here. One from an older image is kept: what is
        installed on it would be lost without being asked for.
        """
        flags = cgroups.run_flags(self.mode, wanted.debian, self.lacking)
        spec = digest_of(stable_json({**asdict(wanted), "image": None, "flags": asdict(flags)}), files or b"")
        existing = find_container(self.client, wanted.container)
        if existing is not None and existing.labels.get(SPEC_LABEL) != spec:
            self.remove([existing])
            existing = None
        if existing is not None:
            if existing.status == "running":
                return "running"
            existing.start()
            return "started"
        identity = self._create(wanted, flags, spec)
        if files is not None:
            self.client.api.put_archive(identity, "/", files)
        self.client.api.start(identity)
        return "created"

    def _create(self, wanted: Container, flags: cgroups.RunFlags, spec: str) -> str:
        mounts = [
            {"Type": "volume", "Target": target, **({"Source": name} if name else {})}
            for target, name in (wanted.volumes or {}).items()
        ]
        api = self.client.api
        host_config = api.create_host_config(
            cap_add=list(flags.cap_add),
            cap_drop=list(flags.cap_drop),
            security_opt=list(flags.security_opt),
            binds=list(flags.binds),
            tmpfs=dict(flags.tmpfs),
            mounts=mounts,
            extra_hosts={"mirror": self.settings.mirror},
            port_bindings=dict(wanted.ports or {}),
            restart_policy={"Name": "no"},
        )
        host_config["CgroupnsMode"] = flags.cgroupns
        if flags.unmask_system_paths:
            # What the command line calls --security-opt systempaths=unconfined: the client's own work, not the API's.
            host_config["MaskedPaths"], host_config["ReadonlyPaths"] = [], []
        endpoint = api.create_endpoint_config(ipv4_address=wanted.address, aliases=[wanted.name])
        labels = {
            LABEL: wanted.role,
            SPEC_LABEL: spec,
            NAME_LABEL: wanted.name,
            ADDRESS_LABEL: wanted.address,
            PREFIX_LABEL: wanted.prefix,
        }
        created = api.create_container(
            wanted.image,
            command=list(flags.command),
            name=wanted.container,
            hostname=wanted.name,
            environment=dict(flags.environment),
            labels=labels,
            host_config=host_config,
            networking_config=api.create_networking_config({NETWORK: endpoint}),
            ports=list(wanted.ports or {}),
        )
        return str(created["Id"])

    def wait_booted(self, name: str) -> str:
        """Wait until systemd has started everything; returns running or degraded (with the failed units)."""
        container = self.client.containers.get(f"{PREFIX}-{name}")
        answer = ""

        def booted() -> bool:
            nonlocal answer
            code, out = container.exec_run(["systemctl", "is-system-running"])
            answer = out.decode(errors="replace").strip()
            if code == 137 or "is not running" in answer:
                logs = container.logs(tail=10).decode(errors="replace")
                raise LabError(f"{name} stopped while booting:\n{logs}", f"try `docker logs {container.name}`")
            return answer in ("running", "degraded")

        wait_until(f"{name} did not boot (systemd says {answer or 'nothing'})", booted, BOOT_TIMEOUT)
        if answer == "degraded":
            failed = execute(container, ["systemctl", "--failed", "--plain", "--no-legend"], "listing failed units")
            units = ", ".join(line.split()[0] for line in failed.splitlines() if line.strip())
            return f"degraded ({units})"
        return answer

    def remove(self, containers: Iterable[Any]) -> list[str]:
        """Remove containers with their anonymous volumes and the cgroup folders they leave; returns host names."""
        containers = list(containers)
        identities = [identity for container in containers for identity in (container.id, *nested_ids(container))]
        parallel(lambda container: container.remove(force=True, v=True), containers)
        remove_cgroup_folders(identities)
        return [container.labels.get(NAME_LABEL, container.name) for container in containers]

    def containers(self, role: str | None = None, prefix: str | None = None) -> list[Any]:
        """The lab's containers, running or not, in the order of their names."""
        labels = [f"{LABEL}={role}" if role else LABEL]
        if prefix is not None:
            labels.append(f"{PREFIX_LABEL}={prefix}")
        found = self.client.containers.list(all=True, filters={"label": labels})
        ours = [container for container in found if container.labels.get(LABEL) in ROLES]
        return sorted(ours, key=lambda container: container.name)


def host_files(state: State, host: LabHost) -> bytes:
    """What is copied into a host before its first start: its SSH host key and the operator's public key.

    A kubelet reads the kernel's messages, and ends where it finds none.
    """
    private, public = keys.ssh_key(state, host.name)
    _operator, operator_public = keys.ssh_key(state)
    ssh_directory = f"/home/{ADMIN_USER}/.ssh"
    return archive(
        {
            "/etc/ssh/ssh_host_ed25519_key": FileEntry(private, 0o600),
            "/etc/ssh/ssh_host_ed25519_key.pub": FileEntry(f"{public}\n".encode()),
            f"{ssh_directory}/authorized_keys": FileEntry(f"{operator_public}\n".encode(), 0o600, ADMIN_ID, ADMIN_ID),
            **({"/etc/tmpfiles.d/kmsg.conf": FileEntry(KMSG)} if host.kubernetes else {}),
        },
        directories={ssh_directory: (0o700, ADMIN_ID)},
    )


def start_hosts(
    launcher: Launcher, state: State, hosts: list[LabHost], images: Mapping[str, str], role: str, prefix: str = ""
) -> dict[str, str]:
    """Start hosts side by side and wait until SSH answers. ``images``: Debian release → image tag.

    Returns host name → created, started or running, with systemd's verdict where that is not plain ``running``.
    """
    keys.ssh_key(state)
    public = {(host.address, host.name): keys.ssh_key(state, host.name)[1] for host in hosts}
    keys.update_known_hosts(state, public)

    def start(host: LabHost) -> str:
        outcome = launcher.ensure(
            host_container(host, images[host.debian], role, prefix), files=host_files(state, host)
        )
        verdict = launcher.wait_booted(host.name)
        wait_until(f"{host.name}: SSH did not answer on {host.address}:22", lambda: port_open(host.address, 22), 30)
        return outcome if verdict == "running" else f"{outcome}, {verdict}"

    outcomes = dict(zip((host.name for host in hosts), parallel(start, hosts), strict=True))
    for name, outcome in outcomes.items():
        if "degraded" in outcome:
            say(f"{name}: {outcome}")
    return outcomes


def parallel(function: Callable[[T], R], items: Iterable[T], workers: int = 10) -> list[R]:
    """Apply a function to items side by side; results keep their order, the first error is raised at the end."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return [future.result() for future in [pool.submit(function, item) for item in items]]


def nested_ids(container: Any) -> list[str]:
    """Ids of the containers inside a host: on cgroup v1 their folders stand beside the host's own."""
    folders = [
        Path(mount.get("Source", "")) / "containers"
        for mount in container.attrs.get("Mounts", [])
        if mount.get("Destination") == DOCKER_DATA
    ]
    try:
        return [path.name for folder in folders if folder.is_dir() for path in folder.iterdir()]
    except OSError:  # not root, so the cgroup folders could not be removed either
        return []


def remove_cgroup_folders(container_ids: list[str], root: Path = CGROUP_ROOT) -> int:
    """Remove the cgroup folders of removed containers, deepest first; returns how many went.

    On cgroup v1 systemd's own folders outlive the container. A folder that still has processes refuses to go: it is
    left alone, as are all folders of other containers.
    """
    names = cgroups.leftover_names(container_ids)
    removed = 0
    for top, folders, _files in os.walk(root):
        for folder in [name for name in folders if name in names]:
            folders.remove(folder)
            for inner, _folders, _names in os.walk(os.path.join(top, folder), topdown=False):
                try:
                    os.rmdir(inner)
                    removed += 1
                except OSError:
                    continue
    return removed
