"""What a component is asked to be: the payload of one task as typed, checked values.

The controller renders templates and resolves artifacts; what arrives here is plain data. Every
mistake is collected, so that an operator sees them all at once.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .errors import SpecError
from .units import render_timer, render_unit

NAME = re.compile(r"^[a-z][a-z0-9_]*$")
STATES = ("present", "absent", "rolled_back")
ON_CHANGE = ("none", "reload", "restart")
# Generations that stay on a host to go back to, the present one included.
KEEP = 3
RELEASES = "/opt/devops-platform"
# A shorter secret would be found in harmless text by chance.
TELLING = 6


@dataclass(frozen=True)
class Entry:
    """One path that the component owns: a file with content, or a symbolic link."""

    path: str
    content: bytes = b""
    target: str = ""
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    on_change: str = "restart"
    reload_keys: tuple[str, ...] = ()
    validate: str = ""

    @property
    def is_link(self) -> bool:
        return bool(self.target)


@dataclass(frozen=True)
class Directory:
    """A directory made for the component; `data` ones outlive `state: absent` unless purged."""

    path: str
    mode: int = 0o755
    owner: str = "root"
    group: str = "root"
    data: bool = False


@dataclass(frozen=True)
class Release:
    """A pinned artifact: a tar archive (or a program, bare or in a zip) known by its sha256 for this architecture."""

    version: str
    sha256: str
    urls: tuple[str, ...] = ()
    strip: int = 0
    binaries: tuple[str, ...] = ()

    def directory(self, component: str) -> str:
        """The versioned folder; the digest's head keeps two builds of one version apart."""
        return f"{RELEASES}/{component}/releases/{self.version}-{self.sha256[:12]}"


@dataclass(frozen=True)
class Runtime:
    """How the component runs: a unit of ours, a package's unit, a Compose project, or nothing."""

    kind: str = "none"
    unit: str = ""
    project: str = ""
    file: str = ""
    services: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    wait: float = 120.0


@dataclass(frozen=True)
class User:
    name: str
    group: str = ""
    home: str = "/nonexistent"
    shell: str = "/usr/sbin/nologin"
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spec:
    name: str
    state: str = "present"
    entries: tuple[Entry, ...] = ()
    directories: tuple[Directory, ...] = ()
    release: Release | None = None
    user: User | None = None
    runtime: Runtime = field(default_factory=Runtime)
    probes: tuple[dict[str, Any], ...] = ()
    packages: tuple[str, ...] = ()
    secrets: dict[str, str] = field(default_factory=dict)
    purge: bool = False
    keep: int = KEEP
    transient: bool = False
    undo: str = ""
    to: str = ""

    @property
    def current(self) -> str:
        """The link whose atomic replacement switches releases."""
        return f"{RELEASES}/{self.name}/current"


def parse_mode(value: Any, where: str, problems: list[str], default: int) -> int:
    """'0640' -> 0o640. Numbers are refused: YAML turns an unquoted 0640 into decimal 416."""
    if value is None:
        return default
    if isinstance(value, str) and re.fullmatch(r"0?[0-7]{3,4}", value):
        return int(value, 8)
    problems.append(f'{where}: {value!r} is not a mode; write it as a quoted octal string such as "0644"')
    return default


def _entry(raw: dict[str, Any], index: int, problems: list[str]) -> Entry | None:
    path = raw.get("path", "")
    where = f"files[{index}] ({path or 'without a path'})"
    if not isinstance(path, str) or not path.startswith("/") or "/../" in path or path.endswith("/"):
        problems.append(f"{where}: path must be absolute, without '..' and without a trailing slash")
        return None
    if (raw.get("link") is None) == (raw.get("content") is None):
        problems.append(f"{where}: exactly one of template, content, source and link is needed")
        return None
    on_change = raw.get("on_change", "restart")
    if on_change not in ON_CHANGE:
        problems.append(f"{where}: on_change {on_change!r} is not one of {', '.join(ON_CHANGE)}")
    content = raw.get("content")
    return Entry(
        path=path,
        content=content.encode("utf-8", "surrogateescape") if isinstance(content, str) else b"",
        target=raw.get("link") or "",
        mode=parse_mode(raw.get("mode"), f"{where}.mode", problems, 0o644),
        owner=str(raw.get("owner") or "root"),
        group=str(raw.get("group") or "root"),
        on_change=on_change,
        reload_keys=tuple(raw.get("reload_keys") or ()),
        validate=raw.get("validate") or "",
    )


