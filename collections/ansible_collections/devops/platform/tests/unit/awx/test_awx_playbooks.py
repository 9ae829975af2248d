"""The table of playbooks and their variables, compared with the playbooks themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, meta

from ansible_collections.devops.platform.plugins.module_utils.awx import credentials, surveys
from ansible_collections.devops.platform.plugins.module_utils.awx.desired import FLOW, KINDS
from ansible_collections.devops.platform.plugins.module_utils.awx.playbooks import (
    BY_HAND,
    BY_NAME,
    JOBS,
    PARTS,
    PLAYBOOKS,
    questions,
)
from ansible_collections.devops.platform.plugins.module_utils.platform import paths

ROOT = paths.find_root(Path(__file__))
FILES = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "site.yml", *(ROOT / "playbooks").glob("*.yml"))}
OPERATIONS = sorted(
    name for name in FILES if (Path(name).stem not in PARTS or name in PLAYBOOKS) and name not in BY_HAND
)
# Not a person's: what Ansible has, what platform.yml is, and what the playbooks tell each other.
GIVEN = re.compile(
    r"ansible_\w+|inventory_\w+|playbook_dir|item|groups|hostvars|platform|play_hosts|omit|query|lookup|q|range|__\w+"
    r"|rollout_\w+|smoke_\w+|platform_collect|platform_rollout_id|\w+_tasks"
)
# By its name, which is a function's as well.
LOOKED_UP = re.compile(r"lookup\('vars', '(\w+)'")


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or []


def texts(data: Any) -> Iterator[str]:
    """Every text, conditions among them, which are templates without braces."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in ("when", "that", "changed_when", "failed_when", "until"):
                for one in value if isinstance(value, list) else [value]:
                    yield f"{{{{ {one} }}}}" if isinstance(one, str) else ""
            else:
                yield from texts(value)
    elif isinstance(data, list):
        for one in data:
            yield from texts(one)
    elif isinstance(data, str):
        yield data


def keyed(data: Any, names: tuple[str, ...]) -> Iterator[Any]:
    """Every value of one of these keys, wherever it stands."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in names:
                yield value
            yield from keyed(value, names)
    elif isinstance(data, list):
        for one in data:
            yield from keyed(one, names)


def used(path: Path, seen: frozenset[Path] = frozenset()) -> set[str]:
    """Variables that a playbook uses and nobody sets, through everything that it includes."""
    if path in seen or not path.is_file():
        return set()
    data = loaded(path)
    found: set[str] = set()
    for text in texts(data):
        found |= undeclared(text)
    own = {name for given in keyed(data, ("vars", "ansible.builtin.set_fact")) for name in (given or {})}
    own |= {str(name) for name in keyed(data, ("register", "loop_var"))}
    included = ("ansible.builtin.import_playbook", "ansible.builtin.include_tasks", "ansible.builtin.import_tasks")
    for other in keyed(data, included):
        name = other["file"] if isinstance(other, dict) else other
        folders = [path.parent / name, path.parent / "tasks" / name]
        # A file whose name is made of a rollout's target stands for all of them.
        for file in [one for one in folders if one.is_file()] or sorted(
            (ROOT / "playbooks/tasks").glob("change_*.yml")
        ):
            found |= used(file, seen | {path})
    looked_up = {name for text in texts(data) for name in LOOKED_UP.findall(text)}
    return {name for name in found - own if not GIVEN.fullmatch(name)} | looked_up


def undeclared(text: str) -> set[str]:
    return set(meta.find_undeclared_variables(ENVIRONMENT.parse(text)))


class _Anything(dict[str, Any]):
    """A registry in which every name is: filters and tests are Ansible's, which Jinja does not know."""

    def get(self, _name: str, _default: Any = None) -> Any:
        return str


def documented(path: Path) -> set[str]:
    """Variables that the comment at its top names, `-e name=...`."""
    head = path.read_text(encoding="utf-8").split("\n- ", 1)[0]
    return set(re.findall(r"-e (\w+)=", head))


