"""Texts that stand for something else: templates (refused), placeholders, names of variables, files and secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import (
    PlatformError,
    Topology,
    endpoint_names,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.paths import made_by
from ansible_collections.devops.platform.plugins.module_utils.platform.placeholders import (
    FUNCTIONS,
    SERVERS,
    placeholders,
    resolve,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import KeyPath, Opaque, Raw
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

from .context import Check, Context, Finding
from .names import parts

TEMPLATE = ("{{", "{%", "{#")


def texts(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """(path, text) of every text in data."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from texts(item, (*path, number))
    elif isinstance(value, str) and not isinstance(value, Opaque):
        yield path, value


def templates(data: Any) -> Iterator[Finding]:
    """Jinja in platform.yml; `data` is the whole document, for this check comes before all others."""
    for path, text in texts(data):
        mark = next((mark for mark in TEMPLATE if mark in text), None)
        if mark and not isinstance(text, Raw):
            yield Finding(
                path,
                f"holds '{mark}', but platform.yml is plain data without templates; write the value itself (in an "
                f"environment also @address(GROUP) and the like), or !unsafe before it where braces are meant",
            )


def encrypted(data: Any, path: KeyPath = ()) -> Iterator[Finding]:
    """`!vault` where the name of a secret belongs: the value would be taken for a name, and shown in messages."""
    if isinstance(data, dict):
        for key, item in data.items():
            yield from encrypted(item, (*path, key))
    elif (
        isinstance(data, Opaque)
        and (
            path[-1:] in (("password",), ("secret_key",), ("bearer",), ("token",))  # empty where it is the whole file
            or path[-2:-1] == ("secrets",)
            or path[:3] == ("platform", "monitoring", "alerting")
        )
    ):
        text = (
            "is an encrypted value; write the name of a secret, declare that below platform.secrets.names, and with "
            "backend 'ansible_vault' keep the value in the variable vault_NAME"
        )
        yield Finding(path, text)


def environments(context: Context) -> Iterator[KeyPath]:
    for app in context.section("apps"):
        yield ("apps", str(app), "environment")
    for _app, _kind, _name, path in parts(context):
        yield (*path, "environment")


def environment_values(context: Context) -> Iterator[Finding]:
    topology = Topology(context.platform, context.inventory.groups, context.inventory.addresses)
    for path in environments(context):
        for name, value in context.section(*map(str, path)).items():
            for placeholder in placeholders(str(value)):
                text = _placeholder(context, topology, placeholder.function, placeholder.argument, placeholder.text)
                if text:
                    yield Finding((*path, str(name)), text)


def _placeholder(context: Context, topology: Topology, function: str, argument: str, text: str) -> str:
    """What is wrong with it, or nothing."""
    if function not in FUNCTIONS:
        return f"{text}: unknown placeholder{did_you_mean(f'@{function}', [f'@{name}' for name in FUNCTIONS])}"
    if function == "port":
        if argument not in SERVERS:
            return f"{text}: no such server{did_you_mean(argument, SERVERS)}"
        if not context.section("data", argument) and context.trusted("data", argument) and context.trusted("data"):
            return f"{text}: there is no platform.data.{argument} to ask for its port"
        return ""
    if function in ("endpoint", "endpoint_port"):
        names = endpoint_names(context.inventory.addresses)
        missing = f"{text}: the inventory has no endpoint '{argument}'{did_you_mean(argument, names)}"
        return "" if argument in names else missing
    return _group(context, topology, argument, text)


def _group(context: Context, topology: Topology, argument: str, text: str) -> str:
    known = context.inventory.known_groups
    if not known:
        return ""  # one message about the inventory says it all
    if argument not in context.inventory.groups:
        return f"{text}: the inventory has no group '{argument}'{did_you_mean(argument, known)}"
    try:
        resolve(text, topology)
    except PlatformError as error:
        return str(error)
    return ""


def stray_placeholders(context: Context) -> Iterator[Finding]:
    """Placeholders where nothing resolves them would reach the hosts as they stand."""
    for path, text in texts(context.platform):
        if path[-2:-1] != ("environment",):
            for placeholder in placeholders(text):
                if placeholder.function in FUNCTIONS:
                    yield Finding(
                        path, f"{placeholder.text} is understood in an environment only; write the value here"
                    )


def environment_names(context: Context) -> Iterator[Finding]:
    """A variable that a secret gives too."""
    told: set[KeyPath] = set()
    for app, kind, name, path in parts(context):
        secrets = context.section("apps", app, kind, name, "secrets")
        for where in (("apps", app, "environment"), (*path, "environment")):
            for variable in context.section(*map(str, where)):
                secret = variable if variable in secrets else variable[: -len("_FILE")]
                place = (*where, str(variable))
                if secret in secrets and variable in (secret, f"{secret}_FILE") and place not in told:
                    told.add(place)
                    line = context.line((*path, "secrets", secret))
                    text = (
                        f"the secret {secret} (line {line}) gives it to {name} already, as a file; remove one of them"
                    )
                    yield Finding(place, text, at_key=True)


def files(context: Context) -> Iterator[Finding]:
    for name in ("certificate", "key", "ca"):
        path = context.section("edge", "tls").get(name)
        if path is None:
            continue
        full = context.root / str(path)
        if not full.is_file():
            yield Finding(("edge", "tls", name), f"no such file {path}: {made_by(str(path))}")
        elif not os.access(full, os.R_OK):
            yield Finding(("edge", "tls", name), f"{path} cannot be read by the user who runs Ansible")


CHECKS: tuple[Check, ...] = (environment_values, stray_placeholders, environment_names, files)
