"""The whole application alone on one machine: ``docker compose up`` in apps/chat, for real.

A copy of the folder is built and started under a project name of its own (``alone-chat-…``) on free ports; containers,
volumes, network and images go away at the end, also after a failure. A lab need not run, and one that runs is left
alone. Where no image registry answers, the lab's equivalents bear upstream's names meanwhile.
"""

from __future__ import annotations

import http.cookiejar
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.journey import account, chat, edge
from lab.runtime import wait_until
from tests.chat.harness.alone import Alone, compose_command, copy_of

SERVICES = ("proxy", "web", "api", "websocket", "postgres", "redis")
PASSWORD = "correct horse battery"


def _edge(alone: Alone) -> edge.Edge:
    return edge.Edge(alone.url, "localhost")


def _talk(alone: Alone, user: str, client_id: str) -> None:
    """Somebody signs up (or in), is in the lobby, and what they write there reaches another connection."""
    target = _edge(alone)
    session = account.enter(target, account.Account(user, PASSWORD))
    chat.converse(chat.connector(target, "/ws/socket.io", session.cookie), "lobby", "hello", client_id)
    answer = session.ask("GET", "/api/rooms/lobby/messages")
    assert client_id in [message["client_id"] for message in answer.json()["messages"]]


def test_without_secrets_compose_names_the_command(alone: Alone, tmp_path: Path) -> None:
    bare = copy_of(tmp_path / "chat")
    result = subprocess.run([*compose_command(alone.client), "config"], cwd=bare, capture_output=True, text=True)
    assert result.returncode != 0
    assert "run ./dev-secrets.sh first" in result.stderr


def test_a_browser_gets_the_page_from_the_same_origin(alone: Alone) -> None:
    page = edge.expect_ok(_edge(alone), "/")
    assert "<title>" in page.text
    (script,) = re.findall(r'<script type="module"[^>]* src="([^"]+)"', page.text)
    assert "react" in edge.expect_ok(_edge(alone), script).text.lower()


def test_people_sign_up_and_talk(alone: Alone) -> None:
    _talk(alone, "ada", "alone-first-message")


def test_a_wrong_password_and_a_foreign_origin_are_refused(alone: Alone) -> None:
    session = account.Session(_edge(alone))
    session.ask("GET", "/api/session")
    assert session.ask("POST", "/api/session", {"name": "nobody", "password": "wrong password"}).status == 401
    headers = {"Origin": "http://elsewhere.example", "Cookie": session.cookie, "X-CSRF-Token": session.token}
    body = {"name": "nobody", "password": "wrong password"}
    assert edge.request(_edge(alone), "POST", "/api/session", body, headers).status == 403


def test_services_see_the_visitor_and_not_what_he_claims(alone: Alone) -> None:
    mark = "alone-forwarded-mark"
    edge.request(_edge(alone), "GET", f"/api/rooms/{mark}", None, {"X-Forwarded-For": "203.0.113.9"})

    def written() -> list[str]:
        return [line for line in alone.container("api").logs().decode().splitlines() if mark in line]

    wait_until("the request is in the log", lambda: bool(written()), 10)  # which comes after the answer
    (line,) = written()
    proxy = next(iter(alone.container("proxy").attrs["NetworkSettings"]["Networks"].values()))["IPAddress"]
    assert "203.0.113.9" not in line
    assert f'"remote": "{proxy}"' not in line, "the proxy's own address says nothing about who asked"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_confined(alone: Alone, service: str) -> None:
    container = alone.container(service)
    host = container.attrs["HostConfig"]
    assert container.attrs["State"]["Health"]["Status"] == "healthy"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    published = [binding["HostIp"] for bindings in (host["PortBindings"] or {}).values() for binding in bindings]
    assert published == (["127.0.0.1"] if service == "proxy" else [])
    code, user = container.exec_run(["id", "-u"])
    assert code == 0
    assert user.strip() != b"0"


@pytest.mark.parametrize("service", SERVICES)
def test_secrets_are_in_files_alone(alone: Alone, service: str) -> None:
    container = alone.container(service)
    seen = "\n".join(
        [str(container.attrs), str(container.top()["Processes"]), container.logs().decode(errors="replace")]
    )
    assert not [name for name, value in alone.secrets().items() if value in seen]


def test_it_starts_again_with_its_data_and_finds_new_addresses(alone: Alone) -> None:
    _talk(alone, "grace", "alone-before-restart")
    session = account.enter(_edge(alone), account.Account("grace", PASSWORD))
    alone.compose(
        "up", "--wait", "--wait-timeout", "120", "--force-recreate", "postgres", "redis", "api", "websocket", "migrate"
    )
    assert session.ask("GET", "/api/session").json()["user"]["name"] == "grace", "still signed in"
    messages = session.ask("GET", "/api/rooms/lobby/messages").json()["messages"]
    assert "alone-before-restart" in [message["client_id"] for message in messages]
    _talk(alone, "grace", "alone-after-restart")


def test_pgadmin_is_there_where_it_is_asked_for(alone: Alone) -> None:
    assert "pgadmin" not in alone.compose("config", "--services").stdout.split()
    alone.compose("--profile", "tools", "up", "--wait", "--wait-timeout", "180", "pgadmin")
    url = f"http://127.0.0.1:{alone.ports['PGADMIN_PORT']}"
    page = urllib.request.urlopen(f"{url}/login", timeout=20)
    assert "pgAdmin" in page.read().decode()
    password = alone.secrets()["pgadmin_password"]
    assert _pgadmin(url, "another password").endswith("/login")
    assert "/browser" in _pgadmin(url, password)
    container = alone.container("pgadmin")
    assert container.attrs["HostConfig"]["ReadonlyRootfs"]
    assert password not in str(container.attrs)
    # The server is known to it, and no password for it.
    query = "select name, host, username, coalesce(password, 'none') from server"
    program = f"import sqlite3; print(sqlite3.connect('/tmp/pgadmin/pgadmin4.db').execute({query!r}).fetchall())"
    assert container.exec_run(["python3", "-c", program]).output.decode().strip() == (
        "[('chat', 'postgres', 'chat', 'none')]"
    )


def _pgadmin(url: str, password: str) -> str:
    """Where signing in leads to."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = opener.open(f"{url}/login", timeout=20).read().decode()
    found = re.search(r'csrfToken":\s*"([^"]+)"', page) or re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, "the page has a token against forged requests"
    form = {"email": "developer@example.com", "password": password, "csrf_token": found[1], "internal_button": "Login"}
    answer = opener.open(f"{url}/authenticate/login", urllib.parse.urlencode(form).encode(), timeout=20)
    return str(answer.url)
