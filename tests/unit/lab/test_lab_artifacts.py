from __future__ import annotations

import io
import tarfile

import pytest

from lab.artifacts import ARTIFACTS, lock_entry, pack, release_name, upstream_version


@pytest.mark.parametrize(
    ("debian", "expected"),
    [
        ("2.53.3+ds1-2", "2.53.3"),
        ("1.9.0-1+b4", "1.9.0"),
        ("0.28.1+ds-1", "0.28.1"),
        ("1:2.0.0+dfsg-3", "2.0.0"),
        ("3.0.0~rc1-1", "3.0.0"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_upstream_version(debian: str, expected: str) -> None:
    assert upstream_version(debian) == expected


def test_packing_is_deterministic() -> None:
    root = release_name("prometheus", "2.53.3", "amd64")
    first = pack(root, {"promtool": b"b" * 1000, "prometheus": b"a"})
    assert first == pack(root, {"prometheus": b"a", "promtool": b"b" * 1000})
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        members = tar.getmembers()
    assert [member.name for member in members] == [root, f"{root}/prometheus", f"{root}/promtool"]
    assert {(member.mode, member.uid, member.gid, member.mtime) for member in members} == {(0o755, 0, 0, 0)}


def test_lock_entry() -> None:
    entry = lock_entry(ARTIFACTS[1], "2.53.3", "arm64", "f" * 64)
    assert entry == {
        "2.53.3": {
            "url": "https://github.com/prometheus/prometheus/releases/download/v{version}/"
            "prometheus-{version}.linux-{arch}.tar.gz",
            "path": "prometheus/prometheus-{version}.linux-{arch}.tar.gz",
            "sha256": {"arm64": "f" * 64},
            "strip": 1,
            "binaries": ["prometheus", "promtool"],
        }
    }
