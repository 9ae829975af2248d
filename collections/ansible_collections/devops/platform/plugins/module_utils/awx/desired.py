# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWX shall have for a platform, as arguments of awx.awx's modules. `{secret: NAME}` stands for a secret. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.devops.platform.plugins.module_utils.platform.model import Data, Groups, section
from ansible_collections.devops.platform.plugins.module_utils.platform.secrets import Declaration
from ansible_collections.devops.platform.plugins.module_utils.rollout.settings import targets_of

from . import credentials, notifications, surveys
from .playbooks import BY_NAME, PLATFORM_FILE, PLAYBOOKS, RELEASE, TARGETS, Job, questions
from .settings import Credential, Settings, secret_keys

# Kinds in the order in which they are made; they are removed the other way round. An organisation is never removed, nor
# changed where there is one: it may be somebody else's as well.
KINDS = (
    "organization",
    "credential_type",
    "credential",
    "execution_environment",
    "project",
    "inventory",
    "inventory_source",
    "notification_template",
    "job_template",
    "workflow_job_template",
    "workflow_job_template_node",
    "schedule",
)
# identifier -> (job, what follows on success, what follows on failure). A rollout that fails takes itself back.
FLOW: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "plan": ("plan", ("approve",), ()),
    "approve": ("", ("rollout",), ()),
    "rollout": ("rollout", ("verify",), ()),
    "verify": ("verify", (), ("rollback",)),
    "rollback": ("rollback", (), ()),
}
FETCH = 600  # seconds that fetching the repository may take
LINKS = ("success_nodes", "failure_nodes", "always_nodes")


@dataclass(frozen=True)
class Item:
    """``parent``: the workflow of a node, whose ``name`` is its identifier; otherwise empty."""

    kind: str
    name: str
    arguments: Mapping[str, Any]
    parent: str = ""


def items(platform: Data, groups: Groups, declared: Declaration | None) -> list[Item]:
    """Everything, in the order in which it is made."""
    return list(_Maker(platform, groups, declared).items())


