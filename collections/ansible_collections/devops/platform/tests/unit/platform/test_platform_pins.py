"""What the locks lack, each with its whole message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.devops.platform.tests.unit.platform import example


def case(title: str, edits: list[tuple[str, str]], expected: list[str], **more: Any) -> Any:
    return pytest.param(edits, expected, more, id=title)


CASES = [
    case(
        "version",
        [('"1.9.0"', '"1.9.1"')],
        [
            (
                "platform.yml:34:30: error: platform.monitoring.node_exporter.version: "
                "artifacts.lock.yml has no node_exporter 1.9.1; did you mean '1.9.0'?"
            )
        ],
    ),
    case(
        "version far",
        [('"1.9.0"', '"7"')],
        [
            (
                "platform.yml:34:30: error: platform.monitoring.node_exporter.version: "
                "artifacts.lock.yml has no node_exporter 7; there is 1.9.0"
            )
        ],
    ),
    case(
        "artifact",
        [],
        [
            (
                "platform.yml:34:30: error: platform.monitoring.node_exporter.version: "
                "artifacts.lock.yml has no artifact 'node_exporter'; add it with its digests"
            ),
            (
                "platform.yml:35:27: error: platform.monitoring.prometheus.version: "
                "artifacts.lock.yml has no artifact 'prometheus'; add it with its digests"
            ),
            (
                "platform.yml:36:29: error: platform.monitoring.alertmanager.version: "
                "artifacts.lock.yml has no artifact 'alertmanager'; add it with its digests"
            ),
        ],
        artifacts={"format": 1, "artifacts": {}},
    ),
    case(
        "arch",
        [("    timezone", "    architectures: [amd64, arm64]\n    timezone")],
        [
            (
                "platform.yml:35:30: error: platform.monitoring.node_exporter.version: "
                "artifacts.lock.yml pins node_exporter 1.9.0 for amd64 only; hosts.architectures has arm64 "
                "too"
            ),
            (
                "platform.yml:36:27: error: platform.monitoring.prometheus.version: "
                "artifacts.lock.yml pins prometheus 2.53.3 for amd64 only; hosts.architectures has arm64 too"
            ),
            (
                "platform.yml:37:29: error: platform.monitoring.alertmanager.version: "
                "artifacts.lock.yml pins alertmanager 0.28.1 for amd64 only; hosts.architectures has arm64 "
                "too"
            ),
        ],
    ),
    case(
        "sources",
        [('["http://mirror:8080/artifacts"]', "[upstream]")],
        [
            (
                "platform.yml:34:30: error: platform.monitoring.node_exporter.version: "
                "no source has node_exporter 1.9.0: its entry in artifacts.lock.yml lacks url"
            ),
            (
                "platform.yml:35:27: error: platform.monitoring.prometheus.version: "
                "no source has prometheus 2.53.3: its entry in artifacts.lock.yml lacks url"
            ),
            (
                "platform.yml:36:29: error: platform.monitoring.alertmanager.version: "
                "no source has alertmanager 0.28.1: its entry in artifacts.lock.yml lacks url"
            ),
        ],
        artifacts={
            "format": 1,
            "artifacts": {
                n: {v: {k: x for k, x in r.items() if k != "url"} for v, r in vs.items()}
                for n, vs in example.ARTIFACTS["artifacts"].items()
            },
        },
    ),
    case(
        "no artifacts",
        [(example.TEXT[example.TEXT.index("  artifacts:") : example.TEXT.index("  images:")], "")],
        [("platform.yml:1:1: error: platform: lacks the key 'artifacts': it says where programs come from")],
    ),
    case(
        "no images",
        [(example.TEXT[example.TEXT.index("  images:") : example.TEXT.index("  docker:")], "")],
        [
            (
                "platform.yml:1:1: error: platform: "
                "lacks the key 'images': it names the lock that pins the images of 'apps'"
            )
        ],
    ),
    case(
        "image",
        [("image: chat-web,", "image: chat-wbe,")],
        [
            (
                "platform.yml:55:22: error: platform.apps.chat.services.web.image: "
                "images.lock.yml has no image 'chat-wbe'; did you mean 'chat-websocket'?"
            )
        ],
    ),
    case(
        "images empty",
        [],
        [
            (
                "platform.yml:55:22: error: platform.apps.chat.services.web.image: "
                "images.lock.yml has no image 'chat-web'; build and push it, and add its digest there"
            ),
            (
                "platform.yml:57:18: error: platform.apps.chat.services.api.image: "
                "images.lock.yml has no image 'chat-api'; build and push it, and add its digest there"
            ),
            (
                "platform.yml:64:18: error: platform.apps.chat.services.websocket.image: "
                "images.lock.yml has no image 'chat-websocket'; build and push it, and add its digest there"
            ),
            (
                "platform.yml:70:18: error: platform.apps.chat.tasks.migrate.image: "
                "images.lock.yml has no image 'chat-api'; build and push it, and add its digest there"
            ),
        ],
        images={"images": {}},
    ),
    case(
        "image off",
        [
            ("image: chat-web, port: 3000", "image: chat-web, port: 3000, enabled: false"),
            ("service: web", "service: api"),
        ],
        [],
        images={"images": {name: example.IMAGES["images"][name] for name in ("chat-api", "chat-websocket")}},
    ),
    case(
        "lab images none",
        [("images.lock.yml", "lab/.state/images.lock.yml")],
        [
            (
                "platform.yml:16:13: error: platform.images.locks[0]: "
                "no such file lab/.state/images.lock.yml: the lab makes it: run 'make up'"
            )
        ],
    ),
    case(
        "lock missing",
        [],
        [
            (
                "platform.yml:13:13: error: platform.artifacts.locks[0]: "
                "no such file artifacts.lock.yml: make it, or correct the path (relative ones start at the "
                "directory of ansible.cfg)"
            )
        ],
        artifacts=None,
    ),
    case(
        "lock bad",
        [],
        [
            (
                "images.lock.yml:2:1: error: not YAML: did not find expected node content (while parsing a flow node); "
                "a bracket or brace is not closed, or a value is missing"
            )
        ],
        images="images: [",
    ),
    case(
        "lock latest",
        [],
        [
            (
                "images.lock.yml:4:10: error: images.chat-web.tag: "
                "'latest' is not a tag with version and commit ('latest' is refused)"
            ),
            (
                "images.lock.yml:5:13: error: images.chat-web.digest: "
                "'sha256:1' is not a digest, sha256: and 64 hexadecimal digits"
            ),
        ],
        images={
            "images": {**example.IMAGES["images"], "chat-web": {"ref": "a", "tag": "latest", "digest": "sha256:1"}}
        },
    ),
    case(
        "lock float",
        [],
        [
            (
                "artifacts.lock.yml:2:29: error: artifacts.node_exporter: "
                'the key 1.9 is read as a number; quote it: "1.9"'
            ),
            'artifacts.lock.yml:2:43: error: artifacts.node_exporter["1.9"].sha256: must not be empty',
        ],
        artifacts="format: 1\nartifacts: {node_exporter: {1.9: {sha256: {}, binaries: [x]}}}",
    ),
    case(
        "lock of another format",
        [],
        ["artifacts.lock.yml:1:9: error: format: is '2'; only 1 is understood"],
        artifacts={**example.ARTIFACTS, "format": 2},
    ),
]


@pytest.mark.parametrize(("edits", "expected", "more"), CASES)
def test_each_mistake_is_one_line_with_its_place(edits, expected, more, tmp_path):
    assert example.problems(tmp_path, *edits, **more) == expected


@pytest.mark.parametrize(
    ("lock", "advice"),
    [
        ("artifacts.lock.yml", "; add it with its digests"),
        (
            "lab/.state/artifacts.lock.yml",
            (
                "; the lab makes it: run 'make up', "
                "or 'python -m lab artifacts cadvisor' where it is built from Go modules"
            ),
        ),
    ],
)
def test_where_an_artifact_comes_from(tmp_path: Path, lock: str, advice: str) -> None:
    (tmp_path / "lab" / ".state").mkdir(parents=True)
    (tmp_path / lock).write_text(yaml.safe_dump(example.ARTIFACTS))
    edits = [
        ("locks: [artifacts.lock.yml]", f"locks: [{lock}]"),
        ("    targets:\n", "    exporters:\n      cadvisor: {version: '0.57.0'}\n    targets:\n"),
    ]
    [problem] = example.problems(tmp_path, *edits)
    assert problem.endswith(f": {lock} has no artifact 'cadvisor'{advice}")
