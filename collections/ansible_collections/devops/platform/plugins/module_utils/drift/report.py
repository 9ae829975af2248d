"""Findings in words: what each kind means, what to do about it, the report as data and as a table. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FORMAT = 1


@dataclass(frozen=True)
class Kind:
    """A kind of difference, and what puts it right: {host}, {component}, {subject} and {now} are filled in."""

    words: str
    todo: str


ROLL_OUT = "ansible-playbook site.yml --limit {host} puts it back"
UP = "on the host: docker compose --file {source} up --detach --remove-orphans"
KINDS: Mapping[str, Kind] = {
    "content": Kind("content changed", ROLL_OUT),
    "mode": Kind("mode changed", ROLL_OUT),
    "owner": Kind("owner changed", ROLL_OUT),
    "missing": Kind("missing", ROLL_OUT),
    "link": Kind("link leads elsewhere", ROLL_OUT),
    "replaced": Kind("something else stands there", "move it away, then " + ROLL_OUT),
    "foreign-file": Kind("not ours, in a directory that is", "look at it, then remove it from the host"),
    "foreign-unit": Kind("a unit of others by our name", "look at it, then remove it and run systemctl daemon-reload"),
    "release": Kind("release damaged", "ansible-playbook site.yml --limit {host} unpacks it anew beside this one"),
    "stopped": Kind("not running", "ansible-playbook site.yml --limit {host} starts it"),
    "failed": Kind("failed", "journalctl -u {subject} says why; ansible-playbook site.yml --limit {host} starts it"),
    "disabled": Kind("does not start with the host", "ansible-playbook site.yml --limit {host} enables it"),
    "masked": Kind("masked", "on the host: systemctl unmask {subject}; then ansible-playbook site.yml --limit {host}"),
    "override": Kind("settings added by others", "on the host: systemctl revert {subject}, or remove {now}"),
    "not-reloaded": Kind("unit changed since systemd read it", "on the host: systemctl daemon-reload"),
    "package-missing": Kind("package removed", "ansible-playbook site.yml --limit {host} installs it"),
    "package-version": Kind(
        "package at another version", "ansible-playbook site.yml --limit {host} records it, once it proves to work"
    ),
    "user-missing": Kind(
        "user gone", "ansible-playbook site.yml --limit {host} makes it anew; look who owns its files"
    ),
    "user-changed": Kind("user changed", "on the host: usermod puts it back"),
    "docker": Kind("Docker does not answer", "on the host: systemctl status docker"),
    "container-missing": Kind("no container", "ansible-playbook site.yml --limit {host} starts it"),
    "container-state": Kind("container not well", "docker logs {subject} says why; then: docker restart {subject}"),
    "container-image": Kind("container of another image", UP),
    "container-environment": Kind("container with another environment", UP),
    "container-command": Kind("container with another command", UP),
    "container-policy": Kind("container with another restart policy", UP),
    "container-source": Kind("container made from another Compose file", UP),
    "container-extra": Kind("container that is not declared", "on the host: docker rm --force {subject}"),
    "firewall": Kind("rules in force differ from the file", "on the host: systemctl reload {component}"),
    "sysctl": Kind("kernel setting differs", "on the host: systemctl restart {component}"),
    "journal": Kind(
        "a change was interrupted", "ansible-playbook site.yml --limit {host} finishes it or takes it back"
    ),
    "ledger": Kind("the ledger cannot be read", "restore it from a backup of the host"),
    "undeclared": Kind("no longer declared", "declare it, or remove it: state: absent"),
    "not-installed": Kind("declared, and not installed", "ansible-playbook site.yml --limit {host} installs it"),
    "pending": Kind("declared, and not rolled out yet", "ansible-playbook site.yml --limit {host} rolls it out"),
}
HEADER = ("host", "component", "what", "path or unit", "was -> is")
# Of a value in the table: enough to know it by, and an image's digest does not push all else off the screen.
WIDEST = 28


def complete(host: str, finding: Mapping[str, str], source: str = "FILE") -> dict[str, str]:
    """A finding of a host as the report has it; `source`: the Compose file of its component."""
    kind = KINDS[finding["kind"]]
    names = {key: finding[key] for key in ("component", "subject", "now")}
    todo = kind.todo.format(host=host, source=source, **names)
    return {
        "host": host,
        "component": finding["component"],
        "kind": finding["kind"],
        "what": kind.words,
        "subject": finding["subject"],
        "was": finding["was"],
        "is": finding["now"],
        "todo": todo,
    }


def report(platform: Mapping[str, Any], at: str, hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The whole run as data. `hosts`: outcome by host, {compared, findings, notes, trouble}."""
    findings = [finding for name in hosts for finding in hosts[name].get("findings") or ()]
    return {
        "format": FORMAT,
        "platform": str(platform.get("name", "")),
        "environment": str(platform.get("environment", "")),
        "at": at,
        "drift": bool(findings),
        "complete": not any(outcome.get("trouble") for outcome in hosts.values()),
        "hosts": {
            name: {
                "examined": not outcome.get("trouble"),
                "trouble": outcome.get("trouble") or "",
                "components": int(outcome.get("compared") or 0),
                "findings": len(outcome.get("findings") or ()),
                "notes": list(outcome.get("notes") or ()),
            }
            for name, outcome in hosts.items()
        },
        "findings": findings,
    }


def table(data: Mapping[str, Any]) -> str:
    """The findings for people, one a line; what to do about them, each thing once; what could not be looked at."""
    rows = [
        (
            item["host"],
            item["component"] or "-",
            item["what"],
            item["subject"],
            f"{clipped(item['was']) or '-'} -> {clipped(item['is']) or '-'}",
        )
        for item in data["findings"]
    ]
    lines = aligned(HEADER, rows) if rows else []
    if rows:
        what = ((item["host"], item["component"] or "-", item["todo"]) for item in data["findings"])
        lines += ["", *aligned(("host", "component", "what to do"), dict.fromkeys(what)), ""]
    for name, host in data["hosts"].items():
        lines += [f"{name}: not examined: {host['trouble']}"] if host["trouble"] else []
        lines += [f"{name}: {note}" for note in host["notes"]]
    return "\n".join(lines)


def clipped(text: str) -> str:
    """As much of both ends as fits: names differ at the beginning, digests and versions at the end."""
    if len(text) <= WIDEST:
        return text
    half = (WIDEST - 1) // 2
    return f"{text[: WIDEST - 1 - half]}…{text[-half:]}"


def aligned(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Columns as wide as their longest cell; the last one ends where it ends."""
    cells = [tuple(header), *(tuple(cell.replace("\n", " ") for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]


def summary(data: Mapping[str, Any]) -> str:
    """One sentence: the message that the run ends with."""
    hosts, findings = data["hosts"], data["findings"]
    drifted = len({finding["host"] for finding in findings})
    asked = sum(host["examined"] for host in hosts.values())
    silent = [name for name, host in hosts.items() if not host["examined"]]
    of_all = f"{asked} {_plural('host', asked)}"
    words = f"no drift on {of_all}"
    if findings:
        words = f"drift: {len(findings)} {_plural('difference', len(findings))} on {drifted} of {of_all}"
    return f"{words}; not examined: {', '.join(silent)}" if silent else words


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
