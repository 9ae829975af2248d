# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lists of files for the component engine, made from dictionaries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
COMPONENT_NAME = re.compile(r"[a-z][a-z0-9_]*")


def component_files(
    contents: Mapping[str, Any], path: str, options: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """One file for each entry of `contents`, ordered by name.

    `path` holds `{name}` where the entry's key goes. A string is the file's text, anything else is written as YAML.
    `options` are the remaining keys of every file (`mode`, `validate`, `on_change`, ...).
    ValueError for a name that would leave its directory, or a `path` without `{name}`.
    """
    if "{name}" not in path:
        raise ValueError(f"path '{path}' lacks {{name}}: every file would be the same one")
    files = []
    for name in sorted(contents):
        if not FILE_NAME.fullmatch(str(name)):
            raise ValueError(f"'{name}' is no file name; use letters, digits, '.', '_' and '-'")
        content = contents[name]
        text = content if isinstance(content, str) else as_yaml(content)
        files.append({"path": path.replace("{name}", str(name)), "content": text, **(options or {})})
    return files


def component_sources(
    paths: Sequence[str], folder: str, options: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """One file below `folder` for each of the controller's `paths`, called like it, ordered by name.

    ValueError where two of them would be one file.
    """
    made: dict[str, dict[str, Any]] = {}
    for path in paths:
        name = str(path).rpartition("/")[2]
        if name in made:
            raise ValueError(f"'{path}' and '{made[name]['source']}' would both be {folder}/{name}; rename one")
        made[name] = {"path": f"{folder.rstrip('/')}/{name}", "source": str(path), **(options or {})}
    return [made[name] for name in sorted(made)]


def app_component(project: Mapping[str, Any], directory: str, wait: int) -> dict[str, Any]:
    """The component that runs one application with Docker Compose.

    `project`: `{name, compose: dict, secrets: {name: value}, probes: [probe], shown: [name]}`; its files go below
    `directory`/name. A container's own user reads a secret through a bind mount, so the files are readable; the
    directory, which only root enters, keeps everybody else on the host out.
    """
    name = str(project["name"])
    folder = f"{directory.rstrip('/')}/{name}"
    component = name.replace("-", "_")
    if not COMPONENT_NAME.fullmatch(component):
        raise ValueError(f"'{name}' is no name for an application; use a-z, 0-9, '-' and '_', starting with a letter")
    secrets = {str(key): str(value) for key, value in (project.get("secrets") or {}).items()}
    result: dict[str, Any] = {
        "name": component,
        "directories": [{"path": folder, "mode": "0755"}],
        "files": [
            {"path": f"{folder}/compose.yml", "content": as_yaml(project["compose"]), "mode": "0644"},
            *component_files(secrets, f"{folder}/secrets/{{name}}", {"mode": "0444"}),
        ],
        "compose": {"project": name, "file": f"{folder}/compose.yml", "wait": wait},
        "secrets": {key: value for key, value in secrets.items() if key not in (project.get("shown") or ())},
    }
    if secrets:
        result["directories"].append({"path": f"{folder}/secrets", "mode": "0700"})
    if project.get("probes"):
        result["probe"] = [dict(probe) for probe in project["probes"]]
    return result


class _Dumper(yaml.SafeDumper):
    """Writes what SafeLoader reads back, lists indented below their key, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's
        super().increase_indent(flow, False)


def as_yaml(data: Any) -> str:
    """`data` as a YAML document, in the order of its keys."""
    text: str = yaml.dump(plain(data), Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=10_000)
    return text


def plain(data: Any) -> Any:
    """`data` with plain built-in types only: values from a playbook are subclasses that carry where they came from."""
    if isinstance(data, Mapping):
        return {plain(key): plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(item) for item in data]
    for kind in (bool, int, float, str):
        if isinstance(data, kind):
            return kind(data)
    return data
