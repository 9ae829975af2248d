"""What the role kibana promises, asked of the host."""

from __future__ import annotations

import json

import pytest

from tools.saved_objects.__main__ import PATH

URL = "https://127.0.0.1:5601"
# Whoever signs in is somebody that Elasticsearch knows.
ASK = """
import base64, ssl, sys, urllib.request
context = ssl.create_default_context(cafile="/etc/kibana/ca.crt")
token = base64.b64encode(b"reader:molecule-reader").decode()
headers = {"Authorization": f"Basic {token}", "kbn-xsrf": "molecule"}
request = urllib.request.Request(sys.argv[1], headers=headers)
print(urllib.request.urlopen(request, timeout=30, context=context).read().decode())
"""


@pytest.fixture
def as_reader(host):
    return lambda path: json.loads(host.check_output("python3 -c %s %s", ASK, f"{URL}{path}"))


def test_it_runs_and_starts_with_the_host(host):
    service = host.service("kibana")
    assert service.is_running
    assert service.is_enabled


def test_nobody_is_let_in_without_a_name(fetch):
    assert fetch(f"{URL}/api/saved_objects/_find?type=dashboard").partition(" ")[0] == "401"


def test_every_object_is_there(as_reader):
    wanted = [json.loads(line) for line in PATH.read_text(encoding="utf-8").splitlines()]
    for kind in {item["type"] for item in wanted}:
        found = as_reader(f"/api/saved_objects/_find?type={kind}&per_page=1000")["saved_objects"]
        assert {item["id"] for item in found} >= {item["id"] for item in wanted if item["type"] == kind}


def test_secrets_are_for_kibana_alone(host):
    for name in ("secrets.yml", "tls.key"):
        file = host.file(f"/etc/kibana/{name}")
        assert (file.user, file.group, file.mode) == ("root", "kibana", 0o640)
    assert "molecule-kibana" not in host.file("/etc/kibana/kibana.yml").content_string
