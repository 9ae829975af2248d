"""Reading what programs and the kernel answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.drift import containers, kernel, observe, upgrades

HISTORY = """
Start-Date: 2026-01-01  10:00:00
Commandline: apt-get install nginx
Install: nginx:amd64 (1.26-1)
Upgrade: openssl:amd64 (3.0-1, 3.0-2)
End-Date: 2026-01-01  10:00:01

Start-Date: 2026-01-02  06:00:00
Commandline: /usr/bin/unattended-upgrade
Upgrade: nginx:amd64 (1.26-1, 1.26-1+deb13u1), nginx-common:amd64 (1.26-1, 1.26-1+deb13u1)
End-Date: 2026-01-02  06:00:01
"""


def test_only_what_the_host_upgraded_by_itself_counts() -> None:
    assert upgrades.rolled(HISTORY) == {("nginx", "1.26-1+deb13u1"), ("nginx-common", "1.26-1+deb13u1")}
    assert upgrades.rolled("") == frozenset()


def test_rules_carry_the_names_of_their_table_and_chain() -> None:
    listing = "table inet t {\n\tchain c {\n\t\ttype filter hook input priority 0; policy drop;\n\t\taccept\n\t}\n}\n"
    assert list(kernel.lines(listing)) == [
        "table inet t",
        "table inet t / chain c",
        "table inet t / chain c / type filter hook input priority 0; policy drop;",
        "table inet t / chain c / accept",
    ]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
    ],
)
def test_keys_of_settings(key: str, path: str) -> None:
    assert kernel._name(key) == path


def test_settings_are_compared_by_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("1\t2\t3\n")
    monkeypatch.setattr(kernel, "SETTINGS", str(tmp_path))
    found = list(kernel.settings("# x\na.b = 1  2 3\n-a.c = 1\na.d = 1\n"))
    assert [(item.key, item.declared, item.live) for item in found] == [("a.b", "1 2 3", "1 2 3"), ("a.d", "1", None)]


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        ("", ()),
        ("/usr/lib/systemd/system/x.service.d/a.conf", ()),
        ("/etc/systemd/system/x.service.d/a.conf", ("/etc/systemd/system/x.service.d/a.conf",)),
        ("/run/systemd/system/service.d/lxc.conf", ()),
        ("/run/systemd/generator/x.service.d/a.conf", ()),
        ("/etc/systemd/system.control/x.service.d/a.conf", ("/etc/systemd/system.control/x.service.d/a.conf",)),
    ],
)
def test_drop_ins_of_people(paths: str, kept: tuple[str, ...]) -> None:
    assert observe._drop_ins(f"LoadState=loaded\nDropInPaths={paths}\n") == kept


def test_namesakes() -> None:
    files = [f"/etc/systemd/system/{name}" for name in ("x.service", "x.timer", "x@.service", "xy.service", "x.conf")]
    assert [path.rpartition("/")[2] for path in observe._namesakes("x.service", files)] == [
        "x.service",
        "x.timer",
        "x@.service",
    ]


CONTAINER = {
    "Name": "/web-1",
    "Image": "sha256:1",
    "Config": {
        "Image": "img:1@sha256:9",
        "Env": ["A=1"],
        "Cmd": None,
        "Entrypoint": ["/init"],
        "Labels": {
            "com.docker.compose.project": "web",
            "com.docker.compose.service": "page",
            "com.docker.compose.oneoff": "False",
            "com.docker.compose.project.config_files": "/c.yml",
        },
    },
    "HostConfig": {"RestartPolicy": {"Name": "always"}},
    "State": {"Status": "exited", "ExitCode": 137, "Health": {"Status": "unhealthy"}},
}


def test_a_container() -> None:
    found = containers.container(CONTAINER)
    assert (found.name, found.project, found.service, found.source) == ("web-1", "web", "page", "/c.yml")
    assert (found.command, found.entrypoint, found.restart) == ((), ("/init",), "always")
    assert (found.state, found.exit_code, found.health, found.one_off) == ("exited", 137, "unhealthy", False)


class Docker:
    """Answers as the program does."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.asked: list[list[str]] = []

    def query(self, argv: list[str], timeout: float = 60, cwd: str = "/") -> Any:
        self.asked.append(argv)
        image = {"Id": "sha256:1", "RepoTags": ["img:1"], "RepoDigests": ["img@sha256:9"], "Config": {"Cmd": ["run"]}}
        answers = {"ps": "abc\n", "inspect": json.dumps([CONTAINER]), "image": json.dumps([image]) + "\nError: no such"}
        return type("Completed", (), {"code": self.code, "output": "x\nno daemon" if self.code else answers[argv[1]]})()


def test_looking_at_containers() -> None:
    docker = Docker()
    trouble, found, images = containers.look(docker, {"web"}, {"img:1@sha256:9", "gone:1"})  # type: ignore[arg-type]
    assert (trouble, [item.name for item in found]) == ("", ["web-1"])
    assert images["img:1@sha256:9"] == images["sha256:1"]
    assert "gone:1" not in images
    assert len(docker.asked) == 3


def test_no_project_no_question() -> None:
    docker = Docker()
    assert containers.look(docker, set(), set()) == ("", (), {})  # type: ignore[arg-type]
    assert docker.asked == []


def test_no_daemon() -> None:
    assert containers.look(Docker(1), {"web"}, set())[0] == "no daemon"  # type: ignore[arg-type]


def test_other_projects_are_not_ours() -> None:
    assert containers.look(Docker(), {"other"}, set())[1] == ()  # type: ignore[arg-type]
