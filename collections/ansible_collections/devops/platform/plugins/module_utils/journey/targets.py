# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which declared scrape targets Prometheus does not reach, and why."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.error import URLError

from .patience import Patience


def fetch(url: str, timeout: float = 5.0) -> list[dict[str, Any]]:
    """Prometheus' active targets (`data.activeTargets` of its targets API)."""
    address = f"{url.rstrip('/')}/api/v1/targets?state=active"
    with urllib.request.urlopen(address, timeout=timeout) as answer:  # noqa: S310 - the URL is the playbook's own
        body = json.load(answer)
    targets: list[dict[str, Any]] = body["data"]["activeTargets"]
    return targets


def declared_targets(jobs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """`(job, instance, host)` of every target of Prometheus' `scrape_configs`; host is '' where no label names it."""
    for job in jobs:
        for config in job.get("static_configs") or ():
            labels = config.get("labels") or {}
            for target in config.get("targets") or ():
                yield str(job["job_name"]), str(labels.get("instance", target)), str(labels.get("host", ""))


def failures(jobs: Sequence[Mapping[str, Any]], active: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each declared target that is not up, in the order of the jobs; empty where all are."""
    known = {(target["labels"].get("job"), target["labels"].get("instance")): target for target in active}
    lines = []
    for job, instance, host in declared_targets(jobs):
        name = f"{job} on {host} ({instance})" if host else f"{job} ({instance})"
        target = known.get((job, instance))
        if target is None:
            lines.append(f"{name}: declared, but Prometheus does not know it")
        elif target.get("health") != "up":
            reason = target.get("lastError") or "not scraped yet"
            lines.append(f"{name}: {reason}")
    return lines


def wait_until_up(
    jobs: Sequence[Mapping[str, Any]],
    get: Callable[[], Sequence[Mapping[str, Any]]],
    patience: Patience,
) -> list[str]:
    """Ask until every declared target is up; returns what still fails when the time is over."""

    def look() -> list[str]:
        try:
            return failures(jobs, get())
        except (URLError, OSError, ValueError, KeyError) as error:
            return [f"Prometheus itself does not answer: {error}"]

    return patience.until_empty(look)
