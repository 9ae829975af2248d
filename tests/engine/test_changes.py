"""What a component's run does on a host: install, nothing, upgrade, reload, restart, go back, go away."""

from __future__ import annotations

from typing import Any

from tests.engine.harness.machine import ARTIFACTS, DIGESTS, Machine
from tests.engine.harness.scenarios import (
    ABSENT,
    CONFIG,
    CURRENT,
    FOREIGN,
    PURGED,
    ROLLED_BACK,
    START,
    UNIT_FILE,
    file,
    release,
    service,
)

# Ways in which the engine may look at the host beside reading files.
QUERIES = ("show", "reset-failed", "journalctl", "getent", "dpkg-query", "probe-app-check")


def items(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["action"], item["target"]) for item in result["plan"]]


def test_install(machine: Machine) -> None:
    """One run on an empty host: release, user, folders, files, unit, and the service answers."""
    result = machine.well(service())
    assert result["effect"] == "start"
    assert machine.ask()["version"] == "1.0"
    shown = machine.show()
    assert (shown["ActiveState"], shown["UnitFileState"], shown["NeedDaemonReload"]) == ("active", "enabled", "no")
    assert machine.describe(CURRENT).startswith(
        f"link to /opt/devops-platform/probe_app/releases/1.0-{DIGESTS['1.0'][:12]}"
    )
    assert machine.describe(CONFIG).startswith("file 0640 root:probe_app")
    assert machine.describe("/var/lib/probe_app") == "directory 0750 probe_app:probe_app"
    assert machine.execute("stat", "--format=%U:%G %a", f"/proc/{shown['MainPID']}").startswith("probe_app:probe_app")
    for private in ("", "/key", "/ledger", "/ledger/probe_app.json", "/objects"):
        assert (
            machine.execute("stat", "--format=%U %A", f"/var/lib/devops-platform{private}")
            .split()[1]
            .endswith("------")
        )


def test_strict_hardening_leaves_the_service_working(machine: Machine) -> None:
    machine.well(service(unit={"hardening": "strict", "writable": ["/var/lib/probe_app"]}))
    assert machine.ask()["health"] == "well"
    assert "ProtectSystem=strict" in machine.execute("systemctl", "show", "probe_app", "--property=ProtectSystem")


def test_nothing_to_do_is_nothing_done(machine: Machine) -> None:
    """No mutation, no download, no restart: the source is gone, and nobody notices."""
    machine.well(service())
    machine.remember("installed")
    pid = machine.show()["MainPID"]
    machine.execute("mv", ARTIFACTS, f"{ARTIFACTS}.away")
    try:
        answer = machine.run(service())
    finally:
        machine.execute("mv", f"{ARTIFACTS}.away", ARTIFACTS)
    result = answer["results"][0]
    assert (result["failed"], result["changed"], result["plan"], result["effect"]) == (False, False, [], "none")
    assert answer["steps"] == []
    assert answer["outside"] == []
    assert [query for query in answer["queries"] if query[:2] != ["systemctl", "show"]] == []
    assert machine.show()["MainPID"] == pid
    machine.assert_is("installed")


def test_only_known_questions_are_asked(machine: Machine) -> None:
    """What runs beside the numbered steps are questions; nothing else starts a program on the host."""
    machine.well(service())
    for description in (service("1.1", "second"), service("2.0-ill"), ROLLED_BACK, PURGED):
        answer = machine.run(description)
        assert answer["outside"] == []
        for query in answer["queries"]:
            assert any(word.endswith(QUERIES) for word in query[:2]), query


def test_upgrade(machine: Machine) -> None:
    """Releases stand side by side; the switch is one rename of a link."""
    machine.well(service())
    answer = machine.run(service("1.1", "second"))
    assert answer["results"][0]["effect"] == "restart"
    switches = [what for name, what, _half in answer["steps"] if name == "rename" and what == CURRENT]
    assert switches == [CURRENT]
    assert machine.ask()["version"] == "1.1"
    kept = {
        path.split("/releases/")[1].split("-")[0] for path in machine.find("/releases/") if path.endswith("service")
    }
    assert kept == {"1.0", "1.1"}


