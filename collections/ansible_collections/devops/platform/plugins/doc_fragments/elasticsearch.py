# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that the modules about Elasticsearch share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    description: A node, as the host that the task runs on reaches it, for example C(https://127.0.0.1:9200).
    type: str
    required: true
  user:
    description: User to ask as.
    type: str
    default: superuser
  password:
    description: Its password.
    type: str
    required: true
  authority:
    description: Certificates, in PEM, one of which vouches for the nodes.
    type: str
    required: true
  patience:
    description: Seconds to wait in all.
    type: int
    default: 600
"""
