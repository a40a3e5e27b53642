"""A store with everything that the API answers about, a client of its server, and schemas of answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import copytree
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.demo import demo
from recce_meta.api.public.data import ComparisonOptions, run_checks
from recce_meta.api.public.databases import measure_quality
from recce_meta.api.scan import ScanOptions, scan
from recce_meta.models.marks.annotation import PRESENT, AnnotationTarget
from recce_meta.server.access.sessions import Access
from recce_meta.server.api.application import api_description
from recce_meta.server.app import create_app
from recce_meta.server.stores.stores import Store
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.small_store import file_url
from tests.support.once import built_once

SHOP = "/api/stores/default"
PROJECT = "jaffle_shop"
STRANGE = 'we<b>ird "数据"/../%2F?&#'
"""Name of a table."""
CHECKS = """
checks:
- {name: rows, type: row_count_diff, params: {select: orders}}
- {name: "<b>values</b>", type: value_diff, params: {model: customers, primary_key: customer_id}}
"""
SCHEMAS = {
    schema["$id"]: schema
    for schema in (
        json.loads(path.read_text(encoding="utf-8"))
        for path in (Path(__file__).parents[3] / "docs" / "schemas").glob("*.json")
    )
}
"""Published schemas by the value of the field `schema`."""


_BUILT: list[str] = []


def shop_url(folders: pytest.TempPathFactory) -> str:
    """Return the URL of the store, which is created once for all modules. Tests must not write to it."""
    if not _BUILT:
        folder = folders.mktemp("api")
        copytree(built_once(folders, "api", _build), folder, dirs_exist_ok=True)
        _BUILT.append(file_url(folder / f"{PROJECT}.duckdb"))
    return _BUILT[0]


def _build(folder: Path) -> None:
    url = file_url(demo(folder).database)
    checks = folder / "checks.yml"
    checks.write_text(CHECKS)
    with UnifiedSqlAdapter.from_url(url) as adapter:
        run_checks(adapter, checks, options=ComparisonOptions(save=True))
        measure_quality(adapter, run="current")
        annotate(adapter)
        adapter.execute("CREATE SCHEMA extra")
        quoted = adapter.warehouse.quote_identifier(STRANGE)
        adapter.execute(f"CREATE TABLE extra.{quoted} (id int PRIMARY KEY, {quoted} text)")
        adapter.execute(f"CREATE TABLE extra.child (id int, parent int REFERENCES extra.{quoted}(id))")
        scan(adapter, options=ScanOptions(project="live", environment="warehouse"))


def annotate(adapter: UnifiedSqlAdapter) -> None:
    """Annotate a node, a column and an edge of the shop."""
    node = AnnotationTarget(project_name=PROJECT, unique_id="model.jaffle_shop.orders")
    column = replace(node, column_name="status")
    edge = replace(node, parent_id="model.jaffle_shop.stg_orders")
    changes = [
        AnnotationChange(node, "note", "", "One row per <order>\nsecond line"),
        AnnotationChange(node, "owner", "Finance", PRESENT),
        AnnotationChange(column, "tag", "pii", PRESENT),
        AnnotationChange(edge, "note", "", "Joined by id"),
    ]
    add_annotations(adapter, changes, author="Ann")
    add_annotations(adapter, [AnnotationChange(edge, "note", "", None)], author="Bob")


def client_of(url: str, schema: str = DEFAULT_SCHEMA, token: str | None = None) -> TestClient:
    """Return a client of a server of the store at *url*."""
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url).at(schema))
    return TestClient(create_app({"default": store}, Access(token)), base_url="http://127.0.0.1")


@contextmanager
def serving(url: str, schema: str = DEFAULT_SCHEMA) -> Iterator[TestClient]:
    """Yield a client of a server of the store at *url*, and stop the server."""
    with client_of(url, schema) as client:
        yield client


@cache
def described() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return api_description().document


def answer(client: TestClient, path: str, **parameters: object) -> dict[str, Any]:
    """Return the answer to a request about the shop, after it was checked against both kinds of schemas."""
    response = client.get(SHOP + path, params={name: str(value) for name, value in parameters.items()})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    operation = described()["paths"]["/api/stores/{store}" + path]["get"]
    check(found, operation["responses"]["200"]["content"]["application/json"]["schema"])
    if "schema" in found:
        _checker(json.dumps(SCHEMAS[found["schema"]])).validate(found)
    return found


def check(value: object, schema: Mapping[str, Any]) -> None:
    """Raise ValidationError unless *value* has the *schema* of the OpenAPI document."""
    _checker(json.dumps({**schema, "components": described()["components"]})).validate(value)


@cache
def _checker(schema: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(schema))


def items(client: TestClient, path: str, **parameters: object) -> list[Any]:
    """Return the items on all pages of a list."""
    found: list[Any] = []
    page = answer(client, path, **parameters)
    while True:
        found += page["items"]
        assert page["total"] >= len(found)
        if page["next_cursor"] is None:
            assert page["total"] == len(found)
            return found
        page = answer(client, path, **parameters, cursor=page["next_cursor"])
