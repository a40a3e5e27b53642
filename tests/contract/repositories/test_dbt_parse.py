"""`dbt deps` and `dbt parse` of real projects, in environments that uv builds, against plain dbt."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import Struct

from recce_meta.repositories.extraction.dbt.commands import (
    DbtCommand,
    InstalledDbt,
    PackageAccess,
    deps_command,
    parse_command,
)
from recce_meta.repositories.extraction.dbt.outcome import (
    DbtFailed,
    check_completed,
    take_manifest,
)
from recce_meta.repositories.extraction.dbt.packages import (
    collect_packages,
    needs_deps,
    packages_key,
    place_packages,
    prepare_deps,
)
from recce_meta.repositories.extraction.dbt.profile import write_profile
from recce_meta.repositories.extraction.dbt.project import read_dbt_project, refuse_escapes
from recce_meta.repositories.options.values import ProfileTarget
from recce_meta.repositories.processes import Completed, run_process
from recce_meta.repositories.state.types import DbtFailure
from tests.support.dbt_environments import dbt_environment

pytestmark = pytest.mark.network

MODELS = {
    "models/a.sql": "select 1 as id, '{{ target.name }}' as name",
    "models/marts/b.sql": "select id from {{ ref('a') }} join {{ source('raw', 'orders') }} using (id)",
    "models/c.sql": "{% if target.type == 'snowflake' %}select * from {{ ref('a') }}"
    "{% else %}select * from {{ ref('b') }}{% endif %}",
    "models/schema.yml": yaml.safe_dump(
        {
            "version": 2,
            "sources": [{"name": "raw", "tables": [{"name": "orders"}]}],
            "models": [{"name": "a", "columns": [{"name": "id", "data_tests": ["unique"]}]}],
        }
    ),
    "seeds/s.csv": "id\n1\n",
    "macros/m.sql": "{% macro generate_schema_name(name, node) %}{{ target.name }}"
    "{{ '_' ~ name if name else '' }}{% endmacro %}",
}
PACKAGE = {
    "shared/dbt_project.yml": "name: shared\nversion: '1.0'\nconfig-version: 2\n",
    "shared/models/d.sql": "select 1 as id",
    "transform/packages.yml": "packages: [{local: ../shared}]\n",
}


class Clone(Struct, frozen=True):
    """A repository with a project in a subdirectory, and the folder of a job."""

    folder: Path
    work: Path

    @property
    def project(self) -> Path:
        """Folder of dbt_project.yml."""
        return self.folder / "transform"

    def parse(
        self,
        dbt: InstalledDbt,
        target: ProfileTarget,
        *,
        name: str = "out",
        variables: Mapping[str, str] | None = None,
        has_deps: bool = True,
    ) -> tuple[Mapping[str, Any], Completed]:
        """Return the manifest that `dbt parse` writes with our profile, and how it ran."""
        given = variables or {}
        project = read_dbt_project(self.project, clone=self.folder)
        refuse_escapes(self.folder, project, given)
        profile = write_profile(self.work / "profile", project.profile or "", dbt.adapter, target)
        if has_deps and needs_deps(project, given):
            out = self.work / "deps"
            folder = prepare_deps(project, self.folder, out, given)
            access = PackageAccess(git_config=Path(os.devnull))
            ran = deps_command(dbt, folder, profile, out, variables=given, access=access)
            check_completed(run(ran), ran)
            key = packages_key(project, dbt, given)
            place_packages(collect_packages(out, folder, self.work / "kept", key, given), project, given)
        command = parse_command(dbt, project, self.folder, profile, self.work / name, variables=given)
        completed = run(command)
        check_completed(completed, command)
        return json.loads(take_manifest(command, self.work / "taken").path.read_bytes()), completed

    def parse_plainly(self, dbt: InstalledDbt, output: Mapping[str, object]) -> Mapping[str, Any]:
        """Return the manifest that dbt writes by itself with the profile of a user."""
        project = self.work / "plain"
        shutil.copytree(self.project, project)
        profile = {"shop": {"target": "prod", "outputs": {"prod": output}}}
        (project / "profiles.yml").write_text(yaml.safe_dump(profile))
        environ = {"PATH": os.defpath, "HOME": str(self.work), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        ran = subprocess.run(
            [*dbt.argv, "parse"], cwd=project, env=environ, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        manifest: Mapping[str, Any] = json.loads((project / "target" / "manifest.json").read_bytes())
        return manifest


def run(command: DbtCommand) -> Completed:
    """Run a command of dbt without a sandbox."""
    return asyncio.run(run_process(command.argv, env=command.env, cwd=command.cwd, limits=command.limits))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "clone", tmp_path / "job")
    made.work.mkdir()
    settings = {
        "name": "shop", "version": "1.0", "config-version": 2, "profile": "shop",
        "models": {"shop": {"+materialized": "table", "marts": {"+schema": "marts"}}},
    }  # fmt: skip
    files = {"dbt_project.yml": yaml.safe_dump(settings), **MODELS}
    write(made.folder, {f"transform/{name}": text for name, text in files.items()})
    return made


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write *files* below *folder*."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def named(manifest: Mapping[str, Any]) -> dict[str, object]:
    """Return what names and connects the nodes of a manifest."""
    nodes = {**manifest["nodes"], **manifest["sources"]}
    return {
        unique_id: (
            node.get("relation_name"), node["schema"], node["database"], node["path"],
            node.get("depends_on", {}).get("nodes"), node["config"].get("materialized"),
        )
        for unique_id, node in nodes.items()
    }  # fmt: skip


TARGET = ProfileTarget(target="prod", schema="shop", database="lake")
SNOWFLAKE = {
    "type": "snowflake", "account": "a", "user": "u", "password": "p", "database": "lake", "schema": "shop",
    "warehouse": "w",
}  # fmt: skip


def test_packages_and_names_are_those_of_plain_dbt(clone: Clone) -> None:
    dbt = dbt_environment("1.12", "duckdb").dbt
    write(clone.folder, PACKAGE)
    ours, _ = clone.parse(dbt, TARGET)
    assert "model.shared.d" in ours["nodes"]
    assert ours["nodes"]["model.shop.b"]["relation_name"] == '"lake"."prod_marts"."b"'
    assert not (clone.project / "target").exists()
    assert not (clone.project / "logs").exists()
    output = {"type": "duckdb", "path": "lake.duckdb", "schema": "shop"}
    assert named(ours) == named(clone.parse_plainly(dbt, output))


@pytest.mark.parametrize("minor", ["1.11", "2.0"])
def test_dummy_credentials_give_the_names_of_real_ones(clone: Clone, minor: str) -> None:
    dbt = dbt_environment(minor, "snowflake").dbt
    ours, _ = clone.parse(dbt, TARGET)
    assert ours["metadata"]["adapter_type"] == "snowflake"
    assert ours["nodes"]["model.shop.b"]["relation_name"] == "lake.prod_marts.b"
    assert ours["nodes"]["model.shop.c"]["depends_on"]["nodes"] == ["model.shop.a"]
    assert named(ours) == named(clone.parse_plainly(dbt, SNOWFLAKE))


def test_the_workers_environment_stays_out(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    dbt = dbt_environment("1.12", "duckdb").dbt
    monkeypatch.setenv("APP_TOKEN", "canary")
    (clone.work / ".env").write_text("DOT_TOKEN=canary\n")
    (clone.project / ".env").write_text("OWN_TOKEN=canary\n")
    names = ("APP_TOKEN", "DOT_TOKEN", "OWN_TOKEN")
    shown = " ~ ".join(f"env_var('{name}', 'none')" for name in names)
    model = clone.project / "models" / "a.sql"
    model.write_text(f"{{% do log({shown}, true) %}} select '{{{{ {shown} }}}}' as id")
    first, ran = clone.parse(dbt, TARGET, name="first")
    assert "canary" not in ran.output + json.dumps(first)
    assert not [path for path in (clone.work / "first").rglob("*.log") if "canary" in path.read_text()]


@pytest.mark.parametrize("minor", ["1.12", "2.0"])
def test_failures_of_real_dbt(clone: Clone, minor: str) -> None:
    dbt = dbt_environment(minor, "duckdb").dbt
    model = clone.project / "models" / "a.sql"
    model.write_text("select {{ env_var('SHOP_LIMIT') }} as id")
    with pytest.raises(DbtFailed) as raised:
        clone.parse(dbt, TARGET)
    assert raised.value.failure is DbtFailure.VARIABLE
    assert raised.value.hint == "set SHOP_LIMIT in the variables of the connection"

    model.write_text("select {% if %}")
    with pytest.raises(DbtFailed) as raised:
        clone.parse(dbt, TARGET, name="broken", variables={"SHOP_LIMIT": "5"})
    assert raised.value.failure is DbtFailure.COMPILATION
    assert "models/a.sql" in (raised.value.hint or "")


def test_a_missing_package_and_a_refused_version(clone: Clone) -> None:
    dbt = dbt_environment("1.12", "duckdb").dbt
    write(clone.folder, PACKAGE)
    with pytest.raises(DbtFailed) as raised:
        clone.parse(dbt, TARGET, has_deps=False)
    assert raised.value.failure is DbtFailure.PACKAGE

    settings = PACKAGE["shared/dbt_project.yml"] + "require-dbt-version: '<1.1.0'\n"
    write(clone.project, {"dbt_packages/shared/dbt_project.yml": settings})
    with pytest.raises(DbtFailed) as raised:
        clone.parse(dbt, TARGET, name="refused")
    assert raised.value.failure is DbtFailure.VERSION
    assert "'shared'" in raised.value.message
