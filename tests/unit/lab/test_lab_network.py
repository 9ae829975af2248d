"""Does something else on the machine reach the lab's addresses already?"""

from __future__ import annotations

import pytest

from lab.hosts import routed_through

# /proc/net/route: a default route, Docker's own bridge, a left-over bridge with 172.30.0.0/24 and a VPN's 10.8.0.0/16.
ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
br-1\t00001EAC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t0000080A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
host0\t0507A8C0\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
"""


@pytest.mark.parametrize(
    ("subnet", "interface"),
    [
        ("172.30.0.0/24", "br-1"),
        ("172.31.0.0/24", ""),  # the default route leads everywhere, and harms nobody
        ("10.8.3.0/24", ""),  # a wider route: the lab's is the more specific one
        ("192.168.7.0/24", "host0"),
    ],
)
def test_an_interface_in_the_way_is_named(subnet, interface):
    assert routed_through(subnet, ROUTES) == interface


def test_a_machine_without_a_table_has_nothing_in_the_way():
    assert routed_through("172.30.0.0/24", "") == ""
