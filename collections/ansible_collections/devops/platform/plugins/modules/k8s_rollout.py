# Copyright: Contributors to the devops.platform collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An application on Kubernetes as one change: all of it as wanted, or all of it as before."""

from __future__ import annotations

DOCUMENTATION = r"""
module: k8s_rollout
short_description: Roll an application out on Kubernetes, and take it back where it fails
version_added: 0.1.0
author: Contributors to the devops.platform collection (@devops-platform)
description:
  - Applies all objects of an application by server-side apply, watches its workloads until they serve, and takes back
    all of them where one fails or the gate is breached. Ends with the new state or the old one.
  - Remembers in a ConfigMap C(devops.platform.APPLICATION) what is the application's, by which rollout, and what was
    before. A run whose controller died is gone on with, or taken back, by the next one.
  - Prunes what the application no longer has. What is not in the ledger and does not bear the application's label is
    not touched; namespaces, claims and custom resource definitions are left and named.
  - Values of Secrets are in no log, diff and ledger. Earlier values stay in Secrets of their own as long as the history
    names them.
options:
  application:
    description: Name of the owner of these objects. One application is rolled out at a time, by one controller.
    type: str
    required: true
  namespace:
    description: Where the ledger is, and the objects that name no namespace. It must exist or be in O(definition).
    type: str
    required: true
  definition:
    description:
      - All objects of the application, as mappings or as YAML. What was there before and is not there any more is
        pruned.
      - One of O(definition), O(src) and O(to) is needed.
    type: list
    elements: raw
  src:
    description: A file with YAML documents, on the host that the task runs on.
    type: path
  to:
    description:
      - The rollout to go back to, as RV(rollout) named it, one of the last O(history). It is rolled out by the
        strategies that it had, and proved as any other.
    type: str
  strategies:
    description:
      - Name of a workload, and how it is rolled out. Without it a Deployment is V(rolling), a StatefulSet and a
        DaemonSet are V(partition) with all pods in one step.
      - "C(type): V(rolling), V(recreate), V(blue_green) or V(canary) for a Deployment, V(partition) for the others. No
        pod that is needed goes before another is there, but with V(recreate), and with V(partition), which has no
        spare pods."
      - "V(rolling): C(max_surge), a number or share of pods above those wanted, by default 25%."
      - "V(blue_green): two Deployments, C(NAME-blue) and C(NAME-green), and the Services of the definition that lead to
        one of them. C(keep), by default true, keeps the old one running until the next rollout."
      - "V(canary): C(steps), how many new pods stand beside the old ones, as numbers or shares, by default 10% and 50%.
        After each step the gate is asked."
      - "V(partition): C(steps), how many pods are new, and for a DaemonSet C(parallel), how many of them at a time."
    type: dict
    default: {}
  gate:
    description:
      - Measures the new pods after each step, as M(devops.platform.slo_gate) measures hosts. V(@hosts) in a query
        stands for the new pods, a baseline compares with the old ones.
      - Options C(objectives), C(url), C(window), C(interval), C(timeout) and C(label), by default V(pod), as there.
    type: dict
  rollout:
    description: Name of this rollout, in the ledger. By default made from the time.
    type: str
  timeout:
    description: Seconds that all workloads together have to become ready, and as many to go back.
    type: float
    default: 600
  patience:
    description:
      - Seconds for what may pass by itself, such as a registry that does not answer, or no node with room. An image
        that does not exist and a container that crashes again and again are not waited for.
    type: float
    default: 60
  prune:
    description: Whether objects go that the definition no longer has.
    type: bool
    default: true
  history:
    description: How many rollouts can be gone back to, this one included.
    type: int
    default: 5
  take_over:
    description: Whether fields that other managers own are taken over. Otherwise that is an error which names them.
    type: bool
    default: false
extends_documentation_fragment: [kubernetes.core.k8s_auth_options]
requirements: ["kubernetes >= 24.2.0", PyYAML]
attributes:
  check_mode:
    support: full
    description: Plans by a server-side dry run, and changes nothing.
  diff_mode:
    support: full
    description: Shows each object as it is and would be, values of Secrets as tags.
"""

EXAMPLES = r"""
- name: Roll out the chat, half of the new pods first
  devops.platform.k8s_rollout:
    application: chat
    namespace: chat-app-prod
    src: /tmp/chat.yml
    strategies:
      chat-api: {type: canary, steps: [1, "50%"]}
      chat-web: {type: blue_green}
      chat-queue: {type: partition, steps: [1, "100%"]}
    gate:
      url: http://prometheus.example.com:9090
      window: 2m
      objectives:
        - name: errors
          query: >-
            sum(rate(http_requests_total{code=~"5..", @hosts}[@window]))
            / sum(rate(http_requests_total{@hosts}[@window]))
          comparison: "<"
          threshold: 0.01

- name: Roll out one Deployment
  devops.platform.k8s_rollout:
    application: hello
    namespace: default
    definition:
      - apiVersion: apps/v1
        kind: Deployment
        metadata: {name: hello}
        spec:
          replicas: 3
          selector: {matchLabels: {app: hello}}
          template:
            metadata: {labels: {app: hello}}
            spec:
              containers: [{name: hello, image: "registry.example.com/hello:1.2.3"}]

- name: Back to how an earlier rollout left it
  devops.platform.k8s_rollout:
    application: chat
    namespace: chat-app-prod
    to: 20260101T120000Z-3f2a
"""

