# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`platform.awx` as typed values, with every default. Pure.

Preflight reads files with mistakes through this too: what is absent is empty, and nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, section

from .owner import Owner
from .playbooks import JOBS

EVENTS = ("started", "success", "error", "approval")
APPROVAL = 86400  # seconds that a release waits for somebody to approve it
NIGHTLY: Mapping[str, Any] = {"drift": {"job": "drift", "at": "03:17"}}
WEEKDAYS = {
    "monday": "MO",
    "tuesday": "TU",
    "wednesday": "WE",
    "thursday": "TH",
    "friday": "FR",
    "saturday": "SA",
    "sunday": "SU",
}


@dataclass(frozen=True)
class Credential:
    """``existing``: the name of one that somebody made in AWX; the others are made from secrets. ``secrets`` maps AWX's
    fields to names of secrets."""

    name: str
    kind: str
    existing: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Schedule:
    name: str
    job: str
    at: str
    weekdays: tuple[str, ...]
    timezone: str
    answers: Mapping[str, Any]
    enabled: bool

    def rrule(self) -> str:
        """As RFC 5545 and AWX's own stricter rules have it. The first day is long past and always the same."""
        start = f"DTSTART;TZID={self.timezone}:20260101T{self.at.replace(':', '')}00"
        if not self.weekdays:
            return f"{start} RRULE:FREQ=DAILY;INTERVAL=1"
        days = ",".join(short for day, short in WEEKDAYS.items() if day in self.weekdays)
        return f"{start} RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY={days}"


@dataclass(frozen=True)
class Settings:
    owner: Owner
    url: str
    token: str
    organization: str
    repository: str
    branch: str
    project_credential: str
    image: str
    pull: str
    image_credential: str
    inventory: str
    credentials: tuple[Credential, ...]
    jobs: tuple[str, ...]
    approval: int
    schedules: tuple[Schedule, ...]
    notifications: Mapping[str, tuple[str, ...]]

    @property
    def platform_file(self) -> str:
        return f"{self.inventory}/group_vars/all/platform.yml"

    def credential(self, name: str) -> Credential | None:
        return next((one for one in self.credentials if one.name == name), None)

    @classmethod
    def of(cls, platform: Data) -> Settings:
        awx = section(platform, "awx")
        project, image = section(awx, "project"), section(awx, "execution_environment")
        name, environment = str(platform.get("name") or ""), str(platform.get("environment") or "")
        return cls(
            owner=Owner(name, environment),
            url=str(awx.get("url") or "").rstrip("/"),
            token=str(awx.get("token") or ""),
            organization=str(awx.get("organization") or name),
            repository=str(project.get("url") or ""),
            branch=str(project.get("branch") or ""),
            project_credential=str(project.get("credential") or ""),
            image=str(image.get("image") or ""),
            pull=str(image.get("pull") or "missing"),
            image_credential=str(image.get("credential") or ""),
            inventory=str(awx.get("inventory") or f"inventories/{environment}"),
            credentials=tuple(credentials_of(awx)),
            jobs=_texts(awx.get("jobs")) or tuple(job.name for job in JOBS if job.usual),
            approval=int(section(awx, "approval").get("timeout") or APPROVAL),
            schedules=tuple(schedules_of(platform)),
            notifications={event: _texts(section(awx, "notifications").get(event)) for event in EVENTS},
        )


def credentials_of(awx: Data) -> Iterator[Credential]:
    declared = section(awx, "credentials")
    for name in declared:
        given = section(declared, name)
        secrets = section(given, "secrets")
        yield Credential(
            str(name),
            str(given.get("type") or ""),
            str(given.get("existing") or ""),
            section(given, "inputs"),
            {str(key): str(secrets[key]) for key in secrets if secrets[key] is not None},
        )


def schedules_of(platform: Data) -> Iterator[Schedule]:
    """Those of platform.yml; without the key, drift each night. Their time zone is the hosts', where they name none."""
    awx = section(platform, "awx")
    declared = section(awx, "schedules") if "schedules" in awx else NIGHTLY
    default = str(section(platform, "hosts").get("timezone") or "Etc/UTC")
    for name in declared:
        given = section(declared, name)
        yield Schedule(
            str(name),
            str(given.get("job") or ""),
            str(given.get("at") or ""),
            _texts(given.get("weekdays")),
            str(given.get("timezone") or default),
            section(given, "answers"),
            given.get("enabled") is not False,
        )


def secret_keys(platform: Data) -> Iterator[tuple[tuple[str, ...], str]]:
    """((key, ...), secret) of every secret that `platform.awx` names, below that key."""
    awx = section(platform, "awx")
    if awx.get("token") is not None:
        yield ("token",), str(awx["token"])
    for credential in credentials_of(awx):
        for key, secret in credential.secrets.items():
            yield ("credentials", credential.name, "secrets", key), secret


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value if item is not None) if isinstance(value, (list, tuple)) else ()
