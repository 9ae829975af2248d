"""The equivalents of upstream's images: what their entry points do, asked with stand-ins for the programs."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import base_images, host_image
from lab.host_image import Recipe, rootfs_recipe
from lab.runtime import RECIPE_LABEL, ImageNotFound

SAY = '#!/bin/sh\necho "$(basename "$0") $*" >>"$LOG"\n'


@dataclass
class Entry:
    """An entry point in a folder of its own; ``log`` holds the programs that it called, in order."""

    script: Path
    folder: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(self.script), *arguments]
        folders = {"LOG": str(self.log), "PGDATA": str(self.data), "TMPDIR": str(self.folder)}
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        environ = {"PATH": path, **folders, **environment}
        return subprocess.run(command, env=environ, cwd=self.folder, capture_output=True, text=True, timeout=20)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def _entry(folder: Path, name: str, programs: dict[str, str], user: int = 999) -> Entry:
    (folder / "bin").mkdir()
    (folder / "data").mkdir()
    for program, body in {"id": f"echo {user}\n", **programs}.items():
        path = folder / "bin" / program
        path.write_text(("#!/bin/sh\n" if program == "id" else SAY) + body)
        path.chmod(0o755)
    script = folder / "entry.sh"
    script.write_text(base_images.BASE_IMAGES[name].programs[base_images.ENTRYPOINT])
    return Entry(script, folder)


# Keeps what it was given, as the real one makes a cluster of it.
INITDB = """\
for word in "$@"; do case $word in --pwfile=*) cat "${word#--pwfile=}" >"$PGDATA/password" ;; esac; done
echo 17 >"$PGDATA/PG_VERSION"
"""
# One that is alone reads statements; the server shows that no password is left to it.
SERVER = 'case "$*" in *--single*) cat >>"$LOG" ;; *) echo "left: ${POSTGRES_PASSWORD:-nothing}" >>"$LOG" ;; esac\n'


def _postgres(folder: Path, user: int = 999) -> Entry:
    programs = {"initdb": INITDB, "postgres": SERVER, "setpriv": "", "chown": "", "install": ""}
    return _entry(folder, "postgres:17", programs, user)


@pytest.mark.parametrize(
    ("environment", "user", "statements"),
    [
        ({}, "postgres", []),
        ({"POSTGRES_USER": "chat"}, "chat", ["postgres --single -j postgres", 'CREATE DATABASE "chat"']),
        (
            {"POSTGRES_USER": "chat", "POSTGRES_DB": "other one"},
            "chat",
            ["postgres --single -j postgres", 'CREATE DATABASE "other one"'],
        ),
    ],
)
@pytest.mark.parametrize("by_file", [False, True])
def test_the_first_start_makes_a_cluster(
    tmp_path: Path, environment: dict[str, str], user: str, statements: list[str], by_file: bool
) -> None:
    entry = _postgres(tmp_path)
    (tmp_path / "secret").write_text("p'w d\n")
    given = {"POSTGRES_PASSWORD_FILE": str(tmp_path / "secret")} if by_file else {"POSTGRES_PASSWORD": "p'w d"}
    result = entry.run("postgres", "-c", "fsync=off", **environment, **given)
    assert result.returncode == 0, result.stderr
    made, *rest = entry.calls()
    words = shlex.split(made)
    assert {f"--username={user}", "--auth-host=scram-sha-256"} < set(words)
    assert rest == [*statements, "postgres -c fsync=off", "left: nothing"]
    assert (entry.data / "password").read_text() == "p'w d\n"
    assert not list(tmp_path.glob("tmp.*")), "the file with the password is gone"
    assert "listen_addresses = '*'" in (entry.data / "postgresql.conf").read_text()
    assert "host all all all scram-sha-256" in (entry.data / "pg_hba.conf").read_text()


def test_a_cluster_that_is_there_is_left_alone(tmp_path: Path) -> None:
    entry = _postgres(tmp_path)
    (entry.data / "PG_VERSION").write_text("17\n")
    assert entry.run("-c", "fsync=off").returncode == 0
    assert entry.calls() == ["postgres -c fsync=off", "left: nothing"]


def test_without_a_password_nothing_is_made(tmp_path: Path) -> None:
    entry = _postgres(tmp_path)
    result = entry.run("postgres")
    assert result.returncode == 1
    assert "POSTGRES_PASSWORD_FILE" in result.stderr
    assert entry.calls() == []


def test_root_becomes_the_user_first(tmp_path: Path) -> None:
    entry = _postgres(tmp_path, user=0)
    assert entry.run("postgres", POSTGRES_PASSWORD="x").returncode == 0
    assert entry.calls()[-1].startswith("setpriv --reuid=postgres --regid=postgres --init-groups ")
    assert not any(call.startswith(("initdb", "postgres")) for call in entry.calls())


@pytest.mark.parametrize("name", ["postgres:17", "redis:8"])
def test_another_command_is_run_as_it_is(tmp_path: Path, name: str) -> None:
    assert _entry(tmp_path, name, {}, user=0).run("echo", "hello").stdout == "hello\n"


@pytest.mark.parametrize(
    ("arguments", "user", "expected"),
    [
        (["redis-server"], 999, "redis-server "),
        (["--save", ""], 999, "redis-server --save "),
        (["/x/redis.conf"], 999, "redis-server /x/redis.conf"),
        (["redis-server"], 0, "setpriv --reuid=redis --regid=redis --init-groups"),
    ],
)
def test_redis(tmp_path: Path, arguments: list[str], user: int, expected: str) -> None:
    entry = _entry(tmp_path, "redis:8", {"redis-server": "", "setpriv": "", "chown": ""}, user)
    assert entry.run(*arguments).returncode == 0
    assert entry.calls()[-1].startswith(expected)


@pytest.mark.parametrize("name", sorted(base_images.BASE_IMAGES))
def test_a_recipe_has_what_it_names(name: str) -> None:
    recipe = base_images.recipe(name, rootfs_recipe("13", {}))
    image = base_images.BASE_IMAGES[name]
    assert ("COPY files/ /" in recipe.dockerfile) == bool(recipe.files), "files reach an image by COPY"
    for path in image.programs:
        assert recipe.files[path].mode == 0o755
    run = recipe.dockerfile[recipe.dockerfile.index("RUN") :]
    steps = [*image.before, "apt-get -q update", *image.packages, *image.commands]
    places = [run.index(step) for step in steps]
    assert places == sorted(places), "users are made before packages would make their own"


class Images:
    """As much of the daemon as lending names needs: tags, and the recipe that each one's image bears."""

    def __init__(self, recipes: dict[str, str | None]) -> None:
        self.recipes = recipes
        self.images = self
        self.name = ""

    def get(self, name: str) -> Images:
        if name not in self.recipes:
            raise ImageNotFound(name)
        self.name = name
        return self

    @property
    def labels(self) -> dict[str, str]:
        recipe = self.recipes[self.name]
        return {} if recipe is None else {RECIPE_LABEL: recipe}

    def tag(self, name: str) -> None:
        self.recipes[name] = self.recipes[self.name]

    def remove(self, name: str) -> None:
        del self.recipes[name]


