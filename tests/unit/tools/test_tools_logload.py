"""What of shipping under load is a missed limit, and how figures read."""

from __future__ import annotations

import pytest

from tools.logload.figures import Figures, Load, document, quantile

SOUND = Load(lines=10000, shipped=2.0, plain=1.5, shipper=0.8, gateway=0.4, server=1.8, alone=1.7)
WAITS = tuple(float(number) / 10 for number in range(100))


@pytest.mark.parametrize(
    ("loads", "waits", "expected"),
    [
        ((SOUND,), WAITS, []),
        ((Load(10000, 3.0, 1.5, 0, 0, 0, 0),), WAITS, []),
        ((Load(10000, 3.1, 1.5, 0, 0, 0, 0),), WAITS, ["shipping is 48% of a plain bulk load; 50% is the least"]),
        ((SOUND, SOUND, Load(10000, 9.0, 1.5, 0, 0, 0, 0)), WAITS, []),  # one bad run of three
        ((SOUND,), (11.0,) * 10, ["19 of 20 lines are found within 11.0 s; 10 s is the most"]),
    ],
)
def test_limits(loads, waits, expected):
    assert Figures(loads, waits, 500).wrong() == expected


def test_quantiles():
    assert quantile(WAITS, 0.95) == 9.5
    assert quantile((3.0, 1.0), 1.0) == 3.0


def test_the_page_has_the_figures():
    text = document(Figures((SOUND,), WAITS, 500), "2 processors")
    cells = [cell.strip() for line in text.splitlines() if "10000" in line for cell in line.strip("|").split("|")]
    assert cells == ["10000", "2.0 s", "5000", "6667", "75%", "80 ms", "40 ms", "180 ms", "170 ms"]
    assert "Both limits are kept." in text
    assert "p50 5.0 s, p95 9.5 s, longest 9.9 s" in text
