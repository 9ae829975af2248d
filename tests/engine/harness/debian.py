"""Real Debian packages of the service under test, put into apt's cache, and changes that concern their versions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.engine.harness.agent import PORT
from tests.engine.harness.machine import PLACE, Machine
from tests.engine.harness.matrix import Matrix
from tests.engine.harness.scenarios import CONFIG, PURGED, ROLLED_BACK, Description, Scenario, config, file

PACKAGE = "probe-app"
# The epoch is a colon, which is no colon in the names of files. What is wrong with 2.1 and 2.2: see service.py.
FIRST, SECOND, ILL, EXITS = "1:1.0", "1:2.0", "1:2.1", "1:2.2"
FAULTS = {FIRST: "", SECOND: "", ILL: "ill", EXITS: "exits"}
BUILT = "/srv/packages"
CACHE = "/var/cache/apt/archives"
TRAP, LOG = "/srv/trap", "/srv/packages/log"
UNIT_FILE = "/usr/lib/systemd/system/probe_app.service"
# Where a package leaves its marks, beside what every component may.
TREES = ("/var/lib/dpkg", "/var/lib/apt/extended_states", CACHE, "/usr/lib/probe-app", UNIT_FILE)
UNIT = f"""[Unit]
Description=the service under test, as a package brings it
[Service]
ExecStart=/usr/bin/python3 /usr/lib/probe-app/service {CONFIG}
ExecReload=/bin/kill -HUP $MAINPID
[Install]
WantedBy=multi-user.target
"""
# The word in TRAP names the script in which the power fails: for the engine, for apt and for dpkg.
SCRIPT = """#!/bin/sh
if [ "$(cat {trap} 2>/dev/null)" = "{script} {version}" ]; then
  rm {trap}
  apt=$(ps -o ppid= -p $PPID)
  kill -9 $(ps -o ppid= -p $apt) $apt $PPID
  exit 1
fi
{more}
"""
START = """[ "$1" = configure ] || exit 0
echo "{version} $DEBIAN_FRONTEND" >> {log}
systemctl daemon-reload
systemctl enable --quiet probe_app
systemctl restart probe_app"""
STOP = '[ "$1" = remove ] || exit 0; systemctl disable --quiet --now probe_app'
SCRIPTS = {"preinst": "", "postinst": START, "prerm": STOP, "postrm": ""}


def build(machine: Machine) -> None:
    """All versions, by dpkg-deb; each ships another default configuration."""
    if machine.exists(BUILT):
        return
    for version, fault in FAULTS.items():
        folder = f"/srv/building/{version}"
        control = f"Package: {PACKAGE}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <n@example.org>\n"
        machine.put(f"{folder}/DEBIAN/control", f"{control}Description: the service under test\n")
        machine.put(f"{folder}/DEBIAN/conffiles", f"{CONFIG}\n")
        for script, more in SCRIPTS.items():
            words = {"trap": TRAP, "log": LOG, "script": script, "version": version}
            text = SCRIPT.format(**words, more=more.format(**words))
            machine.put(f"{folder}/DEBIAN/{script}", text, "0755")
        machine.put(f"{folder}{CONFIG}", config(f"as {version} is packaged"))
        machine.put(f"{folder}{UNIT_FILE}", UNIT)
        release = {"version": version, "fault": fault}
        machine.put(f"{folder}/usr/lib/probe-app/release.json", json.dumps(release))
        machine.execute("cp", f"{PLACE}/tests/engine/harness/service.py", f"{folder}/usr/lib/probe-app/service")
        machine.execute("mkdir", "-p", BUILT)
        machine.execute("dpkg-deb", "--root-owner-group", "--build", folder, archive(version))


def archive(version: str, folder: str = BUILT) -> str:
    return f"{folder}/{PACKAGE}_{version.replace(':', '%3a')}_all.deb"


def cache(machine: Machine, versions: Iterable[str] = FAULTS) -> None:
    """Make apt's cache hold these versions and no other."""
    for version in FAULTS:
        machine.remove(archive(version, CACHE))
    for version in versions:
        machine.execute("cp", archive(version), CACHE)


def apt_installs(machine: Machine, version: str) -> None:
    """What a task before the engine's does."""
    machine.execute("dpkg", "--force-confold", "--install", archive(version))


def purge(machine: Machine) -> None:
    machine.remove(TRAP)
    machine.execute("sh", "-c", f"! dpkg-query --show {PACKAGE} || dpkg --force-remove-reinstreq --purge {PACKAGE}")
    cache(machine, ())
    machine.remove("/etc/probe_app")
    machine.execute("systemctl", "daemon-reload")


def installed(machine: Machine) -> str:
    return machine.execute("dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Version}", PACKAGE)


def described(message: str = "first", **more: Any) -> Description:
    """The package's service with a configuration of ours."""
    return {
        "name": "probe_app",
        "state": "present",
        "packages": [PACKAGE],
        "files": [file(CONFIG, config(message), on_change="reload")],
        "service": {"name": "probe_app"},
        "probe": {
            "http": f"http://127.0.0.1:{PORT}/",
            "contains": f'"health": "well", "port": {PORT}, "message": "{message}"',
            "timeout": 0.5,
        },
        **more,
    }


UPGRADE, FAILED, ROLLBACK = "a package's upgrade", "a package's upgrade, failed", "a package's rollback"
SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(UPGRADE, (described(),), described("second")),
        Scenario(FAILED, (described(),), described("second"), fails=True),
        Scenario(ROLLBACK, (described(), described("second")), ROLLED_BACK, repeatable=False),
    )
}
# The package's version at each of these descriptions, and at the change.
VERSIONS = {UPGRADE: (FIRST, SECOND), FAILED: (FIRST, ILL), ROLLBACK: (FIRST, SECOND, SECOND)}


class PackageMatrix(Matrix):
    """There is a third state: `kept`, before apt installed the other version. It is where taking back leads to."""

    ALSO = TREES
    NAMES = ("before", "kept", "after")

    def prepare(self) -> None:
        machine = self.machine
        machine.wipe_everything()
        build(machine)
        purge(machine)
        cache(machine)
        *earlier, last = VERSIONS[self.scenario.name]
        for version, description in zip(earlier, self.scenario.before, strict=True):
            apt_installs(machine, version)
            machine.well(description)
        machine.remember("kept")
        if last != earlier[-1]:
            apt_installs(machine, last)
        if self.scenario.fails:
            self.taken_back = "kept"

    def done(self) -> None:
        self.machine.well(PURGED)
        purge(self.machine)
        self.machine.wipe_everything()
