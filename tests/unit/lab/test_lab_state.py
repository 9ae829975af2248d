from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from lab import REPOSITORY, keys
from lab.errors import LabError
from lab.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "state")
    made.create()
    return made


def test_everything_is_private(state: State) -> None:
    keys.ssh_key(state)
    keys.ensure_pki(state, ["chat.lab"], ["172.30.0.10"])
    for path in (state.key, state.pki / "ca.key", state.pki / "edge.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.root.stat().st_mode) == 0o700


def test_certificates_are_reused_until_the_names_change(state: State) -> None:
    assert keys.ensure_pki(state, ["chat.lab", "edge1"], ["172.30.0.10"])
    assert not keys.ensure_pki(state, ["chat.lab", "edge1"], ["172.30.0.10"])
    ca = (state.pki / "ca.crt").read_bytes()
    assert keys.ensure_pki(state, ["chat.lab", "edge1"], ["10.0.0.10"])
    assert (state.pki / "ca.crt").read_bytes() == ca
    edge = x509.load_pem_x509_certificate((state.pki / "edge.crt").read_bytes())
    edge.verify_directly_issued_by(x509.load_pem_x509_certificate(ca))
    names = edge.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["chat.lab", "edge1"]


def test_a_broken_certificate_is_issued_again(state: State) -> None:
    keys.ensure_pki(state, ["chat.lab"], [])
    (state.pki / "edge.crt").write_text("nonsense")
    assert keys.ensure_pki(state, ["chat.lab"], [])


def test_ssh_keys_are_made_once(state: State) -> None:
    first = keys.ssh_key(state, "app1")
    assert first == keys.ssh_key(state, "app1")
    assert first != keys.ssh_key(state, "app2")
    keys.forget_host_key(state, "app1")
    assert first != keys.ssh_key(state, "app1")


def test_known_hosts_keep_one_line_an_address() -> None:
    text = "10.0.0.1,old ssh-ed25519 AAA\n10.0.0.2,app2 ssh-ed25519 BBB\n10.0.0.3 ssh-ed25519 CCC\n"
    merged = keys.merge_known_hosts(text, {("10.0.0.1", "new"): "ssh-ed25519 DDD comment"}, removed=["10.0.0.3"])
    assert merged == "10.0.0.1,new ssh-ed25519 DDD\n10.0.0.2,app2 ssh-ed25519 BBB\n"


def test_settings_survive(state: State) -> None:
    settings = state.load_settings({"LAB_APP_HOSTS": "4"})
    state.save_settings(settings)
    assert json.loads(state.settings.read_text())["app_hosts"] == 4
    assert state.load_settings({}) == settings


@pytest.mark.parametrize("content", ["{", '{"app_hosts": 0}'])
def test_broken_settings_are_named(state: State, content: str) -> None:
    state.settings.write_text(content)
    with pytest.raises(LabError, match="settings"):
        state.load_settings({})


def test_the_lock_keeps_others_out(state: State) -> None:
    probe = (
        "import fcntl, sys\n"
        "with open(sys.argv[1]) as stream:\n"
        "    try:\n"
        "        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "    except BlockingIOError:\n"
        "        sys.exit(7)\n"
    )
    command = [sys.executable, "-c", probe, str(state.root / "lock")]
    with state.locked():
        assert subprocess.run(command, cwd=REPOSITORY, check=False).returncode == 7
    assert subprocess.run(command, cwd=REPOSITORY, check=False).returncode == 0
