"""What is an endpoint and no host of ours: a database, a cache or a load balancer that Terraform has made."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.devops.platform.plugins.module_utils.platform.model import endpoint_names
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import KeyPath
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

from .context import Check, Context, Finding

SERVERS = ("postgresql", "redis")


def known(context: Context) -> Iterator[Finding]:
    names = endpoint_names(context.inventory.addresses)
    for path in (("data", "postgresql"), ("data", "redis"), ("edge",)):
        name = context.section(*path).get("endpoint")
        if name is not None and name not in names:
            hint = did_you_mean(name, names) or "; Terraform makes it: run `terraform output -json` for the inventory"
            yield Finding((*path, "endpoint"), f"the inventory has no endpoint '{name}'{hint}")


def servers(context: Context) -> Iterator[Finding]:
    """A server runs on our hosts, for clients that are named, or it is an endpoint."""
    for name in SERVERS:
        path: KeyPath = ("data", name)
        server = context.section("data", name)
        if not server or not context.intact(*path):
            continue
        if server.get("endpoint") is not None:
            for key in ("clients", "maxmemory", "version", "settings"):
                if key in server:
                    text = "is for a server that the platform runs, and this one is an endpoint; remove it"
                    yield Finding((*path, key), text, at_key=True)
            continue
        if "clients" not in server:
            yield Finding(path, "lacks the key 'clients', the groups that may connect", at_key=True)
        for key in ("user", "administrator"):
            if key in server:
                text = "is for an endpoint; a server that the platform runs is reached from its own host"
                yield Finding((*path, key), text, at_key=True)
        if context.section("data").get("group") is None and context.trusted("data"):
            yield Finding(("data",), f"lacks the key 'group': where {name} runs, as it is no endpoint", at_key=True)


def exporters(context: Context) -> Iterator[Finding]:
    path = ("monitoring", "exporters", "postgresql")
    given = context.section(*path)
    if not given or not context.intact(*path) or not context.intact("data"):
        return
    elsewhere = context.section("data", "postgresql").get("endpoint") is not None
    if elsewhere and "password" not in given:
        text = "lacks the key 'password', the secret of its user: an endpoint has no socket to ask through"
        yield Finding(path, text, at_key=True)
    for key in ("user", "password"):
        if not elsewhere and key in given:
            yield Finding((*path, key), "is for an endpoint; beside a server none is needed", at_key=True)


def edge(context: Context) -> Iterator[Finding]:
    given = context.section("edge")
    if not given or not context.trusted("edge"):
        return
    both = [key for key in ("group", "endpoint") if given.get(key) is not None]
    if len(both) != 1:
        text = "has group and endpoint; remove one of them" if both else "lacks the key 'group', where it runs"
        yield Finding(("edge",), text, at_key=True)
    if given.get("endpoint") is not None:
        if not given.get("networks"):
            text = "lacks the key 'networks', which it asks from: no application would let it in"
            yield Finding(("edge",), text, at_key=True)
        if "tls" in given:
            text = "is for an edge that the platform runs: an endpoint brings its certificate; remove it"
            yield Finding(("edge", "tls"), text, at_key=True)
    elif given.get("networks"):
        text = "are those of an endpoint; hosts of a group are known by their addresses"
        yield Finding(("edge", "networks"), text, at_key=True)


CHECKS: tuple[Check, ...] = (known, servers, exporters, edge)
