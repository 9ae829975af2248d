# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Somebody who uses the chat: signed in by name and password, and a member of a room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ansible_collections.devops.platform.plugins.module_utils.journey.edge import (
    Answer,
    Edge,
    JourneyError,
    origin,
    request,
)


@dataclass(frozen=True)
class Account:
    name: str
    password: str = field(repr=False)


class Session:
    """Requests with the cookies that earlier answers set, and with the token that unsafe ones need."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.cookies: dict[str, str] = {}
        self.token = ""

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        headers = {"Origin": origin(self.edge)}
        if self.cookies:
            headers["Cookie"] = self.cookie
        if self.token:
            headers["X-CSRF-Token"] = self.token
        answer = request(self.edge, method, path, body, headers)
        self.cookies.update(answer.cookies)
        found = answer.json()
        if isinstance(found, dict) and isinstance(found.get("csrf_token"), str):
            self.token = found["csrf_token"]
        return answer


def enter(edge: Edge, account: Account) -> Session:
    """A session of the account, which is made where nobody has that name yet; JourneyError where it is refused."""
    session = Session(edge)
    _expect(session.ask("GET", "/api/session"), 200, "beginning a session")
    credentials = {"name": account.name, "password": account.password}
    signed_in = session.ask("POST", "/api/session", credentials)
    if signed_in.status == 401:
        made = session.ask("POST", "/api/users", credentials)
        if made.status == 409:
            raise JourneyError(f"the user '{account.name}' of the chat has another password than the one given")
        _expect(made, 201, f"making the user '{account.name}'")
    else:
        _expect(signed_in, 200, f"signing in as '{account.name}'")
    return session


def become_member(session: Session, room: str) -> None:
    """A member of the room, which is made where there is none; JourneyError where that is refused."""
    path = f"/api/rooms/{quote(room, safe='')}/membership"
    joined = session.ask("PUT", path)
    if joined.status == 404:
        made = session.ask("POST", "/api/rooms", {"name": room})
        if made.status != 409:  # another client was first
            _expect(made, 201, f"making the room '{room}'")
            return
        joined = session.ask("PUT", path)
    _expect(joined, 204, f"joining the room '{room}'")


def _expect(answer: Answer, status: int, what: str) -> None:
    if answer.status != status:
        raise JourneyError(f"{what} answered {answer.status} instead of {status}: {answer.text.strip()[:300]}")
