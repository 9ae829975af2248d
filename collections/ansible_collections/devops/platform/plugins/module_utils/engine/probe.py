"""Probes: does the service that was just switched answer as it should, and is it that service that answers?"""

from __future__ import annotations

import base64
import http.client
import os
import re
import shlex
import socket
import ssl
import time
from typing import Any, Callable
from urllib.parse import urlsplit

from .host import Host, tail
from .units import UnitState

INTERVAL = 0.2
DEFAULT_TIMEOUT = 10.0
# Secrets are hidden before an answer is shortened: a part of one is not found any more.
Hide = Callable[[str], str]


def describe(probe: dict[str, Any]) -> str:
    for kind in ("http", "tcp"):
        if kind in probe:
            return f"{kind} {probe[kind]}"
    return f"command {' '.join(arguments(probe))}"


def arguments(probe: dict[str, Any]) -> list[str]:
    command = probe["command"]
    return shlex.split(command) if isinstance(command, str) else [str(part) for part in command]


def ask_http(probe: dict[str, Any], hide: Hide = str) -> str:
    """One request; an empty answer means it is well, anything else says why not."""
    url = urlsplit(probe["http"])
    port = url.port or (443 if url.scheme == "https" else 80)
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        # The probe asks whether this host's own service is up, on loopback: the name in the certificate is the edge's.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        refusal = _show_certificate(context, probe)
        if refusal:
            return refusal
        connection = http.client.HTTPSConnection(url.hostname or "127.0.0.1", port, timeout=3, context=context)
    else:
        connection = http.client.HTTPConnection(url.hostname or "127.0.0.1", port, timeout=3)
    try:
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("GET", path, headers={**(probe.get("headers") or {}), **_authorization(probe)})
        response = connection.getresponse()
        body = response.read(1 << 22).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return f"no answer: {error}"
    finally:
        connection.close()
    wanted = int(probe.get("status") or 200)
    if response.status != wanted:
        return f"status {response.status} instead of {wanted}: {hide(body)[:200].strip()}"
    if probe.get("contains") and probe["contains"] not in body:
        return f"the answer does not contain {probe['contains']!r}"
    return ""


def _show_certificate(context: ssl.SSLContext, probe: dict[str, Any]) -> str:
    """Where the service wants to see one. Read at each request, as the password is; says why that is not possible."""
    if not probe.get("certificate"):
        return ""
    try:
        context.load_cert_chain(probe["certificate"], probe.get("key"))
    except OSError as error:
        return f"cannot show {probe['certificate']}: {error}"
    return ""


def _authorization(probe: dict[str, Any]) -> dict[str, str]:
    """Read at each request: after the way back, the file holds the earlier generation's password again."""
    if not probe.get("password_file"):
        return {}
    with open(probe["password_file"], encoding="utf-8") as handle:
        account = f"{probe.get('user') or ''}:{handle.read().rstrip()}"
    return {"Authorization": f"Basic {base64.b64encode(account.encode()).decode()}"}


def ask_tcp(probe: dict[str, Any], hide: Hide = str) -> str:
    host, _, port = str(probe["tcp"]).rpartition(":")
    try:
        with socket.create_connection((host.strip("[]") or "127.0.0.1", int(port)), timeout=3) as connection:
            if not probe.get("send") and not probe.get("expect"):
                return ""
            connection.sendall(str(probe.get("send") or "").encode())
            answer = connection.recv(4096).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        return f"no connection: {error}"
    if not re.search(str(probe.get("expect") or ""), answer):
        return f"the answer {hide(answer)[:100]!r} does not match {probe['expect']!r}"
    return ""


def ask_command(host: Host, probe: dict[str, Any], hide: Hide = str) -> str:
    done = host.query(arguments(probe), timeout=float(probe.get("timeout") or DEFAULT_TIMEOUT))
    if done.code != int(probe.get("rc") or 0):
        return f"it ended with {done.code}: {tail(hide(done.output))}"
    if probe.get("contains") and probe["contains"] not in done.output:
        return f"its output does not contain {probe['contains']!r}"
    return ""


def port_of(probe: dict[str, Any]) -> int | None:
    """The local TCP port that a probe asks, where the answering process can be looked up."""
    if "tcp" in probe:
        host, _, port = str(probe["tcp"]).rpartition(":")
        return int(port) if host in ("127.0.0.1", "localhost", "") else None
    if "http" in probe:
        url = urlsplit(probe["http"])
        if url.hostname in ("127.0.0.1", "localhost"):
            return url.port or (443 if url.scheme == "https" else 80)
    return None


def listening_inodes(table: str, port: int) -> set[str]:
    """Socket inodes that listen on `port`. Source: the text of /proc/net/tcp and tcp6 (state 0A is LISTEN)."""
    found = set()
    for line in table.splitlines():
        fields = line.split()
        if len(fields) > 9 and fields[3] == "0A" and fields[1].rpartition(":")[2] == f"{port:04X}":
            found.add(fields[9])
    return found


def listens(port: int, unit: str) -> bool:
    """Whether a process of `unit` holds the listening socket. Without this, a port taken by another process
    would answer the probe in the service's stead."""
    tables = _read("/proc/net/tcp") + _read("/proc/net/tcp6")
    sockets = {f"socket:[{inode}]" for inode in listening_inodes(tables, port)}
    return any(_holds(pid, unit, sockets) for pid in filter(str.isdigit, os.listdir("/proc")))


def _read(path: str) -> str:
    """A table of the kernel; '' where it has none (no IPv6)."""
    try:
        with open(path, encoding="ascii") as handle:
            return handle.read()
    except OSError:
        return ""


def _holds(pid: str, unit: str, sockets: set[str]) -> bool:
    """Whether the process belongs to the unit and has one of the sockets open; it may end while it is looked at."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as handle:
            if f"/{unit}" not in handle.read():
                return False
        descriptors = os.listdir(f"/proc/{pid}/fd")
        return any(os.readlink(f"/proc/{pid}/fd/{descriptor}") in sockets for descriptor in descriptors)
    except OSError:
        return False


def failed_early(state: UnitState) -> str:
    """A unit that can be given up on before the time is over."""
    if state.active == "failed":
        return f"the unit failed ({state.result})"
    if state.restarts > 2:
        return f"the unit keeps dying: {state.restarts} restarts since it was started"
    return ""


def wait_until_well(
    host: Host,
    probes: tuple[dict[str, Any], ...],
    unit: str,
    now: Callable[[], float] = time.monotonic,
    hide: Hide = str,
) -> str:
    """Ask each probe until it is content or its time is over; '' or the reason of the failure."""
    for probe in probes:
        deadline = now() + float(probe.get("timeout") or DEFAULT_TIMEOUT)
        while True:
            reason = _ask(host, probe, hide)
            port = port_of(probe)
            if not reason and unit and port and not listens(port, unit):
                reason = f"something answers on port {port}, but it is not {unit}"
            if not reason:
                break
            early = failed_early(host.unit(unit)) if unit else ""
            if early or now() > deadline:
                return f"probe '{describe(probe)}' failed: {early or 'until its timeout'}: {reason}"
            time.sleep(INTERVAL)
    if unit:
        state = host.unit(unit)
        if state.active not in ("active", "reloading"):
            return f"{unit} is {state.active} ({state.sub}), not active"
    return ""


def _ask(host: Host, probe: dict[str, Any], hide: Hide) -> str:
    if "http" in probe:
        return ask_http(probe, hide)
    if "tcp" in probe:
        return ask_tcp(probe, hide)
    return ask_command(host, probe, hide)
