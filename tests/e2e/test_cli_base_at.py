"""`--base-at`: the tables of base as they were, on DuckLake; elsewhere its statements, or a refusal."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click import BadParameter, Command, Context, Option
from sqlglot import exp

from recce_meta.cli.data_options import parse_moment
from recce_meta.models.data_diff import Moment
from recce_meta.warehouses.dialect import dialect_named
from tests.support.needs import missing

LAKE = "lake.main.orders"
PROFILE = """
shop:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: {folder}/dev.duckdb
      extensions: [ducklake]
      attach:
        - {{path: 'ducklake:{folder}/meta.ducklake', alias: lake, options: {{data_path: '{folder}/data'}}}}
"""
MOMENT = Moment(at=datetime(2025, 11, 25, 8, tzinfo=timezone.utc))


@pytest.fixture
def lake(cli: Any) -> tuple[str, Any]:
    """A lake whose table was replaced: 10 rows of two columns, then 8 of three, 7 of them changed."""
    with duckdb.connect(cli.folder / "dev.duckdb") as connection:
        try:
            connection.execute("LOAD ducklake")
        except duckdb.IOException as error:
            missing("DuckLake", str(error).splitlines()[0])
        place = f"'ducklake:{cli.folder}/meta.ducklake' AS lake (DATA_PATH '{cli.folder}/data')"
        connection.execute(f"ATTACH {place}")
        connection.execute(f"CREATE TABLE {LAKE} AS SELECT range AS id, 2 * range AS v FROM range(10)")
        connection.execute(
            f"CREATE OR REPLACE TABLE {LAKE} AS SELECT range AS id, 3 * range AS v, 1 AS n FROM range(8)"
        )
        connection.execute(f"CREATE VIEW lake.main.seen AS SELECT * FROM {LAKE}")
        made = connection.execute(
            "SELECT snapshot_time FROM lake.snapshots() WHERE snapshot_id = 1"
        ).fetchone()
        connection.execute("CREATE TABLE plain AS SELECT 1 AS id")
    (cli.folder / "profiles.yml").write_text(PROFILE.format(folder=cli.folder))
    return str(made[0]), cli.within(DBT_PROFILES_DIR=str(cli.folder), DBT_PROFILE="shop")


def test_a_table_is_compared_with_its_own_past(lake: tuple[str, Any]) -> None:
    made_at, run = lake
    tables = ("--tables", LAKE, LAKE)
    for moment in ("1", made_at):
        ran = run("value", *tables, "-k", "id", "--base-at", moment)
        assert "7 of 8 rows changed (87.5%), 2 removed, 1 column only in current" in ran.out, ran
    assert "note: Base as of version 1" in run("row-count", *tables, "--base-at", "1").out
    assert "+ n  INTEGER" in run("schema", *tables, "--base-at", "1").out
    assert "9 rows differ" in run("value", "--detail", "-k", "id", *tables, "--base-at", "1").out
    assert "largest change" in run("histogram", "-c", "v", *tables, "--base-at", "1").out


@pytest.mark.parametrize("table", [LAKE, "lake.main.seen", "dev.main.plain"])
def test_what_has_no_such_past_is_not_compared(lake: tuple[str, Any], table: str) -> None:
    moment = "-2h" if table == LAKE else "1"
    ran = lake[1]("value", "-k", "id", "--tables", table, table, "--base-at", moment)

    assert ran.code == 3 and ran.out == ""
    assert "hint: the table was created or replaced later, or its history is gone" in ran.err


def test_base_is_the_run_of_current_unless_it_is_named(store: Any, project: Path) -> None:
    shop = store.within(project, RECCE_META_URL=f"duckdb:///{store.folder / 'store.duckdb'}")
    count = ("row-count", "orders", "--live", "--sql")
    now, own = shop(*count).out, shop(*count, "--base-at", "4").out
    of_base = shop(*count, "--base-at", "4", "--base", "base").out

    assert own.count("AT (VERSION => 4)") == of_base.count("AT (VERSION => 4)") == 1, (own, of_base)
    assert of_base.replace(" AT (VERSION => 4)", "") == now != own.replace(" AT (VERSION => 4)", "")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("value", "orders", "--save"), "--save cannot be combined with --base-at"),
        (("query-diff", "select 1"), "Queries are not compared with --base-at"),
    ],
)
def test_what_it_cannot_be_combined_with(
    store: Any, project: Path, given: tuple[str, ...], says: str
) -> None:
    shop = store.within(project, RECCE_META_URL=f"duckdb:///{store.folder / 'store.duckdb'}")
    ran = shop(*given, "--base-at", "1")

    assert ran.code == 2 and says in ran.err


def test_a_warehouse_without_history_refuses(cli: Any, postgres_url: str) -> None:
    ran = cli("value", "--url", postgres_url, "--tables", "a", "a", "-k", "id", "--base-at", "-2h")

    assert ran.code == 2 and "postgres keeps no history of its tables" in ran.err


@pytest.mark.parametrize(
    ("dialect", "moment", "expected"),
    [
        ("snowflake", MOMENT, "t AT (TIMESTAMP => CAST('2025-11-25 08:00:00+00:00' AS TIMESTAMPTZ)) AS b"),
        ("bigquery", MOMENT, "t AS b FOR SYSTEM_TIME AS OF CAST('2025-11-25 08:00:00+00:00' AS TIMESTAMP)"),
        ("databricks", MOMENT, "t TIMESTAMP AS OF '2025-11-25 08:00:00+00:00' AS b"),
        ("databricks", Moment(version=3), "t VERSION AS OF 3 AS b"),
        ("duckdb", Moment(version=3), "t AS b AT (VERSION => 3)"),
    ],
)
def test_the_clause_of_each_warehouse(dialect: str, moment: Moment, expected: str) -> None:
    found = dialect_named(dialect)
    assert found.render(exp.alias_(found.as_of(exp.to_table("t"), moment), "b", table=True)) == expected


def test_moments_are_read() -> None:
    def read(text: str) -> Moment | None:
        return parse_moment(Context(Command("value")), Option(["--base-at"]), text)

    assert read("2025-11-25 08:00") == read("2025-11-25T09:00+01:00") == MOMENT
    assert str(MOMENT) == "2025-11-25 08:00 UTC" and str(read("42")) == "version 42"
    back = read("-2h")
    assert back is not None and back.at is not None
    assert timedelta(hours=2) <= datetime.now(timezone.utc) - back.at < timedelta(hours=2, minutes=10)
    for text, says in (
        ("yesterday", "is not a time"),
        ("-999999w", "is not a time"),
        ("2999-01-01", "future"),
    ):
        with pytest.raises(BadParameter, match=says):
            read(text)
