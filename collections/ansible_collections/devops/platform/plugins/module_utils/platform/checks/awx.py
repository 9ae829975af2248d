"""What platform.awx says: can AWX do it, and would a job find there what it finds on any other controller?"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from ansible_collections.devops.platform.plugins.module_utils.awx import credentials, notifications, surveys
from ansible_collections.devops.platform.plugins.module_utils.awx.playbooks import BY_NAME, questions
from ansible_collections.devops.platform.plugins.module_utils.awx.settings import (
    Credential,
    Settings,
    credentials_of,
    schedules_of,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import KeyPath
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean
from ansible_collections.devops.platform.plugins.module_utils.rollout.settings import settings_of as rollout_of

from .context import Check, Context, Finding

AT: KeyPath = ("awx",)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def address(context: Context) -> Iterator[Finding]:
    """A token that anybody on the way could read."""
    parts = urlsplit(str(context.section("awx").get("url") or "https:"))
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        yield Finding((*AT, "url"), "the token would cross the network as it is; AWX's address begins with https://")


def lasting(context: Context) -> Iterator[Finding]:
    """AWX runs each job in a new container: what a job leaves in its repository is gone with it."""
    if not context.section("awx"):
        return
    secrets = context.section("secrets")
    backend_known = context.trusted("secrets", "backend") and context.trusted("secrets", "directory")
    if secrets.get("backend") == "generated" and backend_known and not _absolute(secrets.get("directory")):
        text = (
            "jobs in AWX would make each secret anew, since their directory goes with their container; use the backend "
            "'variables', or an absolute directory that AWX shows its jobs (docs/awx.md)"
        )
        yield Finding(("secrets", "backend"), text)
    if context.trusted("rollout", "directory") and not _absolute(rollout_of(context.platform).directory):
        text = (
            "jobs in AWX would forget each rollout, since its journal goes with their container, and nothing could be "
            "resumed or rolled back; give an absolute rollout.directory that AWX shows its jobs (docs/awx.md)"
        )
        named = "directory" in context.section("rollout")
        yield Finding(("rollout", "directory") if named else AT, text, at_key=not named)


def _absolute(path: object) -> bool:
    return path is not None and PurePosixPath(str(path)).is_absolute()


def inventory(context: Context) -> Iterator[Finding]:
    """A directory in which AWX would find no platform.yml."""
    if not context.section("awx") or not context.trusted(*AT, "inventory"):
        return
    file = Settings.of(context.platform).platform_file
    if not (context.root / file).is_file():
        named = "inventory" in context.section("awx")
        text = f"no such file {file}, which AWX's jobs read; say where the inventory is: inventory: DIRECTORY"
        yield Finding((*AT, "inventory") if named else AT, text, at_key=not named)


def fields(context: Context) -> Iterator[Finding]:
    """Credentials with fields that their type lacks, or with secrets in the clear."""
    for credential in credentials_of(context.section("awx")):
        path = (*AT, "credentials", credential.name)
        if not context.intact(*path):
            continue
        if credential.existing:
            for key in ("inputs", "secrets"):
                if key in context.section(*map(str, path)):
                    text = "is of a credential that is in AWX already, and left as it is; remove this, or 'existing'"
                    yield Finding((*path, key), text, at_key=True)
        elif not credential.kind:
            yield Finding(path, "lacks the key 'type', or 'existing': the name of one in AWX", at_key=True)
        else:
            yield from _fields(path, credential)


def _fields(path: KeyPath, credential: Credential) -> Iterator[Finding]:
    kind = credentials.KINDS[credential.kind]
    for where, given in (("inputs", credential.inputs), ("secrets", credential.secrets)):
        for key in given:
            if key not in kind.fields:
                text = f"type {credential.kind} has no field '{key}'{did_you_mean(key, kind.fields)}"
                yield Finding((*path, where, str(key)), text, at_key=True)
            elif where == "inputs" and kind.fields[key]:
                yield Finding((*path, where, str(key)), f"is a secret; name one: secrets: {{{key}: NAME}}", at_key=True)
            elif where == "secrets" and key in credential.inputs:
                yield Finding((*path, where, key), "has a value in inputs already; remove one of them", at_key=True)
    for key in kind.required:
        if key not in credential.inputs and key not in credential.secrets:
            where = "secrets" if kind.fields[key] else "inputs"
            yield Finding(path, f"type {credential.kind} lacks its field '{key}'; add it to {where}", at_key=True)


def kinds(context: Context) -> Iterator[Finding]:
    """AWX gives a job one credential of a type, but for vault passwords with different ids."""
    first: dict[tuple[str, object], str] = {}
    for credential in credentials_of(context.section("awx")):
        if not credential.kind or not credentials.KINDS[credential.kind].jobs:
            continue
        path = (*AT, "credentials", credential.name)
        key = (credential.kind, credential.inputs.get("vault_id") if credential.kind == "vault" else None)
        other = first.setdefault(key, credential.name)
        if other != credential.name:
            line = context.line((*AT, "credentials", other))
            text = (
                f"a job takes one credential of type {credential.kind}, and '{other}' (line {line}) is one; remove one"
            )
            hint = ", or give them different vault_id" if credential.kind == "vault" else ""
            yield Finding(path, text + hint, at_key=True)
        if credential.kind == "secrets" and context.section("secrets").get("backend") not in (None, "variables"):
            text = "gives jobs the secrets as variables, which are read with the backend 'variables' only"
            yield Finding((*path, "type"), text)


def references(context: Context) -> Iterator[Finding]:
    """Credentials that the project and the image name."""
    settings = Settings.of(context.platform)
    if not context.trusted(*AT, "credentials"):
        return
    for part, name, kind in (
        ("project", settings.project_credential, "scm"),
        ("execution_environment", settings.image_credential, "registry"),
    ):
        found = settings.credential(name)
        path = (*AT, part, "credential")
        if name and found is None:
            known = [one.name for one in settings.credentials]
            yield Finding(path, f"there is no credential '{name}'{did_you_mean(name, known)}")
        elif found is not None and found.kind != kind:
            which = f"is of type {found.kind}" if found.kind else f"does not say that it is; add type: {kind} to it"
            yield Finding(path, f"takes one of type {kind}, and '{name}' {which}")


def schedules(context: Context) -> Iterator[Finding]:
    """Jobs that are not there, answers to what nobody asks, and time zones."""
    zones = zoneinfo.available_timezones()
    jobs = Settings.of(context.platform).jobs
    declared = context.section("awx", "schedules")
    for schedule in schedules_of(context.platform):
        path = (*AT, "schedules", schedule.name)
        if schedule.name not in declared:  # the usual ones, where none are declared
            continue
        if schedule.job not in jobs:
            if schedule.job and context.trusted(*AT, "jobs"):
                text = (
                    f"there is no job template '{schedule.job}' (platform.awx.jobs){did_you_mean(schedule.job, jobs)}"
                )
                yield Finding((*path, "job"), text)
            continue
        if "timezone" in context.section(*map(str, path)) and zones and schedule.timezone not in zones:
            text = f"there is no time zone '{schedule.timezone}'{did_you_mean(schedule.timezone, zones)}"
            yield Finding((*path, "timezone"), text)
        asked = questions(BY_NAME[schedule.job])
        for name, problem in surveys.problems(asked, schedule.answers):
            yield Finding((*path, "answers", name), problem, at_key=True)
        for variable in asked:
            if variable.required and variable.name not in schedule.answers:
                text = f"the survey of {schedule.job} wants an answer to '{variable.name}'; add it to answers"
                yield Finding(path, text, at_key=True)


def receivers(context: Context) -> Iterator[Finding]:
    """Receivers that are not there, and what AWX cannot do with one, or shows."""
    known = context.section("monitoring", "alerting", "receivers")
    if not context.trusted("monitoring", "alerting", "receivers"):
        return
    told: set[str] = set()
    for event in context.section("awx", "notifications"):
        for number, name in context.items("awx", "notifications", str(event)):
            path = (*AT, "notifications", str(event), number)
            if name not in known:
                yield Finding(path, f"there is no receiver '{name}'{did_you_mean(name, known)}")
                continue
            if name in told:
                continue
            told.add(name)
            given = context.section("monitoring", "alerting", "receivers", name)
            for (kind, key), why in notifications.unsuited(given):
                line = context.line(("monitoring", "alerting", "receivers", name, kind, key))
                yield Finding(path, f"{why} ({kind}.{key} of '{name}', line {line}), or tell somebody else")
            for kind, key in notifications.shown(given):
                text = f"AWX shows {kind}.{key} of '{name}' to all who may see the notification: it encrypts no address"
                yield Finding(path, text, severity="warning")


CHECKS: tuple[Check, ...] = (address, lasting, inventory, fields, kinds, references, schedules, receivers)
