# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbooks that a person or AWX starts, and the variables that each takes with ``-e``. Data.

Tests compare it with the playbooks: with what they use, and with what their first lines say. What a variable may be is
a schema, in the words of schema.json; surveys are made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TARGETS = "targets"  # x-choices: what can be rolled out here, which platform.yml and the inventory say


@dataclass(frozen=True)
class Variable:
    """``schema`` is of JSON Schema, where ``$ref`` leads into schema.json. What AWX sets itself is not asked."""

    name: str
    title: str
    help: str
    schema: Mapping[str, Any]
    required: bool = False
    asked: bool = True


@dataclass(frozen=True)
class Job:
    """A job template: a playbook with tags and a mode.

    ``usual``: made where platform.awx.jobs names none; ``only``: the variables that are asked for, where not all are.
    """

    name: str
    playbook: str
    says: str
    tags: str = ""
    check: bool = False
    ask_tags: bool = False
    usual: bool = True
    only: tuple[str, ...] = ()


FLAG: Mapping[str, Any] = {"type": "boolean", "default": False}
TEXT: Mapping[str, Any] = {"type": "string", "maxLength": 512}
ID: Mapping[str, Any] = {"type": "string", "maxLength": 128}

PLATFORM_FILE = Variable(
    "platform_file", "platform.yml", "Where it is, from the directory of ansible.cfg.", {"type": "string"}, asked=False
)
TARGET = Variable(
    "target",
    "What is rolled out",
    "An application, apps for all of them, or a role.",
    {"type": "string", "x-choices": TARGETS},
    required=True,
)
TIMEOUT = Variable(
    "verify_timeout",
    "Patience",
    "How many seconds verify waits for each answer.",
    {"type": "integer", "minimum": 1, "maximum": 3600, "default": 60},
)

# Playbook -> its own variables, and those of the playbooks that it imports.
PLAYBOOKS: Mapping[str, tuple[Variable, ...]] = {
    "site.yml": (PLATFORM_FILE, TIMEOUT),
    "playbooks/preflight.yml": (PLATFORM_FILE,),
    "playbooks/verify.yml": (TIMEOUT,),
    "playbooks/rollout.yml": (
        PLATFORM_FILE,
        TARGET,
        Variable("resume", "Rollout to go on with", "Its id, after its job died; otherwise empty.", ID),
        Variable("reverse", "Take it back instead", "With a rollout to go on with: take back what it did.", FLAG),
    ),
    "playbooks/rollback.yml": (
        PLATFORM_FILE,
        Variable("to", "Back to", "The id of a rollout: how it left its hosts. Or name one below.", ID),
        Variable("undo", "Back to before", "The id of a rollout: how its hosts were before it.", ID),
    ),
    "playbooks/drift.yml": (
        PLATFORM_FILE,
        Variable(
            "drift_fail",
            "Fail where something differs",
            "false: report only. Hosts that cannot be examined fail the job in any case.",
            {"type": "boolean", "default": True},
        ),
        Variable("drift_report", "Report", "Where the findings go as data.", {"type": "string"}, asked=False),
    ),
    "playbooks/restore_prometheus.yml": (
        PLATFORM_FILE,
        Variable(
            "archive",
            "Archive",
            "latest, a name in the directory of backups, or a path on the host.",
            {"type": "string", "maxLength": 512, "default": "latest"},
        ),
        Variable(
            "restore_timeout",
            "Patience",
            "How many seconds Prometheus may take to come up with it.",
            {"type": "integer", "minimum": 1, "maximum": 86400, "default": 300},
        ),
    ),
    "playbooks/uninstall.yml": (
        Variable(
            "uninstall",
            "Name of the platform",
            "So that it cannot happen by a slip.",
            {"$ref": "#/properties/platform/properties/name"},
            required=True,
        ),
        Variable("uninstall_data", "Data, too", "Databases, volumes of containers and metrics go as well.", FLAG),
    ),
    "playbooks/awx.yml": (PLATFORM_FILE,),
    "playbooks/logs.yml": (
        PLATFORM_FILE,
        Variable("query", "Query", "level:error OR status:>=500; empty for all lines.", TEXT),
        Variable("since", "Since", "How long ago the oldest line may be: 15m, 2h, 1d.", {**TEXT, "default": "15m"}),
        Variable("app", "Application", "Lines of this one only.", TEXT),
        Variable("host", "Host", "Lines of this one only.", TEXT),
        Variable(
            "limit",
            "How many",
            "The newest lines.",
            {"type": "integer", "minimum": 1, "maximum": 10000, "default": 200},
        ),
    ),
    "playbooks/restore_logs.yml": (
        PLATFORM_FILE,
        Variable("index", "Indexes", "logs-prod-chat-2026.01.02, or with *.", TEXT, required=True),
        Variable("snapshot", "Snapshot", "latest, or its name.", {**TEXT, "default": "latest"}),
        Variable("in_place", "In place", "What was written after the snapshot is lost.", FLAG),
    ),
    "playbooks/rotate_secrets.yml": (
        PLATFORM_FILE,
        Variable("secrets", "Secrets", "Of these only, by commas; empty for all that are due.", TEXT),
        Variable("force", "Also what is not due", "Replaces what is younger than platform.secrets.max_age, too.", FLAG),
    ),
    "playbooks/restore_etcd.yml": (
        PLATFORM_FILE,
        Variable("archive", "Archive", "latest, a name there, or a path on all hosts.", {**TEXT, "default": "latest"}),
        Variable(
            "restore_timeout",
            "Patience",
            "How many seconds etcd may take to come up with it.",
            {"type": "integer", "minimum": 1, "maximum": 3600, "default": 180},
        ),
    ),
    "playbooks/upgrade_kubernetes.yml": (PLATFORM_FILE,),
}

