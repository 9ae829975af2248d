"""A file goes live only after the product's own checker has accepted it."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile

from .errors import EngineError
from .host import Host, naming, tail
from .spec import Entry, Spec

# Memory, root only: what is validated may hold secrets.
SCRATCH = "/run"


def stage(target: Spec, root: str) -> None:
    """Every file of the component below `root`, so that validators find its neighbours too."""
    for entry in target.entries:
        if entry.is_link:
            continue
        path = root + entry.path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with naming(path), open(path, "wb") as handle:
            handle.write(entry.content)
        os.chmod(path, entry.mode)


def arguments(entry: Entry, root: str, release: str) -> list[str]:
    """The validator's argument list; `validate` is split like a shell line, and no shell sees it."""
    return [
        word.replace("%s", root + entry.path).replace("{root}", root).replace("{release}", release)
        for word in shlex.split(entry.validate)
    ]


def validate(host: Host, target: Spec, root: str, release: str, strict: bool = True) -> list[str]:
    """Run the validators of the files staged below `root`.

    Raises EngineError at the first refusal. Answers with what could not be validated because the checker is not
    installed yet, which is an error too where `strict`.
    """
    checked = [entry for entry in target.entries if entry.validate and not entry.is_link]
    if not checked:
        return []
    stage(target, root)
    notes = []
    for entry in checked:
        argv = arguments(entry, root, release)
        done = host.query(argv, cwd=root)
        if done.code == 127 and not strict:
            notes.append(f"{entry.path} was not validated: {argv[0]} is not installed yet")
        elif done.code != 0:
            raise EngineError(
                f"{entry.path} was refused by '{argv[0]}' (exit {done.code}): {tail(done.output.replace(root, ''))}",
                "validate",
                "The old content is in place",
            )
    return notes


def validate_in_passing(host: Host, target: Spec, release: str) -> list[str]:
    """The same in check mode: in a folder of its own that is gone afterwards."""
    root = tempfile.mkdtemp(prefix="devops-platform-check-", dir=SCRATCH if os.access(SCRATCH, os.W_OK) else None)
    try:
        return validate(host, target, root, release, strict=False)
    finally:
        shutil.rmtree(root, ignore_errors=True)
