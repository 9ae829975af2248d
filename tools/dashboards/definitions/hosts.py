"""Hosts and the containers on them."""

from __future__ import annotations

from tools.dashboards.blocks import ANY, RUNBOOK_LIST, SHARE_FULL, graph, hosts_of, is_up, stat
from tools.dashboards.model import Dashboard, Panel, Query, Row
from tools.dashboards.promql import by, rate

HERE = 'host=~"$host"'
DISKS = f'{HERE}, fstype!~"tmpfs|ramfs|squashfs"'
CARDS = f'{HERE}, device!~"lo|veth.*|br-.*|docker.*"'
DRIVES = f'{HERE}, device!~"loop.*|ram.*|sr.*"'


def pressure(of: str) -> Query:
    return Query(f"rate(node_pressure_{of}_waiting_seconds_total{{{HERE}}}[$__rate_interval])", f"{{{{host}}}} {of}")


HOSTS = Dashboard(
    "hosts",
    "Hosts",
    "Does a host have enough processors, memory, disk and network, and is its clock right?",
    (
        Row(
            "Now",
            (
                is_up("Up", "up", f'job="node", {HERE}'),
                stat("Uptime", f"min by (host) (node_time_seconds{{{HERE}}} - node_boot_time_seconds)", "s"),
                stat(
                    "Failed units",
                    f'sum(node_systemd_unit_state{{{HERE}, state="failed"}}) or vector(0)',
                    steps=ANY,
                    about="Where node_exporter's systemd collector is on; otherwise 0.",
                ),
            ),
        ),
        Row(
            "Processors",
            (
                graph(
                    "CPU in use",
                    f'1 - avg by (host) (rate(node_cpu_seconds_total{{{HERE}, mode="idle"}}[$__rate_interval]))',
                    "{{host}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                ),
                graph(
                    "CPU by mode",
                    f'sum by (mode) (rate(node_cpu_seconds_total{{{HERE}, mode!="idle"}}[$__rate_interval]))'
                    f' / scalar(count(node_cpu_seconds_total{{{HERE}, mode="idle"}}))',
                    "{{mode}}",
                    "percentunit",
                    stacked=True,
                    about="Of all processors of the chosen hosts.",
                ),
                graph(
                    "Load a processor",
                    f'node_load5{{{HERE}}} / on (host) count by (host) (node_cpu_seconds_total{{{HERE}, mode="idle"}})',
                    "{{host}}",
                    about="Over 1 for long: work waits for processors.",
                    steps=((1, "yellow"), (2, "red")),
                ),
            ),
        ),
        Row(
            "Memory",
            (
                graph(
                    "Memory in use",
                    f"1 - node_memory_MemAvailable_bytes{{{HERE}}} / node_memory_MemTotal_bytes",
                    "{{host}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                ),
                graph("Available", f"node_memory_MemAvailable_bytes{{{HERE}}}", "{{host}}", "bytes"),
                graph(
                    "Pages from and to disk",
                    f"rate(node_vmstat_pgmajfault{{{HERE}}}[$__rate_interval])",
                    "{{host}}",
                    "ops",
                    about="Major faults: pages that had to be read. Many of them beside little available memory: it "
                    "does not suffice.",
                ),
            ),
        ),
        Row(
            "Disks",
            (
                graph(
                    "Filesystems in use",
                    f"max by (host, mountpoint) (1 - node_filesystem_avail_bytes{{{DISKS}}}"
                    " / node_filesystem_size_bytes)",
                    "{{host}} {{mountpoint}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                ),
                graph(
                    "Full in",
                    f"min by (host) (node_filesystem_avail_bytes{{{DISKS}}} "
                    f"/ clamp_min(-deriv(node_filesystem_avail_bytes{{{DISKS}}}[1h]), 1))",
                    "{{host}}",
                    "s",
                    about="At the pace of the last hour; large figures mean never.",
                ),
                graph(
                    "Inodes in use",
                    f"max by (host, mountpoint) (1 - node_filesystem_files_free{{{DISKS}}} / node_filesystem_files)",
                    "{{host}} {{mountpoint}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                ),
                Panel(
                    "Read and written",
                    (
                        Query(rate("node_disk_read_bytes_total", DRIVES, "host"), "{{host}} read"),
                        Query(rate("node_disk_written_bytes_total", DRIVES, "host"), "{{host}} written"),
                    ),
                    "Bps",
                ),
                graph(
                    "Busy",
                    by(
                        f"rate(node_disk_io_time_seconds_total{{{DRIVES}}}[$__rate_interval])",
                        "host",
                        "device",
                        how="max",
                    ),
                    "{{host}} {{device}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                ),
            ),
        ),
        Row(
            "Network",
            (
                Panel(
                    "Traffic",
                    (
                        Query(rate("node_network_receive_bytes_total", CARDS, "host"), "{{host}} in"),
                        Query(rate("node_network_transmit_bytes_total", CARDS, "host"), "{{host}} out"),
                    ),
                    "Bps",
                ),
                Panel(
                    "Errors and drops",
                    (
                        Query(
                            f"{rate('node_network_receive_errs_total', CARDS, 'host')}"
                            f" + {rate('node_network_receive_drop_total', CARDS, 'host')}",
                            "{{host}} in",
                        ),
                        Query(
                            f"{rate('node_network_transmit_errs_total', CARDS, 'host')}"
                            f" + {rate('node_network_transmit_drop_total', CARDS, 'host')}",
                            "{{host}} out",
                        ),
                    ),
                    "pps",
                ),
                graph(
                    "TCP segments sent again",
                    f"rate(node_netstat_Tcp_RetransSegs{{{HERE}}}[$__rate_interval])"
                    f" / rate(node_netstat_Tcp_OutSegs{{{HERE}}}[$__rate_interval])",
                    "{{host}}",
                    "percentunit",
                    steps=((0.01, "yellow"), (0.05, "red")),
                ),
            ),
        ),
        Row(
            "Waiting and time",
            (
                Panel(
                    "Pressure",
                    (pressure("cpu"), pressure("io"), pressure("memory")),
                    "percentunit",
                    about="Share of the time in which something waited. Over 0.1 for long: look at that resource.",
                    steps=((0.1, "yellow"), (0.3, "red")),
                ),
                graph(
                    "Clock off by",
                    f"abs(node_timex_offset_seconds{{{HERE}}})",
                    "{{host}}",
                    "s",
                    steps=((0.1, "yellow"), (0.5, "red")),
                ),
                is_up("Clock synchronised", "node_timex_sync_status"),
            ),
        ),
    ),
    (hosts_of('up{job="node"}'),),
    links=(RUNBOOK_LIST,),
)

NAMED = f'{HERE}, name!=""'

CONTAINERS = Dashboard(
    "containers",
    "Containers",
    "Which container takes how much of its host, and which one comes and goes?",
    (
        Row(
            "Now",
            (
                stat("Running", by(f"container_last_seen{{{NAMED}}} > bool time() - 60")),
                stat(
                    "Started in the last 10 minutes",
                    f"count(time() - container_start_time_seconds{{{NAMED}}} < 600) or vector(0)",
                    steps=((1, "yellow"),),
                    about="More than a rollout explains: a container that does not stay up.",
                ),
                stat(
                    "Stopped for lack of memory",
                    by(f"increase(container_oom_events_total{{{NAMED}}}[$__range])"),
                    decimals=0,
                    steps=ANY,
                ),
            ),
        ),
        Row(
            "Use",
            (
                graph(
                    "CPU",
                    rate("container_cpu_usage_seconds_total", NAMED, "host", "name"),
                    "{{host}} {{name}}",
                    about="1 is one processor.",
                ),
                graph(
                    "Memory",
                    by(f"container_memory_working_set_bytes{{{NAMED}}}", "host", "name"),
                    "{{host}} {{name}}",
                    "bytes",
                ),
                graph(
                    "Memory of its limit",
                    f"max by (host, name) (container_memory_working_set_bytes{{{NAMED}}} "
                    f"/ (container_spec_memory_limit_bytes{{{NAMED}}} > 0))",
                    "{{host}} {{name}}",
                    "percentunit",
                    steps=SHARE_FULL,
                    maximum=1,
                ),
                Panel(
                    "Network",
                    (
                        Query(
                            rate("container_network_receive_bytes_total", NAMED, "host", "name"), "{{host}} {{name}} in"
                        ),
                        Query(
                            rate("container_network_transmit_bytes_total", NAMED, "host", "name"),
                            "{{host}} {{name}} out",
                        ),
                    ),
                    "Bps",
                ),
                graph(
                    "Held back",
                    rate("container_cpu_cfs_throttled_seconds_total", NAMED, "host", "name"),
                    "{{host}} {{name}}",
                    "s",
                    about="Seconds a second in which it waited for the limit on its processors.",
                ),
            ),
        ),
    ),
    (hosts_of("container_last_seen"),),
)
