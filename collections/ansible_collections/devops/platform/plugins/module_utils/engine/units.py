"""systemd unit files and states: rendering and parsing, both pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# systemd.exec(5), the sandboxing that a daemon with nothing but a socket and its data tolerates.
_STANDARD: dict[str, str] = {
    "NoNewPrivileges": "yes",
    "PrivateTmp": "yes",
    "ProtectSystem": "full",
    "ProtectHome": "read-only",
    "ProtectControlGroups": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
}
_STRICT: dict[str, str] = {
    **_STANDARD,
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateDevices": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "MemoryDenyWriteExecute": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0027",
}
HARDENING: dict[str, dict[str, str]] = {"none": {}, "standard": _STANDARD, "strict": _STRICT}


@dataclass(frozen=True)
class UnitState:
    """What systemd says of a unit (`systemctl show`)."""

    exists: bool = False
    active: str = "inactive"
    sub: str = "dead"
    enabled: str = ""
    needs_reload: bool = False
    pid: int = 0
    restarts: int = 0
    result: str = "success"

    @property
    def running(self) -> bool:
        return self.active in ("active", "reloading", "activating")


SHOW_PROPERTIES = "LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,MainPID,NRestarts,Result"


def parse_show(output: str) -> UnitState:
    """The key=value lines of `systemctl show --property=…` as a UnitState."""
    values = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    return UnitState(
        exists=values.get("LoadState", "not-found") not in ("not-found", ""),
        active=values.get("ActiveState", "inactive"),
        sub=values.get("SubState", "dead"),
        enabled=values.get("UnitFileState", ""),
        needs_reload=values.get("NeedDaemonReload") == "yes",
        pid=int(values.get("MainPID") or 0),
        restarts=int(values.get("NRestarts") or 0),
        result=values.get("Result", "success"),
    )


def _quote(value: str) -> str:
    """A value of Environment= as systemd reads it back: quoted, with %% for a literal percent sign."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def render_unit(name: str, raw: dict[str, Any], current: str, user: str = "") -> str:
    """A service unit from the component's `unit` key. Raises ValueError on a value that a line cannot carry."""
    profile = raw.get("hardening") or "standard"
    if profile not in HARDENING:
        raise ValueError(f"unit.hardening {profile!r} is not one of {', '.join(HARDENING)}")
    if not raw.get("exec"):
        raise ValueError("unit.exec is missing: the command that the unit runs")
    if raw.get("timer") and raw.get("type") != "oneshot":
        raise ValueError("unit.timer needs type: oneshot; what goes on running would be started once only")
    sections: dict[str, dict[str, Any]] = {
        "Unit": _unit_section(name, raw),
        "Service": {**_service_section(raw, current, raw.get("user") or user), **_sandbox(raw, profile)},
    }
    if raw.get("timer"):
        # The timer is what is enabled. What it has started goes when it goes, and begins anew with new content.
        sections["Unit"]["PartOf"] = f"{name}.timer"
    else:
        sections["Install"] = {"WantedBy": " ".join(raw.get("wanted_by") or ["multi-user.target"])}
    for section, options in (raw.get("options") or {}).items():
        sections.setdefault(section, {}).update(options)
    return _text(name, sections)


def render_timer(name: str, raw: dict[str, Any]) -> str:
    """The timer of a service unit that has one. Raises ValueError as render_unit does."""
    timer = raw["timer"]
    return _text(
        name,
        {
            "Unit": {"Description": f"Times of: {raw.get('description') or name}"},
            # Persistent: a time at which the host was off is made up for.
            "Timer": {"OnCalendar": str(timer["calendar"]), "Persistent": "true", "AccuracySec": "1s"},
            "Install": {"WantedBy": "timers.target"},
        },
    )


def _text(name: str, sections: dict[str, dict[str, Any]]) -> str:
    lines = [f"# {name}: made by devops.platform.component; changes here are drift and will be taken back."]
    for section, options in sections.items():
        lines += ["", f"[{section}]"]
        for key, value in options.items():
            for item in value if isinstance(value, list) else [value]:
                lines += _line(section, key, str(item))
    return "\n".join(lines) + "\n"


def _unit_section(name: str, raw: dict[str, Any]) -> dict[str, Any]:
    section: dict[str, Any] = {"Description": raw.get("description") or name}
    after = list(raw.get("after") or [])
    if after:
        section["After"] = " ".join(after)
        section["Wants"] = " ".join(item for item in after if item == "network-online.target")
    return section


def _service_section(raw: dict[str, Any], current: str, account: str) -> dict[str, Any]:
    """What runs, as whom, and when it runs again."""
    section: dict[str, Any] = {"Type": raw.get("type") or "simple"}
    for key, option in (("exec", "ExecStart"), ("reload", "ExecReload"), ("stop", "ExecStop")):
        if raw.get(key):
            section[option] = raw[key].replace("{release}", current)
    if account:
        section["User"] = account
        section["Group"] = raw.get("group") or account
    environment = raw.get("environment") or {}
    if environment:
        section["Environment"] = [_quote(f"{key}={value}") for key, value in sorted(environment.items())]
    if section["Type"] == "oneshot":
        # What counts as running is not started again, by a timer neither.
        section["RemainAfterExit"] = "no" if raw.get("timer") else "yes"
    else:
        section["Restart"] = raw.get("restart") or "on-failure"
        section["RestartSec"] = "1s"
    return section


def _sandbox(raw: dict[str, Any], profile: str) -> dict[str, Any]:
    section: dict[str, Any] = dict(HARDENING[profile])
    writable = list(raw.get("writable") or [])
    if writable:
        section["ReadWritePaths"] = " ".join(writable)
    capabilities = list(raw.get("capabilities") or [])
    if capabilities or profile == "strict":
        section["CapabilityBoundingSet"] = " ".join(capabilities)
    if capabilities:
        section["AmbientCapabilities"] = " ".join(capabilities)
    return section


def _line(section: str, key: str, text: str) -> list[str]:
    """One assignment. An empty value is left out, except where emptiness means something."""
    if "\n" in text:
        raise ValueError(f"unit {section}.{key} holds a line break")
    return [f"{key}={text}"] if text or key == "CapabilityBoundingSet" else []
