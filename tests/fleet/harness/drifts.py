"""What people do to hosts when nobody looks: each with the lines of shell that do it and how it has to be reported."""

from __future__ import annotations

from dataclasses import dataclass

APP, DATA, MONITORING = "app", "data", "monitoring"
CHAT = "/etc/devops-platform/apps/chat"
PROJECT = "--label com.docker.compose.project=tools --label com.docker.compose.service"
OPT = "/opt/devops-platform"
STORE = "/var/lib/devops-platform"
OVERRIDES = "/etc/systemd/system/node_exporter.service.d"
CHAIN = "inet devops_platform input"
SAME_IMAGE = "$(docker inspect --format '{{.Image}}' tools-policy-1) >/dev/null"
COMPOSE = f"docker compose --progress quiet --project-name chat --project-directory {CHAT} --file /root/mine.yml"
JOURNAL = '{"format": 1, "component": "base_apt", "phase": "switching"}'


@dataclass(frozen=True)
class Drift:
    """`also`: (component, kind, subject) that come along with it."""

    name: str
    host: str
    shell: str
    component: str
    kind: str
    subject: str
    also: tuple[tuple[str, str, str], ...] = ()

    @property
    def expected(self) -> set[tuple[str, str, str, str]]:
        return {(self.host, *finding) for finding in ((self.component, self.kind, self.subject), *self.also)}


def _compose(*services: str) -> tuple[tuple[str, str, str], ...]:
    return tuple(("chat", "container-source", f"chat-{service}-1") for service in services)


