"""Tools of the workshop: the runner of the test suites, the bench, the overview after ``make up``."""

import os
from collections.abc import Mapping

# Importing it also makes the collection importable, whose module_utils the tools share.
from lab import REPOSITORY

__all__ = ["REPOSITORY", "locked_path"]


def locked_path(base: Mapping[str, str] = os.environ) -> str:
    """PATH with the locked tools first."""
    return f"{REPOSITORY / '.venv' / 'bin'}{os.pathsep}{base.get('PATH', os.defpath)}"
