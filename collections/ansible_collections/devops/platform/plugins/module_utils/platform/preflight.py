"""The verdict on a platform.yml before any host is touched: every mistake, its place, and what would be right."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .checks import (
    addons,
    alerting,
    awx,
    cluster,
    elasticsearch,
    endpoints,
    hosts,
    kibana,
    logging,
    loki,
    names,
    nodes,
    objectives,
    pins,
    rollout,
    scraping,
    secrets,
    smoke,
    values,
)
from .checks.context import Check, Context, Finding, Inventory, Pins
from .model import natural, section
from .paths import made_by
from .positions import Document, Key, KeyPath, Opaque, Problem, read
from .rules import check_rules
from .shape import check_shape

CHECKS: tuple[Check, ...] = (
    *names.CHECKS,
    *hosts.CHECKS,
    *values.CHECKS,
    *secrets.CHECKS,
    *endpoints.CHECKS,
    *pins.CHECKS,
    *rollout.CHECKS,
    *smoke.CHECKS,
    *alerting.CHECKS,
    *elasticsearch.CHECKS,
    *objectives.CHECKS,
    *logging.CHECKS,
    *loki.CHECKS,
    *kibana.CHECKS,
    *scraping.CHECKS,
    *awx.CHECKS,
    *cluster.CHECKS,
    *nodes.CHECKS,
    *addons.CHECKS,
)
PLACE = Path("group_vars/all/platform.yml")  # below the directory of the inventory
VARIABLES = ("group_vars", "host_vars")
SUFFIXES = (".yml", ".yaml", ".json", "")

Name = Callable[[Path], str]


@dataclass
class Report:
    """What was found, ordered by place. `sources` are the lines of the files that were read."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    sources: dict[str, list[str]] = field(default_factory=dict)
    summary: str = ""

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[str]:
        """For Ansible, which puts [WARNING] before each."""
        found = (problem for problem in self.problems if problem.severity == "warning")
        return [str(problem).replace(": warning: ", ": ", 1) for problem in found]

    def text(self) -> str:
        """All errors, each with the line that it is about, for a person."""
        head = f"{_count(len(self.errors), 'mistake')}; no host was touched."
        return "\n".join([head, "", *(line for problem in self.errors for line in self._shown(problem))]).rstrip()

    def _shown(self, problem: Problem) -> list[str]:
        lines = self.sources.get(problem.file, [])
        if not 1 <= problem.line <= len(lines):
            return [str(problem), ""]
        line = lines[problem.line - 1].replace("\t", " ").rstrip()
        indented = len(line) - len(line.lstrip())
        return [str(problem), f"    {line.lstrip()}", f"    {' ' * max(0, problem.column - 1 - indented)}^", ""]


def check(path: Path, inventory: Inventory, root: Path, name: Name = str) -> Report:
    """Check the platform.yml at `path`. `root` is where its relative paths start, `name` how messages call a path.

    Never raises for what the file says.
    """
    report = Report(name(path))
    document = _read(path, report, "write it, or name the inventory that has one with -i")
    if document is None:
        return report
    if document.readable:
        context = _examine(document, inventory, root, report)
        report.summary = _summary(context)
    _collect(report, document)
    return report


def _examine(document: Document, inventory: Inventory, root: Path, report: Report) -> Context:
    templates = [*values.templates(document.data), *values.encrypted(document.data)]
    for finding in templates:
        document.report(finding.path or (), finding.text)
    hidden = {finding.path for finding in templates if finding.path is not None}
    verdict = check_shape(document, "schema", skip=hidden)
    data = without(document.data, hidden | verdict.values)
    platform = section(data if isinstance(data, Mapping) else {}, "platform")

    def line(path: KeyPath) -> int:
        where = ("platform", *path)
        return document.place(where, at_key=True)[0] if where in document.keys or where in document.values else 0

    context = Context(
        platform,
        inventory,
        root,
        broken=frozenset(
            path[1:] for path in hidden | verdict.values | verdict.keys if len(path) > 1 and path[0] == "platform"
        ),
        clean=not document.problems,
        line=line,
    )
    context = replace(context, artifacts=_pins(context, "artifacts", document, report))
    context = replace(context, images=_pins(context, "images", document, report))
    for _path, rules in _named(context, ("monitoring", "rules"), document, report):
        if rules is not None:
            check_rules(rules)
            _collect(report, rules)
    if platform:
        for found in (finding for run in CHECKS for finding in run(context)):
            _place(found, document, inventory, report)
    return context


def _place(finding: Finding, document: Document, inventory: Inventory, report: Report) -> None:
    if finding.path is None:
        report.problems.append(Problem(inventory.name, 0, 0, "", finding.text, finding.severity))
    else:
        document.report(("platform", *finding.path), finding.text, at_key=finding.at_key, severity=finding.severity)


