"""The one exception that the command line turns into a message instead of a traceback."""

from __future__ import annotations


class LabError(Exception):
    """Something the operator can act on.

    ``problem`` says what failed and why; ``remedy`` says what to do, as an imperative sentence.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem if not remedy else f"{problem}\n  → {remedy}")
        self.problem = problem
        self.remedy = remedy
