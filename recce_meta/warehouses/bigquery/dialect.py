"""BigQuery dialect. Compiled and read against its documentation; not run on a project yet."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from recce_meta.errors import UsageError
from recce_meta.models.data_diff import Moment
from recce_meta.warehouses.arithmetic import Arithmetic, Decimals, whole_digits
from recce_meta.warehouses.dialect import Aggregates, Dialect, moment_literal, per_cent, tablesample
from recce_meta.warehouses.types import ColumnType, Kind, Sql

BIGNUMERIC_SCALE = 38
NUMERIC_WHOLE = 29
"""Digits before the point of a NUMERIC."""


class _BigNumerics(Decimals):
    """BIGNUMERIC arithmetic: 38 digits on either side of the point, and part of a 39th."""

    most = 38 + BIGNUMERIC_SCALE
    rows = 8


class _Aggregates(Aggregates):
    """Aggregates of BigQuery."""

    has_cheap_distinct = True
    has_exact_median = False

    def median(self, value: Sql) -> Sql:
        """Return the middle of 1,000 quantiles: BigQuery has no exact median aggregate."""
        quantiles = exp.Anonymous(this="APPROX_QUANTILES", expressions=[value, exp.Literal.number(1000)])
        return exp.Bracket(
            this=quantiles, expressions=[exp.Anonymous(this="OFFSET", expressions=[exp.Literal.number(500)])]
        )

    def median_moment(self, value: Sql) -> Sql | None:
        """Return the quantile, which exists for any type that sorts."""
        return self.median(value)

    def length(self, value: Sql, of: ColumnType) -> Sql | None:
        """Use `ARRAY_LENGTH`; `LENGTH` also works for bytes."""
        if of.kind is Kind.ARRAY:
            return exp.Anonymous(this="ARRAY_LENGTH", expressions=[value])
        return exp.func("LENGTH", value) if of.kind in (Kind.TEXT, Kind.BINARY) else None


class BigQuery(Dialect):
    """BigQuery's GoogleSQL."""

    name = "bigquery"
    aggregates_type = _Aggregates
    has_slices = False
    server = "SESSION_USER()"  # names of projects are unique
    # https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#case_sensitivity
    ignores_case_of_columns = True
    # https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#comparison_operators
    nan_equals_nan = False
    samples_by_seed = False
    # https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#date_type
    has_far_moments = False
    double_type = "FLOAT64"
    text_type = "STRING"
    timestamp_type = "DATETIME"

    def as_of(self, relation: exp.Table, moment: Moment) -> exp.Table:
        """https://cloud.google.com/bigquery/docs/access-historical-data: by time."""
        if moment.at is None:
            raise UsageError("BigQuery has no versions of tables", hint="name a time with --base-at")
        past, at = relation.copy(), exp.cast(moment_literal(moment), "TIMESTAMPTZ")
        past.set("version", exp.Version(this=moment.word, kind="AS OF", expression=at))
        return past

    def identity(self, names: Sequence[str]) -> Sql | None:
        """Ask the dataset, whose project and name BigQuery completes as those of a table.

        https://cloud.google.com/bigquery/docs/information-schema-tables
        """
        *above, name = names
        quoted = (exp.to_identifier(part, quoted=True) for part in above)
        view = exp.Dot.build([*quoted, exp.to_identifier("INFORMATION_SCHEMA"), exp.to_identifier("TABLES")])
        found = exp.select("CONCAT(table_catalog, '.', table_schema, '.', table_name)")
        is_named = exp.EQ(this=exp.column("table_name"), expression=exp.Literal.string(name))
        return exp.select(found.from_(exp.Table(this=view)).where(is_named).subquery())

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """Compare JSON, arrays and structs, which have no equality, by their JSON text. NULL stays NULL."""
        if of.kind.is_nested or of.kind is Kind.OTHER:
            text = exp.Anonymous(this="TO_JSON_STRING", expressions=[value.copy()])
            is_there = exp.not_(exp.Is(this=value, expression=exp.null()))
            return exp.Case().when(is_there, text)
        return super().comparable(value, of)

    def exact_text(self, value: Sql) -> Sql:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#collate"""
        return exp.Collate(this=value, expression=exp.Literal.string(""))

    def as_utc(self, value: Sql) -> Sql:
        """Build a TIMESTAMP from a DATETIME and a zone."""
        return exp.Anonymous(
            this="TIMESTAMP",
            expressions=[exp.cast(value, "DATETIME", dialect=self.name), exp.Literal.string("UTC")],
        )

    def in_utc(self, value: Sql) -> Sql:
        """Return the value: functions of a TIMESTAMP use UTC by default."""
        return value

    def is_finite(self, value: Sql) -> Sql | None:
        """Use functions, since comparisons with NaN are always false."""
        return exp.and_(
            exp.not_(exp.Anonymous(this="IS_NAN", expressions=[value.copy()])),
            exp.not_(exp.Anonymous(this="IS_INF", expressions=[value.copy()])),
        )

    def number(self, text: str, of: ColumnType) -> Sql:
        """Cast decimals, since a literal with a point is a double."""
        if of.kind is Kind.DECIMAL:
            return self.decimal(exp.Literal.string(text), of.scale or 0)
        return super().number(text, of)

    def arithmetic(self, base: ColumnType, current: ColumnType) -> Arithmetic:
        """Return BIGNUMERIC arithmetic for every type: it has one scale, and 38 digits before the point."""
        return _BigNumerics(self, max(_whole_digits(of) for of in (base, current)), BIGNUMERIC_SCALE)

    def exact(self, value: Sql, digits: int, scale: int, *, more: int = 0) -> Sql:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types"""
        return self.decimal(value, scale)

    def exact_number(self, digits: str) -> Sql:
        """Cast the digits: a literal with a point is a double, one without is limited to 64 bits."""
        return self.decimal(exp.Literal.string(digits), 0)

    def portable_text(self, value: Sql, of: ColumnType) -> Sql:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements"""
        if of.kind is Kind.TIMESTAMPTZ:
            template = exp.Literal.string("%Y-%m-%d %H:%M:%E6S")
            return exp.Anonymous(
                this="FORMAT_TIMESTAMP", expressions=[template, value, exp.Literal.string("UTC")]
            )
        return super().portable_text(value, of)

    def hexadecimal(self, value: Sql) -> Sql:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#to_hex"""
        return exp.Anonymous(this="TO_HEX", expressions=[value])

    def nested_text(self, value: Sql) -> Sql:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#to_json_string"""
        return exp.Anonymous(this="TO_JSON_STRING", expressions=[value])

    def text_of(self, value: Sql, of: ColumnType) -> Sql:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/geography_functions#st_astext"""
        if of.text.upper() == "GEOGRAPHY":
            return exp.Anonymous(this="ST_ASTEXT", expressions=[value])
        return super().text_of(value, of)

    def decimal(self, value: Sql, scale: int) -> Sql:
        """Cast *value* to BIGNUMERIC, which holds 38 digits on either side of the point."""
        return exp.cast(value, "BIGNUMERIC", dialect=self.name)

    def hashable(self, value: Sql, of: ColumnType) -> Sql:
        """Replace -0.0, whose text and hash differ from those of 0.0."""
        if of.kind is not Kind.FLOAT:
            return value
        zero = exp.Literal.number("0.0")
        return exp.Case().when(exp.EQ(this=value.copy(), expression=zero), zero.copy()).else_(value)

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """Hash the JSON of a struct, which shows each NULL; the fields have the same names on both sides."""
        fields = [exp.alias_(value, f"f{i}", copy=False) for i, value in enumerate(values)]
        row = exp.Anonymous(this="STRUCT", expressions=fields)
        text = exp.Anonymous(this="TO_JSON_STRING", expressions=[row])
        return exp.Anonymous(this="FARM_FINGERPRINT", expressions=[text])

    def sampled_rows(self, relation: Sql, percent: float, seed: int) -> Sql | None:
        """Sample blocks of rows, without a seed: https://cloud.google.com/bigquery/docs/table-sampling"""
        return tablesample(self.render(relation), f"TABLESAMPLE SYSTEM ({per_cent(percent)} PERCENT)")

    def scientific(self, value: Sql) -> Sql | None:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#format_string"""
        return exp.Anonymous(this="FORMAT", expressions=[exp.Literal.string("%.14e"), value])

    def hex_number(self, digits: Sql) -> Sql:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions#cast_as_integer"""
        prefixed = exp.DPipe(this=exp.Literal.string("0x"), expression=digits, safe=True)
        return exp.cast(exp.paren(prefixed), "INT64", dialect=self.name)

    def is_blank(self, value: Sql) -> Sql:
        """Trim spaces explicitly: by default TRIM removes all white space."""
        trimmed = exp.Trim(this=self.exact_text(value), expression=exp.Literal.string(" "))
        return exp.EQ(this=trimmed, expression=exp.Literal.string(""))


def _whole_digits(of: ColumnType) -> int:
    """Return the number of digits before the point; a NUMERIC without parameters has nine after it."""
    is_numeric = of.kind is Kind.DECIMAL and of.precision is None and not of.text.upper().startswith("BIG")
    return NUMERIC_WHOLE if is_numeric else whole_digits(of)
