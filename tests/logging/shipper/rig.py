"""A host's log shipping on loopback: the real rsyslog with the configuration that hosts get, the real gateway, and a
fake Elasticsearch."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.logging import model, rsyslog, shipper

from . import programs
from .fake_elasticsearch import FakeElasticsearch

PASSWORD = "of-the-gateway"
HOST = "h1"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def eventually(check: Callable[[], Any], seconds: float = 40, what: str = "") -> Any:
    """What `check` gives once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what or check}")


class Rig:
    def __init__(self, folder: Path, logging_: dict[str, Any], spool: Path | None = None) -> None:
        self.folder, self.spool = folder, spool or folder / "spool"
        self.server = FakeElasticsearch()
        platform = {
            "environment": "test",
            "logging": {
                "outputs": {"elasticsearch": {"urls": [f"http://127.0.0.1:{self.server.port}"]}},
                **logging_,
            },
        }
        self.logging = model.logging_of(platform, {"all": [HOST]}, {})
        for name in ("state", "queue"):
            (self.spool / name).mkdir(parents=True, exist_ok=True)
        (folder / "ledger").mkdir()
        self.journal = folder / "journal"  # a line of JSON an entry, instead of the journal, which no test can fill
        text = rsyslog.config(self.logging, self.logging.sources, HOST).replace(rsyslog.SPOOL, str(self.spool))
        self.config = folder / "rsyslog.conf"
        self.config.write_text(self._without_journal(text))
        settings = {
            **shipper.gateway_config(self.logging, HOST, {"elasticsearch": 0}, {}, PASSWORD, ""),
            "ledger": f"{folder}/ledger", "spool": f"{self.spool}/queue", "metrics": f"{folder}/log_shipper.prom",
            "refused": f"{folder}/refused.ndjson", "pid_file": f"{folder}/pid",
        }  # fmt: skip
        (folder / "gateway.json").write_text(json.dumps(settings))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def _without_journal(self, text: str) -> str:
        """imjournal reads the machine's journal only: a file of entries takes its place, from there on all is as on a
        host."""
        if "imjournal" not in text:
            return text
        lines = [
            line for line in text.splitlines() if "imjournal" not in line and "IgnoreNonValidStatefile" not in line
        ]
        if 'module(load="imfile"' not in text:
            lines.insert(1, 'module(load="imfile" mode="inotify")')
        lines += [
            'ruleset(name="entries") { set $.ok = parse_json($msg, "\\$!"); set $.raw = $!MESSAGE;',
            '  set $.collected = $!AT; set $.level = ""; call journal }',
            f'input(type="imfile" File="{self.journal}" Tag="journal" ruleset="entries" freshStartTail="off")',
        ]
        return "\n".join([*lines, ""])

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **rsyslog.environment(str(self.spool))}

    def start(self, *names: str) -> None:
        for name in names or ("gateway", "rsyslog"):
            command = (
                programs.gateway(self.folder, self.folder / "gateway.json")
                if name == "gateway"
                else [*programs.rsyslogd(programs.root()), "-n", "-i", str(self.folder / "pid"), "-f", str(self.config)]
            )
            with (self.folder / f"{name}.out").open("ab") as log:
                self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        process = self.processes.pop(name)
        process.send_signal(how)
        process.wait(20)
        (self.folder / "pid").unlink(missing_ok=True)

    def close(self) -> None:
        for name in list(self.processes):
            self.stop(name, signal.SIGKILL)
        self.server.stop()

    def check(self) -> subprocess.CompletedProcess[str]:
        command = [*programs.rsyslogd(programs.root()), "-N1", "-f", str(self.config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=self.environment)

    def metrics(self) -> str:
        path = self.folder / "log_shipper.prom"
        return path.read_text() if path.exists() else ""

    def said(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.out")))
