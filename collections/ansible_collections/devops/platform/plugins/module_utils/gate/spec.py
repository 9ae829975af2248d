# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is asked of changed hosts: objectives as typed values, or every mistake in them, and whole queries."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.suggest import did_you_mean

COMPARISONS = ("<", "<=", ">", ">=")
TESTS = ("mann_whitney",)
PLACEHOLDERS = ("@hosts", "@window")
MOST_POINTS = 200  # of one objective that are measured, and returned
SLICES = 8  # of the window that a test compares: two groups of 8 can differ by chance in 1 of 12870 ways
GUARD = 1.2  # how many times worse is worth an abort, however certain it is
SIGNIFICANCE = 0.01

KEYS = ("name", "query", "comparison", "threshold", "window", "min_samples", "traffic", "baseline")
UNITS = {"y": 31536000.0, "w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
DURATION = re.compile("".join(rf"(?:(?P<{unit}>\d+){unit})?" for unit in UNITS))
# Text in quotes and comments are PromQL's own; `@ start()` and `@ end()` are, too.
TOKEN = re.compile(
    r"""(?P<own>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\#[^\n]*)|(?P<word>@(?!(?:start|end)\()[A-Za-z_]\w*)"""
)
META = re.compile(r"[\\.+*?()|\[\]{}^$]")


class SpecError(ValueError):
    """Objectives that cannot be judged; one line each in `problems`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Traffic:
    """How many events there must have been for a value to mean something."""

    query: str
    at_least: float


@dataclass(frozen=True)
class Baseline:
    """How much worse than the unchanged hosts is too much; with `test`, only where chance does not explain it."""

    ratio: float
    test: str = ""
    significance: float = SIGNIFICANCE


@dataclass(frozen=True)
class Objective:
    """One value and what it must be to be good; `window` in seconds."""

    name: str
    query: str
    comparison: str
    window: float
    threshold: float | None = None
    min_samples: int = 3
    traffic: Traffic | None = None
    baseline: Baseline | None = None

    @property
    def less_is_better(self) -> bool:
        return self.comparison.startswith("<")

    @property
    def tested(self) -> bool:
        return self.baseline is not None and bool(self.baseline.test)


@dataclass(frozen=True)
class Scope:
    """Which hosts were changed and which are still to be, and the label that names them."""

    hosts: tuple[str, ...]
    baseline_hosts: tuple[str, ...] = ()
    label: str = "host"


def seconds(text: object) -> float:
    """A Prometheus duration such as 90s or 1h30m; ValueError where it is none, or nothing long."""
    match = DURATION.fullmatch(text) if isinstance(text, str) and text else None
    total = sum(float(match[unit] or 0) * size for unit, size in UNITS.items()) if match else 0.0
    if total <= 0:
        raise ValueError(f"{text!r} is no duration such as 60s or 5m")
    return total


def duration(length: float) -> str:
    """Seconds in Prometheus' words, to the millisecond: `60s`, `7500ms`."""
    milliseconds = max(1, round(length * 1000))
    return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"


def matcher(label: str, hosts: Iterable[str]) -> str:
    """A label matcher of exactly these hosts. Names are escaped twice: for the expression, and for PromQL's text."""
    pattern = "|".join(META.sub(r"\\\g<0>", host) for host in hosts)
    quoted = pattern.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{label}=~"{quoted}"'


def expand(query: str, label: str, hosts: Iterable[str], window: float) -> str:
    """The query with its placeholders replaced; text in quotes and comments stay as they are."""
    known = {"@hosts": matcher(label, hosts), "@window": duration(window)}
    return TOKEN.sub(lambda found: known.get(found["word"] or "", found[0]), query)


def words(query: str) -> list[str]:
    """What looks like a placeholder."""
    return [found["word"] for found in TOKEN.finditer(query) if found["word"]]


def parse(objectives: Any, window: Any = "60s") -> tuple[Objective, ...]:
    """The objectives; SpecError with every mistake where there is one. `window` is for those that name none."""
    found: list[str] = []
    default = _duration(window, "window", found)
    parsed = _objectives(objectives, default, found)
    if found:
        raise SpecError(found)
    return parsed


def problems(objectives: Any) -> list[str]:
    """Every mistake in a list of objectives, each with its place and what would be right; for preflight."""
    found: list[str] = []
    _objectives(objectives, 60.0, found)
    return found


def _objectives(objectives: Any, window: float, found: list[str]) -> tuple[Objective, ...]:
    if not isinstance(objectives, (list, tuple)):
        found.append(f"objectives must be a list, not {objectives!r}")
        return ()
    if not objectives:
        found.append("objectives is empty: without one nothing would be judged")
    parsed = tuple(_Reader(f"objectives[{n}]", raw, found).objective(window) for n, raw in enumerate(objectives))
    for name, number in Counter(item.name for item in parsed if item.name).items():
        if number > 1:
            found.append(f"objectives: the name {name!r} is there {number} times; each needs its own")
    return parsed


def _duration(raw: object, place: str, found: list[str]) -> float:
    try:
        return seconds(raw)
    except ValueError as error:
        found.append(f"{place}: {error}")
        return 60.0


class _Reader:
    """One mapping, key by key: what is wrong goes to `found`, and reading goes on with something harmless."""

    def __init__(self, place: str, raw: Any, found: list[str]) -> None:
        name = raw.get("name") if isinstance(raw, Mapping) else None
        self.place = f"{place} ({name})" if isinstance(name, str) and name.strip() else place
        self.found = found
        self.raw: Mapping[Any, Any] = raw if isinstance(raw, Mapping) else {}
        self.sound = isinstance(raw, Mapping)
        if not self.sound:
            self.wrong("", f"must be a mapping, not {raw!r}")

    def wrong(self, key: str, text: str) -> None:
        self.found.append(f"{self.place}{'.' if key else ''}{key}{': ' if key else ' '}{text}")

    def has(self, key: str) -> bool:
        return self.raw.get(key) is not None

    def known(self, keys: tuple[str, ...]) -> None:
        for key in self.raw:
            if key not in keys:
                self.wrong(str(key), f"is no key here{did_you_mean(key, keys)}")

    def below(self, key: str, keys: tuple[str, ...]) -> _Reader:
        reader = _Reader(f"{self.place}.{key}", self.raw[key], self.found)
        reader.known(keys)
        return reader

    def text(self, key: str, right: str) -> str:
        value = self.raw.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if self.sound:
            self.wrong(key, f"is {'missing' if value is None else repr(value)}; it must be {right}")
        return ""

    def number(self, key: str, right: str, fits: Callable[[float], bool], default: float | None = None) -> float:
        value = self.raw.get(key)
        if value is None and default is not None:
            return default
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and value is not None and math.isfinite(value) and fits(value):
            return float(value)
        if self.sound:
            self.wrong(key, f"is {'missing' if value is None else repr(value)}; it must be {right}")
        return 1.0

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.raw.get(key)
        if value in choices:
            return str(value)
        if self.sound:
            said = "missing" if value is None else repr(value)
            self.wrong(key, f"is {said}; it must be one of {', '.join(choices)}")
        return choices[0]

    def query(self, key: str, compared: bool) -> str:
        query = self.text(key, "PromQL, such as sum(rate(errors_total{@hosts}[@window]))")
        found = words(query)
        for word in found:
            if word not in PLACEHOLDERS:
                self.wrong(key, f"{word} is no placeholder{did_you_mean(word, PLACEHOLDERS)}")
        if query and compared and "@hosts" not in found:
            self.wrong(key, "must hold @hosts: a baseline asks it of the changed and of the unchanged hosts")
        return query

    def objective(self, window: float) -> Objective:
        self.known(KEYS)
        compared = self.has("baseline")
        if self.sound and not compared and not self.has("threshold"):
            self.wrong("threshold", "is missing; there must be a threshold or a baseline")
        min_samples = self.number(
            "min_samples", f"a whole number from 1 to {MOST_POINTS}", lambda n: n == int(n) and 1 <= n <= MOST_POINTS, 3
        )
        return Objective(
            name=self.text("name", "a name of its own"),
            query=self.query("query", compared),
            comparison=self.choice("comparison", COMPARISONS),
            window=_duration(self.raw["window"], f"{self.place}.window", self.found) if self.has("window") else window,
            threshold=self.number("threshold", "a number", lambda _n: True) if self.has("threshold") else None,
            min_samples=int(min_samples),
            traffic=self.below("traffic", ("query", "at_least")).traffic(compared) if self.has("traffic") else None,
            baseline=self.below("baseline", ("ratio", "test", "significance")).baseline() if compared else None,
        )

    def traffic(self, compared: bool) -> Traffic:
        return Traffic(self.query("query", compared), self.number("at_least", "a number above 0", lambda n: n > 0))

    def baseline(self) -> Baseline:
        test = self.choice("test", TESTS) if self.has("test") else ""
        if self.has("significance") and not test:
            self.wrong("significance", f"belongs to a test; add test: {TESTS[0]}, or leave it out")
        if self.sound and not self.raw:
            self.wrong("", "is empty; it must hold ratio, such as 1.5, or test")
            return Baseline(GUARD)
        ratio = self.number("ratio", "a number above 1, such as 1.5", lambda n: n > 1, GUARD if test else None)
        significance = self.number(
            "significance", "a number above 0 and below 0.5", lambda n: 0 < n < 0.5, SIGNIFICANCE
        )
        return Baseline(ratio, test, significance)
