# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module's options as typed values, or every mistake in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from . import spec, watch
from .spec import Objective, Scope, SpecError

LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Options:
    url: str
    timeout: float
    interval: float
    since: float
    scope: Scope
    objectives: tuple[Objective, ...]


def parse(params: Mapping[str, Any], now: float) -> Options:
    """SpecError names all mistakes, those in the objectives as well. `now`: the time that `since` is by default."""
    found = []
    since = now if params["since"] is None else params["since"]
    scope = Scope(tuple(params["hosts"]), tuple(params["baseline_hosts"]), params["label"])
    both = sorted(set(scope.hosts) & set(scope.baseline_hosts))
    if not _is_address(params["url"]):
        found.append("url must be http:// or https:// with a host, and without a user, a query or a fragment")
    if not scope.hosts:
        found.append("hosts is empty: without a changed host there is nothing to judge")
    if both:
        found.append(f"baseline_hosts: {', '.join(both)} stands in hosts, too; a host is either changed or not")
    if not LABEL.fullmatch(scope.label):
        found.append(f"label: {scope.label!r} is no name of a label, such as host")
    if since > now + watch.AHEAD:
        found.append(f"since lies {since - now:.0f} s in the future; see whether the clocks of the hosts agree")
    found += [f"{key} must be more than 0, not {params[key]:g}" for key in ("timeout", "interval") if params[key] <= 0]
    objectives: tuple[Objective, ...] = ()
    try:
        objectives = spec.parse(params["objectives"], params["window"])
    except SpecError as error:
        found += error.problems
    if params["interval"] > 0:
        found += watch.unreachable(objectives, params["interval"])
    if found:
        raise SpecError(found)
    return Options(params["url"], params["timeout"], params["interval"], since, scope, objectives)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        rest = parts.username or parts.query or parts.fragment
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not rest and parts.port != 0
    except ValueError:  # a port that is none
        return False
