"""The documentation of each filter says what the filter takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.plugins.filter import alerting as alerting_filters
from ansible_collections.devops.platform.plugins.filter import charts as chart_filters
from ansible_collections.devops.platform.plugins.filter import platform as platform_filters
from ansible_collections.devops.platform.plugins.filter import roles as role_filters

FOLDER = Path(platform_filters.__file__).parent
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **platform_filters.FilterModule.FUNCTIONS,
    **role_filters.FilterModule.FUNCTIONS,
    **alerting_filters.FilterModule.FUNCTIONS,
    **chart_filters.FilterModule.FUNCTIONS,
}


def test_each_filter_has_one_page():
    assert sorted(path.stem for path in FOLDER.glob("*.yml")) == sorted(FUNCTIONS)
    modules = (platform_filters, role_filters, alerting_filters, chart_filters)
    assert sum(len(module.FilterModule().filters()) for module in modules) == len(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_page_says_what_the_filter_takes(name):
    page = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    documented = page["DOCUMENTATION"]
    parameters = list(inspect.signature(FUNCTIONS[name]).parameters.values())[1:]
    options = dict(documented["options"])
    assert documented["name"] == name
    assert options.pop("_input")["required"] is True
    assert list(options) == [parameter.name for parameter in parameters]
    assert (
        documented.get("positional", "").replace(" ", "").split(",")
        == [*(parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY)]
        or not parameters
    )
    for parameter in parameters:
        required = parameter.default is parameter.empty
        assert options[parameter.name].get("required", False) is required, parameter.name
    assert f"devops.platform.{name}" in page["EXAMPLES"]
    yaml.safe_load(page["EXAMPLES"])
    assert page["RETURN"]["_value"]["type"] in ("dict", "list", "str")


def test_what_is_impossible_is_a_filter_error():
    from ansible.errors import AnsibleFilterError

    filters = platform_filters.FilterModule().filters()
    with pytest.raises(AnsibleFilterError, match=r"devops\.platform\.app_secrets: platform\.apps has no app 'x'"):
        filters["app_secrets"]({}, "x")
    with pytest.raises(AnsibleFilterError, match=r"lacks the key 'app'; run playbooks/preflight\.yml for its place"):
        filters["edge_routes"]({"edge": {"routes": [{"path": "/"}]}}, {}, {})
