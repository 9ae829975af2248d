"""What exporters show to Prometheus, read or made on the controller: certificates, and the password of all of them.

It is kept below ``exporters`` in the directory of platform.secrets, whatever the backend: certificates are made here in
any case.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

import bcrypt

from .exporters import Web
from .pki import Authority
from .secrets import UNSET, Store

ROUNDS = 10  # 50 ms; exporters remember a password that was right
LENGTH = 32
# bcrypt writes the same bits in another order of characters than base64.
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BCRYPT = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def store_of(directory: Path) -> Store:
    """`directory` is that of the platform's secrets."""
    return Store(directory / "exporters")


def web_of(store: Store, platform: str, host: str, addresses: Sequence[str], check: bool = False) -> Web:
    """What the exporters on ``host`` show; made where it is missing, but not in check mode."""
    issued = Authority(store, f"{platform} exporters").issue(host, addresses, check)
    word = password(store, check)
    return Web(issued.certificate, issued.key, word, digest(word), issued.authority)


def password(store: Store, check: bool = False) -> str:
    return store.read("password") or (UNSET if check else store.ensure("password", LENGTH))


def digest(word: str) -> str:
    """The bcrypt digest of a password; the same each time, so that files that hold it do not change by themselves.

    The salt follows from the password, which is random and used nowhere else: nobody gains by that.
    """
    bits = hashlib.sha256(b"devops.platform exporters " + word.encode()).digest()[:16]
    salt = base64.b64encode(bits).rstrip(b"=").translate(bytes.maketrans(_BASE64, _BCRYPT))
    return bcrypt.hashpw(word.encode(), b"$2b$%02d$" % ROUNDS + salt).decode()
