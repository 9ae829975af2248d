"""What a node is given before it joins: kernel, containerd, CNI plugins, and Kubernetes' own programs. Pure.

Each is a component of its own, for they change at different times: an upgrade takes kubeadm first, and the kubelet
when its node is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.devops.platform.plugins.module_utils.monitoring.storage import PROGRAMS as PROGRAMS_OF_OURS
from ansible_collections.devops.platform.plugins.module_utils.monitoring.storage import declaration

from . import toml
from .settings import ETCD_PORTS, REGISTRY, RESOLVERS
from .snapshots import FAMILY

Component = dict[str, Any]

RUNTIME, TOOLS, KUBELET, SNAPSHOTS = "runtime", "tools", "kubelet", "snapshots"
PARTS = (RUNTIME, TOOLS, KUBELET, SNAPSHOTS)
PROGRAMS = "/etc/devops-platform"
PLUGINS = "/opt/cni/bin"
DEBIAN_PLUGINS = "/usr/lib/cni"
PLUGIN_NAMES = ("bandwidth", "bridge", "firewall", "host-local", "loopback", "portmap", "ptp", "tuning")
ETCD_PKI = "/etc/kubernetes/pki/etcd"
PAUSE = "3.10.1"
CRI = "io.containerd.grpc.v1.cri"
PACKAGES = ("conntrack", "containerd", "ethtool", "iproute2", "iptables", "kmod", "runc", "socat")
SYSCTL = {
    "net.ipv4.ip_forward": 1,
    # Only where the module is there: without it no packet of a bridge is filtered, or lost.
    "-net.bridge.bridge-nf-call-iptables": 1,
    "-net.bridge.bridge-nf-call-ip6tables": 1,
}
MODULES = ("br_netfilter", "overlay")


def packages(settings: Mapping[str, Any]) -> list[str]:
    """Debian's packages that a node needs; CNI plugins among them where no release of them is named."""
    return sorted({*PACKAGES, *(() if settings.get("cni_plugins") else ("containernetworking-plugins",))})


def node_components(settings: Mapping[str, Any], parts: Sequence[str] = PARTS) -> list[Component]:
    """Components for `devops.platform.component`, in the order in which they need each other.

    `settings`: `{name, version, images, mirrors, cni_plugins, helm, containerd, kubelet_cgroup_root, resolvers,
    snapshots, sources}`; `sources` are the controller's paths of what makes snapshots: `{snapshots, backup}`.
    ValueError for a part that there is not.
    """
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise ValueError(f"a node has no part '{unknown[0]}'; there are: {', '.join(PARTS)}")
    made: list[Component] = []
    if RUNTIME in parts:
        made += [_kernel(), _containerd(settings), _plugins(settings)]
    if TOOLS in parts:
        made += [_tool(name, settings["version"]) for name in ("kubeadm", "kubectl")]
        made.append(_tool("helm", settings["helm"]) if settings.get("helm") else {"name": "helm", "state": "absent"})
    if KUBELET in parts:
        made.append(_kubelet(settings))
    if SNAPSHOTS in parts:
        made += _snapshots(settings)
    return made


def _kernel() -> Component:
    return {
        "name": "kubernetes_kernel",
        "files": [
            {
                "path": "/etc/modules-load.d/kubernetes.conf",
                "content": "".join(f"{name}\n" for name in MODULES),
                "on_change": "restart",
            },
            {
                "path": f"{PROGRAMS}/sysctl-kubernetes.conf",
                "content": "".join(f"{key} = {value}\n" for key, value in SYSCTL.items()),
                "live": "sysctl",
            },
            {"path": f"{PROGRAMS}/prepare-kernel", "source": "prepare-kernel", "mode": "0755"},
        ],
        "unit": {
            "description": "Kernel settings of Kubernetes",
            "type": "oneshot",
            "exec": f"{PROGRAMS}/prepare-kernel",
            "hardening": "none",
            "after": ["base_sysctl.service", "systemd-modules-load.service"],
        },
    }


