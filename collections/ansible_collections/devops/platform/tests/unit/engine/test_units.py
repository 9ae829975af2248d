"""Unit files, and what `systemctl show` says."""

from __future__ import annotations

import configparser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.engine.units import (
    UnitState,
    parse_show,
    render_timer,
    render_unit,
)


def parsed(text):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return parser


def test_strict_hardening_drops_every_capability():
    service = parsed(render_unit("demo", {"exec": "/bin/demo", "hardening": "strict"}, "/r", "demo"))["Service"]
    assert service["CapabilityBoundingSet"] == ""
    assert service["ProtectSystem"] == "strict"
    assert (service["User"], service["Group"]) == ("demo", "demo")


def test_what_is_given_reaches_the_unit():
    text = render_unit(
        "demo",
        {
            "exec": "{release}/demo",
            "reload": "/bin/kill -HUP $MAINPID",
            "after": ["network-online.target", "a.service"],
            "environment": {"B": "2", "A": 'say "100%"'},
            "capabilities": ["CAP_NET_BIND_SERVICE"],
            "writable": ["/var/lib/demo"],
            "options": {"Service": {"LimitNOFILE": 65536, "RestartSec": "5s"}, "Unit": {"Before": "x.target"}},
        },
        "/opt/r",
    )
    unit = parsed(text)
    assert unit["Service"]["ExecStart"] == "/opt/r/demo"
    assert unit["Service"]["LimitNOFILE"] == "65536"
    assert unit["Service"]["RestartSec"] == "5s"
    assert unit["Service"]["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"
    assert unit["Unit"]["Wants"] == "network-online.target"
    assert unit["Unit"]["After"] == "network-online.target a.service"
    assert unit["Unit"]["Before"] == "x.target"
    assert 'Environment="A=say \\"100%%\\""\nEnvironment="B=2"\n' in text


def test_a_oneshot_stays_active_and_is_not_restarted():
    service = parsed(render_unit("demo", {"exec": "/bin/true", "type": "oneshot"}, "/r"))["Service"]
    assert service["RemainAfterExit"] == "yes"
    assert "Restart" not in service


def test_what_a_timer_starts_ends_and_is_not_enabled_by_itself():
    raw = {"exec": "/bin/true", "type": "oneshot", "description": "Sweep", "timer": {"calendar": "Sun 03:30"}}
    service = parsed(render_unit("demo", raw, "/r"))
    assert service["Service"]["RemainAfterExit"] == "no"
    assert service["Unit"]["PartOf"] == "demo.timer"
    assert "Install" not in service
    timer = parsed(render_timer("demo", raw))
    assert dict(timer["Timer"]) == {"OnCalendar": "Sun 03:30", "Persistent": "true", "AccuracySec": "1s"}
    assert timer["Unit"]["Description"] == "Times of: Sweep"
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_a_calendar_is_one_line():
    with pytest.raises(ValueError, match=r"Timer\.OnCalendar holds a line break"):
        render_timer("demo", {"exec": "/bin/true", "type": "oneshot", "timer": {"calendar": "daily\n[Service]"}})


@given(st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=("Cs",)), min_size=1))
def test_one_line_of_input_stays_one_line(text):
    rendered = render_unit("demo", {"exec": "/bin/demo", "description": text}, "/r")
    assert sum(line.startswith("Description=") for line in rendered.split("\n")) == 1


def test_a_line_break_is_refused():
    with pytest.raises(ValueError, match=r"Service\.ExecStart holds a line break"):
        render_unit("demo", {"exec": "/bin/demo\nExecStartPost=/bin/evil"}, "/r")


SHOWN = """LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
NeedDaemonReload=yes
MainPID=812
NRestarts=3
Result=success
"""


@pytest.mark.parametrize(
    ("output", "state"),
    [
        (SHOWN, UnitState(True, "active", "running", "enabled", True, 812, 3, "success")),
        ("LoadState=not-found\nActiveState=inactive\nMainPID=0\n", UnitState()),
        ("LoadState=masked\nActiveState=failed\nResult=exit-code\n", UnitState(True, "failed", result="exit-code")),
        ("systemctl: no such program on this host", UnitState()),
        ("", UnitState()),
    ],
)
def test_show(output, state):
    assert parse_show(output) == state


@pytest.mark.parametrize(
    ("active", "running"),
    [("active", True), ("reloading", True), ("activating", True), ("failed", False), ("inactive", False)],
)
def test_running(active, running):
    assert UnitState(active=active).running is running
