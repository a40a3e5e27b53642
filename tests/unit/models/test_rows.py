"""Rows of results: cells, columns that do not depend on the values, and HTML that cannot become markup."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa
import pytest

from recce_meta.models import Change, Check, NodeMetadata, RunDiff, RunMetadata, Status
from recce_meta.models.change import Category, Impact
from recce_meta.models.data_diff import (
    ColumnTopK,
    Failed,
    NotCompared,
    ProfileDiff,
    QueryDiff,
    Subject,
    TopKDiff,
    TopValue,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.rows import ResultList, RowTable, Scalar, TableWriter
from recce_meta.tables import results
from recce_meta.tables.arrow import arrow_table
from recce_meta.tables.rows import ROWS_SHOWN, scalar

RUN = RunMetadata(run_id="r", run_at=datetime(2026, 1, 1, tzinfo=timezone.utc), project_name="shop")
CHANGE = Change(
    unique_id="model.shop.a",
    name="a",
    resource_type="model",
    status=Status.MODIFIED,
    category=Category.BREAKING,
    category_reasons=("filter changed", "join added"),
)
PARIS = ZoneInfo("Europe/Paris")


def diff(*changes: Change) -> RunDiff:
    """A diff of one run with itself, with *changes*."""
    impact = Impact(
        unique_id="model.shop.b", name="b", resource_type="model", distance=1, origin="model.shop.a"
    )
    return RunDiff(base=RUN, current=RUN, changes=changes, impacted=(impact,) if changes else ())


def test_a_diff_has_a_row_for_each_change_and_each_affected_node() -> None:
    first, second = diff(CHANGE).to_dicts()

    assert (first["status"], first["category"], first["category_reasons"]) == (
        "modified",
        "breaking",
        "filter changed; join added",
    )
    assert (second["name"], second["status"], second["origins"]) == ("b", "impacted", "model.shop.a")


def test_an_empty_diff_can_be_filtered() -> None:
    empty = diff().to_polars()

    assert empty.schema == diff(CHANGE).to_polars().schema
    assert empty.filter(pl.col("category") == "breaking").is_empty()


@pytest.mark.parametrize("kind", [Change, RunMetadata, Check, NodeMetadata])
def test_an_empty_list_has_the_columns_of_its_items(kind: type) -> None:
    full = {
        Change: CHANGE,
        RunMetadata: RUN,
        Check: Check("store", None, "none yet"),
        NodeMetadata: NodeMetadata(unique_id="model.shop.a", name="a", resource_type="model"),
    }[kind]

    assert ResultList(kind, []).to_arrow().schema == ResultList(kind, [full]).to_arrow().schema


def test_a_list_of_results_is_a_list() -> None:
    runs = ResultList(RunMetadata, [RUN])

    assert runs == [RUN] and runs[0] is RUN and isinstance(runs, list)
    assert runs.to_dicts()[0]["run_at"] == RUN.run_at
    assert runs[:1].to_dicts() == runs.to_dicts()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None], pa.int64()),
        ([2**63], pa.decimal128(38, 0)),
        ([10**38], pa.string()),
        ([True, False], pa.bool_()),
        ([True, 1], pa.string()),
        ([1, 0.5], pa.float64()),
        ([2**53 + 1, 0.5], pa.string()),
        ([Decimal("1.5"), Decimal("1.25"), 3], pa.decimal128(38, 2)),
        ([Decimal("1E+3")], pa.decimal128(38, 0)),
        ([Decimal("NaN")], pa.string()),
        ([Decimal("0." + "1" * 38), Decimal(1)], pa.string()),
        ([timedelta(seconds=1)], pa.duration("us")),
        ([datetime(2026, 1, 1)], pa.timestamp("us")),
        ([datetime(2026, 1, 1, tzinfo=PARIS)], pa.timestamp("us", "Europe/Paris")),
        ([datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))], pa.timestamp("us", "UTC")),
        (
            [datetime(2026, 1, 1, tzinfo=PARIS), datetime(2026, 1, 1, tzinfo=timezone.utc)],
            pa.timestamp("us", "UTC"),
        ),
        ([datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=PARIS)], pa.string()),
        ([None], pa.null()),
        ([], pa.null()),
    ],
)
def test_a_type_holds_every_value_exactly(values: list[Scalar], expected: pa.DataType) -> None:
    column = arrow_table(RowTable({"x": object}, [(value,) for value in values]))["x"]

    assert column.type == expected
    if expected != pa.string():
        assert column.to_pylist() == values


def test_a_container_is_json_without_loss() -> None:
    assert (
        scalar({"a": [Decimal("1.50"), float("nan"), b"\xff", None]}) == r'{"a":["1.50","nan","\\xff",null]}'
    )
    assert scalar({1: "x"}) == '[[1,"x"]]'


def test_names_and_values_cannot_become_markup() -> None:
    hostile = '<script>alert("x")</script>'
    html = diff(
        Change(unique_id=hostile, name=hostile, resource_type="model", status=Status.ADDED)
    )._repr_html_()

    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "http" not in html and "style" not in html


def test_a_notebook_shows_the_first_rows_and_the_notes() -> None:
    nodes = [NodeMetadata(unique_id=str(n), name="n", resource_type="model") for n in range(ROWS_SHOWN + 5)]
    failed = Failed(subject=Subject(name="a"), diff="value_diff", error="x", notes=("a <note>",))

    assert "5 more rows are not shown" in ResultList(NodeMetadata, nodes)._repr_html_()
    assert "<p>a &lt;note&gt;</p>" in failed._repr_html_()


def test_columns_of_equal_names_are_kept_apart() -> None:
    detail = ValueDetail(
        subject=Subject(name="a"), key=("row_status",), key_source="option", columns=("x", "x_base"), limit=1
    )

    assert list(detail.to_table().types) == [
        *("row_status", "row_status_", "x_base", "x_current", "x_base_base", "x_base_current"),
    ]


def test_results_of_other_kinds_have_rows() -> None:
    subject = Subject(name="a", unique_id="model.shop.a")
    top = TopKDiff(
        subject=subject,
        k=1,
        columns=(
            ColumnTopK(
                name="x", values=(TopValue(value="v", base=1, current=3),), base_valid=0, current_valid=4
            ),
            ColumnTopK(name="y", reason="no common type"),
        ),
    )

    assert [(row["column"], row["current_share"], row["reason"]) for row in top.to_dicts()] == [
        ("x", 0.75, None),
        ("y", None, "no common type"),
    ]
    assert NotCompared(subject=subject, diff="value_diff", reason="too large").to_dicts() == [
        {
            "unique_id": "model.shop.a",
            "node": "a",
            "base_relation": None,
            "current_relation": None,
            "diff": "value_diff",
            "reason": "too large",
        }
    ]
    assert QueryDiff(subject=subject, base_sql="", current_sql="").to_dicts() == []
    (empty,) = ProfileDiff(subject=subject, columns=()).to_dicts()
    assert (empty["column"], empty["not_compared"]) == (None, "no column")
    value = ValueDiff(
        subject=subject, key=("id",), key_source="option", base=None, current=None, base_only=("x",)
    )
    assert [(row["column"], row["status"]) for row in value.to_dicts()] == [
        ("id", "key"),
        ("x", "only_in_base"),
    ]


def test_the_package_of_tables_has_what_results_call_of_it() -> None:
    writer: TableWriter = results  # mypy compares the types

    names = {name for name in vars(TableWriter) if not name.startswith("_")}
    assert names == {*results.__all__} and all(hasattr(writer, name) for name in names)
