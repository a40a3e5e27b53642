"""Amazon Redshift. Read against AWS's documentation and run on an emulator; not run on a cluster yet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from sqlglot import exp

from recce_meta.dialects.arithmetic import Arithmetic
from recce_meta.dialects.base import Dialect
from recce_meta.dialects.postgres import Postgres
from recce_meta.dialects.types import ColumnType, Kind, Sql

_END_MARK = 1
"""The code of a character that sorts before all others."""


class Redshift(Postgres):
    """Redshift, provisioned and serverless."""

    name = "redshift"
    ignores_case_of_columns = True
    decimal_digits = 38
    has_approximate_distinct = True
    top_lists_per_statement = 50
    # https://docs.aws.amazon.com/redshift/latest/dg/r_MEDIAN.html: all in one SELECT must sort alike
    has_many_medians = False
    text_type = "VARCHAR(65535)"

    def evaluated_once(self, select: exp.Select) -> exp.Select:
        """Left to the planner, as nothing is documented."""
        return select

    def differ(self, left: Sql, right: Sql) -> Sql:
        """`IS DISTINCT FROM` is not documented: spelt out, and never NULL."""
        unequal = exp.NEQ(this=left.copy(), expression=right.copy())
        one_null = exp.NEQ(this=exp.paren(_is_null(left)), expression=exp.paren(_is_null(right)))
        return exp.paren(exp.or_(exp.func("COALESCE", unequal, exp.false()), one_null))

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """SUPER compares by its JSON text."""
        return self.nested_text(value) if of.kind.is_nested else Dialect.comparable(self, value, of)

    def exact_text(self, value: Sql) -> Sql:
        """A collation may ignore case, and blanks at the end never count: so each text has an end mark.

        https://docs.aws.amazon.com/redshift/latest/dg/r_COLLATE.html
        https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
        """
        mark = exp.Anonymous(this="CHR", expressions=[exp.Literal.number(_END_MARK)])
        return exp.DPipe(this=_case_sensitive(value), expression=mark, safe=True)

    def plain_text(self, value: Sql) -> Sql:
        """Return *value* without its end mark."""
        if isinstance(value, exp.DPipe):
            text: Sql = value.this
            return text
        length = exp.Anonymous(this="LEN", expressions=[value.copy()])
        one_less = exp.Sub(this=length, expression=exp.Literal.number(1))
        return exp.Anonymous(this="LEFT", expressions=[value, one_less])

    def decimal(self, value: Sql, scale: int) -> Sql:
        """`numeric` without digits would be without any after the point."""
        return Dialect.decimal(self, value, scale)

    def arithmetic(self, base: ColumnType, current: ColumnType) -> Arithmetic:
        """Decimals have 38 digits here."""
        return Dialect.arithmetic(self, base, current)

    def exact(self, value: Sql, digits: int, scale: int, *, more: int = 0) -> Sql:
        """As the standard does."""
        return Dialect.exact(self, value, digits, scale)

    def is_within(self, value: Sql, of: ColumnType) -> Sql | None:
        """Decimals are finite here."""
        return Dialect.is_within(self, value, of)

    def portable_text(self, value: Sql, of: ColumnType) -> Sql:
        """Booleans cannot be cast to text, and there is no JSON of a date."""
        if of.kind is Kind.BOOLEAN:
            texts = exp.Literal.string("true"), exp.Literal.string("false")
            return exp.Case().when(value.copy(), texts[0]).when(exp.not_(value.copy()), texts[1])
        return Dialect.portable_text(self, value, of)

    def groupable(self, value: Sql, of: ColumnType) -> Sql:
        """There are no arrays."""
        return Dialect.groupable(self, value, of)

    def group_text(self, key: Sql, of: ColumnType) -> Sql:
        """There are no arrays; texts lose their end marks."""
        return self.plain_text(key) if of.kind is Kind.TEXT else Dialect.group_text(self, key, of)

    def nested_literal(self, value: object, of: ColumnType) -> Sql | None:
        """There are no arrays."""
        return None

    def hexadecimal(self, value: Sql) -> Sql:
        """https://docs.aws.amazon.com/redshift/latest/dg/r_TO_HEX.html"""
        return exp.Anonymous(this="TO_HEX", expressions=[value])

    def nested_text(self, value: Sql) -> Sql:
        """https://docs.aws.amazon.com/redshift/latest/dg/JSON_SERIALIZE.html: of NULL it is a text."""
        text = exp.Anonymous(this="JSON_SERIALIZE", expressions=[value.copy()])
        return exp.Case().when(exp.not_(_is_null(value.copy())), text)

    def mean(self, value: Sql, of: ColumnType) -> Sql:
        """https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html: of integers a whole number."""
        return exp.Avg(this=self.double(value))

    def sampled_rows(self, relation: Sql, percent: float, seed: int) -> Sql | None:
        """https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html has none."""
        return None

    def hashable(self, value: Sql, of: ColumnType) -> Sql:
        """Texts are hashed: booleans have none, and floats one of 15 digits, so that their own hash stands
        for them; that of -0.0 is another than that of 0.0.
        """
        if of.kind is Kind.BOOLEAN:
            return self.portable_text(value, of)
        if of.kind is Kind.BINARY:
            return self.hexadecimal(value)
        if of.kind is not Kind.FLOAT:
            return value
        is_zero = exp.EQ(this=value.copy(), expression=exp.Literal.number("0.0"))
        own = self.text(exp.Anonymous(this="FNV_HASH", expressions=[value.copy()]))
        return exp.Case().when(is_zero, exp.Literal.string("0")).when(exp.not_(_is_null(value)), own)

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """https://docs.aws.amazon.com/redshift/latest/dg/r_FNV_HASH.html: seeds chain columns.

        FNV goes on from one byte to the next, so that each text says first how long it is.
        """

        def chained(seed: Sql | None, value: Sql) -> Sql:
            text = self.text(value)
            length = self.text(exp.Anonymous(this="OCTET_LENGTH", expressions=[text.copy()]))
            begun = exp.DPipe(this=length, expression=exp.Literal.string(":"), safe=True)
            told = exp.DPipe(this=begun, expression=text, safe=True)
            marked = exp.func("COALESCE", told, exp.Literal.string("~"))
            return exp.Anonymous(this="FNV_HASH", expressions=[marked] if seed is None else [marked, seed])

        seeded: Sql | None = reduce(chained, values, None)
        assert seeded is not None, "a hash of no columns"
        return seeded

    def approximate_distinct(self, value: Sql) -> Sql:
        """`APPROXIMATE COUNT(DISTINCT …)`, which sqlglot writes for this dialect."""
        return exp.ApproxDistinct(this=value)

    def without_zeros(self, text: Sql) -> Sql:
        """As the standard does."""
        return Dialect.without_zeros(self, text)

    def canonical_text(self, value: Sql, of: ColumnType) -> Sql:
        """There is no TRIM_SCALE."""
        return Dialect.canonical_text(self, value, of)

    def scientific(self, value: Sql) -> Sql | None:
        """https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_formating.html has no exponents."""
        return None

    def hex_number(self, digits: Sql) -> Sql:
        """https://docs.aws.amazon.com/redshift/latest/dg/r_STRTOL.html"""
        return exp.Anonymous(this="STRTOL", expressions=[digits, exp.Literal.number(16)])

    def median_as_double(self, value: Sql, of: ColumnType) -> Sql:
        """Any decimal is in the range of doubles here."""
        return Dialect.median_as_double(self, value, of)

    def count_distinct(self, value: Sql, of: ColumnType) -> Sql:
        """Texts are exact already."""
        return Dialect.count_distinct(self, value, of)

    def counts_distinct_rows(self, of: ColumnType) -> bool:
        """COUNT(DISTINCT …) hashes here."""
        return False

    def median(self, value: Sql) -> Sql:
        """https://docs.aws.amazon.com/redshift/latest/dg/r_MEDIAN.html"""
        return exp.Anonymous(this="MEDIAN", expressions=[value])

    def median_moment(self, value: Sql) -> Sql | None:
        """Its MEDIAN of dates lies between the middle two."""
        return None

    def length(self, value: Sql, of: ColumnType) -> Sql | None:
        """Arrays are SUPER."""
        if of.kind is Kind.ARRAY:
            return exp.Anonymous(this="GET_ARRAY_LENGTH", expressions=[value])
        return super().length(value, of)

    def ordered_text(self, value: Sql) -> Sql:
        """Redshift sorts by bytes, unless a collation ignores case."""
        return _case_sensitive(value)

    def is_blank(self, value: Sql) -> Sql:
        """No collation matters."""
        return exp.EQ(this=exp.Trim(this=value), expression=exp.Literal.string(""))


def _case_sensitive(value: Sql) -> Sql:
    words = exp.Literal.string("case_sensitive")
    return exp.Anonymous(this="COLLATE", expressions=[value, words])


def _is_null(value: Sql) -> Sql:
    return exp.Is(this=value, expression=exp.null())
