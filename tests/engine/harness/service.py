#!/usr/bin/python3 -IS
"""The service under test: answers every request with its version and configuration.

SIGHUP makes it read its configuration again; the listening socket stays. `release.json` beside it says which release it
is and what is wrong with it: `exits`, `deaf` (never listens), `ill` (answers with the wrong content).
"""

import json
import os
import signal
import socket
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
with open(f"{HERE}/release.json", encoding="utf-8") as handle:
    RELEASE = json.load(handle)
CONFIG: dict[str, object] = {}
# What it was started with, beside its configuration.
PLACE = {"place": os.environ.get("PLACE", ""), "pid": os.getpid()}


def read(*_signal: object) -> None:
    with open(sys.argv[1], encoding="utf-8") as source:
        CONFIG.update(json.load(source))


def answer() -> bytes:
    health = "ill" if RELEASE["fault"] == "ill" else "well"
    body = json.dumps({"version": RELEASE["version"], "health": health, **CONFIG, **PLACE}).encode()
    head = f"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def main() -> None:
    read()
    print(f"service {RELEASE['version']} starts with {json.dumps(CONFIG)}", flush=True)
    if RELEASE["fault"] == "exits":
        print("the disk of memories is missing", flush=True)
        sys.exit(3)
    signal.signal(signal.SIGHUP, read)
    while RELEASE["fault"] == "deaf":
        time.sleep(60)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", CONFIG["port"]))
    except OSError as error:
        print(f"cannot listen on port {CONFIG['port']}: {error.strerror}", flush=True)
        sys.exit(4)
    listener.listen(128)
    while True:
        connection, _peer = listener.accept()
        try:
            connection.settimeout(2)
            if connection.recv(4096):
                connection.sendall(answer())
        except OSError:
            pass
        finally:
            connection.close()


main()
