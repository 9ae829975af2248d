"""A node as a component: heap, configuration, users, roles, unit."""

from __future__ import annotations

import bcrypt
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import nodes, program, settings
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError

from .documented import ADDRESSES, GROUPS, PASSWORDS, TLS, platform


def component(host: str = "log1", memory: int = 8192, **server):
    return nodes.elasticsearch_component(platform(**server), host, GROUPS, ADDRESSES, PASSWORDS, TLS, memory)


def files(host: str = "log1", **server):
    return {item["path"]: item for item in component(host, **server)["files"]}


def config(host: str = "log1", **server):
    return yaml.safe_load(files(host, **server)["/etc/elasticsearch/elasticsearch.yml"]["content"])


@pytest.mark.parametrize(
    ("setting", "memory", "heap"),
    [
        ("auto", 1024, 512),
        ("auto", 4096, 2048),
        ("auto", 3921, 1920),  # rounded down to 64
        ("auto", 62 * 1024, 31 * 1024),
        ("auto", 256 * 1024, 31 * 1024),
        ("512m", 0, 512),
        ("4g", 1, 4096),
    ],
)
def test_heap(setting, memory, heap):
    assert nodes.heap(setting, memory) == heap


@given(st.integers(512, 1 << 22))
def test_heap_is_never_more_than_half(memory):
    found = nodes.heap("auto", memory)
    assert found <= memory / 2
    assert found <= nodes.HEAP_MOST
    assert found % nodes.HEAP_ROUND == 0


def test_no_heap_of_nothing():
    with pytest.raises(PlatformError, match="half of the host's 300 MiB"):
        nodes.heap("auto", 300)


@pytest.mark.parametrize("text", ["", "0m", "512", "512k", "m", "1.5g", "-1g"])
def test_what_is_no_heap(text):
    with pytest.raises(ValueError, match="is no size of a heap"):
        settings.mebibytes(text)


@pytest.mark.parametrize(("text", "found"), [("14d", 14 * 86400), ("12h", 43200), ("2w", 1209600), ("1y", 31536000)])
def test_durations(text, found):
    assert settings.seconds(text) == found


