"""Scripts of the application's images, which are no packages, as modules."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

APP = Path(__file__).resolve().parents[3] / "apps" / "chat"


def load(path: str) -> ModuleType:
    """The module of a file below apps/chat."""
    name = "chat_" + path.removesuffix(".py").replace("/", "_")
    spec = importlib.util.spec_from_file_location(name, APP / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module
