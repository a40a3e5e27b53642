"""The writer of CSV and TSV, and rows of results that the e2e tests do not reach."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from recce_meta.models.change import Reach
from recce_meta.models.data_diff import (
    DetailRow,
    Failed,
    KeyCounts,
    NotCompared,
    RowsDiff,
    Subject,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.lineage import Direction, FailingNode, ImpactView, ReachedColumn, ReachedNode, Stop
from recce_meta.models.rows import RowTable
from recce_meta.report.tabular.data import OF_CELLS, data_table
from recce_meta.report.tabular.delimited import delimited, delimited_lines
from recce_meta.tables.data import COLUMNS

ORDERS = Subject(name="orders", unique_id="model.shop.orders", base="a.orders", current="b.orders")


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, ""),
        ("", '""'),
        ("a,b", '"a,b"'),
        ('say "x"', '"say ""x"""'),
        ("two\nlines", '"two\nlines"'),
        (" blank", '" blank"'),
        ("=1+1", "=1+1"),
        ("esc\x1b[31m", "esc\\x1b[31m"),
        (True, "true"),
        (2**60, str(2**60)),
        (0.1, "0.1"),
        (float("nan"), "NaN"),
        (Decimal("1.50"), "1.50"),
        (b"\x00\xff", "\\x00ff"),
        (datetime(2026, 11, 1, 8, tzinfo=timezone.utc), "2026-11-01T08:00:00Z"),
        (timedelta(hours=1), "PT3600S"),
        ({"id": 1}, '"{""id"":1}"'),
        (["a", None], '"[""a"",null]"'),
    ],
)
def test_a_value_is_one_field(value: object, field: str) -> None:
    table = RowTable({"a": object, "b": int}, [(value, 1)])

    assert delimited(table, "csv") == f"a,b\n{field},1\n"


def test_tsv_differs_in_the_separator_only() -> None:
    rows = [("a", "b"), ("x,y", "tab\there"), (None, None)]

    assert list(csv.reader(io.StringIO(delimited_lines(rows, "tsv")), delimiter="\t")) == list(
        csv.reader(io.StringIO(delimited_lines(rows, "csv")))
    )


def test_a_row_with_one_null_is_not_an_empty_line() -> None:
    assert delimited_lines([("a",), (None,)], "csv") == 'a\n""\n'


@pytest.mark.parametrize("kind", [*COLUMNS, *OF_CELLS])
def test_what_was_not_compared_is_a_row_with_its_reason(kind: str) -> None:
    results = [
        Failed(subject=ORDERS, diff=kind, error="no such table"),
        NotCompared(subject=ORDERS, diff=kind, reason="too many rows"),
    ]
    table = data_table(results, kind)

    assert [(row[1], *row[4:-2], row[-2]) for row in table.rows] == [
        ("orders", *[None] * (len(table.types) - 6), reason) for reason in ("no such table", "too many rows")
    ]


def test_columns_of_one_side_and_differing_keys_are_rows() -> None:
    counts = KeyCounts(rows=3, null_keys=1)
    diff = ValueDiff(
        subject=ORDERS, key=("id",), key_source="option", base=counts, current=counts, common=2,
        base_only=("old",), current_only=("new",),
    )  # fmt: skip
    table = data_table([diff], "value_diff")
    found = table.to_dicts()

    assert table == diff.to_table()
    assert [(row["column"], row["status"]) for row in found] == [
        ("id", "key"),
        ("old", "only_in_base"),
        ("new", "only_in_current"),
    ]
    assert all(row["key"] == "id" and row["base_rows"] == 3 and row["not_compared"] for row in found)


def test_differing_cells_of_a_changed_row_and_all_cells_of_an_added_row_are_rows() -> None:
    rows = (
        DetailRow(status="changed", key=(1,), base=("x", 1), current=("y", 1)),
        DetailRow(status="added", key=(2,), current=("z", None)),
    )
    diff = ValueDetail(
        subject=ORDERS, key=("id",), key_source="option", columns=("a", "b"), rows=rows, limit=2, is_cut=True
    )
    table = data_table([diff], "value_diff_detail")

    assert [row[4:10] for row in table.rows] == [
        (1, "changed", '{"id":1}', "a", "x", "y"),
        (2, "added", '{"id":2}', "a", None, "z"),
        (2, "added", '{"id":2}', "b", None, None),
    ]
    assert all("raise --limit" in row[-1] for row in table.rows)


def test_a_changed_row_whose_differences_are_withheld_is_a_row() -> None:
    row = DetailRow(status="changed", key=(1,), base=("***",), current=("***",))
    diff = ValueDetail(
        subject=Subject(name="orders"), key=("id",), key_source="option", columns=("v",), rows=(row,), limit=9
    )

    (found,) = data_table([diff], "value_diff_detail").rows

    assert "changed" in found and "***" not in found


def test_equal_rows_are_no_rows_and_a_summary_is_one() -> None:
    diff = RowsDiff(subject=ORDERS, columns=("a",), base_rows=2, current_rows=2, common=2)

    assert data_table([diff], "value_diff_detail").rows == []
    (row,) = data_table([diff], "value_diff").to_dicts()
    assert [row[name] for name in ("base_rows", "current_rows", "rows_added", "rows_common")] == [2, 2, 0, 2]
    assert row["column"] is None and row["rows_changed"] is None


def test_impact_has_a_row_for_each_column_whole_node_and_failing_node() -> None:
    def node(name: str, *reach: Reach, columns: tuple[str, ...] = ()) -> ReachedNode:
        found = tuple(ReachedColumn(name=column, distance=1, confidence=0.9) for column in columns)
        return ReachedNode(
            unique_id=name, name=name, resource_type="model", distance=1, reach=reach, confidence=1.0,
            path=(Stop("a", "id"), Stop(name)), columns=found,
        )  # fmt: skip

    failing = FailingNode(
        unique_id="t", name="t", resource_type="test", distance=1, confidence=1.0,
        path=(Stop("a", "id"), Stop("t")), references=(Stop("a", "id"),),
    )  # fmt: skip
    view = ImpactView(
        root="a",
        column="id",
        direction=Direction.DOWNSTREAM,
        nodes=(
            node("b", Reach.COLUMNS, columns=("id", "key")),
            node("c", Reach.ROWS, columns=("n",)),
            node("d"),
        ),
        fails=(failing,),
    )

    assert [(row[0], row[4], row[5], row[7], row[8]) for row in view.to_table().rows] == [
        ("b", Reach.COLUMNS, "id", False, "a.id > b"),
        ("b", Reach.COLUMNS, "key", False, "a.id > b"),
        ("c", Reach.ROWS, None, False, "a.id > c"),
        ("c", Reach.COLUMNS, "n", False, "a.id > c"),
        ("d", None, None, False, "a.id > d"),
        ("t", None, None, True, "a.id > t"),
    ]
