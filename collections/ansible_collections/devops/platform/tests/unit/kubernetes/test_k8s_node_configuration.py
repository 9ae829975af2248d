"""What kubeadm is told."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes import configuration, settings
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError

GROUPS = {"all": ["c1", "c2", "w1"], "servers": ["c1", "c2"], "workers": ["w1"]}
ADDRESSES = {"c1": "192.0.2.1", "c2": "192.0.2.2", "w1": "192.0.2.11"}
TOKEN = "abcdef.0123456789abcdef"
KEY = "0" * 64


def platform(**cluster):
    given = {"version": "1.34.4", "control_plane": "servers", "workers": "workers", **cluster}
    return {"name": "chat", "kubernetes": {"cluster": given}}


def told(host="c1", action="init", role="control_plane", **cluster):
    made = configuration.kubeadm_config(platform(**cluster), host, action, role, GROUPS, ADDRESSES)
    assert json.loads(json.dumps(made)) == made
    return {document["kind"]: document for document in made}


def test_a_cluster_is_made_with_defaults():
    made = told()
    assert list(made) == ["InitConfiguration", "ClusterConfiguration", "KubeletConfiguration", "KubeProxyConfiguration"]
    assert made["InitConfiguration"]["localAPIEndpoint"] == {"advertiseAddress": "192.0.2.1", "bindPort": 6443}
    assert made["InitConfiguration"]["nodeRegistration"] == {
        "name": "c1",
        "criSocket": "unix:///run/containerd/containerd.sock",
        "kubeletExtraArgs": [{"name": "node-ip", "value": "192.0.2.1"}],
    }
    cluster = made["ClusterConfiguration"]
    assert cluster["controlPlaneEndpoint"] == "192.0.2.1:6443"
    assert cluster["kubernetesVersion"] == "v1.34.4"
    assert cluster["networking"] == {"podSubnet": "10.244.0.0/16", "serviceSubnet": "10.96.0.0/12"}
    assert cluster["apiServer"]["certSANs"] == ["192.0.2.1"]
    assert made["KubeletConfiguration"]["cgroupDriver"] == "systemd"


@pytest.mark.parametrize(
    ("cluster", "kind", "path", "value"),
    [
        ({"endpoint": "api.example:443"}, "ClusterConfiguration", ("apiServer", "certSANs"), ["api.example"]),
        ({"endpoint": "[2001:db8::1]:443"}, "ClusterConfiguration", ("apiServer", "certSANs"), ["2001:db8::1"]),
        ({"certificate_names": ["a"]}, "ClusterConfiguration", ("apiServer", "certSANs"), ["192.0.2.1", "a"]),
        ({"name": "eu"}, "ClusterConfiguration", ("clusterName",), "eu"),
        ({"images": "mirror.example/k8s"}, "ClusterConfiguration", ("imageRepository",), "mirror.example/k8s"),
        ({"kubelet": {"failSwapOn": False}}, "KubeletConfiguration", ("failSwapOn",), False),
        ({"kubelet": {"cgroupDriver": "cgroupfs"}}, "KubeletConfiguration", ("cgroupDriver",), "cgroupfs"),
        ({"resolvers": ["192.0.2.53"]}, "KubeletConfiguration", ("resolvConf",), settings.RESOLVERS),
        ({"proxy": {"conntrack": {"min": 0}}}, "KubeProxyConfiguration", ("conntrack", "min"), 0),
        (
            {"ignore_preflight": ["NumCPU"]},
            "InitConfiguration",
            ("nodeRegistration", "ignorePreflightErrors"),
            ["NumCPU"],
        ),
        (
            {"cgroup_root": "kube", "kubelet_arguments": {"v": "2", "node-labels": "host={node}"}},
            "InitConfiguration",
            ("nodeRegistration", "kubeletExtraArgs"),
            [
                {"name": "cgroup-root", "value": "/kube-c1"},
                {"name": "node-ip", "value": "192.0.2.1"},
                {"name": "node-labels", "value": "host=c1"},
                {"name": "v", "value": "2"},
            ],
        ),
    ],
)
def test_settings_reach_their_place(cluster, kind, path, value):
    found = told(**cluster)[kind]
    for key in path:
        found = found[key]
    assert found == value


def test_a_worker_joins_without_a_control_plane_and_a_server_with_one():
    worker = told("w1", "join", "worker")["JoinConfiguration"]
    assert "controlPlane" not in worker
    assert worker["discovery"] == {"bootstrapToken": {"apiServerEndpoint": "192.0.2.1:6443"}}
    server = told("c2", "join")["JoinConfiguration"]
    assert server["controlPlane"] == {"localAPIEndpoint": {"advertiseAddress": "192.0.2.2", "bindPort": 6443}}


def test_secrets_are_filled_in_where_they_belong_and_nowhere_else():
    documents = list(told().values())
    filled = configuration.with_token(documents, TOKEN, KEY)
    assert TOKEN not in json.dumps(documents)
    assert filled[0]["bootstrapTokens"][0]["token"] == TOKEN
    assert filled[0]["bootstrapTokens"][0]["ttl"] == "900s"
    assert filled[0]["certificateKey"] == KEY
    assert filled[1:] == documents[1:]
    join = list(told("c2", "join").values())
    invitation = {"token": TOKEN, "authority": "ab" * 32, "certificate_key": KEY}
    [made] = configuration.invited(join, invitation)
    assert made["discovery"]["bootstrapToken"]["caCertHashes"] == [f"sha256:{'ab' * 32}"]
    assert made["controlPlane"]["certificateKey"] == KEY
    assert made["controlPlane"]["localAPIEndpoint"]["advertiseAddress"] == "192.0.2.2"


@pytest.mark.parametrize(
    ("role", "invitation", "message"),
    [
        ("worker", {"token": "", "authority": "a"}, "has no token"),
        ("worker", {"token": TOKEN, "authority": ""}, "no digest of the cluster's authority"),
        ("control_plane", {"token": TOKEN, "authority": "a", "certificate_key": "x"}, "has no key of the certificates"),
    ],
)
def test_half_an_invitation_is_refused(role, invitation, message):
    with pytest.raises(ValueError, match=message):
        configuration.invited(list(told("c2", "join", role).values()), invitation)


@pytest.mark.parametrize(
    ("given", "host", "action", "message"),
    [
        ({"provider": "eks"}, "c1", "init", "no cluster whose nodes are ours"),
        ({"control_plane": "nobody"}, "c1", "init", "'nobody'"),
        ({"control_plane": "empty"}, "c1", "init", "a group without hosts"),
        ({}, "c9", "init", "host 'c9' has no address"),
        ({}, "c1", "upgrade", "no configuration for 'upgrade'"),
    ],
)
def test_what_cannot_be_is_refused(given, host, action, message):
    with pytest.raises(PlatformError, match=message):
        configuration.kubeadm_config(platform(**given), host, action, "worker", {**GROUPS, "empty": []}, ADDRESSES)


def test_settings_have_defaults_and_ignore_what_is_of_later():
    wanted = settings.cluster(
        platform(snapshots={"directory": "/s", "version": "3.6.5", "keep": 3}, upgrade={"parallel": "25%"}),
        GROUPS,
        ADDRESSES,
    )
    assert wanted.snapshots == settings.Snapshots("/s", "3.6.5", keep=3)
    assert wanted.upgrade == settings.Upgrade("25%", 300)
    assert wanted.groups == ("servers", "workers")
    assert configuration.api_server(wanted) == "https://192.0.2.1:6443"
    assert yaml.safe_load(yaml.safe_dump(configuration.init_documents(wanted, "c1", "192.0.2.1")))
