"""How old secrets are, as metrics that node_exporter reads from a file. Prometheus does the counting: a time stays as
it is."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration

from .backend import Record, Stage
from .rotation import DAY, kind_of

FILE = "secrets.prom"


def metrics(held: Mapping[str, Mapping[Stage, Record]], declared: Declaration) -> str:
    """The text of the file; nothing where nothing can be rotated. A secret whose age nobody knows has none."""
    if not held:
        return ""
    changed, rotating = [], []
    for name in sorted(held):
        labels = f'secret="{name}",rotate="{kind_of(declared, name)}"'
        current = held[name].get(Stage.CURRENT)
        if current is not None and current.changed is not None:
            changed.append(f"platform_secret_changed_timestamp_seconds{{{labels}}} {current.changed:.0f}")
        rotating.append(f"platform_secret_rotating{{{labels}}} {int(len(held[name]) > 1)}")
    return "\n".join(
        [
            "# HELP platform_secret_changed_timestamp_seconds Since when a secret has its value.",
            "# TYPE platform_secret_changed_timestamp_seconds gauge",
            *changed,
            "# HELP platform_secret_rotating Whether a rotation of it has begun and not ended.",
            "# TYPE platform_secret_rotating gauge",
            *rotating,
            "# HELP platform_secret_allowed_age_seconds How old a secret may become.",
            "# TYPE platform_secret_allowed_age_seconds gauge",
            f"platform_secret_allowed_age_seconds {declared.max_age * DAY}",
            "",
        ]
    )
