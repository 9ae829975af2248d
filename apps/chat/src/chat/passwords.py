"""Password hashes: argon2id, with parameters that may be raised later (a hash says which it was made with)."""

from __future__ import annotations

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's second choice: 19 MiB and two passes; the memory is what a replica has to spare for every sign-in at once.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# So that a rush of sign-ins neither takes all memory nor all processors from everybody else.
AT_ONCE = threading.BoundedSemaphore(4)


def _bytes(password: str) -> bytes:
    """The same password from every keyboard: some write ü as one character, others as two."""
    return unicodedata.normalize("NFC", password).encode()


def make(password: str) -> str:
    with AT_ONCE:
        return HASHER.hash(_bytes(password))


# For names that nobody has: looking them up takes as long as for those that somebody has.
_NOBODY = HASHER.hash(b"nobody")


def matches(stored: str | None, password: str) -> bool:
    """``stored`` None: there is no such account, which costs the same time."""
    with AT_ONCE:
        try:
            HASHER.verify(stored or _NOBODY, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def outdated(stored: str) -> bool:
    """Whether it was made with other parameters than today's."""
    return HASHER.check_needs_rehash(stored)
