"""Values of `platform.secrets`, whatever keeps them: how they are read, cached for a run, and rotated."""
