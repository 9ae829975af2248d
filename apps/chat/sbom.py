"""What an image is made of, as CycloneDX 1.6 in JSON: run inside the image's build, on the file system that is shipped.

    python3 sbom.py --name chat-api --version 1.0.0 --root / --python /opt/venv > chat-api.cdx.json

Debian packages are those that dpkg calls installed, Python distributions those of the given folders, npm packages those
of a package-lock.json that a bundle can hold. Equal input gives equal bytes: nothing in it is a time or is random, so
that two builds can be compared. Standard library only, as it runs where nothing else is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
LIBRARY, OPERATING_SYSTEM = "library", "operating-system"


class SbomError(Exception):
    """Something that should be read is not there or not understood."""


@dataclass(frozen=True, order=True)
class Component:
    """``purl`` says which package of which ecosystem it is; ``license`` is an SPDX expression, where one is stated."""

    purl: str
    name: str
    version: str
    license: str = ""
    kind: str = LIBRARY

    def to_json(self) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "type": self.kind,
            "bom-ref": self.purl or self.name,
            "name": self.name,
            "version": self.version,
        }
        if self.license:
            entry["licenses"] = [{"expression": self.license}]
        if self.purl:
            entry["purl"] = self.purl
        return entry


def purl(kind: str, *path: str, version: str, **qualifiers: str) -> str:
    """A package URL: every part percent-encoded, qualifiers in order and only where they say something."""
    parts = "/".join(quote(part, safe="") for part in path)
    rest = "&".join(f"{key}={quote(value, safe='')}" for key, value in sorted(qualifiers.items()) if value)
    return f"pkg:{kind}/{parts}@{quote(version, safe='')}" + (f"?{rest}" if rest else "")


def os_release(text: str) -> dict[str, str]:
    """The content of /etc/os-release."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key: value.strip().strip("\"'") for key, value in pairs}


def debian_packages(status: str, release: Mapping[str, str]) -> Iterator[Component]:
    """The installed packages of dpkg's status file; ones that were removed and left settings behind do not count."""
    distribution = release.get("ID", "debian")
    distro = f"{distribution}-{release['VERSION_ID']}" if release.get("VERSION_ID") else ""
    for paragraph in re.split(r"\n\s*\n", status.strip()):
        fields = HeaderParser().parsestr(paragraph)
        if str(fields.get("Status", "")).split()[-1:] != ["installed"]:
            continue
        name, version, arch = (str(fields.get(key, "")) for key in ("Package", "Version", "Architecture"))
        # Advisories name source packages: `perl (5.40.1-6)` is one with a version of its own.
        source, _, source_version = str(fields.get("Source", "")).partition(" (")
        upstream = f"{source}@{source_version.rstrip(')')}" if source_version else source
        address = purl("deb", distribution, name, version=version, arch=arch, distro=distro, upstream=upstream)
        yield Component(address, name, version)


def operating_system(release: Mapping[str, str]) -> Component:
    """Scanners look here for the advisories that apply."""
    return Component("", release.get("ID", "debian"), release.get("VERSION_ID", "unknown"), kind=OPERATING_SYSTEM)


def python_distributions(prefix: Path) -> Iterator[Component]:
    """What is installed below a prefix such as a virtual environment's."""
    for pattern in ("site-packages", "dist-packages"):
        for metadata in sorted(prefix.glob(f"lib/python3*/{pattern}/*.dist-info/METADATA")):
            fields: Message = HeaderParser().parsestr(metadata.read_text(encoding="utf-8"))
            name, version = str(fields["Name"]), str(fields["Version"])
            normal = re.sub(r"[-_.]+", "-", name).lower()
            # Only License-Expression is sure to be an SPDX expression; the field License may be any text.
            given = str(fields["License-Expression"] or "")
            yield Component(purl("pypi", normal, version=version), name, version, given)


def interpreter(root: Path) -> Iterator[Component]:
    """A Python that was built into the image, as upstream's images have it; Debian's own is a package."""
    for header in sorted(root.glob("usr/local/include/python3*/patchlevel.h")):
        match = re.search(r'^#define\s+PY_VERSION\s+"([^"+]+)', header.read_text(encoding="utf-8"), re.MULTILINE)
        if match:
            yield Component(purl("generic", "python", version=match[1]), "python", match[1], "Python-2.0")


