"""Two real runs of a small dbt project, as `recce-meta demo` shows them.

`base` is production, built into the schema `prod`; `current` is pull request 42, built into `pr_42` of
the same DuckDB database. The project is in `project/`; scripts/build_demo.py made everything else with dbt.

    base/, current/    manifest and run results of `dbt build`, catalog of `dbt docs generate`
    origin.json        the commit, branch and pull request of each
    tables/*.parquet   every table of both schemas
    tables.sql         the statements that bring back those tables, and the views over them
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

Side: TypeAlias = Literal["base", "current"]

DATABASE = "jaffle_shop"
"""The database that the artifacts name: of a DuckDB file, its name without `.duckdb`."""

_HERE = Path(__file__).resolve().parent


class Origin(msgspec.Struct, frozen=True):
    """Where the code of one side came from."""

    sha: str
    branch: str
    pull_request: str | None


def artifacts(side: Side) -> Path:
    """The directory with the gzipped artifacts of *side*."""
    return _HERE / side


def origin(side: Side) -> Origin:
    """The commit, branch and pull request of *side*."""
    return msgspec.json.decode((_HERE / "origin.json").read_bytes(), type=dict[Side, Origin])[side]


def load_tables(execute: Callable[[str], object]) -> None:
    """Create the schemas `prod` and `pr_42` with all their tables and views.

    *execute* runs one statement in a DuckDB database; what was there under the same names is replaced.
    """
    directory = str(_HERE / "tables").replace("'", "''")
    script = (_HERE / "tables.sql").read_text(encoding="utf-8")
    for statement in script.removesuffix(";\n").split(";\n\n"):
        execute(statement.replace("$tables", directory))
