# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node of Elasticsearch as a component: its configuration, users, roles, heap and unit. Pure, on the controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    Addresses,
    Data,
    Groups,
    PlatformError,
    Topology,
    host_port,
    section,
)
from ansible_collections.devops.platform.plugins.module_utils.roles.files import as_yaml

from .settings import (
    BUILTIN_USERS,
    FILE_USERS,
    INTEG_TEST,
    RETENTION_USER,
    Settings,
    mebibytes,
    nodes_of,
    settings_of,
)

NAME = "elasticsearch"
CONFIG = "/etc/elasticsearch"
LOGS = "/var/log/elasticsearch"
# Debian's link to whatever Java the release has: 17 in Debian 12, 21 in Debian 13.
JAVA_HOME = "/usr/lib/jvm/default-java"
# Beyond that the JVM needs 64 bits for each reference, and a larger heap holds less.
HEAP_MOST = 31 * 1024
HEAP_LEAST = 256
HEAP_ROUND = 64
MAP_COUNT = 262144  # what Elasticsearch asks of vm.max_map_count before it starts
JVM_OPTIONS = """\
# Managed by devops.platform. The heap is in jvm.options.d.
-XX:+UseG1GC
-Djava.io.tmpdir=${{ES_TMPDIR}}
20-:--add-modules=jdk.incubator.vector
-XX:+HeapDumpOnOutOfMemoryError
-XX:+ExitOnOutOfMemoryError
-XX:HeapDumpPath={logs}
-XX:ErrorFile={logs}/hs_err_pid%p.log
-Xlog:gc*,gc+age=trace,safepoint:file={logs}/gc.log:utctime,level,pid,tags:filecount=8,filesize=16m
"""
# To the journal, as all other services do: one place to look at, and one that the shipper reads.
LOG4J = """\
# Managed by devops.platform.
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%-5p][%-25c{1.}] [%node_name]%marker %m%consoleException%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""
READ = ("read", "view_index_metadata")
# To look at everything in Kibana, and to change nothing there.
KIBANA_READ = {"application": "kibana-.kibana", "privileges": ["read"], "resources": ["*"]}


def heap(setting: str, memory: int) -> int:
    """MiB of heap: what is set, or half of `memory` (MiB of the host), at most 31 GiB. The other half is the kernel's,
    which caches files of the indexes in it."""
    if setting != "auto":
        return mebibytes(setting)
    found = min(memory // 2 // HEAP_ROUND * HEAP_ROUND, HEAP_MOST)
    if found < HEAP_LEAST:
        raise PlatformError(
            f"half of the host's {memory} MiB of memory is no heap that Elasticsearch could work with; give it "
            f"{2 * HEAP_LEAST} MiB or more, or set platform.logging.elasticsearch.heap"
        )
    return found


def node_config(settings: Settings, host: str, address: str, first: bool) -> dict[str, Any]:
    """elasticsearch.yml. `first`: this node founds the cluster where there is none.

    The other nodes are in a file of their own, which Elasticsearch reads as it changes: a cluster grows without any
    restart. One founder, not all nodes: a cluster is then made once, whichever nodes reach each other at that time.
    """
    everywhere = "::" if ":" in address else "0.0.0.0"  # noqa: S104 - firewalled
    config: dict[str, Any] = {
        "cluster.name": settings.cluster,
        "node.name": host,
        "path.data": settings.directory,
        "path.logs": LOGS,
        "network.bind_host": everywhere,
        "network.publish_host": address,
        "http.port": settings.port,
        "transport.port": settings.transport_port,
        "discovery.seed_providers": "file",
        **({"cluster.initial_master_nodes": [host]} if first else {}),
        "bootstrap.memory_lock": settings.memory_lock,
        # A typing error in the name of an index must not make one, and a '*' must not delete all.
        "action.destructive_requires_name": True,
        "action.auto_create_index": f"+{settings.prefix}*,+.*,-*",
        "xpack.security.enabled": True,
        "xpack.security.autoconfiguration.enabled": False,
        "xpack.security.enrollment.enabled": False,
        "xpack.security.authc.realms.file.file1.order": 0,
        "xpack.security.authc.realms.native.native1.order": 1,
    }
    for layer in ("transport", "http"):
        config |= {
            f"xpack.security.{layer}.ssl.enabled": True,
            f"xpack.security.{layer}.ssl.certificate": "tls.crt",
            f"xpack.security.{layer}.ssl.key": "tls.key",
            f"xpack.security.{layer}.ssl.certificate_authorities": ["ca.crt"],
            f"xpack.security.{layer}.ssl.supported_protocols": ["TLSv1.3", "TLSv1.2"],
        }
    config["xpack.security.transport.ssl.verification_mode"] = "full"
    if settings.snapshots and settings.snapshots.directory:
        config["path.repo"] = [settings.snapshots.directory]
    return {**config, **settings.settings}


def seed_hosts(settings: Settings, hosts: list[str], addresses: Mapping[str, str]) -> str:
    """unicast_hosts.txt: where nodes find each other."""
    return "".join(f"{host_port(addresses[host], settings.transport_port)}\n" for host in hosts)


def roles(settings: Settings) -> dict[str, Any]:
    """roles.yml: each may do what it is there for, and nothing else."""
    logs = [f"{settings.prefix}*"]
    return {
        # Appends, and makes the index of the day. It cannot read back what anybody wrote, nor change or remove it.
        FILE_USERS["shipper"]: {
            "cluster": ["cluster:monitor/health"],
            "indices": [{"names": logs, "privileges": ["create_doc", "auto_configure"]}],
        },
        FILE_USERS["reader"]: {
            "cluster": ["cluster:monitor/main"],
            "indices": [{"names": [*logs, f"restored-{settings.prefix}*"], "privileges": list(READ)}],
            **({"applications": [KIBANA_READ]} if settings.kibana else {}),
        },
        FILE_USERS["monitor"]: {
            "cluster": ["monitor"],
            "indices": [{"names": ["*"], "privileges": ["monitor"], "allow_restricted_indices": True}],
        },
        FILE_USERS["retention"]: {
            "cluster": ["monitor", "cluster:admin/snapshot/*", "cluster:admin/repository/get"],
            "indices": [{"names": logs, "privileges": ["delete_index", "monitor", "view_index_metadata"]}],
        },
    }


def users(passwords: Mapping[str, str]) -> dict[str, str]:
    """{user: bcrypt digest} of the file realm, of those users that have a password."""
    from ansible_collections.devops.platform.plugins.module_utils.platform.scraping import (
        digest,
    )  # bcrypt: not on hosts

    return {user: digest(passwords[user], f"elasticsearch {user}", "2a") for user in FILE_USERS if user in passwords}


def users_file(digests: Mapping[str, str]) -> str:
    return "".join(f"{user}:{digests[user]}\n" for user in sorted(digests))


def users_roles_file(names: list[str]) -> str:
    """users_roles: a line a role, with its users."""
    return "".join(f"{FILE_USERS[user]}:{user}\n" for user in sorted(names))


def elasticsearch_sysctl(platform: Data, host: str, groups: Groups) -> dict[str, int]:
    """Kernel settings that a node of Elasticsearch needs on `host`; empty where there is none."""
    if not section(platform, "logging", "elasticsearch") or host not in nodes_of(platform, groups):
        return {}
    return {"vm.max_map_count": MAP_COUNT} if settings_of(platform).maps_memory else {}


def elasticsearch_secrets(platform: Data) -> dict[str, str]:
    """{user: name of the secret that is its password}, sorted.

    The retention program's user where that runs, and Elasticsearch's own where it can store them: the distribution for
    tests lacks what that needs.
    """
    settings = settings_of(platform)
    known = set(FILE_USERS) if settings.own_retention else {*FILE_USERS, *BUILTIN_USERS} - {RETENTION_USER}
    return {user: settings.passwords[user] for user in sorted(settings.passwords) if user in known}


def elasticsearch_component(
    platform: Data,
    host: str,
    groups: Groups,
    addresses: Addresses,
    passwords: Mapping[str, str],
    tls: Mapping[str, str],
    memory: int = 0,
) -> dict[str, Any]:
    """The node on `host` as a component of devops.platform.component.

    `passwords`: {user: password} of `elasticsearch_secrets`; `tls`: what the lookup `certificate` gives;
    `memory`: MiB of the host, needed where the heap is `auto`.
    """
    settings = settings_of(platform)
    topology = Topology(platform, groups, addresses)
    hosts = nodes_of(platform, groups)
    digests = users(passwords)
    config = node_config(settings, host, topology.address(host), host == hosts[0])
    size = heap(settings.heap, memory)
    # Elasticsearch looks at these every few seconds by itself.
    reread = {
        "unicast_hosts.txt": seed_hosts(settings, hosts, {name: topology.address(name) for name in hosts}),
        "roles.yml": as_yaml(roles(settings)),
        "users": users_file(digests),
        "users_roles": users_roles_file(list(digests)),
        "ca.crt": tls["authority"],
        "tls.crt": tls["certificate"],
        "tls.key": tls["key"],
    }
    started = {
        "elasticsearch.yml": f"# Managed by devops.platform.\n{as_yaml(config)}",
        "jvm.options": JVM_OPTIONS.format(logs=LOGS),
        "jvm.options.d/heap.options": f"# Managed by devops.platform.\n-Xms{size}m\n-Xmx{size}m\n",
        "log4j2.properties": LOG4J,
    }
    secrets = {f"digest_{user}": value for user, value in digests.items()}
    return {
        "name": NAME,
        "release": {"artifact": NAME, "version": settings.version},
        "packages": java_packages(settings),
        "user": NAME,
        "directories": _directories(settings),
        "files": [*_files(reread, "none"), *_files(started, "restart")],
        "unit": _unit(settings),
        # Who says nothing of himself is refused: it answers, over TLS, and security is on. What it knows of the others
        # is asked by devops.platform.elasticsearch_node, which has a password.
        "probe": {
            "http": f"https://127.0.0.1:{settings.port}/_cluster/health",
            "status": 401,
            "contains": "security_exception",
            "timeout": 180,
        },
        "secrets": {**secrets, "tls_key": tls["key"]},
    }


def java_packages(settings: Settings) -> list[str]:
    """Upstream's archive brings its own Java, the one for tests none."""
    return ["default-jre-headless"] if settings.distribution == INTEG_TEST else []


