"""How Prometheus shows itself to servers that are not the platform's: part of a job, and the files that it names. Pure.

Whatever in platform.yml has a `password`, `bearer` or `token` names a secret by it; `ca` is a file of the controller.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .model import Data, section

# Below /etc/prometheus, where prometheus.yml is: promtool finds the staged files before they are there.
FOLDER = "remote"  # of the files with secrets, called like them
AUTHORITIES = "authorities"  # of those that vouch for a server
KEYS = ("password", "bearer", "token")  # those that name a secret


def asked(entry: Data, authority: str = "") -> dict[str, Any]:
    """What of an entry says how its server is to be asked, in Prometheus' words. `authority` is the file's name."""
    made: dict[str, Any] = {}
    if entry.get("user"):
        made["basic_auth"] = {"username": str(entry["user"]), "password_file": f"{FOLDER}/{entry['password']}"}
    for key in ("bearer", "token"):
        if entry.get(key):
            made["authorization"] = {"credentials_file": f"{FOLDER}/{entry[key]}"}
    tls: dict[str, Any] = {}
    if entry.get("ca"):
        tls["ca_file"] = f"{AUTHORITIES}/{authority}"
    if entry.get("server_name"):
        tls["server_name"] = str(entry["server_name"])
    return {**made, **({"tls_config": tls} if tls else {})}


def authority_of(kind: str, name: str) -> str:
    """The name of the file that vouches for `name` below platform.monitoring.`kind`."""
    return f"{kind}-{name}.crt"


def _entries(platform: Data) -> Iterator[tuple[str, Data]]:
    """(name of the authority's file, entry) of each. Who is written to is vouched for by the host's own authorities."""
    for entry in section(platform, "monitoring", "prometheus").get("remote_write") or ():
        if entry:
            yield "", entry
    for kind in ("targets", "kubernetes"):
        declared = section(platform, "monitoring", kind)
        for name in sorted(declared):
            yield authority_of(kind, str(name)), section(declared, name)


def remote_secrets(platform: Data) -> list[str]:
    """Names of the secrets that Prometheus shows to others, each once, in the order of what shows them."""
    named = [str(entry[key]) for _file, entry in _entries(platform) for key in KEYS if entry.get(key)]
    return list(dict.fromkeys(named))


def remote_authorities(platform: Data) -> dict[str, str]:
    """File below AUTHORITIES -> path on the controller of what vouches for servers of others."""
    return {file: str(entry["ca"]) for file, entry in _entries(platform) if entry.get("ca")}
