"""What a cluster finds in the mirror, as far as it needs no container engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab import artifacts, cluster, cluster_images, oci
from lab.errors import LabError
from lab.recipes import find

PROXY = next(each for each in cluster_images.IMAGES if each.name.endswith("/kube-proxy"))
PAUSE = next(each for each in cluster_images.IMAGES if each.name.endswith("/pause"))


def test_a_tarball_is_taken_apart() -> None:
    programs = {"kubelet": b"x", "kubeadm": b"y"}
    assert cluster.contents(artifacts.pack("kubernetes-1.34.4.linux-amd64", programs)) == programs


def test_an_image_is_made_anew_when_what_it_is_made_of_changes() -> None:
    first = cluster.mark(PROXY, "recipe", "base")
    assert first == cluster.mark(PROXY, "recipe", "base")
    assert first.startswith("made-")
    others = {
        cluster.mark(PROXY, "other", "base"),
        cluster.mark(PROXY, "recipe", "other"),
        cluster.mark(replace(PROXY, packages=("iptables",)), "recipe", "base"),
    }
    assert len(others | {first}) == 4
    # One that stands on nothing does not care about what others stand on.
    assert cluster.mark(PAUSE, "recipe", "base") == cluster.mark(PAUSE, "recipe", "other")


def test_packages_are_below_programs() -> None:
    assert cluster_images.dockerfile(PROXY, "base:13").splitlines() == [
        "FROM base:13",
        "RUN apt-get -q update && apt-get -q -y install --no-install-recommends conntrack iptables kmod \\",
        "    && apt-get clean && rm -rf /var/lib/apt/lists/*",
        "COPY files/ /",
        'ENTRYPOINT ["/usr/local/bin/kube-proxy"]',
    ]
    assert "ENTRYPOINT" not in cluster_images.dockerfile(replace(PROXY, entrypoint=()), "base:13")


def test_all_that_is_needed_has_a_recipe() -> None:
    names = [*cluster.NODES, *cluster_images.recipes()]
    assert [find(name).name for name in names] == names
    with pytest.raises(LabError, match="the mirror has no artifact etcd"):
        cluster._entry(artifacts.Lock({}, {}), "etcd")


def test_an_image_may_have_another_name_for_a_while() -> None:
    image = oci.Image("registry.k8s.io/pause:3.10.1", {"/pause": b"x"}, ("/pause",))
    other = oci.renamed(image, "devops-lab/cluster/pause:3.10.1")
    assert oci.write(image, "amd64").manifest == oci.write(other, "amd64").manifest
