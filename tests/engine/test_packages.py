"""Packages whose version changes: probed, put back where the proof fails, and gone back to, with real apt and dpkg."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.harness import debian
from tests.engine.harness.debian import EXITS, FIRST, ILL, PACKAGE, SECOND, apt_installs, cache, described, installed
from tests.engine.harness.machine import Machine
from tests.engine.harness.scenarios import CONFIG, NAME, PURGED, ROLLED_BACK

NOBODY = "neither the local cache nor a package source has"
REPOSITORY = "/srv/repository"
SOURCE = "/etc/apt/sources.list.d/probe-app.list"


@pytest.fixture
def first(machine: Machine) -> Iterator[Machine]:
    """The package's first version runs with a configuration of ours; apt's cache has all versions."""
    debian.build(machine)
    cache(machine)
    apt_installs(machine, FIRST)
    machine.well(described())
    machine.remember("first")
    yield machine
    machine.well(PURGED)
    debian.purge(machine)


def package(result: dict[str, Any]) -> list[str]:
    """What the plan says of packages, and what happens to the service."""
    return [
        f"{item['action']}: {item['reason']}" if item["target"] == PACKAGE else item["action"]
        for item in result["plan"]
        if item["target"] in (PACKAGE, "probe_app.service")
    ]


def answer(machine: Machine) -> tuple[str, str]:
    found = machine.ask()
    return str(found.get("version")), str(found.get("message"))


def failed(machine: Machine, component: dict[str, Any]) -> str:
    result = machine.result(component)
    assert result["failed"]
    return str(result["message"])


def test_equal_versions_ask_dpkg_and_nobody_else(first: Machine) -> None:
    run = first.run(described())
    assert (run["results"][0]["plan"], run["steps"]) == ([], [])
    assert {query[0] for query in run["queries"]} == {"systemctl", "dpkg-query"}


def test_a_version_alone_is_probed_without_a_restart_of_ours(first: Machine) -> None:
    apt_installs(first, SECOND)
    pid = first.show()["MainPID"]
    result = first.well(described())
    assert package(result) == [f"package: {FIRST} becomes {SECOND}; back: from the local cache"]
    assert first.show()["MainPID"] == pid
    assert first.well(described())["plan"] == []


@pytest.mark.parametrize("message", ["first", "second"])
@pytest.mark.parametrize("version", [ILL, EXITS])
def test_an_upgrade_whose_probe_fails_is_taken_back(version: str, message: str, first: Machine) -> None:
    """With a change of ours and without; with a service that answers wrongly, and with one that does not run."""
    apt_installs(first, version)
    if version == EXITS:
        first.execute("sh", "-c", "while systemctl is-active --quiet probe_app; do sleep 0.05; done")
    told = failed(first, described(message))
    assert f"The package {PACKAGE} is at {FIRST} again" in told
    assert "Everything is as before; the old service answers again" in told
    assert installed(first) == f"installed {FIRST}"
    assert answer(first) == (FIRST, "first")
    first.assert_is("first")


def test_a_file_that_is_refused_leaves_the_package_alone(first: Machine) -> None:
    """What apt installed last night is not to blame for what somebody wrote today."""
    apt_installs(first, SECOND)
    pid = first.show()["MainPID"]
    change = described("second")
    change["files"][0]["validate"] = "/bin/false %s"
    told = failed(first, change)
    assert "was refused by" in told
    assert "Nothing was switched; what ran before runs on" in told
    assert installed(first) == f"installed {SECOND}"
    assert answer(first) == (SECOND, "first")
    assert first.show()["MainPID"] == pid


def test_a_good_upgrade_is_kept_and_rolled_back_leads_to_the_first(first: Machine) -> None:
    apt_installs(first, SECOND)
    first.well(described("second"))
    assert answer(first) == (SECOND, "second")
    result = first.well(ROLLED_BACK)
    assert package(result) == [
        f"package: {SECOND} becomes {FIRST}, from the local cache; back: from the local cache",
        "restart",
    ]
    assert answer(first) == (FIRST, "first")
    first.assert_is("first")


def test_our_file_stays_and_nobody_is_asked(first: Machine) -> None:
    """Each version ships another default of a file that is ours."""
    apt_installs(first, SECOND)
    first.well(described("second"))
    first.execute("truncate", "--size=0", debian.LOG)
    first.well(ROLLED_BACK)
    assert '"first"' in str(first.read(CONFIG))
    assert first.read(debian.LOG) == f"{FIRST} noninteractive\n"


def test_an_emptied_cache_is_no_way_back_and_the_plan_says_so(first: Machine) -> None:
    apt_installs(first, ILL)
    cache(first, ())
    foreseen = first.well(described("second"), check=True)
    assert package(foreseen)[0] == f"package: {FIRST} becomes {ILL}; no way back: {NOBODY} {FIRST}"
    told = failed(first, described("second"))
    assert f"The package {PACKAGE} did not get back to {FIRST}: {NOBODY} {FIRST}" in told
    assert "Files are as before, but the old service does not answer" in told
    assert installed(first) == f"installed {ILL}"
    # The next upgrade is a change like any other.
    apt_installs(first, SECOND)
    first.well(described("second"))
    assert answer(first) == (SECOND, "second")


def test_rolled_back_without_a_way_leaves_the_package_and_says_so(first: Machine) -> None:
    apt_installs(first, SECOND)
    first.well(described("second"))
    cache(first, (SECOND,))
    stays = f"stays at {SECOND}; that generation had {FIRST}: {NOBODY} {FIRST}"
    foreseen = first.well(ROLLED_BACK, check=True)
    result = first.well(ROLLED_BACK)
    for told in (foreseen, result):
        assert package(told)[0] == f"keep package: {stays}"
        assert told["notes"] == [f"the package {PACKAGE} {stays}"]
    assert installed(first) == f"installed {SECOND}"
    assert answer(first) == (SECOND, "first")


def test_a_rollback_whose_probe_fails_puts_the_newer_version_back(first: Machine) -> None:
    """The earlier generation was well only as long as a file of nobody's said so."""
    first.put("/srv/well", "")
    probed = described(probe={"command": ["test", "-e", "/srv/well"], "timeout": 0.2})
    first.well(probed)
    apt_installs(first, SECOND)
    first.well(described("second"))
    first.remember("second")
    first.remove("/srv/well")
    told = failed(first, ROLLED_BACK)
    assert f"The package {PACKAGE} is at {SECOND} again" in told
    first.assert_is("second")


