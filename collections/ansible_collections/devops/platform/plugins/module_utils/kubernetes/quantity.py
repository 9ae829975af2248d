"""Quantities of Kubernetes, such as 500m or 10Gi. Pure."""

from __future__ import annotations

import re
from decimal import Decimal

FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?")
POWERS = {letter: power for power, letter in enumerate("kMGTP", start=1)}


def quantity(value: object) -> Decimal:
    """As a number; ValueError where it is none."""
    match = FORM.fullmatch(str(value))
    if match is None:
        raise ValueError(f"'{value}' is no quantity of Kubernetes, such as 500m, 2 or 10Gi")
    number, unit = Decimal(match[1]), match[2] or ""
    if unit == "m":
        return number / 1000
    if unit.endswith("i"):
        return number * 1024 ** POWERS[unit[0].replace("K", "k")]
    return number * 1000 ** POWERS.get(unit, 0)
