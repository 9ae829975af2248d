"""Rooms and who is in them."""

from __future__ import annotations

from typing import Any

import redis
from flask import Blueprint

from chat import schemas
from chat.broadcast import LEFT, Broadcast
from chat.errors import Unavailable
from chat.gate import me
from chat.openapi import Operation, operation
from chat.presence import Presence
from chat.rooms import RoomStore


def rooms(store: RoomStore, presence: Presence, broadcast: Broadcast) -> Blueprint:
    blueprint = Blueprint("rooms", __name__, url_prefix="/api/rooms")

    @operation(blueprint, "", Operation("GET", "Rooms by name", {200: schemas.Rooms}, query=schemas.RoomsQuery))
    def list_rooms(query: schemas.RoomsQuery) -> dict[str, Any]:
        return store.list_all(me()["id"], query)

    @operation(
        blueprint,
        "",
        Operation("POST", "Make a room, and join it", {201: schemas.Room}, body=schemas.NewRoom, conflict=True),
    )
    def create_room(body: schemas.NewRoom) -> tuple[dict[str, Any], int]:
        return store.create(me(), body), 201

    @operation(blueprint, "/<room>", Operation("GET", "One room", {200: schemas.Room}, path=schemas.RoomPath))
    def read_room(path: schemas.RoomPath) -> dict[str, Any]:
        return store.get(me()["id"], path.room)

    @operation(blueprint, "/<room>/membership", Operation("PUT", "Join", {204: None}, path=schemas.RoomPath))
    def join(path: schemas.RoomPath) -> tuple[str, int]:
        store.enter(me(), path.room)
        return "", 204

    @operation(blueprint, "/<room>/membership", Operation("DELETE", "Leave", {204: None}, path=schemas.RoomPath))
    def leave(path: schemas.RoomPath) -> tuple[str, int]:
        store.leave(me()["id"], path.room)
        # Also when it was no member: an order that got lost is repeated by asking again.
        broadcast.order(LEFT, room=path.room, user_id=me()["id"])
        return "", 204

    @operation(
        blueprint,
        "/<room>/members",
        Operation("GET", "Members by name", {200: schemas.Members}, path=schemas.RoomPath, query=schemas.MembersQuery),
    )
    def members(path: schemas.RoomPath, query: schemas.MembersQuery) -> dict[str, Any]:
        users, more = store.members(me()["id"], path.room, query)
        try:
            online = {user["id"] for user in presence.online(path.room)}
        except redis.RedisError as error:
            raise Unavailable from error
        return {"members": [{**user, "online": user["id"] in online} for user in users], "more": more}

    return blueprint
