"""While the key is replaced, tokens of either key count, on replicas that sign with either."""

from __future__ import annotations

import pytest
from flask import session
from flask_wtf.csrf import generate_csrf, validate_csrf
from test_config import GOOD
from wtforms import ValidationError

from chat.config import Program, load
from chat.http import make_flask
from chat.metrics import Metrics

OLD, NEW = "o" * 32, "n" * 32
HELD = "raw"  # what the session holds, wherever it is read


def signed(key: str, others: str = "") -> str:
    app = make_flask("test", load({**GOOD, "SECRET_KEY": key, "SECRET_KEY_OTHERS": others}, Program.API), Metrics())
    with app.test_request_context():
        session["csrf_token"] = HELD
        return str(generate_csrf())


def counts(token: str, key: str, others: str = "") -> bool:
    app = make_flask("test", load({**GOOD, "SECRET_KEY": key, "SECRET_KEY_OTHERS": others}, Program.API), Metrics())
    with app.test_request_context():
        session["csrf_token"] = HELD
        try:
            validate_csrf(token)
        except ValidationError:
            return False
        return True


@pytest.mark.parametrize(
    ("signs", "checks", "expected"),
    [
        ((OLD, ""), (OLD, NEW), True),  # the new key is handed out, and signs nothing yet
        ((OLD, NEW), (OLD, ""), True),
        ((OLD, NEW), (NEW, OLD), True),  # it signs on some replicas
        ((NEW, OLD), (OLD, NEW), True),
        ((NEW, ""), (NEW, OLD), True),
        ((OLD, ""), (NEW, ""), False),  # what would happen without the others
        ((NEW, OLD), (OLD, ""), False),  # the order of steps: first everybody knows the new one
    ],
)
def test_tokens(signs: tuple[str, str], checks: tuple[str, str], expected: bool) -> None:
    assert counts(signed(*signs), *checks) is expected