def test_reload_where_a_reload_is_enough(machine: Machine) -> None:
    machine.well(service())
    before = machine.ask()
    result = machine.well(service(message="second"))
    after = machine.ask()
    assert result["effect"] == "reload"
    assert (before["message"], after["message"]) == ("first", "second")
    assert before["pid"] == after["pid"]


def test_restart_only_where_it_must(machine: Machine) -> None:
    machine.well(service())
    before = machine.ask()
    assert machine.well(service(start="b"))["effect"] == "restart"
    assert machine.ask()["pid"] != before["pid"]


def test_json_keys_that_a_reload_takes_in(machine: Machine) -> None:
    """`reload_keys`: of a file that needs a restart, some keys are content with a reload."""

    def described(labels: str, fixed: str) -> dict[str, Any]:
        text = f'{{"labels": "{labels}", "fixed": "{fixed}"}}'
        path = "/etc/probe_app/more.json"
        return service(more_files=(file(path, text, on_change="restart", reload_keys=["labels"]),))

    machine.well(described("a", "x"))
    assert machine.well(described("b", "x"))["effect"] == "reload"
    assert machine.well(described("b", "y"))["effect"] == "restart"


def test_a_stopped_service_is_started_and_a_changed_file_put_right(machine: Machine) -> None:
    """Drift: what is not as declared is planned, each with its reason."""
    machine.well(service())
    machine.execute("systemctl", "stop", "probe_app")
    machine.put(START, "by hand\n")
    machine.execute("chmod", "0600", UNIT_FILE)
    result = machine.well(service())
    assert items(result) == [("update", START), ("set attributes", UNIT_FILE), ("start", "probe_app.service")]
    assert machine.well(service())["plan"] == []


def test_a_damaged_release_is_replaced_beside_it(machine: Machine) -> None:
    """A running release is never repaired in place."""
    machine.well(service())
    machine.execute("sh", "-c", f"echo '# changed' >> {CURRENT}/service")
    result = machine.well(service())
    assert ("install release", "probe_app 1.0") in items(result)
    assert machine.execute("readlink", CURRENT).strip().endswith("+2")
    assert machine.well(service())["plan"] == []


def test_a_wrong_digest_never_reaches_the_live_path(machine: Machine) -> None:
    machine.well(service())
    machine.remember("installed")
    urls = [f"file://{ARTIFACTS}/probe_app-1.1.tar"]
    result = machine.result(service("1.1", "second", release=release("1.1", "0" * 64, urls)))
    assert result["failed"]
    assert result["step"] == "stage"
    assert DIGESTS["1.1"] in result["message"]
    assert "0" * 64 in result["message"]
    assert urls[0] in result["message"]
    machine.assert_is("installed")


def test_the_next_source_is_asked_when_one_fails(machine: Machine) -> None:
    urls = [
        "file:///srv/artifacts/not-there",
        f"file://{ARTIFACTS}/probe_app-1.1.tar",
        f"file://{ARTIFACTS}/probe_app-1.0.tar",
    ]
    machine.well(service(release=release("1.0", urls=urls)))
    assert machine.ask()["version"] == "1.0"


def test_a_failed_probe_takes_everything_back(machine: Machine) -> None:
    """Files, release and unit; the old service answers; reason and the service's last lines are in the error."""
    machine.well(service())
    machine.remember("installed")
    result = machine.result(service("2.0-exits", "second", "b", unit={"environment": {"PLACE": "here"}}))
    assert result["failed"]
    assert result["step"] == "probe"
    assert "probe 'http http://127.0.0.1:9400/' failed" in result["message"]
    assert "the disk of memories is missing" in result["message"]
    assert "Everything is as before; the old service answers again" in result["message"]
    assert machine.ask()["version"] == "1.0"
    machine.assert_is("installed")


