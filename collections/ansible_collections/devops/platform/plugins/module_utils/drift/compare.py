"""What differs on one host, decided from one look at it. Pure.

A path is compared three ways. Where recorded and actual are alike and declared is not, the change was never rolled out.
Recorded and actual differ: somebody changed it, however it is declared, unless it is by chance as declared now.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine.generation import runtime_of
from ansible_collections.devops.platform.plugins.module_utils.engine.plan import ENABLED
from ansible_collections.devops.platform.plugins.module_utils.engine.spec import RELEASES, Directory, Runtime

from .model import Container, Declared, Finding, Image, Look, Rules, Seen, Service, UnitLook

WELL = ("", "healthy", "starting")
KINDS_OF_PATHS = {"directory": "a directory", "file": "a file", "link": "a link", "other": "a device, pipe or socket"}


def differences(seen: Seen) -> list[Finding]:
    """Everything that differs, by component, in the order of the host's names."""
    found: list[Finding] = []
    for name in sorted({*seen.declared, *seen.ledgers, *seen.unreadable, *seen.journals}):
        found += _component(name, seen)
    found += _requested(seen)
    found += _foreign_files(seen)
    return list(dict.fromkeys(found))


def _component(name: str, seen: Seen) -> Iterator[Finding]:
    if name in seen.journals:
        yield Finding(name, "journal", name, "no change under way", f"interrupted while {seen.journals[name]}")
    if name in seen.unreadable:
        yield Finding(name, "ledger", name, "", seen.unreadable[name])
        return
    declared, ledger = seen.declared.get(name), seen.ledgers.get(name)
    generation: Mapping[str, Any] = (ledger or {}).get("generation") or {}
    if declared is None and not generation:
        return  # absent, with a ledger of the data that stays; or only a journal
    if declared is not None and not generation:
        yield Finding(name, "not-installed", name, "declared", "not on this host")
        return
    if declared is None and seen.everything:
        yield Finding(name, "undeclared", name, "not declared", "on this host")
    yield from _paths(name, declared, generation, seen)
    yield from _directories(name, declared, generation, seen.paths)
    yield from (
        Finding(name, "release", damage.path, "as unpacked", damage.how) for damage in seen.damages.get(name, ())
    )
    yield from _user(name, ledger or {}, seen)
    yield from _packages(name, declared, generation, seen)
    yield from _runtime(name, declared, generation, seen)
    for rules in seen.rules.get(name, ()):
        yield from _rules(name, rules)
    for setting in seen.settings.get(name, ()):
        if setting.live is None:
            yield Finding(name, "sysctl", setting.key, setting.declared, "the kernel has no such key")
        elif setting.live != setting.declared:
            yield Finding(name, "sysctl", setting.key, setting.declared, setting.live)


# Paths


def _paths(name: str, declared: Declared | None, generation: Mapping[str, Any], seen: Seen) -> Iterator[Finding]:
    recorded: Mapping[str, Mapping[str, Any]] = generation.get("entries") or {}
    wanted = declared.entries if declared else recorded
    current = f"{RELEASES}/{name}/current"
    for path in sorted({*recorded, *wanted}):
        want, have, is_now = wanted.get(path), recorded.get(path), seen.paths.get(path, Look())
        if path == current and want and have and have["target"].partition("+")[0] == want["target"]:
            want = have  # a release that was unpacked anew stands beside its damaged namesake
        yield from path_differences(name, path, want, have, is_now)


def path_differences(
    name: str, path: str, want: Mapping[str, Any] | None, have: Mapping[str, Any] | None, is_now: Look
) -> Iterator[Finding]:
    """`want` is declared, `have` recorded: entries of a ledger; None where there is none of the kind."""
    if have is None:
        if want is not None:
            yield Finding(name, "pending", path, "declared", "never rolled out")
        return
    changes = list(_changes(name, path, have, is_now))
    if want is not None and not any(_changes(name, path, want, is_now)):
        changes = []  # as declared now
    if changes:
        yield from changes
    elif want is None and is_now.kind != "absent":
        yield Finding(name, "pending", path, "no longer declared", "still there")
    elif want is not None and any(have[key] != want[key] for key in ("digest", "target", "mode", "owner", "group")):
        yield Finding(name, "pending", path, "declared otherwise", "as rolled out before")


