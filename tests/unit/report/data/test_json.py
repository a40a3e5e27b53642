"""The JSON of data diffs keeps to what docs/schemas and docs/reference/data-json.md say."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from msgspec import Struct

from recce_meta.models import data_diff
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnValues,
    DetailRow,
    Failed,
    RowCount,
    RowCountDiff,
    Subject,
    ValueDetail,
)
from recce_meta.models.rows import published
from recce_meta.report import data_json
from recce_meta.report.json import data_tree

DOCS = Path(__file__).parents[4] / "docs"
SCHEMA = json.loads((DOCS / "schemas" / "data-diff-2.json").read_text(encoding="utf-8"))
STRUCTS = [
    kind
    for kind in vars(data_diff).values()
    if isinstance(kind, type)
    and issubclass(kind, msgspec.Struct)
    and kind.__module__ == data_diff.__name__
    and kind.__name__ not in ("DataDiff", "Moment", "RowComparison", "ColumnDistribution", "DistributionDiff")
]


def described(kind: type[msgspec.Struct]) -> dict[str, Any]:
    tag = kind.__struct_config__.tag
    name = str(tag) if tag else re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    found: dict[str, Any] = SCHEMA["$defs"][name]
    return found


def computed(kind: type[msgspec.Struct]) -> list[str]:
    return [
        name
        for base in kind.__mro__
        if base.__module__ == data_diff.__name__
        for name, member in vars(base).items()
        if isinstance(member, published)
    ]


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda kind: kind.__name__)
def test_the_schema_describes_every_field_and_figure_and_no_other(kind: type[msgspec.Struct]) -> None:
    tag = ["type"] if kind.__struct_config__.tag else []
    expected = {*tag, *kind.__struct_fields__, *computed(kind)}

    assert set(described(kind)["properties"]) == expected
    assert set(described(kind)["required"]) == expected


def test_the_schema_knows_every_kind_of_result() -> None:
    listed = {entry["$ref"].rpartition("/")[2] for entry in SCHEMA["$defs"]["result"]["oneOf"]}

    assert listed == {kind.__struct_config__.tag for kind in get_args(AnyDataDiff)}


def test_the_page_names_every_kind_of_result() -> None:
    page = (DOCS / "reference" / "data-json.md").read_text(encoding="utf-8")

    assert [k for k in get_args(AnyDataDiff) if f"| `{k.__struct_config__.tag}` |" not in page] == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (True, True),
        (42, 42),
        (2**53 - 1, 2**53 - 1),
        (-(2**53), "-9007199254740992"),
        (2**127, "170141183460469231731687303715884105728"),
        (0.1, 0.1),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+5"), "100000"),
        (Decimal("NaN"), "NaN"),
        ("a\x00b", "a\x00b"),
        ("\ud800", "\ufffd"),
        (b"\x00\xff", "\\x00ff"),
        (memoryview(b"\x01"), "\\x01"),
        (date(2026, 11, 19), "2026-11-19"),
        (time(8, 0, 0, 5), "08:00:00.000005"),
        (datetime(2026, 11, 19, 8), "2026-11-19T08:00:00"),
        (datetime(2026, 11, 19, 8, tzinfo=timezone.utc), "2026-11-19T08:00:00Z"),
        (timedelta(days=1, seconds=5), "P1DT5S"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ([1, (None,)], [1, [None]]),
        ({"a": {"b": 1.0}}, {"a": {"b": 1.0}}),
        ({1: "a", "1": "b"}, [[1, "a"], ["1", "b"]]),
    ],
)
def test_a_cell_is_written_as_the_page_says(value: object, written: object) -> None:
    row = DetailRow(status="added", key=(), current=(value,))
    diff = ValueDetail(subject=Subject(name="n"), key=(), key_source="", columns=("c",), rows=(row,), limit=1)

    assert json.loads(data_json([diff]))["results"][0]["rows"][0]["current"] == [written]


def test_what_a_type_computes_is_written_too() -> None:
    column = ColumnValues(name="c", base_type="INT", current_type="INT", matched=3, mismatched=1)
    counted = RowCountDiff(counts=(RowCount(subject=Subject(name="n"), base=10, current=11),))

    assert data_tree(column)["match_share"] == 0.75
    assert {name: data_tree(counted)["counts"][0][name] for name in ("delta", "change")} == {
        "delta": 1,
        "change": 0.1,
    }


def test_a_property_is_written_only_if_it_is_published() -> None:
    class Result(Struct):
        name: str

        @published
        def size(self) -> int:
            return len(self.name)

        @property
        def is_short(self) -> bool:
            return self.size < 9

    assert data_tree(Result("orders")) == {"name": "orders", "size": 6}


def test_a_document_says_what_it_is() -> None:
    document = json.loads(data_json([Failed(subject=Subject(name="n"), diff="value_diff", error="gone")]))

    assert (document["schema"], document["schema_version"], document["kind"]) == (
        "recce_meta/data-diff/v2",
        2,
        "data_diff",
    )
    assert document["results"][0]["type"] == "failed"
