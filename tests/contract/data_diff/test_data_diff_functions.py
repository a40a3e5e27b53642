"""The public functions of data diffs, each on a small pair of tables."""

from __future__ import annotations

import pytest

import recce_meta
from recce_meta import UnifiedSqlAdapter
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models import Column, NodeMetadata
from recce_meta.models.data_diff import RowsDiff, ValueDetail, ValueDiff

ROWS = {
    "before": "(1, 'a', 1.5), (2, 'b', 2.5), (3, 'c', NULL)",
    "after": "(1, 'a', 1.5), (2, 'B', 2.5), (4, 'd', 4.5)",
}


@pytest.fixture
def tables(adapter: UnifiedSqlAdapter, schema: str) -> tuple[str, str]:
    """Two tables of three rows: one is removed, one added, one has another name."""
    names = []
    for name, rows in ROWS.items():
        table = adapter.quote_table(schema, name)
        adapter.execute(f"CREATE TABLE {table} (id integer, name varchar(10), price decimal(10, 2))")
        adapter.execute(f"INSERT INTO {table} VALUES {rows}")
        names.append(table)
    return names[0], names[1]


def node(relation: str, **fields: object) -> NodeMetadata:
    """A model at *relation*."""
    settings: dict[str, object] = {
        "unique_id": "model.shop.orders",
        "name": "orders",
        "resource_type": "model",
        "relation_name": relation,
        **fields,
    }
    return NodeMetadata(**settings)  # type: ignore[arg-type]


def test_rows_are_counted_on_both_sides(adapter: UnifiedSqlAdapter, tables: tuple[str, str]) -> None:
    found = recce_meta.row_count_diff(adapter, [tables, (None, tables[1])])

    assert [(count.base, count.current) for count in found.counts] == [(3, 3), (None, 3)]
    assert found.counts[1].base_reason == "only in current"


def test_columns_are_compared(adapter: UnifiedSqlAdapter, tables: tuple[str, str]) -> None:
    assert recce_meta.schema_diff(adapter, *tables).changed == ()


def test_values_are_compared_by_the_key_that_is_named(
    adapter: UnifiedSqlAdapter, tables: tuple[str, str]
) -> None:
    found = recce_meta.value_diff(adapter, *tables, key="id")

    assert isinstance(found, ValueDiff)
    assert (found.added, found.removed, found.common, found.changed) == (1, 1, 2, 1)
    folded = recce_meta.value_diff(
        adapter, *tables, key="id", options=recce_meta.ValueOptions(ignore_case=True)
    )
    assert folded.changed == 0


def test_values_are_compared_by_the_key_that_a_node_declares(
    adapter: UnifiedSqlAdapter, tables: tuple[str, str]
) -> None:
    base, current = (node(table, config={"unique_key": "id"}) for table in tables)

    found = recce_meta.value_diff(adapter, base, current)
    detail = recce_meta.value_diff_detail(adapter, base, current)

    assert isinstance(found, ValueDiff) and isinstance(detail, ValueDetail)
    assert (found.key, found.key_source) == (("id",), "unique_key")
    assert [(row.status, row.key) for row in detail.rows] == [
        ("changed", (2,)),
        ("removed", (3,)),
        ("added", (4,)),
    ]


def test_without_a_key_whole_rows_are_compared(adapter: UnifiedSqlAdapter, tables: tuple[str, str]) -> None:
    found = recce_meta.value_diff(adapter, *tables)

    assert isinstance(found, RowsDiff)
    assert (found.added, found.removed, found.common) == (2, 2, 1)


def test_columns_are_profiled_and_their_values_counted(
    adapter: UnifiedSqlAdapter, tables: tuple[str, str]
) -> None:
    (price,) = recce_meta.profile_diff(
        adapter, *tables, scope=recce_meta.FigureScope(columns=("price",))
    ).columns
    (name,) = recce_meta.top_k_diff(
        adapter, *tables, scope=recce_meta.FigureScope(columns=("name",)), k=1
    ).columns
    (bins,) = recce_meta.histogram_diff(
        adapter, *tables, scope=recce_meta.FigureScope(columns=("price",)), num_bins=3
    ).columns

    assert price.base is not None and price.current is not None
    assert (price.base.not_null_count, price.current.not_null_count) == (2, 3)
    assert [(top.value, top.base, top.current) for top in name.values] == [("a", 1, 1)]
    assert bins.base is not None and bins.current is not None
    assert (sum(bins.base), sum(bins.current)) == (2, 3)