def npm_packages(lock: Mapping[str, Any], tools: Sequence[str] = ()) -> Iterator[Component]:
    """The packages that the dependencies of a package-lock.json lead to, less the ``tools`` among them, which make the
    bundle and are not in it."""
    packages: Mapping[str, Mapping[str, Any]] = lock.get("packages", {})
    if lock.get("lockfileVersion") not in (2, 3) or "" not in packages:
        raise SbomError("package-lock.json: lockfileVersion 2 or 3 is needed")
    unknown = set(tools) - set(packages[""].get("dependencies", {}))
    if unknown:
        raise SbomError(f"package-lock.json: {min(unknown)} is no dependency, so it cannot be left out")
    found: set[str] = set()
    waiting = [_resolve(packages, "", name) for name in packages[""].get("dependencies", {}) if name not in tools]
    while waiting:
        place = waiting.pop()
        if place is None or place in found:
            continue
        found.add(place)
        wanted = {**packages[place].get("dependencies", {}), **packages[place].get("peerDependencies", {})}
        # Optional ones are in the bundle where they are installed, and then the lock has them.
        wanted |= packages[place].get("optionalDependencies", {})
        waiting += [_resolve(packages, place, name) for name in wanted]
    for place in found:
        package = packages[place]
        name, version = place.rpartition("node_modules/")[2], str(package["version"])
        given = package.get("license")
        stated = isinstance(given, str) and " IN " not in given and given != "UNLICENSED"  # npm's own words, not SPDX's
        yield Component(purl("npm", *name.split("/"), version=version), name, version, str(given) if stated else "")


def _resolve(packages: Mapping[str, Any], place: str, name: str) -> str | None:
    """Where Node.js finds ``name`` from ``place``: in the nearest node_modules. None where it is not installed."""
    while True:
        candidate = f"{place}/node_modules/{name}".lstrip("/")
        if candidate in packages:
            return candidate
        if not place:
            return None
        place = place.rpartition("node_modules/")[0].rstrip("/")


def document(name: str, version: str, components: Iterator[Component] | Sequence[Component]) -> dict[str, Any]:
    """The bill of materials; its serial number follows from its content."""
    unique = sorted(set(components))
    content: dict[str, Any] = {
        "metadata": {"component": {"type": "container", "bom-ref": name, "name": name, "version": version}},
        "components": [component.to_json() for component in unique],
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    serial = uuid.uuid5(uuid.NAMESPACE_OID, digest)
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        **content,
    }


def collect(root: Path, prefixes: Sequence[Path], lock: Path | None, tools: Sequence[str]) -> Iterator[Component]:
    """Everything that the command line names."""
    release = os_release(_read(root / "etc/os-release"))
    yield operating_system(release)
    yield from debian_packages(_read(root / "var/lib/dpkg/status"), release)
    yield from interpreter(root)
    for prefix in prefixes:
        yield from python_distributions(prefix)
    if lock is not None:
        yield from npm_packages(json.loads(_read(lock)), tools)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SbomError(f"cannot read {path}: {error}") from error


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--name", required=True, help="the image")
    parser.add_argument("--version", required=True, help="the image's version")
    parser.add_argument("--root", type=Path, default=Path("/"), help="where the image's dpkg and os-release are (/)")
    parser.add_argument("--python", type=Path, action="append", default=[], metavar="PREFIX", help="may be repeated")
    parser.add_argument("--npm", type=Path, metavar="LOCK", help="a package-lock.json")
    parser.add_argument("--npm-tool", action="append", default=[], metavar="NAME", help="a dependency that only builds")
    options = parser.parse_args(arguments)
    try:
        found = list(collect(options.root, options.python, options.npm, options.npm_tool))
    except SbomError as error:
        sys.exit(f"error: {error}")
    text = json.dumps(document(options.name, options.version, found), indent=1, sort_keys=True, ensure_ascii=False)
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
