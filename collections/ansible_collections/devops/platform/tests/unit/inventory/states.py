"""States of Terraform as hypothesis makes them: modules in modules, `count` and `for_each`, instances and databases."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

# Short and alike, with what sanitizing loses: names must not meet by it.
IDENTIFIERS = st.sampled_from(["a", "b", "a-b", "a_b", "app", "module"])
KEYS = st.one_of(
    st.none(),
    st.integers(0, 12),
    st.sampled_from(["a", "b", "a-b", "A", "a.b", "0", "ü", "a b", 'q"q', "x]y"]),
    st.text(min_size=1, max_size=6),
)
TYPES = st.sampled_from(["aws_instance", "aws_db_instance", "aws_lb", "aws_security_group"])
Element = tuple[tuple[tuple[str, Any], ...], str, str, Any]  # modules, type, name, key


@st.composite
def elements(draw: st.DrawFn) -> Element:
    modules = draw(st.lists(st.tuples(IDENTIFIERS, KEYS), max_size=3))
    return tuple(modules), draw(TYPES), draw(IDENTIFIERS), draw(KEYS)


# Terraform knows no two of one address.
ESTATES = st.lists(elements(), max_size=12, unique_by=lambda element: repr(address(element)))


def _index(key: Any) -> str:
    return "" if key is None else f"[{json.dumps(key)}]"


def address(element: Element) -> str:
    modules, kind, name, key = element
    path = ".".join(f"module.{module}{_index(index)}" for module, index in modules)
    return ".".join(filter(None, (path, kind, f"{name}{_index(key)}")))


def attributes(element: Element) -> dict[str, Any]:
    """What AWS gives; the identifier follows from the address, so that a test can tell who is who."""
    identifier = f"i-{address(element)}"
    return {
        "id": identifier,
        "arn": f"arn:{identifier}",
        "private_ip": "10.0.0.1",
        "availability_zone": "eu-central-1a",
        "tags_all": {"Role": "app"},
        "address": "db.example",
        "port": 5432,
        "engine": "postgres",
        "dns_name": "lb.example",
    }


def state(found: list[Element]) -> dict[str, Any]:
    """As Terraform writes it: instances of one resource stand together."""
    resources: dict[tuple[str, str, str], dict[str, Any]] = {}
    for element in found:
        modules, kind, name, key = element
        path = ".".join(f"module.{module}{_index(index)}" for module, index in modules)
        resource = resources.setdefault(
            (path, kind, name),
            {"mode": "managed", "type": kind, "name": name, "instances": [], **({"module": path} if path else {})},
        )
        index = {} if key is None else {"index_key": key}
        resource["instances"].append({**index, "attributes": attributes(element)})
    return {"version": 4, "terraform_version": "1.11.0", "outputs": {}, "resources": list(resources.values())}
