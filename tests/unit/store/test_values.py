"""Values of cells as text and as JSON: what goes in comes out, with its type."""

from __future__ import annotations

import ipaddress
import math
import sys
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.errors import StoreError
from recce_meta.models.data_diff import DataSide
from recce_meta.store.values import (
    KINDS,
    json_text,
    kind_and_text,
    number_of,
    storable,
    value_of,
    value_of_tree,
)

# Whole minutes, as warehouses have them: CPython reads an offset of one microsecond as UTC.
zones = st.none() | st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
anything = st.text(st.characters(exclude_categories=[]) | st.just("\0") | st.sampled_from("\ud800\udfff$"))
scalars = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | anything
    | st.binary()
    | st.dates()
    | st.times(timezones=zones)
    | st.datetimes(timezones=zones)
    | st.timedeltas()
    | st.uuids()
)
keys = (
    anything | st.integers() | st.dates() | st.decimals(allow_nan=False) | st.sampled_from(["$map", "$int"])
)
values = st.recursive(
    st.none() | scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def is_same(left: Any, right: Any) -> bool:
    """Equal in value and in type all the way down; NaN is NaN, and −0.0 is not 0.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(is_same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(map(is_same, left.values(), right.values()))
    if isinstance(left, float):
        return (left == right and math.copysign(1, left) == math.copysign(1, right)) or (
            left != left and right != right
        )
    if isinstance(left, Decimal):
        return left.as_tuple() == right.as_tuple()
    if isinstance(left, (datetime, time)):
        return (left, left.utcoffset()) == (right, right.utcoffset())
    return bool(left == right)


@given(values.filter(lambda value: value is not None))
def test_a_value_comes_back_from_its_text(value: Any) -> None:
    kind, text = kind_and_text(value)
    assert kind in KINDS
    assert storable(text) == text, "a text that every database takes"
    assert is_same(value_of(kind, text), value)


@given(values)
def test_a_value_comes_back_from_its_json(value: Any) -> None:
    text = json_text(value)
    assert "\\u0000" not in text.replace("\\\\", ""), "PostgreSQL reads no JSON past one"
    assert is_same(value_of_tree(msgspec.json.decode(text)), value)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, "bool", "true"),
        (-7, "int", "-7"),
        (-0.0, "float", "-0.0"),
        (float("nan"), "float", "nan"),
        (Decimal("1.50"), "decimal", "1.50"),
        (Decimal("1E+5"), "decimal", "1E+5"),
        ("", "text", ""),
        ("ünï 漢字 🦆", "text", "ünï 漢字 🦆"),
        ("a\0b", "escaped", '"a\\u0000b"'),
        (b"\x00\xff", "bytes", "\\x00ff"),
        (date(2026, 1, 2), "date", "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, 6), "timestamp", "2026-01-02T03:04:05.000006"),
        (
            datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=5, minutes=30))),
            "timestamp",
            "2026-01-02T00:00:00+05:30",
        ),
        (time(23, 59, 59, 999999), "time", "23:59:59.999999"),
        (-timedelta(days=3, microseconds=5), "interval", "-P3DT0.000005S"),
        (UUID(int=1), "uuid", "00000000-0000-0000-0000-000000000001"),
        ([1, None, Decimal("2.0")], "list", '[1,null,{"$decimal":"2.0"}]'),
        ({"a": 1, "b": [2.5]}, "map", '{"a":1,"b":[2.5]}'),
        ({1: "x"}, "map", '{"$map":[[1,"x"]]}'),
        ({"$int": "7"}, "map", '{"$map":[["$int","7"]]}'),
    ],
)
def test_the_text_is_one_that_people_can_read(value: Any, kind: str, text: str) -> None:
    assert kind_and_text(value) == (kind, text)


@pytest.mark.parametrize(
    ("value", "comes_back"),
    [
        ((1, (2,)), [1, [2]]),
        (bytearray(b"a"), b"a"),
        (memoryview(b"a"), b"a"),
        (ipaddress.ip_address("10.0.0.1"), "10.0.0.1"),
        (DataSide.BASE, "base"),
    ],
)
def test_what_does_not_come_back_with_its_type(value: Any, comes_back: Any) -> None:
    assert is_same(value_of(*kind_and_text(value)), comes_back)
    assert is_same(value_of_tree(msgspec.json.decode(json_text(value))), comes_back)


def test_integers_of_any_length_come_back() -> None:
    for value in (10**5000, -(10**5000), 2**63, -(2**200)):
        assert value_of(*kind_and_text(value)) == value
    assert sys.get_int_max_str_digits() < 5000


def test_a_map_may_have_lists_for_keys() -> None:
    assert value_of_tree(msgspec.json.decode(json_text({(1, ("a",)): 2}))) == {(1, ("a",)): 2}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0),
        (Decimal("0.10"), 0.1),
        (10**400, math.inf),
        (-(10**400), -math.inf),
        (Decimal("1E+400"), math.inf),
        (float("inf"), math.inf),
        (True, None),
        ("3", None),
        (None, None),
        (date(2026, 1, 1), None),
    ],
)
def test_numbers_are_doubles_too(value: Any, number: float | None) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize("value", [float("nan"), Decimal("NaN"), Decimal("sNaN")])
def test_nan_is_a_number_too(value: Any) -> None:
    number = number_of(value)
    assert number is not None and math.isnan(number)


def test_values_of_a_later_kind_are_refused_with_advice() -> None:
    with pytest.raises(StoreError, match="'geometry'") as caught:
        value_of_tree({"$geometry": "POINT (1 2)"})
    assert caught.value.hint == "upgrade recce-meta"


def test_text_that_no_database_takes_is_made_storable() -> None:
    assert storable("a\0b\ud800 🦆") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER} 🦆"
