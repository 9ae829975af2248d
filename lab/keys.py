"""Keys and certificates of the lab: the operator's SSH key, the hosts' SSH keys, a CA and the edge's certificate.

Host keys are made here and copied into the hosts before they start, so SSH checks strictly from the first connection.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.state import State

CA_DAYS = 3650
CERTIFICATE_DAYS = 397
RENEW_DAYS = 7
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


def ssh_key(state: State, name: str | None = None) -> tuple[bytes, str]:
    """An ed25519 key pair in OpenSSH's formats, made once: the operator's, or with ``name`` that of a host."""
    path = state.host_keys / name if name else state.key
    public_path = path.with_name(path.name + ".pub")
    if not (path.exists() and public_path.exists()):
        key = ed25519.Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        state.write(path, private)
        state.write(public_path, public + b" devops-lab\n", mode=0o644)
    return path.read_bytes(), public_path.read_text().strip()


def forget_host_key(state: State, name: str) -> None:
    for suffix in ("", ".pub"):
        (state.host_keys / f"{name}{suffix}").unlink(missing_ok=True)


def merge_known_hosts(text: str, keys: Mapping[tuple[str, str], str], removed: Iterable[str] = ()) -> str:
    """known_hosts with the given hosts ((address, name) → public key) in place of older lines for their addresses."""
    gone = {address for address, _name in keys} | set(removed)
    lines = [line for line in text.splitlines() if line.strip() and line.split(",")[0].split()[0] not in gone]
    lines += [f"{address},{name} {' '.join(public.split()[:2])}" for (address, name), public in keys.items()]
    return "".join(f"{line}\n" for line in sorted(lines))


def update_known_hosts(state: State, keys: Mapping[tuple[str, str], str], removed: Iterable[str] = ()) -> None:
    text = state.known_hosts.read_text() if state.known_hosts.exists() else ""
    state.write(state.known_hosts, merge_known_hosts(text, keys, removed))


def ensure_pki(state: State, names: list[str], addresses: list[str]) -> bool:
    """The lab's CA and the edge's server certificate below ``pki/``; True where something was issued.

    Both are kept while they are valid for another week and the certificate names exactly the hosts asked for.
    """
    paths = {name: state.pki / name for name in ("ca.crt", "ca.key", "edge.crt", "edge.key")}
    issued = False
    if not (_valid(paths["ca.crt"]) and paths["ca.key"].exists()):
        key, certificate = _make_ca()
        _store(state, "ca", key, certificate)
        issued = True
    wanted = set(names) | set(addresses)
    if issued or not (_valid(paths["edge.crt"], wanted) and paths["edge.key"].exists()):
        ca_key = serialization.load_pem_private_key(paths["ca.key"].read_bytes(), password=None)
        if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{paths['ca.key']} is not an elliptic curve key; remove {state.pki} and run `up` again")
        ca = x509.load_pem_x509_certificate(paths["ca.crt"].read_bytes())
        key, certificate = _make_server(names, addresses, ca, ca_key)
        _store(state, "edge", key, certificate)
        issued = True
    return issued


def _store(state: State, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    state.write(state.pki / f"{name}.key", pem)
    state.write(state.pki / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _valid(path: Path, names: set[str] | None = None) -> bool:
    """Whether a certificate file exists, holds for another week and, where given, names exactly ``names``."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return False
    if certificate.not_valid_after_utc - _now() < dt.timedelta(days=RENEW_DAYS):
        return False
    if names is None:
        return True
    san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = set(san.get_values_for_type(x509.DNSName))
    return found | {str(address) for address in san.get_values_for_type(x509.IPAddress)} == names


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _builder(
    name: str, issuer: x509.Name | None, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    # An hour back: a host's clock may stand a little behind the controller's.
    start = _now() - dt.timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(**allowed: bool) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in KEY_USAGES})


def _make_ca() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder("devops.platform lab CA", None, key, CA_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return key, builder.sign(key, hashes.SHA256())


def _make_server(
    names: list[str], addresses: list[str], ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    builder = _builder(names[0], ca.subject, key, CERTIFICATE_DAYS)
    for extension, critical in (
        (x509.SubjectAlternativeName(alternatives), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return key, builder.sign(ca_key, hashes.SHA256())
