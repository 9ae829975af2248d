"""Measures what runs cost against their limits: ``python -m tools.bench [PART …] [--runs N] [--cold]``."""

from __future__ import annotations

import argparse
import configparser
import datetime as dt
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from lab import ephemeral
from lab.errors import LabError
from tools import REPOSITORY, hosts, locked_path
from tools.capacity import measure as capacity
from tools.measurements import MEASURES, PARTS, Result, Sample, document, merged, missed, text, to_data

WORK = REPOSITORY / "build" / "bench"
DOCUMENT = REPOSITORY / "docs" / "benchmarks.md"
FIGURES = REPOSITORY / "docs" / "benchmarks.json"
PREFIX = "bench"
HOSTS = 10
PING = ("tools/playbooks/ping.yml",)
NODE_EXPORTER = ("playbooks/monitoring.yml", "--tags", "node_exporter")
HOST_PHASE = ("playbooks/hosts.yml",)
DRIFT_HOSTS = 12
DRIFT = ("playbooks/drift.yml",)
ROLLOUT = ("playbooks/rollout.yml", "--extra-vars", "target=node_exporter")
ASKED_FOR = {"cold", "capacity"}  # parts that take long: only where they are named
ROLL_OUT = ("site.yml",)
REMOVE = ("tools/playbooks/remove_node_exporter.yml",)


class BenchError(Exception):
    """A run that failed: there is nothing to measure."""


@dataclass
class Bench:
    """How things are run and timed; ``runs`` a measure."""

    runs: int
    inventory: Path | None = None

    def playbook(self, *arguments: str) -> Sample:
        inventory = ("-i", str(self.inventory)) if self.inventory else ()
        return self.command("ansible-playbook", *inventory, *arguments)

    def command(self, *command: str) -> Sample:
        """Run it to its end, timed; what the progress callback reports comes with it."""
        report, log = WORK / "report.json", WORK / "last.log"
        report.unlink(missing_ok=True)
        environment = {
            **os.environ,
            "PATH": locked_path(),
            "DEVOPS_PLATFORM_REPORT": str(report),
            "NO_COLOR": "1",
        }
        with log.open("w") as stream:
            start = time.monotonic()
            code = subprocess.run(
                command, cwd=REPOSITORY, env=environment, stdout=stream, stderr=subprocess.STDOUT, check=False
            ).returncode
            seconds = time.monotonic() - start
        if code:
            end = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
            raise BenchError(f"`{' '.join(command)}` ended with {code}; nothing to measure:\n{end}")
        counted = json.loads(report.read_text()) if report.exists() else {}
        sample = Sample(seconds, *(int(counted.get(key, 0)) for key in ("tasks", "round_trips", "changed")))
        print(f"  {seconds:7.1f} s  {sample.tasks:3} tasks  {' '.join(command[-3:])}", flush=True)
        return sample


def measure_hosts(bench: Bench) -> dict[str, Result]:
    """node_exporter, base and docker on ten hosts, each run beside one of the floor."""
    nothing, first, phase = (measure.name for measure in MEASURES if measure.part == "hosts")
    floor: dict[str, list[float]] = {nothing: [], first: [], phase: []}
    samples: dict[str, list[Sample]] = {name: [] for name in floor}

    def beside_the_floor(name: str, *arguments: str) -> None:
        floor[name].append(bench.playbook(*PING).seconds)
        samples[name].append(bench.playbook(*arguments))

    with short_lived(bench):
        bench.playbook(*HOST_PHASE)
        for _run in range(bench.runs):
            bench.playbook(*REMOVE)
            beside_the_floor(first, *NODE_EXPORTER)
            beside_the_floor(nothing, *NODE_EXPORTER)
            beside_the_floor(phase, *HOST_PHASE)
    return {name: Result(name, HOSTS, tuple(found), tuple(floor[name])) for name, found in samples.items()}


@contextmanager
def short_lived(bench: Bench) -> Iterator[None]:
    """Ten hosts that the lab's platform.yml fits: all run applications, the first one has every other part too.

    They are in the groups of their phases from the start, as playbooks/groups.yml would sort them.
    """
    common = ["app", "platform_docker"]
    first = ["edge", "data", "monitoring", "platform_monitoring"]
    platforms: list[Mapping[str, Any]] = [
        {"name": f"{PREFIX}{number}", "docker": True, "groups": [*common, *(first if number == 1 else ())]}
        for number in range(1, HOSTS + 1)
    ]
    folder = WORK / "inventory"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "group_vars").symlink_to(REPOSITORY / "inventories" / "lab" / "group_vars")
    try:
        ephemeral.write_inventory(folder / "hosts.yml", hosts.up(platforms))
        bench.inventory = folder
        yield
    finally:
        bench.inventory = None
        hosts.down(platforms)


