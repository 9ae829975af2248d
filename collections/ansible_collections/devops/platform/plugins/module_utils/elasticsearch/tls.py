# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates of nodes, read or made on the controller."""

from __future__ import annotations

from ansible_collections.devops.platform.plugins.module_utils.platform.pki import Authority, Issued
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration, Store

LOOPBACK = "127.0.0.1"  # where what runs on the node's own host asks it


def authority_of(declared: Declaration, platform: str) -> Authority:
    """An authority for nodes alone: whoever has a certificate of it may join the cluster."""
    return Authority(Store(declared.directory / "elasticsearch"), f"{platform} elasticsearch", peers=True)


def issued(authority: Authority, host: str, address: str, check: bool = False) -> Issued:
    return authority.issue(host, [*([address] if address else []), LOOPBACK], check)
