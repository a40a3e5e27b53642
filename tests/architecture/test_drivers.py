"""Which drivers a command loads: its own warehouse's, and none of another's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from recce_meta.warehouses import available

ROOT = Path(__file__).parents[2]

DRIVERS = {
    "duckdb": ["duckdb"],
    "postgres": ["psycopg"],
    "snowflake": ["snowflake"],
    "bigquery": ["google.cloud", "sqlalchemy_bigquery"],
    "redshift": ["redshift_connector", "sqlalchemy_redshift", "boto3"],
    "databricks": ["databricks"],
}
OTHERS = ["MySQLdb", "duckdb_engine", "mysql", "pandas", "pymysql", "pyarrow"]

RUN = """
import json, sys
from recce_meta.cli.main import run_command_line
run_command_line(sys.argv[1:])
sys.stderr.write("\\n" + json.dumps(sorted(sys.modules)))
"""

OUTPUTS = {
    "duckdb": {"type": "duckdb", "path": "shop.duckdb"},
    "postgres": {
        **{"type": "postgres", "host": "127.0.0.1", "port": 1, "user": "me", "password": "x"},
        **{"dbname": "db", "schema": "public"},
    },
}


def loaded_by(folder: Path, *arguments: str) -> set[str]:
    """The modules of a process that has run a command in *folder*."""
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(ran.stderr.rpartition("\n")[2]))


def test_every_warehouse_is_in_the_list_of_drivers() -> None:
    assert set(available()) <= set(DRIVERS)


@pytest.mark.cases(3)
@pytest.mark.parametrize("warehouse", OUTPUTS)
@pytest.mark.parametrize("command", ["runs", "doctor", "init"])
def test_a_command_loads_no_driver_of_another_warehouse(tmp_path: Path, warehouse: str, command: str) -> None:
    outputs = {name: {"target": name, "outputs": OUTPUTS} for name in ["shop"]}
    outputs["shop"]["target"] = warehouse
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(outputs), encoding="utf-8")
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\n", encoding="utf-8")
    loaded = loaded_by(tmp_path, command)

    own = DRIVERS[warehouse]
    foreign = [name for other, names in DRIVERS.items() if other != warehouse for name in names] + OTHERS
    assert [name for name in foreign if name in loaded] == []
    assert command != "init" or set(own) <= loaded


@pytest.mark.extensive
def test_a_url_loads_no_driver_of_another_warehouse(tmp_path: Path) -> None:
    loaded = loaded_by(tmp_path, "init", "--url", "duckdb:///shop.duckdb")

    foreign = [name for other, names in DRIVERS.items() if other != "duckdb" for name in names] + OTHERS
    assert [name for name in foreign if name in loaded] == []
    assert (tmp_path / "shop.duckdb").is_file()
