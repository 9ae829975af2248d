"""Keys and certificates of the lab: the operator's SSH key, the hosts' SSH keys, a CA and the edge's certificate.

Host keys are made here and copied into the hosts before they start, so SSH checks strictly from the first connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from ansible_collections.devops.platform.plugins.module_utils.platform import pki
from lab.state import State

RENEW_DAYS = 7


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
        certificate, key = pki.authority("devops.platform lab CA")
        _store(state, "ca", key, certificate)
        issued = True
    wanted = set(names) | set(addresses)
    if issued or not (_valid(paths["edge.crt"], wanted) and paths["edge.key"].exists()):
        ca, ca_key = authority(state)
        key = ec.generate_private_key(ec.SECP256R1())
        _store(state, "edge", key, pki.server_certificate(names[0], [*names[1:], *addresses], key, ca, ca_key))
        issued = True
    return issued


def authority(state: State) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The lab's CA, as `ensure_pki` made it."""
    path = state.pki / "ca.key"
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} is not an elliptic curve key; remove {state.pki} and run `up` again")
    return x509.load_pem_x509_certificate((state.pki / "ca.crt").read_bytes()), key


def _store(state: State, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    state.write(state.pki / f"{name}.key", pki.key_text(key))
    state.write(state.pki / f"{name}.crt", pki.text_of(certificate), mode=0o644)


def _valid(path: Path, names: set[str] | None = None) -> bool:
    """Whether a certificate file exists, holds for another week and, where given, names exactly ``names``."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return False
    if pki.days_left(certificate) < RENEW_DAYS:
        return False
    return names is None or pki.names_of(certificate) == names
