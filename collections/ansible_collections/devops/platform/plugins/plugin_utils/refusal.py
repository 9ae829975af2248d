# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A failure that speaks for itself."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail


class Refused(AnsibleActionFail):
    """A failure whose message is all there is to say: Ansible would print it twice, and then the place of the task."""

    @property
    def omit_exception_key(self) -> bool:
        return True
