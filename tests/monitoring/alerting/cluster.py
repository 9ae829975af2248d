"""Two Alertmanagers on loopback, which find each other as those of two monitoring hosts do."""

from __future__ import annotations

from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.topology import alertmanager_cluster
from tests.monitoring.alerting.alertmanager import Alertmanager

ADDRESSES = {"mon1": "127.0.0.1", "mon2": "127.0.0.2"}
TURN = 1.0  # seconds that the second waits for the first to have told
FAST = {"group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"}


def flags(platform: dict[str, Any], host: str) -> list[str]:
    """The platform's flags; both run on one machine, so neither can listen on all of its addresses."""
    found = alertmanager_cluster(platform, host, {"monitoring": list(ADDRESSES)}, ADDRESSES)
    quick = [f"--cluster.peer-timeout={TURN}s", "--cluster.settle-timeout=5s", "--cluster.gossip-interval=50ms"]
    return [flag.replace("0.0.0.0", ADDRESSES[host]) for flag in found] + quick


def settled(alertmanager: Alertmanager) -> bool:
    cluster = alertmanager.get("/api/v2/status")["cluster"]
    return cluster["status"] == "ready" and len(cluster["peers"]) == 2
