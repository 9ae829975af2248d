"""Real Alertmanagers on loopback, with the configuration and the templates that the role would install."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jinja2
import pytest

from ansible_collections.devops.platform.plugins.module_utils.alerting.config import (
    alertmanager_config,
    alertmanager_secret_files,
    alertmanager_secrets,
    alertmanager_text,
)
from tests.monitoring.harness.programs import program
from tools import REPOSITORY

ROLE = REPOSITORY / "collections/ansible_collections/devops/platform/roles/alertmanager"
SHARED = Path("/usr/share/prometheus/alertmanager")
PATIENCE = 20.0  # seconds in which whatever should come has come
LATELY = datetime.now(UTC) - timedelta(minutes=12, seconds=30)


def amtool() -> Path:
    return program("amtool", "alertmanager")


def server() -> Path:
    """The alertmanager beside amtool; Debian's package calls it otherwise."""
    folder = amtool().parent
    for name in ("alertmanager", "prometheus-alertmanager"):
        if (folder / name).is_file():
            return folder / name
    pytest.fail(f"there is no alertmanager in {folder}, beside amtool; put it there", pytrace=False)


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def write(folder: Path, platform: Mapping[str, Any], secrets: Mapping[str, str]) -> Path:
    """alertmanager.yml with its templates and secrets below `folder`, as the role has them."""
    for name in ("templates", "secrets"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(ROLE / "files/templates/platform.tmpl", folder / "templates")
    environment = jinja2.Environment(autoescape=False, keep_trailing_newline=True, trim_blocks=True)  # noqa: S701
    environment.filters["regex_replace"] = lambda text, pattern, new: re.sub(pattern, new, text)
    template = environment.from_string((ROLE / "templates/settings.tmpl.j2").read_text(encoding="utf-8"))
    named = {"alertmanager_platform": "chat (lab)", "alertmanager_runbooks": "https://git.example.com/runbooks/"}
    (folder / "templates/settings.tmpl").write_text(template.render(named), encoding="utf-8")
    config = alertmanager_config(platform, str(folder))
    for name, value in alertmanager_secret_files(config, secrets, str(folder)).items():
        (folder / "secrets" / name).write_text(value, encoding="utf-8")
    assert set(alertmanager_secrets(platform)) <= set(secrets)
    path = folder / "alertmanager.yml"
    path.write_text(alertmanager_text(config, secrets), encoding="utf-8")
    return path


def _command(folder: Path) -> list[str]:
    """How the program is started: Debian's build reads its own template from /usr/share. Where that is not installed,
    and stands beside the program, it is laid over /usr/share for the program alone."""
    program = server()
    beside = program.parent / "templates"
    if SHARED.exists() or not (beside / "default.tmpl").is_file():
        return [str(program)]
    layer = folder / "share"
    shutil.copytree(beside, layer / SHARED.relative_to("/usr/share"), dirs_exist_ok=True)
    script = f'mount -t overlay overlay -o lowerdir={layer}:/usr/share /usr/share && exec "$@"'
    rootless = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *rootless, "sh", "-c", script, "sh", str(program)]


class Alertmanager:
    """One that runs. `url` is its API's."""

    def __init__(self, address: str, port: int, log: Path) -> None:
        self.url, self.log = f"http://{address}:{port}", log
        self.process: subprocess.Popen[bytes] | None = None

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:
            return json.load(answer)

    def metric(self, name: str) -> float:
        """The sum of a metric's series; `name` may hold some labels: `x_total{reason="y"`."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def post(
        self,
        *alerts: Mapping[str, str],
        over: bool = False,
        summary: str = "something is wrong",
        since: datetime = LATELY,
    ) -> None:
        """Send alerts with these labels, firing or, where they are `over`, resolved. Alertmanager tells at once of what
        has been so ``since`` before its `group_wait`, without waiting for others of the group."""
        now = datetime.now(UTC)
        body = [
            {
                "labels": dict(labels),
                "annotations": {"summary": summary, "description": "it has been so for a while"},
                "startsAt": since.isoformat(),
                **({"endsAt": now.isoformat()} if over else {}),
            }
            for labels in alerts
        ]
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=5).close()

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


@contextmanager
def running(
    folder: Path,
    platform: Mapping[str, Any],
    secrets: Mapping[str, str],
    flags: Sequence[str] = ("--cluster.listen-address=",),
    address: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Alertmanager]:
    """On any free port, where none is given."""
    config = write(folder, platform, secrets)
    found = Alertmanager(address, port or free_port(address), folder / "log")
    with found.log.open("wb") as log:
        found.process = subprocess.Popen(
            [
                *_command(folder),
                f"--config.file={config}",
                f"--storage.path={folder}/data",
                f"--web.listen-address={found.url.removeprefix('http://')}",
                "--log.level=debug",
                *flags,
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: _ready(found), f"Alertmanager is ready; its log is {found.log}")
        yield found
    finally:
        found.stop()


def _ready(found: Alertmanager) -> bool:
    process = found.process
    if process is not None and process.poll() is not None:
        pytest.fail(f"Alertmanager ended: {found.log.read_text(errors='replace')[-1500:]}", pytrace=False)
    try:
        with urllib.request.urlopen(f"{found.url}/-/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def eventually(true: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """The first answer of `true` that is one, within `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        answer = true()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {patience:.0f} s: {what}"
        time.sleep(0.05)
