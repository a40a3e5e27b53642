"""Values by key across two targets: values that no type holds, sides that change, and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from sqlglot import exp, parse_one

from recce_meta import UnifiedSqlAdapter, value_diff, value_diff_detail
from recce_meta.api.data.execution import open_data_diff_runner
from recce_meta.data_diff import across
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Loaded, Plan, Query, rows_of
from recce_meta.errors import ConfigurationError, QueryCancelled, QueryTimeout, RecceMetaError, UsageError
from recce_meta.report.values import cell_text
from recce_meta.warehouses.dialect import dialect_named

Sides = tuple[UnifiedSqlAdapter, UnifiedSqlAdapter]


@pytest.fixture(params=[0, 20_000], ids=["in parts", "whole"])
def sides(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    """SQLite, which keeps any value in any column, and DuckDB."""
    monkeypatch.setattr(across, "FEW_ROWS", request.param)
    urls = (f"{name}:///{tmp_path / name}.db" for name in ("sqlite", "duckdb"))
    base, current = (UnifiedSqlAdapter.from_url(url) for url in urls)
    with base, current:
        yield base, current


def compared(sides: Sides, of: str, base: str, current: str, **options: Any) -> Any:
    """The diff of two tables with the column v, of type *of*, and the values of each side."""
    for adapter, values in zip(sides, (base, current), strict=True):
        adapter.execute(f"CREATE TABLE t (id INTEGER, v {of})")
        adapter.execute(f"INSERT INTO t VALUES {values}")
    threads = options.pop("threads", None)
    return value_diff(
        sides[1], "t", "t", key="id", base_adapter=sides[0], options=ValueOptions(**options), threads=threads
    )


@pytest.mark.cases(4)
@pytest.mark.parametrize("of", ["INTEGER", "DECIMAL(9, 2)", "DATE", "TIMESTAMP"])
@pytest.mark.parametrize("odd", ["~N", "a|b", "~", "~t", "a\nb"])
def test_a_text_in_a_column_of_another_type_is_not_null_and_no_second_value(
    sides: Sides, of: str, odd: str
) -> None:
    found = compared(sides, of, f"(1, NULL), (2, '{odd}')", "(1, NULL), (2, NULL)")

    assert (found.changed, found.common) == (1, 2)
    assert found.columns[1].examples[0].base == odd


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    ("of", "base", "current"),
    [
        ("INTEGER", "5.7", "6"),
        ("INTEGER", "5.000000000000001", "5"),
        ("DECIMAL(18, 17)", "0.30000000000000004", "0.3"),
        ("DOUBLE", "'abc'", "0"),
        ("BOOLEAN", "2", "true"),
        ("BOOLEAN", "'x'", "false"),
        ("DATE", "'2024-01-01 23:59:59'", "'2024-01-01'"),
        ("TIME", "'12:00:00+02'", "'12:00:00'"),
        ("TIMESTAMP", "'2024-01-01 10:00:00+05:00'", "'2024-01-01 10:00:00'"),
        ("BLOB", "'ab'", "'\\xAB'::BLOB"),
        ("VARCHAR", "x'61'", "'a'"),
        ("UUID", "'no uuid'", "uuid()"),
    ],
)
def test_a_value_that_no_type_gives_back_equals_no_other(
    sides: Sides, of: str, base: str, current: str
) -> None:
    found = compared(sides, of, f"(1, {base}), (2, NULL)", f"(1, {current}), (2, NULL)")
    rows = value_diff(sides[1], "t", "t", base_adapter=sides[0])

    assert (found.is_equal, found.changed, found.columns[1].matched) == (False, 1, 1)
    assert (rows.added, rows.removed) == (1, 1)


def test_a_date_with_an_odd_time_is_no_timestamp(sides: Sides) -> None:
    for adapter, of in zip(sides, ("DATE", "TIMESTAMP"), strict=True):
        adapter.execute(f"CREATE TABLE t (id INTEGER, v {of})")
    sides[0].execute("INSERT INTO t VALUES (1, '2024-01-01 10:00:00.5'), (2, 'soon'), (3, '2024-01-02')")
    sides[1].execute("INSERT INTO t VALUES (1, '2024-01-01 10:00:00'), (2, NULL), (3, '2024-01-02')")

    found = value_diff(sides[1], "t", "t", key="id", base_adapter=sides[0])

    assert [one.key for one in found.columns[1].examples] == [(1,), (2,)] and found.changed == 2


def test_columns_without_a_common_text_are_compared_as_the_type_of_a_cast(sides: Sides) -> None:
    base, current = "(1, '5 days'), (2, '1 day')", "(1, INTERVAL 5 DAY), (2, INTERVAL 2 DAY)"
    found = compared(sides, "INTERVAL", base, current)
    assert str(found.columns[1].reason).endswith("have no common text; choose one with --cast v=TYPE")

    for options in (ValueOptions(cast={"V": "text"}), ValueOptions(cast={"v": "text"}, where="id = 1")):
        by_key = value_diff(sides[1], "t", "t", key="id", base_adapter=sides[0], options=options)
        rows = value_diff(sides[1], "t", "t", base_adapter=sides[0], options=options)

        wanted = 0 if options.where else 1
        assert (by_key.changed, rows.added, rows.removed) == (wanted,) * 3
        assert by_key.is_equal is rows.is_equal is (None if options.where else False)
        assert by_key.columns[1].base_type == by_key.columns[1].current_type == "text"


@pytest.mark.parametrize(
    ("cast", "message"),
    [
        ({"w": "text"}, "Unknown column 'w' in t"),
        ({"v": "no type"}, "Type of --cast v unknown: no type"),
        ({"v": "numeric(10,2),w=int"}, r"Type of --cast v unknown: numeric\(10,2\),w=int"),
        ({"v": "date)--"}, r"Type of --cast v unknown: date\)--"),
        ({"v": "date; select 1"}, "Type of --cast v unknown"),
        ({"v": " "}, "Type of --cast v unknown"),
        ({"v": 5}, r"The cast .* is not a mapping"),
    ],
)
def test_a_cast_of_no_column_or_no_type_is_refused(sides: Sides, cast: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compared(sides, "INTEGER", "(1, 1)", "(1, 1)", cast=cast)


REPORTED = "Comparison of t failed: different texts count as equal"


def test_different_texts_never_count_as_equal(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(across, "_rewritten", lambda name, kind: name)

    with pytest.raises(RecceMetaError, match=REPORTED):
        compared(sides, "INTEGER", "(1, 5.7), (2, 1)", "(1, 6), (2, 2)")
    with pytest.raises(RecceMetaError, match=REPORTED):
        value_diff_detail(sides[1], "t", "t", key="id", base_adapter=sides[0])


def test_an_option_explains_different_texts(sides: Sides) -> None:
    found = compared(sides, "DOUBLE", "(1, 1.5), (1, 3), (2, 1.5)", "(1, 9), (2, 1.25)", tolerance=0.5)

    assert (found.changed, found.common, found.is_equal) == (0, 1, False)


def test_keys_that_are_repeated_leave_the_others_to_be_compared(sides: Sides) -> None:
    found = compared(sides, "INTEGER", "(4, NULL), (0, 1), (0, 2), (5, 5)", "(4, 1), (0, 3), (5, 6)")

    assert (found.changed, found.common, found.left_out) == (2, 2, 2)
    assert (found.columns[1].mismatched, found.columns[1].null_to_value) == (2, 1)


def test_a_part_that_differs_has_a_row_that_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = across._texts

    def unlike(columns: Any, source: Any, **shown: bool) -> Any:
        texts = written(columns, source, **shown)
        return texts if shown or len(columns) == 1 else [*texts, exp.Literal.string(source.side.value)]

    monkeypatch.setattr(across, "FEW_ROWS", 0)
    monkeypatch.setattr(across, "_texts", unlike)
    with both_of("duckdb", None, tmp_path) as sides, pytest.raises(RecceMetaError, match=REPORTED):
        compared(sides, "INTEGER", "(1, 5)", "(1, 5)")


def test_values_do_not_move_to_another_column(sides: Sides) -> None:
    for adapter, row in zip(sides, ("1, '1|2', '3'", "1, '1', '2|3'"), strict=True):
        adapter.execute("CREATE TABLE t (id INTEGER, a VARCHAR, b VARCHAR)")
        adapter.execute(f"INSERT INTO t VALUES ({row})")

    found = value_diff(sides[1], "t", "t", key="id", base_adapter=sides[0])

    assert [column.mismatched for column in found.columns] == [0, 1, 1]


def test_one_value_that_fits_no_decimal_leaves_the_tolerance_to_all_others(sides: Sides) -> None:
    base = "(1, 1.00), (2, 9e40), (3, 5)"
    found = compared(sides, "DOUBLE", base, "(1, 1.001), (2, 9e40), (3, 6)", tolerance=0.01)

    assert (found.changed, found.columns[1].largest_difference) == (1, 1)
    assert found.columns[1].is_difference_rounded and found.is_equal is False


def test_a_tolerance_for_what_is_no_number_is_said_to_be_unused(sides: Sides) -> None:
    found = compared(sides, "INTEGER", "(1, 'abc'), (2, 5)", "(1, 7), (2, 5)", tolerance=0.5)

    assert found.changed == 1
    assert "the tolerance was not used for v: not every value is a number" in found.notes


def test_sides_that_change_meanwhile_have_no_answer(sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = across._SeparateSides.loaded

    def later(self: Any, source: Any) -> Loaded:
        sides[0].execute("DELETE FROM t WHERE id = 2")
        return loaded(self, source)

    monkeypatch.setattr(across._SeparateSides, "loaded", later)
    # With one thread, SQLite would keep the moment of the first statement.
    with pytest.raises(RecceMetaError, match="Rows of t changed while they were compared"):
        compared(sides, "INTEGER", "(1, 1), (2, 2), (3, 3)", "(1, 2), (2, 3), (3, 4)", threads=2)


def test_too_many_rows_are_refused_with_a_sample_that_is_small_enough(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(across, "MOST_ROWS", 2)
    with pytest.raises(UsageError, match="Diff of t too large: up to 3 rows differ") as refused:
        compared(sides, "INTEGER", "(1, 1), (2, 2), (3, 3)", "(1, 2), (2, 3), (3, 4)")
    assert refused.value.hint == "compare a sample: --sample 66"


LONG = "SELECT sum(a.range * b.range * c.range) FROM range(100000) a, range(100000) b, range(1000) c"


def in_the_scratch_database() -> Plan[None]:
    """A plan whose only query takes hours."""
    dialect = dialect_named("duckdb")
    (answer,) = yield [Query(expression=parse_one(LONG, dialect="duckdb"), dialect=dialect, is_local=True)]
    rows_of(answer)


def test_cancelling_a_comparison_stops_its_scratch_database(sides: Sides) -> None:
    runner = open_data_diff_runner(sides[1], sides[0])
    Timer(0.5, runner.cancel).start()

    with closing(runner), pytest.raises(QueryCancelled):
        runner.run(in_the_scratch_database())


def test_rows_are_not_written_to_another_folder_than_the_named_one(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", "/no/such/folder")
    runner = open_data_diff_runner(sides[1], sides[0])
    with closing(runner), pytest.raises(ConfigurationError, match="TMPDIR is not a folder: /no/such/folder"):
        runner.run(in_the_scratch_database())


def test_the_budget_ends_in_the_scratch_database_too(sides: Sides) -> None:
    runner = open_data_diff_runner(sides[1], sides[0], deadline=monotonic() + 0.5)

    with closing(runner), pytest.raises(QueryTimeout, match="The time budget is used up"):
        runner.run(in_the_scratch_database())


ENCODED = [
    ("duckdb", "INTEGER[]", "[3, NULL]", "[4, NULL]", "[3, NULL]", "[4, NULL]"),
    ("duckdb", "STRUCT(a VARCHAR)", "{'a': '~S|'}", "{'a': NULL}", "{'a': '~S|'}", "{'a': NULL}"),
    ("duckdb", "INTERVAL", "INTERVAL 5 DAY", "INTERVAL 6 DAY", "5 days", "6 days"),
    ("postgres", "numeric[]", "'{3.5,NULL}'", "'{4,NULL}'", "[3.5, NULL]", "[4, NULL]"),
    ("postgres", "interval", "'5 days'", "'6 days'", "5 days", "6 days"),
]


@contextmanager
def both_of(kind: str, request: Any, tmp_path: Path) -> Iterator[Sides]:
    """Two targets of one kind of warehouse, without tables."""
    urls, schemas = [f"duckdb:///{tmp_path / name}.db" for name in ("base", "current")], []
    with ExitStack() as stack:
        if kind == "postgres":
            server = request.getfixturevalue("postgres_url")
            owner = stack.enter_context(UnifiedSqlAdapter.from_url(server))
            schemas = [f"two_targets_{uuid4().hex[:8]}" for _ in urls]
            urls = [f"{server}?options=-csearch_path%3D{schema}" for schema in schemas]
        for schema in schemas:
            owner.execute(f"CREATE SCHEMA {schema}")
            stack.callback(owner.execute, f"DROP SCHEMA {schema} CASCADE")
        base, current = (stack.enter_context(UnifiedSqlAdapter.from_url(url)) for url in urls)
        yield base, current


@pytest.mark.cases(3)
@pytest.mark.parametrize(("kind", "of", "base", "current", *("shown", "shown_current")), ENCODED)
def test_values_that_are_compared_by_a_code_are_shown_as_they_read(
    kind: str,
    of: str,
    base: str,
    current: str,
    shown: str,
    shown_current: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    with both_of(kind, request, tmp_path) as sides:
        found = compared(
            sides, of, f"(1, {base}), (2, NULL), (3, NULL)", f"(1, {current}), (2, {base}), (3, NULL)"
        )
        detail = value_diff_detail(sides[1], "t", "t", key="id", base_adapter=sides[0])

    assert "compared across two targets: 6 rows fetched" in found.notes
    column = found.columns[1]
    assert (column.matched, column.mismatched, column.null_to_value) == (1, 2, 1)
    texts = [(cell_text(one.base), cell_text(one.current)) for one in column.examples]
    assert texts == [(shown, shown_current), ("NULL", shown)]
    assert [(row.base, row.current) for row in detail.rows] == [
        ((one.base,), (one.current,)) for one in column.examples
    ]


def test_intervals_that_are_spelt_differently_stay_equal(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with both_of("duckdb", request, tmp_path) as sides:
        found = compared(sides, "INTERVAL", "(1, INTERVAL 1 MONTH)", "(1, INTERVAL 30 DAY)")

    assert (found.changed, found.common) == (0, 1)
