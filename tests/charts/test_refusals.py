"""Values that Helm must not render: each is refused, with what is wrong and where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.charts.harness import CHART, RefusedError, render
from tests.charts.test_templates import STATEFUL, shop

ROUTE = {"host": "a.example", "routes": {"/x": {"workload": "wbe"}}}
NO_PORT = {"host": "a.example", "routes": {"/x": {"workload": "web", "port": "admin"}}}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        # By the schema.
        (shop({"replica": 2}), "additional properties 'replica' not allowed"),
        (shop(workload={}), "additional properties 'workload' not allowed"),
        (shop({"image": {"repository": "a", "tag": "latest"}}), "'not' failed"),
        (shop({"image": {"repository": "a", "digest": "sha256:1"}}), "does not match pattern"),
        (shop({"user": 0}), "minimum: got 0, want 1"),
        (shop({"kind": "DaemonSet"}), "value must be one of 'Deployment'"),
        (shop({"resources": {"requests": {"cpu": "1", "memory": "1Mi"}}}), "missing property 'limits'"),
        (shop({"resources": {"requests": {"cpu": "1"}, "limits": {}}}), "missing property"),
        (shop({"vpa": "Auto"}), "value must be one of 'Off'"),
        (shop({"scaling": {"min": 1, "max": 2}}), "'anyOf' failed"),
        (shop({"probes": {"readiness": {"path": "/a", "tcp": True}}}), "'oneOf' failed"),
        (shop({"to": {"a": {"cidr": "10.0.0.0/8"}}}), "missing property 'ports'"),
        (shop({"from": {"a": {}}}), "'oneOf' failed"),
        (shop({"from": {"a": {"cidr": "10.0.0.0/8", "app": "x"}}}), "'oneOf' failed"),
        (shop(monitoring={"discovery": "both"}), "value must be one of 'annotations'"),
        (shop(ingress={"routes": {"/": {"workload": "web", "service": "b"}}}), "'oneOf' failed"),
        (shop(ingress={"silence": -1}), "minimum: got -1, want 0"),
        (shop(ingress={"silence": "60s"}), "got string, want integer"),
        # By the templates, which see a workload with its defaults.
        (shop({"image": {"repository": "a"}}), "workloads.web.image: needs a tag or a digest"),
        ({"workloads": {"a": {}}}, "workloads.a: lacks image"),
        ({"workloads": {"a": {"image": {"repository": "a", "tag": "1.0.0"}}}}, "workloads.a: lacks resources"),
        (shop({"kind": "CronJob"}), "workloads.web: is a CronJob and lacks schedule"),
        (shop({"schedule": "@daily"}), "workloads.web.schedule: is for a CronJob, and this is a Deployment"),
        (
            shop({**STATEFUL, "scaling": {"min": 1, "max": 2, "cpu": 1}}),
            "workloads.web.scaling: is for a Deployment, and this is a StatefulSet",
        ),
        (shop({"scaling": {"min": 3, "max": 2, "cpu": 1}}), "workloads.web.scaling: min 3 is more than max 2"),
        (
            shop({"scaling": {"min": 1, "max": 2, "cpu": 1}, "vpa": "Recreate"}),
            "workloads.web.vpa: Recreate and scaling would both answer to the same load",
        ),
        (shop({"metrics": {"path": "/", "port": "admin"}}), "workloads.web.metrics.port: 'admin' is none of its ports"),
        (shop({**STATEFUL, "kind": "Deployment"}), "workloads.web.volumes: its replicas would share one volume"),
        (shop({**STATEFUL, "kind": "Job"}), "workloads.web.volumes: is a Job"),
        (shop(ingress=ROUTE), "ingress.routes: /x leads to 'wbe', which is no workload (there are: web)"),
        (shop(ingress=NO_PORT), "ingress.routes: /x leads to port 'admin', which 'web' has not"),
    ],
)
def test_what_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        render(values)
    assert message in str(refused.value)


def subschemas(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(node, dict):
        return
    yield path, node
    for group in ("properties", "patternProperties", "$defs"):
        for name, child in node.get(group, {}).items():
            yield from subschemas(child, f"{path}.{name}")
    yield from subschemas(node.get("items"), f"{path}[]")


def test_the_schema_describes_each_key_and_lets_no_other_pass() -> None:
    text = (CHART / "values.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    assert text == json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
    for path, node in subschemas(schema):
        if "properties" in node or "patternProperties" in node:
            assert node["additionalProperties"] is False, path
        for name, child in node.get("properties", {}).items():
            assert "$ref" in child or child.get("description"), f"{path}.{name} has no description"
