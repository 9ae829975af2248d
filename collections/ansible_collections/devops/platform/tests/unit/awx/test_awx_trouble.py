"""What failures of awx.awx mean. The messages are those of awx.awx 24.6.1."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.plugins.module_utils.awx.trouble import explained

PLATFORM = {"name": "chat", "environment": "lab", "awx": {"url": "https://awx.example", "token": "awx_token"}}


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("Invalid authentication credentials for /api/v2/organizations/ (HTTP 401).", "refuses the token. Make one"),
        ("You don't have permission to POST to /api/v2/projects/ (HTTP 403).", "forbids that to the user of the token"),
        ("There was a network error of some kind trying to connect to your host (x): y.", "AWX does not answer at"),
        ("Unable to resolve controller_host (x): y", "does not answer at https://awx.example (platform.awx.url)"),
        ("Could not establish a secure connection to your host (x): y.", "SSL_CERT_FILE names the CA's file"),
        (
            "The host sent back a server error (/api/v2/x/): HTTP Error 500. Please check the logs",
            "its log (the container",
        ),
        ("Unable to create job_template x: {'playbook': ['Playbook not found for project.']}", "not in it: look at"),
        ("Something else", "What was done so far holds: run it again, and it goes on."),
    ],
)
def test_a_message_is_kept_and_explained(message, meaning):
    found = explained(PLATFORM, {"msg": message}, {})
    assert found.startswith(message + "\n")
    assert meaning in found
    assert "{" not in found.split("\n")[-1]


def test_of_a_loop_the_calls_that_failed_are_named():
    results = [
        {"item": {"name": "first"}, "failed": False, "msg": "fine"},
        {"item": {"name": "second"}, "failed": True, "msg": "no"},
    ]
    found = explained(PLATFORM, {"results": results, "msg": "One or more items failed"}, {})
    assert found.split("\n")[0] == "second: no"
    assert "first" not in found


def test_secrets_are_masked_by_their_names():
    found = explained(PLATFORM, {"msg": "no: s3cret-value, as said"}, {"mail": "s3cret-value", "none": ""})
    assert found.startswith("no: <mail>, as said")


def test_a_failure_without_words_has_some():
    assert explained(PLATFORM, {}, {}).startswith("failed without a word")


def test_results_that_were_not_allowed_to_fail_are_told_as_well():
    kept = [{"item": {"name": "mail"}, "failed": False, "msg": "no"}]
    assert explained(PLATFORM, {"results": kept}, {}).startswith("mail: no\n")


def test_what_is_explained_already_is_not_explained_again():
    once = explained(PLATFORM, {"msg": "no"}, {})
    assert explained(PLATFORM, {"msg": once}, {}) == once
