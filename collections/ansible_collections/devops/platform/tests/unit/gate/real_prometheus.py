"""A real Prometheus for a test: the one on PATH, or where PROMETHEUS says."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import urllib.request
from contextlib import contextmanager

import pytest

BINARY = os.environ.get("PROMETHEUS") or shutil.which("prometheus") or ""
needed = pytest.mark.skipif(not BINARY, reason="no Prometheus: name one by PROMETHEUS")


@contextmanager
def prometheus(folder, port):
    process = subprocess.Popen(
        [
            BINARY,
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1):
                    break
            except OSError:
                assert time.monotonic() < deadline, "Prometheus does not start"
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(20)
