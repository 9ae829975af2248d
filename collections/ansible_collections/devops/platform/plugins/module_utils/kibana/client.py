# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asking Kibana for saved objects, and giving it some."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import (
    Elasticsearch,
    ElasticsearchError,
    Upload,
)

from .objects import TYPES, Change, Object, lines

MISSING = 404


@dataclass(frozen=True)
class Kibana:
    """A Kibana that `server` asks, which speaks HTTP as Elasticsearch does."""

    server: Elasticsearch

    def objects(self) -> list[dict[str, Any]]:
        """All of the types that are kept under version control, whosoever made them."""
        body = {"type": list(TYPES), "includeReferencesDeep": False, "excludeExportDetails": True}
        try:
            answer = self.server.ask("POST", "/api/saved_objects/_export", body)
        except ElasticsearchError as error:
            if error.status == 400 and "No objects" in str(error):
                return []
            raise
        if isinstance(answer, dict):  # a single line is JSON as it stands
            return [answer] if answer else []
        return [json.loads(line) for line in str(answer).splitlines() if line.strip()]

    def put(self, items: Sequence[Object]) -> None:
        """Make them, in place of those with their ids. ElasticsearchError names those that Kibana refuses."""
        upload = Upload("file", "objects.ndjson", lines(items))
        answer = self.server.ask("POST", "/api/saved_objects/_import?overwrite=true", upload)
        if not isinstance(answer, dict) or answer.get("success") is not True:
            errors = answer.get("errors") if isinstance(answer, dict) else None
            said = "; ".join(
                f"{each.get('type')} {each.get('id')}: {json.dumps(each.get('error'))}" for each in errors or ()
            )
            raise ElasticsearchError(f"{self.server.url} refuses objects: {said or str(answer)[:300]}", 400)

    def remove(self, change: Change) -> None:
        try:
            self.server.ask("DELETE", f"/api/saved_objects/{change.type}/{change.id}?force=true")
        except ElasticsearchError as error:
            if error.status != MISSING:
                raise
