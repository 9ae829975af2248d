"""Programs that the lab builds from Go modules, because no Debian package has them: what to build, as data.

``lab/go/NAME`` holds a recipe's go.mod and go.sum, which pin the compiler and every byte of source. How it is built
stands in `lab.gobuild`, where it goes to in `lab.programs`; lab/go/README.md says how to add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lab import REPOSITORY
from lab.errors import LabError
from lab.gomod import GoMod, parse_mod, parse_sum, unpinned
from lab.runtime import digest_of, stable_json

FOLDER = REPOSITORY / "lab" / "go"


@dataclass(frozen=True)
class Recipe:
    """``name`` is the artifact's, and the folder's where ``sources`` names no other; the artifact has the version at
    which go.mod requires ``module``.

    ``programs``: name → package, as `go build` takes it. ``stamps``: variables that upstream's releases have set when
    they are linked; ``{version}``, ``{major}`` and ``{minor}`` are the artifact's. ``minutes``: it takes no longer on a
    busy machine with nothing cached. ``c``: a part of it is in C, which this machine's compiler translates.
    """

    name: str
    module: str
    programs: Mapping[str, str]
    stamps: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    minutes: float = 30
    sources: str = ""
    c: bool = False

    @property
    def folder(self) -> str:
        return self.sources or self.name


# Clients and servers compare these; one without them is 0.0, and is refused as too old.
KUBERNETES_STAMPS = {
    "k8s.io/component-base/version.gitVersion": "v{version}",
    "k8s.io/component-base/version.gitMajor": "{major}",
    "k8s.io/component-base/version.gitMinor": "{minor}",
    "k8s.io/component-base/version.gitTreeState": "clean",
}


def kubernetes(name: str, *programs: str, **own: str) -> Recipe:
    """Programs of Kubernetes by their names; ``own`` are the lab's, by their folder."""
    packages = {program: f"k8s.io/kubernetes/cmd/{program}" for program in programs}
    made = {**packages, **own}
    return Recipe(name, "k8s.io/kubernetes", made, KUBERNETES_STAMPS, minutes=90, sources="kubernetes")


CNI_PLUGINS = {
    "ipam": ("host-local",),
    "main": ("bridge", "loopback", "ptp"),
    "meta": ("bandwidth", "firewall", "portmap", "tuning"),
}

