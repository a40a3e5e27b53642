"""Rows on their way into Snowflake: JSON in few statements, every value a text that the server casts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from recce_meta.errors import WarehouseError
from recce_meta.warehouses import warehouse_named
from recce_meta.warehouses.driver import driver_for
from recce_meta.warehouses.snowflake.driver import BATCH_BYTES, json_batches


class Wire:
    """What a driver sends, in the place of a connection; describes a table of a few types."""

    def __init__(self, *codes: int) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.described: list[str] = []
        self.info: dict[str, object] = {}
        columns = [(f"C{place}", code, None, None, 38, 0, True) for place, code in enumerate(codes)]
        cursor = SimpleNamespace(
            describe=lambda sql: self.described.append(sql) or columns,
            __enter__=None,
        )
        self.connection = SimpleNamespace(driver_connection=SimpleNamespace(cursor=lambda: _Entered(cursor)))

    def exec_driver_sql(
        self, sql: str, parameters: Any = None, execution_options: Any = None
    ) -> SimpleNamespace:
        self.sent.append((sql, parameters))
        return SimpleNamespace(close=lambda: None)

    def rollback(self) -> None:
        """Of SQLAlchemy's book-keeping."""


class _Entered:
    def __init__(self, value: Any) -> None:
        self._value = value

    def __enter__(self) -> Any:
        return self._value

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


def insert(wire: Wire, columns: list[str], rows: Iterator[list[object]] | list[list[object]]) -> None:
    connection: Any = wire
    driver_for(warehouse_named("snowflake")).insert_rows(connection, "meta.t", columns, rows)


def test_the_server_takes_the_rows_apart_and_casts_them() -> None:
    wire = Wire(2, 5, 0, 7, 13, 1)
    when = datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc)

    insert(wire, ["name", "tags", "Odd one"] + ["c"] * 3, [["é'", "[1]", 7, when, True, 0.1], [None] * 6])

    assert wire.sent == [
        (
            'INSERT INTO meta.t ("NAME", "TAGS", "Odd one", "C", "C", "C") SELECT'
            " CAST(batch.value[0] AS VARCHAR), PARSE_JSON(CAST(batch.value[1] AS VARCHAR)),"
            " CAST(CAST(batch.value[2] AS VARCHAR) AS NUMBER(38, 0)),"
            " CAST(CAST(batch.value[3] AS VARCHAR) AS TIMESTAMP_TZ(0)),"
            " CAST(CAST(batch.value[4] AS VARCHAR) AS BOOLEAN),"
            " CAST(CAST(batch.value[5] AS VARCHAR) AS FLOAT)"
            " FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS batch",
            (
                '[["é\'","[1]","7","2024-01-02 03:04:05.000006+00:00","true","0.1"],'
                "[null,null,null,null,null,null]]",
            ),
        )
    ]


@pytest.mark.parametrize(("characters", "statements"), [(20, 1), (150, 1), (2000, 10)])
def test_statements_grow_with_bytes_and_not_with_rows(characters: int, statements: int) -> None:
    wire = Wire(2, 2)

    insert(wire, ["id", "sql"], ([f"test.{number}", "x" * characters] for number in range(20_000)))

    assert (len(wire.described), len(wire.sent)) == (1, statements)
    assert sum(len(json.loads(parameters[0])) for _, parameters in wire.sent) == 20_000


def test_no_batch_is_longer_than_a_variant_holds() -> None:
    rows = [[f"{number}", "\u20ac" * 500_000] for number in range(10)]  # three bytes each

    batches = list(json_batches(rows, BATCH_BYTES))

    assert [len(json.loads(batch)) for batch in batches] == [2, 2, 2, 2, 2]
    assert all(len(batch) <= BATCH_BYTES + 2 for batch in batches)


def test_a_row_that_is_longer_goes_alone() -> None:
    rows = [["a"], ["x" * 100], ["b"]]

    assert [len(json.loads(batch)) for batch in json_batches(rows, 50)] == [1, 1, 1]


def test_no_rows_are_no_statement() -> None:
    wire = Wire()

    insert(wire, ["id"], [])

    assert (wire.sent, wire.described) == ([], [])


def test_a_nul_character_is_refused() -> None:
    with pytest.raises(WarehouseError, match="NUL"):
        insert(Wire(2), ["id"], [["a\0b"]])


def test_parameters_are_placed_where_they_are_named() -> None:
    wire = Wire()
    connection: Any = wire
    driver: Any = driver_for(warehouse_named("snowflake"))

    driver.send_own(connection, r"SELECT a:b, x::INT, '\:c', :y, :x, :y", {"x": 1, "y": None})
    driver.send_own(connection, r"SELECT '100%', '\:c'", {})

    assert wire.sent == [
        ("SELECT a:b, x::INT, ':c', ?, ?, ?", (None, 1, None)),
        ("SELECT '100%', ':c'", None),
    ]


def test_only_what_must_be_atomic_is_a_transaction() -> None:
    wire = Wire()
    connection: Any = wire
    driver = driver_for(warehouse_named("snowflake"))

    driver.begin(connection, atomic=False)
    driver.commit(connection)
    driver.begin(connection, atomic=True)
    driver.commit(connection)
    driver.begin(connection, atomic=True)
    driver.rollback(connection)

    assert [sql for sql, _ in wire.sent] == ["BEGIN TRANSACTION", "COMMIT", "BEGIN TRANSACTION", "ROLLBACK"]