def _directory(raw: dict[str, Any], index: int, problems: list[str]) -> Directory | None:
    path = raw.get("path", "")
    if not isinstance(path, str) or not path.startswith("/") or path == "/":
        problems.append(f"directories[{index}]: path must be absolute and not '/'")
        return None
    return Directory(
        path=path.rstrip("/"),
        mode=parse_mode(raw.get("mode"), f"directories[{index}] ({path}).mode", problems, 0o755),
        owner=str(raw.get("owner") or "root"),
        group=str(raw.get("group") or "root"),
        data=_is_true(raw.get("data")),
    )


def _release(raw: dict[str, Any] | None, architecture: str, problems: list[str]) -> Release | None:
    if not raw:
        return None
    digests = raw.get("sha256") or {}
    digest = digests.get(architecture, "") if isinstance(digests, dict) else ""
    version = str(raw.get("version") or "")
    if not version or not re.fullmatch(r"[A-Za-z0-9.+~_-]+", version):
        problems.append(f"release.version {version!r} is missing or has characters that a folder name cannot carry")
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        known = ", ".join(sorted(digests)) if isinstance(digests, dict) and digests else "none"
        problems.append(f"release.sha256 has no digest for this host's architecture {architecture} (given: {known})")
    urls = tuple(
        str(url).replace("{arch}", architecture).replace("{version}", version) for url in raw.get("urls") or ()
    )
    return Release(version, digest, urls, int(raw.get("strip", 0)), tuple(raw.get("binaries") or ()))


def _user(raw: Any) -> User | None:
    if not raw:
        return None
    if isinstance(raw, str):
        return User(raw)
    return User(
        name=raw["name"],
        group=raw.get("group") or "",
        home=raw.get("home") or "/nonexistent",
        shell=raw.get("shell") or "/usr/sbin/nologin",
        groups=tuple(raw.get("groups") or ()),
    )


def _runtime(raw: dict[str, Any], name: str, problems: list[str]) -> Runtime:
    kinds = [kind for kind in ("unit", "service", "compose") if raw.get(kind)]
    if len(kinds) > 1:
        problems.append(f"a component has one runtime, not {' and '.join(kinds)}")
    if not kinds:
        return Runtime()
    given = raw[kinds[0]]
    if kinds[0] == "unit":
        return Runtime("unit", f"{name}.timer" if given.get("timer") else f"{name}.service")
    if kinds[0] == "service":
        unit = given["name"]
        return Runtime("service", unit if "." in unit else f"{unit}.service")
    return Runtime(
        "compose",
        project=given["project"],
        file=given["file"],
        services=tuple(given.get("services") or ()),
        images=tuple(given.get("images") or ()),
        wait=float(given.get("wait") or 120),
    )


