"""The chat as a browser has it: through the edge, with TLS."""

from __future__ import annotations

import re
import ssl
from collections import Counter
from dataclasses import replace

import pytest

from ansible_collections.devops.platform.plugins.module_utils.journey.edge import Edge, JourneyError, expect_ok, request
from tests.lab.harness.fleet import Fleet, until


def test_the_page_and_what_it_loads(fleet: Fleet) -> None:
    page = expect_ok(fleet.edge, "/")
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="(/?[^":]+\.(?:js|css))"', page.text)
    assert loaded, page.text[:500]
    for path in loaded:
        expect_ok(fleet.edge, f"/{path.lstrip('/')}")


def test_the_api_is_spread_over_the_hosts(fleet: Fleet) -> None:
    served = Counter(expect_ok(fleet.edge, "/api/session").served_by for _request in range(12))
    assert set(served) == set(fleet.of("app"))


def test_browsers_are_told_to_stay_with_tls(fleet: Fleet) -> None:
    plain = request(Edge(fleet.edge.url.replace("https", "http"), "chat.lab"), "GET", "/some/page?x=1")
    assert (plain.status, plain.headers["location"]) == (308, "https://chat.lab/some/page?x=1")
    headers = expect_ok(fleet.edge, "/").headers
    assert "max-age=" in headers["strict-transport-security"]
    assert headers["x-content-type-options"] == "nosniff"


def test_the_certificate_is_for_this_name_and_from_this_ca(fleet: Fleet) -> None:
    with pytest.raises(JourneyError, match=r"[Hh]ostname mismatch"):
        request(replace(fleet.edge, name="other.lab"), "GET", "/")
    with pytest.raises(JourneyError, match=r"unable to get local issuer|self-signed"):
        request(replace(fleet.edge, ca=ssl.get_default_verify_paths().cafile), "GET", "/")


def test_a_service_that_dies_is_not_asked_any_more(fleet: Fleet) -> None:
    fleet.on("app1", "docker", "stop", "--time", "0", "chat-api-1")
    try:
        answers = [request(fleet.edge, "GET", "/api/session") for _request in range(30)]
    finally:
        fleet.on("app1", "docker", "start", "chat-api-1")
    assert Counter(answer.status for answer in answers) == {200: 30}
    assert {answer.served_by for answer in answers[-5:]} == set(fleet.of("app")) - {"app1"}
    until(
        "app1 in the edge's turn again",
        lambda: "app1" in {request(fleet.edge, "GET", "/api/session").served_by for _request in range(4)},
    )
