"""The recorded lines: what stands in `lines/`, and what the shippers are held to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.logging import model

FOLDER = Path(__file__).parent / "lines"
HOST = "h1"
READ = "2026-11-21T10:00:59.000001+00:00"  # when the collector saw a line, where the test says so


@dataclass(frozen=True)
class Line:
    source: str
    raw: bytes
    document: dict[str, Any]
    entry: dict[str, str] | None


@dataclass(frozen=True)
class Recording:
    name: str
    data: dict[str, Any]

    @property
    def logging(self) -> model.Logging:
        outputs = {"elasticsearch": {"urls": ["http://127.0.0.1:9200"]}}
        platform = {"environment": "test", "logging": {"outputs": outputs, **self.data["logging"]}}
        return model.logging_of(platform, {"all": [HOST]}, {})

    @property
    def lines(self) -> list[Line]:
        found = []
        for item in self.data.get("lines", []):
            raw = item["bytes"].encode("latin-1") if "bytes" in item else item["raw"].encode()
            common = {"host": HOST, "environment": "test", "source": item["source"]}
            found.append(Line(item["source"], raw, {**common, **item["document"]}, item.get("entry")))
        return found

    @property
    def traces(self) -> dict[str, list[str]]:
        return {item["source"]: item["records"] for item in self.data.get("traces", [])}


def recordings() -> list[Recording]:
    return [Recording(path.stem, yaml.safe_load(path.read_text())) for path in sorted(FOLDER.glob("*.yml"))]
