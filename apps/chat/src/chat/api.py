"""The HTTP API, :5000."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Flask

from chat import config, database, http
from chat.accounts import UserStore
from chat.broadcast import Broadcast
from chat.config import Program, Settings
from chat.gate import Gate
from chat.messages import MessageStore
from chat.metrics import Metrics
from chat.openapi import document
from chat.presence import Presence
from chat.rates import Rates
from chat.rooms import RoomStore
from chat.sessions import keep_sessions
from chat.totals import Totals
from chat.views.accounts import accounts
from chat.views.messages import messages
from chat.views.rooms import rooms


def create_app(settings: Settings | None = None) -> Flask:
    """The application; without ``settings`` they come from the environment (ConfigError where they are wrong)."""
    settings = settings or config.load(os.environ, Program.API)
    assert settings.redis is not None  # noqa: S101 - Program.API reads it
    metrics = Metrics()
    engine = database.make_engine(settings, metrics)
    broadcast = Broadcast(settings.redis, metrics, write_only=True)
    client = broadcast.client
    rates = Rates(client, settings.redis, settings, metrics)
    app = http.make_flask("chat.api", settings, metrics)
    sessions = keep_sessions(app, settings, client, metrics)
    app.extensions["chat.gate"] = Gate(rates, settings.cors_origins)
    app.extensions["chat.metrics"] = metrics
    app.register_blueprint(http.operations(metrics, http.readiness(engine, broadcast)))
    app.register_blueprint(accounts(UserStore(engine), sessions, rates, broadcast, metrics))
    app.register_blueprint(rooms(RoomStore(engine), Presence(client, settings.presence_seconds), broadcast))
    app.register_blueprint(messages(MessageStore(engine), rates, broadcast, metrics))
    app.register_blueprint(_documentation(app))
    metrics.registry.register(Totals(engine))
    return app


def _documentation(app: Flask) -> Blueprint:
    blueprint = Blueprint("documentation", __name__)
    described: dict[str, Any] = {}

    @blueprint.get("/api/openapi.json")
    def openapi() -> dict[str, Any]:
        if not described:
            described.update(document(app, version("chat")))
        return described

    return blueprint
