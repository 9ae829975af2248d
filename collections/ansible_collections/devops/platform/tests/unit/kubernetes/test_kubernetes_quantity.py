"""Quantities: what Kubernetes takes is taken, and in the right order."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.devops.platform.plugins.module_utils.kubernetes.quantity import quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        (2, "2"),
        ("1.5", "1.5"),
        ("250m", "0.25"),
        ("1k", "1000"),
        ("1Ki", "1024"),
        ("128Mi", "134217728"),
        ("1G", "1000000000"),
        ("1Gi", "1073741824"),
    ],
)
def test_what_a_quantity_is(text, number):
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "Gi", "-1", "1 Gi", "1gi", "1KB", "1e3x", "0x1", "1Gi\n"])
def test_what_is_none(text):
    with pytest.raises(ValueError, match="is no quantity of Kubernetes, such as 500m, 2 or 10Gi"):
        quantity(text)


UNITS = st.sampled_from(["m", "", "k", "Ki", "M", "Mi", "G", "Gi", "T", "Ti", "P", "Pi"])
ORDER = ["m", "", "k", "Ki", "M", "Mi", "G", "Gi", "T", "Ti", "P", "Pi"]


@given(st.integers(1, 999), UNITS, UNITS)
def test_a_larger_unit_is_more(number, one, other):
    less, more = sorted((one, other), key=ORDER.index)
    assert quantity(f"{number}{less}") <= quantity(f"{number}{more}")
    assert (one == other) == (quantity(f"{number}{one}") == quantity(f"{number}{other}"))


@given(st.text(max_size=6))
def test_any_text_is_a_number_or_refused(text):
    with suppress(ValueError):  # nothing else, and no number below 0
        assert quantity(text) >= 0
