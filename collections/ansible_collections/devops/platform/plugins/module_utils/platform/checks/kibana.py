"""What platform.logging.kibana says: is there an Elasticsearch that it could show?"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import INTEG_TEST
from ansible_collections.devops.platform.plugins.module_utils.kibana.server import USER

from .context import Check, Context, Finding

AT = ("logging", "kibana")
SERVER = ("logging", "elasticsearch")


def server(context: Context) -> Iterator[Finding]:
    """It needs one, with a user for Kibana, which only upstream's distribution can store."""
    if not context.section(*AT) or not context.trusted("logging"):
        return
    given = context.section(*SERVER)
    if not given:
        text = "shows what Elasticsearch has, and there is no platform.logging.elasticsearch; add it, or remove this"
        yield Finding(AT, text, at_key=True)
    elif given.get("distribution") == INTEG_TEST:
        text = "the distribution integ-test of Elasticsearch cannot store the user that Kibana is; take upstream's"
        yield Finding(AT, text, at_key=True)
    elif USER not in context.section(*SERVER, "passwords") and context.trusted(*SERVER, "passwords"):
        text = f"lacks the key '{USER}': the secret that is Kibana's password"
        yield Finding((*SERVER, "passwords"), text, at_key=True)


CHECKS: tuple[Check, ...] = (server,)
