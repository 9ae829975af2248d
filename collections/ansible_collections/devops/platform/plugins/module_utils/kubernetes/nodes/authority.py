"""The digest by which kubeadm knows a cluster's certificate authority: SHA-256 of its public key, as DER. Pure.

Nodes have no library for certificates; of ASN.1 this needs lengths and order alone.
"""

from __future__ import annotations

import base64
import hashlib
import re

PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
SEQUENCE, VERSION = 0x30, 0xA0


def digest(pem: str) -> str:
    """Of the first certificate in a file; ValueError where there is none."""
    found = PEM.search(pem)
    if not found:
        raise ValueError("there is no certificate in it")
    try:
        der = base64.b64decode("".join(found[1].split()), validate=True)
        return hashlib.sha256(_public_key(der)).hexdigest()
    except (ValueError, IndexError) as error:
        raise ValueError(f"it holds no certificate that can be read: {error}") from error


def _public_key(der: bytes) -> bytes:
    """Certificate → TBSCertificate → [version], serial, signature, issuer, validity, subject, *public key*."""
    certificate, _whole, _end = _element(der, 0, SEQUENCE)
    tbs, _whole, _end = _element(certificate, 0, SEQUENCE)
    place = 0
    if tbs[0] == VERSION:
        _content, _whole, place = _element(tbs, 0)
    for _field in range(5):
        _content, _whole, place = _element(tbs, place)
    _content, whole, _end = _element(tbs, place, SEQUENCE)
    return whole


def _element(data: bytes, place: int, tag: int | None = None) -> tuple[bytes, bytes, int]:
    """(content, the whole of it, where the next one begins)."""
    if tag is not None and data[place] != tag:
        raise ValueError(f"element {data[place]:#x} where {tag:#x} is expected")
    length, start = data[place + 1], place + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("an element of no definite length")
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    end = start + length
    if end > len(data):
        raise ValueError("it is cut off")
    return data[start:end], data[place:end], end
