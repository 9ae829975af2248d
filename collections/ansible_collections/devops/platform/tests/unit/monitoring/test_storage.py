"""Where samples are kept and sent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.engine import arguments
from ansible_collections.devops.platform.plugins.module_utils.engine.spec import parse_spec
from ansible_collections.devops.platform.plugins.module_utils.monitoring import backup, storage
from ansible_collections.devops.platform.plugins.module_utils.platform import formats, remote
from ansible_collections.devops.platform.tests.unit.platform import example

URL = "https://metrics.example/api/v1/write"


def platform(*entries: Any) -> dict[str, Any]:
    return {"name": "chat", "environment": "prod", "monitoring": {"prometheus": {"remote_write": list(entries)}}}


@pytest.mark.parametrize(
    ("entry", "expected", "secrets"),
    [
        ({"url": URL}, {"url": URL}, []),
        ({"url": URL, "name": "far"}, {"url": URL, "name": "far"}, []),
        (
            {"url": URL, "user": "u", "password": "remote"},
            {"url": URL, "basic_auth": {"username": "u", "password_file": "remote/remote"}},
            ["remote"],
        ),
        (
            {"url": URL, "bearer": "token"},
            {"url": URL, "authorization": {"credentials_file": "remote/token"}},
            ["token"],
        ),
    ],
)
def test_remote_writing_names_files_and_no_secret(entry: Any, expected: Any, secrets: list[str]) -> None:
    assert storage.remote_write(platform(entry)) == [expected]
    assert remote.remote_secrets(platform(entry, entry)) == secrets


def test_nothing_is_sent_on_by_itself() -> None:
    assert storage.remote_write({}) == []
    assert remote.remote_secrets({}) == []


def test_replicas_can_be_told_apart_where_there_are_several() -> None:
    common = {"platform": "chat", "environment": "prod"}
    assert storage.external_labels(platform(), "mon1", ["mon1"]) == common
    assert storage.external_labels(platform(), "mon2", ["mon1", "mon2"]) == {**common, "replica": "mon2"}


# Backups

BACKUP = {"directory": "/backup", "at": "daily", "keep": 7, "max_age": "26h", "textfile_directory": ""}
PROGRAM = Path(backup.__file__)


def component(given: dict[str, Any], folder: str = "/data") -> dict[str, Any]:
    return storage.backup_component(given, "mon1", 9090, folder, str(PROGRAM))


@pytest.mark.parametrize(
    ("given", "exporter", "expected"),
    [
        (None, {}, {}),
        ({"directory": "/backup"}, {}, BACKUP),
        ({"directory": "/backup"}, {"version": "1"}, {**BACKUP, "textfile_directory": "/var/lib/node_exporter"}),
        ({**BACKUP, "at": "weekly", "keep": 2}, {}, {**BACKUP, "at": "weekly", "keep": 2}),
    ],
)
def test_backups_are_what_is_set_and_defaults(given: Any, exporter: Any, expected: Any) -> None:
    monitoring = {"prometheus": {"backup": given}, "node_exporter": exporter}
    assert storage.prometheus_backup({"monitoring": monitoring}) == expected


def test_a_backup_that_is_no_longer_declared_goes() -> None:
    assert component({}) == {"name": "prometheus_backup", "state": "absent"}


def test_the_component_runs_the_program_with_arguments_that_it_takes() -> None:
    made = component({**BACKUP, "textfile_directory": "/text"})
    interpreter, flag, program, *arguments = made["unit"]["exec"].split()
    assert (interpreter, flag, program) == ("/usr/bin/python3", "-I", made["files"][0]["path"])
    found = backup.parsed(arguments)
    assert found == backup.Settings(
        "http://127.0.0.1:9090", Path("/data"), Path("/backup"), "mon1", 7, Path("/text/prometheus_backup.prom")
    )
    assert [folder["path"] for folder in made["directories"] if folder.get("data")] == ["/backup"]  # stays
    assert made["unit"]["writable"] == ["/data", "/backup", "/text"]
    assert made["files"][1]["path"] == "/text/prometheus_backup_declared.prom"
    assert made["files"][1]["content"].endswith("\nprometheus_backup_max_age_seconds 93600\n")
    assert len(component(BACKUP)["files"]) == 1
    assert made["unit"]["options"]["Service"]["SupplementaryGroups"] == "node_exporter"


def test_without_node_exporter_nobody_is_told() -> None:
    made = component(BACKUP)
    assert backup.parsed(made["unit"]["exec"].split()[3:]).metrics is None
    assert "SupplementaryGroups" not in made["unit"]["options"]["Service"]


def test_the_role_takes_the_component_and_the_textfile_directory_is_the_exporters() -> None:
    """What the engine refuses is known before a host is asked."""
    given = {key: value for key, value in component(BACKUP).items() if key != "files"}
    assert list(arguments.problems(given, arguments.COMPONENT, "component")) == []
    assert parse_spec(given, "amd64").runtime.unit == "prometheus_backup.timer"
    roles = PROGRAM.parents[3] / "roles"
    defaults = yaml.safe_load((roles / "node_exporter/defaults/main.yml").read_text(encoding="utf-8"))
    assert defaults["node_exporter_textfile_directory"] == storage.TEXTFILE


def test_the_program_needs_nothing_but_the_hosts_python() -> None:
    done = subprocess.run([sys.executable, "-I", "-S", str(PROGRAM), "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("remote_write: [{url: 'ftp://x'}]", "remote_write[0].url"),
        ("remote_write: [{url: 'https://x/', user: a}]", "remote_write[0]"),
        ("remote_write: [{url: 'https://x/', bearer: nobody}]", "no secret 'nobody' is declared"),
        ("directory: prometheus", "is not an absolute path, such as /mnt/prometheus"),
        ("backup: {}", "backup: lacks the key 'directory'"),
        ("backup: {directory: here}", "is not an absolute path, such as /var/backups/prometheus"),
        ("backup: {directory: /var/lib/prometheus/b}", "is in Prometheus' own directory /var/lib/prometheus"),
        ("directory: /mnt/p, backup: {directory: /mnt/p}", "is in Prometheus' own directory /mnt/p"),
        ("backup: {directory: /b, keep: 0}", "backup.keep"),
        ("backup: {directory: /b, at: nightly}", "'nightly' is no time of systemd.timer(5), such as daily"),
    ],
)
def test_what_cannot_work_is_told(tmp_path: Path, more: str, words: str) -> None:
    edit = ("retention_size: 5GB}", f"retention_size: 5GB, {more}}}")
    found = example.problems(tmp_path, edit)
    assert len(found) == 1, found
    assert words in found[0]


def test_a_backup_elsewhere_is_right(tmp_path: Path) -> None:
    edit = ("retention_size: 5GB}", "retention_size: 5GB, backup: {directory: /var/lib/prometheus-backup}}")
    assert example.problems(tmp_path, edit) == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        *((text, True) for text in ("daily", "03:30", "Sun 03:30", "Mon..Fri *-*-* 00/6:15:00", "weekly UTC", "*-*-1")),
        *((text, False) for text in ("", " daily", "every day", "03:30 daily", "12", "moon", "daily\n[Service]")),
    ],
)
def test_times(text: str, right: bool) -> None:
    """As systemd-analyze calendar says of each."""
    assert bool(formats.CALENDAR.fullmatch(text)) is right