RECIPES = (
    Recipe(
        "cadvisor",
        "github.com/google/cadvisor",
        {"cadvisor": "."},
        {
            "github.com/google/cadvisor/version.Version": "v{version}",
            "github.com/google/cadvisor/version.Revision": "lab",
        },
    ),
    Recipe(
        "loki",
        "github.com/grafana/loki/v3",
        {"loki": "github.com/grafana/loki/v3/cmd/loki"},
        {"github.com/grafana/loki/v3/pkg/util/build.Version": "{version}"},
        minutes=60,
    ),
    # Looks for secrets in this repository: for tests, not for hosts.
    Recipe(
        "gitleaks",
        "github.com/zricethezav/gitleaks/v8",
        {"gitleaks": "github.com/zricethezav/gitleaks/v8"},
        {"github.com/zricethezav/gitleaks/v8/version.Version": "{version}"},
    ),
    Recipe("tflint", "github.com/terraform-linters/tflint", {"tflint": "github.com/terraform-linters/tflint"}),
    # A cluster. Each program that hosts have is an artifact of its own, as upstream has them; the others become images.
    kubernetes("kubeadm", "kubeadm"),
    kubernetes("kubectl", "kubectl"),
    kubernetes("kubelet", "kubelet"),
    kubernetes(
        "kubernetes",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        pause="./pause",
    ),
    Recipe(
        "etcd",
        "go.etcd.io/etcd/server/v3",
        {
            "etcd": "go.etcd.io/etcd/server/v3",
            "etcdctl": "go.etcd.io/etcd/etcdctl/v3",
            "etcdutl": "go.etcd.io/etcd/etcdutl/v3",
        },
    ),
    Recipe("coredns", "github.com/coredns/coredns", {"coredns": "github.com/coredns/coredns"}),
    Recipe(
        "cni_plugins",
        "github.com/containernetworking/plugins",
        {
            name: f"github.com/containernetworking/plugins/plugins/{kind}/{name}"
            for kind, names in CNI_PLUGINS.items()
            for name in names
        },
    ),
    Recipe(
        "flannel",
        "github.com/flannel-io/flannel",
        {"flanneld": "github.com/flannel-io/flannel"},
        {"github.com/flannel-io/flannel/pkg/version.Version": "v{version}"},
        c=True,
    ),
    # The last version that has it; upstream's own is in no proxy.
    Recipe(
        "flannel_cni",
        "github.com/containernetworking/plugins",
        {"flannel": "github.com/containernetworking/plugins/plugins/meta/flannel"},
    ),
    Recipe(
        "metrics_server",
        "sigs.k8s.io/metrics-server",
        {"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"},
    ),
    Recipe(
        "local_path_provisioner",
        "github.com/rancher/local-path-provisioner",
        {"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
        {"main.VERSION": "v{version}"},
    ),
    Recipe("traefik", "github.com/traefik/traefik/v3", {"traefik": "github.com/traefik/traefik/v3/cmd/traefik"}),
    # The last whose programs are in the module that the proxy has.
    Recipe(
        "cert_manager",
        "github.com/cert-manager/cert-manager",
        {
            f"cert-manager-{name}": f"github.com/cert-manager/cert-manager/cmd/{name}"
            for name in ("acmesolver", "cainjector", "controller", "webhook")
        },
        {"github.com/cert-manager/cert-manager/pkg/util.AppVersion": "v{version}"},
    ),
    # For tests: an authority for certificates, and pods that nothing runs.
    Recipe(
        "pebble",
        "github.com/letsencrypt/pebble/v2",
        {name: f"github.com/letsencrypt/pebble/v2/cmd/{name}" for name in ("pebble", "pebble-challtestsrv")},
    ),
    Recipe("kwok", "sigs.k8s.io/kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}),
    # What judges charts: for tests, not for hosts.
    Recipe(
        "helm",
        "helm.sh/helm/v3",
        {"helm": "helm.sh/helm/v3/cmd/helm"},
        {
            "helm.sh/helm/v3/internal/version.version": "v{version}",
            # The Kubernetes that it renders for where nobody says: that of k8s.io/client-go in its go.mod.
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": "1",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": "37",
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": "1",
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": "37",
        },
    ),
    Recipe(
        "kubeconform",
        "github.com/yannh/kubeconform",
        {"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"},
        {"main.version": "v{version}"},
    ),
    Recipe(
        "conftest",
        "github.com/open-policy-agent/conftest",
        {"conftest": "github.com/open-policy-agent/conftest"},
        {"github.com/open-policy-agent/conftest/internal/version.Version": "{version}"},
    ),
)


def find(name: str) -> Recipe:
    for recipe in RECIPES:
        if recipe.name == name:
            return recipe
    names = ", ".join(recipe.name for recipe in RECIPES)
    raise LabError(f"no program is called {name}; built from Go modules are: {names}", "lab/recipes.py has the list")


def read_mod(recipe: Recipe, folder: Path = FOLDER) -> GoMod:
    """The recipe's go.mod, sound: its compiler and each of its requirements are pinned."""
    path = folder / recipe.folder / "go.mod"
    mod = parse_mod(_read(path), _shown(path))
    found = _problems(recipe, mod, path)
    if found:
        raise LabError("\n".join(found), f"correct it, and run `go mod tidy` in {_shown(path.parent)}")
    return mod


def _problems(recipe: Recipe, mod: GoMod, path: Path) -> list[str]:
    found = []
    if recipe.module not in mod.requires:
        found.append(f"{_shown(path)}: does not require {recipe.module}, which gives {recipe.name} its version")
    if not mod.toolchain:
        found.append(f"{_shown(path)}: has no line `toolchain`: other compilers give other bytes")
    found += [
        f"{_shown(path)}: {old} is replaced by {new}, a folder that is not the recipe's"
        for old, new in mod.replaces.items()
        if not new.version and (new.path.startswith("/") or ".." in Path(new.path).parts)
    ]
    sums = path.with_name("go.sum")
    pinned = parse_sum(_read(sums), _shown(sums))
    return found + [f"{_shown(sums)}: lacks {module}" for module in unpinned(mod, pinned)]


def version_of(recipe: Recipe, mod: GoMod) -> str:
    """``v1.34.4`` → ``1.34.4``, of what the module is replaced by where it is."""
    version = mod.effective(recipe.module).version or mod.requires[recipe.module]
    return version.removeprefix("v").partition("+")[0]


def linker_flags(recipe: Recipe, version: str) -> str:
    """Without symbol tables, as upstreams' releases are, and with the stamps."""
    major, minor, *_ = [*version.split("."), ""]
    values = {name: text.format(version=version, major=major, minor=minor) for name, text in recipe.stamps.items()}
    return " ".join(["-s", "-w", *(f"-X={name}={values[name]}" for name in sorted(values))])


def recipe_digest(recipe: Recipe, folder: Path = FOLDER) -> str:
    """Stands for everything that decides what is built; a change makes it anew."""
    root = folder / recipe.folder
    files = {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    row = {**asdict(recipe), "minutes": 0}  # decides nothing
    return digest_of(stable_json(row), *(part for item in files.items() for part in item), "build 1")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LabError(f"there is no {_shown(path)}", "lab/go/README.md says how a recipe is made") from None


def _shown(path: Path) -> str:
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)
