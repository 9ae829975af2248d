"""Refusals by rule: what the stores and gates raise, and how HTTP and Socket.IO tell it."""

from __future__ import annotations

import math


class Refused(Exception):
    """``code`` is for programs and never changes, ``words`` are for people."""

    code = "invalid"
    status = 400
    words = "the request is not valid"


class Unauthenticated(Refused):
    code, status, words = "unauthenticated", 401, "sign in first"


class WrongCredentials(Refused):
    code, status, words = "unauthenticated", 401, "name or password is wrong"


class Csrf(Refused):
    code, status = "csrf", 403
    words = "the X-CSRF-Token header does not belong to this session: ask GET /api/session for it"


class OtherOrigin(Refused):
    code, status, words = "csrf", 403, "this origin may not do that"


class NotMember(Refused):
    code, status, words = "not_member", 403, "you are not a member of this room"


class NotFound(Refused):
    code, status, words = "not_found", 404, "there is no such room"


class NameTaken(Refused):
    code, status, words = "name_taken", 409, "this name is taken"


class ClientIdReused(Refused):
    code, status = "client_id_reused", 409
    words = "this client_id already stands for another message in this room"


class UnsupportedMediaType(Refused):
    code, status, words = "unsupported_media_type", 415, "the body must be application/json"


class Unavailable(Refused):
    code, status, words = "unavailable", 503, "the service cannot answer now, try again"


class RateLimited(Refused):
    code, status, words = "rate_limited", 429, "too often, try again later"

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.retry_after = max(1, math.ceil(seconds))
