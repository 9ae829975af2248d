"""A real Prometheus is backed up, loses everything, and has it again; a bad archive changes nothing that it serves."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.monitoring import backup, proof, restore
from ansible_collections.devops.platform.plugins.module_utils.monitoring.backup import BackupError
from tests.monitoring.alerting.alertmanager import eventually
from tests.monitoring.harness.prometheus import Prometheus, running
from tools import REPOSITORY

ADMIN = "--web.enable-admin-api"
COLLECTIONS = REPOSITORY / "collections"


def history(promtool: str, data: Path) -> None:
    """Blocks of some hours ago, with values that are known; its newest samples Prometheus scrapes itself."""
    begin = int(time.time()) - 5 * 3600
    lines = ["# TYPE demo gauge"]
    lines += [f'demo{{n="{n}"}} {n * 100 + step} {begin + step * 60}' for n in (1, 2) for step in range(240)]
    text = data.parent / "history.txt"
    text.write_text("\n".join([*lines, "# EOF"]) + "\n", encoding="utf-8")
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def server(promtool: str, tmp_path: Path) -> Iterator[Prometheus]:
    found = Prometheus(tmp_path / "prometheus", flags=[ADMIN])
    found.data.mkdir(parents=True)
    scrape = {"job_name": "prometheus", "static_configs": [{"targets": [f"127.0.0.1:{found.port}"]}]}
    config = {"global": {"scrape_interval": "250ms"}, "scrape_configs": [scrape]}
    (found.folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (tmp_path / "backups").mkdir()
    history(promtool, found.data)
    with running(found):
        eventually(lambda: found.values("count_over_time(up[1m]) > 3"), "it has scraped itself")
        yield found


def back_up(server: Prometheus, directory: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """As the unit runs it."""
    command = [sys.executable, "-I", "-S", backup.__file__, f"--url={server.url}", f"--data={server.data}"]
    command += [f"--directory={directory}", "--name=mon1", f"--metrics={directory}/backup.prom", "--patience=0", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def tools(server: Prometheus, promtool: str, query: str = "count(up)", patience: float = 15) -> restore.Tools:
    def check(folder: Path) -> str:
        done = subprocess.run([promtool, "tsdb", "list", str(folder)], capture_output=True, text=True, timeout=60)
        return "" if done.returncode == 0 else done.stderr

    def dead() -> str:
        return "" if server.running() else "it has ended"

    return restore.Tools(
        server.running,
        server.stop,
        server.start,
        check,
        lambda blocks: proof.prove(server.url, query, blocks.end, patience, dead),
    )


def archive_of(directory: Path) -> Path:
    return restore.chosen(restore.LATEST, directory, "mon1")


def test_what_was_lost_is_back(server: Prometheus, promtool: str, tmp_path: Path) -> None:
    directory = tmp_path / "backups"
    before = server.values("demo[6h]")
    assert [len(values) for _labels, values in before] == [240, 240]
    until = time.time()
    up = server.values(f"count_over_time(up[1m] @ {until})")
    done = back_up(server, directory)
    assert done.returncode == 0, done.stderr
    assert list((server.data / "snapshots").iterdir()) == []
    assert "prometheus_backup_size_bytes" in (directory / "backup.prom").read_text()

    server.stop()
    shutil.rmtree(server.data)
    server.data.mkdir()
    server.start()
    eventually(server.ready, "Prometheus is ready without data")
    assert server.values("demo[6h]") == []

    found = restore.restore(archive_of(directory), restore.Place(server.data), tools(server, promtool), time.time())
    assert server.values("demo[6h]") == before
    assert server.values(f"count_over_time(up[1m] @ {until})") == up
    assert found.blocks.count > 1
    assert Path(found.kept, "wal").is_dir()
    # It goes on from there, also after a further start.
    server.stop()
    server.start()
    eventually(lambda: server.ready() and server.values("up"), "it scrapes again")
    assert server.values("demo[6h]") == before


def spoil(archive: Path, member: str) -> None:
    """Overwrite the end of all members of this name, and write a checksum that vouches for that."""
    changed = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=changed, mode="w:gz") as new:
        for each in old:
            content = old.extractfile(each)
            text = content.read() if content else b""
            if each.name.endswith(member):
                text = text[: len(text) // 2] + b"\0" * (len(text) - len(text) // 2)
            new.addfile(each, io.BytesIO(text))
    archive.write_bytes(changed.getvalue())
    digest = hashlib.sha256(changed.getvalue()).hexdigest()
    archive.with_name(f"{archive.name}.sha256").write_text(f"{digest}  {archive.name}\n")


def test_a_bad_archive_leaves_it_serving(server: Prometheus, promtool: str, tmp_path: Path) -> None:
    directory = tmp_path / "backups"
    assert back_up(server, directory).returncode == 0
    archive, before, process = archive_of(directory), server.values("demo[6h]"), server.process
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-5] + b"12345")
    with pytest.raises(BackupError, match="is damaged"):
        restore.restore(archive, restore.Place(server.data), tools(server, promtool), time.time())
    archive.write_bytes(whole)
    for member in ("/meta.json", "/index"):
        spoil(archive, member)
        with pytest.raises(BackupError, match="Nothing was switched; Prometheus was not touched"):
            restore.restore(archive, restore.Place(server.data), tools(server, promtool), time.time())
        archive.write_bytes(whole)
    assert server.process is process
    assert server.running()
    assert server.values("demo[6h]") == before


def test_without_an_answer_it_goes_back(server: Prometheus, promtool: str, tmp_path: Path) -> None:
    directory = tmp_path / "backups"
    assert back_up(server, directory).returncode == 0
    before = server.values("demo[6h]")
    asked = tools(server, promtool, 'count(up{instance="nobody"})', 2)
    with pytest.raises(BackupError, match="The data from before are back, and Prometheus runs with them"):
        restore.restore(archive_of(directory), restore.Place(server.data), asked, time.time())
    eventually(server.ready, "the Prometheus from before")
    assert server.values("demo[6h]") == before
    assert not (server.data / restore.WORK).exists()


def test_the_admin_api_must_be_open(server: Prometheus, tmp_path: Path) -> None:
    server.stop()
    server.flags = []
    server.start()
    eventually(server.ready, "Prometheus without its admin API")
    done = back_up(server, tmp_path / "backups")
    assert done.returncode == 1
    assert "start it with --web.enable-admin-api" in done.stderr


SYSTEMCTL = """\
#!{python}
# What the module asks systemd, for a Prometheus of a test.
import os, signal, subprocess, sys, time
word, pid = sys.argv[1], open({pid!r}).read().strip()
def runs():
    return bool(pid) and os.path.exists(f"/proc/{{pid}}") and open(f"/proc/{{pid}}/stat").read().split()[2] != "Z"
