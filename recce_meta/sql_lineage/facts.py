"""Rules by dialect. `names` has those of outputs without an alias, `project.names` those of dbt adapters."""

from __future__ import annotations

import re

from sqlglot import exp

from recce_meta.warehouses.types import Sql

LATERAL_ALIASES = frozenset(
    {"clickhouse", "databricks", "duckdb", "redshift", "snowflake", "spark", "spark2", "teradata"}
)
"""A SELECT's later expressions can name its earlier ones, unless a source has a column of that name.

In other dialects a name means an alias only if nothing else matches. SQL without a dialect follows the
standard, which does not have this.

https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html
https://docs.databricks.com/en/sql/language-manual/sql-ref-name-resolution.html
https://duckdb.org/docs/stable/sql/query_syntax/select
https://docs.snowflake.com/en/sql-reference/sql/select
https://clickhouse.com/docs/sql-reference/syntax#expression-aliases
"""

ALIASES_ARE_LAST = frozenset({"bigquery", "postgres"})
"""No expression of a select list, and no WHERE, can name an output of the same select.

https://www.postgresql.org/docs/current/sql-select.html
https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#alias_visibility
"""

ALIASES_IN_WHERE = frozenset({"", "clickhouse", "duckdb", "snowflake", "teradata"})
"""`WHERE` can name outputs."""

IMPLICIT_RECURSION = frozenset({"oracle", "snowflake", "teradata", "tsql", "fabric"})
"""A CTE can read itself without the word RECURSIVE."""

NUMBERED_COLUMNS = frozenset({"snowflake"})
"""`$1` is the first column of a stage or of VALUES."""

VALUES_NAMES = {
    "snowflake": "COLUMN{}",
    "postgres": "column{}",
    "redshift": "column{}",
    "materialize": "column{}",
    "sqlite": "column{}",
    "duckdb": "col{}",
    "databricks": "col{}",
    "spark": "col{}",
    "hive": "col{}",
    "trino": "_col{}",
    "presto": "_col{}",
    "mysql": "column_{}",
    "clickhouse": "c{}",
}
"""Default names of the columns of VALUES."""
# Not part of the patterns above, because `col{}` starts at 0 in DuckDB and at 1 in Spark.
VALUES_FROM_ZERO = frozenset({"duckdb", "trino", "presto", "athena", "mysql"})

STRUCTURE_BEFORE_VALUES = frozenset({"clickhouse"})
"""`VALUES ('a Int, b Int', (1, 2), …)` as a relation begins with the names and types of its columns.

https://clickhouse.com/docs/sql-reference/table-functions/values
"""

UNPIVOTED_VALUES_FIRST = frozenset({"bigquery"})
"""UNPIVOT puts the columns of values before the column of names.

https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#unpivot_operator
"""

MERGED_IN_PLACE = frozenset({"duckdb"})
"""A star yields a column of USING at its position in the left relation; in other dialects, first."""

UNKNOWN_RENAMES = frozenset({"duckdb"})
"""`* RENAME (a AS b)` is valid without a column `a`."""

MAKING_ROWS = frozenset({"GENERATOR", "RANGE", "GENERATE_SERIES", "SEQUENCE", "NUMBERS", "ZEROS", "DUAL"})
"""Table functions that generate their rows and read nothing."""

FILE_READERS = frozenset(
    """
    delta_scan iceberg_scan ndjson_objects parquet_scan read_csv read_csv_auto read_json read_json_auto
    read_json_objects read_json_objects_auto read_ndjson read_ndjson_auto read_parquet read_text read_xlsx
    """.split()
)
"""Table functions that read files and yield the columns of the files.

https://duckdb.org/docs/stable/data/overview
"""

POSTGRES_NAMES = {
    "array_concat_agg": "array_agg",
    "array_size": "array_length",
    "explode": "unnest",
    "group_concat": "string_agg",
    "j_s_o_n_array_agg": "json_agg",
    "j_s_o_n_b_array_agg": "jsonb_agg",
    "j_s_o_n_object_agg": "json_object_agg",
    "j_s_o_n_b_object_agg": "jsonb_object_agg",
    "json_array_agg": "json_agg",
    "logical_and": "bool_and",
    "logical_or": "bool_or",
    "rand": "random",
    "str_position": "strpos",
    "time_to_str": "to_char",
    "timestamp_trunc": "date_trunc",
    "uuid": "gen_random_uuid",
}
"""PostgreSQL's names of functions that sqlglot calls differently; used by `NAMED_BY_FUNCTION`."""

ROWS_NAMED = {
    "bigquery": "f0_",
    "databricks": "id",
    "spark": "id",
    "spark2": "id",
    "trino": "_col0",
    "presto": "_col0",
    "athena": "_col0",
}
"""Column name of a function that yields single values; in other dialects, the function's name."""
ALIAS_NAMES_RELATION_ONLY = frozenset({"databricks", "duckdb", "spark", "spark2"})
"""The alias of such a function names only the relation."""

STRUCTS_STAY_WHOLE = frozenset({"duckdb"})
"""UNNEST of structs yields one column of structs instead of a column for each field."""

FIXED_FIELDS = frozenset({"bigquery", "databricks", "duckdb", "spark"})
"""A query that names a field which a struct's type does not have is refused, not answered by NULL."""

