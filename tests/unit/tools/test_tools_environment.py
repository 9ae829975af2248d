"""What the locked environment has to be without."""

from __future__ import annotations

from importlib.util import find_spec


def test_preflight_does_not_wait_for_a_grammar() -> None:
    """jsonschema loads this where it is installed, for a format that nothing uses: 0.8 s at each start."""
    assert find_spec("rfc3987_syntax") is None, "pyproject.toml's override-dependencies keep it out; run `make env`"