if word == "stop" and runs():
    os.kill(int(pid), signal.SIGTERM)
    while runs():
        time.sleep(0.05)
elif word == "start" and not runs():
    log = open({log!r}, "ab")
    started = subprocess.Popen({command!r}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    open({pid!r}, "w").write(str(started.pid))
elif word == "is-active":
    sys.exit(0 if runs() else 3)
elif word == "is-failed":
    sys.exit(1 if runs() else 0)
"""


@pytest.fixture
def service(server: Prometheus, tmp_path: Path) -> Iterator[Path]:
    """The folder of a systemctl that starts and stops the server."""
    assert server.process is not None
    folder, pid = tmp_path / "bin", tmp_path / "pid"
    folder.mkdir()
    pid.write_text(str(server.process.pid))
    texts = {"python": sys.executable, "pid": str(pid), "log": str(tmp_path / "log"), "command": server.process.args}
    (folder / "systemctl").write_text(SYSTEMCTL.format(**texts), encoding="utf-8")
    (folder / "systemctl").chmod(0o755)
    yield folder
    subprocess.run([folder / "systemctl", "stop", "x"], check=True)


def module(service: Path, server: Prometheus, promtool: str, directory: Path, **more: Any) -> dict[str, Any]:
    """What devops.platform.prometheus_restore answers, run as Ansible runs it on a host."""
    arguments = {
        "directory": str(directory),
        "name": "mon1",
        "data": str(server.data),
        "url": server.url,
        "promtool": promtool,
        "timeout": 15,
        **more,
    }
    done = subprocess.run(
        [sys.executable, "-m", "ansible_collections.devops.platform.plugins.modules.prometheus_restore"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        env={**os.environ, "PATH": f"{service}:{os.environ['PATH']}", "PYTHONPATH": str(COLLECTIONS)},
        capture_output=True,
        text=True,
        timeout=90,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_module_does_it_all(service: Path, server: Prometheus, promtool: str, tmp_path: Path) -> None:
    directory = tmp_path / "backups"
    assert back_up(server, directory).returncode == 0
    before = server.values("demo[6h]")
    foreseen = module(service, server, promtool, directory, _ansible_check_mode=True)
    assert foreseen["changed"]
    assert "it would be restored" in foreseen["said"][0]
    assert server.running()

    done = module(service, server, promtool, directory)
    assert done.get("blocks", {}).get("count", 0) > 1, done
    assert done["archive"] == str(archive_of(directory))
    assert Path(done["kept"]).is_dir()
    assert server.values("demo[6h]") == before

    refused = module(service, server, promtool, directory, query='up{instance="nobody"}', timeout=1)
    assert refused["failed"]
    assert "The data from before are back, and Prometheus runs with them." in refused["msg"]
    nowhere = module(service, server, promtool, directory, archive="other.tar.gz")
    assert nowhere["msg"] == f"there is no file {directory}/other.tar.gz; name another archive."
    eventually(lambda: server.values("demo[6h]") == before, "it serves what it had")
