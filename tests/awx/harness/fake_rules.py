"""What `fake_awx` knows of AWX's objects: their fields, what they refer to, and what AWX refuses.

From what the modules of awx.awx 24.6.1 send and read, and from AWX's own serializers and views.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
SECRET = "$encrypted$"


class RefusedError(Exception):
    """A 400; ``answer`` is its body."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(str(answer))
        self.answer = dict(answer)


@dataclass(frozen=True)
class Kind:
    """``references``: field -> endpoints of what it may be. ``unique``: fields of which no two objects have the same.
    ``lists``: what can be associated -> endpoint."""

    type: str
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unique: tuple[str, ...] = ("organization", "name")
    lists: Mapping[str, str] = field(default_factory=dict)


TEMPLATES = ("job_templates", "projects", "inventory_sources", "workflow_job_templates", "workflow_approval_templates")
NOTIFIED = {f"notification_templates_{event}": "notification_templates" for event in ("started", "success", "error")}
APPROVALS = {**NOTIFIED, "notification_templates_approvals": "notification_templates"}
LINKS = dict.fromkeys(("success_nodes", "failure_nodes", "always_nodes"), "workflow_job_template_nodes")
ORGANIZATION = {"organization": ("organizations",)}
IMAGE = {"execution_environment": ("execution_environments",)}
CREDENTIAL = {"credential": ("credentials",)}
PROMPTS = dict.fromkeys(
    [f"ask_{what}_on_launch" for what in ("limit", "tags", "variables", "inventory", "credential", "diff_mode")], False
)

KINDS: Mapping[str, Kind] = {
    "organizations": Kind("organization", ("name",), {"max_hosts": 0}, unique=("name",), lists=APPROVALS),
    "credential_types": Kind(
        "credential_type", ("name", "kind"), {"inputs": {}, "injectors": {}, "managed": False}, unique=("name", "kind")
    ),
    "credentials": Kind(
        "credential",
        ("name", "credential_type"),
        {"inputs": {}},
        {**ORGANIZATION, "credential_type": ("credential_types",)},
        ("organization", "name", "credential_type"),
    ),
    "execution_environments": Kind(
        "execution_environment", ("name", "image"), {"pull": ""}, {**ORGANIZATION, **CREDENTIAL}, ("name",)
    ),
    "projects": Kind(
        "project",
        ("name",),
        {"scm_type": "", "scm_url": "", "scm_branch": "", "scm_update_on_launch": False, "timeout": 0},
        {**ORGANIZATION, **CREDENTIAL},
        lists=NOTIFIED,
    ),
    "inventories": Kind("inventory", ("name", "organization"), {"kind": "", "variables": ""}, ORGANIZATION),
    "inventory_sources": Kind(
        "inventory_source",
        ("name", "inventory"),
        {"source_path": "", "overwrite": False, "overwrite_vars": False, "update_on_launch": False},
        {"inventory": ("inventories",), "source_project": ("projects",), **CREDENTIAL, **IMAGE},
        ("inventory", "name"),
        NOTIFIED,
    ),
    "notification_templates": Kind(
        "notification_template", ("name", "organization", "notification_type"), {"messages": None}, ORGANIZATION
    ),
    "job_templates": Kind(
        "job_template",
        ("name", "project", "playbook"),
        {
            "job_type": "run",
            "job_tags": "",
            "limit": "",
            "extra_vars": "",
            "diff_mode": False,
            "allow_simultaneous": False,
            "survey_enabled": False,
            **PROMPTS,
        },
        {"project": ("projects",), "inventory": ("inventories",), **IMAGE},
        lists={**NOTIFIED, "credentials": "credentials"},
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        ("name",),
        {"extra_vars": "", "allow_simultaneous": False, "survey_enabled": False},
        ORGANIZATION,
        lists=APPROVALS,
    ),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node",
        ("workflow_job_template", "identifier"),
        {"extra_data": {}, "all_parents_must_converge": False},
        {"workflow_job_template": ("workflow_job_templates",), "unified_job_template": TEMPLATES},
        ("workflow_job_template", "identifier"),
        LINKS,
    ),
    "workflow_approval_templates": Kind("workflow_approval_template", ("name",), {"timeout": 0}, unique=()),
    "schedules": Kind(
        "schedule",
        ("name", "rrule", "unified_job_template"),
        {"enabled": True, "extra_data": {}},
        {"unified_job_template": TEMPLATES},
        ("unified_job_template", "name"),
    ),
}
# What goes with an object, where it is not only forgotten: endpoint -> its field.
CASCADES = {
    "inventories": (("inventory_sources", "inventory"),),
    "workflow_job_templates": (("workflow_job_template_nodes", "workflow_job_template"),),
}


def _type(name: str, kind: str, *fields: tuple[str, bool]) -> Object:
    described = [{"id": id_, "label": id_, "type": "string", "secret": secret} for id_, secret in fields]
    return {"name": name, "kind": kind, "managed": True, "inputs": {"fields": described}, "injectors": {}}


