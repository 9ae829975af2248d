"""No value of a secret is anywhere but in the files that are there to hold it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping

import pytest

from lab.runtime import PREFIX
from tests.lab.harness.fleet import Fleet, until

HERE = "import glob, json, select, subprocess, sys\nvalues = json.loads(sys.stdin.readline())\n"
# Looks at every process of a host until something more comes in, then tells which values it saw where.
WATCH = f"""{HERE}
seen, looks = set(), 0
while not select.select([sys.stdin], [], [], 0.05)[0]:
    looks += 1
    for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
        try:
            text = open(path, "rb").read().decode(errors="replace")
            where = path.rsplit("/", 1)[1] + " of " + open(path.rsplit("/", 1)[0] + "/comm").read().strip()
        except OSError:
            continue
        seen |= {{name + " in " + where for name, value in values.items() if value in text}}
print(json.dumps([looks, sorted(seen)]))
"""
# All that remembers or reports.
PLACES = {
    "ledger": "cat /var/lib/devops-platform/ledger/*; ls -R /var/lib/devops-platform",
    "journal": "journalctl --no-pager --output verbose",
    "logs": "find /var/log -type f -not -path '*/journal/*' -exec cat {} +",
    "units": "find /etc/systemd /etc/default -type f -exec cat {} +",
    "containers": "docker ps --all --quiet | xargs -r docker inspect",
    "logs of containers": "for id in $(docker ps --all --quiet); do docker logs $id; done",
    "compose files": "cat /etc/devops-platform/apps/*/compose.yml",
    "temporary files": "find /tmp /var/tmp /home/admin/.ansible /root/.ansible -type f -exec cat {} +",
}
SEARCH = f"""{HERE}
found = {{}}
for place, command in json.loads(sys.stdin.readline()).items():
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode(errors="replace")
    found[place] = [len(text), [name for name, value in values.items() if value in text]]
print(json.dumps(found))
"""
# It takes the password that it asks for no other way; its environment is open to itself and to root.
KNOWN = {"data1": ["exporters/password in environ of redis_exporter"]}
SECRET_FILE = "/etc/devops-platform/apps/chat/secrets/chat_database"


def start(host: str, program: str) -> subprocess.Popen[str]:
    words = ["docker", "exec", "--interactive", f"{PREFIX}-{host}", "python3", "-c", program]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def watched(fleet: Fleet) -> Iterator[dict[str, subprocess.Popen[str]]]:
    watchers = {host: start(host, WATCH) for host in fleet.hosts}
    for watcher in watchers.values():
        assert watcher.stdin
        watcher.stdin.write(json.dumps(fleet.secrets()) + "\n")
        watcher.stdin.flush()
    yield watchers
    for watcher in watchers.values():
        watcher.kill()
        watcher.wait()


def seen_by(watcher: subprocess.Popen[str]) -> list[str]:
    output, _nothing = watcher.communicate("enough\n", timeout=30)
    looks, seen = json.loads(output)
    assert looks > 10, "it hardly looked"
    return list(seen)


def told(text: str, values: Mapping[str, str]) -> list[str]:
    return [name for name, value in values.items() if value in text]


def test_a_run_that_writes_secrets_tells_none(fleet: Fleet, watched: dict[str, subprocess.Popen[str]]) -> None:
    values = fleet.secrets()
    assert len(values) >= 3
    assert min(map(len, values.values())) >= 32
    # What stood there before is a secret too: the value, and more.
    fleet.on("app1", "sh", "-c", f"echo not-so-fast >> {SECRET_FILE}")
    fleet.on("data1", "sh", "-c", "echo '# by hand' >> /etc/redis/users.acl")
    play = fleet.play("site.yml", "--diff", "-vvv").expect_ok()
    assert set(play.changes) == {"app1", "data1"}
    assert SECRET_FILE in play.output
    assert told(play.output, values) == []
    assert {host: seen_by(watcher) for host, watcher in watched.items()} == {
        host: KNOWN.get(host, []) for host in fleet.hosts
    }


def test_no_host_remembers_one(fleet: Fleet) -> None:
    values = fleet.secrets()
    for host in fleet.hosts:
        search = start(host, SEARCH)
        output, _nothing = search.communicate(f"{json.dumps(values)}\n{json.dumps(PLACES)}\n", timeout=60)
        found = json.loads(output)
        assert {place: names for place, (_size, names) in found.items() if names} == {}, host
        assert found["journal"][0] > 10_000, "a journal that is empty proves nothing"


def test_files_that_hold_one_are_closed(fleet: Fleet) -> None:
    assert fleet.attempt("app1", "runuser", "-u", "admin", "--", "cat", SECRET_FILE).returncode != 0
    assert fleet.attempt("data1", "runuser", "-u", "admin", "--", "cat", "/etc/redis/users.acl").returncode != 0
    assert fleet.on("app1", "stat", "--format", "%a %U", "/var/lib/devops-platform").split() == ["700", "root"]
    until("the applications after their restart", lambda: fleet.verify(patience=30).code == 0, seconds=120)
