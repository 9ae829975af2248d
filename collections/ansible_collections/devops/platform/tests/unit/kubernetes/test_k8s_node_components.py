"""What a node is given, and containerd's files."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import components, playbook, toml
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes.settings import RESOLVERS

ROLE = Path(__file__).resolve().parents[3] / "roles/kubernetes_node"
SETTINGS = {"version": "1.34.4", "images": "registry.k8s.io", "mirrors": {"docker.io": "http://mirror:5000/"}}
GROUPS = {"all": ["c1", "w1"], "servers": ["c1"], "workers": ["w1"]}
ADDRESSES = {"c1": "192.0.2.1", "w1": "192.0.2.11"}


def made(parts=components.PARTS, **settings):
    return {one["name"]: one for one in components.node_components({**SETTINGS, **settings}, parts)}


def test_each_part_is_a_component_of_its_own():
    assert list(made()) == [
        "kubernetes_kernel",
        "containerd",
        "cni_plugins",
        "kubeadm",
        "kubectl",
        "helm",
        "kubelet",
        "etcd_snapshot",
        "etcd_tools",
    ]
    assert list(made(["tools"])) == ["kubeadm", "kubectl", "helm"]
    assert list(made(["kubelet"])) == ["kubelet"]
    with pytest.raises(ValueError, match="a node has no part 'kublet'; there are: runtime, tools, kubelet, snapshots"):
        made(["kublet"])


def test_the_kubelet_of_no_cluster_waits_and_is_well(tmp_path):
    assert made()["kubelet"]["probe"]["command"][-1] == "/etc/devops-platform/probe-kubelet"
    text = (ROLE / "files/probe-kubelet").read_text()
    for configured, code in ((tmp_path / "none", 0), (tmp_path, 1)):
        program = text.replace("/var/lib/kubelet/config.yaml", str(configured)).replace(":10248", ":1")
        done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == code, done


def test_the_kubelet_starts_when_kubeadm_has_written_its_configuration(tmp_path):
    (tmp_path / "kubelet").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "kubelet").chmod(0o755)
    (tmp_path / "kubeadm-flags.env").write_text('KUBELET_KUBEADM_ARGS="--node-ip=192.0.2.1 --v=2"\n')
    text = (ROLE / "files/start-kubelet").read_text().replace("/var/lib/kubelet", str(tmp_path))
    with subprocess.Popen(
        ["/bin/sh", "-c", text, "start-kubelet", str(tmp_path / "kubelet")], stdout=subprocess.PIPE, text=True
    ) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
        (tmp_path / "config.yaml").write_text("kind: KubeletConfiguration\n")
        said, _error = process.communicate(timeout=10)
    assert said.split() == [
        f"--config={tmp_path}/config.yaml",
        "--kubeconfig=/etc/kubernetes/kubelet.conf",
        "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
        "--node-ip=192.0.2.1",
        "--v=2",
    ]


def test_the_kubelet_is_a_unit_of_ours():
    assert made()["kubelet"]["unit"]["exec"].split() == ["/etc/devops-platform/start-kubelet", "{release}/kubelet"]
    assert made(kubelet_cgroup_root="kube-w1")["kubelet"]["unit"]["exec"].endswith(" kube-w1")
    assert made()["kubelet"]["unit"]["options"]["Service"]["KillMode"] == "process"


def test_plugins_come_from_a_release_or_from_debian():
    assert "containernetworking-plugins" in components.packages({})
    assert "containernetworking-plugins" not in components.packages({"cni_plugins": "1.9.1"})
    links = {file["path"]: file["link"] for file in made()["cni_plugins"]["files"]}
    assert links["/opt/cni/bin/bridge"] == "/usr/lib/cni/bridge"
    released = made(cni_plugins="1.9.1")["cni_plugins"]
    assert released["release"] == {"artifact": "cni_plugins", "version": "1.9.1"}
    assert released["files"][0]["link"].startswith("/opt/devops-platform/cni_plugins/current/")


def test_pods_may_be_led_to_other_name_servers():
    assert len(made()["kubelet"]["files"]) == 2
    file = made(resolvers=["192.0.2.53", "2001:db8::53"])["kubelet"]["files"][2]
    assert (file["path"], file["content"]) == (RESOLVERS, "nameserver 192.0.2.53\nnameserver 2001:db8::53\n")


def test_helm_goes_where_it_is_not_wanted():
    assert made()["helm"] == {"name": "helm", "state": "absent"}
    assert made(helm="3.22.0")["helm"]["release"]["version"] == "3.22.0"


@pytest.mark.parametrize(
    ("given", "runc", "cri"),
    [
        ({}, {"SystemdCgroup": True}, {"restrict_oom_score_adj": False, "disable_apparmor": False}),
        (
            {"systemd_cgroup": False, "restrict_oom_score_adj": True, "disable_apparmor": True},
            {"SystemdCgroup": False},
            {"restrict_oom_score_adj": True, "disable_apparmor": True},
        ),
    ],
)
def test_containerd_is_told(given, runc, cri):
    read = tomllib.loads(components.containerd_config({**SETTINGS, "containerd": given}))
    plugin = read["plugins"]["io.containerd.grpc.v1.cri"]
    assert read["version"] == 2
    assert plugin["containerd"]["runtimes"]["runc"]["options"] == runc
    assert {key: plugin[key] for key in cri} == cri
    assert plugin["sandbox_image"] == "registry.k8s.io/pause:3.10.1"
    assert plugin["cni"] == {"bin_dir": "/opt/cni/bin", "conf_dir": "/etc/cni/net.d"}
    assert plugin["registry"] == {"config_path": "/etc/containerd/certs.d"}


def test_a_mirror_is_asked_first():
    # It is read at each pull: containerd goes on as it is.
    assert [file["on_change"] for file in made()["containerd"]["files"] if "certs.d" in file["path"]] == ["none"]
    assert [one["path"] for one in made()["containerd"]["directories"]] == [
        "/etc/containerd/certs.d",
        "/etc/containerd/certs.d/docker.io",
    ]
    files = {file["path"]: file["content"] for file in made()["containerd"]["files"]}
    assert tomllib.loads(files["/etc/containerd/certs.d/docker.io/hosts.toml"]) == {
        "server": "https://registry-1.docker.io",
        "host": {"http://mirror:5000": {"capabilities": ["pull", "resolve"]}},
    }
    assert 'server = "https://ghcr.io"' in components.registry_hosts("ghcr.io", "https://mirror.example")
    with pytest.raises(ValueError, match=r"the mirror of ghcr\.io, 'mirror:5000', is no address"):
        components.registry_hosts("ghcr.io", "mirror:5000")


def test_a_node_keeps_its_version_and_a_new_one_has_the_wanted():
    platform = {
        "name": "chat",
        "kubernetes": {
            "cluster": {
                "version": "1.34.4",
                "control_plane": "servers",
                "workers": "workers",
                "helm": "3.22.0",
                "cgroup_root": "kube",
            }
        },
    }
    look = {"joined": True, "version": "1.34.3", "attempt": ""}

    def told(host, look=None):
        return playbook.node_settings(platform, host, GROUPS, ADDRESSES, look)

    assert told("w1", look)["version"] == "1.34.3"
    assert told("w1")["version"] == "1.34.4"
    assert told("w1", {**look, "attempt": "join"})["version"] == "1.34.4"
    assert (told("c1")["helm"], told("w1")["helm"]) == ("3.22.0", "")
    assert told("w1")["kubelet_cgroup_root"] == "kube-w1"
    assert playbook.pod_interfaces(platform, "w1", GROUPS) == ["cni0", "flannel.1"]
    assert playbook.pod_interfaces(platform, "other", GROUPS) == []
    assert playbook.pod_interfaces({}, "w1", GROUPS) == []


keys = st.text(min_size=1, max_size=8)
scalars = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(max_size=12))
values = st.recursive(
    st.one_of(scalars, st.lists(scalars, max_size=3)), lambda inner: st.dictionaries(keys, inner, max_size=3)
)


@given(st.dictionaries(keys, values, max_size=4))
def test_toml_is_read_back_as_it_was(data):
    assert tomllib.loads(toml.text(data)) == data


@pytest.mark.parametrize("value", [None, 1.5, [{"a": 1}]])
def test_what_toml_is_not_written_of_is_named(value):
    with pytest.raises(ValueError, match=r"^a\.b: "):
        toml.text({"a": {"b": value}})
