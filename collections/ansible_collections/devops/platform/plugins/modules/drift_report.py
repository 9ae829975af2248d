#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of devops.platform.drift_report; the action plugin of the same name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: drift_report
short_description: Report what M(devops.platform.drift) found on all hosts
version_added: 0.1.0
author:
  - devops.platform maintainers (@devops-platform)
description:
  - Prints a table of all differences, writes them to a file, and fails where there are any.
  - Fails as well where a host could not be examined, whatever O(fail) says.
  - Runs on the controller. Use it once a play, with C(run_once).
options:
  path:
    description: File for the report as JSON; docs/operations.md describes it.
    type: path
  fail:
    description: Whether differences make the task fail.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    description: Changes no host in any mode.
  diff_mode:
    support: none
    description: Shows digests, never contents.
  action:
    support: full
    description: Runs on the controller alone.
  platform:
    support: full
    platforms: posix
    description: The controller's.
seealso:
  - module: devops.platform.drift
"""

EXAMPLES = r"""
- name: Report
  devops.platform.drift_report:
    path: build/drift.json
  run_once: true
"""

RETURN = r"""
msg:
  description: One sentence.
  returned: always
  type: str
  sample: no drift on 5 hosts
drift:
  description: Whether anything differs.
  returned: always
  type: bool
complete:
  description: Whether all hosts could be examined.
  returned: always
  type: bool
"""
