"""Schemas: order, case, types of one meaning, columns as they were recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Answer, Queries, run_plan
from recce_meta.data_diff.sample import row_sample
from recce_meta.data_diff.schema import OTHER_WAREHOUSE, schema_diff, stored_schema_diff
from recce_meta.data_diff.source import Pair, SideRelation, select_columns, table
from recce_meta.errors import UsageError
from recce_meta.models import Column
from recce_meta.models.data_diff import DataSide, SchemaDiff, Subject
from recce_meta.report.data.verdicts import Outcome, verdict
from recce_meta.tables.gaps import limits_of
from recce_meta.warehouses.dialect import Dialect, dialect_named

SUBJECT = Subject(name="orders")
DUCKDB = dialect_named("duckdb")
POSTGRES = dialect_named("postgres")
Columns = Sequence[tuple[str, str]]


def stored(base: Sequence[str], current: Sequence[str], dialect: Dialect = POSTGRES) -> SchemaDiff:
    """The diff of columns written as `name type`."""
    sides = [[Column(*text.split(" ", 1)) for text in texts] for texts in (base, current)]
    return stored_schema_diff(SUBJECT, sides[0], sides[1], dialect)


def statuses(found: SchemaDiff) -> list[tuple[str, str]]:
    return [(column.name, column.status) for column in found.columns]


def test_one_column_moved_to_the_front_is_all_that_moved() -> None:
    found = stored(["a int", "b int", "c int", "d int"], ["d int", "a int", "b int", "c int"])

    assert statuses(found) == [("d", "moved"), ("a", "unchanged"), ("b", "unchanged"), ("c", "unchanged")]
    assert (found.columns[0].base_position, found.columns[0].current_position) == (4, 1)


def test_columns_that_come_and_go_move_nothing() -> None:
    found = stored(["gone int", "a int", "b int"], ["new int", "a int", "also_new int", "b int"])

    assert statuses(found) == [
        ("gone", "removed"),
        ("new", "added"),
        ("a", "unchanged"),
        ("also_new", "added"),
        ("b", "unchanged"),
    ]


@pytest.mark.parametrize(
    ("base", "current", "status"),
    [
        ("character varying", "text", "unchanged"),
        ("INTEGER", "int", "unchanged"),
        ("decimal(10,2)", "DECIMAL(10, 2)", "unchanged"),
        ("decimal(10,2)", "decimal(12,2)", "retyped"),
        ("varchar(10)", "varchar(20)", "retyped"),
        ("mood", "mood", "unchanged"),
        ("mood", "text", "retyped"),
    ],
)
def test_types_are_equal_when_they_mean_the_same(base: str, current: str, status: str) -> None:
    assert stored([f"a {base}"], [f"a {current}"]).columns[0].status == status


def test_case_counts_where_the_warehouse_says_so() -> None:
    assert statuses(stored(["Id int"], ["id int"], DUCKDB)) == [("id", "unchanged")]
    assert statuses(stored(["Id int"], ["id int"], POSTGRES)) == [("Id", "removed"), ("id", "added")]


def test_a_side_without_the_node_or_without_columns() -> None:
    added = stored_schema_diff(SUBJECT, None, [Column("a", "int")], POSTGRES)
    unknown = stored_schema_diff(SUBJECT, [], [Column("a", "int")], POSTGRES)

    assert (statuses(added), added.notes, added.source) == ([("a", "added")], (), "stored")
    assert len(unknown.notes) == 1 and "base" in unknown.notes[0]


@given(st.lists(st.sampled_from("abcdefgh"), unique=True), st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_moved_columns_are_the_fewest_that_explain_the_order(base: list[str], current: list[str]) -> None:
    found = stored([f"{name} int" for name in base], [f"{name} int" for name in current])

    moved = {column.name for column in found.columns if column.status == "moved"}
    kept = [name for name in base if name in current and name not in moved]
    assert kept == [name for name in current if name in base and name not in moved]
    common = [name for name in base if name in current]
    assert bool(moved) == (common != [name for name in current if name in base])
    swapped = stored([f"{name} int" for name in current], [f"{name} int" for name in base])
    count = sum(column.status == "moved" for column in swapped.columns)
    assert count == len(moved)
    words = {"added": "removed", "removed": "added"}
    assert sorted(
        (name, words.get(status, "")) for name, status in statuses(found) if status in words
    ) == sorted((name, status) for name, status in statuses(swapped) if status in words)


def pair_of(base: Dialect, current: Dialect) -> Pair:
    """A relation in two warehouses."""
    before, after = (
        SideRelation(relation=table(dialect, "orders"), dialect=dialect, side=side, name="orders")
        for side, dialect in ((DataSide.BASE, base), (DataSide.CURRENT, current))
    )
    return Pair(subject=SUBJECT, base=before, current=after, is_joined=False)


def columns_of(base: Columns, current: Columns) -> Callable[[Queries], list[Answer]]:
    """A warehouse whose relations have these columns."""
    return lambda queries: [list(base if query.side is DataSide.BASE else current) for query in queries]


def test_two_warehouses_are_compared_by_what_their_types_hold() -> None:
    pair = pair_of(DUCKDB, dialect_named("snowflake"))
    base, current = [("id", "BIGINT"), ("at", "VARCHAR")], [("id", "NUMBER(38,0)"), ("at", "DATE")]

    found = run_plan(schema_diff(pair), columns_of(base, current))

    assert statuses(found) == [("id", "unchanged"), ("at", "retyped")]
    assert found.notes == (OTHER_WAREHOUSE,)


@pytest.mark.parametrize("names", [("snowflake", "postgres"), ("postgres", "snowflake")])
def test_two_kinds_of_warehouses_write_one_name_in_two_cases(names: tuple[str, str]) -> None:
    types = {
        "snowflake": [("ID", "NUMBER(38,0)"), ("AT", "DATE")],
        "postgres": [("id", "bigint"), ("at", "date")],
    }
    base, current = (types[name] for name in names)
    pair, ask = pair_of(*map(dialect_named, names)), columns_of(base, current)

    assert [status for _, status in statuses(run_plan(schema_diff(pair), ask))] == ["unchanged", "unchanged"]
    chosen = run_plan(select_columns(pair, columns=["id"]), ask).columns
    assert [(one.base and one.base.name, one.current and one.current.name) for one in chosen] == [
        (base[0][0], current[0][0])
    ]


def test_a_sample_of_two_warehouses_needs_a_column_of_both() -> None:
    pair = pair_of(POSTGRES, dialect_named("snowflake"))

    with pytest.raises(UsageError, match="share none of them"):
        run_plan(row_sample(pair, ValueOptions()), columns_of([("id", "bigint")], [("AT", "DATE")]))


def test_names_that_differ_in_case_alone_stay_apart_between_kinds_of_warehouses() -> None:
    base, current = [("id", "bigint"), ("Id", "bigint")], [("ID", "NUMBER(38,0)"), ("Id", "NUMBER(38,0)")]

    found = run_plan(schema_diff(pair_of(POSTGRES, dialect_named("snowflake"))), columns_of(base, current))

    assert sorted(statuses(found)) == [("ID", "added"), ("Id", "unchanged"), ("id", "removed")]


def test_columns_that_only_the_project_documents_are_not_called_the_same() -> None:
    columns = [Column("a", "int")]
    unknown = stored_schema_diff(SUBJECT, [], [], POSTGRES)
    documented = stored_schema_diff(SUBJECT, columns, columns, POSTGRES, documented=["current"])
    known = stored_schema_diff(SUBJECT, columns, columns, POSTGRES)

    assert [verdict(one).outcome for one in (unknown, documented, known)] == [
        Outcome.NOT_COMPARED,
        Outcome.PARTIAL,
        Outcome.EQUAL,
    ]
    assert limits_of(documented)[0].startswith("Only documented columns are recorded for current")
