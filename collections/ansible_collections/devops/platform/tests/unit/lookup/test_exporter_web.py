"""The lookup of what exporters show, as playbooks call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.devops.platform.plugins.lookup.exporter_web import LookupModule
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import MARKER
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import UNSET

MONITORED = {"node_exporter": {"version": "1.9.0"}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / MARKER).write_text("")
    return tmp_path


class Lookup(LookupModule):
    """Given its options: Ansible reads their declaration only where it loads a plugin itself."""

    def set_options(self, *_: Any, **__: Any) -> None:
        """They are those below."""

    def get_option(self, option: str, hostvars: Any = None) -> Any:
        return {"addresses": {"app1": "192.0.2.1"}}[option]


def asked(root: Path, platform: dict[str, Any], check: bool = False) -> list[dict[str, str]]:
    variables = {"platform": {"name": "shop", **platform}, "inventory_dir": str(root), "ansible_check_mode": check}
    loader = DataLoader()
    return Lookup(loader=loader, templar=Templar(loader=loader, variables=variables)).run(["app1"], variables)


@pytest.mark.parametrize(
    ("secrets", "folder"),
    [({}, ".secrets"), ({"secrets": {"backend": "variables", "directory": "kept", "names": {}}}, "kept")],
)
def test_it_is_made_once_also_where_no_secret_is_declared(root: Path, secrets: dict[str, Any], folder: str) -> None:
    [first] = asked(root, {"monitoring": MONITORED, **secrets})
    assert first["certificate"].startswith("-----BEGIN CERTIFICATE-----")
    assert len(first["password"]) == 32
    assert (root / folder / "exporters" / "app1.crt").is_file()
    assert asked(root, {"monitoring": MONITORED, **secrets}) == [first]


def test_check_mode_makes_nothing(root: Path) -> None:
    [found] = asked(root, {"monitoring": MONITORED}, check=True)
    assert found["password"] == UNSET
    assert [path.name for path in root.iterdir()] == [MARKER]


def test_without_tls_there_is_nothing_to_show(root: Path) -> None:
    assert asked(root, {"monitoring": {**MONITORED, "exporter_tls": False}}) == []
