"""Secrets leave no trace in what people read: each value becomes `<secret NAME #tag>`.

The tag is the head of a digest keyed with the host's own key: a changed secret shows as a changed
tag, and nobody without the key can test a guess against it.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

TAG = 8
# A shorter line of a secret of several lines would be found in harmless text by chance.
TELLING_LINE = 8


def keyed_digest(key: bytes, value: bytes) -> str:
    """HMAC-SHA256 as 64 hexadecimal digits."""
    return hmac.new(key, value, "sha256").hexdigest()


def spellings(value: str) -> list[bytes]:
    """The forms in which a secret appears in files and messages, the longest first."""
    # What quotes the end of a log may begin in the middle of a key of several lines.
    lines = value.splitlines()
    forms = {
        *(line.encode() for line in lines if len(lines) > 1 and len(line) >= TELLING_LINE),
        value.encode(),
        quote(value, safe="").encode(),
        json.dumps(value)[1:-1].encode(),
        base64.b64encode(value.encode()),
    }
    # Of one length in a fixed order: the ledger keeps this list, and a set has another order in each process.
    return sorted((form for form in forms if form), key=lambda form: (-len(form), form))


@dataclass(frozen=True)
class Mask:
    """Hides the known values, and those of the last generation, of which only digest and length are kept."""

    key: bytes
    values: Mapping[str, str]
    former: Mapping[str, Sequence[Mapping[str, Any]]]

    def label(self, name: str, digest: str) -> bytes:
        return f"<secret {name} #{digest[:TAG]}>".encode()

    def record(self) -> dict[str, list[dict[str, Any]]]:
        """What the ledger keeps of the secrets: keyed digest and length of each spelling."""
        return {
            name: [{"digest": keyed_digest(self.key, form), "length": len(form)} for form in spellings(value)]
            for name, value in sorted(self.values.items())
            if value
        }

    def hide(self, content: bytes) -> bytes:
        """`content` without any current secret, in any spelling."""
        for name, value in sorted(self.values.items(), key=lambda item: -len(item[1])):
            label = self.label(name, keyed_digest(self.key, value.encode()))
            for form in spellings(value):
                if form in content:
                    content = content.replace(form, label)
        return content

    def hide_former(self, content: bytes) -> bytes:
        """`content` without the last generation's secrets either: every window of a secret's length is tested."""
        content = self.hide(content)
        for name, forms in sorted(self.former.items()):
            for form in forms:
                content = self._hide_digest(content, name, form["digest"], form["length"])
        return content

    def _hide_digest(self, content: bytes, name: str, digest: str, length: int) -> bytes:
        position = 0
        while position + length <= len(content):
            if keyed_digest(self.key, content[position : position + length]) == digest:
                label = self.label(name, digest)
                content = content[:position] + label + content[position + length :]
                position += len(label)
            else:
                position += 1
        return content

    def text(self, message: str) -> str:
        return self.hide_former(message.encode("utf-8", "replace")).decode("utf-8", "replace")


def joined(*generations: Mapping[str, Any] | None) -> dict[str, list[Mapping[str, Any]]]:
    """What the ledger keeps of the secrets of several generations, as `former` takes it."""
    former: dict[str, list[Mapping[str, Any]]] = {}
    for generation in generations:
        for name, forms in ((generation or {}).get("secrets") or {}).items():
            known = former.setdefault(name, [])
            known += [form for form in forms if form not in known]
    return former


def is_text(content: bytes) -> bool:
    return b"\0" not in content[:8192]


def unified(path: str, before: bytes, after: bytes) -> str:
    """A unified diff of two masked contents; a word about sizes where either is no text."""
    if not (is_text(before) and is_text(after)):
        return f"--- {path}\n+++ {path}\nbinary content: {len(before)} bytes before, {len(after)} after\n"
    import difflib  # only a diff needs it

    lines = difflib.unified_diff(
        before.decode("utf-8", "replace").splitlines(keepends=True),
        after.decode("utf-8", "replace").splitlines(keepends=True),
        path if before else "/dev/null",
        path if after else "/dev/null",
    )
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)
