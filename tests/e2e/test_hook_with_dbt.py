"""`hook -- dbt build` with the oldest dbt that builds in DuckDB here, and with the newest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recce_meta.repositories.extraction.dbt.versions import NEWEST
from tests.support.dbt_environments import dbt_environment

OLDEST = "1.5"
"""dbt 1.4 and older install no current DuckDB. The engine in Rust loads its driver from a server."""
PROJECT = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nmodels: {+materialized: table}\n",
    "profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}\n",
    "seeds/raw_orders.csv": "id,amount\n1,10\n2,20\n",
    "models/orders.sql": "select id, amount from {{ ref('raw_orders') }}\n",
    "models/orders.yml": "models: [{name: orders, columns: [{name: id, tests: [unique]}]}]\n",
}


@pytest.mark.journey
@pytest.mark.network
@pytest.mark.parametrize("minor", [OLDEST, NEWEST])
def test_a_build_is_recorded(process_cli: Any, minor: str) -> None:
    dbt = dbt_environment(minor, "duckdb").dbt
    for name, text in PROJECT.items():
        path = process_cli.folder / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shop = process_cli.within("shop", RECCE_META_URL="duckdb:///store.duckdb")

    ran = shop("hook", "--", *dbt.argv, "--no-use-colors", "build", "--profiles-dir", ".")

    assert ran.code == 0, ran.out + ran.err
    assert "PASS=3" in ran.out
    (run,) = json.loads(shop("runs", "--format", "json").out)["runs"]
    assert (run["dbt_version"], run["build_status"], run["command"]) == (dbt.version, "success", "build")
