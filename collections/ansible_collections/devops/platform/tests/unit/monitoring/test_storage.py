"""Where samples are kept and sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.monitoring import storage
from ansible_collections.devops.platform.tests.unit.platform import example

URL = "https://metrics.example/api/v1/write"


def platform(*entries: Any) -> dict[str, Any]:
    return {"name": "chat", "environment": "prod", "monitoring": {"prometheus": {"remote_write": list(entries)}}}


@pytest.mark.parametrize(
    ("entry", "expected", "secrets"),
    [
        ({"url": URL}, {"url": URL}, []),
        ({"url": URL, "name": "far"}, {"url": URL, "name": "far"}, []),
        (
            {"url": URL, "user": "u", "password": "remote"},
            {"url": URL, "basic_auth": {"username": "u", "password_file": "/etc/prometheus/remote/remote"}},
            ["remote"],
        ),
        (
            {"url": URL, "bearer": "token"},
            {"url": URL, "authorization": {"credentials_file": "/etc/prometheus/remote/token"}},
            ["token"],
        ),
    ],
)
def test_remote_writing_names_files_and_no_secret(entry: Any, expected: Any, secrets: list[str]) -> None:
    assert storage.remote_write(platform(entry)) == [expected]
    assert storage.remote_secrets(platform(entry, entry)) == secrets


def test_nothing_is_sent_on_by_itself() -> None:
    assert storage.remote_write({}) == []
    assert storage.remote_secrets({}) == []


def test_replicas_can_be_told_apart_where_there_are_several() -> None:
    common = {"platform": "chat", "environment": "prod"}
    assert storage.external_labels(platform(), "mon1", ["mon1"]) == common
    assert storage.external_labels(platform(), "mon2", ["mon1", "mon2"]) == {**common, "replica": "mon2"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("remote_write: [{url: 'ftp://x'}]", "remote_write[0].url"),
        ("remote_write: [{url: 'https://x/', user: a}]", "remote_write[0]"),
        ("remote_write: [{url: 'https://x/', bearer: nobody}]", "no secret 'nobody' is declared"),
        ("directory: prometheus", "is not an absolute path, such as /mnt/prometheus"),
    ],
)
def test_what_cannot_work_is_told(tmp_path: Path, more: str, words: str) -> None:
    edit = ("retention_size: 5GB}", f"retention_size: 5GB, {more}}}")
    found = example.problems(tmp_path, edit)
    assert len(found) == 1, found
    assert words in found[0]
