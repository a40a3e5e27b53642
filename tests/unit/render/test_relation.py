"""Relations and columns, as templates take them apart."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.models import Column
from recce_meta.render.relation import relation_of, stored_columns


@pytest.mark.parametrize(
    ("text", "adapter", "without_database", "unquoted"),
    [
        ('"wh"."main"."t"', "postgres", '"main"."t"', '"wh".main."t"'),
        ("`wh`.`main`.`t`", "bigquery", "`main`.`t`", "`wh`.main.`t`"),
        ("wh.main.t", "snowflake", "main.t", "wh.main.t"),
        ('wh.main."t"', "snowflake", 'main."t"', 'wh.main."t"'),
        ("`main`.`t`", "spark", "`main`.`t`", "main.`t`"),
        (None, "snowflake", "main.t", "wh.main.t"),
        (None, "databricks", "`main`.`t`", "`wh`.main.`t`"),
    ],
)
def test_a_changed_relation_is_quoted_as_dbt_quoted_it(
    shop: Any, text: str | None, adapter: str, without_database: str, unquoted: str
) -> None:
    relation = relation_of(shop.model("t", relation_name=text), adapter)

    assert text is None or str(relation) == text
    assert str(relation.include(database=False)) == without_database
    assert str(relation.quote(schema=False)) == unquoted


def test_relations_have_dbts_members(shop: Any) -> None:
    relation = relation_of(shop.model("t", materialized="table"), "duckdb", of_database=True)

    assert (relation.type, relation.is_table, relation.is_view, relation.is_cte) == (
        "table",
        True,
        False,
        False,
    )
    assert str(relation.without_identifier()) == '"wh"."main"'
    assert str(relation.replace_path(identifier="u")) == '"wh"."main"."u"'
    assert relation.incorporate(path={"schema": "s"}, type="view").is_view
    assert relation.get("metadata") == {"type": "Relation"}
    assert (relation.get("schema"), relation.get("nope", 1)) == ("main", 1)
    assert relation == relation_of(shop.model("t"), "duckdb")


def test_a_relation_is_a_mapping_to_packages(render: Any) -> None:
    assert (
        render("{{ ref('orders') is mapping }} {{ {} is mapping }} {{ 1 is mapping }}") == "True True False"
    )


def test_columns_know_their_types() -> None:
    columns = [
        Column("a", "VARCHAR"),
        Column("b", "DECIMAL(18,3)"),
        Column("c", "BIGINT"),
        Column("d", "DOUBLE"),
    ]
    text, decimal, whole, fraction = stored_columns(columns, "duckdb")

    assert (text.data_type, text.string_size(), text.quoted) == ("character varying(256)", 256, '"a"')
    assert (decimal.is_numeric(), decimal.dtype, decimal.data_type) == (True, "DECIMAL", "DECIMAL(18,3)")
    assert (whole.is_integer(), fraction.is_float(), whole.is_number(), text.is_number()) == (
        True,
        True,
        True,
        False,
    )
    assert stored_columns([Column("a", "varchar(9)")], "postgres")[0].char_size == 9
    assert stored_columns([Column("a", "STRING")], "bigquery")[0].quoted == "`a`"


@pytest.mark.parametrize(
    ("catalog", "dtype", "data_type", "unsized"),
    [
        ("TEXT", "VARCHAR", "character varying(16777216)", True),
        ("VARCHAR(9)", "VARCHAR", "character varying(9)", False),
        ("NUMBER", "NUMBER", "NUMBER", True),
        ("NUMBER(38,0)", "NUMBER", "NUMBER(38,0)", False),
        ("TIMESTAMP_NTZ", "TIMESTAMP_NTZ", "TIMESTAMP_NTZ", False),
    ],
)
def test_columns_of_snowflake_have_the_types_that_dbt_reads_from_describe_table(
    catalog: str, dtype: str, data_type: str, unsized: bool
) -> None:
    warnings: list[str] = []
    (column,) = stored_columns([Column("A", catalog)], "snowflake", warnings.append)

    assert (column.dtype, column.data_type) == (dtype, data_type)
    assert (column.is_integer(), column.is_numeric()) == (False, dtype == "NUMBER")
    assert bool(warnings) is unsized


@pytest.mark.parametrize(
    ("template", "text", "what"),
    [
        ("{{ adapter.quote('a') }}", '"a"', "identifier quotes"),
        ("{{ api.Relation.create(schema='s', identifier='t') }}", '"s"."t"', "identifier quotes"),
        ("{{ api.Column.translate_type('string') }}", "TEXT", "type names"),
        ("{{ adapter.dispatch('now')() }}", "now()", "macros such as default__now"),
    ],
)
def test_rules_of_an_adapter_that_is_not_known_are_assumed_with_a_warning(
    shop: Any, template: str, text: str, what: str
) -> None:
    macros = (shop.macro("default__now", "default__now() %}now()", package="dbt"),)
    run = replace(shop.run, adapter_type="exasol", dbt_version="1.10.0")
    renderer = shop.renderer(macros=macros, run=run)

    assert renderer.render(template + template) == text * 2
    assert renderer.warnings == [f"Adapter 'exasol' is not supported: {what} follow dbt's defaults"]

    known = shop.renderer(macros=macros)
    assert known.render(template) == text
    assert known.warnings == []
