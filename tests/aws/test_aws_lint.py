"""Terraform's code by two linters: tflint, built from its Go module, and checkov, in an environment of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from lab import gobuild
from lab.recipes import find
from lab.state import State
from tests.aws.harness.terraform import ROOT
from tools import REPOSITORY
from tools.apptests import UV, environment

CHECKOV = REPOSITORY / "tools" / "checkov"
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def tflint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What TFLINT names, or the lab's own recipe, built: some minutes the first time."""
    if os.environ.get("TFLINT"):
        return Path(os.environ["TFLINT"])
    _version, _arch, programs = gobuild.build(find("tflint"), State())
    path = tmp_path_factory.mktemp("tflint") / "tflint"
    path.write_bytes(programs["tflint"])
    path.chmod(0o755)
    return path


def test_tflint(tflint: Path) -> None:
    call = [str(tflint), "--recursive", f"--config={ROOT / '.tflint.hcl'}", "--no-color"]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout + done.stderr


def test_checkov() -> None:
    call = [str(UV), "run", "--frozen", "--quiet", "--project", str(CHECKOV), "checkov", "--directory", str(ROOT)]
    call += ["--config-file", str(CHECKOV / "checkov.yml"), "--output", "json"]
    done = subprocess.run(call, cwd=ROOT, env=environment(os.environ), capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    failed = [
        f"{row['check_id']} {row['resource']} ({row['file_path']}:{row['file_line_range'][0]}): {row['check_name']}"
        for row in found["results"]["failed_checks"]
    ]
    assert not failed, "\n".join(sorted(set(failed)))
    assert found["summary"]["passed"] > 300
    assert not found["summary"]["parsing_errors"]
    needed = {(row["file_path"], row["check_id"]) for row in found["results"]["skipped_checks"]}
    assert {waiver[:2] for waiver in waivers()} == needed


def waivers() -> list[tuple[str, str, str]]:
    """(file, check, reason) of each comment beside a resource."""
    return [
        (f"/{path.relative_to(ROOT)}", *found)
        for path in sorted(ROOT.rglob("*.tf"))
        for found in re.findall(r"#checkov:skip=(\w+):?(.*)", path.read_text())
    ]


def test_each_waiver_says_why() -> None:
    assert waivers()
    assert [waiver for waiver in waivers() if len(waiver[2]) < 20] == []
