"""An application of platform.yml as values, and the chat's values files beside the lab's platform.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.addons import addons
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.chart import chart_values
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.resources import ingress_class
from ansible_collections.devops.platform.plugins.module_utils.platform import paths
from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.tests.unit.platform import example

ROOT = paths.find_root(Path(__file__))


def test_what_platform_yml_knows():
    values = chart_values(example.data(), "chat", example.IMAGES["images"])
    assert values["app"] == "chat"
    assert values["workloads"]["api"] == {
        "image": {"repository": "mirror:5000/chat-api", "tag": "1.0.0-abc", "digest": f"sha256:{example.DIGEST}"},
        "ports": {"http": 5000},
        "probes": {"readiness": {"path": "/readyz"}},
        "metrics": {"path": "/metrics", "port": "http"},
        "secrets": {"DATABASE_PASSWORD": "chat_database"},
    }
    migrate = values["workloads"]["migrate"]
    assert {key: migrate[key] for key in ("kind", "args")} == {"kind": "Job", "args": ["chat-migrate"]}


@pytest.mark.parametrize(
    ("edit", "names"),
    [
        (("web: {", "web: {enabled: false, "), ["api", "migrate", "websocket"]),
        (("          before: [api, websocket]\n", ""), ["api", "web", "websocket"]),
    ],
    ids=["switched off", "a task for when it is asked for"],
)
def test_what_is_none_of_a_release(edit, names):
    assert sorted(chart_values(example.data(edit), "chat")["workloads"]) == names


def test_the_class_of_the_clusters_ingress():
    """It has one default, which is the add-on's and the chart's; another one is said to the chart."""
    chart = yaml.safe_load((ROOT / "charts/service/values.yaml").read_text())["ingress"]
    made = addons({"kubernetes": {"cluster": {"version": "1.34.4", "control_plane": "a", "addons": {"traefik": {}}}}})
    [offered] = [one for one in made if one["kind"] == "IngressClass"]
    assert chart["className"] == offered["metadata"]["name"] == ingress_class({})
    [controller] = [one for one in made if one["kind"] == "DaemonSet" and one["metadata"]["name"] == "traefik"]
    assert chart["from"] == {"ingress": {"namespace": controller["metadata"]["namespace"]}}
    platform = example.data(("  edge:\n", "  kubernetes: {ingress_class: nginx}\n  edge:\n"))
    assert chart_values(platform, "chat")["ingress"] == {"className": ingress_class(platform)} == {"className": "nginx"}
    assert "ingress" not in chart_values(example.data(), "chat")


def test_an_unknown_app_and_an_image_that_is_not_pinned():
    with pytest.raises(PlatformError, match=r"no app 'chatt' \(it has: chat\)"):
        chart_values(example.data(), "chatt")
    with pytest.raises(PlatformError, match="image 'chat-web' in the image lock lacks digest"):
        chart_values(example.data(), "chat", {**example.IMAGES["images"], "chat-web": {"ref": "a", "tag": "1"}})


def within(small: Any, large: Any) -> bool:
    """Whether all that `small` says stands in `large`, too."""
    if isinstance(small, dict):
        return isinstance(large, dict) and all(key in large and within(small[key], large[key]) for key in small)
    return bool(small == large)


def test_the_chats_values_say_what_the_labs_platform_yml_says():
    platform = yaml.safe_load((ROOT / "inventories/lab/group_vars/all/platform.yml").read_text())["platform"]
    base = yaml.safe_load((ROOT / "charts/values/chat/base.yaml").read_text())
    known = chart_values(platform, "chat")
    assert within(known, base)
    assert sorted(known["workloads"]) == sorted(base["workloads"])
    for name, workload in known["workloads"].items():
        for key in ("ports", "secrets"):
            assert workload.get(key) == base["workloads"][name].get(key)
    images = {
        name: part["image"] for kind in ("services", "tasks") for name, part in platform["apps"]["chat"][kind].items()
    }
    assert {name: images[name] for name in known["workloads"]} == {
        name: workload["image"]["repository"] for name, workload in base["workloads"].items()
    }
    environment = platform["apps"]["chat"]["environment"]
    elsewhere = {"DATABASE_HOST", "REDIS_HOST", "DATABASE_PORT", "REDIS_PORT"}
    for name in set(environment) - elsewhere:
        assert base["environment"][name] == environment[name]
    routes = {route["path"]: route["service"] for route in platform["edge"]["routes"]}
    assert {path: route["workload"] for path, route in base["ingress"]["routes"].items()} == routes
