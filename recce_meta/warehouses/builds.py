"""Effects of dbt's build statements on existing rows of a table: facts that differ between adapters.

Read from the macros of dbt-adapters 1.24, dbt-duckdb 1.11, dbt-postgres 1.11, dbt-snowflake 1.12,
dbt-bigquery 1.12, dbt-redshift 1.11 and dbt-databricks 1.12, and executed on DuckDB and PostgreSQL. An
outcome describes the next run without `--full-refresh`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from recce_meta.models.change import EXISTING, Category


class Statement(Enum):
    """Which existing rows the statement of an incremental strategy replaces."""

    APPEND = auto()
    """None."""
    KEYED = auto()
    """Rows with the unique key of a selected row: `merge`, `delete+insert`."""
    WINDOW = auto()
    """All rows of the batches that are built, by `event_time`."""
    PARTITIONS = auto()
    """All rows of the partitions that the query returns."""
    WHOLE = auto()
    """All rows."""


class Edit(Enum):
    """Edit of a query, as its table sees it."""

    ADDED = auto()
    """A column was added."""
    REMOVED = auto()
    """A column was removed; a renamed column is removed and added."""
    RETYPED = auto()
    """A column has another type."""
    MOVED = auto()
    """Columns have another order."""
    VALUE = auto()
    """A column has other values."""
    KEY = auto()
    """A column of the unique key has other values."""
    EVENT_TIME = auto()
    """The column that assigns rows to batches has other values."""
    ROWS = auto()
    """The query returns other rows."""


class Outcome(NamedTuple):
    """Effect of an edit on a table that exists."""

    category: Category
    existing: str = ""
    """What happens to existing rows, or why the build fails; empty if they are as if newly built."""
    fails: bool = False
    """True if dbt stops, so that the old content stays."""
    column: str = ""
    """The only column that is affected, if it is not the edited column."""

    @property
    def reason(self) -> str:
        """Return the phrase that reports show."""
        if self.fails:
            return f"the build fails: {self.existing}"
        return f"{EXISTING} {self.existing}" if self.existing else ""


def failing(why: str) -> Outcome:
    """Return the outcome of an edit that stops dbt."""
    return Outcome(Category.BREAKING, why, fails=True)


REMOVED_STAYS = Outcome(
    Category.PARTIAL_BREAKING, "keep the removed column; rows written now have NULL in it"
)
APPEND, KEYED = Statement.APPEND, Statement.KEYED


@dataclass(frozen=True, slots=True)
class BuildRules:
    """How an adapter of dbt builds incremental models and replaces relations."""

    statements: Mapping[str, Statement]
    """Statement of each `incremental_strategy`; other names are strategies of the project."""
    default: str = "merge"
    """Strategy of a model that has a unique key and names none."""
    keyless_default: str = "merge"
    """Strategy of a model that has no unique key and names none."""
    exceptions: Mapping[tuple[str, Edit], Outcome] = field(default_factory=dict)
    """Outcomes under `on_schema_change: ignore` that differ from the table, by strategy."""
    config: Mapping[str, Outcome] = field(default_factory=dict)
    """Outcomes of configuration keys of incremental models that differ from the table."""
    replacements: Mapping[tuple[str, str], Outcome] = field(default_factory=dict)
    """Outcomes of a change of the materialization that differ from the table, by both of its values."""
    applies_queries: bool = False
    """True if an edited query of a materialized view takes effect without a full refresh."""
    filters_batches: bool = False
    """True if a batch inserts only its own rows, even if it reads all rows of a parent."""


KEYED_STRATEGIES: Mapping[str, Statement] = {"append": APPEND, "delete+insert": KEYED, "merge": KEYED}
DEFAULT_BY_KEY = ("delete+insert", "append")
"""dbt's own `get_incremental_default_sql`: with and without a unique key."""
