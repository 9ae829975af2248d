# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP with the credentials that the Kubernetes client was configured with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import urllib3

from .api import refusal

TIMEOUT = urllib3.Timeout(connect=5.0, read=60.0)
# Longer than the API server lets a watch be: silence means that the connection is dead.
WATCHING = urllib3.Timeout(connect=5.0, read=330.0)
JSON = {"Accept": "application/json"}


class Http:
    """`api.Transport` over the connections of a `kubernetes.client.ApiClient`."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.pool = client.rest_client.pool_manager

    def _headers(self) -> dict[str, str]:
        """Asked for each time: tokens of plugins and service accounts expire."""
        configuration = self.client.configuration
        headers = {**JSON, **{str(name): str(value) for name, value in self.client.default_headers.items()}}
        for setting in configuration.auth_settings().values():
            if setting.get("in") == "header" and setting.get("value"):
                headers[setting["key"]] = setting["value"]
        if configuration.username and configuration.password:
            headers["Authorization"] = configuration.get_basic_auth_token()
        return headers

    def send(self, method: str, path: str, body: bytes | None, content_type: str) -> tuple[int, bytes]:
        headers = self._headers()
        if path.partition("?")[0].endswith("/log"):
            headers["Accept"] = "*/*"
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            answer = self.pool.request(
                method,
                self.client.configuration.host + path,
                body=body,
                headers=headers,
                timeout=TIMEOUT,
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            return 0, str(error).encode()
        return answer.status, answer.data

    def stream(self, path: str) -> Iterator[bytes]:
        try:
            answer = self.pool.request(
                "GET",
                self.client.configuration.host + path,
                headers=self._headers(),
                timeout=WATCHING,
                retries=False,
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError:
            return
        if answer.status != 200:
            raise refusal(f"GET {path.partition('?')[0]}", answer.status, answer.read())
        rest = b""
        try:
            for piece in answer.stream(1 << 16, decode_content=True):
                *lines, rest = (rest + piece).split(b"\n")
                yield from lines
        except urllib3.exceptions.HTTPError:
            return
        finally:
            answer.close()
