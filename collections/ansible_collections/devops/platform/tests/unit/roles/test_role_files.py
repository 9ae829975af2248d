"""Every role has the same files, and documents exactly the variables that it has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = Path(__file__).resolve().parents[3] / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())
# Names that a role's files may use without their being the role's: magic variables and the like.
VARIABLE = re.compile(rf"(?<![\w.'\"/-])(?P<name>(?:__)?(?:{'|'.join(NAMES)})_[a-z0-9_]+)")


class _Loader(yaml.SafeLoader):
    """Reads Ansible's own tags as plain values."""


def _plain(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


_Loader.add_constructor("!unsafe", _plain)


def _load(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader


def _specs(role: str) -> dict[str, Any]:
    return _load(ROLES / role / "meta" / "argument_specs.yml")["argument_specs"]["main"]


@pytest.mark.parametrize("role", NAMES)
def test_a_role_has_its_files(role: str) -> None:
    needed = ["README.md", "defaults/main.yml", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml"]
    assert [name for name in needed if not (ROLES / role / name).is_file()] == []


@pytest.mark.parametrize("role", NAMES)
def test_documented_variables_are_the_defaults(role: str) -> None:
    defaults = _load(ROLES / role / "defaults" / "main.yml")
    options = _specs(role)["options"]
    assert sorted(options) == sorted(defaults)
    stated = {name: option.get("default") for name, option in options.items()}
    assert stated == defaults


@pytest.mark.parametrize("role", NAMES)
def test_variables_carry_the_name_of_their_role(role: str) -> None:
    public = _load(ROLES / role / "defaults" / "main.yml")
    assert [name for name in public if not name.startswith(f"{role}_")] == []
    internal = ROLES / role / "vars" / "main.yml"
    if internal.exists():
        assert [name for name in _load(internal) if not name.startswith(f"__{role}_")] == []


@pytest.mark.parametrize("role", NAMES)
def test_options_are_documented(role: str) -> None:
    def undocumented(options: dict[str, Any], path: str) -> list[str]:
        found = [f"{path}{name}" for name, option in options.items() if not option.get("description")]
        found += [f"{path}{name}" for name, option in options.items() if not option.get("type")]
        for name, option in options.items():
            found += undocumented(option.get("options", {}), f"{path}{name}.")
        return found

    spec = _specs(role)
    assert spec["short_description"]
    assert undocumented(spec["options"], "") == []


@pytest.mark.parametrize("role", NAMES)
def test_the_readme_names_every_variable(role: str) -> None:
    readme = (ROLES / role / "README.md").read_text()
    assert [name for name in _specs(role)["options"] if f"`{name}`" not in readme] == []


@pytest.mark.parametrize("role", NAMES)
def test_roles_do_not_read_the_platform(role: str) -> None:
    """Playbooks pass platform.* on: that is what makes a role usable by itself."""
    files = [path for path in (ROLES / role).rglob("*") if path.suffix in (".yml", ".j2")]
    reading = [str(path.relative_to(ROLES)) for path in files if re.search(r"(?<![\w./-])platform\.[a-z]", _code(path))]
    assert reading == []


def _code(path: Path) -> str:
    """A file without comments and descriptions, and without the collection's own name."""
    text = "" if path.name == "argument_specs.yml" else path.read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "//"))]
    return "\n".join(lines).replace("devops.platform.", "devops_platform_")


@pytest.mark.parametrize("role", NAMES)
def test_used_variables_exist(role: str) -> None:
    known = set(_load(ROLES / role / "defaults" / "main.yml"))
    internal = ROLES / role / "vars" / "main.yml"
    known |= set(_load(internal)) if internal.exists() else set()
    used: set[str] = set()
    for path in (ROLES / role).rglob("*"):
        if path.suffix in (".yml", ".j2"):
            expressions = re.findall(r"\{\{.*?\}\}|\{%.*?%\}|when: .*|loop: .*", _code(path), re.DOTALL)
            text = re.sub(r"'[^']*'", "''", "\n".join(expressions))
            used |= {match["name"] for match in VARIABLE.finditer(text)}
            known |= set(re.findall(r"register: (\w+)", _code(path)))
    assert sorted(used - known) == []
