"""Strategies: settings, and what each of them does in which order."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.strategies import StrategyError, parse
from ansible_collections.devops.platform.plugins.module_utils.kubernetes.strategies.settings import Amount

KINDS = {"api": "Deployment", "db": "StatefulSet", "log": "DaemonSet"}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"apy": {}}, "strategies.apy: the definition has no such workload; did you mean 'api'?"),
        ({"api": "canary"}, "must be a mapping such as {type: canary}, not 'canary'"),
        ({"api": {"type": "partition"}}, "'partition' is none for a Deployment; it must be one of rolling, recreate"),
        ({"db": {"type": "canary"}}, "'canary' is none for a StatefulSet"),
        ({"api": {"type": "canary", "step": [1]}}, "strategies.api.step: is no key of canary; did you mean 'steps'?"),
        ({"api": {"max_surge": 0}}, 'strategies.api.max_surge: 0 is neither a number from 1 nor a share such as "25%"'),
        ({"api": {"max_surge": "101%"}}, "'101%' is neither"),
        ({"api": {"type": "canary", "steps": [2, 1]}}, "each must be more than the one before it"),
        ({"api": {"type": "canary", "steps": []}}, "strategies.api.steps: must be a list"),
        ({"api": {"type": "canary", "steps": [True]}}, "strategies.api.steps[0]: True is neither a number of pods"),
        ({"api": {"type": "blue_green", "keep": 1}}, "strategies.api.keep: 1 is neither true nor false"),
        ({"log": {"parallel": 0}}, "strategies.log.parallel: 0 is no number from 1"),
    ],
)
def test_mistakes_are_named(raw, said):
    with pytest.raises(StrategyError) as caught:
        parse(raw, KINDS)
    assert said in str(caught.value)


def test_all_mistakes_at_once():
    with pytest.raises(StrategyError) as caught:
        parse({"apy": {}, "api": {"type": "x"}, "db": {"steps": ["0%"]}}, KINDS)
    assert len(caught.value.problems) == 3


def test_defaults():
    found = parse({}, KINDS)
    assert {name: one.type for name, one in found.items()} == {"api": "rolling", "db": "partition", "log": "partition"}
    assert found["api"].max_surge == "25%"


@pytest.mark.parametrize(
    ("amount", "total", "number"),
    [
        (Amount(number=2), 5, 2),
        (Amount(number=9), 5, 5),
        (Amount(share=0.1), 3, 1),
        (Amount(share=0.5), 3, 2),
        (Amount(share=0.3), 10, 3),
        (Amount(share=1.0), 0, 0),
    ],
)
def test_amounts(amount, total, number):
    assert amount.of(total) == number
