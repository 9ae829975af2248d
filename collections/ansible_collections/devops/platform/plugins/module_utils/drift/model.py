"""What is looked at and what is found, as typed values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.engine.spec import Spec
from ansible_collections.devops.platform.plugins.module_utils.engine.units import UnitState


@dataclass(frozen=True)
class Finding:
    """One difference. `kind` is one of report.KINDS; `was` is what is recorded or declared, `now` what there is."""

    component: str
    kind: str
    subject: str
    was: str = ""
    now: str = ""


@dataclass(frozen=True)
class Look:
    """What stands at a path, or ought to: `digest` is the keyed one of a file's content."""

    kind: str = "absent"
    mode: int = 0
    owner: str = ""
    group: str = ""
    target: str = ""
    digest: str = ""


@dataclass(frozen=True)
class UnitLook:
    """A unit: its state, the files that it is made of, and other unit files of its name."""

    state: UnitState = field(default_factory=UnitState)
    drop_ins: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Account:
    home: str
    shell: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Service:
    """A service of a Compose file. `lasts`: it is meant to run until it is stopped. None: what the image says."""

    image: str
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    restart: str = "no"
    replicas: int = 1
    lasts: bool = True


@dataclass(frozen=True)
class Container:
    """A container of one of our projects."""

    name: str
    project: str
    service: str
    image: str
    image_id: str
    environment: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    restart: str = "no"
    state: str = "running"
    health: str = ""
    exit_code: int = 0
    source: str = ""
    one_off: bool = False


@dataclass(frozen=True)
class Image:
    """What an image brings, by its id and by the names that containers and Compose files call it."""

    id: str
    environment: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """A ruleset as the kernel would list it after the file was loaded, and as it lists it now."""

    path: str
    loaded: tuple[str, ...]
    live: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """A kernel setting of a sysctl.d file and what the kernel has; `live` is None where it has no such key."""

    key: str
    declared: str
    live: str | None


@dataclass(frozen=True)
class Damage:
    """A file of an unpacked release that is not what was unpacked: missing, changed, foreign or not executable."""

    path: str
    how: str


@dataclass(frozen=True)
class Declared:
    """A component as platform.yml has it now: its Spec, its entries as the ledger would keep them, its containers."""

    spec: Spec
    entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One host, as far as it is ours.

    `everything`: the declared components are all that there are, not a part of them. `requested`: packages by who asks
    for them. `rolled`: (package, version) that the host's own upgrades brought. `listed`: paths in directories that are
    ours alone, by directory.
    """

    declared: Mapping[str, Declared] = field(default_factory=dict)
    everything: bool = True
    requested: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ledgers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    journals: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, Look] = field(default_factory=dict)
    units: Mapping[str, UnitLook] = field(default_factory=dict)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    rolled: frozenset[tuple[str, str]] = frozenset()
    damages: Mapping[str, tuple[Damage, ...]] = field(default_factory=dict)
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    docker_trouble: str = ""
    containers: tuple[Container, ...] = ()
    images: Mapping[str, Image] = field(default_factory=dict)
    rules: Mapping[str, tuple[Rules, ...]] = field(default_factory=dict)
    settings: Mapping[str, tuple[Setting, ...]] = field(default_factory=dict)
