"""Serves a host's metrics under the names of many hosts: ``/0001`` to ``/N``, a further variant at each request."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

VARIANTS = 16
VALUE = re.compile(rb"^([^#\s][^\n]*?) ([0-9.eE+-]+)$", re.MULTILINE)


def variants(text: bytes, count: int = VARIANTS, seed: int = 1) -> list[bytes]:
    """The text with other values: what never changes would compress far better than the truth."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret

    def moved(number: int) -> bytes:
        def value(match: re.Match[bytes]) -> bytes:
            shift = 1 + number * chance.random() / 100
            return b"%s %r" % (match[1], float(match[2]) * shift)

        return VALUE.sub(value, text)

    return [moved(number) for number in range(count)]


@contextmanager
def serving(texts: Sequence[bytes]) -> Iterator[int]:
    """The port on loopback that answers every path with the next of the texts."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %d\r\n\r\n"
    answers = itertools.cycle([head % len(text) + text for text in texts])
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(next(answers))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def serve() -> None:
        over = asyncio.Event()
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        started.set_result((server.sockets[0].getsockname()[1], asyncio.get_running_loop(), over))
        await over.wait()
        server.close()

    # asyncio.run ends the connections that are still open when the server is over.
    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    port, loop, over = started.result(10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
