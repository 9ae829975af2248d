"""The mirror: one container with a file store, an image registry and an apt cache, all below one named volume."""

from __future__ import annotations

import contextlib
import urllib.error
import urllib.request
from typing import Any

from lab import host_image
from lab.host_image import Recipe
from lab.hosts import Container, Launcher
from lab.progress import step
from lab.runtime import (
    IMAGE_LABEL,
    LABEL,
    PREFIX,
    RECIPE_LABEL,
    APIError,
    Client,
    FileEntry,
    build,
    image_recipe,
    machine_certificates,
    wait_until,
)

NAME = "mirror"
VOLUME = f"{PREFIX}-mirror"
DATA = "/srv/mirror"
FILES_PORT = 8080
REGISTRY_PORT = 5000
APT_PORT = 3142
READY_TIMEOUT = 60

PACKAGES = "docker-registry nginx-light apt-cacher-ng"

DOCKERFILE = """\
FROM {host}
COPY files/ /
RUN set -eu; export DEBIAN_FRONTEND=noninteractive; \\
    apt-get -q update; apt-get -q -y install --no-install-recommends -o Dpkg::Options::=--force-confold {packages}; \\
    rm -f /etc/nginx/sites-enabled/default; \\
    systemctl enable nginx.service docker-registry.service apt-cacher-ng.service; \\
    systemctl disable ssh.service; \\
    apt-get clean; rm -rf /var/lib/apt/lists/*
LABEL {label}.host={digest}
"""

NGINX = f"""\
server {{
    listen {FILES_PORT};
    root {DATA}/www;
    access_log off;
    autoindex on;
}}
"""

REGISTRY = f"""\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {DATA}/registry}}
  delete: {{enabled: true}}
http:
  addr: 0.0.0.0:{REGISTRY_PORT}
"""

# The whole file: the package's own maps Debian's addresses to a mirror near its maintainer. PassThrough: hosts may use
# https sources through the cache, which then only forwards them.
APT = f"""\
CacheDir: {DATA}/apt
LogDir: /var/log/apt-cacher-ng
SupportDir: /usr/lib/apt-cacher-ng
Port: {APT_PORT}
ReportPage: acng-report.html
ExThreshold: 30
FollowIndexFileRemoval: 1
PassThroughPattern: .*
"""

# The volume is empty at first, and belongs to root: each service gets its folder before it starts.
FOLDERS = f"""\
d {DATA} 0755 root root -
d {DATA}/www 0755 root root -
d {DATA}/www/artifacts 0755 root root -
d {DATA}/registry 0750 docker-registry docker-registry -
d {DATA}/apt 0755 apt-cacher-ng apt-cacher-ng -
"""


def recipe() -> Recipe:
    rootfs = host_image.rootfs_recipe("13", machine_certificates())
    host = host_image.host_recipe("13", rootfs)
    dockerfile = DOCKERFILE.format(host=host.tag, packages=PACKAGES, label=LABEL, digest=host.digest)
    files = {
        "/etc/nginx/conf.d/files.conf": NGINX,
        "/etc/docker/registry/config.yml": REGISTRY,
        "/etc/apt-cacher-ng/acng.conf": APT,
        "/etc/tmpfiles.d/mirror.conf": FOLDERS,
    }
    unfinished = Recipe("", dockerfile, {path: FileEntry(text.encode()) for path, text in files.items()})
    return Recipe(f"{PREFIX}/mirror:{unfinished.digest}", dockerfile, unfinished.files)


def ensure_image(client: Client, rebuild: bool = False) -> str:
    """Make sure that the mirror's image exists and matches its recipe; return its tag."""
    wanted = recipe()
    if rebuild or image_recipe(client, wanted.tag) is None:
        host_image.ensure(client, "13")
        with step("build the mirror's image", announce=True) as notes:
            labels = {IMAGE_LABEL: "yes", RECIPE_LABEL: wanted.digest}
            build(client, "the mirror's image", wanted.tag, wanted.context(), labels=labels)
            notes.append(wanted.tag)
            _remove_superseded(client, wanted.tag)
    return wanted.tag


def _remove_superseded(client: Client, current: str) -> None:
    for image in client.images.list(f"{PREFIX}/mirror"):
        for tag in image.tags:
            if tag != current:
                with contextlib.suppress(APIError):  # a running mirror still uses it; it goes the next time
                    client.images.remove(tag)


def start(launcher: Launcher) -> str:
    """Start the mirror where it does not run; returns created, started or running.

    An image of another recipe replaces the container: its data is on the volume.
    """
    settings = launcher.settings
    image = ensure_image(launcher.client)
    wanted = Container(
        NAME,
        settings.mirror,
        image,
        "mirror",
        volumes={DATA: VOLUME},
        ports={REGISTRY_PORT: ("127.0.0.1", settings.registry_port)},
    )
    existing = [container for container in launcher.containers("mirror") if container.name == wanted.container]
    current = str(launcher.client.images.get(image).id)
    launcher.remove([container for container in existing if container.attrs["Image"] != current])
    return launcher.ensure(wanted)


def wait_ready(launcher: Launcher) -> Any:
    """Wait until all three services answer; returns the container."""
    address = launcher.settings.mirror
    for what, port, path in (
        ("file store", FILES_PORT, "/artifacts/"),
        ("image registry", REGISTRY_PORT, "/v2/"),
        ("apt cache", APT_PORT, "/acng-report.html"),
    ):
        url = f"http://{address}:{port}{path}"
        wait_until(f"the mirror's {what} did not answer at {url}", lambda url=url: answers(url), READY_TIMEOUT)  # type: ignore[misc]
    return launcher.client.containers.get(f"{PREFIX}-{NAME}")


def open_url(url: str, **request: Any) -> Any:
    """Open a URL of the mirror: never through a proxy, which would not know the lab's addresses."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(urllib.request.Request(url, **request), timeout=10)  # noqa: S310


def answers(url: str) -> bool:
    try:
        with open_url(url) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
