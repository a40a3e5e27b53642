"""Seeds whose header changes over a table that exists, loaded by a real dbt on DuckDB and PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from msgspec.structs import replace

from recce_meta import UnifiedSqlAdapter, extract_project
from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.models.change import Category
from tests.e2e.dbt_shop import Shop, python_with_dbt

pytestmark = pytest.mark.dbt

BEFORE = "id,a,b\n1,x,2020-01-01\n"
EDITED = {
    "added": "id,a,b,c\n1,x,2020-01-01,7\n",
    "removed": "id,a\n1,x\n",
    "renamed": "id,a2,b\n1,x,2020-01-01\n",
    "moved": "a,id,b\n5,1,2020-01-01\n",
    "rows": "id,a,b\n2,y,2020-01-02\n",
}
SAID = {
    "duckdb": {
        "added": "the build fails: the file has 1 column more than the table",
        "removed": "the build fails: the file has 1 column fewer than the table",
        "renamed": "the file is loaded by position: the table keeps names and places of its columns",
        "moved": "the file is loaded by position: the table keeps names and places of its columns",
    },
    "postgres": {
        "added": "the build fails: the table does not get the column c",
        "removed": "the table keeps b, with NULL",
        "renamed": "the build fails: the table does not get the column a2",
    },
}


@pytest.mark.parametrize("adapter", ["duckdb", "postgres"])
def test_another_header_fails_or_is_not_loaded(
    adapter: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    schema = f"seeds_{uuid4().hex[:8]}"
    url = f"duckdb:///{tmp_path / 'shop.duckdb'}"
    target = {"type": "duckdb", "path": str(tmp_path / "shop.duckdb"), "schema": schema}
    if adapter == "postgres":
        url = request.getfixturevalue("postgres_url")
        at = urlsplit(url)
        place = {"host": at.hostname, "port": at.port or 5432, "dbname": at.path.strip("/")}
        target = {
            "type": adapter,
            **place,
            "user": at.username,
            "password": at.password or "",
            "schema": schema,
        }
    profile = {"shop": {"target": "dev", "outputs": {"dev": {**target, "threads": 1}}}}
    (tmp_path / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\n", encoding="utf-8")
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for name in EDITED:
        (seeds / f"{name}.csv").write_text(BEFORE, encoding="utf-8")
    shop = Shop(python_with_dbt(), tmp_path, "dev", {})
    shop.dbt("seed")
    base = extract_project(tmp_path / "target", environment="base", project_dir=tmp_path, environ={})
    for name, text in EDITED.items():
        (seeds / f"{name}.csv").write_text(text, encoding="utf-8")
    shop.dbt("parse")
    current = extract_project(tmp_path / "target", environment="current", project_dir=tmp_path, environ={})
    found = {change.name: change for change in whole_diff(base, current, NOTHING_MORE).changed}
    shop.dbt("seed", code=1)
    results = json.loads((tmp_path / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    failed = {one["unique_id"].rpartition(".")[2] for one in results if one["status"] == "error"}

    for name in EDITED:
        reasons = "; ".join(found[name].category_reasons)
        assert SAID[adapter].get(name, "other rows") in reasons
        assert found[name].category is Category.BREAKING
        # DuckDB loads a file with another order if its values fit.
        assert ("the build fails" in reasons) is (name in failed)
    # The table may be new in another target.
    there = [
        replace(one, schema_name="ci", relation_name=one.relation_name.replace(schema, "ci"))
        for one in current.nodes
    ]
    run = replace(current.run, target_name="ci", target_schema="ci")
    elsewhere = whole_diff(base, replace(current, run=run, nodes=tuple(there)), NOTHING_MORE).changed
    assert [one.name for one in elsewhere if one.fails] == []
    assert {one.name for one in elsewhere if one.may_fail} == failed
    with UnifiedSqlAdapter.from_url(url) as store:
        assert store.execute(f"select * from {schema}.renamed")[0] == ["id", "a", "b"]
        store.execute(f"drop schema {schema} cascade")
