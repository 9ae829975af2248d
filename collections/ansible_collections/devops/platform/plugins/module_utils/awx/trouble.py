# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a failure of awx.awx means, and what to do about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data

from .settings import Settings

AGAIN = "What was done so far holds: run it again, and it goes on."
# What awx.awx says -> what to do. `{url}`, `{token}` and `{organization}` are of platform.awx.
MEANINGS: tuple[tuple[str, str], ...] = (
    (
        r"HTTP 401|[Ii]nvalid authentication",
        """AWX at {url} refuses the token. Make one in AWX (Users, Tokens, scope Write) and give it to the secret
        '{token}', which platform.awx.token names.""",
    ),
    (
        r"HTTP 403|don't have permission",
        """AWX at {url} forbids that to the user of the token '{token}'. Making an organisation or a credential
        type takes a system administrator, all else an administrator of the organisation '{organization}'.""",
    ),
    (
        r"network error|Unable to resolve|unknown error when trying to connect|secure connection|timed out",
        """AWX does not answer at {url} (platform.awx.url). Is the address right, is AWX up, and may this machine reach
        it? A certificate of an own CA is trusted where SSL_CERT_FILE names the CA's file.""",
    ),
    (
        r"server error",
        """AWX at {url} failed by itself; its log (the container awx-web) says why. {again}""",
    ),
    (
        r"Playbook not found for project|Project update failed",
        """AWX could not fetch the repository, or this playbook is not in it: look at the project's last job, and at
        platform.awx.project. {again}""",
    ),
    (r"", "{again}"),
)


def explained(platform: Data, result: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """One message for the failed result of a task, of one call or of a loop; no secret stands in it.

    Of a loop's results those are told that failed; all of them where none says so.
    """
    if AGAIN in str(result.get("msg")):
        return str(result["msg"])  # it has been explained already
    settings = Settings.of(platform)
    results = result.get("results") or ()
    texts = [_of_call(call) for call in [one for one in results if one.get("failed")] or results or [result]]
    meaning = next(words for pattern, words in MEANINGS if re.search(pattern, "\n".join(texts)))
    values = {"url": settings.url, "token": settings.token, "organization": settings.organization, "again": AGAIN}
    return _masked("\n".join([*texts, " ".join(meaning.format(**values).split())]), secrets)


def _of_call(call: Mapping[str, Any]) -> str:
    item = call.get("item")
    name = f"{item['name']}: " if isinstance(item, Mapping) and item.get("name") else ""
    return f"{name}{call.get('msg') or 'failed without a word'}"


def _masked(text: str, secrets: Mapping[str, str]) -> str:
    for name, value in secrets.items():
        if value:
            text = text.replace(value, f"<{name}>")
    return text
