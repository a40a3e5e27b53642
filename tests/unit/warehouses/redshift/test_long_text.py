"""What Redshift's driver knows of SQL: batches, lists of lines, names of types. No database."""

from __future__ import annotations

import json
from functools import partial

import pytest

from recce_meta.warehouses.redshift.driver import _as_sent
from recce_meta.warehouses.redshift.long_text import (
    LONGEST,
    MOST_BINDS,
    MOST_BYTES,
    batches_of,
    schema_read,
    type_name,
    with_split_lines,
)


@pytest.mark.parametrize(
    ("characters", "statements"),
    [(20, 4), (1000, 4), (4000, 11)],
    ids=["short rows", "as many as bind", "as many as weigh"],
)
def test_statements_grow_with_bytes_and_not_with_rows(characters: int, statements: int) -> None:
    rows = ((f"test.shop.{number}", "x" * characters, None, 1, "{}") for number in range(20_000))

    batches = list(batches_of(rows, partial(_as_sent, [False, False, False, False, True])))

    assert len(batches) == statements
    assert sum(len(batch.expressions) for batch in batches) == 20_000
    assert all(len(batch.parameters) <= MOST_BINDS for batch in batches)
    assert all(batch.size <= MOST_BYTES for batch in batches)


def test_a_row_that_is_too_large_by_itself_goes_alone() -> None:
    large = json.dumps(["y" * 1000] * (MOST_BYTES // 1000))
    rows = [("a", "[]"), ("b", large), ("c", "[]")]

    batches = list(batches_of(rows, partial(_as_sent, [False, True])))

    assert [len(batch.expressions) for batch in batches] == [1, 1, 1]


@pytest.mark.parametrize(
    ("sql", "schema"),
    [
        ('SELECT 1 FROM "Me ""ta".runs JOIN x.y', '"Me ""ta"'),
        ("SELECT 1 FROM recce_metadata.runs", "recce_metadata"),
        ("SELECT 1 FROM pg_catalog.pg_namespace", None),
        ("SELECT 1 FROM (SELECT 1 FROM a.b) AS c", "a"),
        ("SELECT 1", None),
    ],
)
def test_a_statement_tells_its_schema(sql: str, schema: str | None) -> None:
    assert schema_read(sql) == schema


def test_a_list_of_lines_that_fits_is_sent_as_it_is() -> None:
    sql = "SELECT SPLIT_TO_ARRAY(:ids, CHR(10))"

    assert with_split_lines(sql, {"ids": "a\nb", "n": 1}) == (sql, {"ids": "a\nb", "n": 1})


@pytest.mark.parametrize("given", [":ids", "CAST(:ids AS VARCHAR(65535))"])
def test_a_longer_list_of_lines_is_sent_in_pieces(given: str) -> None:
    lines = [f"model.shop.{'ü' * 40}_{number}" for number in range(3000)]
    sql = f"SELECT 1 WHERE CAST(:ids AS VARCHAR) IS NULL OR x IN (SPLIT_TO_ARRAY({given}, CHR(10)))"

    split, parameters = with_split_lines(sql, {"ids": "\n".join(lines)})

    assert len(parameters) == 5 and all(len(str(piece).encode()) <= LONGEST for piece in parameters.values())
    assert "\n".join(str(piece) for piece in parameters.values()) == "\n".join(lines)
    calls = [f"SPLIT_TO_ARRAY({given.replace(':ids', f':{name}')}, CHR(10))" for name in parameters]
    assert all(split.count(call) == 1 for call in calls)
    assert split.count("ARRAY_CONCAT(") == 4
    assert split.startswith("SELECT 1 WHERE CAST(:ids AS VARCHAR) IS NULL OR x IN (ARRAY_CONCAT(")
    assert split.count("(") == split.count(")")


@pytest.mark.parametrize(
    ("number", "modifier", "name"),
    [
        (16, -1, "boolean"),
        (1043, 65539, "character varying(65535)"),
        (1043, -1, "character varying"),
        (1700, ((38 << 16) | 37) + 4, "numeric(38,37)"),
        (4000, -1, "super"),
        (99999, -1, "type 99999"),
    ],
)
def test_types_have_the_catalogs_names(number: int, modifier: int, name: str) -> None:
    assert type_name(number, modifier) == name