# In this order on each host: what comes later must not heal, or be kept from happening by, what came before.
DRIFTS = (
    # Files of packages' services and of ours
    Drift(
        "a line more in a configuration",
        APP,
        "echo '# x' >>/etc/chrony/chrony.conf",
        "base_chrony",
        "content",
        "/etc/chrony/chrony.conf",
    ),
    Drift(
        "a mode",
        DATA,
        "chmod 0600 /etc/apt/apt.conf.d/99devops-platform",
        "base_apt",
        "mode",
        "/etc/apt/apt.conf.d/99devops-platform",
    ),
    Drift("an owner", MONITORING, "chown nobody /etc/timezone", "base_timezone", "owner", "/etc/timezone"),
    Drift(
        "a link led elsewhere",
        DATA,
        "ln -sfn /usr/share/zoneinfo/Europe/Berlin /etc/localtime",
        "base_timezone",
        "link",
        "/etc/localtime",
    ),
    Drift(
        "a file in place of a link",
        MONITORING,
        "rm /etc/localtime; cp /usr/share/zoneinfo/UTC /etc/localtime",
        "base_timezone",
        "link",
        "/etc/localtime",
    ),
    Drift(
        "a directory in place of a file",
        APP,
        "rm /etc/timezone; mkdir /etc/timezone",
        "base_timezone",
        "replaced",
        "/etc/timezone",
    ),
    Drift(
        "a file gone",
        MONITORING,
        "rm /etc/ssh/sshd_config.d/10-devops-platform.conf",
        "base_ssh",
        "missing",
        "/etc/ssh/sshd_config.d/10-devops-platform.conf",
    ),
    Drift(
        "a drop-in of ours gone",
        APP,
        "rm /etc/systemd/system/chrony.service.d/devops-platform.conf",
        "base_chrony",
        "missing",
        "/etc/systemd/system/chrony.service.d/devops-platform.conf",
    ),
    Drift(
        "a script not executable",
        DATA,
        "chmod 0644 /etc/devops-platform/apply-sysctl",
        "base_sysctl",
        "mode",
        "/etc/devops-platform/apply-sysctl",
    ),
    Drift(
        "content of a secret file",
        APP,
        f"echo 'not the password' >{CHAT}/secrets/chat_database",
        "chat",
        "content",
        f"{CHAT}/secrets/chat_database",
    ),
    Drift(
        "a secret that everybody can read",
        MONITORING,
        "chmod 0644 /etc/nginx/tls/edge.key",
        "edge",
        "mode",
        "/etc/nginx/tls/edge.key",
    ),
    Drift(
        "nginx.conf", MONITORING, "echo '# by hand' >>/etc/nginx/nginx.conf", "edge", "content", "/etc/nginx/nginx.conf"
    ),
    Drift(
        "a group",
        MONITORING,
        "chgrp root /etc/alertmanager/alertmanager.yml",
        "alertmanager",
        "owner",
        "/etc/alertmanager/alertmanager.yml",
    ),
    Drift(
        "a rule file gone",
        MONITORING,
        "rm /etc/prometheus/rules/platform.yml",
        "prometheus",
        "missing",
        "/etc/prometheus/rules/platform.yml",
    ),
    Drift(
        "redis.conf", DATA, "echo 'maxclients 10' >>/etc/redis/redis.conf", "redis", "content", "/etc/redis/redis.conf"
    ),
    Drift(
        "the password of exporters readable",
        MONITORING,
        "chmod 0644 /etc/prometheus/exporters/password",
        "prometheus",
        "mode",
        "/etc/prometheus/exporters/password",
    ),
    Drift("users of Redis readable", DATA, "chmod 0644 /etc/redis/users.acl", "redis", "mode", "/etc/redis/users.acl"),
    Drift(
        "pg_hba.conf owned by root",
        DATA,
        "chown root:root /etc/postgresql/17/main/pg_hba.conf",
        "postgresql",
        "owner",
        "/etc/postgresql/17/main/pg_hba.conf",
    ),
    Drift(
        "settings of PostgreSQL gone",
        DATA,
        "rm /etc/postgresql/17/main/conf.d/20-reload.conf",
        "postgresql",
        "missing",
        "/etc/postgresql/17/main/conf.d/20-reload.conf",
    ),
    Drift(
        "settings of PostgreSQL",
        DATA,
        "echo \"port = '5433'\" >>/etc/postgresql/17/main/conf.d/10-restart.conf",
        "postgresql",
        "content",
        "/etc/postgresql/17/main/conf.d/10-restart.conf",
    ),
    Drift("daemon.json", APP, "echo '{}' >/etc/docker/daemon.json", "docker", "content", "/etc/docker/daemon.json"),
    # Directories
    Drift(
        "a directory that everybody may write to",
        MONITORING,
        "chmod 0777 /etc/prometheus",
        "prometheus",
        "mode",
        "/etc/prometheus",
    ),
    Drift(
        "a directory of data with another owner",
        MONITORING,
        "chown root /var/lib/alertmanager",
        "alertmanager",
        "owner",
        "/var/lib/alertmanager",
    ),
    Drift(
        "a directory gone", DATA, "rm -r /var/lib/node_exporter", "node_exporter", "missing", "/var/lib/node_exporter"
    ),
    Drift("the directory of secrets open", APP, f"chmod 0755 {CHAT}/secrets", "chat", "mode", f"{CHAT}/secrets"),
    # What is not ours
    Drift(
        "notes",
        MONITORING,
        "echo x >/etc/devops-platform/notes.txt",
        "",
        "foreign-file",
        "/etc/devops-platform/notes.txt",
    ),
    Drift(
        "a rule of somebody's",
        MONITORING,
        "echo 'groups: []' >/etc/prometheus/rules/extra.yml",
        "prometheus",
        "foreign-file",
        "/etc/prometheus/rules/extra.yml",
    ),
    Drift(
        "a second Compose file",
        APP,
        f"echo 'services: {{}}' >{CHAT}/docker-compose.override.yml",
        "chat",
        "foreign-file",
        f"{CHAT}/docker-compose.override.yml",
    ),
    Drift(
        "a secret of somebody's",
        APP,
        f"echo hunter2 >{CHAT}/secrets/other",
        "chat",
        "foreign-file",
        f"{CHAT}/secrets/other",
    ),
    Drift(
        "an old key",
        MONITORING,
        "cp /etc/nginx/tls/edge.key /etc/nginx/tls/old.key",
        "edge",
        "foreign-file",
        "/etc/nginx/tls/old.key",
    ),
    Drift(
        "a directory of somebody's",
        MONITORING,
        "mkdir /etc/alertmanager/more; touch /etc/alertmanager/more/a.tmpl",
        "alertmanager",
        "foreign-file",
        "/etc/alertmanager/more",
    ),
    Drift(
        "a program beside our releases",
        DATA,
        f"mkdir {OPT}/mine; touch {OPT}/mine/program",
        "",
        "foreign-file",
        f"{OPT}/mine",
    ),
    Drift(
        "a timer by our name",
        MONITORING,
        "printf '[Timer]\\nOnCalendar=yearly\\n' >/etc/systemd/system/prometheus.timer",
        "prometheus",
        "foreign-unit",
        "/etc/systemd/system/prometheus.timer",
    ),
    Drift(
        "a copy of a package's unit",
        MONITORING,
        "cp /usr/lib/systemd/system/nginx.service /etc/systemd/system/nginx.service; systemctl daemon-reload",
        "edge",
        "foreign-unit",
        "/etc/systemd/system/nginx.service",
    ),
    # Releases
    Drift(
        "a program exchanged",
        MONITORING,
        f"cd {OPT}/prometheus/current; cp promtool p; echo >>p; mv p promtool",
        "prometheus",
        "release",
        "promtool",
    ),
    Drift("a program gone", MONITORING, f"rm {OPT}/alertmanager/current/amtool", "alertmanager", "release", "amtool"),
    Drift("a file among ours", APP, f"touch {OPT}/node_exporter/current/core", "node_exporter", "release", "core"),
    Drift(
        "a program not executable",
        DATA,
        f"chmod 0644 {OPT}/node_exporter/current/node_exporter",
        "node_exporter",
        "release",
        "node_exporter",
    ),
    Drift(
        "a known program led elsewhere",
        MONITORING,
        "ln -sfn /bin/true /usr/local/bin/promtool",
        "prometheus",
        "link",
        "/usr/local/bin/promtool",
    ),
    Drift(
        "a known program gone",
        MONITORING,
        "rm /usr/local/bin/amtool",
        "alertmanager",
        "missing",
        "/usr/local/bin/amtool",
    ),
    Drift(
        "another release in use",
        MONITORING,
        f"mkdir /srv/am; ln -sfn /srv/am {OPT}/alertmanager/current",
        "alertmanager",
        "link",
        f"{OPT}/alertmanager/current",
    ),
    # Users
    Drift(
        "a shell",
        MONITORING,
        "sed -i '/^prometheus:/s,[^:]*$,/bin/bash,' /etc/passwd",
        "prometheus",
        "user-changed",
        "prometheus",
    ),
    Drift(
        "a group more",
        MONITORING,
        "usermod --append --groups adm alertmanager",
        "alertmanager",
        "user-changed",
        "alertmanager",
    ),
    # Units
    Drift("a unit stopped", DATA, "systemctl stop chrony", "base_chrony", "stopped", "chrony.service"),
    Drift(
        "a unit disabled", MONITORING, "systemctl disable --quiet chrony", "base_chrony", "disabled", "chrony.service"
    ),
    Drift("a unit masked", DATA, "systemctl mask --quiet redis-server", "redis", "masked", "redis-server.service"),
    Drift(
        "a database stopped",
        DATA,
        "systemctl stop postgresql@17-main",
        "postgresql",
        "stopped",
        "postgresql@17-main.service",
    ),
    Drift(
        "an exporter stopped",
        DATA,
        "systemctl stop redis_exporter",
        "redis_exporter",
        "stopped",
        "redis_exporter.service",
    ),
    Drift(
        "a timer stopped and disabled",
        MONITORING,
        "systemctl disable --quiet --now prometheus_backup.timer",
        "prometheus_backup",
        "disabled",
        "prometheus_backup.timer",
        (("prometheus_backup", "stopped", "prometheus_backup.timer"),),
    ),
    Drift(
        "settings added to a unit",
        MONITORING,
        f"mkdir -p {OVERRIDES}; printf '[Service]\\nNice=5\\n' >{OVERRIDES}/override.conf; systemctl daemon-reload",
        "node_exporter",
        "override",
        "node_exporter.service",
    ),
    Drift(
        "settings added beside ours",
        DATA,
        "printf '[Service]\\nNice=5\\n' >/etc/systemd/system/chrony.service.d/nice.conf; systemctl daemon-reload",
        "base_chrony",
        "override",
        "chrony.service",
    ),
    Drift(
        "a limit by set-property",
        APP,
        "systemctl set-property docker.service CPUWeight=50",
        "docker",
        "override",
        "docker.service",
    ),
    Drift(
        "a unit of ours changed",
        MONITORING,
        "sed -i s/9090/9091/ /etc/systemd/system/prometheus.service",
        "prometheus",
        "content",
        "/etc/systemd/system/prometheus.service",
    ),
    Drift(
        "a unit that systemd did not read",
        DATA,
        "touch -d tomorrow /etc/systemd/system/node_exporter.service",
        "node_exporter",
        "not-reloaded",
        "node_exporter.service",
    ),
    Drift(
        "a service that failed",
        MONITORING,
        "systemctl kill --signal=SEGV nginx; sleep 1",
        "edge",
        "failed",
        "nginx.service",
    ),
    Drift(
        "a unit of ours stopped and disabled",
        APP,
        "systemctl disable --quiet --now node_exporter",
        "node_exporter",
        "disabled",
        "node_exporter.service",
        (("node_exporter", "stopped", "node_exporter.service"),),
    ),
    Drift(
        "a user gone",
        APP,
        "userdel node_exporter",
        "node_exporter",
        "user-missing",
        "node_exporter",
        (
            ("node_exporter", "owner", "/etc/node_exporter/tls.crt"),
            ("node_exporter", "owner", "/etc/node_exporter/tls.key"),
            ("node_exporter", "owner", "/etc/node_exporter/web.yml"),
            ("node_exporter", "owner", "/var/lib/node_exporter"),
        ),
    ),
    # The kernel
    Drift(
        "a way into the firewall",
        DATA,
        "nft add rule inet devops_platform input tcp dport 9999 accept",
        "base_firewall",
        "firewall",
        "table inet devops_platform / chain input",
    ),
    Drift(
        "a rule gone",
        APP,
        f"nft delete rule {CHAIN} handle $(nft --handle list chain {CHAIN} | sed -n 's/.*DHCPv6.* # handle //p')",
        "base_firewall",
        "firewall",
        "table inet devops_platform / chain input",
    ),
    Drift(
        "the firewall gone",
        MONITORING,
        "nft delete table inet devops_platform",
        "base_firewall",
        "firewall",
        "table inet devops_platform",
    ),
    Drift(
        "a setting of the network",
        APP,
        "sysctl -qw net.ipv4.conf.all.send_redirects=1",
        "base_sysctl",
        "sysctl",
        "net.ipv4.conf.all.send_redirects",
    ),
    Drift(
        "a setting of ours", DATA, "sysctl -qw net.core.somaxconn=128", "base_sysctl", "sysctl", "net.core.somaxconn"
    ),
    # Containers
    Drift(
        "another image",
        APP,
        f"""
cp {CHAT}/compose.yml /root/mine.yml
python3 - <<'END'
import re
text = open("/root/mine.yml").read()
start = text.index("  web:")
image = re.search("image: (.*chat/websocket.*)", text)[1]
text = text[:start] + re.sub("image: .*", f"image: {{image}}\\\\n    command: [sleep, '9000']", text[start:], count=1)
text = text.replace("LOG_LEVEL: info", "LOG_LEVEL: debug", 1)
text = text.replace("  websocket:\\n", "  websocket:\\n    command: [sleep, '9000']\\n")
open("/root/mine.yml", "w").write(text)
END
{COMPOSE} up --detach --no-deps web api websocket""",
        "chat",
        "container-image",
        "chat-web-1",
        (("chat", "container-command", "chat-web-1"), *_compose("web", "api", "websocket")),
    ),
    Drift("another environment", APP, "", "chat", "container-environment", "chat-api-1"),
    Drift("another command", APP, "", "chat", "container-command", "chat-websocket-1"),
    Drift(
        "a container gone", APP, "docker rm --force tools-gone-1 >/dev/null", "tools", "container-missing", "tools/gone"
    ),
    Drift(
        "a container stopped",
        APP,
        "docker stop --time 1 tools-ended-1 >/dev/null",
        "tools",
        "container-state",
        "tools-ended-1",
    ),
    Drift(
        "a restart policy",
        APP,
        "docker update --restart no tools-policy-1 >/dev/null",
        "tools",
        "container-policy",
        "tools-policy-1",
    ),
    Drift(
        "a container more",
        APP,
        f"docker run --detach --name miner {PROJECT}=miner {SAME_IMAGE}",
        "tools",
        "container-extra",
        "miner",
    ),
    Drift(
        "a replica more",
        APP,
        f"docker run --detach --name tools-policy-2 {PROJECT}=policy {SAME_IMAGE}",
        "tools",
        "container-extra",
        "tools-policy-2",
    ),
    # Packages, after those who need their programs
    Drift("a package removed", DATA, "dpkg --remove jq >/dev/null", "base", "package-missing", "jq"),
    Drift(
        "a package of a component removed",
        APP,
        "dpkg --remove --force-depends docker-compose >/dev/null 2>&1",
        "docker",
        "package-missing",
        "docker-compose",
    ),
    Drift(
        "a package at another version",
        DATA,
        "sed -i '/^Package: redis-tools$/,/^$/s/^Version: .*/Version: 9:9.9/' /var/lib/dpkg/status",
        "redis",
        "package-version",
        "redis-tools",
    ),
    # Changes that were not finished
    Drift(
        "an interrupted change",
        DATA,
        f"echo '{JOURNAL}' >{STORE}/journal/base_apt.json",
        "base_apt",
        "journal",
        "base_apt",
    ),
    Drift(
        "a ledger that cannot be read",
        DATA,
        "echo '{' >/var/lib/devops-platform/ledger/base_ssh.json",
        "base_ssh",
        "ledger",
        "base_ssh",
    ),
)
