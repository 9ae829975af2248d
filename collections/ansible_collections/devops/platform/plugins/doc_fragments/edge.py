# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options of modules that ask an edge as its users do."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    description: The edge, such as V(https://172.30.0.10).
    type: str
    required: true
  server_name:
    description: Name to ask for, where it is not the one in O(url).
    type: str
    default: ""
  ca_path:
    description: File with the certificates that vouch for the edge. By default those of the system.
    type: path
  timeout:
    description: Seconds for each step.
    type: int
    default: 10
notes:
  - Any host will do that reaches the edge, normally the controller.
"""
