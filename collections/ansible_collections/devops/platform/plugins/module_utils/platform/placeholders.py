"""The few placeholders that environment values in platform.yml may hold.

    @address(GROUP)    the address of the group's only host
    @addresses(GROUP)  the addresses of all its hosts, joined by commas
    @port(SERVER)      the port of a data server: postgresql or redis
    @endpoint(NAME)       the address of an endpoint: what Terraform has made and is no host of the inventory
    @endpoint_port(NAME)  its port

They are not Jinja on purpose: a closed set of names with one argument each can be checked before any host is touched.
Anything else, `someone@example.org` too, is plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .model import PlatformError, Topology, section

PLACEHOLDER = re.compile(r"@([A-Za-z_]+)\(([^()]*)\)")
FUNCTIONS = ("address", "addresses", "port", "endpoint", "endpoint_port")
SERVERS = {"postgresql": 5432, "redis": 6379}


@dataclass(frozen=True)
class Placeholder:
    function: str
    argument: str
    text: str


def placeholders(text: str) -> Iterator[Placeholder]:
    """Every placeholder in `text`, known or not."""
    for match in PLACEHOLDER.finditer(text):
        yield Placeholder(match.group(1), match.group(2).strip(), match.group(0))


def resolve(text: str, topology: Topology) -> str:
    """`text` with its placeholders replaced; PlatformError where one cannot be."""
    return PLACEHOLDER.sub(lambda match: _value(next(placeholders(match.group(0))), topology), text)


def _value(placeholder: Placeholder, topology: Topology) -> str:
    if placeholder.function == "port":
        if placeholder.argument not in SERVERS:
            raise PlatformError(f"{placeholder.text}: no such server; it may be {' or '.join(SERVERS)}")
        server = section(topology.platform, "data", placeholder.argument)
        if server.get("endpoint"):
            return str(topology.endpoint(str(server["endpoint"]))[1])
        return str(server.get("port", SERVERS[placeholder.argument]))
    if placeholder.function not in FUNCTIONS:
        raise PlatformError(f"{placeholder.text}: unknown placeholder; known are @{', @'.join(FUNCTIONS)}")
    if placeholder.function in ("endpoint", "endpoint_port"):
        address, port = topology.endpoint(placeholder.argument)
        return address if placeholder.function == "endpoint" else str(port)
    found = [topology.address(host) for host in topology.hosts(placeholder.argument)]
    if not found:
        raise PlatformError(f"{placeholder.text}: the group has no host")
    if placeholder.function == "addresses":
        return ",".join(found)
    if len(found) != 1:
        raise PlatformError(
            f"{placeholder.text}: the group has {len(found)} hosts, not one; "
            f"@addresses({placeholder.argument}) gives all of them"
        )
    return found[0]
