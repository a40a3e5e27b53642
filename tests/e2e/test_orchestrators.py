"""The examples for orchestrators, in environments of their own, with dbt on DuckDB."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from recce_meta import UnifiedSqlAdapter, list_runs
from tests.support.needs import missing

pytestmark = pytest.mark.network

EXAMPLES = Path(__file__).parents[2] / "examples" / "orchestrators"
FILES = {
    "dbt_project.yml": "{name: shop, profile: shop, models: {shop: {+materialized: table}}}",
    "profiles.yml": "shop: {target: prod, outputs: {prod: {type: duckdb, path: shop.duckdb}}}",
    "models/orders.sql": "select 1 as id, 5 as amount union all select 2, 7",
    "models/revenue.sql": "select sum(amount) as revenue from {{ ref('orders') }}",
}


def programs(need: str) -> Path:
    """The programs of an environment with the orchestrator, dbt-duckdb and recce_meta."""
    found = os.environ.get(f"RECCE_META_TEST_{need.replace('-', '_').upper()}_PYTHON")
    if not found:
        missing(need)
    return Path(found).parent


def run(folder: Path, bin_folder: Path, *command: str, fails: bool = False) -> str:
    """The output of a program that has only *bin_folder* on its path, beside those of the system."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "RECCE", "DBT"))
    }
    environment |= {
        "PATH": f"{bin_folder}:/usr/local/bin:/usr/bin:/bin",
        "AIRFLOW_HOME": str(folder.parent / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "DAGSTER_HOME": str(folder.parent),
        "DBT_PROFILES_DIR": str(folder / "shop"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    done = subprocess.run(
        [str(bin_folder / command[0]), *command[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    output = done.stdout + done.stderr
    assert (done.returncode != 0) is fails, output[-5000:]
    return output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for the example, with the project beside it."""
    folder = tmp_path / "dags"
    for name, content in FILES.items():
        path = folder / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.replace("shop.duckdb", str(folder / "shop.duckdb")), encoding="utf-8")
    return folder


def recorded(folder: Path) -> list[tuple[str, str | None]]:
    """Environment and command of each run."""
    with UnifiedSqlAdapter.from_url(f"duckdb:///{folder / 'shop.duckdb'}") as adapter:
        return [(run.environment, run.command) for run in list_runs(adapter)]


def test_airflow_records_a_build(folder: Path) -> None:
    airflow = programs("Airflow")
    shutil.copy(EXAMPLES / "airflow_dag.py", folder)
    run(folder, airflow, "airflow", "db", "migrate")

    run(folder, airflow, "airflow", "dags", "test", "shop")

    assert recorded(folder) == [("base", "build")]


def test_airflow_2_records_a_build_through_another_environment(folder: Path) -> None:
    airflow, other = programs("Airflow-2"), programs("Dagster")
    dag = (EXAMPLES / "airflow_dag.py").read_text(encoding="utf-8")
    dag = dag.replace("from airflow.sdk import DAG", "from airflow import DAG")
    dag = dag.replace('PROGRAMS = ""', f'PROGRAMS = "{other}/"')
    (folder / "airflow_dag.py").write_text(dag, encoding="utf-8")
    run(folder, airflow, "airflow", "db", "migrate")

    run(folder, airflow, "airflow", "dags", "test", "shop")

    assert recorded(folder) == [("base", "build")]


def test_cosmos_records_a_project_after_its_tasks(folder: Path) -> None:
    airflow = programs("Airflow")
    shutil.copy(EXAMPLES / "cosmos_dag.py", folder)
    run(folder, airflow, "airflow", "db", "migrate")

    run(folder, airflow, "airflow", "dags", "test", "shop_cosmos")

    assert recorded(folder) == [("base", "compile")]


def test_dagster_records_each_materialization_also_one_that_fails(folder: Path) -> None:
    dagster = programs("Dagster")
    shutil.copy(EXAMPLES / "dagster_assets.py", folder)
    run(folder, dagster, "dbt", "parse", "--quiet", "--project-dir", "shop")
    materialize = ("dagster", "asset", "materialize", "--select", "*", "-f", "dagster_assets.py")

    run(folder, dagster, *materialize)
    (folder / "shop" / "models" / "revenue.sql").write_text("select sum(x) from {{ ref('orders') }}")
    run(folder, dagster, "dbt", "parse", "--quiet", "--project-dir", "shop")
    run(folder, dagster, *materialize, fails=True)

    assert recorded(folder) == [("base", "build")] * 2
