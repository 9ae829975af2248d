# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Receivers of alerts as AWX's notification templates. `{secret: NAME}` stands for a secret. Pure.

Which settings AWX wants, and of which type, say its backends below awx/main/notifications.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, section

SUBMISSION_PORT = 465  # TLS from the first byte on, instead of STARTTLS
# AWX fills them in: what ran, how it ended, and where to read on.
TEXT = "{{ job_friendly_name }} #{{ job.id }} '{{ job.name }}' {{ job.status }}: {{ url }}"


def templates(receiver: Data) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, what the module notification_template takes of it) for each way in which a receiver is told."""
    makers = (("slack", _slack), ("email", _email), ("sms", _sms), ("webhook", _webhook))
    for kind, make in makers:
        given = section(receiver, kind)
        if given:
            yield kind, make(given)


def _slack(given: Data) -> dict[str, Any]:
    """AWX's own kind `slack` wants a bot's token; an incoming webhook is a webhook with Slack's body."""
    channel = {"channel": str(given["channel"])} if given.get("channel") else {}
    body = json.dumps({**channel, "text": TEXT})
    return {
        "notification_type": "webhook",
        "notification_configuration": _web({"secret": str(given["webhook"])}),
        "messages": {event: {"body": body} for event in ("started", "success", "error")},
    }


def _email(given: Data) -> dict[str, Any]:
    host, _, port = str(given["smarthost"]).rpartition(":")
    tls = given.get("tls") is not False
    return {
        "notification_type": "email",
        "notification_configuration": {
            "host": host,
            "port": int(port),
            "username": str(given.get("user") or ""),
            "password": {"secret": str(given["password"])} if given.get("password") else "",
            "use_tls": tls and int(port) != SUBMISSION_PORT,
            "use_ssl": tls and int(port) == SUBMISSION_PORT,
            "sender": str(given["from"]),
            "recipients": [str(address) for address in given["to"]],
            "timeout": 30,
        },
    }


def _sms(given: Data) -> dict[str, Any]:
    keys = {key: {"secret": str(given[key])} if given.get(key) else "" for key in ("access_key", "secret_key")}
    return {
        "notification_type": "awssns",
        "notification_configuration": {
            "aws_region": str(given["region"]),
            "aws_access_key_id": keys["access_key"],
            "aws_secret_access_key": keys["secret_key"],
            "aws_session_token": "",
            "sns_topic_arn": str(given.get("topic") or ""),
        },
    }


def _webhook(given: Data) -> dict[str, Any]:
    url: Any = {"secret": str(given["url_secret"])} if given.get("url_secret") else str(given.get("url"))
    configuration = _web(url)
    if given.get("user"):
        configuration.update(username=str(given["user"]), password={"secret": str(given["password"])})
    return {"notification_type": "webhook", "notification_configuration": configuration}


def _web(url: Any) -> dict[str, Any]:
    return {
        "url": url,
        "http_method": "POST",
        "headers": {},
        "disable_ssl_verification": False,
        "username": "",
        "password": "",
    }


def unsuited(receiver: Data) -> Iterator[tuple[tuple[str, str], str]]:
    """((kind, key), why) of what Alertmanager can do and AWX cannot."""
    sms = section(receiver, "sms")
    if sms.get("phone"):
        yield ("sms", "phone"), "AWX sends to topics of SNS only; give a topic"
    for key, why in (("role", "AWX takes no role for SNS; give access_key and secret_key"), ("endpoint", AWS_ONLY)):
        if sms.get(key):
            yield ("sms", key), why
    if section(receiver, "webhook").get("bearer"):
        yield ("webhook", "bearer"), "AWX would show the token to all who see the notification; use user and password"


AWS_ONLY = "AWX knows AWS's own SNS only"


def shown(receiver: Data) -> Iterator[tuple[str, str]]:
    """(kind, key) of secrets that AWX shows to whoever may see the notification: it encrypts no addresses."""
    if section(receiver, "slack").get("webhook"):
        yield "slack", "webhook"
    if section(receiver, "webhook").get("url_secret"):
        yield "webhook", "url_secret"


def used(notifications: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Names of the receivers that AWX tells of anything, each once."""
    return sorted({name for names in notifications.values() for name in names})
