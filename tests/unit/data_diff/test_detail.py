"""Rows that differ: those of several queries are put together."""

from __future__ import annotations

import pytest

from recce_meta.data_diff.detail import _merged
from recce_meta.errors import RecceMetaError
from recce_meta.models.data_diff import DetailRow


def row(key: object, value: int) -> DetailRow:
    return DetailRow(status="changed", key=(key,), base=(value,), current=(value + 1,))  # type: ignore[arg-type]


def test_columns_of_several_queries_are_put_together_even_if_a_key_is_nan() -> None:
    nan = [float("nan"), float("nan")]

    (merged,) = _merged("orders", [[row(nan[0], 1)], [row(nan[1], 5)]])

    assert (merged.base, merged.current) == ((1, 5), (2, 6))


def test_queries_that_return_other_rows_are_an_error() -> None:
    for other in ([], [row(2, 5)]):
        with pytest.raises(RecceMetaError, match="orders changed while"):
            _merged("orders", [[row(1, 1)], other])
