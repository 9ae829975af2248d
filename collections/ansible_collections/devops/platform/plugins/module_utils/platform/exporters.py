"""Prometheus exporters as data: what each one is, where it runs, and the components and scrape jobs that follow.

An exporter is a component of the host whose service it watches. It speaks TLS and asks for a password, with files that
``web`` gives; what is its own (arguments, further files) is a few lines below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.roles.files import as_yaml

from . import blackbox
from .model import Addresses, Data, Groups, Topology, section

SCRAPER = "prometheus"  # the user that Prometheus is to exporters
PROBE_FILE = "probe.password"  # a file below an exporter's folder, from which its probe has the password
DIRECTORY = "/etc/{name}"


@dataclass(frozen=True)
class Web:
    """What an exporter shows to Prometheus: PEM texts, and the password with its bcrypt digest. `authority` vouches for
    the certificate."""

    certificate: str
    key: str
    password: str
    digest: str
    authority: str = ""

    @classmethod
    def of(cls, raw: Mapping[str, Any] | None) -> Web | None:
        """From what the lookup `exporter_web` gives; None where exporters show nothing."""
        return cls(**{name: str(raw[name]) for name in cls.__dataclass_fields__}) if raw else None


@dataclass(frozen=True)
class Program:
    """An exporter on one host. ``files`` are names and contents below its directory, readable by its user only."""

    arguments: list[str]
    files: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    after: list[str] = field(default_factory=list)
    root: bool = False


@dataclass(frozen=True)
class Context:
    """What a program may depend on. ``secrets`` are values by name; ``settings`` the exporter's own part."""

    platform: Data
    settings: Data
    secrets: Mapping[str, str]
    directory: str
    topology: Topology
    edge_ca: str = ""  # PEM text


@dataclass(frozen=True)
class Job:
    """A scrape job of exporters on the hosts of ``groups``; ``asked`` is how they want to be asked."""

    name: str
    groups: tuple[str, ...]
    port: int
    asked: dict[str, Any]


@dataclass(frozen=True)
class Exporter:
    """One kind. ``key`` is its name below platform.monitoring.exporters and the job's; ``name`` the artifact's, the
    component's and the user's; ``metric`` something that only this program says of itself."""

    key: str
    name: str
    port: int
    metric: str
    groups: Callable[[Data, Data], tuple[str, ...]]
    program: Callable[[Context], Program]
    wanted: Callable[[Data, Data], tuple[str, ...]] = lambda _platform, _settings: ()  # names of secrets
    listen: str = "--web.listen-address=:{port}"
    web: str = "file"  # how it is told of TLS and password: by the Prometheus project's file, by flags, or not at all
    scraped: Mapping[str, Any] = field(default_factory=dict)  # what its scrape job has besides

    @property
    def directory(self) -> str:
        return DIRECTORY.format(name=self.name)


def _group_of(part: str) -> Callable[[Data, Data], tuple[str, ...]]:
    """The group of a part of platform.yml, where it is declared."""

    def groups(platform: Data, _settings: Data) -> tuple[str, ...]:
        name = section(platform, part).get("group")
        return (str(name),) if name else ()

    return groups


def _own_groups(_platform: Data, settings: Data) -> tuple[str, ...]:
    return tuple(str(name) for name in settings.get("groups") or ())


def _password(_platform: Data, settings: Data) -> tuple[str, ...]:
    return (str(settings["password"]),) if settings.get("password") else ()


def _postgresql(context: Context) -> Program:
    """Through the socket, as the database's user of the same name: no password at all."""
    port = int(section(context.platform, "data", "postgresql").get("port", 5432))
    source = f"user=postgres_exporter host=/run/postgresql port={port} dbname=postgres sslmode=disable"
    return Program(
        ["--collector.long_running_transactions", "--collector.stat_activity_autovacuum"],
        environment={"DATA_SOURCE_NAME": source},
        after=["postgresql.service"],
    )


def _redis_secret(platform: Data, _settings: Data) -> tuple[str, ...]:
    name = section(platform, "data", "redis").get("password")
    return (str(name),) if name else ()


