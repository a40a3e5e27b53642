"""Edges of histograms, whatever their size."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from recce_meta.data_diff.bins import nice_width
from recce_meta.models.data_diff import ColumnHistogram
from recce_meta.report.data.figures import bin_text, edge_text


def test_an_edge_beyond_a_double_is_written_with_an_exponent() -> None:
    assert edge_text(10**309) == edge_text(Decimal("1e309")) == "1.000e+309"
    column = ColumnHistogram(name="a", edges=(0, 10**309), base=(1,))
    assert bin_text(column, 0) == "0 to 1.000e+309"


def test_an_edge_that_is_not_a_number_is_named_so() -> None:
    assert edge_text(float("nan")) == "NaN"
    assert bin_text(ColumnHistogram(name="a", edges=(0.0, float("nan")), base=(1,)), 0) == "0 to NaN"


def test_a_width_has_any_number_of_digits() -> None:
    assert nice_width(Fraction(10**5000)) == 10**5000
    assert nice_width(Fraction(3, 10**5000)) == Fraction(5, 10**5000)
