"""The backend `files`: a directory of this machine, a file a value. For the lab, and for who has nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Store

from .backend import Answer, Backend, Record, Stage


class Files(Backend):
    """The stages of a secret are files beside it: NAME.pending and NAME.previous."""

    batch = False
    makes = True
    advice = "remove platform.secrets.names.{name}.id, or write the file"

    def __init__(self, store: Store) -> None:
        self.store = store
        self.label = f"the directory {store.directory}"

    def read(self, identifiers: Sequence[str], stage: Stage) -> Answer:
        answer = Answer()
        for identifier in identifiers:
            name = f"{identifier}{stage.suffix}"
            try:
                text = self.store.read(name)
            except PlatformError as error:
                answer.refused[identifier] = str(error)
                continue
            if text is not None:
                answer.records[identifier] = Record(text, self.store.changed(name))
        return answer

    def make(self, identifier: str, length: int) -> Record:
        text = self.store.ensure(identifier, length)
        return Record(text, self.store.changed(identifier))

    def stage(self, identifier: str, text: str) -> None:
        with self.store.locked():
            self.store.write(f"{identifier}{Stage.PENDING.suffix}", text)

    def promote(self, identifier: str) -> None:
        with self.store.locked():
            pending = self.store.read(f"{identifier}{Stage.PENDING.suffix}")
            current = self.store.read(identifier)
            if pending is None:
                return
            if pending != current:  # equal where this died after its second step
                if current is not None:
                    self.store.write(f"{identifier}{Stage.PREVIOUS.suffix}", current)
                self.store.write(identifier, pending)
            self.store.remove(f"{identifier}{Stage.PENDING.suffix}")

    def retire(self, identifier: str) -> None:
        with self.store.locked():
            self.store.remove(f"{identifier}{Stage.PREVIOUS.suffix}")