STRUCTS_UNNESTED = frozenset({"duckdb"})
"""UNNEST of a single struct (not a list) in a select list yields a column for each field.

https://duckdb.org/docs/stable/sql/query_syntax/unnest
"""

IMPLICIT_LATERAL = frozenset({"duckdb"})
"""A query in FROM can name earlier items if the name has no other meaning.

https://duckdb.org/docs/stable/sql/query_syntax/from#lateral-joins
"""

ORDERED_BY_COLUMNS_FIRST: dict[str, tuple[type[Sql], ...]] = {
    "duckdb": (exp.Column, exp.Collate),
    "postgres": (exp.Column,),
    "redshift": (exp.Column,),
    "materialize": (exp.Column,),
    "risingwave": (exp.Column,),
}
"""Dialects in which an expression in ORDER BY reads columns of the sources first.

The values are classes of keys that name an output first.
https://www.postgresql.org/docs/current/queries-order.html
"""

NAMED_BY_FUNCTION = frozenset({"postgres", "redshift", "materialize", "risingwave"})
"""An output without alias is named after its function, or the column that is cast."""

AGGREGATE_NAMES = frozenset(
    {"APPROX_MOST_FREQUENT", "APPROX_SET", "BITMAP_AGG", "BITMAP_UNION", "BITMAP_UNION_COUNT",
     "BIT_AND_AGG", "BIT_OR_AGG", "BOOL_AND", "BOOL_OR", "COUNT_STAR", "EVERY", "GEOMETRIC_MEAN",
     "HISTOGRAM", "HLL_RAW_AGG", "HLL_UNION", "HLL_UNION_AGG", "JSON_AGG", "JSONB_AGG", "JSON_OBJECT_AGG",
     "JSONB_OBJECT_AGG", "LIST", "LISTAGG", "MAP_AGG", "MAP_UNION", "MEDIAN", "MERGE", "MODE",
     "MULTIMAP_AGG", "NUMERIC_HISTOGRAM", "OBJECT_AGG", "PERCENTILE", "PERCENTILE_APPROX", "PRODUCT",
     "QDIGEST_AGG", "RANGE_AGG", "STRING_AGG", "TDIGEST_AGG", "XMLAGG"}
)  # fmt: skip
"""Names of aggregate functions without a class in some version of sqlglot, in any dialect.

`sql_diff.functions.CERTAIN_AGGREGATES` is stricter: its names cannot mean anything else.
"""

ROWS_AS_VALUES = frozenset({"", "bigquery", "duckdb", "postgres", "materialize", "risingwave"})
"""A source's alias stands for its row: `to_json(orders)`."""

HIDDEN_STRUCTS = {"databricks": frozenset({"_metadata"}), "spark": frozenset({"_metadata"})}
"""Struct columns that every file's table has and that catalogs do not list.

https://docs.databricks.com/en/ingestion/file-metadata-column.html
"""

NOT_COLUMNS = frozenset(
    {"SYSDATE", "SYSTIMESTAMP", "ROWNUM", "LEVEL", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP",
     "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "USER", "CURRENT_ROLE", "CURRENT_CATALOG",
     "CURRENT_SCHEMA", "CURRENT_DATABASE", "LOCALTIME", "LOCALTIMESTAMP", "GETDATE", "UTC_DATE", "UTC_TIME",
     "UTC_TIMESTAMP"}
)  # fmt: skip
"""Words that sqlglot may parse as columns; they are functions unless a source has a column of that name."""

UNLISTED = re.compile(
    r"_?rowid_?|ctid|oid|tableoid|[cx](min|max)|nextval|currval|value|filename|_table_suffix|_metadata|metadata\$.*"
    r"|_(partition|file|block|change|commit|sdc|dbt|row).*|\$.*",
    re.IGNORECASE,
)
"""Columns that tables have without listing them, in some warehouse."""

DATE_PARTS = frozenset(
    {"YEAR", "YEARS", "YY", "YYYY", "QUARTER", "QUARTERS", "QQ", "MONTH", "MONTHS", "MM", "MON", "WEEK",
     "WEEKS", "WW", "WK", "ISOWEEK", "ISOYEAR", "DAY", "DAYS", "DD", "DAYOFWEEK", "DAYOFYEAR", "DOW", "DOY",
     "HOUR", "HOURS", "HH", "MINUTE", "MINUTES", "MI", "SECOND", "SECONDS", "SS", "MILLISECOND",
     "MILLISECONDS", "MICROSECOND", "MICROSECONDS", "NANOSECOND", "EPOCH"}
)  # fmt: skip
"""Units used as function arguments, unless there is a column of that name."""

CALLING_METHODS = frozenset({"duckdb"})
"""Dialects in which `a.f()` calls `f(a)`.

https://duckdb.org/docs/stable/sql/functions/overview#function-chaining-via-the-dot-operator
"""

METHODS = {"tsql": frozenset("exist modify nodes query value".split())}
"""Methods of types in dialects where other functions are qualified by their schema.

https://learn.microsoft.com/en-us/sql/t-sql/xml/xml-data-type-methods
"""

SERIES_ARE_ROWS = frozenset({"", "postgres", "redshift", "materialize", "risingwave"})
"""Dialects in which `generate_series` in a select list yields a row per number instead of an array."""

USER_FUNCTIONS_MAY_YIELD_ROWS = frozenset({"postgres", "materialize", "risingwave"})
"""Dialects in which a user-defined function can yield several rows in a select list."""
