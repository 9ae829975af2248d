"""promtool on many small test files at once: starting it takes longer than most of them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeDumper as Dumper
except ImportError:
    from yaml import SafeDumper as Dumper  # type: ignore[assignment]

AT_ONCE = 50
VERDICT = re.compile(r"^Unit Testing:\s+(?P<file>\S+)\n(?P<rest>.*?)(?=^Unit Testing:|\Z)", re.MULTILINE | re.DOTALL)
BROKEN = ("parse error", "could not parse", "unmarshal", "unknown function", "bad_data", "expected type")


@dataclass(frozen=True)
class Run:
    """Rules, and the tests that they are to pass."""

    rules: Mapping[str, Any]
    tests: Mapping[str, Any]  # without rule_files


def verdicts(promtool: str, runs: Sequence[Run], folder: Path) -> list[str]:
    """For each run an empty text where all of its tests pass, else what promtool said of it."""
    said: dict[str, str] = {}
    names = [_write(folder, number, run) for number, run in enumerate(runs)]
    for start in range(0, len(names), AT_ONCE):
        batch = names[start : start + AT_ONCE]
        # What failed is said on the other stream, and belongs to the file that was named last.
        done = subprocess.run(
            [promtool, "test", "rules", *batch],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        said |= split(done.stdout)
    assert set(said) == set(names), f"promtool said nothing of {sorted(set(names) - set(said))}"
    return [said[name] for name in names]


def split(output: str) -> dict[str, str]:
    """File -> what is wrong with it, empty where nothing is."""
    return {match["file"]: match["rest"].strip().removeprefix("SUCCESS") for match in VERDICT.finditer(output)}


def is_broken(said: str) -> bool:
    """Whether promtool could not even read the rule: then no test has failed."""
    return any(words in said for words in BROKEN)


def _write(folder: Path, number: int, run: Run) -> str:
    rules, tests = f"{number}.rules.yml", f"{number}.test.yml"
    (folder / rules).write_text(dump(run.rules), encoding="utf-8")
    (folder / tests).write_text(dump({"rule_files": [rules], **run.tests}), encoding="utf-8")
    return tests


def dump(data: Any) -> str:
    text: str = yaml.dump(data, Dumper=Dumper, sort_keys=False, width=100_000)
    return text