def _changes(name: str, path: str, was: Mapping[str, Any], now: Look) -> Iterator[Finding]:
    """How a path differs from a ledger's entry."""
    if now.kind == "absent":
        yield Finding(name, "missing", path, "a link" if was["target"] else "a file", "nothing")
    elif was["target"]:
        if now.kind != "link":
            yield Finding(name, "link", path, f"a link to {was['target']}", KINDS_OF_PATHS[now.kind])
        elif now.target != was["target"]:
            yield Finding(name, "link", path, was["target"], now.target)
    elif now.kind != "file":
        yield Finding(name, "replaced", path, "a file", _of_kind(now))
    else:
        if now.digest != was["digest"]:
            yield Finding(name, "content", path, f"#{was['digest'][:8]}", f"#{now.digest[:8]}")
        yield from _attributes(name, path, (was["mode"], was["owner"], was["group"]), now)


def _of_kind(look: Look) -> str:
    return f"a link to {look.target}" if look.kind == "link" else KINDS_OF_PATHS[look.kind]


def _attributes(name: str, path: str, was: tuple[int, str, str], now: Look) -> Iterator[Finding]:
    mode, owner, group = was
    if now.mode != mode:
        yield Finding(name, "mode", path, f"{mode:04o}", f"{now.mode:04o}")
    if (now.owner, now.group) != (owner, group):
        yield Finding(name, "owner", path, f"{owner}:{group}", f"{now.owner}:{now.group}")


def _directories(
    name: str, declared: Declared | None, generation: Mapping[str, Any], paths: Mapping[str, Look]
) -> Iterator[Finding]:
    recorded = {item["path"]: Directory(**item) for item in generation.get("directories") or ()}
    wanted = {item.path: item for item in declared.spec.directories} if declared else recorded
    for path in sorted({*recorded, *wanted}):
        have, want, now = recorded.get(path), wanted.get(path), paths.get(path, Look())
        changes = list(_directory(name, have, now)) if have else []
        if want and not any(_directory(name, want, now)):
            continue
        if changes:
            yield from changes
        elif want and have != want:
            yield Finding(name, "pending", path, "declared", "never rolled out")


def _directory(name: str, was: Directory, now: Look) -> Iterator[Finding]:
    if now.kind == "absent":
        yield Finding(name, "missing", was.path, "a directory", "nothing")
    elif now.kind != "directory":
        yield Finding(name, "replaced", was.path, "a directory", _of_kind(now))
    else:
        yield from _attributes(name, was.path, (was.mode, was.owner, was.group), now)


def _foreign_files(seen: Seen) -> Iterator[Finding]:
    """What stands in directories that are ours alone and is nobody's: of a foreign directory only itself."""
    known, owners = _known(seen)
    reported: list[str] = []
    for folder in sorted(seen.listed):
        for path in seen.listed[folder]:
            inside = any(path.startswith(f"{other}/") for other in reported)
            if path in known or path in reported or inside or _under_way(path):
                continue
            reported.append(path)
            # What somebody adds to a unit is told as that.
            if any(path in unit.drop_ins for unit in seen.units.values()):
                continue
            yield Finding(_owner(path, owners), "foreign-file", path, "nothing", "a file that is not ours")


def _known(seen: Seen) -> tuple[set[str], dict[str, str]]:
    """(every path that is ours, or leads to one that is; component by directory)."""
    known: set[str] = set()
    owners: dict[str, str] = {}
    for name, ledger in seen.ledgers.items():
        created, generation = ledger.get("created") or {}, ledger.get("generation") or {}
        folders = [
            item["path"] for item in (*(created.get("directories") or ()), *(generation.get("directories") or ()))
        ]
        owners.update(dict.fromkeys([*folders, f"{RELEASES}/{name}"], name))
        known |= {*folders, *(created.get("parents") or ()), *(generation.get("entries") or {})}
        known |= {*(ledger.get("releases") or {})}
    for name, item in seen.declared.items():
        folders = [directory.path for directory in item.spec.directories]
        owners.update({path: name for path in folders if path not in owners})
        known |= {*item.entries, *folders}
    return known | {parent for path in known for parent in _parents(path)}, owners


def _parents(path: str) -> Iterator[str]:
    while path.count("/") > 1:
        path = path.rpartition("/")[0]
        yield path


def _under_way(path: str) -> bool:
    """A name that the engine uses while a change is under way, which the journal tells."""
    return path.endswith((".dp-new", ".dp-old", ".partial", ".download"))


