"""Where secrets are kept, and what is declared of each: everything that can be known without asking the backend."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import (
    ANSIBLE_VAULT,
    AWS_SECRETS_MANAGER,
    AWS_SSM,
    FILES,
    VAULT,
    Declaration,
    Store,
)
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean, nearest

from .context import Check, Context, Finding

# What each backend needs: the section with its settings, the key that must be there, the library that talks to it.
NEEDS = {
    AWS_SECRETS_MANAGER: ("aws", "region", "boto3"),
    AWS_SSM: ("aws", "region", "boto3"),
    VAULT: ("vault", "address", "hvac"),
}
CALLED = {
    AWS_SECRETS_MANAGER: (re.compile(r"[A-Za-z0-9/_+=.@:-]{1,512}"), "letters, digits and /_+=.@-, or an ARN"),
    AWS_SSM: (
        re.compile(r"(/[A-Za-z0-9_.-]+)+|[A-Za-z0-9_.-]+|arn:[A-Za-z0-9:/_.-]+"),
        "/PATH/NAME of letters, digits and _.-",
    ),
    VAULT: (re.compile(r"[^/\s][^\s]*[^/\s]|[^/\s]"), "a path without / at its ends, below the engine's mount"),
    FILES: (re.compile(r"[a-z][a-z0-9_]*"), "the name of a file in platform.secrets.directory, as names are made"),
}


def settings(context: Context) -> Iterator[Finding]:
    """What the backend needs is there, and nothing is written for another one."""
    declared = context.section("secrets")
    if not declared or not context.trusted("secrets", "backend"):
        return
    backend = Declaration.of(context.platform, context.root).backend
    part, key, library = NEEDS.get(backend, ("", "", ""))
    if part and not context.section("secrets", part).get(key) and context.intact("secrets", part):
        path = ("secrets", part) if context.section("secrets", part) else ("secrets", "backend")
        yield Finding(path, f"the backend '{backend}' needs platform.secrets.{part}.{key}; write it")
    if library and find_spec(library) is None:
        text = f"'{backend}' needs the library {library} on this machine; run `make env`"
        yield Finding(("secrets", "backend"), text)
    for other in ("aws", "vault"):
        if other in declared and other != part:
            text = f"the backend is '{backend}', which does not read this; remove it, or change the backend"
            yield Finding(("secrets", other), text, at_key=True, severity="warning")
    auth = context.section("secrets", "vault", "auth")
    if auth.get("method", "token") != "token" and not auth.get("role") and context.intact("secrets", "vault"):
        text = f"signing in by {auth['method']} needs a role (with approle, the role's id); write it"
        yield Finding(("secrets", "vault", "auth"), text)


def parts(context: Context) -> Iterator[Finding]:
    """What is a part of another secret."""
    names = context.section("secrets", "names")
    if not context.trusted("secrets", "names"):
        return
    users = Declaration.of(context.platform, context.root).logins if names else {}
    for name in names:
        path = ("secrets", "names", str(name))
        own = context.section(*path)
        base, part = own.get("of"), own.get("part")
        if (base is None) != (part is None) and context.intact(*path):
            lacks = "part, which of its parts this is" if part is None else "of, the secret that this is a part of"
            yield Finding(path, f"lacks the key {lacks}; write both or none", at_key=True)
        if base is not None:
            more = sorted(key for key in own if key not in ("of", "part"))
            if base not in names:
                yield Finding((*path, "of"), f"no secret '{base}' is declared{did_you_mean(base, names)}")
            elif context.section("secrets", "names", str(base)).get("of") is not None:
                yield Finding((*path, "of"), f"'{base}' is a part of another secret itself; name that one")
            elif part == "username" and base not in users and context.intact("data"):
                yield Finding((*path, "of"), f"'{base}' is the password of no user of platform.data.postgresql.users")
            if more:
                yield Finding((*path, more[0]), "is not asked of a part of another secret; remove it", at_key=True)


def rotation(context: Context) -> Iterator[Finding]:
    """What is to be rotated is what such a rotation changes."""
    names = context.section("secrets", "names")
    if not context.trusted("secrets", "names"):
        return
    users = Declaration.of(context.platform, context.root).logins if names else {}
    for name in names:
        path = ("secrets", "names", str(name))
        own = context.section(*path)
        rotate = own.get("rotate")
        if rotate == "postgresql" and str(name) not in users and context.intact("data"):
            text = "is the password of no user of platform.data.postgresql.users, so there is nothing to rotate there"
            yield Finding((*path, "rotate"), text)
        if rotate == "redis" and context.section("data", "redis").get("password") != name and context.intact("data"):
            yield Finding((*path, "rotate"), "is not platform.data.redis.password, so there is nothing to rotate there")
        if own.get("drain") is not None and rotate is None:
            yield Finding((*path, "drain"), "is for a secret that is rotated; add rotate, or remove it", at_key=True)
        if rotate is not None and own.get("key") is not None:
            text = (
                "rotation writes whole values, so it cannot keep the other fields of a document; remove one of the two"
            )
            yield Finding((*path, "key"), text, at_key=True)


def identifiers(context: Context) -> Iterator[Finding]:
    """Names that the backend would not take."""
    declared = context.section("secrets")
    if not declared or not context.trusted("secrets", "backend") or not context.trusted("secrets", "names"):
        return
    declaration = Declaration.of(context.platform, context.root)
    if declaration.backend not in CALLED:
        return
    pattern, wanted = CALLED[declaration.backend]
    for name in declaration.names:
        path = ("secrets", "names", name)
        called = declaration.identifier(name)
        if declaration.names[name].get("of") is None and context.intact(*path) and not pattern.fullmatch(called):
            where = (*path, "id") if declaration.names[name].get("id") else path
            yield Finding(where, f"'{called}' cannot be a secret's name there: it wants {wanted}", at_key=where == path)


def values(context: Context) -> Iterator[Finding]:
    """What the lookup would stumble over in the midst of a run. Values themselves are in no message."""
    declared = context.section("secrets")
    if not declared or not context.trusted("secrets", "backend"):
        return
    declaration = Declaration.of(context.platform, context.root)
    if declaration.backend not in (FILES, ANSIBLE_VAULT):
        return  # that would be a request
    store = Store(declaration.directory)
    for name in declaration.names:
        path = ("secrets", "names", name)
        if declaration.names[name].get("of") is not None:
            continue
        variable = declaration.variable(name)
        if declaration.backend == ANSIBLE_VAULT:
            if variable not in context.inventory.variables:
                near = nearest(variable, context.inventory.variables)
                hint = f"did you mean '{near}'?" if near else "define it beside this file, encrypted with ansible-vault"
                text = f"no host has the variable {variable}; {hint}"
                yield Finding(path, text, at_key=True)
            continue
        try:
            store.read(declaration.identifier(name))
        except PlatformError as error:
            yield Finding(path, str(error), at_key=True)


CHECKS: tuple[Check, ...] = (settings, parts, rotation, identifiers, values)