def _files(contents: Mapping[str, str], on_change: str) -> list[dict[str, Any]]:
    return [
        {"path": f"{CONFIG}/{name}", "content": contents[name], "group": NAME, "mode": "0640", "on_change": on_change}
        for name in sorted(contents)
    ]


def _directories(settings: Settings) -> list[dict[str, Any]]:
    own = {"owner": NAME, "group": NAME, "mode": "0750", "data": True}
    # It makes its keystore beside its configuration, at its first start: there it must be allowed to write.
    found: list[dict[str, Any]] = [
        {"path": CONFIG, "group": NAME, "mode": "0770", "data": True},
        {"path": f"{CONFIG}/jvm.options.d", "group": NAME, "mode": "0750"},
        {"path": settings.directory, **own},
        {"path": LOGS, **own},
    ]
    if settings.snapshots and settings.snapshots.directory:
        found.append({"path": settings.snapshots.directory, **own})
    return found


def _unit(settings: Settings) -> dict[str, Any]:
    repository = [settings.snapshots.directory] if settings.snapshots and settings.snapshots.directory else []
    environment = {"ES_PATH_CONF": CONFIG, "ES_TMPDIR": "/tmp"}  # noqa: S108 - of the unit alone
    if settings.distribution == INTEG_TEST:
        environment["ES_JAVA_HOME"] = JAVA_HOME
    return {
        "description": f"Elasticsearch, cluster {settings.cluster}",
        "exec": "{release}/bin/elasticsearch",
        "after": ["network-online.target"],
        "user": NAME,
        "environment": environment,
        "hardening": "strict",
        "writable": [CONFIG, settings.directory, LOGS, *repository],
        "options": {
            "Service": {
                "MemoryDenyWriteExecute": "no",  # the JVM writes the code that it runs
                "LimitNOFILE": 65535,
                "LimitNPROC": 4096,
                "LimitAS": "infinity",
                "LimitFSIZE": "infinity",
                **({"LimitMEMLOCK": "infinity"} if settings.memory_lock else {}),
                "KillMode": "mixed",
                "TimeoutStopSec": 180,  # it writes down what it has in memory
                "SuccessExitStatus": 143,
            }
        },
    }