def measure_drift(bench: Bench) -> dict[str, Result]:
    """drift.yml and a rollout on hosts that carry base and node_exporter, each run beside one of the floor."""
    drift, rollout = (measure.name for measure in MEASURES if measure.part == "drift")
    runs = {drift: DRIFT, rollout: ROLLOUT}
    floor: dict[str, list[float]] = {name: [] for name in runs}
    samples: dict[str, list[Sample]] = {name: [] for name in runs}
    platforms: list[Mapping[str, Any]] = [
        {"name": f"{PREFIX}{number}", "groups": ["monitoring"]} for number in range(1, DRIFT_HOSTS + 1)
    ]
    folder = WORK / "inventory"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "group_vars" / "all").mkdir(parents=True)
    (folder / "group_vars" / "all" / "platform.yml").write_text(yaml.safe_dump({"platform": plain_platform()}))
    try:
        ephemeral.write_inventory(folder / "hosts.yml", hosts.up(platforms))
        bench.inventory = folder
        bench.playbook(*ROLL_OUT)
        for _run in range(bench.runs):
            for name, arguments in runs.items():
                floor[name].append(bench.playbook(*PING).seconds)
                samples[name].append(bench.playbook(*arguments))
    finally:
        bench.inventory = None
        hosts.down(platforms)
    return {name: Result(name, DRIFT_HOSTS, tuple(samples[name]), tuple(floor[name])) for name in runs}


def plain_platform() -> dict[str, Any]:
    """The lab's platform.yml less all that is not on every host."""
    lab = REPOSITORY / "inventories" / "lab" / "group_vars" / "all" / "platform.yml"
    platform: dict[str, Any] = yaml.safe_load(lab.read_text())["platform"]
    left_out = ("docker", "data", "edge", "apps", "rollout", "slos")
    platform["hosts"]["upgrades"] = "none"
    platform["monitoring"] = {key: platform["monitoring"][key] for key in ("group", "node_exporter")}
    return {key: value for key, value in platform.items() if key not in left_out}


def measure_up(bench: Bench) -> dict[str, Result]:
    """`make up` after `make down`: the hosts are new, images and mirror are there."""
    return _up(bench, "up", "down")


def measure_cold(bench: Bench) -> dict[str, Result]:
    """`make up` with nothing of the lab there: base images, mirror and application images are made first."""
    return _up(bench, "cold", "down", "--purge")


def _up(bench: Bench, part: str, *down: str) -> dict[str, Result]:
    [measure] = (measure for measure in MEASURES if measure.part == part)
    samples = []
    for _run in range(bench.runs):
        bench.command(sys.executable, "-m", "lab", *down)
        samples.append(bench.command(sys.executable, "-m", "tools.up"))
    return {measure.name: Result(measure.name, fleet_size(), tuple(samples))}


def measure_site(bench: Bench) -> dict[str, Result]:
    """site.yml on the lab, after one run that puts right what may be left to do."""
    [measure] = (measure for measure in MEASURES if measure.part == "site")
    bench.playbook("site.yml")
    floor, samples = [], []
    for _run in range(bench.runs):
        floor.append(bench.playbook(*PING).seconds)
        samples.append(bench.playbook("site.yml"))
    return {measure.name: Result(measure.name, fleet_size(), tuple(samples), tuple(floor))}


def fleet_size() -> int:
    command = (sys.executable, "-m", "lab", "status", "--json")
    status = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    return sum(row["groups"] != "-" for row in json.loads(status)["hosts"])


def facts() -> list[tuple[str, str]]:
    """What of this machine bears on the figures, without its name."""
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(REPOSITORY / "ansible.cfg")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        ("cores", str(os.cpu_count())),
        ("memory", f"{memory:.0f} GiB"),
        ("processor", platform.machine()),
        ("kernel", platform.release().split("-")[0]),
        ("cgroups", "v2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "v1"),
        ("Python", platform.python_version()),
        ("ansible-core", version("ansible-core")),
        ("forks", settings["defaults"]["forks"]),
    ]


def measure_capacity(_bench: Bench) -> dict[str, Result]:
    """What one Prometheus carries has a document of its own: it is nothing that a run takes."""
    try:
        capacity.run()
    except capacity.CapacityError as error:
        raise BenchError(str(error)) from error
    return {}


MEASURED = {
    "hosts": measure_hosts,
    "drift": measure_drift,
    "up": measure_up,
    "site": measure_site,
    "cold": measure_cold,
    "capacity": measure_capacity,
}


def parts(named: list[str], cold: bool) -> list[str]:
    """Which parts, in the order in which one serves the next: the lab is up when site.yml is measured."""
    wanted = set(named) or set(PARTS) - ASKED_FOR
    if cold:
        wanted.add("cold")
    return [part for part in ("hosts", "drift", "cold", "up", "site", "capacity") if part in wanted]


def save(results: dict[str, Result]) -> None:
    old = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    together = merged(old, results)
    FIGURES.write_text(json.dumps(to_data(together), indent=1) + "\n")
    DOCUMENT.write_text(document(together, facts(), f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; without: all but cold and capacity"
    )
    parser.add_argument("--runs", type=int, default=3, help="runs of each measure (3)")
    parser.add_argument("--cold", action="store_true", help="also `make up` with nothing cached")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}")
    WORK.mkdir(parents=True, exist_ok=True)
    results: dict[str, Result] = {}
    bench = Bench(max(1, options.runs))
    try:
        for part in parts(options.parts, options.cold):
            print(f"{part}:", flush=True)
            found = MEASURED[part](bench)
            results.update(found)
            if found:
                save(results)
    except (BenchError, LabError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not results:
        return 0
    print(f"\n{text(results)}\n\nwritten to {DOCUMENT.relative_to(REPOSITORY)}")
    late = missed(results)
    for line in late:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
