"""Neighbouring values of pairs of types are never called equal: a sample of `tests.proofs.types`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from recce_meta import UnifiedSqlAdapter
from tests.proofs import sampled
from tests.proofs.types import ENGINES as TYPES
from tests.proofs.types import Across, Engine, GoogleSql, failures, is_same, values_of
from tests.support.googlesql import judging

SEEDS = sampled((1, 2), (1,))


@pytest.mark.parametrize("name", ["duckdb", "sqlite", "postgres", "mysql"])
def test_no_different_values_are_called_equal(name: str, request: Any, tmp_path: Any) -> None:
    with UnifiedSqlAdapter.from_url(url_of(name, request, tmp_path)) as adapter:
        engine = Engine(name, adapter, at_once=8)
        try:
            assert list(failures([engine], SEEDS)) == []
        finally:
            engine.close()
    assert engine.pairs > engine.compared > engine.equal > 0


def url_of(name: str, request: Any, folder: Path) -> str:
    """The URL of a database of the engine *name*: a file of *folder*, or the server's."""
    if name in ("duckdb", "sqlite"):
        return f"{name}:///{folder / name}.db"
    return str(request.getfixturevalue(f"{name}_url"))


@pytest.mark.parametrize(
    "names",
    [
        "sqlite-duckdb",
        "postgres-sqlite",
        "duckdb-postgres",
        "mysql-duckdb",
        *(pytest.param(names, marks=pytest.mark.extensive) for names in ("sqlite-mysql", "postgres-mysql")),
    ],
)
def test_no_different_values_of_two_engines_are_called_equal(
    names: str, request: Any, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        base, current = (
            Engine(name, stack.enter_context(UnifiedSqlAdapter.from_url(url_of(name, request, tmp_path))))
            for name in names.split("-")
        )
        for engine in (base, current):
            stack.callback(engine.close)
        both = Across(base, current, at_once=10)
        assert list(failures([both], SEEDS)) == []
    assert both.pairs > both.compared > both.equal > 0


@pytest.mark.emulator
def test_googlesql_calls_no_different_values_equal() -> None:
    with judging() as judge:
        engine = GoogleSql(judge, at_once=8)
        assert list(failures([engine], SEEDS)) == []
    assert engine.pairs > engine.compared > engine.equal > 0


def test_a_value_that_is_called_equal_to_its_neighbour_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def everything(self: Engine, *_: object) -> set[int]:
        return set(range(self._rows))

    monkeypatch.setattr(Engine, "_equal", everything)
    with UnifiedSqlAdapter.from_url("duckdb:///:memory:") as adapter:
        found = list(failures([Engine("duckdb", adapter, at_once=2)], (1,)))

    assert len(found) > 10
    assert "by key" in found[0] and "whole rows" in found[-1]


def test_each_type_has_values_that_differ_from_each_other() -> None:
    for engine, types in TYPES.items():
        for seed in range(1, 40):
            for name, values in values_of(types, engine, seed).items():
                assert len({value.meaning for value in values}) == len(values) or name.startswith("CHAR"), (
                    name
                )


@pytest.mark.parametrize(
    ("text", "kind", "value", "expected"),
    [
        ("1.0", "number", 1, True),
        ("1e0", "number", 1, True),
        ("one", "number", 1, False),
        ("1970-01-01", "instant", 0, True),
        ("1970-01-01T00:00:00.000000001Z", "instant", 1, True),
        ("1970-01-01 00:00:00.000000001", "instant", 0, False),
    ],
)
def test_a_text_equals_the_value_that_it_spells(text: str, kind: str, value: int, expected: bool) -> None:
    assert is_same(("text", text), (kind, value)) is expected
    assert is_same((kind, value), ("text", text)) is expected
