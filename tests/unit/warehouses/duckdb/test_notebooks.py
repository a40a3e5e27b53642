"""A connection in a notebook: DuckDB cannot change its progress bar there without ipywidgets."""

from __future__ import annotations

import duckdb
import pytest

from recce_meta.warehouses.duckdb import driver
from recce_meta.warehouses.duckdb.connection import DuckDB

REFUSED = "Could not change the progress bar setting because: 'required package 'ipywidgets' is missing'"


class Refusing:
    """A connection of DuckDB that refuses every statement."""

    def __init__(self, message: str) -> None:
        self.message = message

    def execute(self, sql: str) -> None:
        raise duckdb.InvalidInputException(self.message)


def set_up(message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the first statements on a connection that refuses with *message*."""
    monkeypatch.setattr(driver, "raw", lambda connection: connection)
    driver.Driver(DuckDB()).set_up(Refusing(message), "SET enable_progress_bar = false")  # type: ignore[arg-type]


def test_a_progress_bar_that_is_not_there_need_not_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(REFUSED, monkeypatch)


def test_any_other_refusal_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(duckdb.InvalidInputException):
        set_up("Invalid setting", monkeypatch)
