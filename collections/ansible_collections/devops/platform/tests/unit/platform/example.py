"""A right platform.yml with its inventory and locks, and the means to break it in one place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.devops.platform.plugins.module_utils.platform import preflight
from ansible_collections.devops.platform.plugins.module_utils.platform.checks.context import Inventory

TEXT = """\
platform:
  name: chat
  environment: lab
  hosts:
    timezone: Etc/UTC
    ntp_servers: [ntp.example]
    packages: [curl]
    upgrades: security
    ssh: {allow_users: [admin]}
    sysctl: {net.core.somaxconn: 4096}
    admin_networks: [192.0.2.1/32]
  artifacts:
    locks: [artifacts.lock.yml]
    sources: ["http://mirror:8080/artifacts"]
  images:
    locks: [images.lock.yml]
  docker:
    groups: [app]
    repository: distribution
    daemon: {live-restore: true, metrics-addr: 0.0.0.0:9323, log-opts: {max-file: "3"}}
  data:
    group: data
    postgresql:
      port: 5432
      databases: {chat: {owner: chat}}
      users: {chat: {password: chat_database}}
      clients: [app]
    redis:
      password: chat_redis
      clients: [app]
      maxmemory: 128mb
  monitoring:
    group: monitoring
    node_exporter: {version: "1.9.0", port: 9100}
    prometheus: {version: "2.53.3", port: 9090, scrape_interval: 15s, retention_size: 5GB}
    alertmanager: {version: "0.28.1", port: 9093}
    targets:
      database: {port: 9187, groups: [data]}
  edge:
    group: edge
    server_name: chat.example
    tls: {certificate: edge.crt, key: edge.key}
    routes:
      - {path: /, app: chat, service: web}
      - {path: /api, app: chat, service: api}
      - {path: /ws, app: chat, service: websocket, websocket: true}
  apps:
    chat:
      group: app
      environment:
        LOG_LEVEL: info
        DATABASE_HOST: "@address(data)"
        DATABASE_PORT: "@port(postgresql)"
      services:
        web: {image: chat-web, port: 3000, health: /healthz}
        api:
          image: chat-api
          port: 5000
          health: /readyz
          metrics: /metrics
          replicas: 1
          secrets: {DATABASE_PASSWORD: chat_database}
        websocket:
          image: chat-websocket
          port: 5001
          environment: {REDIS: "@address(data):@port(redis)"}
          secrets: {REDIS_PASSWORD: chat_redis}
      tasks:
        migrate:
          image: chat-api
          command: [chat-migrate]
          before: [api, websocket]
          secrets: {DATABASE_PASSWORD: chat_database}
      smoke: {journey: chat, user: verify, password: chat_redis}
  secrets:
    backend: generated
    directory: secrets
    names:
      chat_database: {length: 32}
      chat_redis:
"""

# What may stand before `edge`: an objective of either kind.
SLOS = """\
  slos:
    - name: answers
      objective: 99.9
      window: 14d
      sli:
        errors: sum(rate(http_requests_total{status=~"5.."}[@window]))
        total: sum(rate(http_requests_total[@window]))
      team: web
    - name: latency
      objective: 95
      window: 7d
      sli: {histogram: http_request_duration_seconds, matchers: 'app="chat"', threshold: 0.25}
      team: web
      runbook: slow
"""

# What may stand before `edge` as well: logs of every kind, for servers of somebody else.
LOGGING = """\
  logging:
    shipper: {backend: rsyslog, spool: 512MB}
    sources:
      chat: {type: docker, groups: [app], apps: [chat], parser: json}
      system: {type: journal, units: [ssh.service]}
      own:
        {type: file, groups: [app], path: /var/log/own.log, parser: own, multiline: java, app: own, service: a,
         version: v}
    parsers:
      own:
        type: regex
        regex: '^(?<at>[^ ]+) (?<size>[0-9]+) (?<text>.*)$'
        fields: {size: integer}
        rename: {text: message}
        empty: "-"
        time: {field: at, format: rfc3339}
    enrich: {team: web}
    redact: {badge: {before: "badge ", secret: "[0-9]+", after: ';', mask: none}, cards: false}
    outputs:
      elasticsearch: {urls: ["https://logs.example:9200"], user: shipper, password: log_shipper}
      loki: {type: loki, urls: ["http://loki.example:3100"], labels: [app]}
"""
LOGGING_SECRET = ("      chat_redis:\n", "      chat_redis:\n      log_shipper:\n")

GROUPS = {
    "all": ["edge1", "app1", "app2", "data1", "mon1"],
    "ungrouped": [],
    "edge": ["edge1"],
    "app": ["app1", "app2"],
    "data": ["data1"],
    "monitoring": ["mon1"],
}
ADDRESSES = {
    "edge1": "192.0.2.10",
    "data1": "192.0.2.20",
    "mon1": "192.0.2.30",
    "app1": "192.0.2.101",
    "app2": "192.0.2.102",
}
INVENTORY = Inventory(name="inventory", groups=GROUPS, addresses=ADDRESSES, users=dict.fromkeys(ADDRESSES, "admin"))

DIGEST = "0123456789abcdef" * 4
ARTIFACTS: dict[str, Any] = {
    "format": 1,
    "artifacts": {
        name: {version: {"url": "https://up", "path": "p", "sha256": {"amd64": DIGEST}, "binaries": [name]}}
        for name, version in (("node_exporter", "1.9.0"), ("prometheus", "2.53.3"), ("alertmanager", "0.28.1"))
    },
}
IMAGES: dict[str, Any] = {
    "images": {
        name: {"ref": f"mirror:5000/{name}", "tag": "1.0.0-abc", "digest": f"sha256:{DIGEST}"}
        for name in ("chat-web", "chat-api", "chat-websocket")
    }
}


def data(*edits: tuple[str, str]) -> dict[str, Any]:
    """The value of the key `platform`."""
    platform: dict[str, Any] = yaml.safe_load(edited(*edits))["platform"]
    return platform


def edited(*edits: tuple[str, str]) -> str:
    text = TEXT
    for old, new in edits:
        assert text.count(old) >= 1, f"the example has no {old!r}"
        text = text.replace(old, new, 1)
    return text


def write(root: Path, text: str = TEXT, artifacts: Any = ARTIFACTS, images: Any = IMAGES) -> Path:
    """platform.yml with all that it names, below `root`. A lock that is None is not written."""
    (root / "ansible.cfg").write_text("", encoding="utf-8")
    for name in ("edge.crt", "edge.key"):
        (root / name).write_text("", encoding="utf-8")
    for name, lock in (("artifacts.lock.yml", artifacts), ("images.lock.yml", images)):
        if lock is not None:
            content = lock if isinstance(lock, str) else yaml.safe_dump(lock, sort_keys=False)
            (root / name).write_text(content, encoding="utf-8")
    path = root / "platform.yml"
    path.write_text(text, encoding="utf-8")
    return path


def report(root: Path, text: str = TEXT, *, artifacts: Any = ARTIFACTS, images: Any = IMAGES, **inventory: Any) -> Any:
    """preflight's report; `inventory` replaces what INVENTORY says."""
    path = write(root, text, artifacts, images)
    return preflight.check(path, replace(INVENTORY, **inventory), root, lambda found: found.name)


def problems(root: Path, *edits: tuple[str, str], **more: Any) -> list[str]:
    return [str(problem) for problem in report(root, edited(*edits), **more).problems]
