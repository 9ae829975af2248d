"""What platform.logging.loki says, and what of a line becomes its label: can one Loki carry that?"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import seconds
from ansible_collections.devops.platform.plugins.module_utils.loki.settings import LABELS, LEAST_RETENTION, size
from ansible_collections.devops.platform.plugins.module_utils.platform.positions import KeyPath
from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

from .context import Check, Context, Finding

AT = ("logging", "loki")
RETENTION = ("logging", "retention")


def place(context: Context) -> Iterator[Finding]:
    """Its files are on one host: a second one would hold other lines."""
    given = context.section(*AT)
    if not given or not context.trusted(*AT) or not context.trusted("logging"):
        return
    key = (*AT, "group") if given.get("group") else ("logging", "group")
    group = given.get("group") or context.section("logging").get("group")
    if not group:
        text = "lacks the key 'group', and platform.logging has none either: name a group of one host"
        yield Finding(AT, text, at_key=True)
        return
    hosts = context.inventory.groups.get(str(group), ())
    if len(hosts) > 1:
        text = (
            f"'{group}' has {len(hosts)} hosts, and Loki keeps its lines on one; name a group of one host as loki.group"
        )
        yield Finding(key, text)


def retention(context: Context) -> Iterator[Finding]:
    """Loki removes what is a day old at the earliest."""
    if not context.section(*AT):
        return
    places: list[tuple[KeyPath, object]] = [((*AT, "retention"), context.section(*AT).get("retention"))]
    if places[0][1] is None:
        apps = context.section(*RETENTION, "apps")
        places = [((*RETENTION, "default"), context.section(*RETENTION).get("default"))]
        places += [((*RETENTION, "apps", str(app)), apps[app]) for app in apps]
    for path, given in places:
        if given is not None and seconds(str(given)) < LEAST_RETENTION:
            yield Finding(path, "Loki keeps lines for a day at least; write 24h or more")


def limits(context: Context) -> Iterator[Finding]:
    path = (*AT, "limits")
    given = context.section(*path)
    if given.get("rate") is not None and given.get("burst") is not None and size(given["burst"]) < size(given["rate"]):
        yield Finding((*path, "burst"), f"is less than the rate {given['rate']}, which could then never be reached")


def labels(context: Context) -> Iterator[Finding]:
    """A label makes a stream of each of its values, and each stream has an index and memory of its own."""
    known = (*LABELS, *map(str, context.section("logging", "enrich")))
    for name in context.section("logging", "outputs"):
        for number, label in context.items("logging", "outputs", str(name), "labels"):
            if label not in known:
                text = (
                    f"'{label}' may have a value of its own in each line, and each value would be a stream"
                    f"{did_you_mean(label, known) or '; search for it in the line, with | json'}"
                )
                yield Finding(("logging", "outputs", str(name), "labels", number), text)


CHECKS: tuple[Check, ...] = (place, retention, limits, labels)
