"""The decisions that roles and playbooks leave to filters."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.engine import dpkg
from ansible_collections.devops.platform.plugins.module_utils.roles import files, placement, settings

GROUPS = {"all": ["app1", "data1", "edge1", "mon1"], "app": ["app1"], "data": ["data1"], "edge": ["edge1"]}
GROUPS["monitoring"] = ["mon1"]
PLATFORM: dict[str, Any] = {
    "data": {"group": "data"},
    "monitoring": {"group": "monitoring"},
    "edge": {"group": "edge"},
    "docker": {"groups": ["app", "monitoring"]},
    "apps": {
        "chat": {
            "group": "app",
            "services": {
                "api": {"image": "chat-api", "port": 5000, "health": "/readyz", "secrets": {"PASSWORD": "database"}}
            },
            "tasks": {"migrate": {"image": "chat-api", "secrets": {"KEY": "session"}}},
        },
        "other": {"group": "edge", "services": {"web": {"image": "chat-api", "replicas": 3}}},
    },
}
IMAGES = {"chat-api": {"ref": "mirror:5000/chat/api", "tag": "1.0.0", "digest": "sha256:" + "0" * 64}}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("app1", ["platform_app", "platform_docker"]),
        ("data1", ["platform_data"]),
        ("edge1", ["platform_app", "platform_edge"]),
        ("mon1", ["platform_docker", "platform_monitoring"]),
        ("unknown", []),
    ],
)
def test_phase_groups(host: str, expected: list[str]) -> None:
    assert placement.phase_groups(PLATFORM, host, GROUPS) == expected


def test_an_empty_platform_has_no_phases() -> None:
    assert placement.phase_groups({}, "app1", GROUPS) == []
    assert placement.phase_members({}, GROUPS) == []


def test_phase_members_are_all_hosts_that_a_phase_concerns() -> None:
    members = placement.phase_members(PLATFORM, {**GROUPS, "all": [*GROUPS["all"], "idle1"]})
    assert [member["host"] for member in members] == GROUPS["all"]
    assert members[0] == {"host": "app1", "groups": ["platform_app", "platform_docker"]}


@pytest.mark.parametrize(
    ("host", "expected"),
    [("app1", {"chat": {"api": 1}}), ("edge1", {"other": {"web": 3}}), ("data1", {})],
)
def test_app_services_count_what_lasts(host: str, expected: dict[str, dict[str, int]]) -> None:
    assert placement.app_services(PLATFORM, host, GROUPS) == expected


def test_what_is_switched_off_is_nowhere() -> None:
    platform = {**PLATFORM, "apps": {"other": {"group": "app", "services": {"web": {}, "admin": {"enabled": False}}}}}
    assert placement.app_services(platform, "app1", GROUPS) == {"other": {"web": 1}}


@pytest.mark.parametrize(
    ("smoke", "journey", "expected"),
    [
        (None, "chat", None),
        (None, "http", None),
        ({"journey": "http", "paths": ["/"]}, "chat", None),
        ({"journey": "chat", "password": "x"}, "http", None),
        ({"journey": "chat", "password": "x"}, "chat", {"user": "verify", "password": "x"}),
        ({"journey": "chat", "password": "x", "user": "u"}, "chat", {"user": "u", "password": "x"}),
        ({"journey": "http", "paths": ["/", "/b"]}, "http", {"paths": ["/", "/b"]}),
    ],
)
def test_journeys_are_those_of_applications_that_name_one(
    smoke: Any, journey: str, expected: dict[str, Any] | None
) -> None:
    platform = {"apps": {"b": {"group": "app", "smoke": smoke}, "a": {"group": "app"}}}
    found = [{"app": "b", "hosts": ["app1"], **expected}] if expected else []
    assert placement.app_journeys(platform, journey, GROUPS) == found
    assert placement.app_journeys(platform, journey, GROUPS, ["a"]) == []


def test_app_projects_hold_what_the_host_runs() -> None:
    names = placement.app_secret_names(PLATFORM, "app1", GROUPS)
    assert names == ["database", "session"]
    values = {name: f"value of {name}" for name in names}
    projects = placement.app_projects(PLATFORM, "app1", GROUPS, {"app1": "10.0.0.1"}, IMAGES, values)
    assert [project["name"] for project in projects] == ["chat"]
    assert projects[0]["secrets"] == values
    assert projects[0]["probes"] == [{"http": "http://10.0.0.1:5000/readyz", "status": 200}]
    assert set(projects[0]["compose"]["services"]) == {"api", "migrate"}


def test_app_component() -> None:
    project = {
        "name": "chat-room",
        "compose": {"name": "chat-room", "services": {}},
        "secrets": {"database": "canary"},
        "probes": [{"http": "http://127.0.0.1/"}],
    }
    component = files.app_component(project, "/etc/apps/", 60)
    assert component["name"] == "chat_room"
    assert component["compose"] == {"project": "chat-room", "file": "/etc/apps/chat-room/compose.yml", "wait": 60}
    assert {"path": "/etc/apps/chat-room/secrets", "mode": "0700"} in component["directories"]
    assert [(file["path"], file["mode"]) for file in component["files"]] == [
        ("/etc/apps/chat-room/compose.yml", "0644"),
        ("/etc/apps/chat-room/secrets/database", "0444"),
    ]
    assert component["secrets"] == {"database": "canary"}
    assert "canary" not in component["files"][0]["content"]


def test_an_app_without_secrets_has_no_directory_for_them() -> None:
    component = files.app_component({"name": "web", "compose": {}}, "/etc/apps", 60)
    assert component["directories"] == [{"path": "/etc/apps/web", "mode": "0755"}]
    assert "probe" not in component


@pytest.mark.parametrize("name", ["Chat", "1chat", "chat app", "../chat", ""])
def test_bad_names_of_applications(name: str) -> None:
    with pytest.raises(ValueError, match="no name for an application"):
        files.app_component({"name": name, "compose": {}}, "/etc/apps", 60)


def test_component_files() -> None:
    made = files.component_files({"b": {"groups": []}, "a": "text\n"}, "/etc/rules/{name}.yml", {"mode": "0640"})
    assert made == [
        {"path": "/etc/rules/a.yml", "content": "text\n", "mode": "0640"},
        {"path": "/etc/rules/b.yml", "content": "groups: []\n", "mode": "0640"},
    ]


@pytest.mark.parametrize(("name", "path"), [("../up", "/etc/{name}"), ("a/b", "/etc/{name}"), ("a", "/etc/same")])
def test_component_files_stay_in_their_directory(name: str, path: str) -> None:
    with pytest.raises(ValueError, match=r"file name|lacks"):
        files.component_files({name: "x"}, path)


SCALARS = st.one_of(st.booleans(), st.integers(), st.text(max_size=20), st.none())
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner), max_leaves=12)


@given(DATA)
def test_yaml_is_read_back_as_it_was(data: Any) -> None:
    assert yaml.safe_load(files.as_yaml(data)) == data


@pytest.mark.parametrize(
    ("key", "namespaced"),
    [
        ("net.core.somaxconn", True),
        ("-net.ipv4.tcp_syncookies", True),
        ("net/ipv4/conf/eth0.5/rp_filter", True),
        ("net.core.rmem_max", False),
        ("net.netfilter.nf_conntrack_max", False),
        ("vm.swappiness", False),
        ("kernel.dmesg_restrict", False),
        ("fs.file-max", False),
    ],
)
def test_sysctl_scope(key: str, namespaced: bool) -> None:
    assert settings.is_namespaced(key) is namespaced


@given(st.dictionaries(st.sampled_from(["net.ipv4.ip_forward", "vm.swappiness", "kernel.panic"]), st.integers(0, 9)))
def test_every_sysctl_is_in_one_scope(values: dict[str, int]) -> None:
    lines = [*settings.sysctl_lines(values, "network"), *settings.sysctl_lines(values, "machine")]
    assert sorted(lines) == sorted(f"{key} = {value}" for key, value in values.items())


def test_postgresql_lines() -> None:
    values = {"port": 5433, "work_mem": "8MB", "log_line_prefix": "it's %m", "fsync": True, "Max_Connections": 50}
    assert settings.postgresql_lines(values, "restart") == ["Max_Connections = '50'", "port = '5433'"]
    assert settings.postgresql_lines(values, "reload") == [
        "fsync = 'on'",
        "log_line_prefix = 'it''s %m'",
        "work_mem = '8MB'",
    ]


def test_users_of_postgresql_come_after_those_that_they_act_as() -> None:
    users = settings.postgresql_users({"zoe": "p", "chat": "p"}, {"a_clone": "chat"}, ["a_clone"], ["exporter"])
    assert [user["name"] for user in users] == ["chat", "exporter", "zoe", "a_clone"]
    chat, exporter, _zoe, clone = users
    assert chat == {
        "name": "chat",
        "flags": "LOGIN,NOSUPERUSER,NOCREATEDB,NOCREATEROLE",
        "member_of": "",
        "acts_as": "",
    }
    assert (exporter["member_of"], exporter["acts_as"]) == ("pg_monitor", "")
    assert (clone["member_of"], clone["acts_as"], clone["flags"].split(",")[0]) == ("chat", "chat", "NOLOGIN")
    # The first one's turn may be over as well: it is there, as the owner, and may not sign in.
    first = settings.postgresql_users({"a_clone": "p"}, {"a_clone": "chat"}, ["chat"], [])[0]
    assert (first["name"], first["flags"].split(",")[0]) == ("chat", "NOLOGIN")


def test_unknown_choices_are_refused() -> None:
    with pytest.raises(ValueError, match="neither 'network' nor 'machine'"):
        settings.sysctl_lines({}, "all")
    with pytest.raises(ValueError, match="neither 'reload' nor 'restart'"):
        settings.postgresql_lines({}, "both")


def test_dpkg_output() -> None:
    output = "nginx\tinstalled\t1.26.3-3\nredis\tconfig-files\t8.0\njq\thalf-configured\t1.7\n\n"
    found = dpkg.installed(output)
    assert found == {"nginx": "1.26.3-3"}
    assert dpkg.missing(["jq", "nginx", "curl", "jq"], found) == ["jq", "curl"]


@pytest.mark.parametrize(
    ("name", "good"),
    [("g++", True), ("libc6", True), ("nginx=1.2", False), ("ngin*", False), ("", False), ("-y", False)],
)
def test_package_names(name: str, good: bool) -> None:
    assert (dpkg.bad_names([name]) == []) is good
