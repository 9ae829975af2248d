"""The modules as Ansible runs them, against a cluster of their own with one node that grows to two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.devops.platform.plugins.module_utils.elasticsearch.settings import declaration
from lab import REPOSITORY
from tests.elasticsearch.cluster import Cluster

PACKAGE = "ansible_collections.devops.platform.plugins.modules"


@pytest.fixture(scope="module")
def alone(home: Path, folder: Path) -> Iterator[Cluster]:
    """Not started yet: a first start is what the first test is about."""
    (folder / "alone").mkdir()
    made = Cluster(folder / "alone", home, ("one", "two"), first=21)
    made.prepare()
    made.groups["logging"] = ["one"]
    try:
        yield made
    finally:
        made.stop()


def module(cluster: Cluster, kind: str, /, check: bool = False, node: str = "one", **options: Any) -> dict[str, Any]:
    common = {
        "url": cluster.url(node),
        "password": cluster.passwords["superuser"],
        "authority": cluster.ca.read_text(),
        "patience": 60,
        "_ansible_check_mode": check,
        "_ansible_diff": True,
    }
    done = subprocess.run(
        [sys.executable, "-m", f"{PACKAGE}.{kind}"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {**common, **options}}),
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY / 'collections'}"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert cluster.passwords["superuser"] not in done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def objects(cluster: Cluster, nodes: int, check: bool = False) -> dict[str, Any]:
    return module(cluster, "elasticsearch_cluster", check, platform=declaration(cluster.platform), nodes=nodes)


def test_before_the_first_start(alone: Cluster) -> None:
    first = module(alone, "elasticsearch_node", name="one", state="left", founder=True, others=[alone.url("two")])
    assert (first["changed"], first["notes"][0][:18]) == (False, "nothing to leave: ")
    foreseen = objects(alone, 1, check=True)
    assert foreseen["changed"]
    assert "make index template logs-lab" in foreseen["changes"]
    refused = objects(alone, 1)
    assert refused["failed"]
    assert "cannot be reached" in refused["msg"]


def test_maps_that_the_kernel_does_not_allow(alone: Cluster) -> None:
    refused = module(alone, "elasticsearch_node", name="one", state="left", map_count=1 << 40)
    assert "one must not be started: vm.max_map_count is " in refused["msg"]


def test_one_node_is_a_green_cluster(alone: Cluster) -> None:
    alone.start(["one"])
    joined = module(alone, "elasticsearch_node", name="one", state="joined")
    assert joined["notes"] == ["1 nodes, green"]
    made = objects(alone, 1)
    assert made["changed"]
    assert not made["lifecycles"]
    assert [entry["before"] for entry in made["diff"]] == [""] * 4
    assert objects(alone, 1)["changes"] == []
    alone.client("one", "shipper").ask("PUT", "/logs-lab-a-2026.01.01/_create/1?refresh=true", {"message": "x"})
    assert module(alone, "elasticsearch_node", name="one", state="joined")["notes"] == ["1 nodes, green"]


def test_a_host_that_lost_its_data_founds_no_second_cluster(alone: Cluster) -> None:
    """As if 'two' stood first in the group, without data, while 'one' is in a cluster."""
    options: dict[str, Any] = {
        "founder": True,
        "others": [alone.url("one")],
        "directory": str(alone.folder / "two/data"),
    }
    refused = module(alone, "elasticsearch_node", node="two", name="two", state="left", **options)
    assert "is the first of its group, so it founds the cluster" in refused["msg"]


def test_it_grows_without_a_restart(alone: Cluster) -> None:
    before = {path: path.read_text() for path in (alone.folder / "one/config").rglob("*.yml")}
    alone.groups["logging"] = ["one", "two"]
    alone.write("one")
    assert before == {path: path.read_text() for path in (alone.folder / "one/config").rglob("*.yml")}
    alone.write("two")
    alone.start(["two"])
    joined = module(alone, "elasticsearch_node", node="two", name="two", state="joined", others=[alone.url("one")])
    assert joined["notes"] == ["2 nodes, green"]
    grown = objects(alone, 2)
    assert "change settings of 1 indexes" in grown["changes"]
    assert objects(alone, 2)["changes"] == []
    assert module(alone, "elasticsearch_node", name="one", state="joined")["notes"] == ["2 nodes, green"]


def test_restore(alone: Cluster) -> None:
    options: dict[str, Any] = {"repository": "logs-lab", "index": "logs-lab-a-*"}
    assert "has no snapshot 'latest'" in module(alone, "elasticsearch_restore", **options)["msg"]
    alone.client("one").ask("PUT", "/_snapshot/logs-lab/logs-lab-1?wait_for_completion=true", {"indices": "logs-lab-*"})
    foreseen = module(alone, "elasticsearch_restore", check=True, **options)
    assert (foreseen["changed"], foreseen["indexes"]) == (True, ["logs-lab-a-2026.01.01"])
    restored = module(alone, "elasticsearch_restore", **options)
    assert restored["proofs"] == [{"index": "logs-lab-a-2026.01.01", "restored": 1, "live": 1}]
