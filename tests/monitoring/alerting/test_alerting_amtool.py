"""What amtool says of the configuration that platform.yml becomes."""

from __future__ import annotations

import copy
import itertools
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from ansible_collections.devops.platform.plugins.module_utils.alerting.config import alertmanager_config
from ansible_collections.devops.platform.tests.unit.alerting import documented
from ansible_collections.devops.platform.tests.unit.alerting.any_alerting import ALERTING, TEAMS, errors
from ansible_collections.devops.platform.tests.unit.alerting.walk import told
from tests.monitoring.alerting.alertmanager import amtool, write

SECRETS = {name: f"value-of-{name}" for name in documented.form()["secrets"]["names"]}
BARE = {"monitoring": {"group": "monitoring", "alertmanager": {"version": "0.28.1"}}}
GLOB = "templates/*.tmpl"


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(amtool()), *arguments], capture_output=True, text=True, timeout=30, cwd=folder)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the documented form."""
    folder = tmp_path_factory.mktemp("am")
    write(folder, documented.platform(), SECRETS)
    return folder


@pytest.mark.parametrize("platform", [BARE, documented.platform()], ids=["bare", "documented"])
def test_it_is_accepted(tmp_path, platform):
    done = run("check-config", str(write(tmp_path, platform, SECRETS)), folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


ROUTES = [
    (severity, team, ["pager", "ops-mail"])
    if severity == "high"
    else (severity, team, ["data-slack" if team == "data" else "ops-slack"])
    for severity, team in itertools.product(("high", "medium", "low"), ("", "data", "ops"))
]


@pytest.mark.parametrize(("severity", "team", "expected"), [*ROUTES, ("typo", "ops", ["pager", "ops-mail"])])
def test_every_severity_and_team_goes_where_the_file_says(written, severity, team, expected):
    labels = [f"severity={severity}", "alertname=A", *([f"team={team}"] if team else [])]
    for more in ([], ["app=chat"], ["host=app1"]):
        done = run("config", "routes", "test", "--config.file=alertmanager.yml", *labels, *more, folder=written)
        assert done.stdout.strip().split(",") == expected, done.stdout + done.stderr


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ALERTING)
def test_whatever_passes_preflight_is_accepted_and_told_as_the_unit_tests_say(tmp_path, alerting):
    """They walk through the routes by themselves; here amtool does."""
    assume(not errors(alerting))
    platform = documented.platform(alerting)
    done = run("check-config", str(write(tmp_path, platform, SECRETS)), folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    route = alertmanager_config(platform)
    for severity, team in itertools.product(("high", "medium", "low"), TEAMS):
        labels = {"severity": severity, "team": team, "app": "chat"}
        asked = (f"{name}={value}" for name, value in labels.items())
        done = run("config", "routes", "test", "--config.file=alertmanager.yml", *asked, folder=tmp_path)
        assert done.stdout.strip().split(",") == told(route, **labels)


def test_the_watchdog_goes_to_its_own_receiver(written):
    asked = ("config", "routes", "test", "--config.file=alertmanager.yml", "severity=none")
    assert run(*asked, "alertname=Watchdog", folder=written).stdout.strip() == "deadman"
    assert run(*asked, "alertname=Info", folder=written).stdout.strip() == "nobody"


@pytest.mark.parametrize("text", ["{{ define }}", '{{ define "x" }}{{ nonsense . }}{{ end }}', '{{ define "x" }}'])
def test_a_template_that_does_not_parse_is_refused(tmp_path, text):
    path = write(tmp_path, documented.platform(), SECRETS)
    (tmp_path / "templates/mine.tmpl").write_text(text)
    done = run("check-config", str(path), folder=tmp_path)
    assert done.returncode != 0
    assert "mine.tmpl" in done.stdout + done.stderr


def test_a_time_zone_that_preflight_could_not_know_is_refused(tmp_path):
    platform = copy.deepcopy(documented.platform())
    platform["monitoring"]["alerting"]["quiet_hours"]["nights"]["timezone"] = "Mars/Olympus"
    done = run("check-config", str(write(tmp_path, platform, SECRETS)), folder=tmp_path)
    assert done.returncode != 0
    assert "Mars/Olympus" in done.stdout + done.stderr


@pytest.mark.parametrize("firing", [0, 1, 10, 100])
@pytest.mark.parametrize("length", [1, 12, 400])
def test_an_sms_is_one_message(written, tmp_path, firing, length):
    """160 characters hold it, however long names and texts are."""
    alert = {
        "labels": {name: name[0] * length for name in ("alertname", "host", "team", "runbook", "severity", "instance")},
        "annotations": {"summary": "s" * length},
        "startsAt": "2026-11-20T08:00:00Z",
        "endsAt": "2026-11-21T20:12:30Z",
    }
    status = "firing" if firing else "resolved"
    alerts = [{**alert, "status": status}] * max(firing, 1)
    data = {"receiver": "r", "status": status, "alerts": alerts, "externalURL": "http://a", "groupLabels": {}}
    path = tmp_path / "data.json"
    path.write_text(json.dumps({**data, "commonLabels": alert["labels"], "commonAnnotations": {}}))
    for name, most in (("sms", 160), ("sms.subject", 100)):
        text = f'{{{{ template "platform.{name}" . }}}}'
        arguments = (f"--template.glob={GLOB}", f"--template.text={text}", f"--template.data={path}")
        done = run("template", "render", *arguments, folder=written)
        assert done.returncode == 0, done.stderr
        assert 0 < len(done.stdout.rstrip("\n")) <= most
        assert "\n" not in done.stdout.rstrip("\n")
