# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""alertmanager.yml as data: the tree of routes, what is silent beside what, and when. Pure.

The tree is first by severity, then by the routes of platform.yml in their order, so that `amtool config routes show`
reads like the file:

    severity high ─► routes for high ─► default
    severity medium ─► ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data
from ansible_collections.devops.platform.plugins.module_utils.roles.files import as_yaml

from .quiet import seconds, spans
from .receivers import receiver, secret_keys, with_secrets
from .settings import SEVERITIES, Route, Settings

FOLDER = "/etc/alertmanager"
NOBODY = "nobody"  # a receiver without any way to tell somebody: its alerts are shown in Alertmanager's pages only
WATCHDOG = 'alertname="Watchdog"'
NONE = 'severity="none"'
# An alert whose severity is missing or misspelt is treated like a high one: it must not get lost.
MATCHERS = {
    "high": 'severity!~"medium|low|none"',
    "medium": 'severity="medium"',
    "low": 'severity="low"',
}
# One message for a thing that is wrong with an application, on however many hosts; else one for each host.
BY_HOST = ("alertname", "team", "host")
BY_APP = ("alertname", "team", "app")
OF_AN_APP = 'app!=""'
# What makes two alerts of a family be about the same thing. A label that both lack counts as the same.
SAME_THING = (
    *("family", "job", "host", "instance", "app", "service", "kind", "mountpoint", "device", "target", "cluster"),
    *("namespace", "pod", "name", "integration", "slo"),
)
HOST_DOWN = ('alertname=~"HostDown|InstanceDown|TargetDown"', 'job="node"', 'host!=""')


def alertmanager_config(platform: Data, folder: str = FOLDER) -> dict[str, Any]:
    """Alertmanager's configuration, as its file has it but for secrets: `{secret: NAME}` stands for those that it
    reads from no file. `folder` is where it and its files are."""
    settings = Settings.of(platform)
    return {
        "templates": ["templates/*.tmpl"],
        "route": root(settings),
        "inhibit_rules": inhibit_rules(),
        "time_intervals": [{"name": quiet.name, "time_intervals": spans(quiet)} for quiet in settings.quiet],
        "receivers": [
            {"name": NOBODY},
            *(receiver(name, kinds, f"{folder}/secrets") for name, kinds in settings.receivers.items()),
        ],
    }


def alertmanager_text(config: Data, secrets: Mapping[str, str]) -> str:
    """The text of alertmanager.yml, with the value in place of each `{secret: NAME}`."""
    return as_yaml(with_secrets(config, secrets))


def alertmanager_secrets(platform: Data) -> list[str]:
    """Names of the secrets that receivers use, sorted."""
    return sorted({secret for _path, secret in secret_keys(Settings.of(platform).receivers)})


def alertmanager_secret_files(config: Data, secrets: Mapping[str, str], folder: str = FOLDER) -> dict[str, str]:
    """Those of `secrets` that `config` names as files below `folder`/secrets."""
    named = set(_texts(config))
    return {name: secrets[name] for name in sorted(secrets) if f"{folder}/secrets/{name}" in named}


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, (list, tuple)):
        for item in data:
            yield from _texts(item)
    elif isinstance(data, str):
        yield data


def root(settings: Settings) -> dict[str, Any]:
    """The root of the tree. Every alert leaves it for one of its children."""
    return {
        "receiver": settings.default[0] if settings.default else NOBODY,
        "group_by": list(settings.group_by or BY_HOST),
        **settings.timing["high"],
        "routes": [
            _watchdog(settings),
            {"matchers": [NONE], "receiver": NOBODY},
            *(_severity(settings, severity) for severity in SEVERITIES),
        ],
    }


def _watchdog(settings: Settings) -> dict[str, Any]:
    """The dead man's switch: told again at every interval, and missed by whoever waits for it when nothing comes.

    Alertmanager looks every group_interval whether repeat_interval has passed; were they the same, it would find that
    the last message is a moment too young, and tell every other time only.
    """
    if not settings.watchdog:
        return {"matchers": [WATCHDOG], "receiver": NOBODY}
    return {
        "matchers": [WATCHDOG],
        "receiver": settings.watchdog,
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": settings.watchdog_interval,
        "repeat_interval": f"{max(1, int(seconds(settings.watchdog_interval) * 500))}ms",  # half of it
    }


def _severity(settings: Settings, severity: str) -> dict[str, Any]:
    routes = [route for route in settings.routes if severity in route.severities]
    if settings.default and not any(route.takes_all(severity) for route in routes):
        routes.append(Route((severity,), (), settings.default, {}))
    return {
        "matchers": [MATCHERS[severity]],
        **settings.timing[severity],
        "routes": [_route(settings, route, severity) for route in routes],
    }


def _route(settings: Settings, route: Route, severity: str) -> dict[str, Any]:
    """A route for one severity. Several receivers are children, of which all but the last let the alert go on."""
    muted = settings.muted_by(severity)
    node: dict[str, Any] = {}
    if route.teams:
        node["matchers"] = [_team(route.teams)]
    node.update(route.timing)
    if route.goes_on:
        node["continue"] = True
    told = [_told(settings, name, muted) for name in route.receivers]
    if len(told) == 1:
        return {**node, **told[0]}
    return {**node, "routes": [*({**each, "continue": True} for each in told[:-1]), *told[-1:]]}


def _told(settings: Settings, name: str, muted: Sequence[str]) -> dict[str, Any]:
    """A receiver with its quiet hours, which Alertmanager does not hand down to children."""
    quiet = {"mute_time_intervals": list(muted)} if muted else {}
    node: dict[str, Any] = {"receiver": name, **quiet}
    if not settings.group_by:
        node["routes"] = [{"matchers": [OF_AN_APP], "group_by": list(BY_APP), **quiet}]
    return node


def _team(teams: Sequence[str]) -> str:
    return f'team="{teams[0]}"' if len(teams) == 1 else f'team=~"{"|".join(teams)}"'


def inhibit_rules() -> list[dict[str, Any]]:
    """What is silent while something else fires: all of a host that is down, and of a family the lesser severities.

    An alert that could silence is never silenced by its like: a host that is down is told.
    """
    lesser = (("high", "medium|low"), ("medium", "low"))
    return [
        {"source_matchers": list(HOST_DOWN), "target_matchers": ['host!=""'], "equal": ["host"]},
        *(
            {
                "source_matchers": [f'severity="{severity}"'],
                "target_matchers": [f'severity=~"{below}"', 'family!=""'],
                "equal": list(SAME_THING),
            }
            for severity, below in lesser
        ),
    ]
