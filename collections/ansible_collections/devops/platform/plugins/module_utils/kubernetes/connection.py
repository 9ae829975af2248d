# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way to a cluster: kubernetes.core's options, and its client's credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubernetes.core.plugins.module_utils.k8s.client import get_api_client
from ansible_collections.kubernetes.core.plugins.module_utils.k8s.exceptions import CoreException

from .api import Api
from .cluster import ApiError
from .transport import Http


def connect(parameters: Mapping[str, Any]) -> Api:
    """`parameters` are a module's; ApiError where they lead to no cluster."""
    try:
        # Not the module itself: kubernetes.core asks more of one than Ansible's own has.
        client = get_api_client(**parameters)
    except CoreException as error:
        raise ApiError("the way to the cluster", 0, "NoClient", str(error)) from error
    return Api(Http(client.client.client))
