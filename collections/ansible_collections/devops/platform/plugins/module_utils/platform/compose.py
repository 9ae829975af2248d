"""An application of platform.yml as a Docker Compose project for one host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .model import (
    Addresses,
    Data,
    Groups,
    PlatformError,
    Topology,
    host_port,
    is_ip,
    section,
    service_ports,
    services_of,
)
from .placeholders import resolve

SECRETS_FOLDER = "./secrets"
STOP_GRACE = "30s"
COMPOSE_LABELS = ("com.docker.compose.project", "com.docker.compose.service")
VERSION_LABEL = "platform.version"


def image_reference(images: Mapping[str, Data], name: str) -> str:
    """`ref:tag@digest` of an image of the lock; PlatformError if the lock lacks it or leaves it unpinned."""
    entry = images.get(name)
    if entry is None:
        known = ", ".join(sorted(images)) or "nothing"
        raise PlatformError(f"image '{name}' is not in the image lock (it holds {known}); build and push it first")
    missing = [key for key in ("ref", "tag", "digest") if not entry.get(key)]
    if missing:
        raise PlatformError(f"image '{name}' in the image lock lacks {', '.join(missing)}")
    return f"{entry['ref']}:{entry['tag']}@{entry['digest']}"


def runs_on(platform: Data, app: str, task: str, host: str, groups: Groups) -> bool:
    """Whether `host` of the app's group has this task: each has it, one with `once` only the first of the inventory.

    `groups` is the whole inventory whatever --limit says, and `all` the order in which hosts are changed: the task is
    done before any host runs the services that wait for it, and a limited run writes the file that a full one does.
    """
    declared = _app(platform, app)
    if not section(declared, "tasks", task).get("once"):
        return True
    members = groups.get(str(declared["group"]), ())
    return host == next((other for other in groups["all"] if other in members), None)


def app_secrets(platform: Data, app: str, host: str | None = None, groups: Groups | None = None) -> list[str]:
    """Names of the secrets that any service or task of an app uses, sorted: the files below its secrets folder.

    With `host` and `groups` those that this host needs: secrets of a task that runs elsewhere are none of its business.
    """
    tasks = section(_app(platform, app), "tasks")
    here = [name for name in tasks if host is None or runs_on(platform, app, str(name), host, groups or {})]
    parts = [*services_of(platform, app).values(), *(section(tasks, name) for name in here)]
    return sorted({str(secret) for part in parts for secret in section(part, "secrets").values()})


def app_probes(platform: Data, app: str, host: str, addresses: Addresses) -> list[dict[str, Any]]:
    """One HTTP probe for each published replica of a service that declares `health`, at the host's own address."""
    _app(platform, app)
    address = _bind_address(addresses, host) or "127.0.0.1"
    return [
        {"http": f"http://{host_port(address, port)}{service['health']}", "status": 200}
        for service in services_of(platform, app).values()
        if service.get("health")
        for port in service_ports(service)
    ]


def compose_project(
    platform: Data, app: str, host: str, groups: Groups, addresses: Addresses, images: Mapping[str, Data]
) -> dict[str, Any]:
    """The Compose file of `app` on `host`, as data.

    `images` is the image lock: `{name: {ref, tag, digest}}`. Secrets are files that Compose mounts from
    `./secrets/<secret>`; the environment names their place as `<NAME>_FILE`.
    A task that declares `before` runs to its end before those services start, at every `up`; other tasks have the
    profile `task` and run only when asked for (`docker compose run`). One that declares `once` is in the file of one
    host only (`runs_on`), and nothing waits for it on the others.
    """
    topology = Topology(platform, groups, addresses)
    declared = _app(platform, app)
    project: dict[str, Any] = {"name": app, "services": {}}
    for name, service in services_of(platform, app).items():
        project["services"][name] = {
            **_common(topology, declared, service, images),
            "restart": "unless-stopped",
            **_ports(service, _bind_address(addresses, host)),
            **_replicas(service),
        }
    services = dict(project["services"])
    for name in sorted(map(str, section(declared, "tasks"))):
        task = section(declared, "tasks", name)
        before = _before(declared, app, name)
        if name in services:
            raise PlatformError(f"app '{app}' has a service and a task named '{name}'")
        if not runs_on(platform, app, name, host, groups):
            continue
        entry = {**_common(topology, declared, task, images), "restart": "no"}
        if not before:
            entry["profiles"] = ["task"]
        for dependent in before:
            if dependent in services:  # otherwise it is switched off
                depends = services[dependent].setdefault("depends_on", {})
                depends[name] = {"condition": "service_completed_successfully"}
        project["services"][name] = entry
    secrets = app_secrets(platform, app, host, groups)
    if secrets:
        project["secrets"] = {secret: {"file": f"{SECRETS_FOLDER}/{secret}"} for secret in secrets}
    return project


