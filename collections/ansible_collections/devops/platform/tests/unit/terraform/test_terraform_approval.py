"""A plan is applied where it is approved, for this environment, and where nothing has moved since; else never."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.terraform.approval import Request, Verdict, decide
from ansible_collections.devops.platform.plugins.module_utils.terraform.plan import Place, parse_plan
from ansible_collections.devops.platform.tests.unit.terraform.plans import plan, row

DIGEST = "d" * 64
HERE = Place("lineage", 4)
CREATE = plan(row("aws_lb.this"))
DESTROY = plan(row("aws_lb.this", "destroy"), row("aws_sns_topic.this", "destroy"))
GOOD = Request("prod", approve=DIGEST)
DESTRUCTION = Request("prod", approve=DIGEST, destroy=True, destroy_key="prod-2")


def asked(
    request: Request, data: dict[str, Any] | None = None, current: Place = HERE, planned: Place = HERE
) -> Verdict:
    return decide(parse_plan(data or (DESTROY if request.destroy else CREATE)), DIGEST, planned, current, request)


def variables(**values: Any) -> dict[str, Any]:
    return {"variables": {name: {"value": value} for name, value in values.items()}}


@pytest.mark.parametrize("request_", [GOOD, DESTRUCTION, replace(DESTRUCTION, environment="dev", destroy_key="")])
def test_approved(request_: Request) -> None:
    assert asked(request_).apply


@pytest.mark.parametrize(
    ("verdict", "refused", "said"),
    [
        (asked(Request("dev")), False, f"-e env=dev -e approve={DIGEST}"),
        (asked(Request("dev", destroy=True)), False, f"-e env=dev -e destroy=dev -e approve={DIGEST}"),
        (asked(Request("prod", destroy=True)), False, "-e destroy_key=prod-NUMBER"),
        (asked(Request("dev"), plan(row("aws_lb.this", "nothing"))), False, "nothing to approve"),
        (asked(replace(GOOD, approve="e" * 64)), True, f"the saved plan is {DIGEST}"),
        (asked(replace(GOOD, approve=DIGEST[:12])), True, f"the saved plan is {DIGEST}"),
        (asked(GOOD, current=Place("lineage", 5)), True, "it is number 5, planned on 4"),
        (asked(GOOD, current=Place("other", 4)), True, "another one (other, planned on lineage)"),
        (asked(GOOD, current=Place()), True, "another one (none, planned on lineage)"),
        (asked(GOOD, current=Place("new", 1), planned=Place()), True, "it is number 1, planned on 0"),
        (asked(replace(DESTRUCTION, destroy_key="")), True, "needs a second key"),
        (asked(replace(DESTRUCTION, destroy_key="prod-3")), True, "needs a second key"),
        (asked(replace(DESTRUCTION, destroy_key="prod")), True, "needs a second key"),
        (asked(DESTRUCTION, {**DESTROY, **variables(protected=True)}), True, "protected from deletion"),
        (asked(GOOD, {**CREATE, **variables(environment="dev")}), True, "the plan is for dev, not for prod"),
    ],
)
def test_not_applied(verdict: Verdict, refused: bool, said: str) -> None:
    assert not verdict.apply
    assert verdict.refused == refused
    assert said in verdict.said


def test_outputs_alone_are_worth_an_approval() -> None:
    data = plan(row("aws_lb.this", "nothing"), output_changes={"hosts": {"actions": ["update"]}})
    assert f"approve={DIGEST}" in asked(Request("dev"), data).said
    assert asked(Request("dev", approve=DIGEST), data).apply


@given(
    st.builds(
        Request,
        st.sampled_from(["dev", "prod"]),
        st.sampled_from(["", DIGEST, "e" * 64]),
        st.booleans(),
        st.sampled_from(["", "prod-2", "prod-3"]),
    ),
    st.sampled_from([HERE, Place("lineage", 5), Place("other", 4), Place()]),
    st.sampled_from([None, "dev", "prod"]),
    st.booleans(),
)
def test_nothing_is_applied_on_less(
    request_: Request, current: Place, planned_for: str | None, protected: bool
) -> None:
    data = {**(DESTROY if request_.destroy else CREATE), **variables(environment=planned_for, protected=protected)}
    if asked(request_, data, current).apply:
        assert request_.approve == DIGEST
        assert current == HERE
        assert planned_for in (None, request_.environment)
        assert not (request_.destroy and protected)
        assert request_.environment == "dev" or not request_.destroy or request_.destroy_key == "prod-2"
