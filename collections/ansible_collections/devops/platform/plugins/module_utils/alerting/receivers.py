# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Receivers of platform.yml as Alertmanager's. No secret stands in them: a file's path does, or a mark. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, PlatformError, section

# Kind -> the keys that name a secret. Of these, Alertmanager reads no file: their values stand in its configuration.
SECRETS: Mapping[str, tuple[str, ...]] = {
    "slack": ("webhook",),
    "email": ("password",),
    "sms": ("access_key", "secret_key"),
    "webhook": ("url_secret", "bearer", "password"),
}
INLINE = "sms"


def secret_keys(receivers: Mapping[str, Data]) -> Iterator[tuple[tuple[str, str, str], str]]:
    """((receiver, kind, key), secret) of every secret that receivers name."""
    for name in receivers:
        for kind, keys in SECRETS.items():
            given = section(receivers, name, kind)
            for key in keys:
                if given.get(key) is not None:
                    yield (str(name), kind, key), str(given[key])


def receiver(name: str, kinds: Data, folder: str) -> dict[str, Any]:
    """One of Alertmanager's `receivers`; `folder` is where the files of secrets are."""
    makers = (
        ("slack", "slack_configs", _slack),
        ("email", "email_configs", _email),
        ("sms", "sns_configs", _sms),
        ("webhook", "webhook_configs", _webhook),
    )
    made: dict[str, Any] = {"name": name}
    for kind, key, make in makers:
        given = section(kinds, kind)
        if given:
            made[key] = [{"send_resolved": bool(given.get("resolved", True)), **make(given, folder)}]
    return made


def _slack(given: Data, folder: str) -> dict[str, Any]:
    channel = {"channel": str(given["channel"])} if given.get("channel") else {}
    return {
        "api_url_file": f"{folder}/{given['webhook']}",
        **channel,
        "color": '{{ template "platform.slack.color" . }}',
        "title": '{{ template "platform.subject" . }}',
        "title_link": "{{ .ExternalURL }}",
        "fallback": '{{ template "platform.subject" . }}',
        "text": '{{ template "platform.slack.text" . }}',
        "mrkdwn_in": ["text"],
    }


def _email(given: Data, folder: str) -> dict[str, Any]:
    login = {}
    if given.get("user"):
        login = {"auth_username": str(given["user"]), "auth_password_file": f"{folder}/{given['password']}"}
    return {
        "to": ", ".join(str(address) for address in given["to"]),
        "from": str(given["from"]),
        "smarthost": str(given["smarthost"]),
        "require_tls": bool(given.get("tls", True)),
        **login,
        "headers": {"Subject": '{{ template "platform.subject" . }}'},
        "html": '{{ template "platform.email.html" . }}',
        "text": '{{ template "platform.email.text" . }}',
    }


def _sms(given: Data, _folder: str) -> dict[str, Any]:
    signing: dict[str, Any] = {"region": str(given["region"])}
    if given.get("role"):
        signing["role_arn"] = str(given["role"])
    for key in SECRETS[INLINE]:
        if given.get(key):
            signing[key] = {"secret": str(given[key])}
    target = {"topic_arn": str(given["topic"])} if given.get("topic") else {"phone_number": str(given["phone"])}
    endpoint = {"api_url": str(given["endpoint"])} if given.get("endpoint") else {}
    return {
        **endpoint,
        "sigv4": signing,
        **target,
        "subject": '{{ template "platform.sms.subject" . }}',
        "message": '{{ template "platform.sms" . }}',
    }


def _webhook(given: Data, folder: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if given.get("url_secret"):
        made["url_file"] = f"{folder}/{given['url_secret']}"
    else:
        made["url"] = str(given["url"])
    if given.get("bearer"):
        made["http_config"] = {"authorization": {"type": "Bearer", "credentials_file": f"{folder}/{given['bearer']}"}}
    elif given.get("user"):
        login = {"username": str(given["user"]), "password_file": f"{folder}/{given['password']}"}
        made["http_config"] = {"basic_auth": login}
    return made


def with_secrets(config: Any, secrets: Mapping[str, str]) -> Any:
    """`config` with the value in place of each mark `{secret: NAME}`. PlatformError for a name that has none."""
    if isinstance(config, Mapping):
        if set(config) == {"secret"}:
            name = str(config["secret"])
            if name not in secrets:
                raise PlatformError(f"the configuration names the secret '{name}', which was not given")
            return str(secrets[name])
        return {str(key): with_secrets(value, secrets) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [with_secrets(item, secrets) for item in config]
    return config