@pytest.mark.parametrize("text", ["", "0d", "14", "d", "14d12h", "1M"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="is no duration"):
        settings.seconds(text)


def test_only_the_first_node_founds_a_cluster():
    assert config("log1")["cluster.initial_master_nodes"] == ["log1"]
    assert "cluster.initial_master_nodes" not in config("log2")


def test_a_cluster_grows_without_a_restart():
    """What names other nodes is in no file that is read at the start only."""
    for host in ("log1", "log2"):
        named = [item for item in files(host).values() if "192.0.2.13" in item["content"]]
        assert [(item["path"], item["on_change"]) for item in named] == [
            ("/etc/elasticsearch/unicast_hosts.txt", "none")
        ]
    assert files()["/etc/elasticsearch/unicast_hosts.txt"]["content"].splitlines() == [
        "192.0.2.11:9300",
        "192.0.2.12:9300",
        "192.0.2.13:9300",
    ]


def test_tls_everywhere():
    found = config()
    for layer in ("transport", "http"):
        assert found[f"xpack.security.{layer}.ssl.enabled"] is True
    assert found["xpack.security.enabled"] is True
    assert found["xpack.security.transport.ssl.verification_mode"] == "full"
    assert not [key for key in found if key.endswith("client_authentication")]  # transport's default is: required


def test_own_settings_come_last():
    assert config(settings={"node.store.allow_mmap": False})["node.store.allow_mmap"] is False


def test_ipv6():
    found = nodes.node_config(settings.settings_of(platform()), "log1", "2001:db8::1", True)
    assert (found["network.bind_host"], found["network.publish_host"]) == ("::", "2001:db8::1")
    text = nodes.seed_hosts(settings.settings_of(platform()), ["log1"], {"log1": "2001:db8::1"})
    assert text == "[2001:db8::1]:9300\n"


def test_users_are_digests():
    found = files()["/etc/elasticsearch/users"]["content"]
    lines = dict(line.split(":") for line in found.splitlines())
    assert list(lines) == ["monitor", "reader", "shipper", "superuser"]
    for user, digest in lines.items():
        assert digest.startswith("$2a$10$")
        assert bcrypt.checkpw(PASSWORDS[user].encode(), digest.encode())
    assert files()["/etc/elasticsearch/users"] == files("log2")["/etc/elasticsearch/users"]


def test_one_password_of_two_users_gives_two_digests():
    assert len(set(nodes.users({"shipper": "x", "reader": "x"}).values())) == 2


def test_each_user_has_its_role():
    lines = files()["/etc/elasticsearch/users_roles"]["content"].splitlines()
    assert lines == ["log_monitor:monitor", "log_reader:reader", "log_shipper:shipper", "superuser:superuser"]


@pytest.mark.parametrize(
    ("role", "privileges"),
    [
        ("log_shipper", {"create_doc", "auto_configure"}),
        ("log_reader", {"read", "view_index_metadata"}),
        ("log_monitor", {"monitor"}),
        ("log_retention", {"delete_index", "monitor", "view_index_metadata"}),
    ],
)
def test_roles_may_no_more_than_they_must(role, privileges):
    found = yaml.safe_load(files()["/etc/elasticsearch/roles.yml"]["content"])
    assert {name for entry in found[role]["indices"] for name in entry["privileges"]} == privileges
    names = {name for entry in found[role]["indices"] for name in entry["names"]}
    assert names <= {"logs-prod-*", "restored-logs-prod-*"} or role == "log_monitor"


def test_secrets_are_told_as_such():
    made = component()
    shown = [item["content"] for item in made["files"] if item["path"].endswith(("users", "tls.key"))]
    for text in shown:
        assert any(secret in text for secret in made["secrets"].values())
    assert made["secrets"]["tls_key"] == "KEY"
    assert not [item for item in made["files"] if item["mode"] != "0640"]


@pytest.mark.parametrize(
    ("distribution", "packages", "java"),
    [("upstream", [], None), ("integ-test", ["default-jre-headless"], "/usr/lib/jvm/default-java")],
)
def test_java(distribution, packages, java):
    made = component(distribution=distribution)
    assert (made["packages"], made["unit"]["environment"].get("ES_JAVA_HOME")) == (packages, java)


def test_the_unit():
    service = component()["unit"]["options"]["Service"]
    assert (service["LimitMEMLOCK"], service["LimitNOFILE"]) == ("infinity", 65535)
    assert service["MemoryDenyWriteExecute"] == "no"
    assert "LimitMEMLOCK" not in component(memory_lock=False)["unit"]["options"]["Service"]


@pytest.mark.parametrize("snapshots", [None, {"s3": {"bucket": "logs"}}])
def test_no_directory_of_snapshots(snapshots):
    assert "path.repo" not in config(snapshots=snapshots)


@pytest.mark.parametrize(
    ("host", "server", "found"),
    [
        ("log2", {}, {"vm.max_map_count": 262144}),
        ("app1", {}, {}),
        ("log2", {"settings": {"node.store.allow_mmap": False}}, {}),
    ],
)
def test_kernel(host, server, found):
    assert nodes.elasticsearch_sysctl(platform(**server), host, GROUPS) == found
    assert nodes.elasticsearch_sysctl({"logging": {"group": "logging"}}, host, GROUPS) == {}


@pytest.mark.parametrize(
    ("distribution", "users"),
    [
        ("upstream", ["elastic", "kibana_system", "monitor", "reader", "shipper", "superuser"]),
        ("integ-test", ["monitor", "reader", "retention", "shipper", "superuser"]),
    ],
)
def test_users_that_a_distribution_knows(distribution, users):
    assert list(nodes.elasticsearch_secrets(platform(distribution=distribution))) == users


def test_the_group_must_exist():
    with pytest.raises(PlatformError, match="no group 'logging'"):
        settings.nodes_of(platform(), {"all": [], "app": []})


def test_addresses_of_nodes():
    assert next(iter(settings.node_urls(platform(port=9201), GROUPS, ADDRESSES).items())) == (
        "log1",
        "https://192.0.2.11:9201",
    )


def test_retention_program_only_without_ilm():
    assert program.retention_components(platform(), "log1", {}, "CA") == []
    (made,) = program.retention_components(platform(distribution="integ-test"), "log1", {"retention": "word"}, "CA")
    assert made["secrets"] == {"retention_password": "word"}
    assert [item["source"].rpartition("/")[2] for item in made["files"] if "source" in item] == list(program.FILES)
    assert "word" not in made["unit"]["exec"]


def test_retention_program_is_told_what_ilm_would_be():
    policy = program.program_settings(platform(), "log1", "word")["policy"]
    assert policy["default"] == 14 * 86400
    assert policy["apps"] == {"chat": 30 * 86400, "chat-admin": 90 * 86400}
    assert (policy["at"], policy["keep"], policy["repository"]) == (3 * 3600 + 15 * 60, 7, "logs-prod")
