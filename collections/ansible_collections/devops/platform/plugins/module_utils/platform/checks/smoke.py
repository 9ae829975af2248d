"""What an application's smoke test needs, beside what its journey is."""

from __future__ import annotations

from collections.abc import Iterator

from .context import Check, Context, Finding

# Journey -> the keys that it needs, and all that it knows.
NEEDS = {"chat": ("password",), "http": ("paths",)}
KNOWS = {"chat": ("user", "password"), "http": ("paths",)}


def keys(context: Context) -> Iterator[Finding]:
    """A journey without what it needs, or with a key of another one, which would look as if it were tested."""
    for app in context.section("apps"):
        smoke, path = context.section("apps", app, "smoke"), ("apps", str(app), "smoke")
        journey = smoke.get("journey")
        if journey not in NEEDS or not context.trusted(*path):
            continue
        for key in NEEDS[journey]:
            if key not in smoke:
                yield Finding(path, f"lacks the key '{key}', which journey {journey} needs", at_key=True)
        for key in smoke:
            if key not in ("journey", *KNOWS[journey]):
                yield Finding((*path, str(key)), f"is nothing that journey {journey} knows; take it out", at_key=True)


def paths(context: Context) -> Iterator[Finding]:
    """Paths that the edge sends to another application, or nowhere: the test would prove nothing of this one."""
    if not context.section("edge") or not context.trusted("edge", "routes"):
        return
    routes = [
        route
        for route in context.section("edge").get("routes") or ()
        if route and route.get("path") and route.get("app")
    ]
    for app in context.section("apps"):
        for number, asked in enumerate(context.section("apps", app, "smoke").get("paths") or ()):
            leading = [route for route in routes if str(asked or "").startswith(str(route["path"]))]
            there = max(leading, key=lambda route: len(str(route["path"])))["app"] if leading else ""
            if asked and there != app:
                text = f"the edge sends it to {there}" if there else "no route of the edge leads there"
                yield Finding(("apps", str(app), "smoke", "paths", number), f"{text}; name a path of {app}")


CHECKS: tuple[Check, ...] = (keys, paths)
