"""rsyslog of Debian 13, the one that hosts run, on whatever Debian this machine is: unpacked, not installed.

`RSYSLOG_ROOT` names a folder with the unpacked packages; without it they are fetched once, by apt with folders of its
own, and run with their own C library.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.devops.platform.plugins.module_utils.logging import shipper

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "build" / "programs" / "rsyslog-trixie"
SOURCE = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main\n"
PACKAGES = ("rsyslog", "luajit")


def root() -> Path:
    """The folder; skips the test where there is no way to have it."""
    named = os.environ.get("RSYSLOG_ROOT")
    if named:
        return Path(named)
    if not (FOLDER / "complete").exists():
        if not shutil.which("apt-get"):
            pytest.skip("no apt-get here to fetch rsyslog with, and RSYSLOG_ROOT names none")
        _unpack()
    return FOLDER / "root"


def _unpack() -> None:
    for name in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"):
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
    (FOLDER / "state" / "status").touch()  # nothing is installed: all that they need comes along
    (FOLDER / "etc" / "sources.list").write_text(SOURCE)
    options = [
        word
        for option in (
            f"Dir::State={FOLDER}/state", f"Dir::State::status={FOLDER}/state/status", f"Dir::Cache={FOLDER}/cache",
            f"Dir::Etc={FOLDER}/etc", f"Dir::Etc::sourcelist={FOLDER}/etc/sources.list",
            "Dir::Etc::sourceparts=/nonexistent",
            "APT::Sandbox::User=root", "Acquire::Retries=2",
        )
        for word in ("-o", option)
    ]  # fmt: skip
    for words in (["update"], ["-y", "-d", "--no-install-recommends", "install", *PACKAGES]):
        done = subprocess.run(["apt-get", *options, *words], capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.skip(f"apt-get {words[0]}: {done.stderr.strip()[-300:]}")
    for archive in sorted((FOLDER / "cache" / "archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", archive, FOLDER / "root"], check=True, timeout=60)
    (FOLDER / "complete").touch()


def gateway(folder: Path, config: Path) -> list[str]:
    """The command of the gateway, whose files are put below ``folder`` as hosts get them."""
    package = folder / "library" / "log_gateway"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").touch()
    for name in shipper.FILES:
        shutil.copy(shipper.SOURCES / name, package / name)
    return ["env", f"PYTHONPATH={package.parent}", sys.executable, "-m", "log_gateway.gateway", str(config)]


def rsyslogd(unpacked: Path) -> list[str]:
    """The command, up to its arguments."""
    [loader] = unpacked.glob("usr/lib/*/ld-linux-*.so.*")
    libraries = loader.parent
    return [
        str(loader),
        "--library-path",
        str(libraries),
        str(unpacked / "usr/sbin/rsyslogd"),
        "-M",
        f"{libraries}/rsyslog/",
    ]
