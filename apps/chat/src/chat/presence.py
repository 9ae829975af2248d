"""Who is online in a room: kept in Redis, and forgotten there by itself when a replica dies."""

from __future__ import annotations

import uuid
from typing import Any, cast

import redis

from chat.schemas import user_json

# A user is online while one replica says so. KEYS: a room's users, and one user's replicas, each with when that ends;
# Redis's clock decides, because those of the hosts differ.
_TOUCH = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local ends = now + ARGV[1]
local news = {}
for i = 3, #ARGV do
  local mine = KEYS[1] .. ':' .. string.match(ARGV[i], '^%d+')
  redis.call('ZREMRANGEBYSCORE', mine, '-inf', now)
  if redis.call('ZCARD', mine) == 0 then news[#news + 1] = ARGV[i] end
  redis.call('ZADD', mine, ends, ARGV[2])
  redis.call('PEXPIRE', mine, math.ceil(ARGV[1] * 1000))
  redis.call('ZADD', KEYS[1], 'GT', ends, ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1] * 4000))
return news
"""
_LEAVE = """
local t = redis.call('TIME')
local mine = KEYS[1] .. ':' .. string.match(ARGV[2], '^%d+')
redis.call('ZREM', mine, ARGV[1])
redis.call('ZREMRANGEBYSCORE', mine, '-inf', t[1] + t[2] / 1000000)
if redis.call('ZCARD', mine) > 0 then return 0 end
return redis.call('ZREM', KEYS[1], ARGV[2])
"""
_SWEEP = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return gone
"""
_ONLINE = """
local t = redis.call('TIME')
return redis.call('ZRANGEBYSCORE', KEYS[1], t[1] + t[2] / 1000000, '+inf')
"""

User = dict[str, Any]


def _entry(user: User) -> str:
    return f"{user['id']}:{user['name']}"


def _users(entries: Any) -> list[User]:
    pairs = [entry.decode().split(":", 1) for entry in cast("list[bytes]", entries)]
    return sorted((user_json(int(number), name) for number, name in pairs), key=lambda user: int(user["id"]))


class Presence:
    """As this replica says it. Every method raises RedisError while Redis is away."""

    def __init__(self, client: redis.Redis, seconds: float) -> None:
        self.seconds = seconds
        self.replica = uuid.uuid4().hex
        self._touch, self._leave, self._sweep, self._online = (
            client.register_script(script) for script in (_TOUCH, _LEAVE, _SWEEP, _ONLINE)
        )

    def touch(self, room: str, users: list[User]) -> list[User]:
        """These are here for the next ``seconds``; returns those that were nowhere before."""
        arguments: list[str | float] = [self.seconds, self.replica, *map(_entry, users)]
        return _users(self._touch(keys=[_key(room)], args=arguments))

    def leave(self, room: str, user: User) -> bool:
        """Not here any more; whether it is nowhere now."""
        return bool(self._leave(keys=[_key(room)], args=[self.replica, _entry(user)]))

    def sweep(self, room: str) -> list[User]:
        """Those whose replica stopped saying so. Each is returned once, to one replica."""
        return _users(self._sweep(keys=[_key(room)], args=[]))

    def online(self, room: str) -> list[User]:
        return _users(self._online(keys=[_key(room)], args=[]))


def _key(room: str) -> str:
    return f"chat:presence:{room}"
