"""Two Alertmanagers find each other as those of two monitoring hosts do: an alert is told once, also after a loss."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from tests.monitoring.alerting.alertmanager import eventually, free_port, running
from tests.monitoring.alerting.cluster import ADDRESSES, FAST, TURN, flags, settled
from tests.monitoring.alerting.sinks import http_sink


def test_two_tell_once_and_one_goes_on_alone(tmp_path):
    with http_sink() as sink:
        platform: dict[str, Any] = {
            "monitoring": {
                "group": "monitoring",
                "alertmanager": {"cluster_port": free_port()},
                "alerting": {
                    "receivers": {"ops": {"webhook": {"url": f"{sink.url}/ops"}}},
                    "default": ["ops"],
                    "timing": dict.fromkeys(("high", "medium", "low"), FAST),
                },
            }
        }
        first = running(tmp_path / "mon1", platform, {}, flags(platform, "mon1"), ADDRESSES["mon1"])
        second = running(tmp_path / "mon2", platform, {}, flags(platform, "mon2"), ADDRESSES["mon2"])
        with first as one, second as two:
            both = (one, two)
            for each in both:
                eventually(partial(settled, each), "two that know each other")

            alert = {"alertname": "Once", "severity": "high", "host": "app1"}
            for each in both:  # as Prometheus does
                each.post(alert)
            eventually(lambda: sink.alerts("/ops"), "the message")
            # Each has had its turn, and a group_interval more.
            time.sleep(2 * TURN + 1)
            assert sink.alerts("/ops") == [alert]

            one.stop()
            alone = {**alert, "alertname": "Alone"}
            two.post(alone)
            eventually(lambda: alone in sink.alerts("/ops"), "a message from the one that is left")
            two.post(alone, over=True)
            eventually(lambda: alone in sink.alerts("/ops", "resolved"), "the end, from the one that is left")
            assert sink.alerts("/ops").count(alone) == 1