ENVIRONMENT = Environment()  # noqa: S701 (nothing is rendered)
ENVIRONMENT.filters = ENVIRONMENT.tests = _Anything()


def test_every_playbook_is_an_operation_or_a_part_of_one():
    assert sorted(FILES) == sorted({*PLAYBOOKS, *(f"playbooks/{name}.yml" for name in PARTS), *BY_HAND})
    assert {job.playbook for job in JOBS} == set(PLAYBOOKS) - {f"playbooks/{name}.yml" for name in PARTS}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_playbook_takes_the_variables_of_the_table(name):
    assert used(FILES[name]) == {variable.name for variable in PLAYBOOKS[name]}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_playbook_says_at_its_top_which_variables_it_takes_itself(name):
    imported = [
        FILES[name].parent / str(other) for other in keyed(loaded(FILES[name]), ("ansible.builtin.import_playbook",))
    ]
    elsewhere = {variable for path in imported for variable in used(path)}
    assert documented(FILES[name]) == used(FILES[name]) - elsewhere


def test_what_stands_at_the_top_is_the_default():
    for name, variables in PLAYBOOKS.items():
        told = dict(re.findall(r"-e (\w+)=(\S+)", FILES[name].read_text(encoding="utf-8").split("\n- ", 1)[0]))
        for variable in variables:
            default = variable.schema.get("default")
            if default not in (None, False) and variable.name in told and variable.name != "drift_fail":
                assert told[variable.name] == str(default), variable.name


def test_a_job_runs_a_phase_that_there_is():
    tags = {tag for given in keyed(loaded(FILES["site.yml"]), ("tags",)) for tag in given}
    assert {job.tags for job in JOBS if job.tags} <= tags
    assert [job.name for job in JOBS if job.only and not set(job.only) <= names_of(job.playbook)] == []


def names_of(playbook: str) -> set[str]:
    return {variable.name for variable in PLAYBOOKS[playbook]}


def test_the_flow_is_of_jobs_and_nodes_that_there_are():
    assert {job for job, _success, _failure in FLOW.values() if job} <= set(BY_NAME)
    assert {node for _job, *ways in FLOW.values() for way in ways for node in way} <= set(FLOW)


def test_the_playbook_sends_and_removes_every_kind():
    for file, kinds in (("present", set(KINDS)), ("absent", set(KINDS) - {"organization"})):
        tasks = loaded(ROOT / "playbooks" / "tasks" / f"awx_{file}.yml")
        loops = re.findall(rf"__awx\.plan\.{file}\.(\w+)", str(tasks))
        order = [kind for kind in KINDS if kind in kinds]
        assert loops == (order if file == "present" else order[::-1])
        for task in [task for task in tasks if "loop" in task]:
            [module] = [key for key in task if key.startswith("awx.awx.")]
            assert task["loop"].endswith(f"{module.removeprefix('awx.awx.')} }}}}") or "links" in task["loop"]


PAGE = (ROOT / "docs" / "awx.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table on docs/awx.md whose first line begins so."""
    lines = PAGE.split(heading, 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_page_says_what_each_job_asks_for():
    told = {
        job: re.findall(r"`(\w+)`", asks)
        for jobs, _what, asks in rows("| job template |")
        for job in re.findall(r"`([\w-]+)`", jobs)
    }
    assert told == {job.name: [variable.name for variable in questions(job)] for job in JOBS}


def test_the_page_knows_every_setting_and_type():
    schema = json.loads((Path(surveys.__file__).parent.parent / "platform" / "schema.json").read_text(encoding="utf-8"))
    settings = schema["properties"]["platform"]["properties"]["awx"]["properties"]
    assert {key for row in rows("| key |") for key in re.findall(r"`(\w+)`", row[0])} == set(settings)
    assert {kind for row in rows("| type of credential |") for kind in re.findall(r"`(\w+)`", row[0])} == set(
        credentials.KINDS
    )
    assert [job["enum"] for job in [settings["jobs"]["items"]]] == [[job.name for job in JOBS]]
    assert settings["credentials"]["patternProperties"].popitem()[1]["properties"]["type"]["enum"] == list(
        credentials.KINDS
    )
