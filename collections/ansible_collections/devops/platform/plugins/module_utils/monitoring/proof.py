"""Whether a Prometheus that was just started has what it should have."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable

from ansible_collections.devops.platform.plugins.module_utils.gate.prometheus import Prometheus, QueryError, connect

LOOKBACK = 300.0  # seconds: how far back Prometheus itself looks for a sample
PAUSE = 0.2


def prove(
    url: str,
    query: str,
    at: float,
    timeout: float,
    dead: Callable[[], str],
    now: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """What is wrong once `timeout` seconds are over; '' as soon as it is ready and `query` has a value at `at`.

    `dead` says why there is nothing to wait for; '' while there is.
    """
    deadline = now() + timeout
    while True:
        problem = _ready(url) or _value(url, query, at)
        given_up = dead() if problem else ""
        if not problem or given_up or now() > deadline:
            return given_up or problem
        pause(PAUSE)


def _ready(url: str) -> str:
    connection = connect(url, 5)
    try:
        connection.request("GET", "/-/ready")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {error}"
    finally:
        connection.close()
    return "" if status == 200 else f"{url} is not ready (status {status})"


def _value(url: str, query: str, at: float) -> str:
    try:
        found = Prometheus(url).instant(query, at, LOOKBACK)
    except QueryError as error:
        return str(error)
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
    return "" if found else f"{query} has no value at {moment}, the end of the restored data"
