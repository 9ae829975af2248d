"""Equivalents of usual base images, made from Debian packages, for machines that reach no image registry.

They keep upstream's interface as far as Dockerfiles here rely on it: names on PATH, folders, users, ports and the
default command. Where the public registry answers, its images are taken instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab import host_image
from lab.errors import LabError
from lab.host_image import Recipe
from lab.progress import say, step
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
)

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Programs with a certificate bundle of their own (pip, requests) are pointed at the system's, as the proxy's authority
# is only there.
TRUST = f"ENV PIP_CERT={BUNDLE} SSL_CERT_FILE={BUNDLE} REQUESTS_CA_BUNDLE={BUNDLE}\n"

INSTALL = """\
RUN set -eu; export DEBIAN_FRONTEND=noninteractive; \\
    apt-get -q update; apt-get -q -y install --no-install-recommends {packages}; \\
    apt-get clean; rm -rf /var/lib/apt/lists/*{more}
"""


@dataclass(frozen=True)
class BaseImage:
    """``packages`` from Debian 13, then ``commands`` in the same layer, then Dockerfile lines."""

    packages: tuple[str, ...]
    commands: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


NGINX_CONF = """\
user  nginx;
worker_processes  auto;
error_log  /var/log/nginx/error.log notice;
pid        /var/run/nginx.pid;
events {
    worker_connections  1024;
}
http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;
    access_log    /var/log/nginx/access.log;
    sendfile      on;
    keepalive_timeout  65;
    include /etc/nginx/conf.d/*.conf;
}
"""
NGINX_DEFAULT = """\
server {
    listen       80;
    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }
}
"""

BASE_IMAGES: Mapping[str, BaseImage] = {
    "python:3.13-slim": BaseImage(
        packages=("python3", "python3-venv", "python3-pip"),
        # Upstream's interpreter is the image's own, so its pip installs without a virtual environment.
        commands=(
            "rm -f /usr/lib/python3.13/EXTERNALLY-MANAGED",
            "ln -s /usr/bin/python3 /usr/local/bin/python",
            "ln -s /usr/bin/python3 /usr/local/bin/python3",
            "ln -s /usr/bin/pip3 /usr/local/bin/pip",
        ),
        lines=('CMD ["python3"]',),
    ),
    "nginx:1.26": BaseImage(
        packages=("nginx-light", "curl"),
        commands=(
            "groupadd --system --gid 101 nginx",
            "useradd --system --uid 101 --gid 101 --no-create-home --home /nonexistent --shell /bin/false nginx",
            "rm -rf /etc/nginx/sites-enabled /etc/nginx/sites-available /etc/nginx/modules-enabled /var/www/html",
            "ln -sf /dev/stdout /var/log/nginx/access.log",
            "ln -sf /dev/stderr /var/log/nginx/error.log",
        ),
        lines=("COPY files/ /", "EXPOSE 80", "STOPSIGNAL SIGQUIT", 'CMD ["nginx", "-g", "daemon off;"]'),
        files={"/etc/nginx/nginx.conf": NGINX_CONF, "/etc/nginx/conf.d/default.conf": NGINX_DEFAULT},
    ),
}


def recipe(name: str, rootfs: Recipe) -> Recipe:
    """The recipe of a base image; ``name`` is upstream's, such as ``python:3.13-slim``."""
    image = BASE_IMAGES[name]
    more = "".join(f"; \\\n    {command}" for command in image.commands)
    dockerfile = f"FROM {rootfs.tag}\n{TRUST}" + INSTALL.format(packages=" ".join(image.packages), more=more)
    dockerfile += "".join(f"{line}\n" for line in image.lines)
    dockerfile += f"LABEL {LABEL}.rootfs={rootfs.digest}\n"
    files = {path: FileEntry(text.encode()) for path, text in image.files.items()}
    return Recipe(f"{PREFIX}/{name}", dockerfile, files)


def pulled_recipe(name: str, certificates: Mapping[str, bytes]) -> Recipe:
    """Upstream's own image with the machine's extra certificate authorities, so that pip works behind a proxy too."""
    dockerfile = f"FROM {name}\n"
    if certificates:
        dockerfile += f"COPY files/ /\nRUN update-ca-certificates\n{TRUST}"
    files = {f"/usr/local/share/ca-certificates/{file}": FileEntry(data) for file, data in certificates.items()}
    return Recipe(f"{PREFIX}/{name}", dockerfile, files)


def wanted_recipe(name: str, registry: bool) -> Recipe:
    """What a base image is made from: upstream's image where the registry answers, else Debian packages.

    LabError where neither can give it.
    """
    certificates = machine_certificates()
    if registry:
        return pulled_recipe(name, certificates)
    if name not in BASE_IMAGES:
        raise LabError(
            f"no image registry answers, and the lab has no equivalent of the base image {name}",
            f"use one of {', '.join(sorted(BASE_IMAGES))}, or describe {name} in lab/base_images.py",
        )
    return recipe(name, host_image.rootfs_recipe("13", certificates))


def ensure(client: Client, name: str, registry: bool) -> Recipe:
    """Make sure that a base image exists locally as ``devops-lab/<name>``; returns its recipe."""
    wanted = wanted_recipe(name, registry)
    if image_recipe(client, wanted.tag) == wanted.digest:
        return wanted
    if registry:
        try:
            repository, _, tag = name.partition(":")
            client.images.pull(repository, tag=tag or "latest")
        except APIError as error:
            say(f"the registry refused {name} ({error.explanation}); making it from Debian packages instead")
            return ensure(client, name, registry=False)
    else:
        host_image.ensure_rootfs(client, "13")
    with step(f"build the base image {name}", announce=True):
        labels = {IMAGE_LABEL: "yes", RECIPE_LABEL: wanted.digest}
        build(client, name, wanted.tag, wanted.context(), labels=labels)
    return wanted
