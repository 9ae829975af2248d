# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asking Elasticsearch over HTTP, and why there is no answer, in words that say what to do.

Of the standard library alone: the retention program takes this file along to hosts, where nothing else is.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

LONGEST = 1 << 26  # bytes of an answer that are read
MISSING = 404


class ElasticsearchError(Exception):
    """No usable answer. `status` is HTTP's, 0 where nobody answered; `kind` is Elasticsearch's name for the trouble."""

    def __init__(self, text: str, status: int = 0, kind: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.kind = kind

    @property
    def away(self) -> bool:
        """Whether it may pass by itself: nobody answered, or there is no master at the moment."""
        return self.status in (0, 429, 502, 503, 504)


@dataclass(frozen=True)
class Upload:
    """A file in a form, as a browser would send it: the body of a request."""

    field: str
    name: str
    content: bytes

    BOUNDARY: ClassVar[str] = "devops-platform-7d1c5e0b9a"  # stands in no file of ours

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        head = (
            f"--{self.BOUNDARY}\r\n"
            f'Content-Disposition: form-data; name="{self.field}"; filename="{self.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + self.content + f"\r\n--{self.BOUNDARY}--\r\n".encode()
        return body, {"Content-Type": f"multipart/form-data; boundary={self.BOUNDARY}"}


@dataclass(frozen=True)
class Elasticsearch:
    """A node at `url`, asked as `user`. The certificate must be of `ca` (a file) or `ca_text` (PEM), and for the host
    in `url`. The password stays in here: it is in no text, and `repr` leaves it out. `service`: what answers there, for
    messages; Kibana speaks HTTP alike, and wants `headers` of its own."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    ca_text: str = field(default="", repr=False)
    timeout: float = 30.0
    service: str = "elasticsearch"
    headers: Mapping[str, str] = field(default_factory=dict)

    def at(self, url: str, timeout: float = 0) -> Elasticsearch:
        """The same, at another node."""
        return replace(self, url=url, timeout=timeout or self.timeout)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON, or text where it is none. ElasticsearchError for a status of 400 and more."""
        status, text = self._exchange(method, path, body)
        try:
            answer: Any = json.loads(text) if text else {}
        except ValueError:
            answer = text
        if status >= 400:
            kind, reason = said(answer)
            raise ElasticsearchError(
                f"{method} {self.url}{path}: {status} {reason}{_advice(status, self)}", status, kind
            )
        return answer

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def find(self, path: str) -> Any:
        """As `get`; None where there is no such thing."""
        try:
            return self.get(path)
        except ElasticsearchError as error:
            if error.status == MISSING:
                return None
            raise

    def _exchange(self, method: str, path: str, body: Any) -> tuple[int, str]:
        data, headers = encoded(body)
        headers.update(self.headers)
        if self.user:
            token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        try:
            connection = self._connection()
            try:
                connection.request(method, path, data, headers)
                response = connection.getresponse()
                return response.status, response.read(LONGEST).decode("utf-8", "replace")
            finally:
                connection.close()
        except ssl.SSLCertVerificationError as error:
            raise ElasticsearchError(
                f"{self.url}: the certificate is not trusted: {error.verify_message}; it must be of the authority in "
                f"{self.ca or 'the given certificates'} and for this very host; what else listens there?",
                status=495,
            ) from error
        except (OSError, http.client.HTTPException) as error:
            what = str(error) or type(error).__name__
            raise ElasticsearchError(
                f"{self.url} cannot be reached: {what}; does {self.service}.service run there?"
            ) from error

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or "127.0.0.1"
        if parts.scheme != "https":
            return http.client.HTTPConnection(host, parts.port or 9200, timeout=self.timeout)
        context = ssl.create_default_context(cafile=self.ca or None, cadata=self.ca_text or None)
        return http.client.HTTPSConnection(host, parts.port or 9200, timeout=self.timeout, context=context)


def encoded(body: Any) -> tuple[bytes | None, dict[str, str]]:
    """(bytes, headers) of a body: a list is newline-delimited JSON, as _bulk wants it; None is no body."""
    if body is None:
        return None, {}
    if isinstance(body, Upload):
        return body.encoded()
    if isinstance(body, list):
        lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in body)
        return lines.encode(), {"Content-Type": "application/x-ndjson"}
    return json.dumps(body, ensure_ascii=False).encode(), {"Content-Type": "application/json"}


def said(answer: Any) -> tuple[str, str]:
    """(type, reason) of an answer that is an error."""
    error = answer.get("error") if isinstance(answer, dict) else answer
    if isinstance(error, str) and isinstance(answer, dict) and answer.get("message"):
        return error, f"{error}: {answer['message']}"  # as Kibana says it
    if isinstance(error, dict):
        causes = error.get("root_cause") or [error]
        kind, reason = str(error.get("type") or ""), str(causes[0].get("reason") or error.get("reason") or "")
        return kind, f"{kind}: {reason}"
    return "", str(error or answer or "an empty answer")[:300]


def _advice(status: int, client: Elasticsearch) -> str:
    if status == 401:
        return f"; the user '{client.user}' or its password is not known there: roll out the role elasticsearch again"
    if status == 403:
        return f"; the user '{client.user}' may not do that, see roles.yml of the node"
    return ""
