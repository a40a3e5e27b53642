"""Reader of dbt projects as data, and refusal of projects that lead out of the repository."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from recce_meta.errors import ConfigurationError
from recce_meta.extractors.sql_project.dbt_project import is_refused_file
from recce_meta.repositories.extraction.dbt.project import (
    DbtProject,
    fetched_packages,
    has_installed_packages,
    install_path,
    read_dbt_project,
    refuse_escapes,
    refuse_outer_folders,
    refuse_package_escapes,
    remove_leaving_links,
)
from recce_meta.repositories.extraction.reading import ReadRequest, command_of, read, read_document
from recce_meta.repositories.options.values import ProfileTarget


def write(folder: Path, files: Mapping[str, object]) -> Path:
    """Write files below *folder*: text as it is, all else as YAML."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return folder


def project(folder: Path, files: Mapping[str, object] | None = None, **settings: object) -> DbtProject:
    """Write a project with *settings* and *files*, and read it."""
    content = {"name": "shop", "profile": "shop", **{key.replace("_", "-"): v for key, v in settings.items()}}
    write(folder, {"dbt_project.yml": content, **(files or {})})
    return read_dbt_project(folder)


def test_facts_of_a_project(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {"packages.yml": {"packages": [{"package": "dbt-labs/dbt_utils", "version": "1.3.0"}]}},
        require_dbt_version=[">=1.8.0", "<2.0.0"],
    )
    assert (found.name, found.profile, found.requires) == ("shop", "shop", (">=1.8.0", "<2.0.0"))
    assert found.packages[0].entry["package"] == "dbt-labs/dbt_utils"
    assert found.lock_file is None
    assert install_path(found, {}) == tmp_path / "dbt_packages"
    assert not has_installed_packages(found, {})


def test_packages_are_those_of_the_first_file_that_has_any(tmp_path: Path) -> None:
    entry = {"git": "https://example.com/x.git", "revision": "v1"}
    found = project(tmp_path, {"packages.yml": "# none\n", "dependencies.yml": {"packages": [entry]}})
    assert [package.urls for package in found.packages] == [{"git": "https://example.com/x.git"}]


def test_the_lock_file_identifies_packages(tmp_path: Path) -> None:
    packages = {"packages": [{"package": "a/b", "version": "1.0.0"}]}
    loose = project(tmp_path, {"packages.yml": packages}).packages_digest
    locked = project(tmp_path, {"packages.yml": packages, "package-lock.yml": packages}).packages_digest
    assert None not in (loose, locked)
    assert loose != locked
    assert project(tmp_path, {"packages.yml": "", "package-lock.yml": ""}).packages_digest is None


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "No dbt_project.yml in "),
        ({"dbt_project.yml": "name: [a\n"}, "is not valid YAML"),
        ({"dbt_project.yml": "profile: a\n"}, "No 'name:' in "),
        (
            {"dbt_project.yml": "name: a\nrequire-dbt-version: {a: 1}\n"},
            "dbt_project.yml:2: require-dbt-version",
        ),
        ({"dbt_project.yml": "name: a\n", "packages.yml": "\npackages: 5\n"}, "packages.yml:2: packages"),
        ({"dbt_project.yml": "name: a\n" + "#" * 5_000_000}, "is larger than 4,194,304 bytes"),
    ],
)
def test_invalid_files_are_named(tmp_path: Path, files: Mapping[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_dbt_project(write(tmp_path, files))
    assert message in raised.value.message


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("packages-install-path", "../victim", "dbt_project.yml:3: packages-install-path leaves the project"),
        ("packages-install-path", ".", "packages-install-path leaves the project"),
        ("packages-install-path", "/tmp/x", "packages-install-path leaves the project"),
        ("packages-install-path", ".git/hooks", "packages-install-path leaves the project"),
        ("modules-path", "../victim", "modules-path leaves the project"),
        ("target-path", "../../x", "target-path leaves the project"),
        ("log-path", "/var/log", "log-path leaves the project"),
        ("clean-targets", ["target", "../x"], "dbt_project.yml:5: clean-targets leaves the project: '../x'"),
        ("model-paths", ["models", "/etc"], "model-paths leaves the repository: '/etc'"),
        ("macro-paths", ["../../macros"], "macro-paths leaves the repository"),
        ("seed-paths", [5], "seed-paths is not a path"),
        ("target-path", "{{ modules.datetime }}", "target-path is a template"),
        ("target-path", "{% if 1 %}../x{% endif %}", "target-path is a template"),
        ("model-paths", "{{ var('x') }}", "model-paths is a template"),
        ("packages-install-path", "{{ env_var('WHERE', '../x') }}", "leaves the project: '../x'"),
        ("packages-install-path", "{{ env_var('WHERE') }}", "needs the environment variable 'WHERE'"),
        ("packages-install-path", "{{ env_var('HOME', 'x') }}", "reads the reserved variable 'HOME'"),
        ("packages-install-path", "a/{{ env_var('EVIL') }}", "leaves the project: 'a/../../x'"),
        ("packages-install-path", "{{ env_var('JINJA') }}", "packages-install-path is a template"),
    ],
)
def test_paths_that_lead_out_are_refused(tmp_path: Path, setting: str, value: object, message: str) -> None:
    text = yaml.safe_dump({"name": "shop", "profile": "a"}) + yaml.safe_dump({setting: value})
    found = read_dbt_project(write(tmp_path / "clone", {"dbt_project.yml": text}))
    with pytest.raises(ConfigurationError) as raised:
        refuse_escapes(tmp_path / "clone", found, {"EVIL": "../../x", "JINJA": "{{ env_var('X') }}"})
    assert message in raised.value.message


