"""Tools of the workshop: the runner of the test suites, the bench, the overview after ``make up``."""

# Importing it also makes the collection importable, whose module_utils the tools share.
from lab import REPOSITORY

__all__ = ["REPOSITORY"]
