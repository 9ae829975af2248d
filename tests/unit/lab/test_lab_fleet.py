from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.lab_fleet import (
    LabSettings,
    LabSettingsError,
    host_variables,
    inventory_data,
    plan_cluster,
    plan_ephemeral,
    plan_hosts,
    resolve_settings,
)
from lab.fleet import HostStatus, surplus, table, wanted_hosts
from lab.hosts import host_container


def test_default_fleet() -> None:
    hosts = plan_hosts(LabSettings())
    assert [(host.name, host.address, host.groups) for host in hosts] == [
        ("edge1", "172.30.0.10", ("edge",)),
        ("app1", "172.30.0.101", ("app",)),
        ("app2", "172.30.0.102", ("app",)),
        ("data1", "172.30.0.20", ("data",)),
        ("mon1", "172.30.0.30", ("monitoring",)),
    ]
    assert [host.name for host in hosts if host.docker] == ["app1", "app2"]


def test_a_cluster_stands_beside_the_fleet() -> None:
    hosts = plan_cluster(LabSettings())
    assert [(host.name, host.address, host.groups) for host in hosts] == [
        ("kube-server1", "172.30.0.40", ("kubernetes_servers",)),
        ("kube-worker1", "172.30.0.41", ("kubernetes_workers",)),
        ("kube-worker2", "172.30.0.42", ("kubernetes_workers",)),
    ]
    assert wanted_hosts(LabSettings()) == plan_hosts(LabSettings())
    assert wanted_hosts(LabSettings(kubernetes=True))[-3:] == hosts
    volumes = host_container(hosts[0], "image").volumes
    assert volumes == {"/var/lib/containerd": "", "/var/lib/kubelet": "", "/var/lib/etcd": ""}


@pytest.mark.parametrize(
    ("saved", "environment", "expected"),
    [
        ({}, {"LAB_KUBERNETES": "1"}, LabSettings(kubernetes=True)),
        ({"kubernetes": True}, {"LAB_KUBERNETES": "0"}, LabSettings()),
        ({"kubernetes": True}, {}, LabSettings(kubernetes=True)),
        ({}, {}, LabSettings()),
        ({"app_hosts": 5}, {}, LabSettings(app_hosts=5)),
        ({"app_hosts": 5}, {"LAB_APP_HOSTS": "10"}, LabSettings(app_hosts=10)),
        ({"app_hosts": 5}, {"LAB_APP_HOSTS": " "}, LabSettings(app_hosts=5)),
        ({"log_hosts": 1}, {}, LabSettings(log_hosts=1)),
        ({"log_hosts": 1}, {"LAB_LOG_HOSTS": "0"}, LabSettings()),
        ({}, {"LAB_SUBNET": "10.9.8.0/24"}, LabSettings(subnet="10.9.8.0/24")),
        ({}, {"LAB_REGISTRY_PORT": "5050"}, LabSettings(registry_port=5050)),
    ],
)
def test_settings(saved: dict[str, object], environment: dict[str, str], expected: LabSettings) -> None:
    assert resolve_settings(saved, environment) == expected


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"LAB_APP_HOSTS": "0"}, ["LAB_APP_HOSTS", "'0'", "1 to 80"]),
        ({"LAB_APP_HOSTS": "many"}, ["LAB_APP_HOSTS", "'many'"]),
        ({"LAB_LOG_HOSTS": "6"}, ["LAB_LOG_HOSTS", "'6'", "0 to 5"]),
        ({"LAB_SUBNET": "8.8.8.0/24"}, ["LAB_SUBNET", "private /24"]),
        ({"LAB_SUBNET": "10.0.0.0/16"}, ["LAB_SUBNET", "private /24"]),
        ({"LAB_SUBNET": "10.0.0.7/24"}, ["LAB_SUBNET", "host bits"]),
        ({"LAB_REGISTRY_PORT": "70000"}, ["LAB_REGISTRY_PORT", "65535"]),
    ],
)
def test_wrong_settings_are_named(environment: dict[str, str], words: list[str]) -> None:
    with pytest.raises(LabSettingsError) as caught:
        resolve_settings({}, environment)
    assert all(word in str(caught.value) for word in words)


@given(st.integers(1, 79), st.integers(0, 4))
def test_growing_only_adds_hosts(count: int, logs: int) -> None:
    small = plan_hosts(LabSettings(app_hosts=count, log_hosts=logs))
    large = plan_hosts(LabSettings(app_hosts=count + 1, log_hosts=logs + 1))
    assert set(small) < set(large)
    assert len({host.address for host in large}) == len(large)


@given(st.sets(st.integers(1, 254)), st.integers(1, 59))
def test_short_lived_hosts_get_free_addresses(taken: set[int], count: int) -> None:
    settings = LabSettings()
    used = {settings.address(offset) for offset in taken} | {host.address for host in plan_hosts(settings)}
    free = {settings.address(offset) for offset in range(181, 240)} - used
    if count > len(free):
        with pytest.raises(LabSettingsError, match="addresses are free"):
            plan_ephemeral(settings, "bench", count, used)
        return
    hosts = plan_ephemeral(settings, "bench", count, used, debian="12")
    addresses = {host.address for host in hosts}
    assert len(addresses) == count
    assert not addresses & used
    assert {host.debian for host in hosts} == {"12"}


def test_variables_survive_a_path_with_spaces() -> None:
    host = plan_hosts(LabSettings())[0]
    variables = host_variables(host, "/a b/state")
    arguments = shlex.split(variables["ansible_ssh_common_args"])
    assert "UserKnownHostsFile=/a b/state/known_hosts" in arguments
    assert "StrictHostKeyChecking=yes" in arguments


def test_inventory_of_short_lived_hosts() -> None:
    hosts = plan_ephemeral(LabSettings(), "bench-db", 2, [])
    data = inventory_data(hosts, "/state")
    assert list(data["all"]["hosts"]) == ["bench-db1", "bench-db2"]
    assert list(data["all"]["children"]) == ["bench_db"]
    assert data["all"]["hosts"]["bench-db1"]["ansible_host"] == "172.30.0.181"


def test_surplus() -> None:
    assert surplus(plan_hosts(LabSettings(app_hosts=1)), ["edge1", "app3", "app2", "app1"]) == ["app2", "app3"]


def test_table_is_aligned() -> None:
    lines = table([HostStatus("edge1", "edge", "10.0.0.10", "running", "debian 13")]).splitlines()
    assert lines[0].index("ADDRESS") == lines[1].index("10.0.0.10")