def _containerd(settings: Mapping[str, Any]) -> Component:
    mirrors = settings.get("mirrors") or {}
    return {
        "name": "containerd",
        "packages": ["containerd", "runc"],
        "directories": [
            {"path": path, "mode": "0755"}
            for path in ("/etc/containerd/certs.d", *(f"/etc/containerd/certs.d/{name}" for name in sorted(mirrors)))
        ],
        "files": [
            {
                "path": "/etc/containerd/config.toml",
                "content": containerd_config(settings),
                "validate": "/usr/bin/containerd --config %s config dump",
            },
            *(
                {
                    "path": f"/etc/containerd/certs.d/{registry}/hosts.toml",
                    "content": registry_hosts(str(registry), str(mirrors[registry])),
                    "on_change": "none",  # read at each pull
                }
                for registry in sorted(mirrors)
            ),
        ],
        "service": {"name": "containerd"},
        "probe": {"command": ["/usr/bin/ctr", "version"], "contains": "Server:", "timeout": 30},
    }


def containerd_config(settings: Mapping[str, Any]) -> str:
    """containerd's own file. `settings.containerd`: `{systemd_cgroup, restrict_oom_score_adj, disable_apparmor}`."""
    given = settings.get("containerd") or {}
    return "# Managed by devops.platform.\n" + toml.text(
        {
            "version": 2,
            "plugins": {
                CRI: {
                    "sandbox_image": f"{settings.get('images') or REGISTRY}/pause:{PAUSE}",
                    "restrict_oom_score_adj": bool(given.get("restrict_oom_score_adj", False)),
                    "disable_apparmor": bool(given.get("disable_apparmor", False)),
                    "cni": {"bin_dir": PLUGINS, "conf_dir": "/etc/cni/net.d"},
                    "containerd": {
                        "runtimes": {
                            "runc": {
                                "runtime_type": "io.containerd.runc.v2",
                                "options": {"SystemdCgroup": bool(given.get("systemd_cgroup", True))},
                            }
                        }
                    },
                    "registry": {"config_path": "/etc/containerd/certs.d"},
                }
            },
        }
    )


def registry_hosts(registry: str, mirror: str) -> str:
    """A mirror is asked first, the registry itself where that has not what is wanted."""
    scheme = urlsplit(mirror).scheme
    if scheme not in ("http", "https"):
        raise ValueError(f"the mirror of {registry}, '{mirror}', is no address such as https://mirror.example")
    server = "https://registry-1.docker.io" if registry == "docker.io" else f"https://{registry}"
    return "# Managed by devops.platform.\n" + toml.text(
        {"server": server, "host": {mirror.rstrip("/"): {"capabilities": ["pull", "resolve"]}}}
    )


def _plugins(settings: Mapping[str, Any]) -> Component:
    version = str(settings.get("cni_plugins") or "")
    folder = "/opt/devops-platform/cni_plugins/current" if version else DEBIAN_PLUGINS
    return {
        "name": "cni_plugins",
        **({"release": {"artifact": "cni_plugins", "version": version}} if version else {}),
        **({} if version else {"packages": ["containernetworking-plugins"]}),
        "directories": [{"path": PLUGINS, "mode": "0755"}],
        # Network plugins bring further ones into this folder, which are theirs.
        "files": [
            {"path": f"{PLUGINS}/{name}", "link": f"{folder}/{name}", "on_change": "none"} for name in PLUGIN_NAMES
        ],
    }


