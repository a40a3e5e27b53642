"""Relations of `--tables` that cannot be read: the warehouse's reason is the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import psycopg
import pytest


@pytest.mark.parametrize("parent", ["create or replace table p as select 1 as id", "drop table p"])
def test_a_view_that_no_longer_works_was_built(cli: Any, tmp_path: Path, parent: str) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as session:
        session.execute("create table p as select 1 as id, 2 as v; create table t as select * from p")
        session.execute(f"create view broken as select id, v from p; {parent}")
    reason = "Table with name p does not exist" if "drop" in parent else 'Referenced column "v" not found'
    for command in (("row-count",), ("value", "-k", "id")):
        found = cli(*command, "--tables", "broken", "t", "--url", f"duckdb:///{tmp_path}/shop.duckdb")

        assert found.code == 3
        assert reason in (found.out + found.err) and "cannot be read" in (found.out + found.err)
        assert "not built" not in (found.out + found.err) and "build it," not in (found.out + found.err)


def test_a_base_in_another_database_of_postgres_is_named_by_an_option(cli: Any, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as session:
        session.execute("create table if not exists in_this_database as select 1 as id")
    other = f"other_{urlsplit(postgres_url).path[1:]}.public.in_this_database"
    for command in (("row-count",), ("value", "-k", "id")):
        found = cli(*command, "--tables", other, "in_this_database", "--url", postgres_url)

        assert found.code == 3
        assert "--base-target" in " ".join((found.out + found.err).split()).replace(
            "base- target", "base-target"
        )


def test_one_relation_is_not_counted_on_one_side_only(cli: Any, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as session:
        session.execute("create table t as select 1 as id")

    found = cli("row-count", "--tables", "t", "t", "--url", f"duckdb:///{tmp_path}/shop.duckdb")

    assert found.code == 0
    assert "both sides are the same relation" in (found.out + found.err) and "one side only" not in (
        found.out + found.err
    )
