"""Sums on the pages of scanned databases say what they leave out."""

from __future__ import annotations

import pytest

from recce_meta.api.browse.database import ScannedTable
from recce_meta.server.pages.nodes.database import size_text

EMPTY = dict.fromkeys(ScannedTable.__struct_fields__)


def table(rows: int | None, size: int | None = None, kind: str = "table") -> ScannedTable:
    return ScannedTable(**{**EMPTY, "resource_type": kind, "row_estimate": rows, "bytes": size})


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ([], ""),
        ([table(None)], ""),
        ([table(1500), table(0), table(None, kind="view")], "1,500 rows"),
        ([table(1500), *[table(None)] * 7], "at least 1,500 rows in 1 of 8 tables"),
        ([table(1, 2048), table(None, 2048)], "at least 1 row in 1 of 2 tables, 4.0 kB"),
        ([table(1, 2048), table(1)], "2 rows, at least 2.0 kB in 1 of 2 tables"),
    ],
)
def test_a_sum_without_some_tables_says_so(tables: list[ScannedTable], said: str) -> None:
    assert size_text(tables) == said
