"""What preflight says of platform.kubernetes."""

from __future__ import annotations

import pytest

from ansible_collections.devops.platform.tests.unit.platform import example

RIGHT = """\
  kubernetes:
    namespaces:
      chat-app-dev:
        quota: {requests.cpu: 4}
        limits:
          default_request: {cpu: 100m}
          default: {cpu: 500m}
        allow:
          prometheus: {from: {namespace: monitoring}, ports: [5000]}
          database: {to: {cidr: 10.0.0.0/16}, ports: [5432]}
      monitoring: {pod_security: baseline}
    roles:
      developer: {groups: [developers], namespaces: [chat-app-dev]}
      ci-cd: {accounts: [chat-app-dev/deployer]}
  edge:
"""


def said(root, *edits):
    return example.problems(root, ("  edge:\n", RIGHT), *edits)


def test_what_is_right_passes(tmp_path):
    assert said(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{requests.cpu: 4}", "{requests.cpu: 4x}", "'4x' is no quantity of Kubernetes, such as 500m, 2 or 10Gi"),
        ("{requests.cpu: 4}", "{request.cpu: 4}", "unknown key; did you mean 'requests.cpu'?"),
        ("{cpu: 500m}", "{cpu: 50m}", "100m is more than default (50m, line"),
        (
            "{pod_security: baseline}",
            "{pod_security: privileged}",
            "warning: platform.kubernetes.namespaces.monitoring.pod_security: its pods may become root of their nodes",
        ),
        (
            "{namespace: monitoring}",
            "{namespace: monitorin}",
            "has no 'monitorin'; did you mean 'monitoring'?",
        ),
        ("{namespace: monitoring}", "{namespace: elsewhere}", "until somebody makes it this allows nothing"),
        ("from: {namespace: monitoring}, ", "", "needs either 'from', who may come in, or 'to', where pods may go"),
        ("{to: {cidr: 10.0.0.0/16}", "{from: {app: a}, to: {cidr: 10.0.0.0/16}", "needs either 'from'"),
        ("{cidr: 10.0.0.0/16}", "{cidr: 10.0.0.0/16, app: a}", "addresses are no pods; make an allowance of each"),
        ("{cidr: 10.0.0.0/16}", "{cidr: 10.0.0.1/16}", "has bits set beyond its prefix"),
        (
            "namespaces: [chat-app-dev]",
            "namespaces: [chat-app-de]",
            "has no 'chat-app-de'; did you mean 'chat-app-dev'?",
        ),
        ("[chat-app-dev/deployer]", "[chat-app/deployer]", "has no 'chat-app'"),
        ("[chat-app-dev/deployer]", "[deployer]", "'deployer' is not NAMESPACE/NAME, such as chat-app-dev/deployer"),
        ("{groups: [developers], namespaces", "{namespaces", "nobody has this role; give it groups, users or accounts"),
        (
            "{requests.cpu: 4}",
            "{requests.cpu: 4, limits.memory: 8Gi}",
            'quota["limits.memory"]: pods that do not say their own would be refused; add limits.default.memory',
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(tmp_path, old, new, message):
    found = said(tmp_path, (old, new))
    assert len(found) == 1
    assert message in found[0]
    file, line, *_ = found[0].split(":")
    first = example.TEXT.splitlines().index("  edge:") + 1
    assert file == "platform.yml"
    assert first <= int(line) < first + len(RIGHT.splitlines())


def test_a_limit_is_taken_for_the_request(tmp_path):
    """As the API server does."""
    assert said(tmp_path, ("default_request: {cpu: 100m}", "max: {cpu: 1}")) == []


def test_a_limit_may_be_what_is_asked_for(tmp_path):
    assert said(tmp_path, ("default: {cpu: 500m}", 'default: {cpu: "0.1"}')) == []
