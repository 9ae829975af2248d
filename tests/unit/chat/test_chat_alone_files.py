"""The files with which the application runs alone: compose.yaml, dev-secrets.sh, and pgAdmin's start."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.chat.loading import APP, load

start = load("pgadmin/start.py")
COMPOSE: dict[str, Any] = yaml.safe_load((APP / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SETTINGS = {
    "PGADMIN_EMAIL": "a@example.com",
    "PGADMIN_PASSWORD": "x",
    "DATABASE_HOST": "db",
    "DATABASE_NAME": "chat",
    "DATABASE_USER": "reader",
}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    # Images of our own name their user; upstream's start as root.
    assert "build" in service or re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert not service.get("image", "x:1").endswith(":latest")
    assert ":" in service.get("image", "x:1")


def test_no_secret_is_in_the_environment_or_has_a_default() -> None:
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET", key):
                assert key.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in service["secrets"]
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"${{CHAT_SECRETS:?run ./dev-secrets.sh first}}/{name}"}


def _secrets(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(APP / "dev-secrets.sh", folder)
    return subprocess.run([str(folder / "dev-secrets.sh"), *arguments], capture_output=True, text=True)


def _values(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / ".secrets").iterdir()}


def test_secrets_are_made_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CHAT_PORT=9000\n")
    assert _secrets(tmp_path).returncode == 0
    made = _values(tmp_path)
    assert set(made) == set(COMPOSE["secrets"])
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in made.values())
    assert (tmp_path / ".secrets").stat().st_mode & 0o777 == 0o700
    # Users of the containers read them; who is another on this machine does not get into the folder.
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / ".secrets").iterdir()} == {0o644}
    assert (tmp_path / ".env").read_text() == "CHAT_PORT=9000\nCHAT_SECRETS=./.secrets\n"

    again = _secrets(tmp_path)
    assert again.returncode == 1
    assert "nothing was changed" in again.stderr
    assert _values(tmp_path) == made

    assert _secrets(tmp_path, "--new").returncode == 0
    assert not set(_values(tmp_path).values()) & set(made.values())
    assert (tmp_path / ".env").read_text().count("CHAT_SECRETS") == 1
    assert _secrets(tmp_path, "--old").returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", ".secrets", "dev-secrets.sh"]


def test_secrets_stay_out_of_git() -> None:
    for path in (".env", ".secrets/secret_key", ".secrets.a8dkw3/secret_key"):
        assert subprocess.run(["git", "-C", str(APP), "check-ignore", "-q", path]).returncode == 0, path


def test_pgadmin_knows_the_server_and_not_its_password() -> None:
    (server,) = start.servers({**SETTINGS, "DATABASE_PORT": "6432"})["Servers"].values()
    assert (server["Host"], server["Port"], server["Username"]) == ("db", 6432, "reader")
    assert not [key for key in server if "pass" in key.lower()]


@pytest.mark.parametrize("missing", sorted(SETTINGS))
def test_pgadmin_says_what_is_not_set(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, "" if name == missing else value)
    monkeypatch.delenv("PGADMIN_PASSWORD_FILE", raising=False)
    with pytest.raises(SystemExit) as caught:
        start.main()
    assert caught.value.code == 2
    assert missing in capsys.readouterr().err


def test_pgadmin_s_password_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    assert start.password({"PGADMIN_PASSWORD_FILE": str(tmp_path / "secret")}) == "from the file"
    assert start.password({"PGADMIN_PASSWORD": "plain"}) == "plain"
    assert start.password({}) == ""
