"""Sessions: who holds which cookie. Kept in Redis by Flask-Session, read there by the websocket service."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from datetime import timedelta
from typing import Any, cast

import redis
from flask import Flask, Request, Response, session
from flask_session.base import Serializer
from flask_session.redis import RedisSessionInterface
from flask_session.redis.redis import RedisSession
from flask_wtf.csrf import generate_csrf

from chat.config import Settings
from chat.errors import Unavailable
from chat.metrics import Metrics

log = logging.getLogger(__name__)

COOKIE = "chat_session"
PREFIX = "chat:session:"
# Of who has not signed in: long enough to type a password, short enough that passers-by fill no memory.
ANONYMOUS = timedelta(hours=1)
# A session that has this part of its life behind it is prolonged, with its cookie; writing at each request would bring
# nothing but work.
PROLONG_AFTER = 1 / 30
_ID = re.compile(r"[A-Za-z0-9_-]{43}")


def storage_key(session_id: str) -> str:
    """Redis gets a digest: who reads its memory, or a backup of it, holds no cookie."""
    return PREFIX + hashlib.sha256(session_id.encode()).hexdigest()


class _Json(Serializer):  # type: ignore[misc]
    """Flask-Session's own falls back on pickle, which runs what it reads."""

    def encode(self, session: RedisSession) -> bytes:
        return json.dumps(dict(session)).encode()

    def decode(self, serialized_data: bytes) -> dict[str, Any]:
        value = json.loads(serialized_data)
        return value if isinstance(value, dict) else {}


class Session(RedisSession):  # type: ignore[misc]
    """``away``: Redis did not say who this is. ``stored``: it is in Redis already, for ``left`` more seconds."""

    away = False
    stored = False
    left = 0


class Sessions(RedisSessionInterface):  # type: ignore[misc]
    """Flask-Session's, with four differences: an unknown cookie is never adopted, a session that ended stays ended
    whatever requests are still under way, who is signed out has a short one, and Redis away is no mistake of ours."""

    session_class = Session

    def __init__(self, app: Flask, client: redis.Redis, metrics: Metrics) -> None:
        super().__init__(app, client, key_prefix=PREFIX, permanent=True, sid_length=32)
        self.serializer = _Json()
        self.metrics = metrics

    def open_session(self, _app: Flask, request: Request) -> Session:
        cookie = request.cookies.get(COOKIE)
        opened = Session(sid=self._generate_sid(self.sid_length), permanent=True)
        opened.modified = False
        if cookie is None or not _ID.fullmatch(cookie):
            return opened
        try:
            data, left = self._read(storage_key(cookie))
        except (redis.RedisError, ValueError) as error:
            self._failed(error)
            opened.away = True
            return opened
        if data is None:
            return opened
        opened = Session(data, sid=cookie)
        opened.stored, opened.left = True, left
        return opened

    def _read(self, key: str) -> tuple[dict[str, Any] | None, int]:
        """What is stored and for how long, in one round trip."""
        with self.client.pipeline(transaction=False) as pipeline:
            data, left = pipeline.get(key).ttl(key).execute()
        return (self.serializer.decode(data) if data else None), left

    def save_session(self, app: Flask, session: Session, response: Response) -> None:
        try:
            super().save_session(app, session, response)
        except redis.RedisError as error:
            # What mattered was stored by begin(); this would only have prolonged it.
            self._failed(error)

    def _get_store_id(self, sid: str) -> str:
        return storage_key(sid)

    def should_set_storage(self, _app: Flask, session: Session) -> bool:
        if session.away:
            return False
        return session.modified or (session.stored and session.left < self._seconds(session) * (1 - PROLONG_AFTER))

    def _seconds(self, session: Session) -> int:
        life = self.app.permanent_session_lifetime if "user" in session else ANONYMOUS
        return int(life.total_seconds())

    def _upsert_session(self, _lifetime: timedelta, session: Session, store_id: str) -> None:
        seconds = self._seconds(session)
        if not session.stored:
            self.client.set(store_id, self.serializer.encode(session), ex=seconds)
            session.stored = True
        elif session.modified:
            # xx: another request may have ended it, and then it must not come back.
            self.client.set(store_id, self.serializer.encode(session), ex=seconds, xx=True)
        else:
            self.client.expire(store_id, seconds)
        session.modified = False

    def begin(self, session: Session, user: dict[str, Any] | None) -> str | None:
        """A new session under a new id; returns the key of the one it replaces, where that one was somebody's.
        Unavailable where Redis does not answer: nobody is signed in by half."""
        replaced = storage_key(session.sid) if "user" in session else None
        try:
            if session.stored:
                self._delete_session(storage_key(session.sid))
            session.sid = self._generate_sid(self.sid_length)
            session.stored, session.left = False, 0  # the cookie is told, too
            session.clear()
            if user is not None:
                session["user"] = user
            generate_csrf()
            self._upsert_session(self.app.permanent_session_lifetime, session, storage_key(session.sid))
        except redis.RedisError as error:
            self._failed(error)
            session.away = True
            raise Unavailable from error
        return replaced

    def end(self, session: Session) -> str | None:
        """Forget it; returns its key where it was somebody's."""
        key = storage_key(session.sid) if "user" in session else None
        try:
            self._delete_session(storage_key(session.sid))
        except redis.RedisError as error:
            self._failed(error)
            raise Unavailable from error
        dict.clear(session)
        session.modified = True
        return key

    def _failed(self, error: Exception) -> None:
        self.metrics.errors.labels("redis").inc()
        log.error("sessions are away", extra={"reason": type(error).__name__})


def keep_sessions(app: Flask, settings: Settings, client: redis.Redis, metrics: Metrics) -> Sessions:
    app.config.update(
        PERMANENT_SESSION_LIFETIME=timedelta(days=settings.session_days),
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=settings.session_cookie_secure,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=None,  # as long as its session
    )
    sessions = Sessions(app, client, metrics)
    app.session_interface = sessions
    return sessions


def held() -> Session:
    """The session of this request."""
    return cast("Session", session._get_current_object())  # type: ignore[attr-defined]


def current_user() -> dict[str, Any] | None:
    """Of this request. Unavailable where Redis cannot tell."""
    if held().away:
        raise Unavailable
    user: dict[str, Any] | None = session.get("user")
    return user


class SessionReader:
    """For the websocket service: it looks sessions up, and never makes one."""

    def __init__(self, client: redis.Redis, days: int) -> None:
        self.client = client
        self.seconds = days * 24 * 3600

    def find(self, cookie: str | None) -> tuple[str, dict[str, Any]] | None:
        """Key and user of a cookie; RedisError where nobody can tell."""
        if cookie is None or not _ID.fullmatch(cookie):
            return None
        key = storage_key(cookie)
        data: Any = self.client.get(key)
        user = json.loads(data).get("user") if data else None
        return None if user is None else (key, user)

    def prolong(self, keys: list[str]) -> list[str]:
        """An open connection keeps its session; returns those that have ended."""
        with self.client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.expire(key, self.seconds)
            return [key for key, there in zip(keys, pipeline.execute(), strict=True) if not there]
