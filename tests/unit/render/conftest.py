"""A small shop, as nodes and macros."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from recce_meta.models import Column, MacroMetadata, NodeMetadata, RunMetadata
from recce_meta.render import SimpleTemplateRenderer, TemplateContext

Render = Callable[..., str]


def model(name: str, *, package: str = "shop", **settings: Any) -> NodeMetadata:
    version = settings.get("version")
    unique_id = f"model.{package}.{name}" + (f".v{version}" if version else "")
    identifier = f"{name}_v{version}" if version else name
    facts: dict[str, Any] = {
        "resource_type": "model",
        "database_name": "wh",
        "schema_name": "main",
        "identifier": identifier,
        "relation_name": f'"wh"."main"."{identifier}"',
        "materialized": "view",
        "raw_code": "select 1 as id",
    }
    return NodeMetadata(unique_id=unique_id, name=name, package_name=package, **{**facts, **settings})


def ephemeral(name: str, code: str, **settings: Any) -> NodeMetadata:
    return model(name, raw_code=code, materialized="ephemeral", relation_name=None, **settings)


def source(owner: str, table: str, relation: str, **settings: Any) -> NodeMetadata:
    return NodeMetadata(
        unique_id=f"source.shop.{owner}.{table}",
        name=table,
        source_name=owner,
        resource_type="source",
        package_name="shop",
        database_name="wh",
        schema_name="raw",
        identifier=table,
        relation_name=relation,
        **settings,
    )


def macro(name: str, text: str, *, package: str = "shop") -> MacroMetadata:
    return MacroMetadata(
        unique_id=f"macro.{package}.{name}",
        name=name,
        package_name=package,
        macro_sql=f"{{% macro {text.strip()} {{%- endmacro %}}",
    )


SHOP = (
    model("orders", config={"materialized": "incremental", "tags": ["nightly"]}, path="models/orders.sql"),
    model("customers"),
    model("customers", package="crm", relation_name='"wh"."crm"."customers"'),
    model("accounts", package="crm"),
    model("accounts", package="erp"),
    model("prices", version="1", properties={"latest_version": 2}),
    model("prices", version="2", properties={"latest_version": 2}),
    model("prices", version="10", properties={"latest_version": 2}),
    source("pos", "sales", 'wh.raw."Sales Öst"'),
    source("pos", "returns", "wh.raw.returns", columns=(Column("id", "INTEGER"),), columns_from="catalog"),
)

RUN = RunMetadata(
    run_id="r1",
    run_at=datetime(2026, 3, 4, 5, 6, tzinfo=timezone.utc),
    project_name="shop",
    dbt_version="1.10.0",
    adapter_type="duckdb",
    target_database="wh",
    target_schema="main",
    target_name="dev",
)


def renderer(
    *more: NodeMetadata, macros: tuple[MacroMetadata, ...] = (), **settings: Any
) -> SimpleTemplateRenderer:
    fields = {name: settings.pop(name) for name in TemplateContext.__struct_fields__ if name in settings}
    given = {"run": RUN, "context": TemplateContext(**fields), **settings}
    return SimpleTemplateRenderer(None, (*SHOP, *more), macros=macros, **given)


@pytest.fixture
def render() -> Render:
    """`render(sql, …)` in the shop."""
    return renderer().render


class Shop:
    """The builders above, for tests that need more than the shop has."""

    model = staticmethod(model)
    ephemeral = staticmethod(ephemeral)
    source = staticmethod(source)
    macro = staticmethod(macro)
    renderer = staticmethod(renderer)
    run = RUN


@pytest.fixture
def shop() -> Shop:
    """Builders of nodes, macros and renderers."""
    return Shop()