MANAGED_TYPES = (
    _type("Machine", "ssh", ("username", False), ("password", True), ("ssh_key_data", True), ("become_password", True)),
    _type("Vault", "vault", ("vault_password", True), ("vault_id", False)),
    _type("Amazon Web Services", "cloud", ("username", False), ("password", True), ("security_token", True)),
    _type("Source Control", "scm", ("username", False), ("password", True), ("ssh_key_data", True)),
    _type("Container Registry", "registry", ("host", False), ("username", False), ("password", True)),
)
# Notification type -> setting -> (type, whether AWX has a default, whether it encrypts it).
NOTIFICATIONS: Mapping[str, Mapping[str, tuple[type, bool, bool]]] = {
    "webhook": {
        "url": (str, False, False),
        "http_method": (str, True, False),
        "disable_ssl_verification": (bool, True, False),
        "username": (str, True, False),
        "password": (str, True, True),
        "headers": (dict, False, False),
    },
    "email": {
        "host": (str, False, False),
        "port": (int, False, False),
        "username": (str, False, False),
        "password": (str, False, True),
        "use_tls": (bool, False, False),
        "use_ssl": (bool, False, False),
        "sender": (str, False, False),
        "recipients": (list, False, False),
        "timeout": (int, True, False),
    },
    "awssns": {
        "aws_region": (str, True, False),
        "aws_access_key_id": (str, True, False),
        "aws_secret_access_key": (str, True, True),
        "aws_session_token": (str, True, True),
        "sns_topic_arn": (str, True, False),
    },
}


def secret_fields(endpoint: str, obj: Object, get: Callable[[str, int], Object]) -> dict[str, list[str]]:
    """Field -> its keys that AWX never shows."""
    if endpoint == "credentials":
        fields = get("credential_types", obj["credential_type"])["inputs"].get("fields", ())
        return {"inputs": [one["id"] for one in fields if one.get("secret")]}
    if endpoint == "notification_templates":
        known = NOTIFICATIONS[obj["notification_type"]]
        return {"notification_configuration": [key for key, (_type, _default, hidden) in known.items() if hidden]}
    return {}


def check(endpoint: str, obj: Object, get: Callable[[str, int], Object]) -> None:
    """RefusedError for what AWX would not save."""
    missing = {name: ["This field is required."] for name in KINDS[endpoint].required if obj.get(name) in (None, "")}
    if missing:
        raise RefusedError(missing)
    rule = {
        "credentials": _credential,
        "job_templates": _job_template,
        "notification_templates": _notification,
        "schedules": _schedule,
    }.get(endpoint)
    if rule:
        rule(obj, get)


def _credential(obj: Object, get: Callable[[str, int], Object]) -> None:
    kind = get("credential_types", obj["credential_type"])
    known = {one["id"] for one in kind["inputs"].get("fields", ())}
    unknown = set(obj["inputs"]) - known
    if unknown:
        raise RefusedError({"inputs": [f"Additional properties are not allowed ({sorted(unknown)} were unexpected)"]})
    lacking = [name for name in kind["inputs"].get("required", ()) if not obj["inputs"].get(name)]
    if lacking:
        raise RefusedError({"inputs": {name: [f"required for {kind['name']}"] for name in lacking}})


def _job_template(obj: Object, get: Callable[[str, int], Object]) -> None:
    if obj["playbook"] not in get("projects", obj["project"])["playbooks"]:
        raise RefusedError({"playbook": ["Playbook not found for project."]})


def _notification(obj: Object, _get: Callable[[str, int], Object]) -> None:
    known = NOTIFICATIONS.get(obj["notification_type"])
    if known is None:
        raise RefusedError({"notification_type": [f'"{obj["notification_type"]}" is not a valid choice.']})
    given = obj["notification_configuration"]
    missing = [name for name, (_type, default, _hidden) in known.items() if name not in given and not default]
    wrong = [name for name in given if name in known and type(given[name]) is not known[name][0]]
    if missing or wrong:
        raise RefusedError({"__all__": [f"Missing required fields {missing}, incorrect type {wrong}"]})


def _schedule(obj: Object, _get: Callable[[str, int], Object]) -> None:
    rule = obj["rrule"]
    if not re.match(r"DTSTART(;TZID=[A-Za-z_/+-]+:[0-9]{8}T[0-9]{6}|:[0-9]{8}T[0-9]{6}Z) RRULE:\S+$", rule):
        raise RefusedError(
            {"rrule": ["Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"]}
        )
    if "INTERVAL" not in rule:
        raise RefusedError({"rrule": [f"INTERVAL required in rrule: {rule}"]})


def check_survey(spec: Object) -> None:
    """AWX's own rules for surveys, which answer with `error`."""
    for name, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(spec.get(name), kind):
            raise RefusedError({"error": f"Field '{name}' is missing from survey spec."})
    if not spec["spec"]:
        raise RefusedError({"error": "'spec' doesn't contain any items."})
    seen = set()
    for number, item in enumerate(spec["spec"]):
        if not isinstance(item.get("required"), bool) or not all(
            isinstance(item.get(name), str) for name in ("type", "question_name", "variable")
        ):
            raise RefusedError({"error": f"a field is missing from survey question {number}"})
        if item["variable"] in seen:
            raise RefusedError({"error": f"'variable' '{item['variable']}' duplicated in survey question {number}."})
        seen.add(item["variable"])
        _check_question(item, number)


def _check_question(item: Object, number: int) -> None:
    types = {"text": str, "multiplechoice": str, "integer": int, "float": float, "password": str, "textarea": str}
    if item["type"] not in types:
        raise RefusedError({"error": f"'{item['type']}' in survey question {number} is not one of {list(types)}"})
    default = item.get("default", "")
    if default != "" and not isinstance(default, types[item["type"]]):
        raise RefusedError(
            {"error": f"Default value {default} in survey question {number} expected to be {item['type']}."}
        )
    for limit in ("min", "max"):
        if item.get(limit) is not None and not isinstance(item[limit], int):
            raise RefusedError({"error": f"The {limit} limit in survey question {number} expected to be integer."})
    if item["type"] == "multiplechoice" and default not in ["", *(item.get("choices") or ())]:
        raise RefusedError({"error": "Default choice must be answered from the choices listed."})
