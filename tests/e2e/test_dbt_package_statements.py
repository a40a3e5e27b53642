"""What the dbt package sends to each warehouse: rendered by dbt, parsed here; of two, run elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import ErrorLevel, exp

from recce_meta.store import sql_files
from tests.e2e.dbt_shop import ROOT, Shop, copy_shop, python_with_dbt
from tests.support.googlesql import accept, judging, store_tables

pytestmark = pytest.mark.dbt

WAREHOUSES = ("duckdb", "postgres", "snowflake", "bigquery", "redshift", "databricks")
TEXT = 'It\'s\n"x" \\ \\n 🦆 ⟦a⟧ $$ {{ y }} %'
JSON = '{"a":"It\'s \\\\ \\n"}'
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Statements by warehouse, as the project's macro `statements_of` lists them."""
    folder = tmp_path_factory.mktemp("statements")
    shop = Shop(
        python_with_dbt(), copy_shop(folder, has_package=False), "duckdb", {"SHOP_DATABASE": ":memory:"}
    )
    shop.dbt("deps")
    said = shop.dbt("run-operation", "statements_of_all", "--quiet")
    found = re.findall(r"^statements of (\w+): (.*)$", said, re.MULTILINE)
    return {dialect: json.loads(text) for dialect, text in found}


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_a_store_is_created_by_the_statements_of_init(statements: Mapping[str, Any], warehouse: str) -> None:
    expected = [
        statement
        for file in (*sql_files.ddl(warehouse), *sql_files.views(warehouse, has_comments=False))
        for statement in file.statements("recce_metadata")
    ]
    assert [text.strip() for text in statements[warehouse]["create"]] == expected


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_every_statement_parses_in_its_dialect(statements: Mapping[str, Any], warehouse: str) -> None:
    sent = [*statements[warehouse]["insert"], *statements[warehouse]["query"]]
    assert len(sent) >= 15
    for sql in sent:
        (parsed,) = sqlglot.parse(sql, read=warehouse, error_level=ErrorLevel.RAISE)
        assert parsed is not None
        is_known = not isinstance(parsed, exp.Command)
        assert is_known or parsed.name in ("LOCK", "SHOW"), sql


@pytest.mark.emulator
def test_bigquery_accepts_every_statement(statements: Mapping[str, Any]) -> None:
    sent = statements["bigquery"]
    with judging() as judge:
        tables = store_tables(judge)
        for sql in (*sent["create"], *sent["insert"], *sent["query"]):
            accept(judge, sql, tables)


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_texts_arrive_as_they_were(statements: Mapping[str, Any], warehouse: str) -> None:
    for sql in statements[warehouse]["insert"]:
        (parsed,) = sqlglot.parse(sql, read=warehouse)
        texts = {literal.this for literal in parsed.find_all(exp.Literal) if literal.is_string}
        texts -= {"2026-01-02T03:04:05.678901+00:00", "round"}
        assert texts <= {TEXT, JSON}, sql
        assert texts, sql


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_many_rows_go_in_statements_of_bounded_length(statements: Mapping[str, Any], warehouse: str) -> None:
    lengths = statements[warehouse]["many"]
    characters = statements[warehouse]["facts"]["batch_characters"]
    assert len(lengths) > 1
    # Beside its values a row has some names, and every value at most its quotes.
    assert max(lengths) < characters + 500 * statements[warehouse]["facts"]["batch_rows"]
    if warehouse == "bigquery":
        assert 4 * characters < MEGABYTE
        assert max(lengths) * 2 < MEGABYTE  # two bytes for each é


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_reserved_names_are_known(statements: Mapping[str, Any], warehouse: str) -> None:
    ddl = "".join(file.text for file in sql_files.ddl(warehouse))
    quoted = set(re.findall(r"^  [\"`](\w+)[\"`] [A-Z]", ddl, re.MULTILINE))
    assert quoted == set(statements[warehouse]["facts"]["reserved"])


def test_the_package_names_the_versions_of_dbt_that_it_knows() -> None:
    text = Path(ROOT / "dbt_package" / "dbt_project.yml").read_text(encoding="utf-8")
    assert 'require-dbt-version: [">=1.5.0"' in text
