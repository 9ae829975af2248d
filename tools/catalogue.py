"""The suites of ``make test``, as data, in the order in which they run."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools import REPOSITORY

PYTEST = ("python", "-m", "pytest", "-q")
BY_FILE = ("-n", "3", "--dist", "loadfile")  # they mostly wait for servers
# They skip themselves where there is no Prometheus, as in the suite `unit`; tests/monitoring brings one.
REAL_PROMETHEUS = tuple(
    f"collections/ansible_collections/devops/platform/tests/unit/{name}"
    for name in ("dashboards/test_dashboards_real.py", "gate/test_gate_real.py")
)

MUTANTS = "tests/monitoring/test_mutants.py"


@dataclass(frozen=True)
class Suite:
    """A program whose exit code is its verdict.

    ``groups``: the ``make`` targets that it belongs to, besides ``test``; ``test`` has all but the ``long`` ones.
    ``alone``: it needs the machine's cores or Docker for itself; the others run side by side. ``minutes``: after these
    it counts as hung. ``needs``: a path in the repository without which there is nothing to run.
    """

    name: str
    shows: str
    command: tuple[str, ...]
    groups: frozenset[str] = frozenset()
    alone: bool = True
    minutes: float = 10
    environment: dict[str, str] = field(default_factory=dict)
    needs: str = "."
    long: bool = False


def _lint(name: str, shows: str, *command: str) -> Suite:
    return Suite(name, shows, command, frozenset({"check", "lint"}), alone=False)


def _molecule(scenario: str, shows: str, *groups: str) -> Suite:
    return Suite(
        f"molecule-{scenario}",
        shows,
        ("molecule", "test", "--scenario-name", scenario),
        frozenset({"molecule", *groups}),
        environment={"MOLECULE_COMMAND_BORDERS": "0"},  # frames cut lines at 80 columns
        needs=f"molecule/{scenario}/molecule.yml",
    )


def _app(folder: str, shows: str) -> Suite:
    name = folder.replace("/", "-")
    command = ("python", "-m", "tools.apptests", folder)
    return Suite(f"app-{name}", shows, command, frozenset({folder.split("/", maxsplit=1)[0]}), needs=f"apps/{folder}")


CATALOGUE: tuple[Suite, ...] = (
    # The longest first: they run side by side.
    _lint("ansible-lint", "playbooks and roles, production profile", "ansible-lint", "-q"),
    Suite("unit", "decisions, without hosts", (*PYTEST, "-n", "2"), frozenset({"check"}), alone=False),
    Suite(
        "awx",
        "AWX's objects against a fake of its API, and every job template with ansible-runner",
        (*PYTEST, "tests/awx"),
        frozenset({"aws"}),
        alone=False,
        minutes=15,
        needs="tests/awx",
    ),
    Suite(
        "terraform",
        "modules with a mock of AWS; plans of all environments: prod stricter than dev, policies, cost",
        (*PYTEST, *(f"tests/aws/test_aws_{name}.py" for name in ("modules", "plans", "strict"))),
        frozenset({"aws"}),
        alone=False,
        minutes=15,
        needs="tests/aws",
    ),
    Suite(
        "leaks",
        "no secret in the repository, nor in its history",
        ("python", "-m", "tools.leaks"),
        alone=False,
        minutes=20,
    ),
    _lint("mypy", "types", "mypy"),
    _lint("ruff", "Python: mistakes and style", "ruff", "check", "."),
    _lint("ruff-format", "Python: format", "ruff", "format", "--check", "."),
    _lint("yamllint", "YAML", "yamllint", "--strict", "."),
    Suite("sanity", "ansible-test sanity, the checks that run offline", ("python", "-m", "tools.sanity")),
    _app("chat", "the chat's services: lint, types and tests with real servers"),
    _app("chat/web", "the chat's page: types, lint, tests and build"),
    Suite(
        "secrets",
        "environments beside moto's AWS; rotations of a real PostgreSQL and Redis, killed while clients sign in",
        (*PYTEST, "tests/secrets"),
        minutes=20,
        needs="tests/secrets",
    ),
    Suite(
        "engine", "the engine's promises, on real systemd", (*PYTEST, "tests/engine"), minutes=30, needs="tests/engine"
    ),
    _molecule("default", "all host roles on one Debian 13"),
    _molecule("base", "base on Debian 12 and 13"),
    _molecule("docker", "docker on Debian 13"),
    _molecule("exporters", "what watches MariaDB and RabbitMQ, on one Debian 13", "monitoring"),
    _molecule("monitoring", "Prometheus, Alertmanager and node_exporter on Debian 12 and 13", "monitoring"),
    Suite(
        "molecule-grafana",
        "Grafana from its makers on Debian 13; skipped where they do not answer",
        ("python", "-m", "tools.upstream", "grafana"),
        frozenset({"molecule", "monitoring"}),
        environment={"MOLECULE_COMMAND_BORDERS": "0"},
        needs="molecule/grafana/molecule.yml",
    ),
    Suite(
        "molecule-kibana",
        "Kibana and Elasticsearch from their makers on Debian 13; skipped where they do not answer",
        ("python", "-m", "tools.upstream", "kibana"),
        frozenset({"molecule", "logging"}),
        minutes=20,
        environment={"MOLECULE_COMMAND_BORDERS": "0"},
        needs="molecule/kibana/molecule.yml",
    ),
    _molecule("app", "the application with its data on one Debian 13"),
    Suite(
        "fleet-kills",
        "the controller of a rollout dies at some of its tasks: resumed or reversed, the fleet is whole",
        (*PYTEST, "-s", "tests/fleet/test_rollout_killed.py"),
        minutes=20,
        environment={"FLEET_KILLS": "4"},
        needs="tests/fleet/test_rollout_killed.py",
    ),
    Suite(
        "fleet-rollout",
        "rollouts on twelve hosts: good, bad, slow, a host lost, Ctrl-C, and back, with users all the time",
        (*PYTEST, "-s", "tests/fleet/test_rollout.py"),
        frozenset({"fleet"}),
        minutes=45,
        needs="tests/fleet/test_rollout.py",
        long=True,
    ),
    Suite(
        "fleet-killed",
        "the controller of a rollout dies at each of its tasks",
        (*PYTEST, "-s", "tests/fleet/test_rollout_killed.py"),
        frozenset({"fleet"}),
        minutes=75,
        needs="tests/fleet/test_rollout_killed.py",
        long=True,
    ),
    Suite(
        "fleet-drift",
        "sixty and more drifts on three hosts, each found, and none on an untouched fleet",
        (*PYTEST, "tests/fleet/test_drift.py"),
        frozenset({"fleet"}),
        minutes=20,
        needs="tests/fleet/test_drift.py",
        long=True,
    ),
    Suite(
        "fleet-uninstall",
        "hosts after the uninstallation are as before the installation",
        (*PYTEST, "tests/fleet/test_uninstall.py"),
        frozenset({"fleet"}),
        minutes=20,
        needs="tests/fleet/test_uninstall.py",
        long=True,
    ),
    Suite(
        "alerting",
        "rules on each side of every threshold, routes, messages: promtool, amtool, a real Alertmanager",
        (*PYTEST, *BY_FILE, "tests/monitoring", f"--ignore={MUTANTS}", *REAL_PROMETHEUS),
        frozenset({"monitoring"}),
        minutes=15,
        needs="tests/monitoring",
    ),
    Suite(
        "alerting-mutants",
        "every rule with a threshold, operator or duration changed: its cases fail",
        (*PYTEST, "-s", MUTANTS),
        frozenset({"monitoring"}),
        minutes=15,
        needs=MUTANTS,
        long=True,
    ),
    Suite(
        "discovery",
        "Prometheus finds nodes and pods of a real API server, and no others",
        (*PYTEST, "tests/kubernetes/simulated/test_discovered.py"),
        frozenset({"monitoring"}),
        minutes=120,  # it builds the API server
        needs="tests/kubernetes/simulated",
        long=True,
    ),
    Suite(
        "elasticsearch",
        "real clusters on loopback: users, types, retention, snapshots, and no line lost in a rolling restart",
        (*PYTEST, "-s", "tests/elasticsearch"),
        frozenset({"logging"}),
        minutes=20,
        needs="tests/elasticsearch",
        long=True,
    ),
    Suite(
        "shipper",
        "recorded lines and faults, with the rsyslog that hosts run and a fake server: no line is lost",
        (*PYTEST, "tests/logging/shipper"),
        frozenset({"logging"}),
        minutes=20,
        needs="tests/logging/shipper",
        long=True,
    ),
    Suite(
        "loki",
        "a real Loki, built where the lab has none: lines by their labels, limits, certificates, and nothing lost",
        (*PYTEST, "tests/logging/loki"),
        frozenset({"logging"}),
        minutes=75,
        needs="tests/logging/loki",
        long=True,
    ),
    Suite(
        "logging-whole",
        "from a line in a file to a line that people find, everything real: nodes and shippers killed, no line lost",
        (*PYTEST, "-s", "tests/logging/whole"),
        frozenset({"logging"}),
        minutes=20,
        needs="tests/logging/whole",
    ),
    Suite(
        "logging-cluster",
        "one node of three is killed while a hundred thousand lines are shipped to them",
        (*PYTEST, "-s", "tests/logging/whole", "-k", "a_node_is_killed"),
        frozenset({"logging"}),
        minutes=20,
        environment={"LOGGING_LINES": "100000"},
        needs="tests/logging/whole",
        long=True,
    ),
    Suite(
        "fleet-alerts",
        "live faults on five hosts: the right message at the right receiver, and when it is over",
        (*PYTEST, "-s", "tests/fleet/test_alerts.py"),
        frozenset({"monitoring"}),
        minutes=75,
        needs="tests/fleet/test_alerts.py",
        long=True,
    ),
    Suite(
        "fleet-logging",
        "a platform with its logs on four hosts: faults with a hundred thousand counted lines each",
        (*PYTEST, "-s", "tests/fleet/test_logging.py"),
        frozenset({"logging"}),
        minutes=75,
        needs="tests/fleet/test_logging.py",
        long=True,
    ),
    Suite(
        "capacity",
        "how much one Prometheus carries: a thousand hosts' worth of series; docs/capacity.md",
        ("python", "-m", "tools.bench", "capacity"),
        frozenset({"monitoring"}),
        minutes=30,
        long=True,
    ),
    Suite(
        "logging-load",
        "lines a second through shipper and Elasticsearch, beside a plain bulk load; docs/logging-load.md",
        ("python", "-m", "tools.bench", "logging"),
        frozenset({"logging"}),
        minutes=15,
        long=True,
    ),
    Suite(
        "charts",
        "the chart rendered by Helm, value by value; kubeconform, conftest, and what each policy refuses",
        (*PYTEST, "tests/charts"),
        frozenset({"kubernetes"}),
        alone=False,
        needs="tests/charts",
        long=True,  # building helm, kubeconform and conftest takes minutes
    ),
    Suite(
        "lab-go",
        "cAdvisor from its Go module: built, the same elsewhere, and as its role starts it",
        (*PYTEST, "tests/programs", "-k", "cadvisor"),
        frozenset({"monitoring"}),
        minutes=60,
        needs="tests/programs",
        long=True,
    ),
    Suite(
        "programs",
        "every program from Go modules: built, and the same elsewhere",
        (*PYTEST, "tests/programs", "-k", "the_same"),
        minutes=180,
        needs="tests/programs",
        long=True,
    ),
    Suite(
        "aws-terraform",
        "the playbook against moto's server: approve, apply, drift, destroy, faults; tflint and checkov",
        (*PYTEST, "-s", *(f"tests/aws/test_aws_{name}.py" for name in ("apply", "playbook", "faults", "lint"))),
        frozenset({"aws"}),
        minutes=45,
        needs="tests/aws",
        long=True,
    ),
    Suite(
        "kubernetes-cluster",
        "a cluster on three hosts: from nothing, again, a node dies, etcd comes back, an application rolls out",
        (*PYTEST, "-s", "tests/kubernetes/cluster"),
        frozenset({"kubernetes"}),
        minutes=120,
        needs="tests/kubernetes/cluster",
        long=True,
    ),
    Suite(
        "kubernetes-simulated",
        "a real API server, controllers, kubeadm and etcd, with simulated pods",
        (*PYTEST, "-s", "tests/kubernetes/simulated"),
        frozenset({"kubernetes"}),
        minutes=120,  # it builds what it needs
        needs="tests/kubernetes/simulated",
        long=True,
    ),
    Suite(
        "up", "the lab and site.yml, as `make up` does", ("python", "-m", "tools.up"), frozenset({"chat"}), minutes=20
    ),
    Suite(
        "lab",
        "end to end: journeys, checks, reboots, on the lab",
        (*PYTEST, "tests/lab"),
        minutes=20,
        needs="tests/lab",
    ),
    Suite(
        "chat-browsers",
        "people at browsers chat through the edge while hosts go and come back",
        (*PYTEST, "tests/chat/test_chat_browsers.py"),
        frozenset({"chat"}),
        minutes=15,
        needs="tests/chat",
    ),
    Suite(
        "chat-images",
        "the chat's images, and the chat alone by Docker Compose",
        (*PYTEST, "tests/chat/test_chat_images.py", "tests/chat/test_chat_alone.py"),
        frozenset({"chat"}),
        minutes=40,
        needs="tests/chat/test_chat_alone.py",
        long=True,
    ),
    Suite(
        "chat-load",
        "the chat under load, beside a bare gunicorn",
        (*PYTEST, "-s", "tests/chat/test_chat_load.py"),
        frozenset({"chat"}),
        minutes=30,
        needs="tests/chat/test_chat_load.py",
        long=True,
    ),
)
SUITES = tuple(suite for suite in CATALOGUE if (REPOSITORY / suite.needs).exists())


class UnknownSuiteError(Exception):
    """A name that no suite and no group has."""


def choose(words: list[str]) -> list[Suite]:
    """The suites that are meant by names, groups or ``test`` (all but the long ones).

    In the catalogue's order, each once.
    """
    known = {suite.name for suite in SUITES} | {group for suite in SUITES for group in suite.groups} | {"test"}
    unknown = [word for word in words if word not in known]
    if unknown:
        raise UnknownSuiteError(f"no suite is called {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    return [
        suite
        for suite in SUITES
        if ("test" in words and not suite.long) or suite.name in words or suite.groups & set(words)
    ]
