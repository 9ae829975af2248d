"""A real cluster with the product's own configuration, users and certificates. Tests stand in the order in which a
cluster lives: it is made, written to, read, snapshotted, cleaned and restarted."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import (
    cluster as objects,
)
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch import (
    health,
    restore,
    retention,
    rolling,
)
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.client import (
    Elasticsearch,
    ElasticsearchError,
)
from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.program import program_settings
from ansible_collections.devops.platform.plugins.module_utils.logging import outputs
from ansible_collections.devops.platform.plugins.module_utils.platform.pki import Authority
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Store
from tests.elasticsearch.cluster import Cluster

TODAY = dt.datetime.now(dt.UTC)
REPOSITORY = "logs-lab"


def index(app: str, days_ago: int = 0) -> str:
    return f"logs-lab-{app}-{TODAY - dt.timedelta(days=days_ago):%Y.%m.%d}"


def bulk(client: Elasticsearch, name: str, documents: list[dict[str, Any]], action: str = "create") -> list[int]:
    """The status of each document."""
    lines = itertools.chain.from_iterable(({action: {"_index": name}}, document) for document in documents)
    answer = client.ask("POST", "/_bulk?refresh=true", list(lines))
    return [next(iter(item.values()))["status"] for item in answer["items"]]


def refused(client: Elasticsearch, method: str, path: str, body: Any = None) -> int:
    with pytest.raises(ElasticsearchError) as caught:
        client.ask(method, path, body)
    return caught.value.status


def changes(cluster: Cluster) -> list[objects.Change]:
    client = cluster.client()
    actual = objects.observe(client, cluster.settings, {})
    return objects.plan(cluster.settings, len(cluster.names), actual, {})


def documents(client: Elasticsearch, name: str) -> int:
    client.ask("POST", f"/{name}/_refresh")
    return int(client.get(f"/{name}/_count")["count"])


class TestObjects:
    def test_the_cluster_is_one(self, cluster: Cluster) -> None:
        answer = cluster.client().get("/_cluster/health")
        assert (answer["number_of_nodes"], answer["cluster_name"]) == (3, "chat-lab")

    def test_are_made_once(self, cluster: Cluster) -> None:
        planned = changes(cluster)
        assert [change.title for change in planned] == [
            "make snapshot repository logs-lab",
            "make component template logs-lab-fields",
            "make index template logs-lab",
            "make index template logs-lab-dead-letter",
        ]
        objects.carry_out(cluster.client(), planned)
        assert changes(cluster) == []

    def test_come_back_as_declared(self, cluster: Cluster) -> None:
        client = cluster.client()
        meta = client.get("/_index_template/logs-lab")["index_templates"][0]["index_template"]["_meta"]
        stray = {"index_patterns": ["logs-lab-stray-20*"], "priority": 650, "_meta": meta}
        client.ask("PUT", "/_index_template/logs-lab-stray", stray)
        foreign = {"index_patterns": ["logs-lab-foreign-20*"], "priority": 651}
        client.ask("PUT", "/_index_template/logs-lab-foreign", foreign)
        client.ask("PUT", "/_component_template/logs-lab-fields", {"template": {}, "_meta": meta})
        planned = changes(cluster)
        assert [change.title for change in planned] == [
            "change component template logs-lab-fields",
            "remove index template logs-lab-stray",
        ]
        objects.carry_out(client, planned)
        assert changes(cluster) == []
        client.ask("DELETE", "/_index_template/logs-lab-foreign")

    def test_let_copies_move_again_after_a_run_that_died(self, cluster: Cluster) -> None:
        cluster.client().ask("PUT", "/_cluster/settings", rolling.AWAY)
        planned = changes(cluster)
        assert [change.title for change in planned] == ["let copies move again"]
        objects.carry_out(cluster.client(), planned)
        assert changes(cluster) == []

    def test_passwords_of_built_in_users(self, cluster: Cluster) -> None:
        client, passwords = cluster.client(), {"elastic": "elastic-of-the-tests"}
        actual = objects.observe(client, cluster.settings, passwords)
        assert actual.wrong_passwords == ("elastic",)
        # This distribution cannot store them; the unit tests have the rest.
        known = {"superuser": cluster.passwords["superuser"]}
        assert objects.observe(client, cluster.settings, known).wrong_passwords == ()


class TestSecurity:
    def test_nobody_and_strangers_are_refused(self, cluster: Cluster) -> None:
        url = cluster.url("log1")
        assert refused(Elasticsearch(url, ca=str(cluster.ca)), "GET", "/_cluster/health") == 401
        assert refused(cluster.client(password="wrong"), "GET", "/_cluster/health") == 401

    def test_another_authority_is_not_trusted(self, cluster: Cluster, tmp_path: Path) -> None:
        other = Authority(Store(tmp_path / "pki"), "chat elasticsearch", peers=True).issue("log1").authority
        stranger = Elasticsearch(cluster.url("log1"), "superuser", cluster.passwords["superuser"], ca_text=other)
        with pytest.raises(ElasticsearchError, match="certificate is not trusted") as caught:
            stranger.get("/_cluster/health")
        assert not caught.value.away  # nobody waits for that to pass

    def test_the_shipper_appends(self, cluster: Cluster) -> None:
        line = {"@timestamp": TODAY.isoformat(), "message": "hello", "app": "security"}
        shipper = cluster.client(user="shipper")
        assert bulk(shipper, index("security"), [line, line]) == [201, 201]
        # 'index' could overwrite what is there.
        assert bulk(shipper, index("security"), [line], "index") == [403]

    def test_the_shipper_does_nothing_else(self, cluster: Cluster) -> None:
        shipper, name = cluster.client(user="shipper"), index("security")
        assert refused(shipper, "GET", f"/{name}/_search") == 403
        assert refused(shipper, "DELETE", f"/{name}") == 403
        assert refused(shipper, "PUT", "/_index_template/x", {"index_patterns": ["x"]}) == 403
        assert refused(shipper, "PUT", "/elsewhere/_create/1", {}) == 403
        assert refused(shipper, "GET", "/_cluster/state") == 403
        shipper.ask("PUT", f"/{name}/_create/1", {"message": "first"})
        assert refused(shipper, "PUT", f"/{name}/_doc/1", {"message": "second"}) in (403, 409)
        assert cluster.client().get(f"/{name}/_doc/1")["_source"] == {"message": "first"}

    def test_the_reader_reads(self, cluster: Cluster) -> None:
        reader, name = cluster.client(user="reader"), index("security")
        assert reader.get("/logs-lab-*/_search?q=app:security")["hits"]["total"]["value"] == 2
        assert refused(reader, "POST", f"/{name}/_doc", {"message": "x"}) == 403
        assert refused(reader, "DELETE", f"/{name}") == 403
        assert refused(reader, "GET", "/_security/user") == 403

    def test_the_monitor_measures(self, cluster: Cluster) -> None:
        monitor = cluster.client(user="monitor")
        for path in ("/_cluster/health", "/_nodes/stats", "/_all/_stats", "/_cluster/settings", "/_cat/shards"):
            monitor.get(path)
        assert refused(monitor, "GET", "/logs-lab-*/_search") == 403
        assert refused(monitor, "PUT", "/_cluster/settings", rolling.BACK) == 403


class TestLines:
    SOUND: ClassVar[dict[str, Any]] = {
        "@timestamp": TODAY.isoformat(),
        "message": "in order",
        "status": 200,
        "duration": 0.25,
        "level": "info",
    }
    ODD: ClassVar[tuple[dict[str, Any], ...]] = (
        {"status": "teapot"},
        {"duration": "fast"},
        {"@timestamp": "yesterday"},
        {"client": "not an address"},
        {"level": 7},
        {"user": 4711},
        {"user": "x" * 40000},
        {"new": {"deeply": {"nested": [1, "a", {"b": None}]}}},
        {"fields": {"a": 1, "b": {"c": "x" * 40000}}},
        {"fields": {"a": {"now": "an object"}}},
        {f"field{number}": number for number in range(1500)},
    )

    def test_a_type_that_changes_loses_none(self, cluster: Cluster) -> None:
        shipper, name = cluster.client(user="shipper"), index("lines")
        given = [dict(self.SOUND), *({**self.SOUND, **odd} for odd in self.ODD)]
        assert bulk(shipper, name, given) == [201] * len(given)
        reader = cluster.client(user="reader")
        assert documents(cluster.client(), name) == len(given)
        assert reader.get(f"/{name}/_search?q=status:200")["hits"]["total"]["value"] == len(given) - 1
        assert reader.get(f"/{name}/_search?q=fields.a:1")["hits"]["total"]["value"] == 1

    def test_the_mapping_does_not_grow(self, cluster: Cluster) -> None:
        found = cluster.client().get(f"/{index('lines')}/_mapping")
        assert "field1" not in json.dumps(found)

    def test_what_is_refused_goes_to_the_dead_letters(self, cluster: Cluster) -> None:
        """An object where text is declared is the one thing that Elasticsearch cannot be told to tolerate."""
        shipper = cluster.client(user="shipper")
        broken = {**self.SOUND, "user": {"id": 1}}
        assert bulk(shipper, index("lines"), [broken]) == [400]
        reason = {"type": "document_parsing_exception", "reason": "x" * 40000}
        strange = {"message": {"a": 1}, "host": "x" * 40000, "app": [{"b": None}], "@timestamp": {"c": 2}}
        letters = [
            outputs.Elasticsearch._letter((index("lines"), "1", document), 400, reason)
            for document in (broken, strange)
        ]
        assert bulk(shipper, index("dead-letter"), letters) == [201, 201]
        assert cluster.client(user="reader").get(f"/{index('dead-letter')}/_count")["count"] == 2


class TestHealth:
    @pytest.fixture
    def lost(self, cluster: Cluster) -> Iterator[str]:
        name = "logs-lab-lost-2026.01.01"
        settings = {"index.routing.allocation.require._name": "nowhere", "index.number_of_replicas": 0}
        cluster.client().ask("PUT", f"/{name}?wait_for_active_shards=0", {"settings": settings})
        yield name
        cluster.client().ask("DELETE", f"/{name}")

    def test_red_is_explained(self, cluster: Cluster, lost: str) -> None:
        with pytest.raises(ElasticsearchError) as caught:
            health.wait_until_settled(cluster.client(), 2)
        text = str(caught.value)
        assert "the cluster is red after 2 s, with 3 nodes" in text
        assert f"{lost}[0] primary: INDEX_CREATED" in text
        assert 'does not match index setting [index.routing.allocation.require] filters [_name:"nowhere"]' in text
        assert "log1, log2, log3" in text

    def test_a_node_does_not_leave_then(self, cluster: Cluster, lost: str) -> None:
        with pytest.raises(ElasticsearchError, match="the cluster is red"):
            rolling.leave(cluster.client("log2"), 1)
        assert not objects.observe(cluster.client(), cluster.settings, {}).held


class TestSnapshots:
    def program(self, cluster: Cluster, folder: Path) -> subprocess.CompletedProcess[str]:
        """The program as it runs on hosts: its files alone, Python alone."""
        settings = program_settings(cluster.platform, "log1", cluster.passwords["retention"], str(cluster.ca))
        settings["url"] = cluster.url("log1")
        package = folder / "log_retention"
        package.mkdir(exist_ok=True)
        source = Path(retention.__file__).parent
        for name in ("client.py", "retention.py"):
            (package / name).write_text((source / name).read_text())
        (package / "__init__.py").touch()
        (folder / "settings.json").write_text(json.dumps(settings))
        command = [sys.executable, "-m", "log_retention.retention", "--once", str(folder / "settings.json")]
        environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=folder)

    def test_are_taken_once_a_day(self, cluster: Cluster, tmp_path: Path) -> None:
        shipper = cluster.client(user="shipper")
        for app, age in (("chat", 20), ("chat", 32), ("other", 13), ("other", 16)):
            line = {"@timestamp": TODAY.isoformat(), "message": f"{app} {age} days ago"}
            assert bulk(shipper, index(app, age), [line] * 3) == [201] * 3
        done = self.program(cluster, tmp_path)
        assert done.returncode == 0, done.stderr
        assert [line[:23] for line in done.stdout.splitlines()] == ["began snapshot logs-lab"]
        self.wait_for_snapshots(cluster)

    def test_then_old_indexes_go(self, cluster: Cluster, tmp_path: Path) -> None:
        done = self.program(cluster, tmp_path)
        assert done.returncode == 0, done.stderr
        assert set(done.stdout.splitlines()) == {
            f"removed index {index('chat', 32)}",
            f"removed index {index('other', 16)}",
        }
        there = set(cluster.client().get("/logs-lab-*/_settings"))
        assert index("chat", 20) in there
        assert index("other", 13) in there
        assert index("other", 16) not in there
        again = self.program(cluster, tmp_path)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")

    def wait_for_snapshots(self, cluster: Cluster) -> None:
        for _ in range(60):
            if not cluster.client().get(f"/_snapshot/{REPOSITORY}/_current")["snapshots"]:
                return
            time.sleep(0.5)
        raise AssertionError("the snapshot does not end")

    def restored(self, cluster: Cluster, wanted: restore.Wanted) -> tuple[restore.Chosen, list[restore.Proof]]:
        chosen = restore.find(cluster.client(), wanted)
        return chosen, restore.restore(cluster.client(), wanted, chosen, 60)

    def test_come_back_beside_the_live_ones(self, cluster: Cluster) -> None:
        wanted = restore.Wanted(REPOSITORY, index="logs-lab-lines-*")
        chosen, proofs = self.restored(cluster, wanted)
        assert chosen.indexes == (index("lines"),)
        assert [(proof.restored, proof.live) for proof in proofs] == [(len(TestLines.ODD) + 1,) * 2]
        reader = cluster.client(user="reader")
        assert reader.get(f"/restored-{index('lines')}/_count")["count"] == len(TestLines.ODD) + 1
        assert self.restored(cluster, wanted)[1] == proofs

    def test_what_was_removed_comes_back_in_its_place(self, cluster: Cluster) -> None:
        client, name = cluster.client(), index("lines")
        before = documents(client, name)
        bulk(client, name, [{"message": "after the snapshot"}])
        wanted = restore.Wanted(REPOSITORY, index=name, beside="")
        assert self.restored(cluster, wanted)[1] == [restore.Proof(name, before, before + 1)]
        gone = restore.Wanted(REPOSITORY, index=index("other", 16), beside="")
        assert self.restored(cluster, gone)[1] == [restore.Proof(index("other", 16), 3, None)]

    def test_what_there_is_not(self, cluster: Cluster) -> None:
        with pytest.raises(ElasticsearchError, match="has no index 'nothing'; it has logs-lab-"):
            restore.find(cluster.client(), restore.Wanted(REPOSITORY, index="nothing"))
        with pytest.raises(ElasticsearchError, match="has no snapshot 'gone'; the last ones are: logs-lab-"):
            restore.find(cluster.client(), restore.Wanted(REPOSITORY, "gone"))


class Writer(threading.Thread):
    """Sends a line after the other to whichever node takes it, as the shipper does, and counts those taken."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(daemon=True)
        self.cluster = cluster
        self.taken = self.sent = 0
        self.longest = 0.0
        self.over = threading.Event()

    def run(self) -> None:
        clients = [self.cluster.client(name, "shipper") for name in self.cluster.names]
        nodes = itertools.cycle(Elasticsearch(c.url, c.user, c.password, c.ca, timeout=10) for c in clients)
        while not self.over.is_set():
            self.sent += 1
            began = time.monotonic()
            while not self.one(next(nodes)):
                time.sleep(0.1)
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.02)

    def one(self, client: Elasticsearch) -> bool:
        line = {"@timestamp": TODAY.isoformat(), "message": f"line {self.sent}", "app": "rolling"}
        try:
            client.ask("PUT", f"/{index('rolling')}/_create/{self.sent}?timeout=8s", line)
        except ElasticsearchError as error:
            if error.status == 409:  # taken before, and the answer was lost
                self.taken += 1
                return True
            if not error.away:
                raise
            return False
        self.taken += 1
        return True


