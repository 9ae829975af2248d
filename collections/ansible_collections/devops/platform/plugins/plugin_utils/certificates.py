# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates of a part of the platform, for lookups: of an authority that vouches for that part alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.paths import root_of
from ansible_collections.devops.platform.plugins.module_utils.platform.pki import Authority
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration, Store

from .run import platform_of

LOOPBACK = "127.0.0.1"  # where what runs on the host itself asks


def certificates(
    part: str,
    hosts: Sequence[str],
    addresses: Mapping[str, str],
    variables: Mapping[str, Any],
    template: Callable[[Any], Any],
) -> list[dict[str, str]]:
    """`{certificate, key, authority}` for each host, for servers and clients, kept below `part` in the directory of
    secrets. Made where they are missing, but not in check mode; PlatformError where they cannot be."""
    platform = platform_of(variables, template)
    store = Store(Declaration.of(platform, root_of(variables)).directory / part)
    authority = Authority(store, f"{platform.get('name', '')} {part}", peers=True)
    check = bool(variables.get("ansible_check_mode"))
    issued = []
    for host in hosts:
        address = str(addresses.get(host) or "")
        issued.append(authority.issue(str(host), [*([address] if address else []), LOOPBACK], check))
    return [dataclasses.asdict(given) for given in issued]
