"""Passwords of a user of ElastiCache, which takes two at a time. No server of it can be asked for that, only AWS."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data

from .aws import client, explained
from .backend import BackendError

RIGHTS = "elasticache:DescribeUsers and elasticache:ModifyUser"
MOST = 2  # passwords of a user
INTERVAL = 5.0


def change(
    settings: Data,
    user: str,
    passwords: Sequence[str],
    timeout: float = 300,
    connection: Any = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Let `user` in with these passwords and no others, and wait until that is so."""
    wanted = list(dict.fromkeys(passwords))
    if not 1 <= len(wanted) <= MOST:
        raise BackendError(
            f"user {user} of ElastiCache has one or two passwords, not {len(wanted)}; finish its rotation"
        )
    connection = connection or client("elasticache", settings)
    with explained("elasticache", settings, RIGHTS):
        connection.modify_user(UserId=user, AuthenticationMode={"Type": "password", "Passwords": wanted})
        left = timeout
        while True:
            status = connection.describe_users(UserId=user)["Users"][0]["Status"]
            if status == "active":
                return
            if left <= 0:
                raise BackendError(f"user {user} of ElastiCache is '{status}' after {timeout:g} s; run it again later")
            sleep(INTERVAL)
            left -= INTERVAL
