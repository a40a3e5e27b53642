"""When two identifiers are the same name."""

from __future__ import annotations

import re
from functools import cache

from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from recce_meta.dialects.types import Sql

TABLES_HAVE_CASE = frozenset({"bigquery"})
"""Dialects in which the names of tables have case though those of columns have none.

https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#case_sensitivity
"""
COLUMNS_HAVE_NO_CASE = frozenset({"mysql", "singlestore", "doris", "starrocks"})
"""Dialects in which the names of columns have no case though those of tables have.

https://dev.mysql.com/doc/refman/8.4/en/identifier-case-sensitivity.html
"""

FIELDS_HAVE_CASE = frozenset({"bigquery"})
"""Dialects in which a name behind a column's may be that of a member of a JSON value, which has case.

https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#semantics
"""
IS_PATH = re.compile(r"[./]")
"""What the name of a file has in it that is read as a table, `from 'x.csv'`."""
COLUMNS_BEFORE_ALIASES = frozenset({"databricks", "duckdb", "postgres", "redshift", "snowflake", "spark"})
"""Dialects in which a name in `GROUP BY` that is both a column of a source and an alias is the column.

https://docs.snowflake.com/en/sql-reference/constructs/group-by
https://www.postgresql.org/docs/current/sql-select.html#SQL-GROUPBY
https://docs.databricks.com/en/sql/language-manual/sql-ref-name-resolution.html
"""
ALIASES_BEFORE_COLUMNS = frozenset({"clickhouse"})
"""Dialects in which it is the alias, in `WHERE` too.

https://clickhouse.com/docs/operations/settings/settings#prefer_column_name_to_alias
"""

MAYBE_LATERAL = frozenset({""})
"""SQL of no dialect in particular: nobody knows whether an expression can name the outputs before it."""


@cache
def names_of(dialect: str) -> Names:
    """How *dialect*, in sqlglot's words, compares identifiers."""
    return Names(dialect)


class Names:
    """How one dialect compares identifiers."""

    def __init__(self, dialect: str) -> None:
        strategy = Dialect.get_or_raise(dialect or None).normalization_strategy
        ignores_case = strategy.name.startswith("CASE_INSENSITIVE")
        self._table_case_counts = dialect in TABLES_HAVE_CASE
        self._ignores_case = ignores_case or dialect in COLUMNS_HAVE_NO_CASE
        self._tables_ignore_case = ignores_case and dialect not in TABLES_HAVE_CASE
        self._upper = strategy is NormalizationStrategy.UPPERCASE
        self._as_written = strategy is NormalizationStrategy.CASE_SENSITIVE

    def column(self, identifier: Sql) -> str:
        """What the name of a column or field is compared by: equal for equal names."""
        return self._folded(identifier, self._ignores_case)

    def table(self, identifier: Sql) -> str:
        """What a part of a table's name is compared by."""
        if self._table_case_counts or (identifier.args.get("quoted") and IS_PATH.search(identifier.name)):
            return identifier.name
        return self._folded(identifier, self._tables_ignore_case)

    def is_special(self, identifier: Sql) -> bool:
        """Whether quotes give a column a name that it cannot be called by without them."""
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
