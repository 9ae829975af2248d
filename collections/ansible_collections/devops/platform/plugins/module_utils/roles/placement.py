# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which phase of a rollout concerns which host, and what applications a host runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.nodes.settings import groups_of
from ansible_collections.devops.platform.plugins.module_utils.platform import compose, paths
from ansible_collections.devops.platform.plugins.module_utils.platform.model import section, services_of

Groups = Mapping[str, Sequence[str]]


def phase_groups(platform: Mapping[str, Any], host: str, groups: Groups) -> list[str]:
    """Names of the groups `platform_<part>` that `host` belongs to, sorted.

    Playbooks address these: which inventory group a part runs on is a setting, and a play's `hosts:` knows no settings.
    """
    wanted: dict[str, list[str]] = {}
    for part in ("data", "monitoring", "logging", "edge"):
        group = section(platform, part).get("group")
        wanted[part] = [str(group)] if group else []
    for part in ("kibana", "loki"):
        group = section(platform, "logging", part).get("group") or section(platform, "logging").get("group")
        wanted[part] = [str(group)] if group and section(platform, "logging", part) else []
    wanted["docker"] = [str(group) for group in section(platform, "docker").get("groups") or ()]
    apps = section(platform, "apps")
    wanted["app"] = [str(section(apps, name).get("group")) for name in apps]
    wanted["kubernetes"] = list(groups_of(platform))
    return sorted(
        f"platform_{part}" for part, names in wanted.items() if any(host in groups.get(name, ()) for name in names)
    )


def phase_members(platform: Mapping[str, Any], groups: Groups) -> list[dict[str, Any]]:
    """`[{host, groups}]`: the groups of `phase_groups` of every host that is in any, in the order of the inventory."""
    members = ((host, phase_groups(platform, host, groups)) for host in groups["all"])
    return [{"host": host, "groups": names} for host, names in members if names]


def apps_of(platform: Mapping[str, Any], host: str, groups: Groups, only: Sequence[str] = ()) -> list[str]:
    """Names of the applications that run on `host`, sorted; of those in `only`, where that names any."""
    apps = section(platform, "apps")
    here = (str(name) for name in apps if host in groups.get(str(section(apps, name).get("group")), ()))
    return sorted(name for name in here if not only or name in only)


def app_services(platform: Mapping[str, Any], host: str, groups: Groups) -> dict[str, dict[str, int]]:
    """`{application: {service: number of containers}}` of everything that lasts on `host`."""
    return {
        app: {name: int(service.get("replicas", 1)) for name, service in services_of(platform, app).items()}
        for app in apps_of(platform, host, groups)
    }


def app_journeys(
    platform: Mapping[str, Any], journey: str, groups: Groups, only: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The applications (`only` some of them) with such a smoke test, sorted: `[{app, hosts, ...}]`.

    `hosts` are those that the application runs on. Further keys of chat: `user`, and `password`, the name of a secret;
    of http: `paths`.
    """
    found = []
    for app in sorted(str(name) for name in section(platform, "apps")):
        smoke = section(platform, "apps", app, "smoke")
        if smoke.get("journey") != journey or (only and app not in only):
            continue
        hosts = list(groups.get(str(section(platform, "apps", app).get("group")), ()))
        own: dict[str, Any]
        if journey == "chat":
            own = {"user": str(smoke.get("user", "verify")), "password": str(smoke["password"])}
        else:
            own = {"paths": [str(path) for path in smoke.get("paths") or ()]}
        found.append({"app": app, "hosts": hosts, **own})
    return found


def app_secret_names(platform: Mapping[str, Any], host: str, groups: Groups, only: Sequence[str] = ()) -> list[str]:
    """Names of all secrets that the applications on `host` (`only` some of them) use, sorted."""
    apps = apps_of(platform, host, groups, only)
    return sorted({name for app in apps for name in compose.app_secrets(platform, app, host, groups)})


def app_projects(
    platform: Mapping[str, Any],
    host: str,
    groups: Groups,
    addresses: Mapping[str, str],
    images: Mapping[str, Mapping[str, Any]],
    secrets: Mapping[str, str],
    only: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """What the role `app` rolls out on `host`: `[{name, compose, secrets, probes}]`, ordered by name.

    `images` is the image lock, `secrets` maps the names of `app_secret_names` to their values. Those that are the
    user of a password are in `shown` as well: hiding `chat` would make every line about the chat unreadable.
    """
    names = section(platform, "secrets", "names")
    users = [name for name in names if section(names, name).get("part") == "username"]
    return [
        {
            "name": app,
            "compose": compose.compose_project(platform, app, host, groups, addresses, images),
            "secrets": {name: secrets[name] for name in compose.app_secrets(platform, app, host, groups)},
            "probes": compose.app_probes(platform, app, host, addresses),
            **({"shown": users} if users else {}),
        }
        for app in apps_of(platform, host, groups, only)
    ]


def repository_path(path: str, start: str) -> str:
    """A path of platform.yml as an absolute one; `start`: any directory of the repository, such as the inventory's."""
    return str(paths.find_root(Path(start)) / path)
