"""Programs and servers that tests need, and what happens to a test without one.

The test is skipped, and the summary of `python -m pytest --all` lists what was missing. RECCE_META_REQUIRE
names the needs whose absence fails a test instead, separated by spaces. `.ci/run` and `.ci/all` set it, so
that a missing server cannot pass for a green run.
"""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from typing import NoReturn

import pytest

NEEDS = {
    "PostgreSQL": "start one at 127.0.0.1:5432, or set RECCE_META_TEST_POSTGRES_URL",
    "DuckLake": "install DuckDB's extension of this name",
    "MySQL": "start one at 127.0.0.1:3306, or set RECCE_META_TEST_MYSQL_URL",
    "browser": "install Chromium and chromedriver",
    "emulator": "python -m tests.emulators.install; that of Databricks needs Java",
    "dbt": "python -m tests.emulators.install dbt, or set RECCE_META_DBT_PYTHON",
    "uv": "pip install uv; environments of dbt come from a package index",
    "SQLMesh": "pip install sqlmesh, or set RECCE_META_TEST_SQLMESH_PYTHON",
    "Airflow": "install Airflow 3, Cosmos, dbt-duckdb and recce_meta; set RECCE_META_TEST_AIRFLOW_PYTHON",
    "Airflow-2": "install Airflow 2.11 and its standard provider; set RECCE_META_TEST_AIRFLOW_2_PYTHON",
    "Dagster": "install dagster-dbt, dbt-duckdb and recce_meta; set RECCE_META_TEST_DAGSTER_PYTHON",
    "git": "install git with its http-backend",
    "Node.js": "install Node.js with npm; packages come from its registry",
    "Neovim": "install nvim",
    "drivers": "pip install -e '.[all,docs]'",
    "bubblewrap": "install bubblewrap, and allow user namespaces",
    "Docker": "start a Docker engine",
}
"""Name of each need, and how to meet it."""
DRIVERS = ("google.cloud.bigquery", "redshift_connector", "snowflake.sqlalchemy", "databricks.sql")
"""Modules of the drivers that `pip install -e '.[dev]'` does not install."""
_SKIPPED = re.compile(rf"Skipped: no ({'|'.join(map(re.escape, NEEDS))})\b")


def missing(need: str, reason: str = "") -> NoReturn:
    """Skip the test because *need* is missing, or fail it if RECCE_META_REQUIRE names the need.

    *reason* is what was found instead.
    """
    message = f"no {need}: {reason or NEEDS[need]}"
    if need in os.environ.get("RECCE_META_REQUIRE", "").split():
        pytest.fail(f"{message} (required by RECCE_META_REQUIRE)", pytrace=False)
    pytest.skip(message)


def require_drivers(*modules: str) -> None:
    """Skip the test if one of *modules* is missing; without any, the driver of a warehouse."""
    for name in modules or DRIVERS:
        try:
            is_installed = find_spec(name) is not None
        except ModuleNotFoundError:  # of a parent
            is_installed = False
        if not is_installed:
            missing("drivers", f"{name} is not installed; {NEEDS['drivers']}")


def missing_need(report: pytest.TestReport) -> str | None:
    """Return the need whose absence skipped the test of *report*; None if there is another reason."""
    found = _SKIPPED.search(str(report.longrepr)) if report.skipped else None
    return found and found[1]