def _before(app: Data, name: str, task: str) -> list[str]:
    """The services that wait for a task; PlatformError where one is none of the app's."""
    before = [str(service) for service in section(app, "tasks", task).get("before") or ()]
    for service in before:
        if service not in section(app, "services"):
            raise PlatformError(f"task '{task}' of app '{name}' is before '{service}', which is no service of it")
    return before


def _app(platform: Data, app: str) -> Data:
    apps = section(platform, "apps")
    if app not in apps:
        raise PlatformError(f"platform.apps has no app '{app}' (it has: {', '.join(sorted(apps)) or 'none'})")
    return section(apps, app)


def _common(topology: Topology, app: Data, part: Data, images: Mapping[str, Data]) -> dict[str, Any]:
    """What services and tasks share. The container can write to /tmp only, and gains no privileges."""
    entry: dict[str, Any] = {
        "image": image_reference(images, str(part["image"])),
        "init": True,
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 - the container's own, nobody else is in there
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "stop_grace_period": STOP_GRACE,
        "logging": _logging(topology.platform),
    }
    entry |= _labels(topology.platform, entry["image"])
    if part.get("command"):
        entry["command"] = [_escape(str(word)) for word in part["command"]]
    environment = _environment(topology, app, part)
    if environment:
        entry["environment"] = environment
    secrets = sorted({str(secret) for secret in section(part, "secrets").values()})
    if secrets:
        entry["secrets"] = secrets
    return entry


def _logging(platform: Data) -> dict[str, Any]:
    """Where a log shipper wants containers' lines they go to the journal, which numbers and keeps them; the labels are
    fields there."""
    sources = section(platform, "logging", "sources")
    if any(section(sources, name).get("type") == "docker" for name in sources):
        return {"driver": "journald", "options": {"labels": ",".join((*COMPOSE_LABELS, VERSION_LABEL))}}
    return {"driver": "local", "options": {"max-size": "10m", "max-file": "3"}}


def _labels(platform: Data, image: str) -> dict[str, Any]:
    """The version of what runs, for its lines: the tag of the image, with the beginning of its digest."""
    if _logging(platform)["driver"] != "journald":
        return {}
    reference, _, digest = image.partition("@")
    return {"labels": {VERSION_LABEL: f"{reference.rpartition(':')[2]}-{digest.removeprefix('sha256:')[:12]}"}}


def _environment(topology: Topology, app: Data, part: Data) -> dict[str, str]:
    values = {**section(app, "environment"), **section(part, "environment")}
    environment = {str(name): _escape(resolve(_text(value), topology)) for name, value in values.items()}
    for name, secret in section(part, "secrets").items():
        environment[f"{name}_FILE"] = f"/run/secrets/{secret}"
    return {name: environment[name] for name in sorted(environment)}


def _text(value: Any) -> str:
    """YAML scalars as an environment holds them: true and false in small letters."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _escape(text: str) -> str:
    """Compose replaces $NAME itself; a doubled dollar is a plain one."""
    return text.replace("$", "$$")


def _bind_address(addresses: Addresses, host: str) -> str:
    address = str(addresses.get(host, ""))
    return address if is_ip(address) else ""


def _ports(service: Data, address: str) -> dict[str, Any]:
    """Published at the host's own address where it is an IP, otherwise at all of them."""
    ports = service_ports(service)
    if not ports:
        return {}
    published = f"{ports[0]}-{ports[-1]}" if len(ports) > 1 else f"{ports[0]}"
    prefix = host_port(address, 0)[:-1] if address else ""
    return {"ports": [f"{prefix}{published}:{service['port']}"]}


def _replicas(service: Data) -> dict[str, Any]:
    replicas = int(service.get("replicas", 1))
    return {"deploy": {"replicas": replicas}} if replicas != 1 else {}