# What nobody starts from AWX: it keeps a plan between two runs, and has keys that can make and destroy everything.
BY_HAND = ("playbooks/infrastructure.yml",)

# Parts of site.yml, which imports them, or of a play of their own. awx.yml makes the job templates and is none of them.
PARTS = ("apps", "awx", "data", "edge", "groups", "hosts", "kubernetes", "logging", "monitoring", "verify")

JOBS: tuple[Job, ...] = (
    Job("preflight", "playbooks/preflight.yml", "Checks platform.yml; reaches no host."),
    Job("site", "site.yml", "Everything, or the phases that tags name.", ask_tags=True),
    Job("monitoring", "site.yml", "Prometheus, Alertmanager, exporters, dashboards.", tags="monitoring"),
    Job("verify", "site.yml", "Asks the running platform whether it does what it is for.", tags="verify"),
    Job("plan", "playbooks/rollout.yml", "What a rollout would change, and its waves.", check=True, only=("target",)),
    Job("rollout", "playbooks/rollout.yml", "One change on many hosts, wave by wave; taken back where it fails."),
    Job("rollback", "playbooks/rollback.yml", "Back to an earlier rollout, or to before one."),
    Job("drift", "playbooks/drift.yml", "What differs between platform.yml, what was rolled out, and the hosts."),
    Job("restore-prometheus", "playbooks/restore_prometheus.yml", "Puts a backup in the place of Prometheus' data."),
    Job("logs", "playbooks/logs.yml", "Lines of logs, across hosts.", usual=False),
    Job("restore-logs", "playbooks/restore_logs.yml", "Lines out of a snapshot.", usual=False),
    Job("rotate-secrets", "playbooks/rotate_secrets.yml", "Replaces passwords and keys that are too old."),
    Job("restore-etcd", "playbooks/restore_etcd.yml", "Puts a snapshot in the place of what etcd has.", usual=False),
    Job("upgrade-kubernetes", "playbooks/upgrade_kubernetes.yml", "Brings nodes to another version.", usual=False),
    Job("uninstall", "playbooks/uninstall.yml", "Takes the platform off its hosts.", usual=False),
)
BY_NAME: Mapping[str, Job] = {job.name: job for job in JOBS}
RELEASE = "release"  # the workflow


def questions(job: Job) -> tuple[Variable, ...]:
    """The variables that AWX asks for."""
    asked = (variable for variable in PLAYBOOKS[job.playbook] if variable.asked)
    return tuple(variable for variable in asked if not job.only or variable.name in job.only)
