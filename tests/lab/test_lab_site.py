"""One description, one command, and nothing more to do the second time."""

from __future__ import annotations

import pytest

from tests.lab.harness.fleet import Fleet

TASKS = 60
# All that a run could touch, as names, sizes and times of change; /etc/mtab and the like change by themselves.
STATE = (
    "find /etc /opt /var/lib/devops-platform /usr/local -xdev -not -path '*/locks/*' "
    "-printf '%p %y %m %u %g %s %l %C@\\n' | sort; systemctl list-units --no-legend --plain --type=service "
    "--state=active | sort; cat /var/lib/dpkg/status | sha256sum"
)


def test_a_second_run_changes_nothing_in_few_tasks(fleet: Fleet) -> None:
    play = fleet.play("site.yml").expect_nothing_changed()
    assert set(play.report["hosts"]) == set(fleet.hosts)
    assert play.report["tasks"] <= TASKS
    print(f"site.yml: {play.report['tasks']} tasks, {play.report['seconds']:.1f} s")


def test_a_prediction_touches_nothing(fleet: Fleet) -> None:
    before = {host: fleet.on(host, "sh", "-c", STATE) for host in fleet.hosts}
    # What it would change, should it be run: a port, a rule and a daemon's setting.
    planned = {"node_exporter_port": 9111, "base_timezone": "Europe/Berlin", "docker_daemon": {"debug": True}}
    play = fleet.play("site.yml", "--check", "--diff", extra=planned).expect_ok()
    assert set(play.changes) == set(fleet.hosts)
    for line in ("+ExecStart=/opt/devops-platform/node_exporter/current/node_exporter --web.listen-address=:9111",):
        assert line in play.output
    assert {host: fleet.on(host, "sh", "-c", STATE) for host in fleet.hosts} == before


# A run of a part renders what a full run renders: after one, each part predicts no change.
@pytest.mark.parametrize(
    "part",
    [
        ("--check", "--diff"),
        ("--check", "--diff", "--tags", "monitoring"),
        ("--check", "--diff", "--tags", "docker"),
        ("--check", "--diff", "--tags", "apps"),
        ("--check", "--diff", "--limit", "app1"),
        ("--check", "--diff", "--limit", "mon1", "--tags", "prometheus"),
    ],
    ids=" ".join,
)
def test_a_part_is_of_one_mind_with_the_whole(fleet: Fleet, part: tuple[str, ...]) -> None:
    play = fleet.play("site.yml", *part).expect_nothing_changed()
    assert play.report["round_trips"] > 0
    assert "+++" not in play.output


def test_every_host_answers_a_ping(fleet: Fleet) -> None:
    code, output = fleet.ansible("ansible", "all", "-m", "ping")
    assert code == 0, output
    assert [host for host in fleet.hosts if f"{host} | SUCCESS" not in output] == []