def _redis(context: Context) -> Program:
    redis = section(context.platform, "data", "redis")
    address = f"redis://127.0.0.1:{int(redis.get('port', 6379))}"
    name = str(redis.get("password") or "")
    if not name:
        return Program([f"--redis.addr={address}"], after=["redis-server.service"])
    return Program(
        [f"--redis.addr={address}", f"--redis.password-file={context.directory}/redis.json"],
        files={"redis.json": f'{{"{address}": "{context.secrets[name]}"}}\n'},
        secrets={"redis": context.secrets[name]},
        after=["redis-server.service"],
    )


def _mysql(context: Context) -> Program:
    lines = ["[client]", f"user={context.settings.get('user', 'mysqld_exporter')}"]
    address = str(context.settings.get("address", "127.0.0.1:3306"))
    host, _, port = address.rpartition(":")
    lines += [f"host={host}", f"port={port}"]
    secrets = {}
    if context.settings.get("password"):
        secrets["mysql"] = context.secrets[str(context.settings["password"])]
        lines.append(f'password="{secrets["mysql"]}"')
    return Program(
        [f"--config.my-cnf={context.directory}/client.cnf"], {"client.cnf": "\n".join([*lines, ""])}, secrets
    )


def _nginx(context: Context) -> Program:
    address = context.settings.get("address", "http://127.0.0.1:8081/nginx_status")
    return Program([f"--nginx.scrape-uri={address}"], after=["nginx.service"])


def _elasticsearch(context: Context) -> Program:
    arguments = [f"--es.uri={context.settings.get('address', 'http://127.0.0.1:9200')}", "--es.all", "--es.indices"]
    if not context.settings.get("password"):
        return Program(arguments)
    password = context.secrets[str(context.settings["password"])]
    user = str(context.settings.get("user", "elasticsearch_exporter"))
    return Program(
        arguments,
        files={"environment": f"ES_USERNAME={user}\nES_PASSWORD={password}\n"},
        secrets={"elasticsearch": password},
        options={"Service": {"EnvironmentFile": f"{context.directory}/environment"}},
    )


def _docker_groups(platform: Data, _settings: Data) -> tuple[str, ...]:
    return tuple(str(name) for name in section(platform, "docker").get("groups") or ())


# Kinds of metrics that nothing here asks for. Most cost a series for each processor, process or socket state; `app`
# would have it fetch, as root, whatever address a container's label names.
CADVISOR_LEAVES_OUT = (
    "advtcp", "app", "cpuLoad", "cpu_topology", "cpuset", "hugetlb", "memory_numa", "percpu", "perf_event", "process",
    "referenced_memory", "resctrl", "sched", "tcp", "udp",
)  # fmt: skip


def _cadvisor(context: Context) -> Program:
    """Reads control groups and Docker's socket as root.

    Of itself it looks every second at a busy container and every minute at an idle one, whose rates would then have too
    few samples: here at all of them as often as kubelets do. --http_auth_file closes its web page only, neither its API
    nor its metrics, and so is not used.
    """
    port = port_of(CADVISOR, context.settings)
    return Program(
        [
            f"--port={port}",
            "--docker_only=true",
            "--store_container_labels=false",
            "--whitelisted_container_labels=com.docker.compose.project,com.docker.compose.service",
            f"--disable_metrics={','.join(CADVISOR_LEAVES_OUT)}",
            "--housekeeping_interval=10s",
            "--max_housekeeping_interval=15s",
        ],
        after=["docker.service"],
        root=True,
    )


CADVISOR = Exporter(
    "cadvisor",
    "cadvisor",
    9338,
    "cadvisor_version_info",
    _docker_groups,
    _cadvisor,
    web="none",
    listen="",
    # Its samples bear their own time: without this a container that is gone stays in the graphs for five minutes,
    # beside the one in its place. Prometheus has it since 2.48.
    scraped={"track_timestamps_staleness": True},
)


def _blackbox(context: Context) -> Program:
    found = blackbox.probes(context.platform, context.topology)
    files = {"blackbox.yml": as_yaml(blackbox.config(found, context.directory))}
    if any(probe.ca for probe in found):
        files["edge.crt"] = context.edge_ca
    return Program([f"--config.file={context.directory}/blackbox.yml"], files)


