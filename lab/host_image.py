"""Images of Debian: a plain root file system, and on it the lab's host, which SSH reaches and systemd runs.

The root file system is Docker's own image where a registry answers and debootstrap's otherwise; everything else is one
Dockerfile, so both ways end in the same host. Images carry the digest of their recipe and are rebuilt only when it
changes.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab import prerequisites
from lab.errors import LabError
from lab.progress import say, step
from lab.runtime import (
    IMAGE_LABEL,
    LABEL,
    PREFIX,
    RECIPE_LABEL,
    APIError,
    Client,
    FileEntry,
    archive,
    build,
    digest_of,
    image_recipe,
    machine_certificates,
)

SUITES = {"12": "bookworm", "13": "trixie"}
NEWEST = "13"  # artifacts and base images are made from this release's packages
DEBIAN_MIRROR = "http://deb.debian.org/debian"
SECURITY_MIRROR = "http://deb.debian.org/debian-security"
REGISTRY = ("registry-1.docker.io", 443)
REGISTRY_TIMEOUT = 3.0

# What a freshly installed cloud host has, and nothing that a role is there to install.
HOST_PACKAGES = "systemd systemd-sysv dbus python3 python3-apt ca-certificates iproute2 procps sudo openssh-server"
IMAGE_PACKAGES = "ca-certificates"

SOURCES = """\
Types: deb
URIs: {mirror}
Suites: {suite} {suite}-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: {security}
Suites: {suite}-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""

# Official images tune apt and dpkg for images, and forbid services to start; debootstrap's sources lack security.
ROOTFS_DOCKERFILE = """\
FROM {base}
COPY files/ /
RUN set -eu; export DEBIAN_FRONTEND=noninteractive; \\
    rm -f /usr/sbin/policy-rc.d /etc/apt/apt.conf.d/docker-* /etc/dpkg/dpkg.cfg.d/docker* /etc/apt/sources.list; \\
    apt-get -q update; apt-get -q -y upgrade; apt-get -q -y install --no-install-recommends {packages}; \\
    update-ca-certificates; \\
    apt-get clean; rm -rf /var/lib/apt/lists/*
ENV LANG=C.UTF-8
"""

# An empty machine-id makes each host write its own at first boot. '*' leaves the account without a password but open
# to SSH keys. Units that only make sense on a machine of one's own would leave every host degraded. The distribution's
# own kernel settings are switched off: most are the machine's, not the container's; what a role sets still applies.
#
# Debian's build of Alertmanager, from which the mirror's tarball is made, reads the templates that upstream's has built
# in from a fixed place. The host has them from the start, so that roles need not know whose build they install.
HOST_DOCKERFILE = """\
FROM {newest} AS templates
LABEL {label}=yes
RUN set -eu; apt-get -q update; cd /tmp; apt-get -q download prometheus-alertmanager; \\
    dpkg-deb -x prometheus-alertmanager_*.deb unpacked; mkdir -p /out; \\
    cp unpacked/usr/share/prometheus/alertmanager/*.tmpl /out/

FROM {rootfs}
COPY --from=templates /out/ /usr/share/prometheus/alertmanager/
ENV container=docker LANG=C.UTF-8
COPY files/ /
RUN set -eu; export DEBIAN_FRONTEND=noninteractive; \\
    apt-get -q update; apt-get -q -y install --no-install-recommends {packages}; \\
    useradd --create-home --shell /bin/bash --password '*' {user}; \\
    install -d -m 0700 -o {user} -g {user} /home/{user}/.ssh; \\
    systemctl enable ssh.service; systemctl set-default multi-user.target; \\
    systemctl mask {masked}; \\
    rm -f /etc/ssh/ssh_host_*; : > /etc/machine-id; rm -f /var/lib/dbus/machine-id; \\
    for file in /usr/lib/sysctl.d/*.conf; do ln -sf /dev/null "/etc/sysctl.d/${{file##*/}}"; done; \\
    install -d -m 2755 -g systemd-journal /var/log/journal; \\
    apt-get clean; rm -rf /var/lib/apt/lists/*
STOPSIGNAL SIGRTMIN+3
CMD ["/sbin/init"]
"""
MASKED = (
    "systemd-udevd.service systemd-modules-load.service sys-kernel-debug.mount sys-kernel-tracing.mount "
    "dev-hugepages.mount systemd-firstboot.service sys-fs-fuse-connections.mount console-getty.service getty.target"
)
JOURNAL = "[Journal]\nStorage=persistent\nSystemMaxUse=64M\n"
SUDOERS = "{user} ALL=(ALL:ALL) NOPASSWD: ALL\n"
USER = "admin"


@dataclass(frozen=True)
class Recipe:
    """A Dockerfile, the files below its ``files/``, and their digest."""

    tag: str
    dockerfile: str
    files: dict[str, FileEntry]

    @property
    def digest(self) -> str:
        content = [f"{path}\0{entry.mode}\0" + entry.content.hex() for path, entry in sorted(self.files.items())]
        return digest_of(self.dockerfile, *content)

    def context(self) -> bytes:
        entries = {f"files/{path.lstrip('/')}": entry for path, entry in self.files.items()}
        entries["Dockerfile"] = FileEntry(self.dockerfile.encode())
        return archive(entries)


def base_tag(debian: str) -> str:
    return f"{PREFIX}/base:{debian}"


def rootfs_tag(debian: str) -> str:
    return f"{PREFIX}/rootfs:{debian}"