def test_queries_are_compared(adapter: UnifiedSqlAdapter, tables: tuple[str, str]) -> None:
    before, after = (f"SELECT id, name FROM {table} WHERE id < 3; -- done" for table in tables)

    by_key = recce_meta.query_diff(adapter, before, after, key=["id"])
    whole = recce_meta.query_diff(adapter, before, after)

    assert by_key.values is not None and by_key.values.changed == 1
    assert whole.rows is not None and (whole.rows.added, whole.rows.removed) == (1, 1)


def test_what_cannot_be_compared_is_an_error(adapter: UnifiedSqlAdapter, tables: tuple[str, str]) -> None:
    with pytest.raises(UnknownNameError, match="key column 'idd'"):
        recce_meta.value_diff(adapter, *tables, key="idd")
    with pytest.raises(UsageError, match="No relation of"):
        recce_meta.profile_diff(adapter, None, None)
    with pytest.raises(UsageError, match="several statements"):
        recce_meta.query_diff(adapter, "SELECT 1; SELECT 2", "SELECT 1")


@pytest.mark.parametrize("key", [None, "id"])
def test_two_columns_with_one_name_are_compared_or_refused(
    adapter: UnifiedSqlAdapter, key: str | None
) -> None:
    sql = "SELECT 1 AS id, 2 AS amount, 3 AS amount"
    if adapter.warehouse.name == "postgres":
        with pytest.raises(UsageError, match="Two columns of base are called amount") as raised:
            recce_meta.query_diff(adapter, sql, f"{sql} ", key=key)
        assert raised.value.hint == "give one of them an alias"
        return
    found = recce_meta.query_diff(adapter, sql, f"{sql} ", key=key)
    assert (found.values or found.rows).is_equal


def test_one_statement_counts_differing_rows(adapter: UnifiedSqlAdapter, tables: tuple[str, str]) -> None:
    columns = tuple(
        Column(name=name, type=kind) for name, kind in adapter.describe(f"SELECT * FROM {tables[0]}")
    )
    base, current = (node(table, columns=columns, columns_from="catalog") for table in tables)
    renderer = recce_meta.SimpleTemplateRenderer(adapter, [current])

    names, rows = adapter.execute(recce_meta.generate_diff_sql(current.unique_id, renderer, [base]))

    assert dict(zip(names, rows[0], strict=True)) == {
        "differing_rows": 2,
        "added_rows": 2,
        "removed_rows": 2,
        "base_rows": 3,
        "current_rows": 3,
        "common_rows": 1,
    }


def test_a_statement_needs_a_base_both_relations_and_recorded_columns(adapter: UnifiedSqlAdapter) -> None:
    bare = node("a.b")
    renderer = recce_meta.SimpleTemplateRenderer(adapter, [bare])

    with pytest.raises(UsageError, match="No columns were recorded"):
        recce_meta.generate_diff_sql(bare.unique_id, renderer, "c.d")
    with pytest.raises(UsageError, match="no relation in base"):
        recce_meta.generate_diff_sql(bare.unique_id, renderer, [])
    with pytest.raises(UsageError, match="No base to compare"):
        recce_meta.generate_diff_sql(bare.unique_id, renderer)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM (SELECT 1 AS id) AS t ORDER BY RANDOM() LIMIT 5", "random values"),
        ("SELECT * FROM (SELECT 1 AS id) AS t LIMIT 5", "LIMIT without ORDER BY"),
        ("SELECT * FROM (SELECT 1 AS id) AS t ORDER BY id LIMIT 5", ""),
    ],
)
@pytest.mark.parametrize("key", [None, "id"])
def test_a_query_that_may_return_other_rows_each_time_is_remarked(
    sql: str, words: str, key: str | None
) -> None:
    with UnifiedSqlAdapter.from_url("duckdb:///:memory:") as adapter:
        found = recce_meta.query_diff(adapter, sql, f"{sql} ", key=key)

    assert [words in note and "other rows each time" in note for note in found.notes] == [True] * bool(words)


def test_rows_that_are_not_found_again_are_remarked(adapter: UnifiedSqlAdapter) -> None:
    sql = "SELECT g, random() AS r FROM generate_series(1, 20) AS t(g)"

    found = recce_meta.query_diff(adapter, sql, f"{sql} ").rows

    assert found is not None and (found.added, found.removed) == (20, 20)
    assert (found.rows, found.is_cut) == ((), True)
    assert any("not found again" in note for note in found.notes)