def test_paths_inside_are_accepted(tmp_path: Path) -> None:
    folder = tmp_path / "transform"
    write(tmp_path, {"shared/macros/a.sql": "", "shared/dbt_project.yml": {"name": "shared"}})
    found = project(
        folder,
        {"packages.yml": {"packages": [{"local": "../shared"}]}},
        packages_install_path="{{ env_var('WHERE', 'vendor') }}",
        target_path="{{ env_var('DBT_TARGET', 'target') }}",
        clean_targets=["target", "dbt_packages"],
        macro_paths=["macros", "../shared/macros"],
        docs_paths=[],
    )
    refuse_escapes(tmp_path, found, {})
    assert install_path(found, {}) == folder / "vendor"
    assert install_path(found, {"WHERE": "other"}) == folder / "other"


def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    found = project(clone, {"models/a.sql": "select 1"})
    (clone / "models" / "inside.sql").symlink_to("a.sql")
    refuse_escapes(clone, found, {})
    (clone / "models" / "outside.sql").symlink_to("../../secret")
    with pytest.raises(ConfigurationError, match=r"symbolic link models/outside\.sql leaves the repository"):
        refuse_escapes(clone, found, {})


def request_of(clone: Path, folder: str) -> ReadRequest:
    """Return a request to read a project in *clone* without dbt."""
    return ReadRequest(
        output=clone / "project.json",
        folder=clone / folder,
        checkout=clone,
        environment="prod",
        run_id="run",
        sha="a" * 40,
        branch="main",
    )


def test_links_that_lead_out_are_not_read_without_dbt(tmp_path: Path) -> None:
    write(tmp_path, {"secret/secret.sql": "select 'canary' as c"})
    clone = tmp_path / "clone"
    project(clone / "shop", {"models/a.sql": "select 1 as id"})
    models = clone / "shop" / "models"
    (models / "inside.sql").symlink_to("a.sql")
    (models / "outside.sql").symlink_to(tmp_path / "secret" / "secret.sql")
    (models / "folder").symlink_to("../../../secret")
    (models / "circle").symlink_to("circle")

    remove_leaving_links(clone)

    found = read(request_of(clone, "shop"))
    assert {node.name for node in found.nodes} == {"a", "inside"}
    assert (tmp_path / "secret" / "secret.sql").is_file()


def test_the_document_of_a_project_names_the_files_that_dbt_refuses(tmp_path: Path) -> None:
    project(tmp_path, {"models/a.sql": "select 1 as id"})
    (tmp_path / "models" / "late.sql").write_bytes(b"select '\xe9' as id")
    request = request_of(tmp_path, ".")

    subprocess.run(command_of(request, tmp_path / "request.json"), check=True)

    found = read_document(request.output, 10**6)
    (refusal,) = filter(is_refused_file, found.nodes)
    assert refusal.path == "models/late.sql"
    assert "models/late.sql is not UTF-8" in str(found.warnings)


