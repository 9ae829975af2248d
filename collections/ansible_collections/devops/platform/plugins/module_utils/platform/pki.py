"""Certificates for the platform's own traffic: an authority of its own, and what it issued to hosts.

Only the controller runs this, and only it has the authority's key. Everything is kept in a store of secrets: made once,
under a lock, renamed into place. ``cryptography`` comes with ansible-core.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .model import PlatformError
from .secrets import UNSET, Store

CA_DAYS = 3650
CERTIFICATE_DAYS = 396
# Certificates hold from a day back: a host whose clock is behind still trusts one that was made just now.
CLOCKS_BEHIND = dt.timedelta(days=1)
# Renewed by a run that finds less: one run a month is enough to never serve an expired one.
RENEW_DAYS = 45
KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Issued:
    """PEM texts: a host's certificate and key, and the authority that vouches for it."""

    certificate: str
    key: str
    authority: str


class Authority:
    """The authority whose files are in ``store``: ``ca.crt``, ``ca.key``, and ``<host>.crt`` and ``<host>.key``.

    Somebody else's certificates can stand there instead: without ``ca.key`` nothing is issued, and what is missing or
    runs out is an error that names the file. ``peers``: its certificates are for servers that call each other, and show
    them as clients, too.
    """

    def __init__(self, store: Store, name: str, peers: bool = False) -> None:
        self.store = store
        self.name = name
        self.peers = peers

    def issue(self, host: str, addresses: Sequence[str] = (), check: bool = False) -> Issued:
        """What ``host`` has, made or renewed where that is due; in check mode only what there is, or UNSET."""
        found = self._read(host)
        if found and self._fits(found.certificate, {host, *addresses}):
            return found
        if check:
            return found or Issued(UNSET, UNSET, self.store.read("ca.crt") or UNSET)
        with self.store.locked():
            found = self._read(host)  # another process may have been first
            if found and self._fits(found.certificate, {host, *addresses}):
                return found
            ca, ca_key = self._authority()
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = server_certificate(host, addresses, key, ca, ca_key, peers=self.peers)
            # The key first: a certificate without its key would look whole.
            self.store.write(f"{host}.key", key_text(key))
            self.store.write(f"{host}.crt", text_of(certificate))
            return Issued(text_of(certificate), key_text(key), text_of(ca))

    def _read(self, host: str) -> Issued | None:
        parts = [self.store.read(name) for name in (f"{host}.crt", f"{host}.key", "ca.crt")]
        if any(part is None for part in parts):
            return None
        certificate, key, authority = (f"{part}\n" for part in parts)
        return Issued(certificate, key, authority)

    def _fits(self, certificate: str, names: set[str]) -> bool:
        """Whether it names the host and its addresses, lasts a while yet, and is of this authority."""
        try:
            found = x509.load_pem_x509_certificate(certificate.encode())
            ca = x509.load_pem_x509_certificate((self.store.read("ca.crt") or "").encode())
            found.verify_directly_issued_by(ca)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is made anew
            return False
        return names <= names_of(found) and days_left(found) > RENEW_DAYS

    def _authority(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Called under the lock."""
        certificate, key = self.store.read("ca.crt"), self.store.read("ca.key")
        if certificate and not key:
            raise PlatformError(
                f"certificates: {self.store.directory} has no ca.key, so nothing can be issued; put the hosts' "
                "certificates there as HOST.crt and HOST.key, valid and for the host's name and address"
            )
        if not (certificate and key):
            made, made_key = authority(self.name)
            self.store.write("ca.key", key_text(made_key))
            self.store.write("ca.crt", text_of(made))
            return made, made_key
        loaded: Any = serialization.load_pem_private_key(key.encode(), password=None)
        found = x509.load_pem_x509_certificate(certificate.encode())
        if days_left(found) <= RENEW_DAYS:
            raise PlatformError(
                f"certificates: the authority in {self.store.directory} ends on {found.not_valid_after_utc:%Y-%m-%d}; "
                "move that directory away, and the next run makes a new one and all certificates anew"
            )
        return found, loaded


def authority(name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A new authority that can issue certificates, and no further authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, None, key, CA_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return builder.sign(key, hashes.SHA256()), key


def server_certificate(
    name: str,
    others: Sequence[str],
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    days: float = CERTIFICATE_DAYS,
    peers: bool = False,
) -> x509.Certificate:
    """A server's certificate for ``name`` and ``others``, names and addresses; its ``days`` began an hour ago. With
    ``peers`` it is for calling other servers, too."""
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, *([ExtendedKeyUsageOID.CLIENT_AUTH] if peers else [])]
    builder = _builder(name, ca.subject, key, days)
    for extension, critical in (
        (x509.SubjectAlternativeName([_alternative(text) for text in dict.fromkeys([name, *others])]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage(usages), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(ca_key, hashes.SHA256())


def names_of(certificate: x509.Certificate) -> set[str]:
    """Host names and addresses that it is for."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in found.get_values_for_type(x509.IPAddress)}
    return set(found.get_values_for_type(x509.DNSName)) | addresses


def days_left(certificate: x509.Certificate) -> float:
    return (certificate.not_valid_after_utc - _now()) / dt.timedelta(days=1)


def text_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_text(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def _builder(
    name: str, issuer: x509.Name | None, key: ec.EllipticCurvePrivateKey, days: float
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = _now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_BEHIND)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(**allowed: bool) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in KEY_USAGES})
