"""Every plan on sides that have few columns, no rows or nothing in common: an answer, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlglot import exp

from recce_meta.api.data.jobs import details, values
from recce_meta.data_diff.detail import query_diff
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.row_count import row_counts
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.schema import schema_diff
from recce_meta.data_diff.source import Pair
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.errors import UsageError

KEYED = ValueOptions(key=("id",))
PLANS: dict[str, Callable[[Pair], Plan[Any]]] = {
    "row_count": lambda pair: row_counts([pair]),
    "schema": schema_diff,
    "profile": profile_diff,
    "value": lambda pair: values(pair, ValueOptions()),
    "value by key": lambda pair: values(pair, KEYED),
    "detail": lambda pair: details(pair, KEYED),
    "rows": lambda pair: rows_diff(pair, ValueOptions()),
    "top_k": top_k_diff,
    "histogram": histogram_diff,
    "query": lambda pair: query_diff(pair, ValueOptions(), base_sql="", current_sql=""),
    "query by key": lambda pair: query_diff(pair, KEYED, base_sql="", current_sql=""),
}
ID, OTHER = {"id": "integer"}, {"other": "date"}
MANY = {f"column {number}": "integer" for number in range(51)}
SHAPES: dict[str, tuple[dict[str, str], list[Any], dict[str, str], list[Any]]] = {
    "a column of base alone": ({**ID, **OTHER}, [(1, "2026-01-01")], ID, [(1,)]),
    "a column of base alone, and no row": ({**ID, **OTHER}, [(1, "2026-01-01")], ID, []),
    "no column in common": (ID, [(1,)], OTHER, [("2026-01-01",)]),
    "no column in common, and no row": (ID, [], OTHER, []),
    "no row": ({**ID, **OTHER}, [], {**ID, **OTHER}, []),
    "no row in common": (ID, [(1,)], ID, [(2,)]),
    "51 columns of one side each": ({**ID, **MANY}, [(1, *range(51))], {**ID, **OTHER}, []),
}


@pytest.mark.cases(2)
@pytest.mark.parametrize("is_joined", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_plan_sends_what_a_warehouse_refuses(bench: Any, shape: str, is_joined: bool) -> None:
    before, old, after, new = SHAPES[shape]
    bench.fill("old", before, old)
    bench.fill("new", after, new)
    pair = bench.pair("old", "new", is_joined=is_joined)

    for name, plan in PLANS.items():
        try:
            found = bench.run(plan(pair))
        except UsageError as error:
            assert "no column in common" in shape, (name, error)
            continue
        selects = [each for query in bench.asked for each in query.expression.find_all(exp.Select)]
        assert all(select.expressions for select in selects), name
        for column in getattr(found, "columns", ()):
            reason = getattr(column, "reason", None)
            assert reason is None or reason.startswith(("no row has a value", "every value is")), (
                name,
                reason,
            )
