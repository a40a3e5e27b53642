"""Every share that a report names is the share that it says: recomputed from the rows."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.row_count import row_counts
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.data_diff.value import value_diff
from recce_meta.report.data.text import data_text
from recce_meta.report.values import percent

# Sides of different sizes, mostly NULL, with NaN outside of all bins.
BASE = [(n, n // 5 * 10.0 if n < 10 else float("nan") if n < 12 else None) for n in range(1000)]
CURRENT = [(n, n // 8 * 10.0 if n < 10 else None) for n in range(800)]


@pytest.mark.beyond_emulators
def test_shares_are_of_the_whole_that_they_name(bench: Any) -> None:
    columns = {"id": "integer", "v": "double precision"}
    bench.fill("base", columns, BASE)
    bench.fill("current", columns, CURRENT)
    pair = bench.pair("base", "current")
    both = [(old[1], new[1]) for old, new in zip(BASE, CURRENT, strict=False)]
    changed = sum(repr(old) != repr(new) for old, new in both)

    def shown(plan: Any) -> str:
        return data_text([bench.run(plan)], color=False, width=200)

    def of(rows: list[Any], value: float) -> str:
        return percent(sum(row[1] == value for row in rows) / len(rows))

    histogram = shown(histogram_diff(pair, columns=["v"]))
    assert f"{of(BASE, 0.0)} → {of(CURRENT, 0.0)} of all rows" in histogram
    assert "10 rows, 2 NaN or infinite, 988 NULL" in histogram and "10 rows, 790 NULL" in histogram
    top = shown(top_k_diff(pair, columns=["v"]))
    assert all(of(rows, 0.0) in top for rows in (BASE, CURRENT))
    profile = shown(profile_diff(pair))
    assert percent(12 / 1000) in profile and percent(10 / 800) in profile
    values = shown(value_diff(pair, ValueOptions(key=("id",))))
    assert f"{changed} of 800 rows changed ({percent(changed / 800)})" in values
    assert percent(1 - changed / 800) in values
    assert percent(-200 / 1000) in shown(row_counts([pair])).replace("−", "-")
