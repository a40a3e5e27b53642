"""The data of the demo: it loads, and it is what the artifacts beside it say."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from recce_meta import demo_data
from recce_meta.demo_data import DATABASE, Side, artifacts, load_tables, origin

SIDES: tuple[Side, ...] = ("base", "current")
SCHEMAS = {"base": "prod", "current": "pr_42"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("it's a shop") / f"{DATABASE}.duckdb"
    with duckdb.connect(str(path)) as connection:
        load_tables(connection.execute)
        yield connection


def artifact(side: Side, name: str) -> Any:
    return json.loads(gzip.decompress((artifacts(side) / f"{name}.json.gz").read_bytes()))


@pytest.mark.parametrize("side", SIDES)
def test_columns_and_kinds_are_those_of_the_catalog(shop: duckdb.DuckDBPyConnection, side: Side) -> None:
    nodes = artifact(side, "catalog")["nodes"].values()
    expected = {
        (node["metadata"]["name"], node["metadata"]["type"], column["index"], column["name"], column["type"])
        for node in nodes
        for column in node["columns"].values()
    }

    found = shop.execute(
        "select table_name, table_type, ordinal_position, column_name, data_type "
        "from information_schema.columns join information_schema.tables "
        "using (table_catalog, table_schema, table_name) where table_schema = ?",
        [SCHEMAS[side]],
    ).fetchall()

    assert set(found) == expected


@pytest.mark.parametrize("side", SIDES)
def test_every_relation_is_found_under_the_name_that_dbt_wrote(
    shop: duckdb.DuckDBPyConnection, side: Side
) -> None:
    nodes = artifact(side, "manifest")["nodes"].values()
    relations = [node["relation_name"] for node in nodes if node["resource_type"] in ("model", "seed")]

    counts = [
        shop.execute(f"select count(*) from {relation}").fetchone() for relation in relations if relation
    ]

    assert len(counts) == 13
    assert all(count is not None and count[0] > 0 for count in counts)


def test_the_pull_request_corrects_what_failed_payments_did(shop: duckdb.DuckDBPyConnection) -> None:
    row = shop.execute(
        "select count(*), count(*) filter (where base.amount <> current.amount), "
        "count(*) filter (where base.amount < current.amount) "
        "from prod.orders as base join pr_42.orders as current using (order_id)"
    ).fetchone()

    assert row == (900, 76, 0)


def test_the_warning_of_production_is_gone_in_the_pull_request() -> None:
    def status(side: Side) -> str:
        results = artifact(side, "run_results")["results"]
        return next(r["status"] for r in results if r["unique_id"] == "test.jaffle_shop.orders_are_paid_once")

    assert (status("base"), status("current")) == ("warn", "pass")


def test_loading_twice_is_the_same_as_once(shop: duckdb.DuckDBPyConnection) -> None:
    load_tables(shop.execute)

    assert shop.execute("select count(*) from pr_42.raw_payments").fetchone() == (1027,)


def test_the_manifest_and_the_results_of_a_side_are_of_one_invocation() -> None:
    for side in SIDES:
        ids = {artifact(side, name)["metadata"]["invocation_id"] for name in ("manifest", "run_results")}
        assert len(ids) == 1


def test_each_side_has_a_commit_of_its_own() -> None:
    base, current = origin("base"), origin("current")

    assert (base.branch, base.pull_request) == ("main", None)
    assert (current.branch, current.pull_request) == ("count-payments-once", "42")
    assert re.fullmatch("[0-9a-f]{40}", base.sha)
    assert base.sha != current.sha


@pytest.mark.parametrize("name", ["manifest", "catalog", "run_results"])
@pytest.mark.parametrize("side", SIDES)
def test_nothing_tells_on_which_machine_it_was_made(side: Side, name: str) -> None:
    text = json.dumps(artifact(side, name))

    assert re.findall(r'"(?:/tmp|/root|/home|/Users|/private|/var|[A-Z]:\\)[^"]*', text) == []
    assert artifact(side, name)["metadata"].get("user_id") is None


def test_the_data_stays_light() -> None:
    root = Path(demo_data.__file__).parent
    files = [path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]

    assert sum(path.stat().st_size for path in files) < 500_000
    assert sum(path.stat().st_size for path in (root / "tables").iterdir()) < 300_000


@pytest.mark.parametrize(("side", "folders"), [("base", ["base"]), ("current", ["pull_request", "base"])])
def test_the_artifacts_are_of_the_project_that_lies_beside_them(side: Side, folders: list[str]) -> None:
    project = Path(demo_data.__file__).parent / "project"
    models = [
        node for node in artifact(side, "manifest")["nodes"].values() if node["resource_type"] == "model"
    ]

    for model in models:
        places = [project / folder / model["original_file_path"] for folder in folders]
        source = next(place for place in places if place.exists())
        assert model["raw_code"] == source.read_text(encoding="utf-8").strip()