def test_a_file_that_the_product_refuses_goes_nowhere(machine: Machine) -> None:
    machine.well(service())
    machine.remember("installed")
    pid = machine.show()["MainPID"]
    result = machine.result(service(message="invalid"))
    assert result["step"] == "validate"
    assert f"{CONFIG} was refused by" in result["message"]
    assert "the word 'invalid' is in it" in result["message"]
    assert machine.show()["MainPID"] == pid
    machine.assert_is("installed")


def test_absent_leaves_the_file_system_as_it_found_it(machine: Machine) -> None:
    """Every file of the host: what was there, is there, unchanged; what was not, is not."""
    for path, content in FOREIGN.items():
        machine.put(path, content, "0700")
    machine.remember("empty")
    machine.remember("empty system", what="system")
    machine.well(service(more_files=(file("/etc/probe_app.foreign", "ours\n"),)))
    machine.well(service("1.1", "second"))
    machine.well(PURGED)
    machine.assert_is("empty")
    # The original of a file that was taken over comes back with its content, not with the time of its last change.
    for path, content in FOREIGN.items():
        assert machine.read(path) == content
        assert machine.describe(path).startswith("file 0700 root:root")
    machine.remember("now", what="system")
    found = machine.compare("empty system", what="system", patience=0)
    assert {line.split(":")[0] for line in found["differences"].get("empty system", [])} <= set(FOREIGN)


def test_absent_gives_a_folder_that_was_there_its_owner_and_mode_back(machine: Machine) -> None:
    machine.execute("install", "--directory", "--mode=0711", "--owner=daemon", "/etc/probe_app")
    machine.remember("empty")
    machine.well(service())
    machine.well(PURGED)
    machine.assert_is("empty")


def test_absent_keeps_data_and_its_owner_until_told_to_purge(machine: Machine) -> None:
    machine.remember("empty")
    machine.well(service())
    machine.put("/var/lib/probe_app/rows", "precious\n")
    result = machine.well(ABSENT)
    assert ("keep directory", "/var/lib/probe_app") in items(result)
    assert machine.read("/var/lib/probe_app/rows") == "precious\n"
    assert machine.execute("stat", "--format=%U", "/var/lib/probe_app").strip() == "probe_app"
    assert machine.well(ABSENT)["plan"] == []
    machine.well(PURGED)
    machine.assert_is("empty")


def test_absent_leaves_what_others_put_into_our_folders(machine: Machine) -> None:
    machine.well(service())
    machine.put("/etc/probe_app/theirs.conf", "theirs\n")
    machine.well(PURGED)
    assert machine.read("/etc/probe_app/theirs.conf") == "theirs\n"
    assert not machine.exists(CONFIG)


def test_absent_where_nothing_is_ours_touches_nothing(machine: Machine) -> None:
    machine.put(CONFIG, "somebody else's\n")
    answer = machine.run(PURGED)
    assert answer["results"][0]["plan"] == []
    assert machine.read(CONFIG) == "somebody else's\n"
    machine.remove("/etc/probe_app")


def test_rolled_back_once_twice_and_no_further(machine: Machine) -> None:
    """Each goes back one generation: release, files and unit together."""
    machine.well(service())
    machine.well(service("1.1", "second"))
    machine.well(service("1.2", "third"))
    assert machine.well(ROLLED_BACK)["effect"] == "restart"
    assert {key: machine.ask()[key] for key in ("version", "message")} == {"version": "1.1", "message": "second"}
    machine.well(ROLLED_BACK)
    assert {key: machine.ask()[key] for key in ("version", "message")} == {"version": "1.0", "message": "first"}
    machine.remember("first again")
    result = machine.result(ROLLED_BACK)
    assert "there is no earlier generation on this host" in result["message"]
    machine.assert_is("first again")


def test_going_back_needs_no_network(machine: Machine) -> None:
    machine.well(service())
    machine.well(service("1.1", "second"))
    machine.execute("mv", ARTIFACTS, f"{ARTIFACTS}.away")
    try:
        machine.well(ROLLED_BACK)
    finally:
        machine.execute("mv", f"{ARTIFACTS}.away", ARTIFACTS)
    assert machine.ask()["version"] == "1.0"