@pytest.fixture
def current(monkeypatch: pytest.MonkeyPatch) -> None:
    """No registry answers, and the lab's images are there and current."""
    monkeypatch.setattr(host_image, "registry_answers", lambda: False)
    monkeypatch.setattr(base_images, "ensure", lambda client, name, registry: Recipe(f"devops-lab/{name}", "", {}))


@pytest.mark.parametrize(
    ("before", "given"),
    [
        ({}, ["redis:8"]),
        ({"redis:8": "an older one"}, ["redis:8"]),
        ({"redis:8": None}, []),  # upstream's own
    ],
)
@pytest.mark.usefixtures("current")
def test_names_are_lent_and_taken_back(before: dict[str, str | None], given: list[str]) -> None:
    client = Images({"devops-lab/redis:8": "current", **before})
    assert base_images.lend(client, ["redis:8"]) == given
    assert client.recipes.get("redis:8") == ("current" if given else None)
    assert base_images.take_back(client, ["redis:8", "nginx:1.26"]) == given
    assert client.recipes == {"devops-lab/redis:8": "current", **({} if given else before)}


@pytest.mark.usefixtures("current")
def test_nothing_is_lent_where_the_registry_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_image, "registry_answers", lambda: True)
    client = Images({"devops-lab/redis:8": "current"})
    assert base_images.lend(client, ["redis:8"]) == []
    assert list(client.recipes) == ["devops-lab/redis:8"]