class TestRolling:
    @pytest.mark.timeout(300)
    def test_no_line_is_lost(self, cluster: Cluster) -> None:
        writer = Writer(cluster)
        writer.start()
        notes = []
        try:
            for name in cluster.names:
                client = cluster.client(name)
                left = rolling.leave(client, 60)
                cluster.nodes[name].stop()
                cluster.write(name)
                cluster.start([name])
                others = [cluster.url(other) for other in cluster.names if other != name]
                came = rolling.join(client, name, others, 90)
                assert (left.changed, came.changed) == (True, True)
                notes += [*left.notes, *came.notes]
        finally:
            writer.over.set()
            writer.join(60)
        assert notes == ["3 nodes, green; copies stay where they are", "3 nodes, green"] * 3
        print(f"\n{writer.taken} lines while three nodes were restarted; the longest wait was {writer.longest:.1f} s")
        assert not writer.is_alive()
        assert writer.taken == writer.sent == documents(cluster.client(), index("rolling"))
        assert writer.taken > 100
        assert changes(cluster) == []

    def test_a_node_of_another_cluster_is_not_taken_for_ours(self, cluster: Cluster) -> None:
        clusters = rolling.clusters_of(cluster.client(), [*cluster.urls(), "https://127.0.0.1:9"])
        known = {found for found in clusters.values() if found}
        assert len(known) == 1
        assert clusters["https://127.0.0.1:9"] == ""
        assert "is the first of its group" in rolling.founding_refused(True, False, clusters)
        assert rolling.founding_refused(True, rolling.has_data(str(cluster.folder / "log1/data")), clusters) == ""
