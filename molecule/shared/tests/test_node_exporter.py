"""What the role node_exporter promises, asked of the host."""

from __future__ import annotations


def test_it_serves_metrics_under_its_own_user(host, fetch):
    service = host.service("node_exporter")
    assert service.is_running
    assert service.is_enabled
    assert host.process.get(comm="node_exporter").user.startswith("node_ex")
    metrics = fetch("http://127.0.0.1:9100/metrics")
    assert metrics.startswith("200 ")
    assert "node_exporter_build_info" in metrics
    assert "node_memory_MemTotal_bytes" in metrics
    assert "node_timex_offset_seconds" in metrics, "the sandbox must let it read how the clock is kept"


def test_metrics_from_text_files_are_served(host, fetch):
    path = "/var/lib/node_exporter/molecule.prom"
    host.check_output("echo 'molecule_metric 42' > %s", path)
    try:
        assert "molecule_metric 42" in fetch("http://127.0.0.1:9100/metrics")
    finally:
        host.check_output("rm %s", path)
