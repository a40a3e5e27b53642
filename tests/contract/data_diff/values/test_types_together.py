"""Every type of a warehouse in one table: for those where a table for each type would take too long."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.data_diff.detail import value_diff_detail
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.value import value_diff

pytestmark = pytest.mark.emulated

DATABRICKS = {
    "BOOLEAN": ("true", "false"),
    "TINYINT": ("1Y", "2Y"),
    "BIGINT": ("9223372036854775807", "-1"),
    "DECIMAL(38,2)": ("-0.01", "0"),
    "FLOAT": ("'nan'", "0.1"),
    "DOUBLE": ("'inf'", "'-inf'"),
    "STRING": ("'a'", "'A'"),
    "BINARY": ("X'00FF'", "X'00'"),
    "DATE": ("'2020-01-01'", "'0001-01-01'"),
    "TIMESTAMP": ("'2020-01-01T00:00:00Z'", "'2020-01-01T00:00:00+01:00'"),
    "TIMESTAMP_NTZ": ("'2020-01-01 00:00:00.000001'", "'2020-01-01'"),
    "ARRAY<INT>": ("array(1, NULL, 3)", "array(1, 3)"),
    "ARRAY<DOUBLE>": ("array(double('nan'))", "array(0.5D)"),
    "MAP<STRING, INT>": ("map('a', 1)", "map('a', 2)"),
    "STRUCT<a: INT, b: STRING>": (
        "named_struct('a', 1, 'b', CAST(NULL AS STRING))",
        "named_struct('a', 1, 'b', '')",
    ),
    "VARIANT": ("""parse_json('{"a": 1}')""", """parse_json('{"a": 2}')"""),
}
TYPES = {"databricks": DATABRICKS}
"""Two values of each type that differ."""


def test_values_of_every_type_are_compared_and_shown(site: Any) -> None:
    types = TYPES.get(site.dialect.name)
    if types is None:
        pytest.skip("a table for each type: test_types.py")
    columns = {f"c{place}": kind for place, kind in enumerate(types)}
    for name, chosen in (("base", (0, 0, 0, None)), ("current", (0, 1, None, None))):
        site.create(name, {"id": "INT", **columns}, [])
        for number, which in enumerate(chosen):
            values = ", ".join(
                f"CAST({'NULL' if which is None else pair[which]} AS {kind})" for kind, pair in types.items()
            )
            site.adapter.execute(f"INSERT INTO {site.relation(name)} SELECT {number}, {values}")
    options = ValueOptions(key=("id",))

    diff = site.run(value_diff(site.pair(), options))
    detail = site.run(value_diff_detail(site.pair(), options))
    whole = site.run(rows_diff(site.pair(), ValueOptions()))

    for found, kind in zip(diff.columns[1:], types, strict=True):
        assert found.reason is None, kind
        assert (found.matched, found.mismatched, found.value_to_null) == (2, 2, 1), kind
        assert [each.key for each in found.examples] == [(1,), (2,)], kind
        assert found.examples[1].current is None, kind
    assert [row.key for row in detail.rows] == [(1,), (2,)]
    assert (whole.common, whole.added, whole.removed) == (2, 2, 2)
