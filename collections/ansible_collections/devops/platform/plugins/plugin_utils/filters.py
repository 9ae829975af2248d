"""Functions of module_utils as filters: their errors become Ansible's, with the filter's name before them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.devops.platform.plugins.module_utils.platform.model import PlatformError


def shims(functions: Mapping[str, Callable[..., Any]], lacking: str) -> dict[str, Callable[..., Any]]:
    """Name -> filter for name -> function. `lacking`: the sentence for a missing key, with {key} in it."""
    return {name: _shim(name, function, lacking) for name, function in functions.items()}


def _shim(name: str, function: Callable[..., Any], lacking: str) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (PlatformError, ValueError) as error:
            raise AnsibleFilterError(f"devops.platform.{name}: {error}") from error
        except KeyError as error:
            raise AnsibleFilterError(f"devops.platform.{name}: {lacking.format(key=error)}") from error

    return call
