"""Packages of dbt projects: the folder that `dbt deps` runs in, and what is taken from it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from recce_meta.errors import ConfigurationError
from recce_meta.repositories.extraction.dbt.commands import InstalledDbt
from recce_meta.repositories.extraction.dbt.packages import (
    collect_packages,
    find_packages,
    needs_deps,
    packages_key,
    place_packages,
    prepare_deps,
)
from recce_meta.repositories.extraction.dbt.project import DbtProject, read_dbt_project

DBT = InstalledDbt(argv=(), minor="1.11", version="1.11.2", adapter="duckdb", adapter_version="1")
HUB = "packages: [{package: dbt-labs/dbt_utils, version: 1.3.0}]\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("_yml", ".yml")).parent.mkdir(parents=True, exist_ok=True)
        (folder / name.replace("_yml", ".yml")).write_text(text)
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> DbtProject:
    folder = tmp_path / "clone" / "transform"
    write(folder, dbt_project_yml="name: shop\nprofile: own\nclean-targets: [x]\n", packages_yml=HUB)
    return read_dbt_project(folder, clone=tmp_path / "clone")


def test_deps_sees_only_the_files_that_name_packages(tmp_path: Path, shop: DbtProject) -> None:
    write(shop.folder, secret="x", package_lock="x")
    write(shop.folder.parent / "shared", dbt_project_yml="name: shared\n")
    write(shop.folder, packages_yml="packages: [{local: ../shared}]\n")
    project = read_dbt_project(shop.folder, clone=shop.folder.parent)
    folder = prepare_deps(project, shop.folder.parent, tmp_path / "out", {})
    assert folder == tmp_path / "out" / "project" / "transform"
    assert sorted(path.name for path in folder.iterdir()) == ["dbt_project.yml", "packages.yml"]
    assert "clean-targets" not in (folder / "dbt_project.yml").read_text()
    assert (folder / ".." / "shared" / "dbt_project.yml").is_file()
    assert packages_key(project, DBT, {}) is None


def test_packages_are_kept_and_placed(tmp_path: Path, shop: DbtProject) -> None:
    out, kept = tmp_path / "out", tmp_path / "kept"
    folder = prepare_deps(shop, shop.folder.parent, out, {})
    write(folder / "dbt_packages" / "dbt_utils", dbt_project_yml="name: dbt_utils\n")
    write(folder / "dbt_packages" / "dbt_utils" / ".git", config="token")
    write(folder, **{"package-lock_yml": "sha1_hash: new\n"})
    key = packages_key(shop, DBT, {}) or ""
    assert needs_deps(shop, {})
    found = collect_packages(out, folder, kept, key, {})
    assert find_packages(kept, key, shop) == found
    place_packages(found, shop, {})
    assert not needs_deps(shop, {})
    placed = shop.folder / "dbt_packages" / "dbt_utils"
    assert [path.name for path in placed.iterdir()] == ["dbt_project.yml"]
    assert (shop.folder / "package-lock.yml").read_text() == "sha1_hash: new\n"
    assert [path.name for path in placed.parent.iterdir()] == ["dbt_utils"]

    os.utime(found, (0, 0))
    assert find_packages(kept, key, shop) is None, "without a lock file they are resolved again"
    write(shop.folder, **{"package-lock_yml": "packages: []\n"})
    locked = read_dbt_project(shop.folder)
    assert find_packages(kept, key, locked) == found
    assert packages_key(locked, DBT, {}) != key


def test_packages_are_kept_for_a_few_sets(tmp_path: Path, shop: DbtProject) -> None:
    kept = tmp_path / "kept"
    for number in range(10):
        out = tmp_path / f"out{number}"
        collect_packages(out, prepare_deps(shop, shop.folder.parent, out, {}), kept, f"key{number}", {})
        os.utime(kept / f"key{number}", (number, number))
    assert len(list(kept.iterdir())) == 8
    assert (kept / "key9").is_dir()


def test_packages_that_another_branch_removes_are_not_placed(
    tmp_path: Path, shop: DbtProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, copytree = tmp_path / "kept", shutil.copytree
    out = tmp_path / "out"
    folder = prepare_deps(shop, shop.folder.parent, out, {})
    write(folder / "dbt_packages" / "dbt_utils", dbt_project_yml="name: dbt_utils\n")
    found = collect_packages(out, folder, kept, "key", {})
    assert place_packages(found, shop, {})

    def copy_beside_another_branch(source: Path, place: Path, **options: bool) -> None:
        monkeypatch.setattr(shutil, "copytree", copytree)
        copytree(source, place, **options)
        collect_packages(out, folder, kept, "key", {})

    monkeypatch.setattr(shutil, "copytree", copy_beside_another_branch)
    assert not place_packages(found, shop, {}), "it may be a mixture of two sets"
    shutil.rmtree(found)
    assert not place_packages(found, shop, {})
    assert find_packages(kept, "key", shop) is None


def test_packages_of_a_lock_file_are_as_old_as_their_last_use(tmp_path: Path, shop: DbtProject) -> None:
    write(shop.folder, **{"package-lock_yml": "packages: []\n"})
    used = tmp_path / "kept" / "key"
    used.mkdir(parents=True)
    os.utime(used, (0, 0))
    assert find_packages(used.parent, "key", read_dbt_project(shop.folder)) == used
    assert used.stat().st_mtime > 0


@pytest.mark.parametrize("kind", ["package", "file", "setting"])
def test_packages_that_lead_out_are_refused(tmp_path: Path, shop: DbtProject, kind: str) -> None:
    out = tmp_path / "out"
    write(tmp_path / "victim", dbt_project_yml="name: victim\n")
    folder = prepare_deps(shop, shop.folder.parent, out, {})
    packages = folder / "dbt_packages"
    if kind == "package":
        packages.mkdir()
        (packages / "evil").symlink_to(tmp_path / "victim")
    else:
        paths = "[/etc]" if kind == "setting" else "[models]"
        write(packages / "evil", dbt_project_yml=f"name: evil\nmodel-paths: {paths}\n")
    if kind == "file":
        (packages / "evil" / "a.sql").symlink_to(tmp_path / "victim" / "dbt_project.yml")
    with pytest.raises(ConfigurationError, match="leaves the repository"):
        collect_packages(out, folder, tmp_path / "kept", "key", {})
    assert list((tmp_path / "kept").iterdir()) == []
