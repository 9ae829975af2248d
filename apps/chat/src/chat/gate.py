"""Who may come in: before a request is looked at, in this order, origin, session, CSRF token and rate."""

from __future__ import annotations

from typing import Any

from flask import request, session
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from chat import http, logs
from chat.errors import Csrf, OtherOrigin, Unauthenticated
from chat.rates import Rates
from chat.sessions import current_user

TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105 - a name
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Gate:
    def __init__(self, rates: Rates, origins: tuple[str, ...]) -> None:
        self.rates, self.origins = rates, origins

    def admit(self, signed_in: bool) -> None:
        """Raises what it refuses with. Who is not signed in hears that before anything of tokens: it is what to do."""
        origin = request.headers.get("Origin")
        unsafe = request.method in UNSAFE
        if unsafe and origin is not None and not http.origin_allowed(origin, request.environ, self.origins):
            raise OtherOrigin
        user = current_user()
        if user is not None:
            logs.user_id.set(user["id"])
        elif signed_in:
            raise Unauthenticated
        if unsafe:
            try:
                validate_csrf(request.headers.get(TOKEN_HEADER))
            except ValidationError as error:
                raise Csrf from error
        self.rates.hit("requests", user["id"] if user else f"address:{request.remote_addr}")


def me() -> dict[str, Any]:
    """The user of a request that had to be signed in."""
    user: dict[str, Any] = session["user"]
    return user
