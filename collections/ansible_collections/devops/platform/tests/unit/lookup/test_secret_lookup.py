"""The lookup of secrets, as playbooks call it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleLookupError

from ansible_collections.devops.platform.plugins.lookup.secret import LookupModule


def test_nothing_asked_for_needs_no_declaration():
    assert LookupModule().run([], {}) == []


def test_something_asked_for_does():
    with pytest.raises(AnsibleLookupError, match=r"declares no secrets"):
        LookupModule().run(["chat_database"], {})
