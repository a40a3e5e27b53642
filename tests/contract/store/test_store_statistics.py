"""Statistics kept with runs: nothing changes once it is kept, nothing by halves, values come back typed."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from recce_meta.adapter import Session
from recce_meta.errors import StoreError
from recce_meta.models import RunMetadata
from recce_meta.models.data_diff import Profile
from recce_meta.models.stored import ColumnStatistics, NodeStatistics, StatisticsSummary
from recce_meta.store.prune import Retention, prune
from recce_meta.store.read import list_runs
from recce_meta.store.statistics import StatisticsWritten, count_statistics, load_statistics, write_statistics
from recce_meta.store.write import record_run

AT = datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=timezone.utc)
LATER = AT + timedelta(days=1)


def counted(name: str, rows: int | None, at: datetime = AT, **fields: Any) -> NodeStatistics:
    return NodeStatistics(unique_id=f"model.shop.{name}", row_count=rows, counted_at=at, **fields)


def profile(*columns: tuple[str, Any], rows: int = 3) -> tuple[ColumnStatistics, ...]:
    """Columns by name and smallest value."""
    return tuple(
        ColumnStatistics(
            name=name, profile=Profile(type="ANY", row_count=rows, not_null_count=rows, min=smallest)
        )
        for name, smallest in columns
    )


def kept(store: Any, run_id: str = "run-1", **options: Any) -> dict[str, NodeStatistics]:
    return load_statistics(store.adapter.at(store.schema), run(store, run_id), **options)


def run(store: Any, run_id: str = "run-1") -> RunMetadata:
    (found,) = [run for run in list_runs(store.adapter.at(store.schema)) if run.run_id == run_id]
    return found


def by_id(*nodes: NodeStatistics) -> dict[str, NodeStatistics]:
    return {node.unique_id: node for node in nodes}


def table_counts(store: Any) -> tuple[int, int]:
    return tuple(
        store.scalar(f"SELECT COUNT(*) FROM {{s}}.store_{table}")
        for table in ("node_statistics", "column_statistics")
    )  # type: ignore[return-value]


VALUES = {
    "nothing": None,
    "yes": True,
    "number": -(2**63),
    "huge": 2**127,
    "float": -0.0,
    "tiny": 5e-324,
    "infinite": math.inf,
    "decimal": Decimal("1.50"),
    "exponent": Decimal("-1E+30"),
    "long": Decimal("12345678901234567890.123456789012345678"),
    "empty": "",
    "text": "ünï 漢字 🦆 'q' \"d\" \\ \\N %s :x ⟦⟧ \t\r\n",
    "nul": "a\0b",
    "surrogate": "\ud800",
    "bytes": bytes(range(256)),
    "no bytes": b"",
    "first day": date.min,
    "last day": date.max,
    "time": time(23, 59, 59, 999999),
    "time with zone": time(1, 2, 3, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
    "timestamp": datetime(2026, 2, 28, 23, 59, 59, 999999),
    "in UTC": datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=timezone.utc),
    "in a zone": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    "interval": -timedelta(days=3, microseconds=5),
    "uuid": UUID("12345678-1234-5678-1234-567812345678"),
    "list": [1, None, [Decimal("2.0"), "x"]],
    "struct": {"a": {"b": date(2026, 1, 1)}, "ü": [b"\0"]},
    "map": {1: "x", 2: None},
}


def test_every_type_of_value_comes_back_as_it_was(store, make_project):
    columns = tuple(
        ColumnStatistics(
            name=name,
            profile=Profile(
                type=f"TYPE OF {name}",
                row_count=10,
                not_null_count=9,
                distinct_count=8,
                is_approximate=True,
                min=value,
                max=value,
                avg=value,
                median=value,
                true_count=7,
                min_length=0,
                max_length=2**40,
                avg_length=0.1,
            ),
        )
        for name, value in VALUES.items()
    )
    node = counted("m000", 2**62, profiled_at=LATER, columns=columns)

    record_run(store.adapter.at(store.schema), make_project(), statistics=[node])

    back = kept(store)
    assert back == by_id(node)
    for column in back["model.shop.m000"].columns:
        value = VALUES[column.name]
        figures = (column.profile.min, column.profile.max, column.profile.avg, column.profile.median)
        assert [type(figure) for figure in figures] == [type(value)] * 4
        assert str(figures[0]) == str(value), "its scale, its sign, its zone"


def test_nan_comes_back_in_every_type_that_has_one(store, make_project):
    columns = profile(("float", math.nan), ("decimal", Decimal("NaN")))
    record_run(
        store.adapter.at(store.schema), make_project(), statistics=[counted("m000", 3, columns=columns)]
    )

    float_, decimal = (column.profile.min for column in kept(store)["model.shop.m000"].columns)
    assert isinstance(float_, float) and math.isnan(float_)
    assert isinstance(decimal, Decimal) and decimal.is_nan()


def test_what_is_not_known_stays_unknown(store, make_project):
    bare = ColumnStatistics(name="a", profile=Profile(type="JSON", row_count=0, not_null_count=0))
    nodes = (
        counted("m000", 0, profiled_at=AT, columns=(bare,)),
        counted("m001", None, reason="no such table: ü", profile_reason="nor a profile"),
    )
    record_run(store.adapter.at(store.schema), make_project(), statistics=nodes)

    assert kept(store) == by_id(*nodes)


def test_statistics_are_written_with_their_run_and_read_by_node(store, make_project):
    nodes = tuple(counted(f"m{number:03}", number, columns=profile(("a", number))) for number in range(12))
    nodes = tuple(replace(node, profiled_at=AT) for node in nodes)

    result = record_run(store.adapter.at(store.schema), make_project(), statistics=nodes)

    assert result.written and result.statistics == StatisticsWritten(nodes_counted=12, nodes_profiled=12)
    assert kept(store) == by_id(*nodes)
    assert kept(store, unique_ids=["model.shop.m007", "model.shop.unknown"]) == by_id(nodes[7])
    assert kept(store, unique_ids=[]) == {}
    assert count_statistics(store.adapter.at(store.schema), run(store)) == StatisticsSummary(
        nodes_counted=12,
        nodes_not_counted=0,
        nodes_profiled=12,
        columns_profiled=12,
        first_counted_at=AT,
        last_counted_at=AT,
    )


def test_a_run_without_statistics_has_none(store, make_project):
    result = record_run(store.adapter.at(store.schema), make_project())

    assert result.statistics == StatisticsWritten()
    assert kept(store) == {}
    assert count_statistics(store.adapter.at(store.schema), run(store)) == StatisticsSummary(
        nodes_counted=0, nodes_not_counted=0, nodes_profiled=0, columns_profiled=0
    )


def test_recording_again_adds_what_is_missing_and_changes_nothing(store, make_project):
    first = (counted("m000", 3), counted("m001", None, reason="not built"), counted("m002", 5))
    record_run(store.adapter.at(store.schema), make_project(), statistics=first)

    columns = profile(("a", 1), ("b", "x"), rows=4)
    second = (
        counted("m000", 4, LATER, profiled_at=LATER, columns=columns),
        counted("m001", 7, LATER),
        counted("m002", None, LATER, reason="gone", profile_reason="gone"),
        counted("m003", 9, LATER),
    )
    result = record_run(store.adapter.at(store.schema), make_project(), statistics=second)

    assert not result.written
    assert result.statistics == StatisticsWritten(nodes_counted=2, nodes_profiled=1)
    assert kept(store) == by_id(
        counted("m000", 3, profiled_at=LATER, columns=columns),
        counted("m001", 7, LATER),
        counted("m002", 5, profile_reason="gone"),
        counted("m003", 9, LATER),
    )

    before = table_counts(store)
    third = tuple(replace(node, row_count=100, columns=profile(("z", 0))) for node in second[:1])
    again = record_run(store.adapter.at(store.schema), make_project(), statistics=third)
    assert again.statistics == StatisticsWritten()
    assert table_counts(store) == before == (4, 2)
    assert kept(store)["model.shop.m000"] == counted("m000", 3, profiled_at=LATER, columns=columns)


def test_the_same_statistics_twice_are_written_once(store, make_project):
    record_run(store.adapter.at(store.schema), make_project())
    nodes = [counted("m000", 3, profiled_at=AT, columns=profile(("a", 1))), counted("m001", None, reason="x")]

    written = [write_statistics(store.adapter.at(store.schema), run(store), nodes) for _ in range(2)]

    assert written == [StatisticsWritten(nodes_counted=1, nodes_profiled=1), StatisticsWritten()]
    assert table_counts(store) == (2, 1)


def test_two_statistics_of_one_node_become_one(store, make_project):
    nodes = [counted("m000", 3), counted("m000", 4, profiled_at=LATER, columns=profile(("a", 1)))]

    record_run(store.adapter.at(store.schema), make_project(), statistics=nodes)

    assert kept(store) == by_id(counted("m000", 3, profiled_at=LATER, columns=profile(("a", 1))))


def test_a_run_of_other_contents_gets_no_statistics(store, make_project):
    record_run(store.adapter.at(store.schema), make_project())

    other = make_project(changed=("m003",))
    result = record_run(store.adapter.at(store.schema), other, statistics=[counted("m000", 3)])

    assert result.differs and result.statistics == StatisticsWritten()
    assert kept(store) == {}


def test_statistics_of_a_run_that_is_not_stored_are_refused(store, make_project):
    record_run(store.adapter.at(store.schema), make_project())

    with pytest.raises(StoreError, match="run-9 not found in the store"):
        write_statistics(store.adapter.at(store.schema), make_project("run-9").run, [counted("m000", 3)])
    assert table_counts(store) == (0, 0)


def test_of_writers_at_once_the_first_stays_whole(store, make_project):
    writers = 4
    record_run(store.adapter.at(store.schema), make_project())
    target = run(store)
    barrier = Barrier(writers)

    def offered(number: int) -> list[NodeStatistics]:
        columns = profile(*((f"c{column}", number) for column in range(5)), rows=number)
        at = AT + timedelta(seconds=number)
        return [counted(f"m{node:03}", number, at, profiled_at=at, columns=columns) for node in range(12)]

    def work(number: int) -> StatisticsWritten:
        barrier.wait()
        with store.another() as adapter:
            return write_statistics(adapter.at(store.schema), target, offered(number))

    with ThreadPoolExecutor(writers) as pool:
        written = list(pool.map(work, range(writers)))

    nothing, everything = StatisticsWritten(), StatisticsWritten(nodes_counted=12, nodes_profiled=12)
    assert written.count(everything) == 1 and written.count(nothing) == writers - 1
    assert kept(store) == by_id(*offered(written.index(everything)))
    assert table_counts(store) == (12, 60)


@pytest.mark.cases(2)
@pytest.mark.parametrize("table", ["node_statistics", "column_statistics", "runs"])
def test_a_write_that_stops_half_way_leaves_nothing(store, make_project, monkeypatch, table):
    record_run(store.adapter.at(store.schema), make_project("run-0"))
    insert = Session.insert_rows

    def stopping(self: Session, name: str, columns: Any, rows: Any, key: Any) -> None:
        insert(self, name, columns, rows, key)
        if name.rstrip('"`').lower().endswith(table):
            raise KeyboardInterrupt

    nodes = [counted("m000", 3, profiled_at=AT, columns=profile(("a", 1)))]
    with monkeypatch.context() as patched:
        patched.setattr(Session, "insert_rows", stopping)
        with pytest.raises(KeyboardInterrupt):
            record_run(store.adapter.at(store.schema), make_project(), statistics=nodes)

    assert [found.run_id for found in list_runs(store.adapter.at(store.schema))] == ["run-0"]
    assert table_counts(store) == (0, 0)
    assert record_run(store.adapter.at(store.schema), make_project(), statistics=nodes).written
    assert kept(store) == by_id(*nodes)


def test_statistics_go_with_their_run(store, make_project):
    for number in range(3):
        project = make_project(f"run-{number}", run_at=AT + timedelta(days=number))
        node = counted("m000", number, profiled_at=AT, columns=profile(("a", number)))
        record_run(store.adapter.at(store.schema), project, statistics=[node])

    result = prune(store.adapter.at(store.schema), Retention(keep_last=1))

    assert (result.rows["node_statistics"], result.rows["column_statistics"]) == (2, 2)
    assert table_counts(store) == (1, 1)
    assert kept(store, "run-2")["model.shop.m000"].row_count == 2


def test_sql_users_find_numbers_and_texts(store, make_project):
    columns = profile(("amount", Decimal("1.50")), ("huge", 10**400), ("day", date(2026, 1, 2)))
    record_run(
        store.adapter.at(store.schema), make_project(), statistics=[counted("m000", 3, columns=columns)]
    )

    sql = "SELECT column_name, ordinal, min_value, min_number FROM {s}.column_statistics ORDER BY ordinal"
    rows = store.adapter.execute(sql.replace("{s}", store.adapter.quote_identifier(store.schema)))[1]
    assert rows == [
        ("amount", 1, "1.50", 1.5),
        ("huge", 2, str(10**400), math.inf),
        ("day", 3, "2026-01-02", None),
    ]


def test_row_counts_keep_no_value_of_any_row(store, make_project):
    record_run(store.adapter.at(store.schema), make_project(), statistics=[counted("m000", 3)])

    assert table_counts(store) == (1, 0)
