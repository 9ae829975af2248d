# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has a running Redis read its file of users."""

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_users
short_description: Have a running Redis read its file of users
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Does C(ACL LOAD), so that passwords change without a restart. Connections that are open stay open.
  - Changes nothing, and says so, where Redis knows these users already.
  - In check mode Redis is asked whether it lets this in, and told nothing.
options:
  host:
    description: Where Redis answers, as the host that the task runs on reaches it.
    type: str
    default: 127.0.0.1
  port:
    description: Its port.
    type: int
    default: 6379
  passwords:
    description: Passwords of the user C(default) of which one at least is valid.
    type: list
    elements: str
    required: true
  timeout:
    description: Seconds to wait for an answer.
    type: int
    default: 10
attributes:
  check_mode:
    description: Can run in check mode and say what would change.
    support: partial
    details: Whether the file differs from what Redis knows is not known before it is read.
"""

EXAMPLES = r"""
- name: Have Redis read its file of users
  devops.platform.redis_users:
    passwords: ["{{ lookup('devops.platform.secret', 'chat_redis') }}"]
"""

RETURN = r"""
changed:
  description: Whether Redis' users are others than before.
  returned: always
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.secrets.redis_users import RedisError, load


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str", "default": "127.0.0.1"},
            "port": {"type": "int", "default": 6379},
            "passwords": {"type": "list", "elements": "str", "required": True, "no_log": True},
            "timeout": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        changed = load(given["host"], given["port"], given["passwords"], given["timeout"], check=module.check_mode)
    except RedisError as error:
        module.fail_json(msg=f"Redis did not read its file of users: {error}; the server's log says more")
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
