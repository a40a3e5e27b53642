"""Identifier rules by dialect: when two identifiers are the same name."""

from __future__ import annotations

import re
from functools import cache

from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from recce_meta.warehouses.types import Sql

TABLES_HAVE_CASE = frozenset({"bigquery"})
"""Dialects with case-sensitive table names but case-insensitive column names.

https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#case_sensitivity
"""
COLUMNS_HAVE_NO_CASE = frozenset({"mysql", "singlestore", "doris", "starrocks"})
"""Dialects with case-insensitive column names but case-sensitive table names.

https://dev.mysql.com/doc/refman/8.4/en/identifier-case-sensitivity.html
"""

FIELDS_HAVE_CASE = frozenset({"bigquery"})
"""Dialects in which a name after a column may be a member of a JSON value, which is case-sensitive.

https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#semantics
"""
IS_PATH = re.compile(r"[./]")
"""Characters that identify a file read as a table, `from 'x.csv'`."""
COLUMNS_BEFORE_ALIASES = frozenset({"databricks", "duckdb", "postgres", "redshift", "snowflake", "spark"})
"""Dialects in which a `GROUP BY` name that is both a source column and an alias means the column.

https://docs.snowflake.com/en/sql-reference/constructs/group-by
https://www.postgresql.org/docs/current/sql-select.html#SQL-GROUPBY
https://docs.databricks.com/en/sql/language-manual/sql-ref-name-resolution.html
"""
ALIASES_BEFORE_COLUMNS = frozenset({"clickhouse"})
"""Dialects in which such a name means the alias, also in `WHERE`.

https://clickhouse.com/docs/operations/settings/settings#prefer_column_name_to_alias
"""

MAYBE_LATERAL = frozenset({""})
"""SQL without a dialect: it is unknown whether an expression can name earlier outputs."""


@cache
def names_of(dialect: str) -> IdentifierRules:
    """Return the identifier rules of *dialect*, a sqlglot name."""
    return IdentifierRules(dialect)


OUTPUTS_KEEP_CASE = frozenset({"bigquery", "databricks", "duckdb", "mysql", "spark", "sqlite"})
"""Dialects that give a column of a new table the spelling of its alias, and find it in any spelling.

dbt compares such names exactly: with a contract, a snapshot's table, and an incremental model's table.
"""


class IdentifierRules:
    """Identifier rules of one dialect."""

    def __init__(self, dialect: str) -> None:
        strategy = Dialect.get_or_raise(dialect or None).normalization_strategy
        ignores_case = strategy.name.startswith("CASE_INSENSITIVE")
        self._table_case_counts = dialect in TABLES_HAVE_CASE
        self.keeps_case = dialect in OUTPUTS_KEEP_CASE
        """Whether readers other than SQL can see the case of a column's name."""
        self._ignores_case = ignores_case or dialect in COLUMNS_HAVE_NO_CASE
        self._tables_ignore_case = ignores_case and dialect not in TABLES_HAVE_CASE
        self._upper = strategy is NormalizationStrategy.UPPERCASE
        self._as_written = strategy is NormalizationStrategy.CASE_SENSITIVE

    def column(self, identifier: Sql) -> str:
        """Return the comparison form of a column or field name."""
        return self._folded(identifier, self._ignores_case)

    def table(self, identifier: Sql) -> str:
        """Return the comparison form of a part of a table name."""
        if self._table_case_counts or (identifier.args.get("quoted") and IS_PATH.search(identifier.name)):
            return identifier.name
        return self._folded(identifier, self._tables_ignore_case)

    def is_special(self, identifier: Sql) -> bool:
        """Return whether quotes give a column a name that cannot be written without them."""
        if self._ignores_case or self._as_written or not identifier.args.get("quoted"):
            return False
        name = identifier.name
        return name != (name.upper() if self._upper else name.lower())

    def _folded(self, identifier: Sql, ignores_case: bool) -> str:
        name: str = identifier.name
        if ignores_case:
            return name.lower()
        if identifier.args.get("quoted") or self._as_written:
            return name
        return name.upper() if self._upper else name.lower()
