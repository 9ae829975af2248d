"""Messages of a room."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from chat import schemas
from chat.broadcast import Broadcast
from chat.gate import me
from chat.messages import MessageStore
from chat.metrics import Metrics
from chat.openapi import Operation, operation
from chat.rates import Rates

OUTCOMES = {201: "stored", 200: "duplicate"}


def messages(store: MessageStore, rates: Rates, broadcast: Broadcast, metrics: Metrics) -> Blueprint:
    blueprint = Blueprint("messages", __name__, url_prefix="/api/rooms/<room>/messages")

    @blueprint.after_request
    def count(response: Response) -> Response:
        if request.method == "POST":
            otherwise = "failed" if response.status_code >= 500 else "refused"
            metrics.messages_in.labels(OUTCOMES.get(response.status_code, otherwise)).inc()
        return response

    @operation(
        blueprint,
        "",
        Operation("GET", "Messages, oldest first", {200: schemas.Messages}, schemas.RoomPath, schemas.Page),
    )
    def read_messages(path: schemas.RoomPath, query: schemas.Page) -> dict[str, Any]:
        return store.history(me()["id"], path.room, query)

    @operation(
        blueprint,
        "",
        Operation(
            "POST",
            "Send a message; 200 where it is known already",
            {201: schemas.Message, 200: schemas.Message},
            path=schemas.RoomPath,
            body=schemas.NewMessage,
            conflict=True,
        ),
    )
    def create_message(path: schemas.RoomPath, body: schemas.NewMessage) -> tuple[dict[str, Any], int]:
        rates.hit("messages", me()["id"])
        stored = store.add(me(), path.room, body.text, body.client_id)
        # Also when it was stored before: the replica that stored it may have died before it told the others.
        broadcast.send(stored.message)
        return stored.message, 201 if stored.created else 200

    return blueprint
