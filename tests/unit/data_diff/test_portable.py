"""Values that travel as text."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from recce_meta.data_diff.portable import approximately, parse_portable, plain, sample
from recce_meta.warehouses.types import ColumnType, Kind

UTC = timezone.utc


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.INTEGER, "-170141183460469231731687303715884105728", -(2**127)),
        (Kind.INTEGER, "NaN", Decimal("NaN")),
        (Kind.DECIMAL, "1.50", Decimal("1.50")),
        (Kind.FLOAT, "1e-07", 1e-7),
        (Kind.FLOAT, "inf", math.inf),
        (Kind.BOOLEAN, "TRUE", True),
        (Kind.BOOLEAN, "f", False),
        (Kind.BOOLEAN, "maybe", "maybe"),
        (Kind.TEXT, "2026-01-01", "2026-01-01"),
        (Kind.DATE, "2026-02-28", date(2026, 2, 28)),
        (Kind.DATE, "2026-02-28 00:00:00", date(2026, 2, 28)),
        (Kind.DATE, "10000-01-01", "10000-01-01"),
        (Kind.DATE, "0044-03-15 BC", "0044-03-15 BC"),
        (Kind.DATE, "0000-03-15", "0000-03-15"),
        (Kind.TIME, "10:00:00.5", time(10, 0, 0, 500_000)),
        (Kind.TIME, "24:00:00", "24:00:00"),
        (Kind.TIMESTAMP, "2026-01-01T10:00:00.123456000", datetime(2026, 1, 1, 10, 0, 0, 123_456)),
        (Kind.TIMESTAMP, "2026-01-01 10:00:00.123456789", "2026-01-01 10:00:00.123456789"),
        (Kind.TIME, "10:00:00.000000001", "10:00:00.000000001"),
        (Kind.TIMESTAMP, "infinity", "infinity"),
        (Kind.TIMESTAMPTZ, "2026-01-01 10:00:00.1", datetime(2026, 1, 1, 10, 0, 0, 100_000, tzinfo=UTC)),
        (Kind.BINARY, "00FFab", b"\x00\xff\xab"),
        (Kind.UUID, "00000000-0000-0000-0000-000000000005", UUID(int=5)),
        (Kind.ARRAY, '[1,null,"a"]', [1, None, "a"]),
        (Kind.STRUCT, '{"a":{"b":0.10}}', {"a": {"b": Decimal("0.10")}}),
        (Kind.MAP, "{broken", "{broken"),
        (Kind.JSON, '{"a": 1}', '{"a": 1}'),
        (Kind.OTHER, "(1,2)", "(1,2)"),
    ],
)
def test_texts_become_what_they_mean(kind: Kind, text: str, value: Any) -> None:
    found = parse_portable(text, ColumnType("", kind))

    assert (str(found), type(found)) == (str(value), type(value)) or found == value


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_reads_null_and_its_own_sample(kind: Kind) -> None:
    of = ColumnType("", kind)

    assert parse_portable(None, of) is None
    assert parse_portable(sample(of), of) is not None


def test_numbers_are_of_their_kind_and_zero_has_no_sign() -> None:
    assert type(plain(Decimal("7"), ColumnType("", Kind.INTEGER))) is int
    assert str(plain(Decimal("NaN"), ColumnType("", Kind.INTEGER))) == "NaN"
    assert math.copysign(1, plain(-0.0, ColumnType("", Kind.FLOAT))) == 1
    assert math.copysign(1, parse_portable("-0.0", ColumnType("", Kind.FLOAT))) == 1
    assert approximately(Decimal("1.5")) == 1.5
