"""Values by key across two targets: values that no type holds, sides that change, and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any

import pytest
from sqlglot import parse_one

from recce_meta import UnifiedSqlAdapter, value_diff
from recce_meta.api.data.execution import open_data_diff_runner
from recce_meta.data_diff import across
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Loaded, Plan, Query, rows_of
from recce_meta.errors import ConfigurationError, QueryCancelled, QueryTimeout, RecceMetaError, UsageError
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


@pytest.mark.parametrize("of", ["INTEGER", "DECIMAL(9, 2)", "DATE", "TIMESTAMP"])
@pytest.mark.parametrize("odd", ["~N", "a|b", "~", "~t", "a\nb"])
def test_a_text_in_a_column_of_another_type_is_not_null_and_no_second_value(
    sides: Sides, of: str, odd: str
) -> None:
    found = compared(sides, of, f"(1, NULL), (2, '{odd}')", "(1, NULL), (2, NULL)")

    assert (found.changed, found.common) == (1, 2)
    assert found.columns[1].examples[0].base == odd


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
