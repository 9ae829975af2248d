"""What the role edge promises, asked of the host."""

from __future__ import annotations


def test_it_answers_and_its_counters_are_local(host, address, fetch, reachable):
    assert host.service("nginx").is_running
    assert host.service("nginx").is_enabled
    assert "Active connections" in fetch("http://127.0.0.1:8081/nginx_status")
    assert not reachable(8081)


def test_it_passes_requests_on(fetch, roles):
    answer = fetch("http://127.0.0.1/" if "app" in roles else "http://127.0.0.1/-/ready")
    assert answer.startswith("200 "), answer


def test_its_version_is_hidden(host):
    assert "nginx/" not in host.check_output(
        "curl -sI http://127.0.0.1/ || python3 -c %s",
        "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1/').headers)",
    )