def _owner(path: str, owners: Mapping[str, str]) -> str:
    """The component whose directory it is, by the nearest one above."""
    return next((owners[parent] for parent in _parents(path) if parent in owners), "")


# Users and packages


def _user(name: str, ledger: Mapping[str, Any], seen: Seen) -> Iterator[Finding]:
    recorded = (ledger.get("generation") or {}).get("user")
    if not recorded:
        return
    account, user = seen.accounts.get(recorded["name"]), recorded["name"]
    if account is None:
        yield Finding(name, "user-missing", user, "a user", "no such user")
        return
    if ((ledger.get("created") or {}).get("user") or "") != user:
        return  # somebody else's, who may have it as they like
    for key, now in (("home", account.home), ("shell", account.shell)):
        if recorded[key] != now:
            yield Finding(name, "user-changed", user, f"{key} {recorded[key]}", f"{key} {now}")
    groups = sorted(recorded["groups"])
    if groups != sorted(account.groups):
        yield Finding(
            name, "user-changed", user, f"in groups: {_listing(groups)}", f"in groups: {_listing(account.groups)}"
        )


def _listing(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"


def _packages(name: str, declared: Declared | None, generation: Mapping[str, Any], seen: Seen) -> Iterator[Finding]:
    recorded: Mapping[str, str] = generation.get("packages") or {}
    wanted = declared.spec.packages if declared else tuple(recorded)
    for package in sorted({*recorded, *wanted}):
        was, now = recorded.get(package), seen.packages.get(package)
        if now is None:
            yield Finding(name, "package-missing", package, was or "installed", "not installed")
        elif was is not None and was != now and (package, now) not in seen.rolled:
            yield Finding(name, "package-version", package, was, now)


def _requested(seen: Seen) -> Iterator[Finding]:
    """Packages that a role installs and no component records."""
    told = {package for item in seen.declared.values() for package in item.spec.packages}
    for role, packages in sorted(seen.requested.items()):
        for package in packages:
            if package not in seen.packages and package not in told:
                yield Finding(role, "package-missing", package, "installed", "not installed")


# What runs


def _runtime(name: str, declared: Declared | None, generation: Mapping[str, Any], seen: Seen) -> Iterator[Finding]:
    runtime = runtime_of(generation)
    if runtime.kind in ("unit", "service"):
        unit = seen.units.get(runtime.unit)
        if unit is not None:
            yield from _unit(name, runtime, unit, seen)
    elif runtime.kind == "compose":
        if seen.docker_trouble:
            yield Finding(name, "docker", runtime.project, "answers", seen.docker_trouble)
        elif declared is not None:
            yield from _compose(name, runtime, declared.services, seen)


def _unit(name: str, runtime: Runtime, unit: UnitLook, seen: Seen) -> Iterator[Finding]:
    state, subject = unit.state, runtime.unit
    ours = {path for item in seen.declared.values() for path in item.entries}
    ours |= {
        path for ledger in seen.ledgers.values() for path in ((ledger.get("generation") or {}).get("entries") or {})
    }
    masked = state.enabled.startswith("masked")
    if masked:
        yield Finding(name, "masked", subject, "enabled", state.enabled)
    elif state.exists and state.enabled not in ENABLED:
        yield Finding(name, "disabled", subject, "enabled", state.enabled or "unknown")
    if state.active == "failed":
        yield Finding(name, "failed", subject, "running", f"failed ({state.result})")
    elif not state.running:
        yield Finding(name, "stopped", subject, "running", state.active)
    foreign = [path for path in unit.drop_ins if path not in ours]
    yield from (Finding(name, "override", subject, "no file of others", path) for path in foreign)
    for path in unit.others:
        if path not in ours and not (masked and path.endswith(f"/{subject}")):
            yield Finding(name, "foreign-unit", path, "nothing", "a unit of the same name that is not ours")
    if state.needs_reload and not masked and not foreign and not _touched(name, seen):
        yield Finding(name, "not-reloaded", subject, "as on disk", "systemd runs an older version of its file")


def _touched(name: str, seen: Seen) -> bool:
    """Whether a unit file of the component differs, which is told by itself."""
    entries = ((seen.ledgers.get(name) or {}).get("generation") or {}).get("entries") or {}
    return any(
        any(_changes(name, path, entry, seen.paths.get(path, Look())))
        for path, entry in entries.items()
        if path.startswith("/etc/systemd/system/")
    )


def _compose(name: str, runtime: Runtime, services: Mapping[str, Service], seen: Seen) -> Iterator[Finding]:
    own = [item for item in seen.containers if item.project == runtime.project]
    for service, wanted in sorted(services.items()):
        running = sorted(
            (item for item in own if item.service == service and not item.one_off), key=lambda item: item.name
        )
        if wanted.lasts:
            missing = wanted.replicas - len(running)
            if missing > 0:
                count = f"{len(running)} of {wanted.replicas}" if wanted.replicas > 1 else "none"
                yield Finding(name, "container-missing", f"{runtime.project}/{service}", "a container", count)
            for extra in running[wanted.replicas :] if missing < 0 else ():
                yield Finding(name, "container-extra", extra.name, f"{wanted.replicas} of {service}", extra.image)
            for item in running[: wanted.replicas]:
                yield from _container(name, item, wanted, runtime, seen.images)
    for item in own:
        if item.service not in services:
            yield Finding(name, "container-extra", item.name, "no such service", item.image)


def _container(
    name: str, item: Container, wanted: Service, runtime: Runtime, images: Mapping[str, Image]
) -> Iterator[Finding]:
    if item.state != "running":
        ended = f"{item.state} ({item.exit_code})" if item.state == "exited" else item.state
        yield Finding(name, "container-state", item.name, "running", ended)
    elif item.health not in WELL:
        yield Finding(name, "container-state", item.name, "healthy", item.health)
    known = images.get(wanted.image)
    if item.image != wanted.image:
        yield Finding(name, "container-image", item.name, wanted.image, item.image)
    elif known is not None and known.id != item.image_id:
        yield Finding(name, "container-image", item.name, f"{wanted.image} ({known.id[:19]})", item.image_id[:19])
    yield from _environment(name, item, wanted, images.get(item.image_id))
    brought = images.get(item.image_id)
    for word, declared, now, default in (
        ("command", wanted.command, item.command, brought.command if brought else None),
        ("entrypoint", wanted.entrypoint, item.entrypoint, brought.entrypoint if brought else None),
    ):
        expected = default if declared is None else declared
        # An entrypoint of its own takes the image's command away.
        if word == "command" and declared is None and wanted.entrypoint is not None:
            expected = ()
        if expected is not None and expected != now:
            yield Finding(name, "container-command", item.name, f"{word} {' '.join(expected)}", " ".join(now))
    if item.restart != wanted.restart:
        yield Finding(name, "container-policy", item.name, f"restart {wanted.restart}", f"restart {item.restart}")
    if item.source and item.source != runtime.file:
        yield Finding(name, "container-source", item.name, runtime.file, item.source)


def _environment(name: str, item: Container, wanted: Service, image: Image | None) -> Iterator[Finding]:
    """Values of names that nobody declared are not shown: what somebody adds by hand may well be a password."""
    now = _variables(item.environment)
    brought = _variables(image.environment) if image else {}
    expected = {**brought, **wanted.environment}
    for variable in sorted({*now, *expected}):
        was, value = expected.get(variable), now.get(variable)
        if was == value or (image is None and variable not in wanted.environment):
            continue
        shown = f"{variable}={value}" if variable in wanted.environment and value is not None else f"{variable} set"
        yield Finding(
            name,
            "container-environment",
            item.name,
            f"{variable}={was}" if was is not None else f"no {variable}",
            shown if value is not None else f"no {variable}",
        )


def _variables(pairs: Iterable[str]) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


# The kernel


def _rules(name: str, rules: Rules) -> Iterator[Finding]:
    if rules.loaded and not rules.live:
        yield Finding(name, "firewall", rules.loaded[0], f"{len(rules.loaded)} lines", "no such table")
        return
    for line in difflib.ndiff(rules.loaded, rules.live):
        if line.startswith("- "):
            yield Finding(name, "firewall", *_rule(line[2:], removed=True))
        elif line.startswith("+ "):
            yield Finding(name, "firewall", *_rule(line[2:], removed=False))


def _rule(line: str, removed: bool) -> tuple[str, str, str]:
    place, _, rule = line.rpartition(" / ")
    return (place, rule, "gone") if removed else (place, "no such rule", rule)
