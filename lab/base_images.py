"""Equivalents of usual base images, made from Debian packages, for machines that reach no image registry.

They keep upstream's interface as far as Dockerfiles here rely on it: names on PATH, folders, users, ports and the
default command. Where the public registry answers, its images are taken instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
# Programs with a certificate bundle of their own (pip, requests, Node.js) are pointed at the system's, as the proxy's
# authority is only there.
TRUST = (
    "ENV "
    + " ".join(
        f"{name}={BUNDLE}" for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    )
    + "\n"
)

INSTALL = """\
RUN set -eu; export DEBIAN_FRONTEND=noninteractive{before}; \\
    apt-get -q update; apt-get -q -y install --no-install-recommends {packages}; \\
    apt-get clean; rm -rf /var/lib/apt/lists/*{after}
"""


@dataclass(frozen=True)
class BaseImage:
    """``before``, then ``packages`` from Debian 13, then ``commands``, all in one layer; then Dockerfile lines.

    ``programs`` are files like ``files``, but executable.
    """

    packages: tuple[str, ...]
    before: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)


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

ENTRYPOINT = "/usr/local/bin/docker-entrypoint.sh"
POSTGRES_ENTRYPOINT = """\
#!/bin/sh
# As upstream's: makes the cluster at the first start from POSTGRES_USER (postgres), POSTGRES_DB (the user's name) and
# POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, then becomes the server. No scripts of /docker-entrypoint-initdb.d.
set -eu
case ${1:-} in -*) set -- postgres "$@" ;; esac
[ "${1:-}" = postgres ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
    install -d -m 0700 -o postgres -g postgres "$PGDATA"
    chown -R postgres:postgres "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); fi
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "set POSTGRES_PASSWORD, or POSTGRES_PASSWORD_FILE to the path of a file that holds it" >&2
        exit 1
    fi
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    umask 077
    given=$(mktemp)
    printf '%s\\n' "$POSTGRES_PASSWORD" >"$given"
    initdb --username="$user" --pwfile="$given" --auth-local=trust --auth-host=scram-sha-256
    rm "$given"
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    [ "$database" = postgres ] || echo "CREATE DATABASE \\"$database\\"" | postgres --single -j postgres
fi
unset POSTGRES_PASSWORD
exec "$@"
"""
REDIS_ENTRYPOINT = """\
#!/bin/sh
# As upstream's: options alone are the server's, and the server is not root.
set -eu
case ${1:-} in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
    chown -R redis:redis .
    exec setpriv --reuid=redis --regid=redis --init-groups "$0" "$@"
fi
umask 0077
exec "$@"
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
    # Debian's Node.js is of an older line (20): what is built with it must not need more.
    "node:22-slim": BaseImage(
        packages=("nodejs", "npm"),
        commands=(
            "groupadd --gid 1000 node",
            "useradd --uid 1000 --gid node --shell /bin/bash --create-home node",
        ),
        lines=('CMD ["node"]',),
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
    "postgres:17": BaseImage(
        # The package would choose another id for the user, and make a cluster that nobody asked for.
        before=(
            "groupadd --system --gid 999 postgres",
            "useradd --system --uid 999 --gid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres",
            "mkdir -p /etc/postgresql-common",
            "echo create_main_cluster=false >/etc/postgresql-common/createcluster.conf",
        ),
        packages=("postgresql-17",),
        commands=("install -d -m 1777 -o postgres -g postgres /var/lib/postgresql/data /run/postgresql",),
        programs={ENTRYPOINT: POSTGRES_ENTRYPOINT},
        lines=(
            "COPY files/ /",
            "ENV PG_MAJOR=17 PATH=$PATH:/usr/lib/postgresql/17/bin PGDATA=/var/lib/postgresql/data",
            "VOLUME /var/lib/postgresql/data",
            'ENTRYPOINT ["docker-entrypoint.sh"]',
            "STOPSIGNAL SIGINT",
            "EXPOSE 5432",
            'CMD ["postgres"]',
        ),
    ),
    # Unlike upstream's it is in protected mode: without a password it answers its own container only.
    "redis:8": BaseImage(
        before=(
            "groupadd --system --gid 999 redis",
            "useradd --system --uid 999 --gid 999 --no-create-home --home-dir /data --shell /bin/false redis",
        ),
        packages=("redis-server",),
        commands=("install -d -o redis -g redis /data",),
        programs={ENTRYPOINT: REDIS_ENTRYPOINT},
        lines=(
            "COPY files/ /",
            "VOLUME /data",
            "WORKDIR /data",
            'ENTRYPOINT ["docker-entrypoint.sh"]',
            "EXPOSE 6379",
            'CMD ["redis-server"]',
        ),
    ),
}


def recipe(name: str, rootfs: Recipe) -> Recipe:
    """The recipe of a base image; ``name`` is upstream's, such as ``python:3.13-slim``."""
    image = BASE_IMAGES[name]
    before, after = ("".join(f"; \\\n    {command}" for command in part) for part in (image.before, image.commands))
    install = INSTALL.format(before=before, packages=" ".join(image.packages), after=after)
    dockerfile = f"FROM {rootfs.tag}\n{TRUST}{install}"
    dockerfile += "".join(f"{line}\n" for line in image.lines)
    dockerfile += f"LABEL {LABEL}.rootfs={rootfs.digest}\n"
    files = {path: FileEntry(text.encode()) for path, text in image.files.items()}
    files |= {path: FileEntry(text.encode(), 0o755) for path, text in image.programs.items()}
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


def lend(client: Client, names: Iterable[str]) -> list[str]:
    """Give the equivalents upstream's names, for builds outside of the lab; returns the names that were given.

    Nothing is done where the registry answers, nor for a name that an image of upstream's bears on this machine.
    """
    if host_image.registry_answers():
        return []
    given = []
    for name in names:
        if image_recipe(client, name) != "":  # there is none, or one of the lab's, which may be an older one
            client.images.get(ensure(client, name, registry=False).tag).tag(name)
            given.append(name)
    return given


def take_back(client: Client, names: Iterable[str]) -> list[str]:
    """Remove upstream's names from the lab's images; returns those that were removed. The images stay."""
    taken = [name for name in names if image_recipe(client, name)]
    for name in taken:
        client.images.remove(name)
    return taken
