"""The platform that rollouts are tried on: a small service behind the edge, and a gate that watches it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab import REPOSITORY, images, prerequisites
from lab.hosts import Launcher
from lab.state import State
from tests.fleet.harness.platform import lab_platform

APPS = REPOSITORY / "tests" / "fleet" / "apps"
COUNT = 'sum(rate(tick_request_seconds_bucket{le="%s"}[@window]))'
SLOW = f"{COUNT % '+Inf'} - {COUNT % '0.25'}"
OBJECTIVES = [
    {
        "name": "errors",
        "query": '(sum(rate(tick_requests_total{status="500",@hosts}[@window])) or vector(0))'
        " / sum(rate(tick_requests_total{@hosts}[@window]))",
        "comparison": "<",
        "threshold": 0.05,
    },
    # Of the whole fleet: one slow host is lost in it, half of them are not.
    {
        "name": "slow answers",
        "query": f"({SLOW}) / sum(rate(tick_request_seconds_count[@window]))",
        "comparison": "<",
        "threshold": 0.3,
    },
]


def lock(folder: Path) -> Path:
    """Build the service's images and pin them in a lock file of their own."""
    state = State()
    state.images_lock = folder / "images.lock.yml"
    with state.locked():
        launcher = Launcher(prerequisites.ensure_docker(state), state.load_settings())
        images.ensure(launcher, state, APPS)
    return state.images_lock


def platform(folder: Path, image: str, gate: bool = True, **rollout: Any) -> dict[str, Any]:
    """What is laid over the lab's platform.yml: the service in this image, and settings of ``platform.rollout``."""
    settings = {"waves": [1, 2, "50%", "100%"], "parallel": 3, "settle": 0.5, **rollout}
    watched = {"window": "15s", "interval": 2, "objectives": OBJECTIVES} if gate else None
    return {
        "data": None,
        "secrets": {"names": dict.fromkeys(lab_platform()["secrets"]["names"])},  # of what is left out
        "images": {"locks": [str(folder / "images.lock.yml")]},
        "monitoring": {"prometheus": {"scrape_interval": "2s"}, "alertmanager": None},
        "edge": {"routes": [{"path": "/", "app": "tick", "service": "web"}]},
        "apps": {
            "chat": None,
            "tick": {
                "group": "app",
                "smoke": {"journey": "http", "paths": ["/", "/greeting"]},
                "services": {
                    "web": {"image": image, "port": 8000, "health": "/readyz", "metrics": "/metrics"},
                },
            },
        },
        "rollout": {**settings, "directory": str(folder / "rollouts"), "gate": watched},
    }


def with_image(described: Mapping[str, Any], image: str) -> dict[str, Any]:
    """The same platform with the service in another image."""
    apps = described["apps"]
    web = {**apps["tick"]["services"]["web"], "image": image}
    return {**described, "apps": {**apps, "tick": {**apps["tick"], "services": {"web": web}}}}
