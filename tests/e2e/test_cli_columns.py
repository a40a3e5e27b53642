"""`record` and `hook` with column lineage, as users run them."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.extensive


@pytest.fixture
def shop(cli: Any, project: Path) -> Any:
    return cli.within(project, RECCE_META_URL="duckdb:///store.duckdb")


def lineage(shop: Any, environment: str) -> set[tuple[str, ...]]:
    with duckdb.connect(str(shop.folder / "store.duckdb"), read_only=True) as connection:
        return set(
            connection.execute(
                "SELECT column_name, parent_id, parent_column, kind FROM recce_metadata.column_lineage"
                " WHERE environment = ? AND node_id = 'model.jaffle_shop.customers'",
                [environment],
            ).fetchall()
        )


def broken(folder: Path, *names: str) -> None:
    """Make what dbt compiled of the models *names* something that does not parse."""
    manifest = folder / "manifest.json.gz"
    content = json.loads(gzip.decompress(manifest.read_bytes()))
    for name in names:
        content["nodes"][f"model.jaffle_shop.{name}"]["compiled_code"] = "select (( from"
    manifest.write_bytes(gzip.compress(json.dumps(content).encode()))


def test_a_recorded_run_has_the_lineage_of_its_columns(shop: Any) -> None:
    first = shop("record", "-e", "base", "--target-path", "target-base")
    again = shop("record", "-e", "base", "--target-path", "target-base", "--run-id", "again")

    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert "\n  columns traced for " in first.out
    assert "\n  columns reused for " in again.out
    staged = "model.jaffle_shop.stg_customers"
    assert ("first_name", staged, "first_name", "passthrough") in lineage(shop, "base")


def test_no_columns_records_none(shop: Any) -> None:
    ran = shop("record", "-e", "base", "--target-path", "target-base", "--no-columns")

    assert ran.code == 0, ran.err
    assert "columns" not in ran.out
    assert lineage(shop, "base") == set()


def test_models_that_do_not_parse_are_warned_of_and_the_rest_is_recorded(shop: Any) -> None:
    broken(shop.folder / "target-base", "customers")

    ran = shop("record", "-e", "base", "--target-path", "target-base")

    assert ran.code == 0
    assert ran.err.startswith("warning: Columns of model.jaffle_shop.customers are not traced: ")
    assert ran.err.count("warning:") == 1
    assert ", not traced for 1 node" in ran.out


def test_of_many_models_that_do_not_parse_a_few_are_named(shop: Any) -> None:
    names = (
        "customers",
        "orders",
        "stg_customers",
        "stg_orders",
        "stg_payments",
        "stg_stores",
        "payment_mix",
    )
    broken(shop.folder / "target-base", *names)

    ran = shop("record", "-e", "base", "--target-path", "target-base")

    assert ran.code == 0
    *named, rest = ran.err.splitlines()
    assert len(named) == 5
    assert all(line.startswith("warning: Columns of model.jaffle_shop.") for line in named)
    assert rest.startswith("warning: … and 2 more ")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_a_column_timeout_is_a_number_of_seconds(shop: Any, seconds: str) -> None:
    ran = shop("record", "--column-timeout", seconds)

    assert ran.code == 2
    assert "--column-timeout" in ran.err


def test_a_hook_survives_models_that_do_not_parse(shop: Any) -> None:
    broken(shop.folder / "target-base", "customers")
    copy = "import shutil; shutil.copytree('target-base', 'built', copy_function=shutil.copyfile)"

    ran = shop("hook", "-e", "base", "--target-path", "built", "--strict", "--", sys.executable, "-c", copy)

    assert ran.code == 0, ran.err
    assert "Columns of model.jaffle_shop.customers are not traced" in ran.err
    assert "Recorded run" in ran.err
