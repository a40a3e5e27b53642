"""dbt_project.yml, as far as templates need it: variables and dispatch, in dbt's order."""

from __future__ import annotations

from pathlib import Path

import pytest

from recce_meta.errors import ConfigurationError
from recce_meta.profiles import read_project_settings

ROOT = """
name: shop
vars:
  everywhere: from the project
  day: 2024-01-01
  shop: {mine: for the project}
  crm: {scoped: for the package}
dispatch:
  - macro_namespace: dbt_utils
    search_order: [shop, dbt_utils]
"""
PACKAGE = """
name: crm
vars:
  everywhere: from the package
  scoped: of the package
  own: only the package says
  crm: {own_scoped: of the package, for itself}
"""


def project(folder: Path, text: str = ROOT, **packages: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dbt_project.yml").write_text(text, encoding="utf-8")
    for place, content in packages.items():
        target = folder / place.replace("__", "/")
        target.mkdir(parents=True)
        (target / "dbt_project.yml").write_text(content, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "package", "value"),
    [
        ("everywhere", "shop", "from the project"),
        ("everywhere", "crm", "from the project"),
        ("mine", "shop", "for the project"),
        ("mine", "crm", None),
        ("scoped", "crm", "for the package"),
        ("scoped", "shop", None),
        ("own", "crm", "only the package says"),
        ("own", "shop", None),
        ("own_scoped", "crm", "of the package"),
        ("own", "another", None),
        ("own", None, None),
    ],
)
def test_the_project_wins_over_the_package_and_the_narrower_over_the_wider(
    tmp_path: Path, name: str, package: str | None, value: object
) -> None:
    settings = read_project_settings(project(tmp_path, dbt_packages__any_folder=PACKAGE))

    assert settings.variable(name, package) == value


def test_dispatch_says_where_macros_are_looked_for(tmp_path: Path) -> None:
    settings = read_project_settings(project(tmp_path))

    assert settings.name == "shop"
    assert settings.search_orders == {"dbt_utils": ("shop", "dbt_utils")}


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("", "dbt_modules/crm"),
        ("packages-install-path: lib", "lib/crm"),
        ("modules-path: old", "old/crm"),
        ("packages-install-path: \"{{ env_var('PLACE', 'lib') }}\"", "elsewhere/crm"),
    ],
)
def test_packages_are_read_where_dbt_installs_them(tmp_path: Path, setting: str, place: str) -> None:
    folder = project(tmp_path, f"name: shop\n{setting}\n", **{place.replace("/", "__"): PACKAGE})

    settings = read_project_settings(folder, environment={"PLACE": "elsewhere"})

    assert settings.variable("own", "crm") == "only the package says"


def test_variables_may_lie_in_a_file_of_their_own(tmp_path: Path) -> None:
    folder = project(tmp_path, "name: shop\n")
    (folder / "vars.yml").write_text("vars:\n  day: 2\n", encoding="utf-8")

    assert read_project_settings(folder).variable("day", "shop") == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\n", "No 'name:' in"),
        ("name: shop\nvars: [a]\n", "'vars:' in"),
        ("name: shop\ndispatch: [dbt_utils]\n", "'dispatch:' in"),
        ("name: shop\ndispatch:\n- search_order: [a]\n", "'dispatch:' in"),
        ("name: [\n", "is not valid YAML"),
    ],
)
def test_what_dbt_does_not_take_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_project_settings(project(tmp_path, text))
