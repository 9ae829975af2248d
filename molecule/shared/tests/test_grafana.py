"""What the role grafana promises, asked of the host."""

from __future__ import annotations

import json

import pytest

from tools import REPOSITORY

API = "http://127.0.0.1:3000/api"
DASHBOARDS = REPOSITORY / "collections/ansible_collections/devops/platform/roles/grafana/files/dashboards"
# As the administrator, whose password is read where Grafana reads it.
ASK = """
import base64, sys, urllib.request
password = open("/etc/grafana/secrets/admin_password").read().strip()
token = base64.b64encode(f"admin:{password}".encode()).decode()
request = urllib.request.Request(sys.argv[1], headers={"Authorization": f"Basic {token}"})
print(urllib.request.urlopen(request, timeout=10).read().decode())
"""


@pytest.fixture
def signed_in(host):
    return lambda path: json.loads(host.check_output("python3 -c %s %s", ASK, f"{API}/{path}"))


def test_it_runs_and_starts_with_the_host(host, fetch_json):
    service = host.service("grafana")
    assert service.is_running
    assert service.is_enabled
    assert fetch_json(f"{API}/health")["database"] == "ok"


@pytest.mark.parametrize("path", ["search", "datasources", "admin/settings"])
def test_nobody_is_let_in_without_a_name(fetch, path):
    assert fetch(f"{API}/{path}").partition(" ")[0] == "401"


def test_the_declared_password_holds(signed_in):
    assert signed_in("user")["isGrafanaAdmin"] is True


def test_every_dashboard_is_there(signed_in):
    found = {each["uid"] for each in signed_in("search?type=dash-db&limit=500")}
    assert found == {path.stem for path in DASHBOARDS.glob("*.json")}


def test_nobody_changes_one_in_a_browser(signed_in):
    assert signed_in("dashboards/uid/overview")["meta"]["provisioned"] is True


def test_the_data_source_is_the_one_that_dashboards_name(signed_in):
    assert [(each["uid"], each["type"], each["readOnly"]) for each in signed_in("datasources")] == [
        ("prometheus", "prometheus", True)
    ]


def test_secrets_are_for_grafana_alone(host):
    for name in ("admin_password", "secret_key"):
        file = host.file(f"/etc/grafana/secrets/{name}")
        assert (file.user, file.group, file.mode) == ("root", "grafana", 0o640)
    assert "molecule-grafana" not in host.file("/etc/grafana/grafana.ini").content_string