CATALOGUE: tuple[Exporter, ...] = (
    Exporter(
        "postgresql", "postgres_exporter", 9187, "postgres_exporter_build_info", _group_of("data"), _postgresql
    ),
    Exporter(
        "redis", "redis_exporter", 9121, "redis_exporter_build_info", _group_of("data"), _redis, wanted=_redis_secret,
        web="flags",
    ),
    Exporter("nginx", "nginx_exporter", 9113, "nginx_exporter_build_info", _group_of("edge"), _nginx),
    CADVISOR,
    Exporter(
        "blackbox",
        "blackbox_exporter",
        blackbox.PORT,
        "blackbox_exporter_build_info",
        _group_of("monitoring"),
        _blackbox,
    ),
    Exporter("mysql", "mysqld_exporter", 9104, "mysqld_exporter_build_info", _own_groups, _mysql, wanted=_password),
    Exporter(
        "elasticsearch", "elasticsearch_exporter", 9114, "elasticsearch_exporter_build_info", _own_groups,
        _elasticsearch, wanted=_password,
    ),
)  # fmt: skip


def declared(platform: Data) -> list[tuple[Exporter, Data]]:
    """Those that platform.yml has, each with its settings, in the catalogue's order."""
    given = section(platform, "monitoring", "exporters")
    return [(kind, section(given, kind.key)) for kind in CATALOGUE if section(given, kind.key)]


def port_of(kind: Exporter, settings: Data) -> int:
    return int(settings.get("port", kind.port))


def on_host(platform: Data, host: str, groups: Groups) -> list[tuple[Exporter, Data]]:
    topology = Topology(platform, groups, {})
    return [
        (kind, given) for kind, given in declared(platform) if host in topology.hosts_of(kind.groups(platform, given))
    ]


def secret_names(platform: Data, host: str, groups: Groups) -> list[str]:
    """Names of the secrets that the exporters on ``host`` need, sorted; without the scraper's own."""
    return sorted({name for kind, given in on_host(platform, host, groups) for name in kind.wanted(platform, given)})


def exporter_components(
    platform: Data,
    host: str,
    groups: Groups,
    addresses: Addresses,
    secrets: Mapping[str, str],
    web: Mapping[str, Any] | None = None,
    edge_ca: str = "",
) -> list[dict[str, Any]]:
    """The exporters on ``host`` as components of devops.platform.component.

    ``secrets``: values of `secret_names`; ``web``: what the lookup `exporter_web` gives for the host, nothing where
    exporters neither speak TLS nor ask for a password; ``edge_ca``: PEM text of what vouches for the edge, which is
    asked from outside.
    """
    topology = Topology(platform, groups, addresses)
    found = []
    for kind, settings in on_host(platform, host, groups):
        program = kind.program(Context(platform, settings, secrets, kind.directory, topology, edge_ca))
        found.append(_component(kind, settings, program, web))
    return found


def _component(kind: Exporter, settings: Data, program: Program, web: Mapping[str, Any] | None) -> dict[str, Any]:
    port = port_of(kind, settings)
    folder = kind.directory
    web = None if kind.web == "none" else web
    shown, flags, options = web_files(kind, folder, Web.of(web))
    return {
        "name": kind.name,
        "release": {"artifact": kind.name, "version": str(settings["version"])},
        "user": kind.name,
        "directories": [{"path": folder, "group": kind.name, "mode": "0750"}],
        "files": [
            # Certificates and passwords are read anew with each request, by all but Redis' exporter.
            *_files(shown, folder, kind.name, "none" if kind.web == "file" else "restart"),
            *_files(program.files, folder, kind.name, "restart"),
            *_probe_files(Web.of(web), folder),
        ],
        "unit": {
            "description": f"Prometheus exporter for {kind.key}",
            "exec": " ".join(
                filter(None, [f"{{release}}/{kind.name}", kind.listen.format(port=port), *flags, *program.arguments])
            ),
            "user": "root" if program.root else kind.name,
            "hardening": "standard" if program.root else "strict",
            "after": program.after,
            "environment": program.environment,
            "options": {**options, **program.options},
        },
        "probe": exporter_probe(web, port, kind.metric, folder),
        "secrets": {**exporter_web_secrets(web), **program.secrets},
    }