def host_tag(debian: str) -> str:
    return f"{PREFIX}/debian:{debian}"


def rootfs_recipe(debian: str, certificates: dict[str, bytes]) -> Recipe:
    sources = SOURCES.format(mirror=DEBIAN_MIRROR, security=SECURITY_MIRROR, suite=SUITES[debian])
    files = {"/etc/apt/sources.list.d/debian.sources": FileEntry(sources.encode())}
    for name, content in certificates.items():
        files[f"/usr/local/share/ca-certificates/{name}"] = FileEntry(content)
    dockerfile = ROOTFS_DOCKERFILE.format(base=base_tag(debian), packages=IMAGE_PACKAGES)
    return Recipe(rootfs_tag(debian), dockerfile, files)


def host_recipe(debian: str, rootfs: Recipe) -> Recipe:
    dockerfile = HOST_DOCKERFILE.format(
        newest=rootfs_tag(NEWEST),
        label=IMAGE_LABEL,
        rootfs=rootfs.tag,
        packages=HOST_PACKAGES,
        masked=MASKED,
        user=USER,
    )
    # The root file system's digest is part of the recipe: a change below rebuilds what stands on it.
    dockerfile += f"LABEL {LABEL}.rootfs={rootfs.digest}\n"
    files = {
        f"/etc/sudoers.d/90-{USER}": FileEntry(SUDOERS.format(user=USER).encode(), 0o440),
        "/etc/systemd/journald.conf.d/lab.conf": FileEntry(JOURNAL.encode()),
    }
    return Recipe(host_tag(debian), dockerfile, files)


def registry_answers(endpoint: tuple[str, int] = REGISTRY, timeout: float = REGISTRY_TIMEOUT) -> bool:
    """Whether the public registry can be reached at all; a wrong guess only costs a failed pull."""
    try:
        with socket.create_connection(endpoint, timeout=timeout):
            return True
    except OSError:
        return False


def ensure(client: Client, debian: str = "13", rebuild: bool = False) -> str:
    """Make sure that the host image of a Debian release exists and matches its recipe; return its tag."""
    if debian not in SUITES:
        raise LabError(f"no recipe for Debian {debian}", f"choose one of {', '.join(SUITES)}")
    rootfs = rootfs_recipe(debian, machine_certificates())
    host = host_recipe(debian, rootfs)
    if not rebuild and image_recipe(client, host.tag) == host.digest:
        return host.tag
    for release in sorted({debian, NEWEST}):
        ensure_rootfs(client, release, rebuild and release == debian)
    _build(client, host, f"the Debian {debian} host image")
    return host.tag


def ensure_rootfs(client: Client, debian: str = "13", rebuild: bool = False) -> Recipe:
    """Make sure that the plain Debian image exists; application base images stand on it too."""
    recipe = rootfs_recipe(debian, machine_certificates())
    if rebuild or image_recipe(client, recipe.tag) != recipe.digest:
        if rebuild or image_recipe(client, base_tag(debian)) is None:
            _fetch_base(client, debian)
        _build(client, recipe, f"the Debian {debian} root file system")
    return recipe


def _build(client: Client, recipe: Recipe, what: str) -> None:
    with step(f"build {what}", announce=True) as notes:
        labels = {IMAGE_LABEL: "yes", RECIPE_LABEL: recipe.digest}
        build(client, what, recipe.tag, recipe.context(), labels=labels)
        notes.append(recipe.tag)


def _fetch_base(client: Client, debian: str) -> None:
    suite = SUITES[debian]
    if registry_answers():
        try:
            with step(f"pull debian:{suite}", announce=True):
                client.images.pull("docker.io/library/debian", tag=suite).tag(base_tag(debian))
            return
        except APIError as error:
            say(f"the registry refused ({error.explanation}); making the image with debootstrap instead")
    prerequisites.ensure_debootstrap()
    with step(f"debootstrap {suite} (no image registry answers)", announce=True):
        _debootstrap(client, debian, suite)


def _debootstrap(client: Client, debian: str, suite: str) -> None:
    scripts = Path("/usr/share/debootstrap/scripts")
    script = scripts / (suite if (scripts / suite).exists() else "sid")  # an older debootstrap lacks newer names
    program = shutil.which("debootstrap", path="/usr/sbin:/usr/bin:/sbin:/bin") or "debootstrap"
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}-debootstrap-") as directory:
        root = Path(directory) / "root"
        command = [program, "--variant=minbase", "--include=ca-certificates", suite, str(root), DEBIAN_MIRROR]
        result = subprocess.run([*command, str(script)], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            tail = "\n".join(f"    {line}" for line in (result.stdout + result.stderr).splitlines()[-10:])
            raise LabError(
                f"debootstrap of Debian {debian} failed:\n{tail}",
                f"check that {DEBIAN_MIRROR} answers and that debian-archive-keyring is installed and current",
            )
        tar = subprocess.Popen(
            ["tar", "--numeric-owner", "-C", str(root), "--exclude=./var/cache/apt/archives/*.deb", "-c", "."],
            stdout=subprocess.PIPE,
        )
        answer = client.api.import_image_from_stream(tar.stdout, repository=f"{PREFIX}/base", tag=debian)
        if tar.wait() != 0 or image_recipe(client, base_tag(debian)) is None:
            raise LabError(f"importing debootstrap's result failed: {answer}", "is the disk full?")
