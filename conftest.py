"""What all suites share."""

from __future__ import annotations

from hypothesis import settings

# A machine that is busy with other suites is slow, not wrong: how long an example takes is no property of the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")
