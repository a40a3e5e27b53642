"""Amazon Redshift dialect. Checked against AWS's documentation and an emulator; not run on a cluster yet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from sqlglot import exp

from recce_meta.warehouses.arithmetic import Arithmetic
from recce_meta.warehouses.dialect import Aggregates, CanonicalTexts, Dialect
from recce_meta.warehouses.postgres.dialect import Postgres
from recce_meta.warehouses.types import ColumnType, Kind, Sql

_END_MARK = 1
"""Code of a character that sorts before all others."""


class _Aggregates(Aggregates):
    """Aggregates of Redshift."""

    # https://docs.aws.amazon.com/redshift/latest/dg/r_MEDIAN.html: all in one SELECT must have the same
    # order, and a median of dates lies between the middle two
    median_function = "MEDIAN"
    has_many_medians = False
    has_median_moment = False
    array_length = "GET_ARRAY_LENGTH"  # arrays are SUPER

    def group_text(self, key: Sql, of: ColumnType) -> Sql:
        """Remove end marks from strings. Redshift has no arrays."""
        return self._dialect.plain_text(key) if of.kind is Kind.TEXT else super().group_text(key, of)

    def mean(self, value: Sql, of: ColumnType) -> Sql:
        """Convert to doubles, since AVG of integers is a whole number.

        https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html
        """
        return exp.Avg(this=self._dialect.double(value))


class Redshift(Postgres):
    """Redshift, provisioned and serverless."""

    name = "redshift"
    aggregates_type = _Aggregates
    canonical_type = CanonicalTexts
    has_slices = False
    ignores_case_of_columns = True
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CURRENT_NAMESPACE.html
    server = "CURRENT_NAMESPACE || '/' || CURRENT_DATABASE() || '/' || CURRENT_USER"
    # TO_REGCLASS is not documented. A cast fails for an unknown name.
    relation_named = "{}::REGCLASS"
    decimal_digits = 38
    text_type = "VARCHAR(65535)"

    def evaluated_once(self, select: exp.Select) -> exp.Select:
        """Leave it to the planner, since nothing is documented."""
        return select

    def differ(self, left: Sql, right: Sql) -> Sql:
        """Spell out `IS DISTINCT FROM`, which is not documented; the result is never NULL."""
        unequal = exp.NEQ(this=left.copy(), expression=right.copy())
        one_null = exp.NEQ(this=exp.paren(_is_null(left)), expression=exp.paren(_is_null(right)))
        return exp.paren(exp.or_(exp.func("COALESCE", unequal, exp.false()), one_null))

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """Compare SUPER by its JSON text."""
        return self.nested_text(value) if of.kind.is_nested else Dialect.comparable(self, value, of)

    def exact_text(self, value: Sql) -> Sql:
        """Append an end mark, since trailing blanks never count, and override collations that ignore case.

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
        """Pass digits and scale: `numeric` without digits has a scale of 0."""
        return Dialect.decimal(self, value, scale)

    def arithmetic(self, base: ColumnType, current: ColumnType) -> Arithmetic:
        """Return standard arithmetic: decimals have 38 digits."""
        return Dialect.arithmetic(self, base, current)

    def exact(self, value: Sql, digits: int, scale: int, *, more: int = 0) -> Sql:
        """Use the standard cast."""
        return Dialect.exact(self, value, digits, scale)

    def is_within(self, value: Sql, of: ColumnType) -> Sql | None:
        """Use the standard check: decimals are always finite."""
        return Dialect.is_within(self, value, of)

    def portable_text(self, value: Sql, of: ColumnType) -> Sql:
        """Spell out booleans, which cannot be cast to text, and avoid the JSON of a date, which does
        not exist.
        """
        if of.kind is Kind.BOOLEAN:
            texts = exp.Literal.string("true"), exp.Literal.string("false")
            return exp.Case().when(value.copy(), texts[0]).when(exp.not_(value.copy()), texts[1])
        return Dialect.portable_text(self, value, of)

    def nested_literal(self, value: object, of: ColumnType) -> Sql | None:
        """Return None, since Redshift has no arrays."""
        return None

    def hexadecimal(self, value: Sql) -> Sql:
        """https://docs.aws.amazon.com/redshift/latest/dg/r_TO_HEX.html"""
        return exp.Anonymous(this="TO_HEX", expressions=[value])

    def nested_text(self, value: Sql) -> Sql:
        """Use JSON_SERIALIZE, whose result for NULL is a string, so NULL is handled separately.

        https://docs.aws.amazon.com/redshift/latest/dg/JSON_SERIALIZE.html
        """
        text = exp.Anonymous(this="JSON_SERIALIZE", expressions=[value.copy()])
        return exp.Case().when(exp.not_(_is_null(value.copy())), text)

    def sampled_rows(self, relation: Sql, percent: float, seed: int) -> Sql | None:
        """Return None: https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html has no
        sampling.
        """
        return None

    def hashable(self, value: Sql, of: ColumnType) -> Sql:
        """Return a text to hash: booleans have none, and that of floats has only 15 digits.

        For floats, FNV_HASH of the value replaces the text. It differs for -0.0 and 0.0, so zero is handled
        separately.
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
        """Chain columns by seed: https://docs.aws.amazon.com/redshift/latest/dg/r_FNV_HASH.html

        FNV is a byte stream without separators, so each text is prefixed with its length.
        """

        def chained(seed: Sql | None, value: Sql) -> Sql:
            text = self.text(value)
            length = self.text(exp.Anonymous(this="OCTET_LENGTH", expressions=[text.copy()]))
            begun = exp.DPipe(this=length, expression=exp.Literal.string(":"), safe=True)
            prefixed = exp.DPipe(this=begun, expression=text, safe=True)
            marked = exp.func("COALESCE", prefixed, exp.Literal.string("~"))
            return exp.Anonymous(this="FNV_HASH", expressions=[marked] if seed is None else [marked, seed])

        seeded: Sql | None = reduce(chained, values, None)
        assert seeded is not None, "a hash of no columns"
        return seeded

    def scientific(self, value: Sql) -> Sql | None:
        """Return None, since formats have no exponents.

        https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_formating.html
        """
        return None

    def hex_number(self, digits: Sql) -> Sql:
        """https://docs.aws.amazon.com/redshift/latest/dg/r_STRTOL.html"""
        return exp.Anonymous(this="STRTOL", expressions=[digits, exp.Literal.number(16)])

    def ordered_text(self, value: Sql) -> Sql:
        """Sort by bytes, even if the collation ignores case."""
        return _case_sensitive(value)

    def is_blank(self, value: Sql) -> Sql:
        """Compare without an end mark, since no collation affects blanks."""
        return exp.EQ(this=exp.Trim(this=value), expression=exp.Literal.string(""))


def _case_sensitive(value: Sql) -> Sql:
    words = exp.Literal.string("case_sensitive")
    return exp.Anonymous(this="COLLATE", expressions=[value, words])


def _is_null(value: Sql) -> Sql:
    return exp.Is(this=value, expression=exp.null())
