"""What a scan asks of the warehouses that are not at hand: the statements, and that each can be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from recce_meta.errors import UsageError
from recce_meta.warehouses import warehouse_named
from recce_meta.warehouses.catalog import ROWS, BaseCatalog, Part, catalog_of, select_list

WAREHOUSES = ("snowflake", "bigquery", "redshift", "databricks")
SHOWN = "SHOW "
"""A statement that is run for what RESULT_SCAN reads of it."""


def catalog(name: str) -> BaseCatalog:
    found = catalog_of(warehouse_named(name))
    found.region = "EU" if found.needs_region else None
    return found


def statements(name: str, part: Part, schemas: Sequence[str]) -> tuple[str, ...]:
    asked = catalog(name)
    return asked.statements(part, schemas[:1] if asked.is_by_schema else schemas, "shop")


@pytest.mark.parametrize("name", WAREHOUSES)
def test_statements_are_as_they_were(name: str, check_golden: Callable[[Path, str], None]) -> None:
    told = [
        f"-- {part.value}\n" + "".join(f"{statement};\n" for statement in found)
        for part in Part
        if (found := statements(name, part, ["sales", 'it\'s \\ "new"']))
    ]

    check_golden(Path(__file__).parent / f"{name}.sql", "\n".join(told))


@pytest.mark.parametrize("name", WAREHOUSES)
@pytest.mark.parametrize("part", list(Part), ids=lambda part: part.value)
def test_a_statement_gives_the_columns_of_its_rows(name: str, part: Part) -> None:
    *before, last = statements(name, part, ["sales", 'it\'s \\ "new"']) or (None,)

    assert all(statement is not None and statement.startswith(SHOWN) for statement in before)
    if last is None:
        assert part is Part.INDEXES
        return
    (tree,) = sqlglot.parse(last, read=name)
    assert isinstance(tree, exp.Query)
    branches = [tree, *(branch for union in tree.find_all(exp.Union) for branch in (union.left, union.right))]
    for branch in branches:
        if branch.find_ancestor(exp.Subquery) is None:
            assert tuple(select.alias_or_name for select in branch.selects) == tuple(
                ROWS[part].__annotations__
            )


@pytest.mark.parametrize("name", WAREHOUSES)
def test_the_number_of_statements_does_not_grow(name: str) -> None:
    few = [len(statements(name, part, ["a"])) for part in Part]
    many = [len(statements(name, part, [f"schema {number}" for number in range(500)])) for part in Part]

    assert few == many


def test_one_schema_is_shown_by_itself_on_snowflake() -> None:
    assert statements("snowflake", Part.CONSTRAINTS, ["a.b"])[0] == 'SHOW PRIMARY KEYS IN SCHEMA "shop"."a.b"'


def test_bigquery_is_asked_about_one_region_or_about_its_first() -> None:
    bigquery = catalog("bigquery")
    (of_region,) = bigquery.statements(Part.SCHEMAS, (), "shop")
    bigquery.region = None
    (of_none,) = bigquery.statements(Part.SCHEMAS, (), "shop")

    assert "FROM `shop`.`region-eu`.INFORMATION_SCHEMA.SCHEMATA" in of_region
    assert "FROM `shop`.INFORMATION_SCHEMA.SCHEMATA" in of_none


@pytest.mark.parametrize("name", ["snowflake", "bigquery", "databricks"])
def test_without_a_database_it_is_said_what_to_name(name: str) -> None:
    with pytest.raises(UsageError, match=r"Missing \w+ (database|project|catalog)"):
        catalog(name).statements(Part.SCHEMAS, (), None)


def test_the_old_metastore_is_refused_with_a_way_out() -> None:
    with pytest.raises(UsageError, match="hive_metastore cannot be scanned") as refused:
        catalog("databricks").statements(Part.SCHEMAS, (), "hive_metastore")
    assert "catalog:" in (refused.value.hint or "")


@pytest.mark.parametrize("name", WAREHOUSES)
@pytest.mark.parametrize("text", ["it's", "back\\slash", "\\'", "line\nbreak", '"', "`"])
def test_a_name_stays_a_name_within_a_literal(name: str, text: str) -> None:
    literal = sqlglot.parse_one(f"SELECT {catalog(name).literal(text)}", read=name).selects[0]

    assert isinstance(literal, exp.Literal)
    assert literal.name == text


def test_a_value_for_no_field_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no field of schemas: nme"):
        select_list(Part.SCHEMAS, {"nme": "x"}, str)