def parse_spec(raw: dict[str, Any], architecture: str) -> Spec:
    """One component of the payload as a Spec.

    Source: the dictionary that the action plugin sends (DOCUMENTATION of devops.platform.component).
    Raises SpecError that names every mistake.
    """
    problems: list[str] = []
    name = raw.get("name") or ""
    if not isinstance(name, str) or not NAME.match(name):
        raise SpecError(f"component name {name!r} is not of the form [a-z][a-z0-9_]*", "spec")
    state = raw.get("state") or "present"
    if state not in STATES:
        problems.append(f"state {state!r} is not one of {', '.join(STATES)}")
    undo, to = str(raw.get("undo") or ""), str(raw.get("to") or "")
    if undo and to:
        problems.append("undo and to are two ways back; give one of them")
    if (undo or to) and state != "rolled_back":
        problems.append(f"{'undo' if undo else 'to'} needs state: rolled_back")
    if state != "present":
        if problems:
            raise SpecError(f"{name}: " + "; ".join(problems), "spec")
        secrets = dict(raw.get("secrets") or {})
        return Spec(name=name, state=state, purge=_is_true(raw.get("purge")), secrets=secrets, undo=undo, to=to)

    release = _release(raw.get("release"), architecture, problems)
    user = _user(raw.get("user"))
    entries = [*_files(raw, problems), *_links(raw, name, release), *_unit_file(raw, name, user, problems)]
    problems += [f"{path} is declared twice" for path in _twice(entry.path for entry in entries)]
    runtime = _runtime(raw, name, problems)
    if runtime.kind == "compose" and runtime.file not in {entry.path for entry in entries}:
        problems.append(f"compose.file {runtime.file!r} is not one of the component's files")
    directories = [_directory(item, index, problems) for index, item in enumerate(raw.get("directories") or [])]
    probes = _probes(raw, problems)
    problems += _shown_secrets(raw)
    if problems:
        raise SpecError(
            f"{name}: " + "; ".join(problems), "spec", "Nothing was touched; correct the component and run again"
        )
    return Spec(
        name=name,
        state=state,
        entries=tuple(entries),
        directories=tuple(item for item in directories if item),
        release=release,
        user=user,
        runtime=runtime,
        probes=probes,
        packages=tuple(raw.get("packages") or ()),
        secrets={key: str(value) for key, value in (raw.get("secrets") or {}).items()},
        keep=int(raw.get("keep") or KEEP),
        transient=_is_true(raw.get("transient")),
    )


def _files(raw: dict[str, Any], problems: list[str]) -> list[Entry]:
    unit = raw.get("unit")
    entries = [_entry(item, index, problems) for index, item in enumerate(raw.get("files") or [])]
    known = [entry for entry in entries if entry]
    if unit and not unit.get("reload"):
        problems += [
            f"{entry.path} has on_change: reload, but unit.reload does not say how the service reloads"
            for entry in known
            if entry.on_change == "reload"
        ]
    return known


def _links(raw: dict[str, Any], name: str, release: Release | None) -> list[Entry]:
    """The link that switches releases, and those that make programs known to people."""
    if not release:
        return []
    current = f"{RELEASES}/{name}/current"
    exposed = [
        Entry(path=f"/usr/local/bin/{binary}", target=f"{current}/{binary}", on_change="none")
        for binary in raw.get("expose") or []
    ]
    return [Entry(path=current, target=release.directory(name), on_change="restart"), *exposed]


def _unit_file(raw: dict[str, Any], name: str, user: User | None, problems: list[str]) -> list[Entry]:
    if not raw.get("unit"):
        return []
    unit = raw["unit"]
    try:
        texts = {"service": render_unit(name, unit, f"{RELEASES}/{name}/current", user.name if user else "")}
        if unit.get("timer"):
            texts["timer"] = render_timer(name, unit)
    except ValueError as error:
        problems.append(str(error))
        return []
    return [
        Entry(path=f"/etc/systemd/system/{name}.{kind}", content=text.encode(), on_change="restart")
        for kind, text in texts.items()
    ]


def _is_true(value: Any) -> bool:
    """A boolean, or the text that Jinja made of one."""
    return str(value).lower() in ("true", "yes")


def _twice(paths: Iterable[str]) -> list[str]:
    return [path for path, count in Counter(paths).items() if count > 1]


def _probes(raw: dict[str, Any], problems: list[str]) -> tuple[dict[str, Any], ...]:
    given = raw.get("probe") or []
    probes = tuple(given if isinstance(given, list) else [given])
    problems += [
        f"probe[{index}] has none of http, tcp and command"
        for index, probe in enumerate(probes)
        if not {"http", "tcp", "command"} & set(probe)
    ]
    return probes


def _shown_secrets(raw: dict[str, Any]) -> list[str]:
    """Secrets where the host would show them: in argument lists, unit files and the ledger."""
    problems = []
    for key in ("unit", "probe", "compose", "packages", "directories"):
        text = json.dumps(raw.get(key))
        problems += [
            f"{key} holds the secret {name!r}, which everybody on the host could read; put it into a file"
            for name, value in (raw.get("secrets") or {}).items()
            if len(str(value)) >= TELLING and json.dumps(str(value))[1:-1] in text
        ]
    return problems
