"""Runs on a host as root: everything that makes it what it is, as one JSON mapping on standard output.

EXCLUDED says what is left out, each with its reason.
"""

import grp
import hashlib
import json
import os
import pwd
import stat
import subprocess

EXCLUDED = {
    "/proc": "the kernel's, made up as it is read",
    "/sys": "the kernel's, made up as it is read",
    "/dev": "the kernel's, made up as it is read",
    "/run": "memory; gone with a reboot",
    "/tmp": "anybody's, for the moment",
    "/var/tmp": "anybody's, for the moment",
    "/var/log": "what happened, the uninstallation included",
    "/var/cache/apt": "downloads and an index; apt makes it anew",
    "/var/lib/apt/lists": "package lists; apt fetches them anew",
    "/var/lib/apt/periodic": "when apt's timer ran last",
    "/var/lib/dpkg/status-old": "dpkg's own backup of its list",
    "/var/lib/dpkg/available": "dpkg's cache of what it has seen in archives",
    "/var/lib/dpkg/available-old": "its backup",
    "/var/lib/dpkg/diversions-old": "dpkg's own backup",
    "/var/lib/dpkg/statoverride-old": "dpkg's own backup",
    "/var/lib/dpkg/triggers": "dpkg's notes on what waits for whom, in the order of events",
    "/var/lib/systemd/timers": "when timers ran last",
    "/var/lib/systemd/random-seed": "new at each boot",
    "/var/lib/systemd/timesync": "the clock",
    "/var/cache/ldconfig": "an index of libraries; ldconfig makes it anew",
    "/var/cache/debconf": "answers to packages' questions; debconf keeps the questions of packages that are gone",
    "/var/cache/man": "an index of manuals",
    "/etc/ld.so.cache": "an index of libraries, whose order follows the directory's",
    "/etc/passwd-": "the backup that useradd makes",
    "/etc/group-": "the backup that groupadd makes",
    "/etc/shadow-": "the backup that useradd makes",
    "/etc/gshadow-": "the backup that groupadd makes",
    "/etc/subuid-": "the backup that useradd makes",
    "/etc/subgid-": "the backup that useradd makes",
    "/etc/passwd": "compared user by user: the order of lines is the order of events",
    "/etc/group": "compared group by group",
    "/etc/shadow": "compared by user",
    "/etc/gshadow": "compared by group",
    "/etc/.pwd.lock": "made by the first useradd; empty",
    "/var/lib/dpkg/status": "compared package by package: the order is that of events",
    "/var/lib/ucf": "ucf's register of configuration, with a numbered copy of itself for each event",
    "/home/admin/.sudo_as_admin_successful": "sudo's note that its user has used it; Ansible does with its first task",
    "/home/admin/.ansible": "what Ansible itself leaves at its user's",
    "/root/.ansible": "what Ansible itself leaves at its user's",
    "/var/lib/docker": "the volume of the lab's host; emptied by the test's own look",
}


def describe(path: str) -> str:
    status = os.lstat(path)
    common = f"{stat.S_IMODE(status.st_mode):04o} {status.st_uid}:{status.st_gid}"
    if stat.S_ISLNK(status.st_mode):
        return f"link {status.st_uid}:{status.st_gid} {os.readlink(path)}"
    if stat.S_ISDIR(status.st_mode):
        return f"directory {common}"
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as handle:
            return f"file {common} {hashlib.sha256(handle.read()).hexdigest()}"
    return f"other {common}"


def tree() -> dict[str, str]:
    found = {}
    for folder, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in EXCLUDED]
        # Bytecode is a cache that Python makes as it runs.
        folders[:] = [name for name in folders if name != "__pycache__"]
        for path in (os.path.join(folder, name) for name in (*folders, *names)):
            if path not in EXCLUDED:
                found[path] = describe(path)
    return found


def units() -> dict[str, str]:
    done = subprocess.run(
        ["systemctl", "list-unit-files", "--no-legend", "--no-pager", "--plain"],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return {f"unit {words[0]}": words[1] for words in map(str.split, done.stdout.splitlines())}


def accounts() -> dict[str, str]:
    found = {f"user {user.pw_name}": ":".join(map(str, user[2:])) for user in pwd.getpwall()}
    found.update(
        {f"group {group.gr_name}": f"{group.gr_gid}:{','.join(sorted(group.gr_mem))}" for group in grp.getgrall()}
    )
    return found


def packages() -> dict[str, str]:
    command = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Abbrev} ${Version}\\n"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return {f"package {line.split()[0]}": line for line in done.stdout.splitlines()}


print(json.dumps({**tree(), **units(), **accounts(), **packages()}))