def without(data: Any, broken: Collection[KeyPath], path: KeyPath = ()) -> Any:
    """`data` without the values at the paths `broken` and those that are encrypted. Keys vanish; in a list None
    stays, so that the numbers of the others don't change."""
    if path in broken or isinstance(data, Opaque):
        return None
    if isinstance(data, dict):
        return {
            key: without(value, broken, (*path, key))
            for key, value in data.items()
            if (*path, key) not in broken and not isinstance(value, Opaque)
        }
    if isinstance(data, list):
        return [without(value, broken, (*path, number)) for number, value in enumerate(data)]
    return data


def _pins(context: Context, kind: str, document: Document, report: Report) -> Pins:
    """The lock files of `platform.<kind>.locks`, whose own mistakes are reported as well."""
    entries: dict[str, Any] = {}
    complete = context.trusted(kind, "locks")
    files = []
    for path, lock in _named(context, (kind, "locks"), document, report):
        files.append(path)
        if lock is None:
            complete = False
            continue
        broken = check_shape(lock, f"{kind}.schema").values if lock.readable else frozenset()
        complete = complete and lock.readable and not broken
        data = without(lock.data, broken)
        _merge(entries, section(data if isinstance(data, Mapping) else {}, kind))
        _collect(report, lock)
    return Pins(tuple(files), entries, complete and bool(files))


def _named(
    context: Context, where: tuple[str, ...], document: Document, report: Report
) -> Iterator[tuple[str, Document | None]]:
    """The files that the list at `where` names, and None for one that cannot be read, which is reported."""
    for number, path in context.items(*where):
        if (context.root / path).is_file():
            yield path, _read(context.root / path, report, "", called=path)
        else:
            place: tuple[Key, ...] = ("platform", *where, number)
            document.report(place, f"no such file {path}: {made_by(path)}")
            yield path, None


def _merge(entries: dict[str, Any], more: Mapping[str, Any]) -> None:
    """As the roles do: a later file's images win, versions of an artifact add up."""
    for name, entry in more.items():
        entries[name] = {**entries.get(name, {}), **entry} if isinstance(entry, Mapping) else entry


def _read(path: Path, report: Report, advice: str, called: str = "") -> Document | None:
    called = called or report.file
    try:
        document = read(path, called)
        report.sources[called] = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        text = f"cannot be read: {error.strerror or error}" + (f"; {advice}" if advice else "")
        report.problems.append(Problem(called, 0, 0, "", text))
        return None
    return document


def _collect(report: Report, document: Document) -> None:
    report.problems = sorted({*report.problems, *document.problems}, key=lambda found: (found.file, found))


def _summary(context: Context) -> str:
    """What was understood, in a line."""
    services = sum(1 for _app, kind, _name, _path in names.parts(context) if kind == "services")
    apps = f"{_count(len(context.section('apps')), 'app')} with {_count(services, 'service')}"
    hosts_ = _count(len(context.inventory.groups.get("all", ())), "host")
    known = _count(len(context.section("secrets", "names")), "secret")
    return f"{context.platform.get('name')} ({context.platform.get('environment')}): {hosts_}, {apps}, {known}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def unreadable(directories: Sequence[Path], name: Name = str) -> Report:
    """Variable files beside inventories that Ansible could not load, so that it would end with a message that names
    no file. Files that are encrypted as a whole are passed by."""
    report = Report("")
    for directory in directories:
        for folder in VARIABLES:
            for path in sorted((directory / folder).rglob("*"), key=lambda found: natural(str(found))):
                if path.suffix in SUFFIXES and path.is_file() and not _hidden(path, directory):
                    _load(path, report, name(path))
    return report


def _hidden(path: Path, directory: Path) -> bool:
    return any(part.startswith(".") or part.endswith("~") for part in path.relative_to(directory).parts)


def _load(path: Path, report: Report, called: str) -> None:
    with path.open("rb") as handle:
        if handle.read(15).startswith(b"$ANSIBLE_VAULT;"):
            return
    document = _read(path, report, "", called)
    if document is None:
        return
    if document.loadable and document.data is not None and not isinstance(document.data, Mapping):
        document.problems.append(Problem(called, 1, 1, "", "a file of variables is a mapping (NAME: VALUE) at its top"))
        document.loadable = False
    if not document.loadable:
        _collect(report, document)


def files(directories: Sequence[Path]) -> list[Path]:
    """The platform.yml of each inventory directory that has one."""
    return [directory / PLACE for directory in directories if (directory / PLACE).exists()]
