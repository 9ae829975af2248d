"""What the gateway tells: numbers for Prometheus, and words for the journal.

Of the standard library alone, for Python 3.9: hosts get this file as it is.
"""

from __future__ import annotations

import sys
import threading
import time

HELP = {
    "log_shipper_shipped_lines_total": "Lines that the server has.",
    "log_shipper_duplicate_lines_total": "Lines that the server had already, by their id.",
    "log_shipper_refused_lines_total": "Lines that the server refused; they are in the dead letters.",
    "log_shipper_retries_total": "Requests that the server did not take.",
    "log_lines_total": "Lines by who wrote them and how bad they are.",
    "log_shipper_lag_seconds": "How old the oldest line was that was shipped last.",
    "log_shipper_torn_lines_total": "Lines that a shipper did not write to their end when it died; it read them again.",
    "log_shipper_paused": "Whether the shipper waits for room on its disk.",
    "log_shipper_queue_bytes": "What lies in the queue on disk.",
    "log_shipper_queue_limit_bytes": "How large the queue may become.",
    "log_shipper_written_seconds": "When these metrics were written.",
}


class Counters:
    """Numbers for Prometheus, by name and labels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def add(self, name: str, number: float = 1, **labels: str) -> None:
        key = (name, tuple(sorted(labels.items())))
        with self._lock:
            self._values[key] = self._values.get(key, 0) + number

    def text(self, gauges: dict[tuple[str, tuple[tuple[str, str], ...]], float]) -> str:
        with self._lock:
            values = {**self._values, **gauges}
        lines, told = [], ""
        for (name, labels), value in sorted(values.items()):
            if name != told:
                kind = "counter" if name.endswith("_total") else "gauge"
                lines += [f"# HELP {name} {HELP.get(name, name)}", f"# TYPE {name} {kind}"]
                told = name
            inside = ",".join(f'{key}="{_label(text)}"' for key, text in labels)
            lines.append(f"{name}{{{inside}}} {value:.3f}".rstrip("0").rstrip("."))
        return "\n".join([*lines, ""])


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


_said: dict[str, float] = {}


def say(text: str) -> None:
    """Each message once a minute: systemd's journal keeps it."""
    if time.monotonic() - _said.get(text, -60.0) >= 60:
        _said[text] = time.monotonic()
        print(text, file=sys.stderr, flush=True)