@pytest.mark.parametrize(
    "settings",
    [
        {"model-paths": ["models", "../../secret"]},
        {"source-paths": "../../secret"},
        {"macro-paths": ["/"]},
        {"packages-install-path": "../../secret"},
        {"packages-install-path": "{{ '..' }}/{{ '..' }}"},
        {"modules-path": "/proc"},
    ],
)
@pytest.mark.parametrize("place", [".", "dbt_packages/other"])
def test_outer_folders_are_not_read_without_dbt(
    tmp_path: Path, settings: Mapping[str, object], place: str
) -> None:
    write(tmp_path, {"secret/secret.sql": "select 'canary' as c"})
    clone = tmp_path / "clone"
    project(clone / "shop", {"models/a.sql": "select 1 as id"})
    refuse_outer_folders(clone, {})
    # Far enough from each place; above the top, there is nothing further.
    text = yaml.safe_dump({"name": "other", **settings}).replace("../../secret", "../" * 4 + "secret")
    write(clone / "shop" / place, {"dbt_project.yml": text})

    with pytest.raises(ConfigurationError, match=r"leaves the repository|is a template"):
        read(request_of(clone, "shop"))


def test_folders_of_the_repository_are_read_without_dbt(tmp_path: Path) -> None:
    clone = write(
        tmp_path / "clone", {"shared/b.sql": "select 2 as id", "broken/dbt_project.yml": "{{ a }}: ["}
    )
    project(clone / "shop", {"models/a.sql": "select 1 as id"}, model_paths=["models", "../shared"])

    assert {node.name for node in read(request_of(clone, "shop")).nodes} == {"a", "b"}


def test_the_project_file_is_not_a_link(tmp_path: Path) -> None:
    write(tmp_path, {"secret.yml": "name: a\n"})
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / "dbt_project.yml").symlink_to("../secret.yml")
    with pytest.raises(ConfigurationError, match=r"No dbt_project\.yml"):
        read_dbt_project(tmp_path / "clone")


