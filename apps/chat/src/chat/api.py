"""The HTTP API, :5000."""

from __future__ import annotations

import os
import uuid
from typing import Any

from flask import Blueprint, Flask, abort, request

from chat import config, database, http
from chat.broadcast import Broadcast
from chat.config import Program, Settings
from chat.messages import ClientIdReused, MessageStore
from chat.metrics import Metrics
from chat.validation import Invalid, parse_message, parse_page, parse_room


def rooms(store: MessageStore, broadcast: Broadcast, metrics: Metrics) -> Blueprint:
    """Messages of a room."""
    blueprint = Blueprint("rooms", __name__, url_prefix="/api/rooms")

    @blueprint.get("/<room>/messages")
    def read(room: str) -> dict[str, Any]:
        name, page = parse_room({"room": room}), parse_page(request.args)
        return {"room": name, "messages": store.history(name, page)}

    @blueprint.post("/<room>/messages")
    def write(room: str) -> tuple[dict[str, Any], int]:
        payload = request.get_json()
        if isinstance(payload, dict):
            # Who gives no client_id gets one: the message is then new each time.
            payload = {"client_id": uuid.uuid4().hex, **payload, "room": room}
        try:
            stored = store.add(parse_message(payload))
        except Invalid:
            metrics.messages_in.labels("refused").inc()
            raise
        except ClientIdReused:
            metrics.messages_in.labels("refused").inc()
            abort(409, "this client_id already stands for another text in this room")
        except Exception:
            metrics.messages_in.labels("failed").inc()
            raise
        metrics.messages_in.labels("stored" if stored.created else "duplicate").inc()
        broadcast.send(stored.message)
        return stored.message, 201 if stored.created else 200

    return blueprint


def create_app(settings: Settings | None = None) -> Flask:
    """The application; without ``settings`` they come from the environment (ConfigError where they are wrong)."""
    settings = settings or config.load(os.environ, Program.API)
    assert settings.redis is not None  # noqa: S101 - Program.API reads it
    metrics = Metrics()
    engine = database.make_engine(settings, metrics)
    broadcast = Broadcast(settings.redis, metrics, write_only=True)
    app = http.make_flask("chat.api", settings, metrics)
    app.register_blueprint(http.operations(metrics, http.readiness(engine, broadcast)))
    app.register_blueprint(rooms(MessageStore(engine), broadcast, metrics))
    app.extensions["chat.metrics"] = metrics
    return app