def web_files(kind: Exporter, folder: str, web: Web | None) -> tuple[dict[str, str], list[str], dict[str, Any]]:
    """(files, arguments, settings of the unit) for TLS and the password; nothing without `web`."""
    if web is None or kind.web == "none":
        return {}, [], {}
    files = {"tls.crt": web.certificate, "tls.key": web.key}
    if kind.web == "file":
        return {**files, "web.yml": web_config(web)}, [f"--web.config.file={folder}/web.yml"], {}
    files["web.environment"] = (
        f"REDIS_EXPORTER_BASIC_AUTH_USERNAME={SCRAPER}\nREDIS_EXPORTER_BASIC_AUTH_PASSWORD={web.password}\n"
    )
    flags = [f"--tls-server-cert-file={folder}/tls.crt", f"--tls-server-key-file={folder}/tls.key"]
    return files, flags, {"Service": {"EnvironmentFile": f"{folder}/web.environment"}}


def exporter_web_files(web: Mapping[str, Any] | None, folder: str, group: str) -> list[dict[str, str]]:
    """The files for TLS and the password of an exporter with a web configuration file, below ``folder``: `web.yml`,
    `tls.crt`, `tls.key` and what its probe needs, as devops.platform.component takes them; none without ``web``."""
    given = Web.of(web)
    if given is None:
        return []
    shown = {"tls.crt": given.certificate, "tls.key": given.key, "web.yml": web_config(given)}
    return [*_files(shown, folder, group, "none"), *_probe_files(given, folder)]


def _probe_files(web: Web | None, folder: str) -> list[dict[str, str]]:
    """For the probe alone, which root asks: an exporter cannot read the password that it checks."""
    if web is None:
        return []
    return [{"path": f"{folder}/{PROBE_FILE}", "content": f"{web.password}\n", "mode": "0600", "on_change": "none"}]


def _files(contents: Mapping[str, str], folder: str, group: str, on_change: str) -> list[dict[str, str]]:
    return [
        {"path": f"{folder}/{name}", "content": contents[name], "group": group, "mode": "0640", "on_change": on_change}
        for name in sorted(contents)
    ]


def web_config(web: Web) -> str:
    """The web configuration file that exporters of the Prometheus project share. Source: exporter-toolkit's
    docs/web-configuration.md; relative paths start at the file's own directory."""
    return as_yaml(
        {
            "tls_server_config": {"cert_file": "tls.crt", "key_file": "tls.key", "min_version": "TLS12"},
            "basic_auth_users": {SCRAPER: web.digest},
        }
    )


def exporter_web_secrets(raw: Mapping[str, Any] | None) -> dict[str, str]:
    """What must not be shown of what the lookup `exporter_web` gives, as `secrets` of devops.platform.component."""
    web = Web.of(raw)
    if web is None:
        return {}
    return {"web_key": web.key, "web_password": web.password, "web_digest": web.digest}


def exporter_probe(raw: Mapping[str, Any] | None, port: int, metric: str, folder: str) -> dict[str, Any]:
    """A probe of devops.platform.component: whether an exporter answers Prometheus, and with its own metrics.
    ``folder``: where `exporter_web_files` are."""
    asked: dict[str, Any] = {"contains": metric, "timeout": 15}
    if Web.of(raw) is None:
        return {"http": f"http://127.0.0.1:{port}/metrics", **asked}
    account = {"user": SCRAPER, "password_file": f"{folder}/{PROBE_FILE}"}
    return {"http": f"https://127.0.0.1:{port}/metrics", **account, **asked}


def scrape(platform: Data) -> dict[str, Any]:
    """What Prometheus needs to ask an exporter: part of a scrape job. The paths are those of its role."""
    if not secured(platform):
        return {}
    return {
        "scheme": "https",
        # No server_name: each certificate is for the host's address as well, which is what Prometheus asks for.
        "tls_config": {"ca_file": "/etc/prometheus/exporters/ca.crt"},
        "basic_auth": {"username": SCRAPER, "password_file": "/etc/prometheus/exporters/password"},
    }


def secured(platform: Data) -> bool:
    """Whether exporters speak TLS and ask for a password: unless platform.yml says otherwise."""
    return section(platform, "monitoring").get("exporter_tls", True) is not False


def jobs(platform: Data) -> list[Job]:
    """What Prometheus asks the declared exporters."""
    found = []
    for kind, given in declared(platform):
        asked = {**kind.scraped, **({} if kind.web == "none" else scrape(platform))}
        found.append(Job(kind.key, kind.groups(platform, given), port_of(kind, given), asked))
    return found
