"""A platform.yml with every key of its part `logging` that is about Elasticsearch."""

from __future__ import annotations

import copy
from typing import Any

import yaml

TEXT = """\
name: chat
environment: prod
hosts: {sysctl: {vm.swappiness: 1}}
logging:
  group: logging
  elasticsearch:
    version: "8.15.0"
    distribution: upstream
    port: 9200
    transport_port: 9300
    heap: auto
    directory: /var/lib/elasticsearch
    memory_lock: true
    settings: {indices.memory.index_buffer_size: 20%}
    passwords:
      superuser: es_superuser
      shipper: es_shipper
      reader: es_reader
      monitor: es_monitor
      retention: es_retention
      elastic: es_elastic
      kibana_system: es_kibana
    snapshots:
      directory: /srv/snapshots
      s3: {bucket: logs, base_path: prod, region: eu-south-1}
      at: "03:15"
      keep: 7
  retention: {default: 14d, apps: {chat: 30d, chat-admin: 90d}}
"""
GROUPS = {"all": ["app1", "log1", "log2", "log3"], "logging": ["log1", "log2", "log3"]}
ADDRESSES = {"app1": "192.0.2.1", "log1": "192.0.2.11", "log2": "192.0.2.12", "log3": "192.0.2.13"}
TLS = {"certificate": "CERTIFICATE", "key": "KEY", "authority": "AUTHORITY"}
PASSWORDS = {"superuser": "s", "shipper": "h", "reader": "r", "monitor": "m"}


def platform(**server: Any) -> dict[str, Any]:
    """With other values of platform.logging.elasticsearch; None takes a key away."""
    found: dict[str, Any] = copy.deepcopy(yaml.safe_load(TEXT))
    declared = found["logging"]["elasticsearch"]
    declared.update(server)
    found["logging"]["elasticsearch"] = {key: value for key, value in declared.items() if value is not None}
    return found
