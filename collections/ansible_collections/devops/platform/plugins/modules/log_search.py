# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of logs, across hosts, for people."""

from __future__ import annotations

DOCUMENTATION = r"""
module: log_search
short_description: Find lines of logs across hosts
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Asks Elasticsearch for the newest lines that a query finds, and gives them in the order of their time, the newest
    last.
  - Lines that Elasticsearch refused are found as well, with the reason behind them.
  - What a terminal would take for an order is shown as C(\x1b) and the like.
options:
  url:
    description: A node, as the host that the task runs on reaches it, for example C(https://127.0.0.1:9200).
    type: str
    required: true
  user:
    description: User to ask as. It needs to read, and nothing else.
    type: str
    default: reader
  password:
    description: Its password.
    type: str
    required: true
  authority:
    description: Certificates, in PEM, one of which vouches for the nodes.
    type: str
    required: true
  indexes:
    description: Where to look, by the names of indexes, with V(*).
    type: str
    required: true
  query:
    description:
      - What to look for. Words and C("phrases") are looked for in the text of lines, upper and lower case alike, and
        all of them must be there. C(field:value) looks in a field, C(field:*) finds lines that have it.
      - C(AND), C(OR), C(NOT) (or C(-) in front) and brackets combine them; a C(*) may stand at the end of a word.
        Numbers and times also take C(status:>=500) and C(status:[500 TO 599]).
      - An application's own fields are below C(fields), as in C(fields.order:4711).
      - Empty finds every line.
    type: str
    default: ""
  since:
    description: How far back from now, such as V(15m), V(2h) or V(3d).
    type: str
    default: 15m
  app:
    description: Only lines of this application.
    type: str
    default: ""
  host:
    description: Only lines of this host.
    type: str
    default: ""
  limit:
    description: How many lines at most; the newest ones are taken. 1 to 10000.
    type: int
    default: 200
attributes:
  check_mode:
    support: full
    description: Does the same, as it changes nothing.
  diff_mode:
    support: none
    description: Changes nothing.
  platform:
    support: full
    platforms: posix
    description: Hosts with Python.
seealso:
  - module: devops.platform.log_arrival
"""

EXAMPLES = r"""
- name: Look at what failed in the last hour
  devops.platform.log_search:
    url: https://127.0.0.1:9200
    password: "{{ lookup('devops.platform.secret', platform.logging.elasticsearch.passwords.reader) }}"
    authority: "{{ lookup('devops.platform.certificate', inventory_hostname, part='elasticsearch').authority }}"
    indexes: logs-lab-*
    query: level:error OR status:>=500
    since: 1h
"""

RETURN = r"""
lines:
  description: The lines, the newest last.
  returned: always
  type: list
  elements: str
  sample: ["2026-01-31 12:00:00.123  app1  chat/api  error  no answer of the database"]
total:
  description: How many lines there are in all.
  returned: always
  type: int
  sample: 1
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import search
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import ElasticsearchError
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.options import ARGUMENTS, client_of
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.query import QueryError
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import READER


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **{name: ARGUMENTS[name] for name in ("url", "password", "authority")},
            "user": {"type": "str", "default": READER},
            "indexes": {"type": "str", "required": True},
            "query": {"type": "str", "default": ""},
            "since": {"type": "str", "default": "15m"},
            "app": {"type": "str", "default": ""},
            "host": {"type": "str", "default": ""},
            "limit": {"type": "int", "default": 200},
        },
        supports_check_mode=True,
    )
    asked = ("indexes", "query", "since", "app", "host", "limit")
    wanted = search.Wanted(**{name: module.params[name] for name in asked})
    try:
        found = search.search(client_of(module.params), wanted)
    except QueryError as error:
        module.fail_json(msg=f"Nothing was looked for. query: {error}")
    except ValueError as error:
        module.fail_json(msg=f"Nothing was looked for. {error}")
    except ElasticsearchError as error:
        module.fail_json(msg=f"Nothing was found out: {error}")
    module.exit_json(changed=False, lines=list(found.lines), total=found.total)


if __name__ == "__main__":
    main()