class _Maker:
    def __init__(self, platform: Data, groups: Groups, declared: Declaration | None) -> None:
        self.platform = platform
        self.settings = Settings.of(platform)
        self.owner = self.settings.owner
        self.declared = declared
        self.choices = {TARGETS: targets_of(platform, groups)}
        self.jobs = [BY_NAME[name] for name in self.settings.jobs]

    def items(self) -> Iterator[Item]:
        yield Item("organization", self.settings.organization, {"name": self.settings.organization})
        yield from self._credentials()
        yield from self._base()
        yield from self._notifications()
        for job in self.jobs:
            yield self._job(job)
        yield from self._workflow()
        yield from self._schedules()

    def _item(self, kind: str, name: str, says: str, arguments: Mapping[str, Any]) -> Item:
        full = self.owner.called(name)
        about = {"name": full, "description": f"{says} {self.owner.mark(full)}"}
        return Item(kind, full, {**about, "organization": self.settings.organization, **arguments})

    def _credentials(self) -> Iterator[Item]:
        left_out = only_awx_needs(self.platform)
        for kind in dict.fromkeys(one.kind for one in self.settings.credentials if not one.existing):
            if credentials.KINDS[kind].own:
                made = credentials.definition(kind, self.declared, left_out)
                item = self._item(
                    "credential_type", credentials.KINDS[kind].title, "For its jobs.", {"kind": "cloud", **made}
                )
                yield _without(item, "organization")
        for credential in self.settings.credentials:
            if not credential.existing:
                yield self._credential(credential, left_out)

    def _credential(self, credential: Credential, left_out: frozenset[str]) -> Item:
        secrets = dict(credential.secrets)
        if credential.kind == "secrets":
            secrets = {name: name for name in credentials.job_secrets(self.declared, left_out)}
        inputs = {**credential.inputs, **{key: {"secret": name} for key, name in secrets.items()}}
        kind = credentials.title(credential.kind, self.owner)
        arguments = {"credential_type": kind, "inputs": inputs}
        return self._item("credential", f"{credential.name} {credential.kind}", "For its jobs.", arguments)

    def _called(self, name: str) -> str:
        """What AWX calls a credential of platform.yml."""
        credential = self.settings.credential(name)
        if credential is None or credential.existing:
            return credential.existing if credential else name
        return self.owner.called(f"{credential.name} {credential.kind}")

    def _base(self) -> Iterator[Item]:
        settings = self.settings
        image = {"image": settings.image, "pull": settings.pull, **self._with("credential", settings.image_credential)}
        yield self._item("execution_environment", "", "The image that its jobs run in.", image)
        yield self._item(
            "project",
            "",
            "The repository with its playbooks and platform.yml.",
            {
                "scm_type": "git",
                "scm_url": settings.repository,
                "scm_branch": settings.branch,
                "scm_update_on_launch": True,
                "timeout": FETCH,
                **self._with("credential", settings.project_credential),
            },
        )
        yield self._item("inventory", "", "Its hosts.", {"kind": ""})
        cloud = next((one for one in settings.credentials if one.kind == "aws"), None)
        yield self._item(
            "inventory_source",
            "",
            f"{settings.inventory} of the project.",
            {
                "inventory": self.owner.prefix,
                "source": "scm",
                "source_project": self.owner.prefix,
                "source_path": settings.inventory,
                "overwrite": True,
                "overwrite_vars": True,
                "update_on_launch": True,
                "execution_environment": self.owner.prefix,
                **self._with("credential", cloud.name if cloud else ""),
            },
        )

    def _with(self, key: str, name: str) -> dict[str, str]:
        return {key: self._called(name)} if name else {}

    def _notifications(self) -> Iterator[Item]:
        receivers = section(self.platform, "monitoring", "alerting", "receivers")
        for name in notifications.used(self.settings.notifications):
            for kind, arguments in notifications.templates(section(receivers, name)):
                yield self._item("notification_template", f"{name} {kind}", "A receiver of alerts.", arguments)

    def _told(self, *events: str) -> dict[str, list[str]]:
        """The associations of a template with its notification templates."""
        receivers = section(self.platform, "monitoring", "alerting", "receivers")
        keys = {event: f"notification_templates_{'approvals' if event == 'approval' else event}" for event in events}
        return {
            key: [
                self.owner.called(f"{name} {kind}")
                for name in self.settings.notifications[event]
                for kind, _arguments in notifications.templates(section(receivers, name))
            ]
            for event, key in keys.items()
        }

    def _job(self, job: Job) -> Item:
        settings = self.settings
        survey = surveys.survey(questions(job), self.choices)
        takes_file = PLATFORM_FILE in PLAYBOOKS[job.playbook]
        given = [one for one in settings.credentials if not one.kind or credentials.KINDS[one.kind].jobs]
        return self._item(
            "job_template",
            job.name,
            job.says,
            {
                "job_type": "check" if job.check else "run",
                "project": self.owner.prefix,
                "inventory": self.owner.prefix,
                "playbook": job.playbook,
                "execution_environment": self.owner.prefix,
                "credentials": [self._called(one.name) for one in given],
                "job_tags": job.tags,
                "diff_mode": True,
                "allow_simultaneous": False,
                "ask_limit_on_launch": True,
                "ask_tags_on_launch": job.ask_tags,
                # What AWX hands over as an inventory is no file that platform.yml could stand beside.
                "extra_vars": {PLATFORM_FILE.name: settings.platform_file} if takes_file else {},
                "survey_enabled": bool(survey),
                "survey_spec": survey,
                **self._told("started", "success", "error"),
            },
        )

    def _workflow(self) -> Iterator[Item]:
        if not {job for job, _success, _failure in FLOW.values() if job} <= set(self.settings.jobs):
            return
        survey = surveys.survey(questions(BY_NAME["plan"]), self.choices)
        workflow = self._item(
            "workflow_job_template",
            RELEASE,
            "Plan, approval, rollout, verify; back where verify fails.",
            {
                "allow_simultaneous": False,
                "survey_enabled": True,
                "survey_spec": survey,
                **self._told(*self.settings.notifications),
            },
        )
        yield workflow
        for identifier in FLOW:
            yield self._node(identifier, workflow.name)

    def _node(self, identifier: str, workflow: str) -> Item:
        job, success, failure = FLOW[identifier]
        if job:
            what: dict[str, Any] = {
                "unified_job_template": self.owner.called(job),
                "lookup_organization": self.settings.organization,
            }
        else:
            what = {
                "approval_node": {
                    "name": self.owner.called(identifier),
                    "description": "Look at the output of the plan first: it shows what changes, and the waves.",
                    "timeout": self.settings.approval,
                }
            }
        return Item(
            "workflow_job_template_node",
            identifier,
            {
                "identifier": identifier,
                "workflow_job_template": workflow,
                "organization": self.settings.organization,
                **what,
                **dict(zip(LINKS, (list(success), list(failure), []))),
            },
            parent=workflow,
        )

    def _schedules(self) -> Iterator[Item]:
        for schedule in self.settings.schedules:
            if schedule.job not in self.settings.jobs:
                continue
            yield self._item(
                "schedule",
                schedule.name,
                f"Runs {schedule.job}.",
                {
                    "unified_job_template": self.owner.called(schedule.job),
                    "rrule": schedule.rrule(),
                    "extra_data": surveys.answered(schedule.answers),
                    "enabled": schedule.enabled,
                },
            )


def only_awx_needs(platform: Data) -> frozenset[str]:
    """Names of secrets that nothing but `platform.awx` names: jobs are not given them."""
    elsewhere = set(_texts({key: platform[key] for key in platform if key not in ("awx", "secrets")}))
    return frozenset(name for _path, name in secret_keys(platform) if name not in elsewhere)


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, Mapping):
        data = [data[key] for key in data]
    if isinstance(data, (list, tuple)):
        for item in data:
            yield from _texts(item)
    elif isinstance(data, str):
        yield data


def _without(item: Item, key: str) -> Item:
    return Item(item.kind, item.name, {name: value for name, value in item.arguments.items() if name != key})
