"""Surveys from the variables of playbooks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.awx import surveys
from ansible_collections.devops.platform.plugins.module_utils.awx.playbooks import PLAYBOOKS, Variable

CHOICES = {"targets": ["apps", "chat", "docker"]}


def variable(schema: dict[str, Any], required: bool = False) -> Variable:
    return Variable("name", "Title", "Help.", schema, required)


@pytest.mark.parametrize(
    ("schema", "required", "expected"),
    [
        ({"type": "string"}, False, {"type": "text", "default": "", "min": None, "max": 1024, "choices": ""}),
        ({"type": "string", "minLength": 2, "maxLength": 9}, True, {"min": 2, "max": 9}),
        ({"type": "string", "minLength": 2}, False, {"min": None}),  # nothing at all is an answer, too
        ({"type": "string", "default": "latest"}, False, {"default": "latest"}),
        ({"type": "integer", "minimum": 1, "maximum": 60, "default": 5}, False, {"type": "integer", "default": 5}),
        ({"type": "integer", "minimum": 1, "maximum": 60}, False, {"min": 1, "max": 60, "default": ""}),
        ({"type": "number"}, False, {"type": "float"}),
        ({"type": "boolean", "default": True}, False, {"type": "multiplechoice", "default": "true", "max": None}),
        ({"type": "boolean"}, False, {"choices": ["true", "false"], "default": ""}),
        ({"enum": ["a", 2]}, False, {"type": "multiplechoice", "choices": ["a", "2"], "default": ""}),
        ({"enum": ["a", 2]}, True, {"default": "a"}),
        ({"type": "string", "x-choices": "targets"}, True, {"choices": CHOICES["targets"], "default": "apps"}),
        ({"$ref": "#/properties/platform/properties/name"}, True, {"type": "text", "min": 1}),
        ({"$ref": "#/properties/platform/properties/environment"}, True, {"default": "lab"}),
    ],
)
def test_a_question_is_made_of_a_schema(schema, required, expected):
    found = surveys.question(variable(schema, required), CHOICES)
    assert {key: found[key] for key in expected} == expected
    assert (found["variable"], found["question_name"], found["required"]) == ("name", "Title", required)


def test_no_variable_is_no_survey():
    assert surveys.survey((), CHOICES) == {}


def test_every_question_is_one_that_awx_takes():
    types = {"text": str, "multiplechoice": str, "integer": int, "float": float}
    for variables in PLAYBOOKS.values():
        for one in surveys.survey(variables, CHOICES).get("spec", ()):
            assert one["default"] == "" or isinstance(one["default"], types[one["type"]])
            assert one["type"] != "multiplechoice" or one["default"] in ["", *one["choices"]]


VARIABLES = (
    Variable("flag", "", "", {"type": "boolean"}),
    Variable("count", "", "", {"type": "integer", "minimum": 1, "maximum": 9}),
    Variable("text", "", "", {"type": "string", "maxLength": 4}),
)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"flag": True, "count": 3, "text": "abcd"}, []),
        ({"flag": "true"}, ["flag: must be true or false"]),
        ({"count": 10}, ["count: must be a whole number between 1 and 9"]),
        ({"count": True}, ["count: must be a whole number between 1 and 9"]),
        ({"text": "abcde"}, ["text: must be text of at most 4 characters"]),
        ({"other": 1}, ["other: is no question of this job; it asks for flag, count, text"]),
    ],
)
def test_answers_are_compared_with_the_questions(answers, expected):
    assert [f"{name}: {what}" for name, what in surveys.problems(VARIABLES, answers)] == expected


def test_a_job_without_questions_takes_no_answer():
    assert list(surveys.problems((), {"a": 1})) == [("a", "is no question of this job; it asks for nothing")]


def test_answers_are_written_as_awx_takes_them():
    assert surveys.answered({"a": True, "b": False, "c": 3, "d": "x"}) == {"a": "true", "b": "false", "c": 3, "d": "x"}


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer", "number", "boolean"])},
        optional={"minimum": st.integers(0, 5), "maximum": st.integers(6, 9), "maxLength": st.integers(1, 9)},
    ),
    st.booleans(),
)
def test_limits_are_whole_numbers_or_nothing(schema, required):
    found = surveys.question(variable(schema, required), CHOICES)
    assert all(found[key] is None or isinstance(found[key], int) for key in ("min", "max"))
