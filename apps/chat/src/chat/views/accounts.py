"""Signing up, in and out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from flask_wtf.csrf import generate_csrf

from chat import schemas
from chat.accounts import UserStore
from chat.broadcast import SIGNED_OUT, Broadcast
from chat.errors import WrongCredentials
from chat.metrics import Metrics
from chat.openapi import Operation, operation
from chat.rates import Rates
from chat.sessions import Sessions, current_user, held


def accounts(users: UserStore, sessions: Sessions, rates: Rates, broadcast: Broadcast, metrics: Metrics) -> Blueprint:
    blueprint = Blueprint("accounts", __name__, url_prefix="/api")

    def sign_in(user: dict[str, Any]) -> dict[str, Any]:
        ended = sessions.begin(held(), user)
        if ended is not None:
            broadcast.order(SIGNED_OUT, session=ended)
        return {"user": user, "csrf_token": generate_csrf()}

    @operation(
        blueprint,
        "/session",
        Operation("GET", "Who this is, and the CSRF token", {200: schemas.Session}, signed_in=False),
    )
    def read_session() -> dict[str, Any]:
        user = current_user()
        if not held().stored:
            sessions.begin(held(), None)
        return {"user": user, "csrf_token": generate_csrf()}

    @operation(
        blueprint,
        "/session",
        Operation("POST", "Sign in", {200: schemas.SignedIn}, body=schemas.Credentials, signed_in=False),
    )
    def create_session(body: schemas.Credentials) -> dict[str, Any]:
        rates.hit("sign_in", f"address:{request.remote_addr}")
        # Only failures count for a name, so that nobody is kept out by signing in often.
        rates.check("sign_in_name", name := body.name.lower())
        try:
            user = users.authenticate(body)
        except WrongCredentials:
            metrics.sign_ins.labels("refused").inc()
            rates.hit("sign_in_name", name)
            raise
        metrics.sign_ins.labels("signed_in").inc()
        return sign_in(user)

    @operation(blueprint, "/session", Operation("DELETE", "Sign out", {204: None}, signed_in=False))
    def delete_session() -> tuple[str, int]:
        ended = sessions.end(held())
        if ended is not None:
            broadcast.order(SIGNED_OUT, session=ended)
        return "", 204

    @operation(
        blueprint,
        "/users",
        Operation("POST", "Sign up", {201: schemas.SignedIn}, body=schemas.NewUser, signed_in=False, conflict=True),
    )
    def create_user(body: schemas.NewUser) -> tuple[dict[str, Any], int]:
        rates.hit("sign_up", f"address:{request.remote_addr}")
        user = users.create(body)
        metrics.sign_ins.labels("signed_up").inc()
        return sign_in(user), 201

    return blueprint
