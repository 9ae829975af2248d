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
    """``name`` is the artifact's and the folder's; the artifact has the version at which go.mod requires ``module``.

    ``programs``: name → package, as `go build` takes it. ``stamps``: variables that upstream's releases have set when
    they are linked; ``{version}``, ``{major}`` and ``{minor}`` are the artifact's. ``minutes``: it takes no longer on a
    busy machine with nothing cached.
    """

    name: str
    module: str
    programs: Mapping[str, str]
    stamps: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    minutes: float = 30


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
    path = folder / recipe.name / "go.mod"
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
    root = folder / recipe.name
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
