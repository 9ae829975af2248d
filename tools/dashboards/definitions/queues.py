"""RabbitMQ, by the metrics that it exposes itself."""

from __future__ import annotations

from tools.dashboards.blocks import ANY, RUNBOOK_LIST, SHARE_FULL, graph, hosts_of, is_up, stat
from tools.dashboards.model import Dashboard, Panel, Query, Row
from tools.dashboards.promql import by, rate

HERE = 'host=~"$host"'

RABBITMQ = Dashboard(
    "rabbitmq",
    "RabbitMQ",
    "Do messages pile up, does somebody take them, and does the broker have room?",
    (
        Row(
            "Now",
            (
                is_up("Up", "up", f'job="rabbitmq", {HERE}'),
                stat(
                    "Messages waiting",
                    by(f"rabbitmq_queue_messages_ready{{{HERE}}}"),
                    steps=((1000, "yellow"), (10000, "red")),
                ),
                stat("Consumers", by(f"rabbitmq_consumers{{{HERE}}}")),
                stat(
                    "Alarms",
                    f"sum(rabbitmq_alarms_memory_used_watermark{{{HERE}}}) "
                    f"+ sum(rabbitmq_alarms_free_disk_space_watermark{{{HERE}}})",
                    steps=ANY,
                    about="A broker with an alarm takes no messages.",
                ),
            ),
        ),
        Row(
            "Messages",
            (
                Panel(
                    "In queues",
                    (
                        Query(by(f"rabbitmq_queue_messages_ready{{{HERE}}}"), "waiting"),
                        Query(by(f"rabbitmq_queue_messages_unacked{{{HERE}}}"), "with a consumer"),
                    ),
                    stacked=True,
                ),
                Panel(
                    "Through the broker",
                    (
                        Query(rate("rabbitmq_global_messages_received_total", HERE), "received"),
                        Query(rate("rabbitmq_global_messages_delivered_total", HERE), "delivered"),
                        Query(rate("rabbitmq_global_messages_acknowledged_total", HERE), "acknowledged"),
                    ),
                    "ops",
                    about="Fewer acknowledged than received for long: consumers do not keep up.",
                ),
                Panel(
                    "Went wrong",
                    (
                        Query(rate("rabbitmq_global_messages_redelivered_total", HERE), "delivered again"),
                        Query(rate("rabbitmq_global_messages_unroutable_dropped_total", HERE), "dropped, no queue"),
                        Query(rate("rabbitmq_global_messages_unroutable_returned_total", HERE), "returned, no queue"),
                    ),
                    "ops",
                ),
            ),
        ),
        Row(
            "Clients",
            (
                graph("Connections", by(f"rabbitmq_connections{{{HERE}}}", "host"), "{{host}}"),
                graph("Channels", by(f"rabbitmq_channels{{{HERE}}}", "host"), "{{host}}"),
                graph("Queues", by(f"rabbitmq_queues{{{HERE}}}", "host"), "{{host}}"),
            ),
        ),
        Row(
            "Room",
            (
                graph(
                    "Memory",
                    f"rabbitmq_process_resident_memory_bytes{{{HERE}}}"
                    f" / rabbitmq_resident_memory_limit_bytes{{{HERE}}}",
                    "{{host}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    about="Of its limit; over it, nothing is taken.",
                ),
                Panel(
                    "Disk",
                    (
                        Query(f"rabbitmq_disk_space_available_bytes{{{HERE}}}", "{{host}} free"),
                        Query(f"rabbitmq_disk_space_available_limit_bytes{{{HERE}}}", "{{host}} least"),
                    ),
                    "bytes",
                ),
                graph(
                    "Open files",
                    f"rabbitmq_process_open_fds{{{HERE}}} / rabbitmq_process_max_fds{{{HERE}}}",
                    "{{host}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                ),
            ),
        ),
    ),
    (hosts_of('up{job="rabbitmq"}'),),
    links=(RUNBOOK_LIST,),
)
