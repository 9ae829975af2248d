"""The platform's own certificates: made once, for the right names, renewed in time, and lost by nothing."""

from __future__ import annotations

import datetime as dt
import ssl
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509

from ansible_collections.devops.platform.plugins.module_utils.platform import pki
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import UNSET, Store


def authority_in(folder: Path) -> pki.Authority:
    return pki.Authority(Store(folder / "pki"), "lab exporters")


def parsed(issued: pki.Issued) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issued.certificate.encode())


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch):
    """Moves the clock of the authority."""
    real = pki._now

    def move(days: float) -> None:
        monkeypatch.setattr(pki, "_now", lambda: real() + dt.timedelta(days=days))

    return move


def test_a_certificate_is_made_once_and_only_its_owner_reads_the_key(tmp_path: Path) -> None:
    authority = authority_in(tmp_path)
    issued = authority.issue("app1", ["10.0.0.1"])
    assert authority.issue("app1", ["10.0.0.1"]) == issued
    assert pki.names_of(parsed(issued)) == {"app1", "10.0.0.1"}
    assert authority.issue("app2").authority == issued.authority
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "pki").glob("*.[ck]*")}
    assert set(files.values()) == {0o600}
    assert {"ca.crt", "ca.key", "app1.crt", "app1.key", "app2.crt", "app2.key"} <= set(files)


@pytest.mark.parametrize("asked", ["localhost", "127.0.0.1"])
def test_a_client_that_trusts_the_authority_trusts_the_server(tmp_path: Path, asked: str) -> None:
    """With OpenSSL, over a real handshake."""
    issued = authority_in(tmp_path).issue("localhost", ["127.0.0.1"])
    (tmp_path / "both.pem").write_text(issued.certificate + issued.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "both.pem")
    client = ssl.create_default_context(cadata=issued.authority)
    near, far = ssl.MemoryBIO(), ssl.MemoryBIO()
    at_client = client.wrap_bio(near, far, server_hostname=asked)
    at_server = server.wrap_bio(far, near, server_side=True)
    for _ in range(4):
        for side in (at_client, at_server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = at_client.getpeercert()
    assert shown is not None
    assert shown["subject"] == ((("commonName", "localhost"),),)


@pytest.mark.parametrize(
    ("days", "names", "renewed"),
    [
        (0, ["10.0.0.1"], False),
        (pki.CERTIFICATE_DAYS - pki.RENEW_DAYS - 2, ["10.0.0.1"], False),
        (pki.CERTIFICATE_DAYS - pki.RENEW_DAYS + 1, ["10.0.0.1"], True),
        (0, ["10.0.0.2"], True),
        (0, [], False),  # it says more than is asked for
    ],
)
def test_it_is_renewed_in_time_and_when_the_host_moves(tmp_path, later, days, names, renewed) -> None:
    authority = authority_in(tmp_path)
    before = authority.issue("app1", ["10.0.0.1"])
    later(days)
    after = authority.issue("app1", names)
    assert (after != before) is renewed
    assert after.authority == before.authority
    assert set(names) <= pki.names_of(parsed(after))


@pytest.mark.parametrize("broken", ["app1.crt", "app1.key"])
def test_what_is_lost_is_made_anew(tmp_path: Path, broken: str) -> None:
    authority = authority_in(tmp_path)
    before = authority.issue("app1")
    (tmp_path / "pki" / broken).unlink()
    assert authority.issue("app1") != before


def test_check_mode_makes_nothing(tmp_path: Path) -> None:
    assert authority_in(tmp_path).issue("app1", check=True) == pki.Issued(UNSET, UNSET, UNSET)
    assert not (tmp_path / "pki").exists()


def test_somebody_elses_certificates_are_used_and_never_made(tmp_path: Path) -> None:
    given = authority_in(tmp_path).issue("app1")
    (tmp_path / "pki" / "ca.key").unlink()
    assert authority_in(tmp_path).issue("app1") == given
    with pytest.raises(PlatformError, match=r"no ca\.key, so nothing can be issued"):
        authority_in(tmp_path).issue("app2")


def test_an_authority_that_ends_is_told_before_it_does(tmp_path: Path, later) -> None:
    authority_in(tmp_path).issue("app1")
    later(pki.CA_DAYS - pki.RENEW_DAYS)
    with pytest.raises(PlatformError, match=r"the authority in .* ends on \d{4}-\d\d-\d\d; move that directory away"):
        authority_in(tmp_path).issue("app1")


def test_workers_at_the_same_time_agree(tmp_path: Path) -> None:
    barrier = threading.Barrier(4)

    def ask(_number: int) -> pki.Issued:
        barrier.wait()
        return authority_in(tmp_path).issue("app1")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1


@pytest.mark.parametrize(("peers", "clients"), [(False, False), (True, True)])
def test_only_servers_that_call_each_other_show_themselves_as_clients(tmp_path: Path, peers, clients) -> None:
    issued = pki.Authority(Store(tmp_path / "pki"), "lab nodes", peers=peers).issue("log1")
    usages = parsed(issued).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.oid.ExtendedKeyUsageOID.SERVER_AUTH in usages
    assert (x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH in usages) is clients


def test_clocks_may_be_behind_and_browsers_take_the_whole_time(tmp_path):
    certificate = parsed(authority_in(tmp_path).issue("app1", []))
    now = dt.datetime.now(dt.UTC)
    assert certificate.not_valid_before_utc < now - dt.timedelta(hours=23)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc < dt.timedelta(days=398)
