# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What modules that only ask have in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: none
    description: Is skipped.
  diff_mode:
    support: none
    description: Changes no host.
  platform:
    support: full
    platforms: posix
    description: Hosts with Python.
"""
