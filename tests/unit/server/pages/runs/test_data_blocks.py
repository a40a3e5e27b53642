"""Data diffs on a page: results that are too long for it are shown in part."""

from __future__ import annotations

import pytest

from recce_meta.models.data_diff import (
    ColumnHistogram,
    ColumnTopK,
    HistogramDiff,
    Subject,
    TopKDiff,
    TopValue,
)
from recce_meta.server.pages.runs.blocks import DATA_CHARACTERS, data_blocks

ORDERS = Subject(name="orders")
MANY = 60


def top_values(number: int) -> ColumnTopK:
    """A column of ten values; only the last one differs."""
    values = tuple(
        TopValue(value=f"value {one} of a column", base=9, current=9 + (number == MANY - 1))
        for one in range(10)
    )
    return ColumnTopK(
        name=f"c{number}", values=values, base_valid=90, base_total=90, current_valid=90, current_total=90
    )


def histogram(number: int) -> ColumnHistogram:
    """A column of 50 bins; only the last one differs."""
    return ColumnHistogram(
        name=f"c{number}",
        edges=tuple(range(51)),
        base=(7,) * 50,
        current=(8 if number == MANY - 1 else 7,) * 50,
        base_total=350,
        current_total=350,
    )


@pytest.mark.parametrize(
    "result",
    [
        TopKDiff(subject=ORDERS, k=10, columns=tuple(map(top_values, range(MANY)))),
        HistogramDiff(subject=ORDERS, columns=tuple(map(histogram, range(MANY)))),
    ],
    ids=["top values", "histogram"],
)
def test_columns_that_differ_are_shown_first_if_not_all_fit(result: TopKDiff | HistogramDiff) -> None:
    (block,) = data_blocks([result])

    assert len(block) <= DATA_CHARACTERS
    assert f"1 of {MANY} columns differs" in block, "the verdict is about all columns"
    assert f"of {MANY} columns are shown, those that differ first" in block
    assert f"<code>c{MANY - 1}</code>" in block and "too long" not in block
