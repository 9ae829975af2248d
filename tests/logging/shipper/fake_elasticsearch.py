"""A fake of Elasticsearch's bulk API: stores documents by index and id, and misbehaves when told."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DEAD = "-dead-letter-"


class FakeElasticsearch:
    """``fault``: "" | "429" | "503" (whole requests) | "busy" (each document 429). Documents with `status` that is no
    number, where one is expected, are refused as a mapping would."""

    def __init__(self, port: int = 0) -> None:
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self.duplicates: list[str] = []
        self.requests = 0
        self.fault = ""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_args: object) -> None:
                return

            def _answer(self, status: int, data: object) -> None:
                body = json.dumps(data).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                self._answer(200, {"status": "green"})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                fake.requests += 1
                if fake.fault in ("429", "503"):
                    error = {"type": "es_rejected_execution_exception", "reason": "no room"}
                    self._answer(int(fake.fault), {"error": error, "status": int(fake.fault)})
                else:
                    self._answer(200, fake.bulk(body))

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self._lock = threading.Lock()
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def bulk(self, body: bytes) -> dict[str, Any]:
        lines = [line for line in body.split(b"\n") if line]
        items = []
        with self._lock:
            for meta, line in zip(lines[::2], lines[1::2], strict=True):
                where = json.loads(meta)["create"]
                items.append({"create": {"_id": where["_id"], **self._store(where, json.loads(line))}})
        return {"took": 1, "errors": any(item["create"]["status"] > 201 for item in items), "items": items}

    def _store(self, where: dict[str, str], document: dict[str, Any]) -> dict[str, Any]:
        place = (where["_index"], where["_id"])
        if place in self.documents:
            self.duplicates.append(where["_id"])
            return {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "exists"}}
        if self.fault == "busy":
            return {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue full"}}
        if DEAD not in where["_index"] and isinstance(document.get("status"), str):
            cause = {"type": "number_format_exception", "reason": f'For input string: "{document["status"]}"'}
            error = {
                "type": "document_parsing_exception",
                "reason": "failed to parse field [status]",
                "caused_by": cause,
            }
            return {"status": 400, "error": error}
        self.documents[place] = document
        return {"status": 201}

    def stored(self, dead: bool = False) -> list[dict[str, Any]]:
        with self._lock:
            return [item for (where, _id), item in self.documents.items() if (DEAD in where) == dead]

    def messages(self) -> list[str]:
        return [str(document["message"]) for document in self.stored()]
