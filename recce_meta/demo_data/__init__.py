"""Data of `recce-meta demo`: two real runs of a small dbt project.

`base` is production, built into the schema `prod`; `current` is pull request 42, built into `pr_42` of
the same DuckDB database. The project is in `project/` of a checkout; scripts/build_demo.py built all other
files with dbt.

    base/, current/    manifest (with the macros that nodes use) and run results of `dbt build`, catalog of
                       `dbt docs generate`
    origin.json        commit, branch and pull request of each run
    tables/*.parquet   every table of both schemas
    tables.sql         statements that create these tables and their views
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

Side: TypeAlias = Literal["base", "current"]

DATABASE = "jaffle_shop"
"""Database name in the artifacts: the name of the DuckDB file without `.duckdb`."""

_HERE = Path(__file__).resolve().parent


class Origin(msgspec.Struct, frozen=True):
    """Origin of the code of one side."""

    sha: str
    branch: str
    pull_request: str | None


def artifacts(side: Side) -> Path:
    """Return the directory with the gzipped artifacts of *side*."""
    return _HERE / side


def origin(side: Side) -> Origin:
    """Return the commit, branch and pull request of *side*."""
    return msgspec.json.decode((_HERE / "origin.json").read_bytes(), type=dict[Side, Origin])[side]


def load_tables(execute: Callable[[str], object]) -> None:
    """Create the schemas `prod` and `pr_42` with all their tables and views.

    *execute* runs one statement in a DuckDB database. Existing tables and views of these names are replaced.
    """
    directory = str(_HERE / "tables").replace("'", "''")
    script = (_HERE / "tables.sql").read_text(encoding="utf-8")
    for statement in script.removesuffix(";\n").split(";\n\n"):
        execute(statement.replace("$tables", directory))
