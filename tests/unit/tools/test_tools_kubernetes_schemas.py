"""Schemas of the client: they take what the API server takes, and refuse slips."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tools.kubernetes_schemas import KINDS, file_name, schema, write

POLICY: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "x", "labels": {"a": "b"}},
    "spec": {
        "podSelector": {"matchLabels": {"a": "b"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 1, "protocol": "TCP"}, {"port": "http"}]}],
    },
}


def broken(*path: str | int, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(POLICY)
    at: Any = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return made


def test_a_right_manifest_passes() -> None:
    jsonschema.validate(POLICY, schema("networking.k8s.io/v1", "NetworkPolicy"))


@pytest.mark.parametrize(
    ("manifest", "what"),
    [
        (broken("spec", "podSelctor", value={}), "'podSelctor' was unexpected"),
        (broken("spec", "ingress", 0, "ports", 0, "port", value=[1]), r"\[1\] is not valid"),
        (broken("spec", "policyTypes", value=None), "None is not of type 'array'"),
        (broken("apiVersion", value="networking.k8s.io/v1beta1"), "'networking.k8s.io/v1' was expected"),
        ({key: value for key, value in POLICY.items() if key != "metadata"}, "'metadata' is a required property"),
    ],
)
def test_slips_are_refused(manifest: dict[str, Any], what: str) -> None:
    with pytest.raises(jsonschema.ValidationError, match=what):
        jsonschema.validate(manifest, schema("networking.k8s.io/v1", "NetworkPolicy"))


def test_files_are_called_as_kubeconform_looks_for_them(tmp_path: Path) -> None:
    write(tmp_path)
    assert len(list(tmp_path.iterdir())) == len(KINDS)
    for name in ("service-v1.json", "deployment-apps-v1.json", "clusterrole-rbac-v1.json"):
        jsonschema.Draft202012Validator.check_schema(json.loads((tmp_path / name).read_text()))
    assert file_name("autoscaling/v2", "HorizontalPodAutoscaler") == "horizontalpodautoscaler-autoscaling-v2.json"


def test_an_unknown_kind_is_said() -> None:
    with pytest.raises(LookupError, match="knows no Deployent of apps/v1"):
        schema("apps/v1", "Deployent")
