"""What the kernel has of files that describe it: nftables rules and sysctl settings. Reads only."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

from ansible_collections.devops.platform.plugins.module_utils.engine.host import Host, tail

from .model import Rules, Setting

# The rules are loaded into an empty network of their own, which is gone with the command, and listed as the kernel
# would list them: without handles, and without what counters have counted.
LIST_AS_LOADED = "/usr/sbin/nft --file /dev/stdin && exec /usr/sbin/nft --stateless list ruleset"
TABLE = re.compile(r"^table (\w+) (\S+) \{$", re.MULTILINE)
SETTINGS = "/proc/sys"


def in_container() -> bool:
    """Whether the kernel is somebody else's; systemd notes it when it starts."""
    return os.path.exists("/run/systemd/container")


def rules(host: Host, path: str, content: str) -> Rules | str:
    """The tables of a ruleset, as loaded and as they are; or why that cannot be told."""
    try:
        done = subprocess.run(
            ["unshare", "--net", "/bin/sh", "-c", LIST_AS_LOADED],
            input=content.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    loaded = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        return tail(loaded, 1)
    live: list[str] = []
    for family, table in TABLE.findall(loaded):
        found = host.query(["/usr/sbin/nft", "--stateless", "list", "table", family, table])
        if found.code == 0:
            live += lines(found.output)
    return Rules(path, tuple(lines(loaded)), tuple(live))


def lines(listing: str) -> Iterator[str]:
    """The lines of a listing, each rule with the names of its table and chain before it."""
    place: list[str] = []
    for line in (raw.strip() for raw in listing.splitlines()):
        if line.endswith("{") and not line.startswith("elements"):
            place.append(line[:-1].strip())
            yield " / ".join(place)
        elif line == "}":
            place and place.pop()
        elif line:
            yield " / ".join([*place, line])


def settings(content: str) -> Iterator[Setting]:
    """Every setting of a sysctl.d file with the kernel's value. What cannot be set on this host is left out."""
    if os.statvfs(SETTINGS).f_flag & os.ST_RDONLY:
        return
    for line in content.splitlines():
        key, sign, value = (part.strip() for part in line.partition("="))
        if not sign or key.startswith(("#", ";")):
            continue
        optional, key = key.startswith("-"), key.lstrip("-").strip()
        path = f"{SETTINGS}/{_name(key)}"
        if os.path.exists(path) and not os.access(path, os.W_OK):
            continue
        live = _read(path)
        if live is not None or not optional:
            yield Setting(key, " ".join(value.split()), live)


def _name(key: str) -> str:
    """A key as a path. The first separator decides: in net/ipv4/conf/eth0.1/forwarding dots are dots."""
    first = next((sign for sign in key if sign in "./"), ".")
    return key if first == "/" else key.translate(str.maketrans("./", "/."))


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return " ".join(handle.read().split())
    except OSError:
        return None
