"""The command line: ``python -m lab COMMAND``."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from lab import (
    artifacts,
    base_images,
    cluster,
    ephemeral,
    fleet,
    host_image,
    images,
    mirror,
    prerequisites,
    programs,
)
from lab.errors import LabError
from lab.hosts import Launcher
from lab.progress import elapsed, say, step
from lab.runtime import PREFIX, connect, find_container
from lab.state import State

EPILOG = """\
settings (environment; `up` saves them): LAB_APP_HOSTS number of application hosts (2), LAB_LOG_HOSTS of hosts that keep
logs (0), LAB_SUBNET the lab's private /24 (172.30.0.0/24), LAB_REGISTRY_PORT where the mirror's registry is published
on 127.0.0.1 (5000). LAB_GO_TOOLCHAIN=local builds programs with the Go that is installed, instead of the one that their
go.mod names; LAB_MAVEN is another repository of Maven's layout to fetch from.
"""


def parser() -> argparse.ArgumentParser:
    main_parser = argparse.ArgumentParser(prog="python -m lab", description="The local lab of systemd hosts.")
    main_parser.epilog = EPILOG
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(function=function)
        return added

    command("up", _up, "start the hosts and the mirror, build what is missing")
    added = command("down", _down, "remove the hosts, the mirror and the network")
    added.add_argument("--purge", action="store_true", help="also the mirror's volume, the lab's images and its state")
    added = command("status", _status, "show hosts, addresses and states")
    added.add_argument("--json", action="store_true", help="as JSON")
    added = command("build", _build, "build the hosts' and the mirror's images anew")
    added.add_argument("--debian", choices=sorted(host_image.SUITES), default="13", help="release (13)")
    added = command("images", _images, "build and push changed application images of the running lab")
    added.add_argument("names", nargs="*", metavar="NAME", help="optional images (images.yml) to build, too")
    added = command(
        "bases", _bases, "without a registry: lend base images upstream's names, for docker compose in apps/"
    )
    added.add_argument("--remove", action="store_true", help="take the names back; the images stay")
    added = command("artifacts", _artifacts, "make the mirror's artifacts anew from current Debian packages")
    added.add_argument(
        "names", nargs="*", metavar="NAME", help=f"instead, build or fetch: {', '.join(sorted(programs.NAMES))}"
    )
    command("cluster", _cluster, "fill the running lab's mirror with what a Kubernetes cluster is made of")
    added = command("exec", _exec, "run a command on a host as root, without SSH")
    added.add_argument("host")
    added.add_argument("arguments", nargs=argparse.REMAINDER, metavar="COMMAND")
    hosts = command("hosts", _hosts, "short-lived hosts beside the fleet")
    hosts.add_argument("action", choices=("up", "down"))
    hosts.add_argument("--prefix", required=True, help="hosts are called PREFIX1, PREFIX2, …")
    hosts.add_argument("--count", type=int, default=1)
    hosts.add_argument("--debian", choices=sorted(host_image.SUITES), default="13")
    hosts.add_argument("--docker", action="store_true", help="give the hosts the volume that nested Docker needs")
    hosts.add_argument("--inventory", type=Path, help="write a YAML inventory of the hosts to this file")
    return main_parser


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        return int(options.function(options))
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run the command again to go on, or `down` to remove everything", file=sys.stderr)
        return 130


def _up(_options: argparse.Namespace) -> int:
    state = State()
    fleet.up(state)
    say(f"the lab is up after {elapsed():.1f} s")
    return _print_status(state)


def _print_status(state: State) -> int:
    settings, rows = fleet.status(state)
    print(fleet.table(rows))
    print(f"\nnetwork {settings.subnet}; registry 127.0.0.1:{settings.registry_port}; state {state.root}")
    return 0 if all(row.state == "running" for row in rows) else 3


def _down(options: argparse.Namespace) -> int:
    fleet.down(State(), options.purge)
    return 0


def _status(options: argparse.Namespace) -> int:
    state = State()
    if not options.json:
        return _print_status(state)
    settings, rows = fleet.status(state)
    print(json.dumps({"settings": settings.to_dict(), "hosts": [asdict(row) for row in rows]}, indent=2))
    return 0


def _build(options: argparse.Namespace) -> int:
    state = State()
    with state.locked():
        client = prerequisites.ensure_docker(state)
        host_image.ensure(client, options.debian, rebuild=True)
        if options.debian == "13":
            mirror.ensure_image(client, rebuild=True)
    return 0


def _running(state: State) -> Launcher:
    launcher = Launcher(connect(), state.load_settings())
    if not launcher.containers("mirror"):
        raise LabError("the lab does not run", "run `python -m lab up` first")
    return launcher


def _images(options: argparse.Namespace) -> int:
    state = State()
    with state.locked(), step("application images") as notes:
        notes.append(images.ensure(_running(state), state, asked=options.names))
    return 0


def _bases(options: argparse.Namespace) -> int:
    state = State()
    with state.locked():
        client = prerequisites.ensure_docker(state)
        change = base_images.take_back if options.remove else base_images.lend
        names = change(client, sorted(base_images.BASE_IMAGES))
    what = "removed" if options.remove else "given"
    say(f"{what}: {', '.join(names) or 'nothing, as the registry answers or the names are taken'}")
    return 0


def _artifacts(options: argparse.Namespace) -> int:
    state = State()
    if options.names:
        wanted = programs.known(options.names)
        launcher = _running(state)
        # Not under the lab's lock: a build may take longer than another command would wait.
        releases = [programs.make(name, state) for name in wanted]
        with state.locked():
            programs.publish(launcher, state, releases)
        return 0
    with state.locked(), step("artifacts") as notes:
        notes.append(artifacts.ensure(_running(state), state, rebuild=True))
    return 0


def _cluster(_options: argparse.Namespace) -> int:
    state = State()
    launcher = _running(state)
    with step("what a cluster is made of") as notes:
        notes.append(cluster.ensure(launcher, state))
    return 0


def _exec(options: argparse.Namespace) -> int:
    name = f"{PREFIX}-{options.host}"
    if find_container(connect(timeout=20), name) is None:
        raise LabError(f"there is no host {options.host}", "see `python -m lab status`")
    if shutil.which("docker") is None:
        raise LabError("the command `docker` is missing", "install it (package docker-cli or docker.io), or use ssh")
    terminal = ["-it"] if sys.stdin.isatty() else ["-i"]
    # The command takes this process's place: its exit code, signals and terminal are the caller's.
    os.execvp("docker", ["docker", "exec", *terminal, name, *(options.arguments or ["bash", "-l"])])  # noqa: S606


def _hosts(options: argparse.Namespace) -> int:
    if options.action == "down":
        say(f"{ephemeral.hosts_down(options.prefix)} hosts removed")
        return 0
    hosts = ephemeral.hosts_up(options.prefix, options.count, options.debian, options.docker)
    if options.inventory:
        ephemeral.write_inventory(options.inventory, hosts)
    for host in hosts:
        print(f"{host.name}\t{host.address}")
    return 0