def _resolvers(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where pods ask for names that are not the cluster's, where that is not where their node asks."""
    addresses = settings.get("resolvers") or ()
    content = "".join(f"nameserver {address}\n" for address in addresses)
    return [{"path": RESOLVERS, "content": content, "on_change": "restart"}] if addresses else []


def _snapshots(settings: Mapping[str, Any]) -> list[Component]:
    """etcd's programs, and the timer that takes copies of it; they go where none are wanted."""
    given = settings.get("snapshots") or {}
    if not given:
        return [{"name": "etcd_snapshot", "state": "absent"}, {"name": "etcd_tools", "state": "absent"}]
    textfile = str(given.get("textfile_directory") or "")
    arguments = {
        "endpoint": f"https://127.0.0.1:{ETCD_PORTS[0]}",
        "directory": given["directory"],
        "name": settings["name"],
        "authority": f"{ETCD_PKI}/ca.crt",
        "certificate": f"{ETCD_PKI}/healthcheck-client.crt",
        "key": f"{ETCD_PKI}/healthcheck-client.key",
        "keep": given["keep"],
        **({"metrics": f"{textfile}/etcd_backup.prom"} if textfile else {}),
    }
    program = f"{PROGRAMS_OF_OURS}/etcd_snapshot"
    words = ["/usr/bin/python3 -I", program, *(f"--{key}={value}" for key, value in arguments.items())]
    tools = _tool("etcd", given["version"])
    return [
        {**tools, "name": "etcd_tools", "expose": ["etcdctl", "etcdutl"]},
        {
            "name": "etcd_snapshot",
            "directories": [
                {"path": program, "mode": "0755"},
                # All Secrets of the cluster are in them.
                {"path": str(given["directory"]), "mode": "0700", "data": True},
            ],
            # A directory with __main__.py is a program, and what lies beside that can be imported by it.
            "files": [
                {"path": f"{program}/backup.py", "source": settings["sources"]["backup"], "on_change": "none"},
                {"path": f"{program}/__main__.py", "source": settings["sources"]["snapshots"], "on_change": "none"},
                *declaration(textfile, given["max_age"], FAMILY),
            ],
            "unit": {
                "description": "Snapshot of etcd",
                "type": "oneshot",
                "timer": {"calendar": str(given["at"])},
                "exec": " ".join(words),
                "hardening": "strict",
                "capabilities": ["CAP_DAC_OVERRIDE"],
                "writable": [str(given["directory"]), *([textfile] if textfile else [])],
                "options": {
                    "Unit": {"ConditionPathExists": f"{ETCD_PKI}/healthcheck-client.key"},
                    "Service": {"Nice": 19, "IOSchedulingClass": "idle"},
                },
            },
        },
    ]


def _tool(name: str, version: Any) -> Component:
    return {"name": name, "release": {"artifact": name, "version": str(version)}, "expose": [name]}


def _kubelet(settings: Mapping[str, Any]) -> Component:
    root = str(settings.get("kubelet_cgroup_root") or "")
    return {
        **_tool("kubelet", settings["version"]),
        "directories": [
            {"path": "/var/lib/kubelet", "mode": "0750", "data": True},
            {"path": "/etc/kubernetes/manifests", "mode": "0700", "data": True},
        ],
        "files": [
            {"path": f"{PROGRAMS}/start-kubelet", "source": "start-kubelet", "mode": "0755"},
            {"path": f"{PROGRAMS}/probe-kubelet", "source": "probe-kubelet", "on_change": "none"},
            *_resolvers(settings),
        ],
        "unit": {
            "description": "Kubernetes' agent on this node",
            "exec": " ".join([f"{PROGRAMS}/start-kubelet", "{release}/kubelet", *([root] if root else [])]),
            "hardening": "none",  # what it starts are containers
            "restart": "always",
            "after": ["network-online.target", "containerd.service", "kubernetes_kernel.service"],
            # A restart leaves the pods alone.
            "options": {"Service": {"KillMode": "process", "CPUAccounting": "true", "MemoryAccounting": "true"}},
        },
        "probe": {"command": ["/usr/bin/python3", "-I", f"{PROGRAMS}/probe-kubelet"], "timeout": 120},
    }
