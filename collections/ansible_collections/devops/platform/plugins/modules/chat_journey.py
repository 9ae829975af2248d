# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The chat as its users have it, through the edge."""

from __future__ import annotations

DOCUMENTATION = r"""
module: chat_journey
short_description: Prove that a chat works from one user to another
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Opens pages through the edge, signs in, connects two WebSocket clients, sends a message by one and waits for it at
    the other.
  - Leaves one message in the chat, and at the first time a user and a room.
  - Is skipped in check mode.
requirements:
  - websocket-client
options:
  pages:
    description: Paths that must answer 200.
    type: list
    elements: str
    default: [/]
  user:
    description: Name to sign in with. The user is made where there is none.
    type: str
    required: true
  password:
    description: The user's password.
    type: str
    required: true
  path:
    description: Path of the Socket.IO service.
    type: str
    default: /ws/socket.io
  room:
    description: Room to talk in.
    type: str
    default: verify
  attempts:
    description:
      - With more than 1, the second client must be connected to another host than the first, and this many connections
        may be made to find one. The edge has to name hosts in the header C(X-Served-By).
    type: int
    default: 1
extends_documentation_fragment: [devops.platform.edge, devops.platform.asking]
"""

EXAMPLES = r"""
- name: Send a message from one application host to the other
  devops.platform.chat_journey:
    url: https://172.30.0.10
    server_name: chat.lab
    ca_path: lab/.state/pki/ca.crt
    user: verify
    password: "{{ lookup('devops.platform.secret', 'chat_verify') }}"
    attempts: 8
  delegate_to: localhost
"""

RETURN = r"""
client_id:
  description: Mark of the message, which the database must hold now.
  returned: success
  type: str
  sample: verify-1b9d6bcd
sender:
  description: Host that the sending client was connected to; empty where the edge does not say.
  returned: success
  type: str
  sample: app1
receiver:
  description: Host that the receiving client was connected to.
  returned: success
  type: str
  sample: app2
seconds:
  description: How long the message took.
  returned: success
  type: float
  sample: 0.012
"""

import dataclasses
import traceback
import uuid

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.devops.platform.plugins.module_utils.journey import account, chat, edge

try:
    import websocket  # noqa: F401

    WEBSOCKET_ERROR = None
except ImportError:
    WEBSOCKET_ERROR = traceback.format_exc()


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **edge.OPTIONS,
            "pages": {"type": "list", "elements": "str", "default": ["/"]},
            "user": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "path": {"type": "str", "default": "/ws/socket.io"},
            "room": {"type": "str", "default": "verify"},
            "attempts": {"type": "int", "default": 1},
        },
    )
    if WEBSOCKET_ERROR:
        module.fail_json(msg=missing_required_lib("websocket-client"), exception=WEBSOCKET_ERROR)
    options = module.params
    target = edge.of(options)
    client_id = f"verify-{uuid.uuid4().hex}"
    try:
        for page in options["pages"]:
            edge.expect_ok(target, page)
        session = account.enter(target, account.Account(options["user"], options["password"]))
        account.become_member(session, options["room"])
        connect = chat.connector(target, options["path"], session.cookie)
        delivery = chat.converse(connect, options["room"], "Does it work?", client_id, options["attempts"])
    except edge.JourneyError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, client_id=client_id, **dataclasses.asdict(delivery))


if __name__ == "__main__":
    main()