def test_a_link_does_not_lead_the_install_path_out(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    found = project(clone / "one", packages_install_path="vendor/x")
    (clone / "one" / "vendor").symlink_to("../other")
    with pytest.raises(ConfigurationError, match="packages-install-path leaves the project"):
        install_path(found, {})


@pytest.mark.parametrize(
    ("local", "message"),
    [
        ("../../other", "packages.yml:2: packages.local leaves the repository: '../../other'"),
        ("/etc", "leaves the repository"),
        ("{{ env_var('WHERE') }}", "needs the environment variable 'WHERE'"),
        ("missing", "has no dbt_project.yml: 'missing'"),
        (["a"], "is not a path"),
    ],
)
def test_local_packages_outside_are_refused(tmp_path: Path, local: object, message: str) -> None:
    found = project(tmp_path / "clone", {"packages.yml": {"packages": [{"local": local}]}})
    with pytest.raises(ConfigurationError) as raised:
        refuse_escapes(tmp_path / "clone", found, {})
    assert message in raised.value.message


def test_local_packages_of_local_packages_are_checked(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        {
            "packages.yml": {"packages": [{"local": "a"}]},
            "a/dbt_project.yml": {"name": "a"},
            "a/packages.yml": {"packages": [{"local": "../.."}]},
        },
    )
    with pytest.raises(ConfigurationError, match="leaves the repository"):
        refuse_escapes(tmp_path, found, {})


def test_all_packages_that_files_name_are_found(tmp_path: Path) -> None:
    """`dbt deps` reads the lock file in place of packages.yml, and the packages of local ones."""
    found = project(
        tmp_path,
        {
            "packages.yml": {"packages": [{"local": "a"}, {"git": "https://one"}]},
            "package-lock.yml": {"packages": [{"git": "https://locked"}], "sha1_hash": "0"},
            "a/dbt_project.yml": {"name": "a"},
            "a/packages.yml": {"packages": [{"local": "a/b"}, {"tarball": "https://two", "name": "t"}]},
            "a/b/dbt_project.yml": {"name": "b"},
            "a/b/dependencies.yml": {"packages": [{"git": "https://three", "tarball": "https://four"}]},
        },
    )
    packages = fetched_packages(tmp_path, found, {})
    assert {url for package in packages for url in package.urls.values()} == {
        *("https://one", "https://two", "https://three", "https://four", "https://locked")
    }


def test_settings_of_committed_packages_are_checked(tmp_path: Path) -> None:
    found = project(tmp_path, {"dbt_packages/evil/dbt_project.yml": {"name": "e", "model-paths": ["/etc"]}})
    assert has_installed_packages(found, {})
    with pytest.raises(ConfigurationError, match="model-paths leaves the repository"):
        refuse_escapes(tmp_path, found, {})
    with pytest.raises(ConfigurationError, match="model-paths leaves the repository"):
        refuse_package_escapes(tmp_path / "dbt_packages" / "evil", {})


PROFILES: dict[str, Any] = {
    "shop": {
        "target": "prod",
        "outputs": {
            "dev": {"type": "duckdb", "path": "dev.duckdb"},
            "prod": {"type": "snowflake", "account": "x", "password": "p", "database": "DB", "schema": "S"},
        },
    }
}


OUTPUTS = PROFILES["shop"]["outputs"]
BIGQUERY = {"type": "bigquery", "project": "p", "dataset": "{{ env_var('D') }}"}
SPENDING = {"package": "get-select/dbt_snowflake_monitoring", "version": "1"}
NO_TARGET = ProfileTarget()
GUESSES: list[tuple[Mapping[str, object], str | None, str | None, ProfileTarget]] = [
    ({}, None, None, NO_TARGET),
    (
        {"profiles.yml": PROFILES},
        "snowflake",
        "profiles.yml",
        ProfileTarget(target="prod", schema="S", database="DB"),
    ),
    (
        {"ci/profiles.yml": {"shop": {"outputs": {"ci": {"type": "duckdb", "path": "/a/x.duckdb"}}}}},
        "duckdb",
        "ci/profiles.yml",
        ProfileTarget(target="ci", schema="main", database="x"),
    ),
    (
        {".dbt/profiles.yml": {"shop": {"target": "{{ env_var('T') }}", "outputs": OUTPUTS}}},
        None,
        None,
        NO_TARGET,
    ),
    (
        {"sample.profiles.yml": {"other": {"target": "a", "outputs": {"a": {"type": "postgres"}}}}},
        "postgres",
        "sample.profiles.yml",
        ProfileTarget(target="a"),
    ),
    (
        {"profiles.yml": {"shop": {"target": "a", "outputs": {"a": BIGQUERY}}}},
        "bigquery",
        "profiles.yml",
        ProfileTarget(target="a", database="p"),
    ),
    (
        {"profiles.yml": {"shop": {"outputs": {"a": {"type": "duckdb", "path": "{{ env_var('FILE') }}"}}}}},
        "duckdb",
        "profiles.yml",
        ProfileTarget(target="a", schema="main"),
    ),
    (
        {"profiles.yml": {"shop": {"outputs": {"a": {"type": "materialize", "dbname": "d", "schema": "s"}}}}},
        "materialize",
        "profiles.yml",
        ProfileTarget(target="a", database="d", schema="s"),
    ),
    ({"profiles.yml": "{{ broken"}, None, None, NO_TARGET),
    ({"requirements.txt": "dbt-core==1.9.1\ndbt-redshift~=1.9\n"}, "redshift", "requirements", NO_TARGET),
    ({"requirements.txt": "dbt-postgres\ndbt-snowflake\n"}, None, None, NO_TARGET),
    ({"pyproject.toml": "needs = ['dbt-databricks>=1.9']"}, "databricks", "requirements", NO_TARGET),
    ({"packages.yml": {"packages": [SPENDING]}}, "snowflake", "packages", NO_TARGET),
]


@pytest.mark.parametrize(("files", "adapter", "source", "target"), GUESSES)
def test_the_adapter_is_found_in_the_repository(
    tmp_path: Path,
    files: Mapping[str, object],
    adapter: str | None,
    source: str | None,
    target: ProfileTarget,
) -> None:
    guess = project(tmp_path, files).guess
    assert (guess.adapter, guess.source, guess.target) == (adapter, source, target)


def test_the_adapter_is_found_in_configurations_and_above_the_project(tmp_path: Path) -> None:
    models = {"shop": {"marts": {"+snowflake_warehouse": "BIG"}}}
    assert project(tmp_path / "a", models=models).guess.adapter == "snowflake"
    write(tmp_path, {"requirements.txt": "dbt-bigquery\n"})
    found = project(tmp_path / "b")
    assert read_dbt_project(found.folder, clone=tmp_path).guess.adapter == "bigquery"
