"""The bill of materials of an image, and that CycloneDX's own schema takes it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.unit.chat.loading import APP, load

sbom = load("sbom.py")

RELEASE = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n# a comment\n'
STATUS = """\
Package: libstdc++6
Status: install ok installed
Architecture: amd64
Source: gcc-14 (14.2.0-19)
Version: 14.2.0-19+b1
Description: a library
 with a second line

Package: tzdata
Status: install ok installed
Architecture: all
Version: 2025b-4+deb13u1

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: util
Status: hold ok installed
Architecture: amd64
Source: util-linux
Version: 1:2.41~rc1
"""
LOCK: dict[str, Any] = {
    "lockfileVersion": 3,
    "packages": {
        "": {"dependencies": {"page": "1", "@scope/kit": "2", "builder": "7"}, "devDependencies": {"tester": "1"}},
        "node_modules/page": {"version": "1.0.0", "license": "MIT", "dependencies": {"deep": "1", "loop": "1"}},
        "node_modules/page/node_modules/deep": {"version": "1.5.0", "license": "SEE LICENSE IN terms.txt"},
        "node_modules/deep": {"version": "2.0.0", "license": "MIT OR Apache-2.0"},
        "node_modules/loop": {"version": "1.0.0", "dependencies": {"page": "1"}},
        "node_modules/@scope/kit": {
            "version": "2.0.0",
            "license": {"type": "MIT"},
            "dependencies": {"deep": "2"},
            "peerDependencies": {"peer": "1", "absent": "1"},
            "optionalDependencies": {"maybe": "1", "elsewhere": "1"},
        },
        "node_modules/peer": {"version": "1.0.0", "license": "UNLICENSED"},
        "node_modules/maybe": {"version": "1.0.0"},
        "node_modules/builder": {"version": "7.0.0", "dependencies": {"plugin": "1"}},
        "node_modules/plugin": {"version": "1.0.0"},
        "node_modules/tester": {"version": "1.0.0", "dev": True},
    },
}


def _image(root: Path) -> Path:
    for path, text in {
        "etc/os-release": RELEASE,
        "var/lib/dpkg/status": STATUS,
        "usr/local/include/python3.13/patchlevel.h": '#define PY_MAJOR 3\n#define PY_VERSION      "3.13.9+"\n',
        "opt/venv/lib/python3.13/site-packages/Zope.Event-5.1.dist-info/METADATA": (
            "Metadata-Version: 2.4\nName: Zope.Event\nVersion: 5.1\nLicense: anything goes\n\nName: not this\n"
        ),
        "opt/venv/lib/python3.13/site-packages/flask-3.1.dist-info/METADATA": (
            "Metadata-Version: 2.4\nName: Flask\nVersion: 3.1\nLicense-Expression: BSD-3-Clause\n\nLong: übel\n"
        ),
        "package-lock.json": json.dumps(LOCK),
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def _run(root: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    python = ["--python", str(root / "opt/venv")]
    npm = ["--npm", str(root / "package-lock.json"), "--npm-tool", "builder"]
    sbom.main(["--name", "chat-web", "--version", "1.2.3", "--root", str(root), *python, *npm, *more])
    return capsys.readouterr().out


def _purls(components: Any) -> list[str]:
    return sorted(component.purl for component in components)


def test_debian_packages_that_are_installed() -> None:
    release = sbom.os_release(RELEASE)
    assert _purls(sbom.debian_packages(STATUS, release)) == [
        "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19%2Bb1?arch=amd64&distro=debian-13&upstream=gcc-14%4014.2.0-19",
        "pkg:deb/debian/tzdata@2025b-4%2Bdeb13u1?arch=all&distro=debian-13",
        "pkg:deb/debian/util@1%3A2.41~rc1?arch=amd64&distro=debian-13&upstream=util-linux",
    ]


def test_python_distributions(tmp_path: Path) -> None:
    found = sorted(sbom.python_distributions(_image(tmp_path) / "opt/venv"))
    assert [(item.purl, item.name, item.license) for item in found] == [
        ("pkg:pypi/flask@3.1", "Flask", "BSD-3-Clause"),
        ("pkg:pypi/zope-event@5.1", "Zope.Event", ""),
    ]


def test_an_interpreter_that_is_no_package(tmp_path: Path) -> None:
    assert list(sbom.interpreter(tmp_path)) == []
    assert _purls(sbom.interpreter(_image(tmp_path))) == ["pkg:generic/python@3.13.9"]


def test_npm_packages_of_the_bundle() -> None:
    found = list(sbom.npm_packages(LOCK, ["builder"]))
    assert _purls(found) == [
        "pkg:npm/%40scope/kit@2.0.0",
        "pkg:npm/deep@1.5.0",
        "pkg:npm/deep@2.0.0",
        "pkg:npm/loop@1.0.0",
        "pkg:npm/maybe@1.0.0",
        "pkg:npm/page@1.0.0",
        "pkg:npm/peer@1.0.0",
    ]
    assert {item.purl: item.license for item in found if item.license} == {
        "pkg:npm/page@1.0.0": "MIT",
        "pkg:npm/deep@2.0.0": "MIT OR Apache-2.0",
    }


def test_what_only_builds_is_left_out_by_name_alone() -> None:
    assert "pkg:npm/plugin@1.0.0" in _purls(sbom.npm_packages(LOCK))
    with pytest.raises(sbom.SbomError, match="tester"):
        list(sbom.npm_packages(LOCK, ["tester"]))


@pytest.mark.parametrize("lock", [{}, {"lockfileVersion": 1, "dependencies": {}}, {"lockfileVersion": 3}])
def test_a_lock_of_another_kind_is_refused(lock: dict[str, Any]) -> None:
    with pytest.raises(sbom.SbomError, match="lockfileVersion"):
        list(sbom.npm_packages(lock))


def test_the_schema_takes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = _run(_image(tmp_path), capsys)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    made = json.loads(text)
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")  # the schema takes any version's name
    assert made["metadata"]["component"] == {
        "type": "container",
        "bom-ref": "chat-web",
        "name": "chat-web",
        "version": "1.2.3",
    }
    assert {"type": "operating-system", "bom-ref": "debian", "name": "debian", "version": "13"} in made["components"]
    references = [component["bom-ref"] for component in made["components"]]
    assert len(references) == len(set(references)) == 1 + 3 + 1 + 2 + 7


def test_the_schema_refuses_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = json.loads(_run(_image(tmp_path), capsys))
    made["components"][0]["type"] = "thing"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made)) is not None


def test_equal_input_gives_equal_bytes_in_any_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = _image(tmp_path)
    first = _run(root, capsys)
    paragraphs = STATUS.strip().split("\n\n")
    random.Random(7).shuffle(paragraphs)
    (root / "var/lib/dpkg/status").write_text("\n\n".join(paragraphs) + "\n")
    shuffled = {"lockfileVersion": 3, "packages": dict(reversed(LOCK["packages"].items()))}
    (root / "package-lock.json").write_text(json.dumps(shuffled))
    assert _run(root, capsys) == first


def test_another_content_has_another_serial_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = _image(tmp_path)
    first = json.loads(_run(root, capsys))
    (root / "var/lib/dpkg/status").write_text(STATUS.replace("2025b-4", "2025b-5"))
    assert json.loads(_run(root, capsys))["serialNumber"] != first["serialNumber"]


def test_what_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = _image(tmp_path)
    (root / "var/lib/dpkg/status").unlink()
    with pytest.raises(SystemExit) as caught:
        _run(root, capsys)
    assert str(caught.value).startswith("error: ")
    assert "var/lib/dpkg/status" in str(caught.value)


def test_the_page_s_own_lock(tmp_path: Path) -> None:
    lock = json.loads((APP / "web" / "package-lock.json").read_text())
    names = {item.name for item in sbom.npm_packages(lock, ["vite"])}
    assert {"react", "react-dom", "socket.io-client", "engine.io-client"} <= names
    assert not {"vite", "rollup", "esbuild", "vitest", "typescript"} & names
