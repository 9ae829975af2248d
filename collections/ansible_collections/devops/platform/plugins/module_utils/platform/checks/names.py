"""Names that must be those of something: groups, secrets, database users, services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.alerting.receivers import secret_keys
from ansible_collections.devops.platform.plugins.module_utils.awx.settings import secret_keys as awx_secret_keys
from ansible_collections.devops.platform.plugins.module_utils.platform.blackbox import JOBS as PROBES
from ansible_collections.devops.platform.plugins.module_utils.platform.exporters import CATALOGUE
from ansible_collections.devops.platform.plugins.module_utils.platform.model import section, service_ports
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import KeyPath
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean, nearest

from .context import Check, Context, Finding

# Scrape jobs that are made of other keys.
JOBS = (
    "prometheus",
    "alertmanager",
    "grafana",
    "loki",
    "node",
    "docker",
    *(kind.key for kind in CATALOGUE),
    *PROBES.values(),
)


def parts(context: Context) -> Iterator[tuple[str, str, str, KeyPath]]:
    """(app, kind, name, path) of every service and task."""
    for app in context.section("apps"):
        for kind in ("services", "tasks"):
            for name in context.section("apps", app, kind):
                yield str(app), kind, str(name), ("apps", str(app), kind, str(name))


def group_references(context: Context) -> Iterator[tuple[KeyPath, str, bool]]:
    """(path, group, whether something runs there) of every inventory group that platform.yml names."""
    for single in (
        ("data",),
        ("monitoring",),
        ("logging",),
        ("logging", "loki"),
        ("logging", "kibana"),
        ("edge",),
        *(("apps", str(app)) for app in context.section("apps")),
    ):
        group = context.section(*single).get("group")
        if group is not None:
            yield (*single, "group"), str(group), True
    cluster = context.section("kubernetes", "cluster")
    for key in ("control_plane", "workers"):
        if cluster.get(key) is not None:
            yield ("kubernetes", "cluster", key), str(cluster[key]), key == "control_plane"
    lists = [("docker", "groups"), ("data", "postgresql", "clients"), ("data", "redis", "clients")]
    lists += [("monitoring", "targets", str(name), "groups") for name in context.section("monitoring", "targets")]
    lists += [("logging", "sources", str(name), "groups") for name in context.section("logging", "sources")]
    for path in lists:
        for number, group in context.items(*path):
            yield (*path, number), group, path[0] == "docker"


def groups(context: Context) -> Iterator[Finding]:
    known = context.inventory.known_groups
    if not known:
        return  # one message about the inventory says it all
    for path, group, used in group_references(context):
        if group not in context.inventory.groups:
            yield Finding(path, f"the inventory has no group '{group}'{did_you_mean(group, known)}")
        elif used and not context.inventory.groups[group]:
            yield Finding(path, f"the group '{group}' of the inventory has no host; add one, or remove this part")


def probes(context: Context) -> Iterator[Finding]:
    """Probes that ask nothing, or two things of which one would never be asked; and probes that nobody asks."""
    for name in context.section("monitoring", "probes"):
        given = context.section("monitoring", "probes", name)
        kinds = [kind for kind in PROBES if given.get(kind) is not None]
        if not kinds and context.trusted("monitoring", "probes", str(name)):
            yield Finding(("monitoring", "probes", str(name)), f"asks nothing; give it one of {', '.join(PROBES)}")
        if len(kinds) > 1:
            yield Finding(("monitoring", "probes", str(name)), f"has {' and '.join(kinds)}; make a probe of each")
    asked = context.section("monitoring", "probes") and not context.section("monitoring", "exporters", "blackbox")
    if asked and context.trusted("monitoring", "exporters") and context.trusted("monitoring"):
        text = "nobody asks them; add platform.monitoring.exporters.blackbox, or take them away"
        yield Finding(("monitoring", "probes"), text)


def secret_references(context: Context) -> Iterator[tuple[KeyPath, str]]:
    """(path, secret) of every use of a secret."""
    for path, values in _places_of_secrets(context):
        for key, secret in values.items():
            if secret is not None:
                yield (*path, str(key)), str(secret)
    for (receiver, kind, key), secret in secret_keys(context.section("monitoring", "alerting", "receivers")):
        yield ("monitoring", "alerting", "receivers", receiver, kind, key), secret
    for keys, secret in awx_secret_keys(context.platform):
        yield ("awx", *keys), secret


def _places_of_secrets(context: Context) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """(path, {key: secret}) of what may name secrets."""
    passwords: list[tuple[str, ...]] = [
        *(("data", "postgresql", "users", str(user)) for user in context.section("data", "postgresql", "users")),
        ("data", "redis"),
        ("data", "postgresql"),
        *(("monitoring", "exporters", str(name)) for name in context.section("monitoring", "exporters")),
        ("monitoring", "grafana"),
        ("logging", "kibana"),
        *(("monitoring", "targets", str(name)) for name in context.section("monitoring", "targets")),
        *(("monitoring", "kubernetes", str(name)) for name in context.section("monitoring", "kubernetes")),
        *(("logging", "outputs", str(name)) for name in context.section("logging", "outputs")),
    ]
    for path in passwords:
        yield path, _named(context.section(*path))
    for number, entry in enumerate(context.section("monitoring", "prometheus").get("remote_write") or ()):
        yield ("monitoring", "prometheus", "remote_write", number), _named(entry or {})
    yield ("logging", "elasticsearch", "passwords"), dict(context.section("logging", "elasticsearch", "passwords"))
    for app, kind, name, place in parts(context):
        yield (*place, "secrets"), dict(context.section("apps", app, kind, name, "secrets"))
    for app in context.section("apps"):
        yield ("apps", str(app), "smoke"), _named(context.section("apps", app, "smoke"))


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: values.get(key) for key in ("password", "secret_key", "encryption_key", "bearer", "token", "administrator")
    }


def secrets(context: Context) -> Iterator[Finding]:
    if not context.trusted("secrets", "names"):
        return
    used = list(secret_references(context))
    if used and not context.section("secrets"):
        yield Finding(
            (), "lacks the key 'secrets', though secrets are used below: declare their names there", at_key=True
        )
        return
    names = context.section("secrets", "names")
    for path, secret in used:
        if secret not in names:
            near = nearest(secret, names)
            hint = f"did you mean '{near}'?" if near else "declare it below platform.secrets.names"
            yield Finding(path, f"no secret '{secret}' is declared; {hint}")
    if all(context.intact(part) for part in ("data", "apps", "monitoring", "logging", "awx")):
        for name in names:
            if name not in {secret for _path, secret in used}:
                text = "nothing uses this secret; remove it, or the key that should name it is missing"
                yield Finding(("secrets", "names", str(name)), text, at_key=True, severity="warning")


def database_owners(context: Context) -> Iterator[Finding]:
    path = ("data", "postgresql", "users")
    if not context.trusted(*path):
        return
    users = context.section(*path)
    for name in context.section("data", "postgresql", "databases"):
        owner = context.section("data", "postgresql", "databases", name).get("owner")
        if owner is not None and owner not in users:
            hint = did_you_mean(owner, users) or "; declare it below platform.data.postgresql.users"
            yield Finding(
                ("data", "postgresql", "databases", str(name), "owner"), f"there is no database user '{owner}'{hint}"
            )


def routes(context: Context) -> Iterator[Finding]:
    apps = context.section("apps")
    paths: dict[str, int] = {}
    upstreams: dict[str, tuple[str, str]] = {}
    listed = context.section("edge").get("routes")
    for number, route in enumerate(listed if isinstance(listed, (list, tuple)) else ()):
        where: KeyPath = ("edge", "routes", number)
        if route is None:
            continue
        path = route.get("path")
        if path in paths:
            first = context.line(("edge", "routes", paths[path], "path"))
            yield Finding((*where, "path"), f"'{path}' is routed in line {first} already")
        elif path is not None:
            paths[path] = number
        app, service = route.get("app"), route.get("service")
        if app is None:
            continue
        if app not in apps:
            if context.trusted("apps"):
                yield Finding((*where, "app"), f"there is no app '{app}'{did_you_mean(app, apps)}")
        elif service is not None and context.trusted("apps", app, "services"):
            yield from _route_target(context, (*where, "service"), app, service)
            name = f"{app}_{service}".replace("-", "_")
            other = upstreams.setdefault(name, (app, service))
            if other != (app, service):
                text = f"{app}/{service} and {'/'.join(other)} would share the name {name} in the edge; rename one"
                yield Finding((*where, "service"), text)


def _route_target(context: Context, path: KeyPath, app: str, service: str) -> Iterator[Finding]:
    services = context.section("apps", app, "services")
    if service not in services:
        yield Finding(path, f"app '{app}' has no service '{service}'{did_you_mean(service, services)}")
    elif section(services, service).get("enabled") is False:
        line = context.line(("apps", app, "services", service, "enabled"))
        yield Finding(path, f"'{service}' is switched off (line {line}); remove the route, or set enabled: true")
    elif not service_ports(section(services, service)):
        line = context.line(("apps", app, "services", service))
        yield Finding(path, f"'{service}' (line {line}) has no port, so no route can lead to it; give it one")


def tasks(context: Context) -> Iterator[Finding]:
    for app, kind, name, path in parts(context):
        services = context.section("apps", app, "services")
        if kind != "tasks" or not context.trusted("apps", app, "services"):
            continue
        if name in services:
            line = context.line(("apps", app, "services", name))
            yield Finding(path, f"app '{app}' has a service of this name (line {line}); rename the task", at_key=True)
        for number, service in context.items(*map(str, path), "before"):
            if service not in services:
                text = f"app '{app}' has no service '{service}'{did_you_mean(service, services)}"
                yield Finding((*path, "before", number), text)


def scrape_jobs(context: Context) -> Iterator[Finding]:
    for name in context.section("monitoring", "targets"):
        if name in JOBS:
            text = "Prometheus has a scrape job of this name from other keys of platform.yml; choose another"
            yield Finding(("monitoring", "targets", str(name)), text, at_key=True)


def grafana(context: Context) -> Iterator[Finding]:
    monitoring = context.section("monitoring")
    if context.section("monitoring", "grafana") and "prometheus" not in monitoring and context.trusted("monitoring"):
        text = "shows what Prometheus has, and there is none; declare platform.monitoring.prometheus, or remove this"
        yield Finding(("monitoring", "grafana"), text, at_key=True)


CHECKS: tuple[Check, ...] = (groups, secrets, database_owners, routes, tasks, scrape_jobs, probes, grafana)
