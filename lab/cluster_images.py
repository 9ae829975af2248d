"""Images of a cluster, made of programs from Go modules, for machines that reach no image registry.

They are called as kubeadm and the add-ons ask for them, and hold what those rely on: programs on PATH, at upstream's
places. What needs more than a program, such as iptables, stands on layers made from Debian packages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab.errors import LabError
from lab.oci import Image

BIN = "/usr/local/bin"


@dataclass(frozen=True)
class ClusterImage:
    """``programs``: path in the image → program of ``recipe``. ``tag`` may hold ``{version}``, the recipe's.

    ``packages``: Debian's, for the layers below; none for an image that holds programs and nothing else. One without a
    recipe holds packages alone.
    """

    name: str
    recipe: str
    programs: Mapping[str, str]
    tag: str = "v{version}"
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    packages: tuple[str, ...] = ()


def _part(name: str, packages: tuple[str, ...] = ()) -> ClusterImage:
    return ClusterImage(
        f"registry.k8s.io/{name}",
        "kubernetes",
        {f"{BIN}/{name}": name},
        entrypoint=(f"{BIN}/{name}",),
        packages=packages,
    )


IPTABLES = ("conntrack", "iptables", "kmod")
IMAGES = (
    _part("kube-apiserver"),
    _part("kube-controller-manager"),
    _part("kube-scheduler"),
    _part("kube-proxy", IPTABLES),
    ClusterImage("registry.k8s.io/pause", "kubernetes", {"/pause": "pause"}, "3.10.1", ("/pause",), "65535:65535"),
    ClusterImage(
        "registry.k8s.io/etcd",
        "etcd",
        {f"{BIN}/{name}": name for name in ("etcd", "etcdctl", "etcdutl")},
        "{version}-0",
    ),
    ClusterImage("registry.k8s.io/coredns/coredns", "coredns", {"/coredns": "coredns"}, entrypoint=("/coredns",)),
    ClusterImage(
        "registry.k8s.io/metrics-server/metrics-server",
        "metrics_server",
        {"/metrics-server": "metrics-server"},
        entrypoint=("/metrics-server",),
        user="65534",
    ),
    ClusterImage(
        "ghcr.io/flannel-io/flannel",
        "flannel",
        {"/opt/bin/flanneld": "flanneld"},
        entrypoint=("/opt/bin/flanneld",),
        packages=IPTABLES,
    ),
    ClusterImage(
        "ghcr.io/flannel-io/flannel-cni-plugin", "flannel_cni", {"/flannel": "flannel"}, packages=("coreutils",)
    ),
    ClusterImage(
        "docker.io/rancher/local-path-provisioner",
        "local_path_provisioner",
        {"/usr/bin/local-path-provisioner": "local-path-provisioner"},
        entrypoint=("local-path-provisioner",),
    ),
    # What local-path-provisioner makes directories with.
    ClusterImage("docker.io/library/busybox", "", {}, "1.37.0", packages=("busybox-static",)),
    ClusterImage("docker.io/library/traefik", "traefik", {f"{BIN}/traefik": "traefik"}, entrypoint=(f"{BIN}/traefik",)),
)


def image(wanted: ClusterImage, version: str, programs: Mapping[str, bytes], base: tuple[bytes, ...] = ()) -> Image:
    """The image as it is written, of a recipe's programs in that version."""
    missing = sorted(set(wanted.programs.values()) - set(programs))
    if missing:
        raise LabError(f"the recipe {wanted.recipe} gives no {missing[0]}, which {wanted.name} is made of")
    if wanted.packages and not base:
        raise LabError(f"{wanted.name} stands on layers with {', '.join(wanted.packages)}, and there are none")
    content = {path: programs[name] for path, name in wanted.programs.items()}
    return Image(f"{wanted.name}:{wanted.tag.format(version=version)}", content, wanted.entrypoint, wanted.user, base)


def recipes(chosen: Callable[[ClusterImage], bool] = lambda _image: True) -> list[str]:
    """The recipes that images are made of, each once, in the order of the list."""
    return list(dict.fromkeys(each.recipe for each in IMAGES if each.recipe and chosen(each)))


def dockerfile(wanted: ClusterImage, base: str) -> str:
    """How an image with packages is built on ``base``; its programs lie in ``files``, at their places."""
    lines = [
        f"FROM {base}",
        f"RUN apt-get -q update && apt-get -q -y install --no-install-recommends {' '.join(wanted.packages)} \\",
        "    && apt-get clean && rm -rf /var/lib/apt/lists/*",
        "COPY files/ /",
    ]
    if wanted.entrypoint:
        lines.append(f"ENTRYPOINT {json.dumps(list(wanted.entrypoint))}")
    return "\n".join(lines) + "\n"
