"""Checks of single values that a regular expression cannot express well. Each raises ValueError with what is right."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.quantity import quantity

PORT_MAX = 65535


def cidr(text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=True)
        return
    except ValueError:
        pass
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"'{text}' is not a network; write it as 10.0.0.0/16, or 192.0.2.7/32 for one host") from None
    raise ValueError(f"'{text}' has bits set beyond its prefix; did you mean '{network}'?")


def url(text: str) -> None:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"'{text}' is not a URL; it begins with http:// or https:// and a host")


def artifact_source(text: str) -> None:
    if text == "upstream" or text.startswith(("/", "file:///")):
        return
    try:
        url(text)
    except ValueError:
        raise ValueError(f"'{text}' is neither 'upstream', a URL, nor the absolute path of a bundle") from None


def host_port(text: str) -> None:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 1 <= int(port) <= PORT_MAX:
        raise ValueError(f"'{text}' is not HOST:PORT, such as 0.0.0.0:9323")


def address(text: str) -> None:
    """A host name or an IP address, and no port."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", text):
            raise ValueError(f"'{text}' is no host name or IP address; a port stands beside it, as `port`") from None


_DAYS = r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_NUMBER = r"(\*|[0-9]+(\.\.[0-9]+)?)(/[0-9]+)?"
_PART = rf"{_NUMBER}(,{_NUMBER})*"
_WORDS = "minutely|hourly|daily|weekly|monthly|quarterly|semiannually|yearly|annually"
CALENDAR = re.compile(
    rf"(?:(?:{_WORDS})|(?=\S)(?:{_DAYS}((,|\.\.){_DAYS})*\s*)?(?:(?:{_PART}-)?{_PART}[-~]{_PART}\s*)?"
    rf"(?:{_PART}:{_PART}(:{_PART})?)?)(?:\s+(?:utc|[a-z_]+/[a-z_/+-]+))?",
    re.IGNORECASE,
)


def calendar(text: str) -> None:
    """The usual forms of systemd.time(7); systemd itself has the last word on a host."""
    if not CALENDAR.fullmatch(text):
        raise ValueError(f"'{text}' is no time of systemd.timer(5), such as daily, 03:30 or Sun *-*-* 03:30:00")


def email(text: str) -> None:
    if not re.fullmatch(r"[^@\s,<>]+@[^@\s,<>]+", text):
        raise ValueError(f"'{text}' is not a mail address, such as ops@example.com")


def timezone(text: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", text):
        raise ValueError(f"'{text}' is not a time zone, such as Etc/UTC or Europe/Rome")


CHECKS: dict[str, Callable[[str], object]] = {
    "address": address,
    "artifact-source": artifact_source,
    "calendar": calendar,
    "cidr": cidr,
    "email": email,
    "host-port": host_port,
    "quantity": quantity,
    "timezone": timezone,
    "url": url,
}
