"""What the role grafana writes, rendered by Ansible's own templates and read back as Grafana reads it."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.roles import files, settings

ROLE = Path(__file__).resolve().parents[3] / "roles" / "grafana"


SOURCE = {"name": "P", "type": "prometheus", "uid": "prometheus", "jsonData": {"timeInterval": "15s"}}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tls": {"grafana_url": "https://grafana.example/", "grafana_datasources": [SOURCE]},
    "more": {"grafana_settings": {"users": {"default_theme": "light"}, "smtp": {"enabled": True}}},
}
TEMPLATES = sorted((ROLE / "templates").iterdir())


@pytest.fixture(scope="module")
def rendered(tmp_path_factory) -> dict[str, dict[str, str]]:
    """Variant -> template -> text: one run of Ansible, which knows the collection's filters."""
    folder = tmp_path_factory.mktemp("grafana")
    texts = [f"'{path.name}': lookup('ansible.builtin.template', '{path}')" for path in TEMPLATES]
    plays = [
        {
            "hosts": "mon1",
            "connection": "local",
            "gather_facts": False,
            "vars_files": [str(ROLE / "defaults/main.yml"), str(ROLE / "vars/main.yml")],
            "vars": {"secrets": {"password": "canary-password", "key": "canary-key"}},
            "tasks": [
                {
                    "ansible.builtin.copy": {
                        "content": f"{{{{ {{{', '.join(texts)}}} | to_json }}}}",
                        "dest": str(folder / f"{name}.json"),
                        "mode": "0600",
                    },
                    "vars": {**given_, "ansible_python_interpreter": sys.executable},
                }
            ],
        }
        for name, given_ in VARIANTS.items()
    ]
    (folder / "ansible.cfg").write_text("")
    (folder / "play.yml").write_text(yaml.safe_dump(plays))
    done = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", "-i", "mon1,", str(folder / "play.yml")],
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROLE.parents[4]),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in VARIANTS}


@pytest.fixture
def ini(rendered) -> Callable[[str], configparser.ConfigParser]:
    def parse(variant: str) -> configparser.ConfigParser:
        parsed = configparser.ConfigParser(interpolation=None, strict=True)
        parsed.read_string(rendered[variant]["grafana.ini.j2"])
        return parsed

    return parse


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("auth.anonymous", "enabled", "false"),
        ("users", "allow_sign_up", "false"),
        ("users", "allow_org_create", "false"),
        ("analytics", "reporting_enabled", "false"),
        ("analytics", "check_for_updates", "false"),
        ("analytics", "check_for_plugin_updates", "false"),
        ("snapshots", "external_enabled", "false"),
        ("plugins", "preinstall_disabled", "true"),
        ("security", "admin_password", "$__file{/etc/grafana/secrets/admin_password}"),
        ("security", "secret_key", "$__file{/etc/grafana/secrets/secret_key}"),
        ("security", "cookie_secure", "false"),
        ("server", "http_port", "3000"),
        ("server", "domain", "mon1"),
        ("paths", "provisioning", "/etc/grafana/provisioning"),
        ("paths", "logs", "/var/lib/grafana/log"),
        ("dashboards", "default_home_dashboard_path", "/etc/grafana/dashboards/overview.json"),
    ],
)
def test_settings(ini, section, name, value):
    assert ini("plain")[section][name] == value


def test_behind_an_edge_with_tls(ini):
    parsed = ini("tls")
    assert parsed["server"]["root_url"] == "https://grafana.example/"
    assert parsed["server"]["domain"] == "grafana.example"
    assert parsed["security"]["cookie_secure"] == "true"


def test_further_settings_do_not_replace_a_section(ini):
    parsed = ini("more")
    assert parsed["users"]["allow_sign_up"] == "false"
    assert parsed["users"]["default_theme"] == "light"
    assert parsed["smtp"]["enabled"] == "true"


def test_secrets_are_in_their_own_files_only(rendered):
    found = {name: text.strip() for name, text in rendered["plain"].items() if "canary" in text}
    assert found == {"admin_password.j2": "canary-password", "secret_key.j2": "canary-key"}
    written = {each["path"].rpartition("/")[2]: each for each in role_files()}
    for name in ("admin_password", "secret_key"):
        assert (written[name]["group"], written[name]["mode"]) == ("grafana", "0640")


def role_files() -> list[dict[str, Any]]:
    return list(yaml.safe_load((ROLE / "vars/main.yml").read_text())["__grafana_files"])


def test_every_template_is_installed():
    assert {each["template"] for each in role_files()} == {path.name for path in TEMPLATES}


def test_what_is_no_longer_declared_goes(rendered):
    [provider] = yaml.safe_load(rendered["tls"]["dashboards.yml.j2"])["providers"]
    assert provider["disableDeletion"] is False
    assert provider["allowUiUpdates"] is False
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    sources = yaml.safe_load(rendered["tls"]["datasources.yml.j2"])
    assert sources == {"apiVersion": 1, "prune": True, "datasources": [SOURCE]}


def test_without_data_sources_there_is_none(rendered):
    assert yaml.safe_load(rendered["plain"]["datasources.yml.j2"])["datasources"] == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"a": {"b": True, "c": 1, "d": None, "e": "x y"}}, ["[a]", "b = true", "c = 1", "d = ", "e = x y"]),
        ({"a": {"b": "x;y"}, "c": {"d": " z"}}, ["[a]", "b = `x;y`", "", "[c]", "d = ` z`"]),
        ({"a": {"b": "#1"}}, ["[a]", "b = `#1`"]),
    ],
)
def test_ini_lines(values, expected):
    assert settings.ini_lines(values) == expected


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a`b"])
def test_what_no_line_can_carry(value):
    with pytest.raises(ValueError, match=r"smtp.host: a line break or a backquote"):
        settings.ini_lines({"smtp": {"host": value}})


@given(st.text(st.characters(codec="ascii", exclude_characters="`\n\r"), max_size=12))
def test_a_value_is_read_back_as_it_was(value):
    """As Grafana's reader does: between backquotes as it stands, otherwise without what begins a comment."""
    _section, line = settings.ini_lines({"section": {"name": value}})
    read = line.removeprefix("name =").strip(" ")
    if read.startswith("`"):
        read = read[1:-1]
    else:
        assert not any(mark in read for mark in "#;")
    assert read == value


def test_component_sources():
    made = files.component_sources(["/b/two.json", "/a/one.json"], "/etc/grafana/dashboards/", {"mode": "0644"})
    assert made == [
        {"path": "/etc/grafana/dashboards/one.json", "source": "/a/one.json", "mode": "0644"},
        {"path": "/etc/grafana/dashboards/two.json", "source": "/b/two.json", "mode": "0644"},
    ]


def test_two_sources_of_one_name():
    with pytest.raises(ValueError, match=r"'/b/one.json' and '/a/one.json' would both be /etc/x/one.json; rename one"):
        files.component_sources(["/a/one.json", "/b/one.json"], "/etc/x")
