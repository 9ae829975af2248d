"""Prepare pgAdmin's own database, with one administrator and one known server, then become its web server.

Environment, all of it needed: PGADMIN_EMAIL and PGADMIN_PASSWORD (or PGADMIN_PASSWORD_FILE, the path of a file that
holds it) to sign in with; DATABASE_HOST, DATABASE_NAME and DATABASE_USER of the server, whose password pgAdmin asks
for. Optional: DATABASE_PORT (5432), SESSION_COOKIE_SECURE (true), TRUSTED_PROXIES (0), SCRIPT_NAME (the path below
which it is reached, such as /pgadmin).
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

DATA = Path("/tmp/pgadmin")  # noqa: S108 - the container's own
EXIT_CONFIG = 2
REQUIRED = ("PGADMIN_EMAIL", "DATABASE_HOST", "DATABASE_NAME", "DATABASE_USER")
PORT = 5050


def password(environ: Mapping[str, str]) -> str:
    """PGADMIN_PASSWORD, or what the file holds; empty where there is neither."""
    path = environ.get("PGADMIN_PASSWORD_FILE", "")
    return Path(path).read_text(encoding="utf-8").strip() if path else environ.get("PGADMIN_PASSWORD", "")


def servers(environ: Mapping[str, str]) -> dict[str, object]:
    """What pgAdmin's load-servers reads."""
    server = {
        "Name": environ["DATABASE_NAME"],
        "Group": "Servers",
        "Host": environ["DATABASE_HOST"],
        "Port": int(environ.get("DATABASE_PORT") or 5432),
        "MaintenanceDB": environ["DATABASE_NAME"],
        "Username": environ["DATABASE_USER"],
        "ConnectionParameters": {"sslmode": "prefer", "connect_timeout": 10},
    }
    return {"Servers": {"1": server}}


def run(command: list[str], environ: Mapping[str, str]) -> None:
    subprocess.run(command, env=dict(environ), check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words


def main() -> None:
    environ = dict(os.environ)
    missing = [name for name in REQUIRED if not environ.get(name)]
    secret = password(environ)
    if not secret:
        missing.append("PGADMIN_PASSWORD (or PGADMIN_PASSWORD_FILE)")
    if missing:
        print(f"not set: {', '.join(missing)}", file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_CONFIG)
    found = importlib.util.find_spec("pgadmin4")
    places = list(found.submodule_search_locations or ()) if found else []
    if not places:
        sys.exit("pgadmin4 is not installed")
    package = places[0]

    os.umask(0o077)
    DATA.mkdir(parents=True, exist_ok=True)
    for name in ("PGADMIN_PASSWORD", "PGADMIN_PASSWORD_FILE"):
        environ.pop(name, None)
    setup = [sys.executable, f"{package}/setup.py"]
    # A container that starts again may have its memory still, or not: the administrator is made once.
    if not (DATA / "ready").exists():
        first = {
            **environ,
            "PGADMIN_SETUP_EMAIL": environ["PGADMIN_EMAIL"],
            "PGADMIN_SETUP_PASSWORD": secret,
            "PYTHONWARNINGS": "ignore",  # about its own migrations; nobody here can heed them
        }
        run([*setup, "setup-db"], first)
        listed = DATA / "servers.json"
        listed.write_text(json.dumps(servers(environ)), encoding="utf-8")
        load = [*setup, "load-servers", str(listed), "--user", environ["PGADMIN_EMAIL"]]
        run(load, environ)
        (DATA / "ready").touch()
    # One worker: pgAdmin keeps its connections to databases in memory.
    options = ["--workers=1", "--threads=25", "--timeout=0", "--access-logfile=-", "--no-control-socket"]
    command = ["gunicorn", f"--bind=0.0.0.0:{PORT}", f"--chdir={package}", *options, "pgAdmin4:app"]
    os.execvpe(command[0], command, environ)  # noqa: S606 - it takes this process's place


if __name__ == "__main__":
    main()