RETURN = r"""
rollout:
  description: Name of this rollout; that of the ledger's last one where nothing changed is not given.
  returned: always
  type: str
  sample: 20260101T120000Z-3f2a
plan:
  description: What changes, or would change, in the order of its kinds.
  returned: always
  type: list
  elements: str
  sample: [create Secret chat/credentials, apply Deployment chat/api, prune ConfigMap chat/old]
left:
  description: What is the application's, is not wanted any more, and was left, such as claims.
  returned: always
  type: list
  elements: str
  sample: [PersistentVolumeClaim chat/data]
workloads:
  description: Each workload of the definition.
  returned: always
  type: dict
  contains:
    template:
      description: The label C(devops.platform/template) of its pods.
      type: str
    colour:
      description: The colour that serves, with V(blue_green).
      type: str
    changed:
      description: Whether this run had to do with it.
      type: bool
  sample: {api: {template: 0f3c7a1b22, colour: green, changed: true}}
requests:
  description: How many requests the API server was asked.
  returned: always
  type: int
  sample: 117
seconds:
  description: How long it took.
  returned: always
  type: float
  sample: 14.2
recovered:
  description: What an earlier run had left half done, and this one brought to its end. Or empty.
  returned: always
  type: str
  sample: took back 20260101T115800Z-77aa
failure:
  description: Why it failed, in a sentence. Or empty.
  returned: always
  type: str
  sample: >-
    Deployment chat/api rolls out, and that fails. Pod chat/api-7d4b9-x2x, container api: ImagePullBackOff:
    registry.example.com/chat:9: manifest unknown. Correct the name, tag or digest, or push the image
finding:
  description: The same in parts.
  returned: on failure of a pod
  type: dict
  contains:
    pod: {description: Name of the pod., type: str}
    container: {description: Name of the container., type: str}
    reason: {description: The reason in one word., type: str}
    message: {description: What Kubernetes says., type: str}
    advice: {description: What to do., type: str}
log:
  description: The last lines of the failed container.
  returned: always, empty where it did not start
  type: str
  sample: "could not connect to server"
rolled_back:
  description: Whether the old state was put back and serves.
  returned: always
  type: bool
"""

import secrets
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

try:
    from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
except ImportError:  # the next ones say so
    AUTH_ARG_SPEC = {}
try:
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes import definition, judging
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes.api import Api
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes.carry import Failure
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes.cluster import ApiError
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes.connection import connect
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes.ledger import LedgerError
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes.objects import normal
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes.plan import PlanError
    from ansible_collections.devops.platform.plugins.module_utils.kubernetes.rollout import Options, Result, Rollout

    MISSING = ""
except ImportError as error:  # PyYAML, urllib3, or the collection
    MISSING = str(error)

ARGUMENTS: dict[str, Any] = {
    "application": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "definition": {"type": "list", "elements": "raw"},
    "src": {"type": "path"},
    "to": {"type": "str"},
    "strategies": {"type": "dict", "default": {}},
    "gate": {"type": "dict"},
    "rollout": {"type": "str"},
    "timeout": {"type": "float", "default": 600.0},
    "patience": {"type": "float", "default": 60.0},
    "prune": {"type": "bool", "default": True},
    "history": {"type": "int", "default": 5},
    "take_over": {"type": "bool", "default": False},
}


def new_name(now: float) -> str:
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}-{secrets.token_hex(2)}"


def carry_out(module: AnsibleModule, api: Api) -> Result:
    asked = module.params
    judge = judging.judge(asked["gate"], api.now(), time.sleep) if asked["gate"] else None
    options = Options(
        asked["rollout"] or new_name(api.now()),
        asked["timeout"],
        asked["patience"],
        asked["history"],
        asked["take_over"],
    )
    rollout = Rollout(api, asked["application"], asked["namespace"], options, judge)
    if asked["to"]:
        return rollout.back_to(asked["to"], asked["prune"], module.check_mode)
    items = definition.read(asked["definition"], asked["src"])
    api.learn(items)
    wanted = [normal(item, asked["namespace"], asked["application"]) for item in items]
    return rollout.forward(wanted, asked["strategies"], asked["prune"], module.check_mode)


def main() -> None:
    module = AnsibleModule(
        argument_spec={**AUTH_ARG_SPEC, **ARGUMENTS},
        mutually_exclusive=[("definition", "src", "to")],
        required_one_of=[("definition", "src", "to")],
        supports_check_mode=True,
    )
    if MISSING:
        module.fail_json(
            msg=missing_required_lib("kubernetes, PyYAML and the collection kubernetes.core"), exception=MISSING
        )
    began = time.time()
    try:
        api = connect(module.params)
    except ApiError as error:
        module.fail_json(msg=str(error))
    result = Result()
    problem = ""
    try:
        result = carry_out(module, api)
    except (PlanError, definition.DefinitionError) as error:
        problem = "This cannot be rolled out:\n" + "\n".join(f"  {line}" for line in error.problems)
    except (LedgerError, Failure, ApiError) as error:
        problem = str(error)
    finally:
        api.close()
    told = {key: value for key, value in vars(result).items() if key != "diff"}
    told.update(requests=api.requests, seconds=round(time.time() - began, 3), failure=result.failure or problem)
    if module._diff and result.diff:
        told["diff"] = {"prepared": result.diff}
    if problem:
        module.fail_json(msg=problem, **told)
    if result.failure:
        module.fail_json(msg=said(result), **told)
    module.exit_json(**told)


def said(result: Result) -> str:
    """What failed, its last words, and how it stands now."""
    log = f"\nIts last words:\n{result.log}" if result.log else ""
    stands = "The old state is back and serves." if result.rolled_back else "The old state is NOT back."
    return f"{result.failure}{log}\n{stands}"


if __name__ == "__main__":
    main()
