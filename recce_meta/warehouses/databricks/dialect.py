"""Databricks dialect. Compiled and read against its documentation; not run on a workspace yet."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from recce_meta.models.data_diff import Moment
from recce_meta.warehouses.dialect import Aggregates, Dialect, moment_literal, per_cent, tablesample
from recce_meta.warehouses.types import ColumnType, Kind, Sql

_COLLATION = re.compile(r"\s+collate\s+[\w.]+", re.I)


class _Aggregates(Aggregates):
    """Aggregates of Databricks."""

    # https://docs.databricks.com/en/sql/language-manual/functions/median.html
    median_function = "MEDIAN"
    # https://docs.databricks.com/en/sql/language-manual/functions/percentile_disc.html only accepts numbers
    has_median_moment = False
    array_length = "array_size"  # NULL for NULL; `size` may be -1


class Databricks(Dialect):
    """Databricks SQL, and Spark 3.4 and later."""

    name = "databricks"
    aggregates_type = _Aggregates
    has_slices = False
    # https://docs.databricks.com/en/sql/language-manual/sql-ref-identifiers.html
    ignores_case_of_columns = True
    place = ("CURRENT_CATALOG()", "CURRENT_SCHEMA()")
    # https://docs.databricks.com/en/sql/language-manual/functions/current_metastore.html: hive_metastore is
    # another one in each workspace
    server = "CASE WHEN CURRENT_CATALOG() <> 'hive_metastore' THEN CURRENT_METASTORE() || CURRENT_USER() END"
    # https://docs.databricks.com/en/sql/language-manual/functions/minussign.html
    keeps_scale = False
    text_type = "STRING"
    timestamp_type = "TIMESTAMP_NTZ"

    def as_of(self, relation: exp.Table, moment: Moment) -> exp.Table:
        """https://docs.databricks.com/en/delta/history.html#delta-time-travel-syntax"""
        past = relation.copy()
        past.set("version", exp.Version(this=moment.word, kind="AS OF", expression=moment_literal(moment)))
        return past

    def full_name(self, names: Sequence[str]) -> Sql:
        """https://docs.databricks.com/en/sql/language-manual/sql-ref-names.html: case does not count."""
        return exp.Lower(this=super().full_name(names))

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """Compare maps and variants, which have no equality, by their JSON text."""
        if of.kind in (Kind.MAP, Kind.JSON):
            return exp.Anonymous(this="TO_JSON", expressions=[value])
        if of.kind in (Kind.ARRAY, Kind.STRUCT) and _COLLATION.search(of.text):
            return exp.cast(value, _COLLATION.sub("", of.text), dialect=self.name)
        return super().comparable(value, of)

    def exact_text(self, value: Sql) -> Sql:
        """Cast to STRING, which has the collation UTF8_BINARY.

        COLLATE would work too, but Spark 3 and Databricks Runtime 15 lack it.
        https://docs.databricks.com/en/sql/language-manual/sql-ref-collation.html
        """
        return self.text(value)

    def as_utc(self, value: Sql) -> Sql:
        """https://docs.databricks.com/en/sql/language-manual/functions/convert_timezone.html"""
        zoneless = exp.Anonymous(
            this="CONVERT_TIMEZONE",
            expressions=[
                exp.Literal.string("UTC"),
                exp.Anonymous(this="CURRENT_TIMEZONE"),
                exp.cast(value, "TIMESTAMPNTZ", dialect=self.name),
            ],
        )
        return exp.cast(zoneless, "TIMESTAMP", dialect=self.name)

    def in_utc(self, value: Sql) -> Sql:
        """Convert from the session's time zone, in which a timestamp is cast."""
        return exp.Anonymous(
            this="CONVERT_TIMEZONE",
            expressions=[
                exp.Anonymous(this="CURRENT_TIMEZONE"),
                exp.Literal.string("UTC"),
                exp.cast(value, "TIMESTAMPNTZ", dialect=self.name),
            ],
        )

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """Add an IS NULL flag for each value, since `xxhash64` skips NULL."""
        flagged = [
            part for value in values for part in (value, exp.Is(this=value.copy(), expression=exp.null()))
        ]
        return exp.Anonymous(this="xxhash64", expressions=flagged)

    def hashable(self, value: Sql, of: ColumnType) -> Sql:
        """Add the JSON of nested values: their hash covers only the items that are not NULL, not the
        structure.
        """
        if of.kind not in (Kind.ARRAY, Kind.STRUCT):
            return value
        parts = [exp.Literal.string("v"), value.copy(), exp.Literal.string("j"), self.nested_text(value)]
        return exp.Anonymous(this="NAMED_STRUCT", expressions=parts)

    def sampled_rows(self, relation: Sql, percent: float, seed: int) -> Sql | None:
        """https://docs.databricks.com/en/sql/language-manual/sql-ref-syntax-qry-select-sampling.html"""
        clause = f"TABLESAMPLE ({per_cent(percent)} PERCENT) REPEATABLE ({seed:d})"
        return tablesample(self.render(relation), clause)

    def scientific(self, value: Sql) -> Sql | None:
        """https://docs.databricks.com/en/sql/language-manual/functions/format_string.html"""
        return exp.Anonymous(this="FORMAT_STRING", expressions=[exp.Literal.string("%.14e"), value])

    def hex_number(self, digits: Sql) -> Sql:
        """https://docs.databricks.com/en/sql/language-manual/functions/conv.html"""
        bases = [exp.Literal.number(16), exp.Literal.number(10)]
        return exp.cast(exp.Anonymous(this="CONV", expressions=[digits, *bases]), "BIGINT", dialect=self.name)

    def without_trailing_blanks(self, value: Sql) -> Sql:
        """https://docs.databricks.com/en/sql/language-manual/functions/trim.html"""
        return exp.Trim(this=value, expression=exp.Literal.string(" "), position="TRAILING")
