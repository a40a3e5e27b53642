"""What `execute` answers, held against what dbt's adapters answered to the same queries.

The answers were recorded by scripts/build_dbt_answers.py, which says how values are written there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from recce_meta import UnifiedSqlAdapter
from recce_meta.errors import RecceMetaError

DATA = Path(__file__).resolve().parents[2] / "data" / "dbt_answers"
QUERIES = yaml.safe_load((DATA / "queries.yml").read_text(encoding="utf-8"))
DIFFERENCES = yaml.safe_load((DATA / "differences.yml").read_text(encoding="utf-8"))
WAREHOUSES = ("duckdb", "postgres")
RECORDED = {name: json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")) for name in WAREHOUSES}
CASES = [(warehouse, name) for warehouse in WAREHOUSES for name in RECORDED[warehouse]["answers"]]


@pytest.fixture(scope="module")
def duckdb() -> Iterator[UnifiedSqlAdapter]:
    with UnifiedSqlAdapter.from_url("duckdb:///:memory:") as adapter:
        adapter.execute(f"SET TimeZone = '{RECORDED['duckdb']['zone']}'")
        yield adapter


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[UnifiedSqlAdapter]:
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        adapter.execute(f"SET TIME ZONE '{RECORDED['postgres']['zone']}'")
        yield adapter


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_every_query_is_recorded_as_it_is_written(warehouse: str) -> None:
    asked = {**QUERIES["both"], **QUERIES[warehouse]}
    assert {name: answer["sql"] for name, answer in RECORDED[warehouse]["answers"].items()} == asked
    assert len(asked) >= 60


@pytest.mark.parametrize(("warehouse", "name"), CASES)
def test_the_answer_is_dbts(request: pytest.FixtureRequest, warehouse: str, name: str) -> None:
    adapter = request.getfixturevalue(warehouse)
    recorded = RECORDED[warehouse]["answers"][name]
    columns, rows = adapter.execute(recorded["sql"])
    ours = [[typed(value) for value in row] for row in rows]
    difference = DIFFERENCES[warehouse].get(name)
    if difference is None:
        assert columns == recorded["columns"]
        assert ours == recorded["rows"]
    elif difference.get("json"):
        assert ours == [[_of_json(value) for value in row] for row in recorded["rows"]] != recorded["rows"]
    else:
        assert ours == difference["rows"] != recorded.get("rows")


@pytest.mark.parametrize(("warehouse", "name"), CASES)
def test_what_dbt_show_prints_is_its_cursors_answer(warehouse: str, name: str) -> None:
    recorded = RECORDED[warehouse]["answers"][name]
    is_explained = name in DIFFERENCES["show"][warehouse]
    if "rows" not in recorded or recorded["show"] == "no answer":
        assert is_explained
        return
    expected = [[shown(value) for value in row] for row in recorded["rows"]]
    printed = [
        list(map(_read, row.values(), values)) for row, values in zip(recorded["show"], expected, strict=True)
    ]
    names = [list(row) for row in recorded["show"]] == [recorded["columns"]] * len(expected)
    assert (names and repr(printed) == repr(expected)) != is_explained, (printed, expected)


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_what_dbt_refuses_we_refuse(request: pytest.FixtureRequest, warehouse: str) -> None:
    adapter = request.getfixturevalue(warehouse)
    for sql in ("select * from no_such_table", "select 1 +", "select cast('x' as integer)"):
        with pytest.raises(RecceMetaError):
            adapter.execute(sql)


def typed(value: Any) -> Any:
    """*value* as JSON that tells its type, as scripts/build_dbt_answers.py writes it."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [typed(item) for item in value]
    if isinstance(value, Mapping):
        return {"map": [[typed(key), typed(item)] for key, item in value.items()]}
    if isinstance(value, float):
        return {"float": repr(value) if math.isfinite(value) else str(value)}
    for kind, types, text in _KINDS:
        if isinstance(value, types):
            return {kind: text(value)}
    return {type(value).__name__: str(value)}


_KINDS: tuple[tuple[str, Any, Any], ...] = (
    ("int", int, str),
    ("decimal", Decimal, str),
    ("timestamp", datetime, datetime.isoformat),
    ("date", date, date.isoformat),
    ("time", time, time.isoformat),
    ("interval", timedelta, lambda value: f"{value.days} {value.seconds} {value.microseconds}"),
    ("uuid", UUID, str),
    ("bytes", (bytes, bytearray, memoryview), lambda value: bytes(value).hex()),
)


def shown(value: Any) -> Any:
    """What agate makes of a value in the notation above: as JSON, which has no decimals and no times."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, list):
        return [shown(item) for item in value]
    ((kind, text),) = value.items()
    if kind == "map":
        return {str(shown(key)): shown(item) for key, item in text}
    if kind == "interval":
        days, seconds, microseconds = map(int, text.split())
        return str(timedelta(days, seconds, microseconds))
    if kind == "int":
        return int(text)
    return float(text) if kind in ("decimal", "float") else text


def _read(value: Any, expected: Any) -> Any:
    """A value that `dbt show` printed, read where it should be a list or an object."""
    return json.loads(value) if isinstance(expected, (list, dict)) and isinstance(value, str) else value


def _of_json(text: Any) -> Any:
    return typed(None if text is None else json.loads(text))
