"""`record --from sql`: from a folder of files to lineage of columns, without dbt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.extensive

MODELS = {
    "dbt_project.yml": "name: shop\n",
    "models/stg_orders.sql": "select id, amount from {{ source('raw', 'orders') }}",
    "models/orders.sql": "select id, amount * 2 as twice from {{ ref('stg_orders') }} where id > 0",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in MODELS.items():
        (tmp_path / "shop" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shop" / name).write_text(text)
    return tmp_path / "shop"


def test_a_project_of_files_is_recorded_compared_and_traced(cli: Any, shop: Path, tmp_path: Path) -> None:
    run = cli.within(shop)
    store = ("--url", f"duckdb:///{tmp_path / 'store.duckdb'}")
    source = ("--from", "sql", "models", "--dialect", "duckdb")

    first = run("record", *source, "-e", "base", *store)
    again = run("record", *source, "-e", "base", *store)
    (shop / "models" / "orders.sql").write_text("select id, amount * 3 as twice from {{ ref('stg_orders') }}")
    edited = run("record", *source, "--format", "json", *store)
    diff = run("diff", "--format", "json", *store)
    impact = run("impact", "stg_orders.amount", "--format", "json", *store)

    assert [ran.code for ran in (first, again, edited, diff, impact)] == [0] * 5
    assert "2 models, 1 source" in first.out
    assert "source raw.orders is not declared" in first.err
    assert "was already recorded; nothing written" in again.out
    assert json.loads(edited.out)["run"]["project_name"] == "shop"
    assert json.loads(diff.out)["summary"]["modified"] == 1
    assert "model.shop.orders" in impact.out and "twice" in impact.out


def test_plain_sql_is_recorded_under_a_name_of_ones_own(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "a.sql").write_text("create table x.a as select id from raw.t")
    store = ("--url", f"duckdb:///{tmp_path / 'store.duckdb'}")

    ran = cli.within(tmp_path)("record", "--from", "sql", "sql", "--project", "legacy", *store)

    assert ran.code == 0
    assert "of legacy as current" in ran.out and "1 model, 1 source" in ran.out


def test_contents_that_occur_again_after_a_prune_are_recorded_under_another_id(
    cli: Any, shop: Path, tmp_path: Path
) -> None:
    run = cli.within(shop, RECCE_META_URL=f"duckdb:///{tmp_path / 'store.duckdb'}")
    source = ("record", "--from", "sql", "models", "--dialect", "duckdb", "--format", "json")
    first = json.loads(run(*source).out)["run"]["run_id"]
    assert run("prune", "--keep-last", "0").code == 0

    second, third = run(*source), run(*source)
    named = run(*source, "--run-id", first)

    assert second.code == third.code == 0, second.err
    ids = {json.loads(ran.out)["run"]["run_id"] for ran in (second, third)}
    assert len(ids) == 1 and first not in ids
    assert named.code == 3 and "was pruned on" in named.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from", "sql", "nowhere"], "Folder not found: nowhere"),
        (
            ["--from", "sql", "models", "--target-path", "t"],
            "--target-path cannot be combined with --from sql",
        ),
        (["--dialect", "duckdb"], "--dialect requires --from sql"),
        (["models", "--target-path", "t"], "DIR cannot be combined with --target-path"),
        (["--from", "sql", "models", "--vars", "[1]"], "--vars is not a mapping"),
    ],
)
def test_options_that_do_not_fit_are_refused(cli: Any, shop: Path, options: list[str], message: str) -> None:
    ran = cli.within(shop)("record", *options, "--url", "duckdb:///never.duckdb")

    assert ran.code == 2
    assert message in ran.err
    assert not (shop / "never.duckdb").exists()
