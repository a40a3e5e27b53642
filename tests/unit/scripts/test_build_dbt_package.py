"""The dbt package and the store: one declaration of tables, statements and rows, without dbt."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from recce_meta.store.content import (
    MACRO_COLUMNS,
    MACRO_SET_COLUMNS,
    NODE_COLUMNS,
    PARENT_COLUMNS,
    PART_COLUMNS,
    VERSION_COLUMNS,
)
from recce_meta.store.write import RESULT_COLUMNS, RUN_COLUMNS

ROOT = Path(__file__).resolve().parents[3]
MACROS = {
    macro.name: macro
    for path in sorted((ROOT / "dbt_package" / "macros").glob("[!g]*/*.sql"))
    for macro in Environment(extensions=["jinja2.ext.do"])
    .parse(path.read_text(encoding="utf-8"))
    .find_all(nodes.Macro)
}


def test_the_generated_macros_are_those_of_the_sql_files() -> None:
    build = runpy.run_path(str(ROOT / "scripts" / "build_dbt_package.py"))
    assert build["stale"]() == {}, "run python scripts/build_dbt_package.py"


def test_the_row_of_a_run_has_the_columns_of_the_store_in_their_order() -> None:
    row = next(MACROS["run_row"].find_all(nodes.Dict))
    assert tuple(pair.key.value for pair in row.items if isinstance(pair.key, nodes.Const)) == RUN_COLUMNS


@pytest.mark.parametrize(
    ("macro", "columns"),
    [
        ("result_rows", RESULT_COLUMNS),
        ("version_row", VERSION_COLUMNS),
        ("write_macros", MACRO_COLUMNS),
        ("write_macros", MACRO_SET_COLUMNS),
        ("write_parts", PART_COLUMNS),
        ("write_versions", PARENT_COLUMNS),
        ("contents", NODE_COLUMNS[1:]),
    ],
)
def test_other_rows_have_as_many_values_as_the_table_has_columns(
    macro: str, columns: tuple[str, ...]
) -> None:
    assert len(columns) in {len(row.items) for row in MACROS[macro].find_all(nodes.List)}
