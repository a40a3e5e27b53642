"""Edits that a real dbt on DuckDB refuses or builds: the diff of the artifacts says the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.api.run_reader import read_run
from tests.e2e.dbt_shop import Shop, python_with_dbt
from tests.support.once import built_once

pytestmark = pytest.mark.dbt

ORDERS, DAILY, MARKED, CONTRACTED = (
    f"models/{name}.sql" for name in ("orders", "daily", "marked", "contracted")
)
PROJECT, TESTS, SUMS = "dbt_project.yml", "models/tests.yml", "models/sums.sql"
FILES = {
    PROJECT: "name: shop\nversion: '1.0'\nprofile: shop\n"
    "on-run-start: create table if not exists log (a integer)\n"
    "on-run-end: \"insert into log select count(note) from {{ ref('orders') }}\"\n",
    SUMS: "select status, sum(amount) as total from {{ ref('orders') }} group by 1\n",
    TESTS: """unit_tests:
- {name: rows, model: sums, given: [{input: ref('orders'), rows: [{status: a, amount: 1}]}],
   expect: {rows: [{status: a, total: 1}]}}
- {name: queries, model: sums,
   given: [{input: ref('orders'), format: sql, rows: "select 'a' as status, 1.0 as amount"}],
   expect: {format: sql, rows: "select 'a' as status, 1.0 as total"}}
""",
    "profiles.yml": "shop:\n  target: dev\n  outputs:\n"
    "    dev: {type: duckdb, path: shop.duckdb, threads: 1}\n"
    "    prod: {type: duckdb, path: shop.duckdb, threads: 1}\n",
    "seeds/raw.csv": "id,amount,status,note\n1,10.5,new,a\n2,20.25,done,b\n",
    ORDERS: "select id, amount, status, note from {{ ref('raw') }}\n",
    DAILY: "{{ config(materialized='incremental', unique_key='id') }}\n"
    "select id, amount from {{ ref('orders') }}\n"
    "{% if is_incremental() %} "
    "where note > (select min(id)::varchar from {{ this }}) {% endif %}\n",
    MARKED: "{{ config(materialized='table', post_hook=\"update {{ this }} set "
    "amount = 0 where status = 'x'\") }}\n"
    "select id, amount, status from {{ ref('orders') }}\n",
    CONTRACTED: "{{ config(materialized='table', contract={'enforced': true}) }}\n"
    "select id, cast(amount * 100 as bigint) as cents, amount from {{ ref('orders') }}\n",
    "models/by_target.sql": "select id {% if target.name == 'prod' %}, note {% endif %} "
    "from {{ ref('orders') }}\n",
    "models/schema.yml": "models:\n  - name: contracted\n    columns:\n"
    "      - {name: id, data_type: integer}\n"
    "      - {name: cents, data_type: bigint}\n      - {name: amount, data_type: double}\n",
}


class Edit(NamedTuple):
    """One edit of a file, and the target for which dbt builds it."""

    path: str
    old: str
    new: str
    target: str = "dev"


EDITS = {
    "the branch of is_incremental() names no column": Edit(DAILY, "where note", "where notes"),
    "another target and a branch lack a column": Edit(ORDERS, ", note", "", "prod"),
    "a type that the contract does not have": Edit(CONTRACTED, "as bigint", "as double"),
    "a type from above": Edit(ORDERS, "amount,", "cast(amount as decimal(9, 2)) as amount,"),
    "another name of the same type": Edit("models/schema.yml", "bigint", "int8"),
    "a hook names a column that is gone": Edit(MARKED, "amount, status from", "amount from"),
    "a hook of another type": Edit(MARKED, "amount = 0", "amount = status + 1"),
    "a hook adds a column": Edit(MARKED, "update {{ this }} set amount = 0 where status = 'x'",
                                 "alter table {{ this }} add column more integer"),
    "a key that the query lacks": Edit(DAILY, "unique_key='id'", "unique_key='ids'"),
    "on-run-end names no column": Edit(PROJECT, "count(note)", "count(notes)"),
    "a column that on-run-end reads is gone": Edit(ORDERS, ", note from", " from"),
    "another on-run-end": Edit(PROJECT, "count(note)", "max(id)"),
    "a column of given rows that the input lacks": Edit(TESTS, "amount: 1", "amounts: 1"),
    "a column of expected rows that the model lacks": Edit(TESTS, "total: 1", "totals: 1"),
    "fewer expected columns": Edit(TESTS, "status: a, total", "total"),
    "given SQL without a column that the model reads": Edit(TESTS, "1.0 as amount", "1.0 as amounts"),
    "an added column that expected SQL lacks": Edit(SUMS, "as total", "as total, count(*) as n"),
    "an added column": Edit(DAILY, "select id, amount", "select id, amount, status"),
}  # fmt: skip


def shop_in(folder: Path, target: str = "dev") -> Shop:
    return Shop(python_with_dbt(), folder, target, {})


def build(folder: Path) -> None:
    """Build the project twice, for incremental tables, and keep the artifacts with a catalog."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for arguments in (("build",), ("build",), ("docs", "generate")):
        shop_in(folder).dbt(*arguments)
    (folder / "target").rename(folder / "base")


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.cases(1)
def test_the_diff_says_what_dbt_does(
    name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    edit, shop = EDITS[name], shop_in(tmp_path / "shop")
    shutil.copytree(built_once(tmp_path_factory, "bound", build), shop.folder)
    shop.edit(edit.path, edit.old, edit.new)
    shop.dbt("compile")
    base, current = (read_run(shop.folder / one, hash_seed_files=False) for one in ("base", "target"))

    diff = whole_diff(base, current, NOTHING_MORE)

    failing = {one.unique_id for one in (*diff.changes, *diff.impacted) if one.fails}
    shop_in(shop.folder, edit.target).dbt("build", code=1 if failing else 0)
    results = json.loads((shop.folder / "target" / "run_results.json").read_text("utf-8"))["results"]
    refused = {one["unique_id"] for one in results if one["status"] == "error"}
    assert bool(refused) is bool(failing) and refused <= failing
