"""What platform.logging.elasticsearch and platform.logging.retention say: can a cluster be made of it, and kept?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import (
    BUILTIN_USERS,
    DEAD_LETTER,
    INTEG_TEST,
    RETENTION_USER,
    SYSTEM,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import KeyPath
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

from .context import Check, Context, Finding

AT = ("logging", "elasticsearch")
RETENTION = ("logging", "retention")
# What the product sets itself; another value would part nodes, or turn off what protects them.
OWN = (
    "cluster.name",
    "node.name",
    "path.data",
    "path.logs",
    "path.repo",
    "http.port",
    "transport.port",
    "network.host",
    "cluster.initial_master_nodes",
    "discovery.seed_hosts",
    "bootstrap.memory_lock",
)
SECURITY = "xpack.security."


def majority(context: Context) -> Iterator[Finding]:
    """Half of the nodes are no majority: with two, one more can fail than with one, and none may."""
    hosts = context.inventory.groups.get(str(context.section("logging").get("group")), ())
    if context.section(*AT) and len(hosts) > 1 and len(hosts) % 2 == 0:
        text = (
            f"{len(hosts)} nodes: the cluster answers while more than half of them do, so {len(hosts) - 1} would bear "
            "as many failures; have an odd number"
        )
        yield Finding(("logging", "group"), text, severity="warning")


def nothing_to_keep(context: Context) -> Iterator[Finding]:
    keepers = context.section(*AT) or context.section("logging", "loki")
    if context.section("logging", "retention") and not keepers and context.trusted("logging"):
        text = "there is no elasticsearch or loki in platform.logging that could keep lines; add one, or take this away"
        yield Finding(RETENTION, text, at_key=True)


def passwords(context: Context) -> Iterator[Finding]:
    """Users that the distribution needs, or cannot have; two that share a password."""
    server = context.section(*AT)
    if not server or not context.trusted(*AT, "passwords") or not context.trusted(*AT, "distribution"):
        return
    given = context.section(*AT, "passwords")
    tests = server.get("distribution") == INTEG_TEST
    if tests and RETENTION_USER not in given:
        text = "lacks the key 'retention': this distribution has no ILM, and the program that does its work is a user"
        yield Finding((*AT, "passwords"), text, at_key=True)
    for user in given:
        path: KeyPath = (*AT, "passwords", str(user))
        if tests and user in BUILTIN_USERS:
            text = "the distribution integ-test cannot store users that Elasticsearch brings; take it away"
            yield Finding(path, text, at_key=True)
        if not tests and user == RETENTION_USER:
            text = "upstream's distribution removes old indexes itself, and knows no such user; take it away"
            yield Finding(path, text, at_key=True, severity="warning")
    owners: dict[str, str] = {}
    for user, secret in given.items():
        if secret is not None and owners.setdefault(str(secret), str(user)) != user:
            text = f"is the secret of {owners[str(secret)]} already: who has one could be the other; give it its own"
            yield Finding((*AT, "passwords", str(user)), text)


def settings(context: Context) -> Iterator[Finding]:
    for name in context.section(*AT, "settings"):
        if name in OWN or str(name).startswith(SECURITY):
            text = "follows from other keys of platform.yml and the inventory, and cannot be set here; take it away"
            yield Finding((*AT, "settings", str(name)), text, at_key=True)


def snapshots(context: Context) -> Iterator[Finding]:
    path = (*AT, "snapshots")
    given = context.section(*path)
    if not context.trusted(*path):
        return
    places = [key for key in ("directory", "s3") if given.get(key) is not None]
    if given and not places:
        yield Finding(path, "lacks where snapshots go; give it a directory or s3", at_key=True)
    if len(places) > 1:
        yield Finding((*path, "s3"), "they go to a directory already; keep one of them", at_key=True)
    if "s3" in places and context.section(*AT).get("distribution") == INTEG_TEST:
        yield Finding((*path, "s3"), "the distribution integ-test has no S3; give it a directory", at_key=True)


def retention(context: Context) -> Iterator[Finding]:
    """Apps that no line is of."""
    sources = context.section("logging", "sources")
    named = {str(given["app"]) for given in sources.values() if isinstance(given, Mapping) and given.get("app")}
    apps = sorted({*map(str, context.section("apps")), *named, SYSTEM, DEAD_LETTER})
    for app in context.section(*RETENTION, "apps"):
        if app not in apps and context.trusted("apps") and context.trusted("logging"):
            text = f"no line is of an app '{app}'{did_you_mean(app, apps)}"
            yield Finding((*RETENTION, "apps", str(app)), text, at_key=True)


def names(context: Context) -> Iterator[Finding]:
    """An app whose lines would be among the dead letters."""
    text = f"logs-{context.platform.get('environment')}-{DEAD_LETTER}-* holds lines that were refused; rename the app"
    if context.section(*AT) and DEAD_LETTER in context.section("apps"):
        yield Finding(("apps", DEAD_LETTER), text, at_key=True)
    for name, given in context.section("logging", "sources").items():
        if isinstance(given, Mapping) and given.get("app") == DEAD_LETTER:
            yield Finding(("logging", "sources", str(name), "app"), text)


def exporter(context: Context) -> Iterator[Finding]:
    """An exporter without a place, or without a password."""
    path = ("monitoring", "exporters", "elasticsearch")
    given = context.section(*path)
    if not given or not context.trusted(*path) or not context.trusted("logging"):
        return
    if not given.get("groups") and not context.section(*AT):
        yield Finding(path, "lacks the key 'groups': there is no platform.logging.elasticsearch to watch", at_key=True)
    elif not given.get("address") and context.section(*AT) and "monitor" not in context.section(*AT, "passwords"):
        text = "may not ask: give platform.logging.elasticsearch.passwords a secret for 'monitor'"
        yield Finding(path, text, at_key=True)


CHECKS: tuple[Check, ...] = (
    majority,
    nothing_to_keep,
    passwords,
    settings,
    snapshots,
    retention,
    names,
    exporter,
)
