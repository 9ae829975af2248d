"""The state of a host as one flat mapping, so that two states compare as equal or as a list of differences.

Covered: every file, link and directory below ROOTS with content, mode and owner; users and groups; units with what
systemd says of them and what they serve; versions of packages; ledger, journal and kept contents. Left out is what is
a new one in each run by design: the transaction's id, the time, and inode stamps; and the host's key, the locks and
the empty folders of the store.
"""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
import stat
import subprocess
import time
import urllib.request
from typing import Any

STORE = "/var/lib/devops-platform"
ROOTS = ("/etc", "/opt", "/usr/local", "/usr/lib/systemd/system", "/var/lib/probe_app", STORE)
# useradd rewrites these and keeps a copy of each; users and groups are compared by themselves.
ACCOUNTS = {f"/etc/{name}{copy}" for name in ("passwd", "group", "shadow", "gshadow") for copy in ("", "-")}
LEFT_OUT = {*ACCOUNTS, "/etc/.pwd.lock", f"{STORE}/key", f"{STORE}/locks"}
KINDS = {f"{STORE}/{kind}" for kind in ("ledger", "journal", "objects", "stage")} | {STORE}
# Environment is of the unit as systemd has loaded it: an older file that came back makes no NeedDaemonReload.
PROPERTIES = "LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,FragmentPath,Environment"
# Volatile folders: what is in them belongs to the running system.
VOLATILE = {"/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/log", "/var/cache", "/var/lib/systemd", "/srv"}
VOLATILE |= {STORE, "/home", "/root", "/var/lib/docker", "/var/lib/private"}

_known: dict[tuple[Any, ...], str] = {}


def _owner(status: os.stat_result) -> str:
    try:
        user = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        user = str(status.st_uid)
    try:
        return f"{user}:{grp.getgrgid(status.st_gid).gr_name}"
    except KeyError:
        return f"{user}:{status.st_gid}"


def _content(path: str, status: os.stat_result) -> str:
    # Any write moves the change time, which no program can set: an unmoved one needs no second look.
    identity = (path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if identity not in _known:
        with open(path, "rb") as handle:
            _known[identity] = hashlib.sha256(handle.read()).hexdigest()[:16]
    return _known[identity]


def _plain_ledger(path: str) -> str:
    with open(path, encoding="utf-8") as handle:
        ledger = json.load(handle)
    ledger["transaction"] = ""
    for generation in (ledger["generation"] or {}, *ledger["previous"], ledger.get("changed_by") or {}):
        generation["at"] = 0
    for files in ledger["releases"].values():
        for known in files.values():
            known["stamp"] = []
    return json.dumps(ledger, sort_keys=True)


def describe(path: str) -> str:
    status = os.lstat(path)
    common = f"{stat.S_IMODE(status.st_mode):04o} {_owner(status)}"
    if stat.S_ISLNK(status.st_mode):
        return f"link to {os.readlink(path)} {_owner(status)}"
    if stat.S_ISDIR(status.st_mode):
        return f"directory {common}"
    if path.startswith(f"{STORE}/ledger/") and path.endswith(".json"):
        return f"ledger {common} {_plain_ledger(path)}"
    if stat.S_ISREG(status.st_mode):
        return f"file {common} {_content(path, status)}"
    return f"other {common}"


def files(roots: tuple[str, ...] = ROOTS) -> dict[str, str]:
    found = {}
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if f"{folder}/{name}" not in LEFT_OUT]
            for path in (f"{folder}/{name}" for name in (*folders, *names)):
                # dpkg lays its own version of a file that is ours beside it.
                if path not in LEFT_OUT and path not in KINDS and not path.endswith(".dpkg-dist"):
                    found[path] = describe(path)
    return found


def accounts() -> dict[str, str]:
    found = {f"user {user.pw_name}": f"{user.pw_gecos} {user.pw_dir} {user.pw_shell}" for user in pwd.getpwall()}
    found |= {f"group {group.gr_name}": " ".join(group.gr_mem) for group in grp.getgrall()}
    return found


def ask(port: int, timeout: float = 2.0) -> dict[str, Any]:
    """What the service answers, or {'failure': why}."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=timeout) as response:
            answer: dict[str, Any] = json.load(response)
    except (OSError, ValueError) as error:
        return {"failure": str(getattr(error, "reason", error))}
    return answer


def show(unit: str) -> dict[str, str]:
    done = subprocess.run(
        ["systemctl", "show", unit, f"--property={PROPERTIES},MainPID"], stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def settled(unit: str, patience: float = 5.0) -> dict[str, str]:
    """The unit's properties once it is neither starting nor stopping."""
    deadline = time.monotonic() + patience
    while True:
        properties = show(unit)
        underway = properties["ActiveState"] in ("activating", "deactivating", "reloading")
        if not underway or time.monotonic() > deadline:
            return properties
        time.sleep(0.02)


def served(unit: str, port: int, patience: float = 3.0) -> dict[str, str]:
    properties = settled(unit)
    properties.pop("MainPID")
    found = {f"unit {unit} {key}": value for key, value in properties.items()}
    deadline = time.monotonic() + patience
    answer = ask(port)
    while properties["ActiveState"] == "active" and "failure" in answer and time.monotonic() < deadline:
        time.sleep(0.02)
        answer = ask(port)
    answer.pop("pid", None)
    found[f"port {port}"] = "nobody" if "failure" in answer else json.dumps(answer, sort_keys=True)
    return found


def packages() -> dict[str, str]:
    """State and version of the packages of the service under test."""
    command = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status} ${Version}\n", "probe-app*"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return {f"package {name}": rest for name, _, rest in (line.partition(" ") for line in done.stdout.splitlines())}


def state(unit: str, port: int) -> dict[str, str]:
    return {**files(), **accounts(), **packages(), **served(unit, port)}


def whole_system() -> dict[str, str]:
    """Every file outside the volatile folders, by size, mode, owner and time of its last change."""
    found = accounts()
    for folder, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in VOLATILE]
        for path in (os.path.join(folder, name) for name in (*folders, *names)):
            if path in LEFT_OUT:
                continue
            status = os.lstat(path)
            link = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
            times = "" if stat.S_ISDIR(status.st_mode) else f"{status.st_size} {status.st_mtime_ns}"
            found[path] = f"{status.st_mode:o} {_owner(status)} {link} {times}"
    return found


def digest(found: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    return [
        f"{key}: expected {expected.get(key, 'nothing')}, found {found.get(key, 'nothing')}"[:1500]
        for key in sorted({*expected, *found})
        if expected.get(key) != found.get(key)
    ]