def test_from_a_package_source(first: Machine) -> None:
    """What the cache lacks is fetched before anything is switched."""
    script = f"""
        mkdir -p {REPOSITORY} && cd {REPOSITORY} && cp {debian.BUILT}/*.deb . && rm -f Packages
        for deb in *.deb; do
            dpkg-deb --field "$deb" && printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' \
                "$deb" "$(stat --format=%s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
        done > Packages
        echo 'deb [trusted=yes] file:{REPOSITORY} ./' > {SOURCE}
        apt-get -q update -o Dir::Etc::sourcelist={SOURCE} -o Dir::Etc::sourceparts=-"""
    first.execute("sh", "-c", f"set -e; {script}")
    try:
        apt_installs(first, SECOND)
        first.well(described("second"))
        cache(first, ())
        answered = first.run(ROLLED_BACK)
        result = answered["results"][0]
        assert not result["failed"], result["message"]
        expected = f"package: {SECOND} becomes {FIRST}, from a package source; back: from a package source"
        assert package(result)[0] == expected
        apt = [number for number, step in enumerate(answered["steps"]) if step[1].startswith("apt-get")]
        renamed = [number for number, step in enumerate(answered["steps"]) if step[:2] == ["rename", CONFIG]]
        assert apt[0] < renamed[0] < apt[1]
        assert answer(first) == (FIRST, "first")
    finally:
        first.execute("sh", "-c", f"rm -r {SOURCE} {REPOSITORY} /var/lib/apt/lists/*")


@pytest.mark.parametrize("name", debian.SCENARIOS)
def test_the_prediction_is_what_the_run_does(name: str, machine: Machine) -> None:
    matrix = debian.PackageMatrix(machine, debian.SCENARIOS[name])
    try:
        machine.remember("system before", what="system")
        predicted = machine.run(matrix.scenario.change, check=True, diff=True)
        assert predicted["steps"] == []
        machine.assert_is("before")
        machine.assert_is("system before", what="system")
        done = machine.run(matrix.scenario.change, diff=True)
        for key in ("plan", "changed", "effect", "diff", "notes"):
            assert predicted["results"][0][key] == done["results"][0][key], key
    finally:
        matrix.done()


@pytest.mark.parametrize("script", [f"prerm {SECOND}", f"preinst {FIRST}", f"postrm {SECOND}", f"postinst {FIRST}"])
def test_the_power_fails_while_dpkg_is_at_work(script: str, first: Machine) -> None:
    """The engine, apt and dpkg die at once: in a rollback, and in taking back a failed one."""
    apt_installs(first, SECOND)
    first.well(described("second"))
    first.remember("second")
    first.put(debian.TRAP, script)
    assert first.run(ROLLED_BACK)["killed"]
    assert installed(first) != f"installed {SECOND}" or script.startswith("prerm")
    first.recover(NAME)
    first.assert_is("second")
    assert first.execute("dpkg", "--audit") == ""
    # What apt installs next is ill, and the power fails while it is replaced.
    apt_installs(first, ILL)
    first.put(debian.TRAP, script.replace(SECOND, ILL).replace(FIRST, SECOND))
    assert first.run(described("third"))["killed"]
    first.recover(NAME)
    first.assert_is("second")


def test_what_cannot_go_back_any_more_is_at_least_finished(first: Machine) -> None:
    """The power fails in a rollback while the package is half unpacked, and nobody has the newer version."""
    apt_installs(first, SECOND)
    first.well(described("second"))
    cache(first, (FIRST,))
    first.put(debian.TRAP, f"postrm {SECOND}")
    assert first.run(ROLLED_BACK)["killed"]
    assert installed(first).startswith("half-installed")
    first.recover(NAME)
    assert installed(first) == f"installed {FIRST}"
    assert package(first.well(described("second"))) == [
        f"package: {SECOND} becomes {FIRST}; no way back: {NOBODY} {SECOND}"
    ]
    assert answer(first) == (FIRST, "second")
