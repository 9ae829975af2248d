"""Recipes: sound, and one digest stands for all that they depend on."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lab import artifacts
from lab.errors import LabError
from lab.recipes import FOLDER, RECIPES, Recipe, find, linker_flags, read_mod, recipe_digest, version_of

HASH = "h1:" + "A" * 43 + "="
RECIPE = Recipe("tool", "a.example/tool", {"tool": "a.example/tool/cmd"})
MOD = "module lab/tool\ngo 1.24.0\ntoolchain go1.26.8\nrequire a.example/tool v1.2.3\n"
SUM = f"a.example/tool v1.2.3 {HASH}\na.example/tool v1.2.3/go.mod {HASH}\n"


def written(folder: Path, mod: str = MOD, sums: str = SUM) -> Path:
    (folder / "tool").mkdir()
    (folder / "tool" / "go.mod").write_text(mod)
    (folder / "tool" / "go.sum").write_text(sums)
    return folder


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_the_recipes_here_are_sound(recipe: Recipe) -> None:
    mod = read_mod(recipe)
    assert version_of(recipe, mod)[0].isdigit()
    assert recipe.programs
    for package in recipe.programs.values():
        if package.startswith("."):
            assert list((FOLDER / recipe.folder / package).glob("*.go"))


def test_each_has_a_folder_and_a_name_of_its_own() -> None:
    names = [recipe.name for recipe in RECIPES]
    assert len(set(names)) == len(names)
    assert {recipe.folder for recipe in RECIPES} == {path.name for path in FOLDER.iterdir() if path.is_dir()}
    assert not set(names) & {artifact.name for artifact in artifacts.ARTIFACTS}
    assert [find(name).name for name in names] == names


def test_an_unknown_name_is_said_with_those_that_there_are() -> None:
    with pytest.raises(LabError, match=r"no program is called cadviser; built from Go modules are: .*cadvisor"):
        find("cadviser")


@pytest.mark.parametrize(
    ("mod", "sums", "message"),
    [
        (MOD.replace("require a", "require b"), SUM.replace("a.ex", "b.ex"), "does not require a.example/tool, which"),
        (MOD.replace("toolchain go1.26.8\n", ""), SUM, "tool/go.mod: has no line `toolchain`"),
        (MOD, "", "tool/go.sum: lacks a.example/tool@v1.2.3"),
        (MOD.replace("v1.2.3", "v1.2.4"), SUM, "tool/go.sum: lacks a.example/tool@v1.2.4"),
        (f"{MOD}replace x => ../x\n", SUM, "x is replaced by ../x, a folder that is not the recipe's"),
        (f"{MOD}replace x => /x\n", SUM, "x is replaced by /x, a folder"),
    ],
)
def test_what_is_not_sound_is_refused(tmp_path: Path, mod: str, sums: str, message: str) -> None:
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
    assert read_mod(RECIPE, written(tmp_path / "good"))
    with pytest.raises(LabError) as error:
        read_mod(RECIPE, written(tmp_path / "bad", mod, sums))
    assert message in error.value.problem
    assert "go mod tidy" in error.value.remedy


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"there is no .*tool/go\.mod"):
        read_mod(RECIPE, tmp_path)


@pytest.mark.parametrize(
    ("edit", "version"),
    [
        (("", ""), "1.2.3"),
        (("v1.2.3", "v28.0.1+incompatible"), "28.0.1"),
        (("require", "replace a.example/tool => b.example/tool v9.0.0\nrequire"), "9.0.0"),
        (("require", "replace a.example/tool => ./tool\nrequire"), "1.2.3"),
    ],
)
def test_the_version_is_go_mods(tmp_path: Path, edit: tuple[str, str], version: str) -> None:
    pins = [("a", "v1.2.3"), ("a", "v28.0.1+incompatible"), ("b", "v9.0.0")]
    sums = "".join(f"{name}.example/tool {at}{end} {HASH}\n" for name, at in pins for end in ("", "/go.mod"))
    mod = read_mod(RECIPE, written(tmp_path, MOD.replace(*edit), sums))
    assert version_of(RECIPE, mod) == version


def test_stamps_are_filled_in() -> None:
    stamps = {"k8s.io/version.gitVersion": "v{version}", "k8s.io/version.gitMajor": "{major}", "a.Minor": "{minor}"}
    flags = linker_flags(replace(RECIPE, stamps=stamps), "1.34.4")
    assert flags == "-s -w -X=a.Minor=34 -X=k8s.io/version.gitMajor=1 -X=k8s.io/version.gitVersion=v1.34.4"


def test_all_that_decides_what_is_built_is_in_the_digest(tmp_path: Path) -> None:
    folder = written(tmp_path)
    first = recipe_digest(RECIPE, folder)
    assert first == recipe_digest(replace(RECIPE, minutes=1), folder)
    for changed in (
        replace(RECIPE, tags=("netgo",)),
        replace(RECIPE, stamps={"a": "b"}),
        replace(RECIPE, programs={"tool": "."}),
    ):
        assert recipe_digest(changed, folder) != first
    for path in ("go.mod", "go.sum", "main.go"):
        other = tmp_path / f"with-{path}"
        shutil.copytree(folder / "tool", other / "tool")
        with (other / "tool" / path).open("a") as stream:
            stream.write("\n")
        assert recipe_digest(RECIPE, other) != first
