"""Values compared by key: what a user meets beside the plain case."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from recce_meta.data_diff.detail import query_diff, value_diff_detail
from recce_meta.data_diff.options import DeclaredKey, ValueOptions
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.source import Pair, SideRelation, query
from recce_meta.data_diff.value import value_diff
from recce_meta.errors import MissingRelation, UsageError
from recce_meta.models.data_diff import DataSide, Example, KeyCounts, Subject

BY_ID = ValueOptions(key=("id",))
ID_AND_V = {"id": "INTEGER", "v": "VARCHAR"}


def column(diff: Any, name: str) -> Any:
    return next(each for each in diff.columns if each.name == name)


def test_cells_that_differ_come_with_their_keys(site: Any, tables: Any) -> None:
    tables(ID_AND_V, [(1, "a"), (2, "b"), (3, None)], [(1, "a"), (2, "B"), (3, "c"), (4, "d")])

    diff = site.run(value_diff(site.pair(), BY_ID))

    assert (diff.added, diff.removed, diff.common, diff.changed, diff.total) == (1, 0, 3, 2, 4)
    assert column(diff, "v").examples == (
        Example(key=(2,), base="b", current="B"),
        Example(key=(3,), base=None, current="c"),
    )
    assert column(diff, "v").match_share == pytest.approx(1 / 3)
    assert column(diff, "id").matched == 3


@pytest.mark.parametrize("examples", [0, 1, 2, 3, 5])
def test_as_many_examples_as_wanted(site: Any, tables: Any, examples: int) -> None:
    rows = [(i, str(i)) for i in range(4)]
    tables(ID_AND_V, rows, [(i, v + "!") for i, v in rows] + [(9, "x"), (9, "y")])

    diff = site.run(value_diff(site.pair(), ValueOptions(key=("id",), examples=examples)))

    found = column(diff, "v").examples
    assert len(found) == min(examples, 4)
    assert all(each.current == each.base + "!" == f"{each.key[0]}!" for each in found)


def test_repeated_and_null_keys_are_counted_and_the_rest_is_compared(site: Any, tables: Any) -> None:
    base = [(1, "a"), (1, "b"), (None, "c"), (2, "d"), (3, "e")]
    current = [(1, "a"), (2, "D"), (3, "e"), (3, "e"), (None, "x"), (None, "y")]
    tables(ID_AND_V, base, current)

    diff = site.run(value_diff(site.pair(), BY_ID))

    assert diff.base == KeyCounts(rows=5, null_keys=1, duplicate_keys=1, duplicate_rows=3)
    assert diff.current == KeyCounts(rows=6, null_keys=2, duplicate_keys=1, duplicate_rows=3)
    assert (diff.added, diff.removed, diff.common, diff.changed) == (0, 0, 1, 1)


@pytest.mark.parametrize("side", ["base", "current"])
def test_a_side_that_is_missing_is_an_answer(site: Any, tables: Any, side: str) -> None:
    tables(ID_AND_V, [(1, "a"), (None, "b"), (2, "c"), (2, "d")], [])
    pair = site.pair(current=None) if side == "base" else site.pair(base=None, current="base")

    diff = site.run(value_diff(pair, BY_ID))
    detail = site.run(value_diff_detail(pair, BY_ID))
    whole = site.run(rows_diff(pair, ValueOptions()))

    status, figures = ("removed", (0, 1)) if side == "base" else ("added", (1, 0))
    assert (diff.added, diff.removed) == figures
    assert (diff.current if side == "base" else diff.base) is None
    assert getattr(diff, side) == KeyCounts(rows=4, null_keys=1, duplicate_keys=1, duplicate_rows=2)
    assert diff.notes and not diff.is_equal
    assert [(row.status, row.key) for row in detail.rows] == [(status, (1,))]
    assert (whole.added, whole.removed) == ((0, 4) if side == "base" else (4, 0))
    assert len(whole.rows) == 4


def test_no_side_at_all_is_an_error(site: Any) -> None:
    with pytest.raises(UsageError, match="No relation of orders found"):
        site.run(value_diff(site.pair(None, None), BY_ID))


def test_empty_tables_are_equal(site: Any, tables: Any) -> None:
    tables(ID_AND_V, [], [])
    assert site.run(value_diff(site.pair(), BY_ID)).is_equal
    assert site.run(value_diff_detail(site.pair(), BY_ID)).rows == ()
    assert site.run(rows_diff(site.pair(), ValueOptions())).is_equal


def test_one_empty_table_is_no_error(site: Any, tables: Any) -> None:
    tables(ID_AND_V, [], [(1, "a"), (2, "b")])
    diff = site.run(value_diff(site.pair(), BY_ID))
    assert (diff.added, diff.removed, diff.common) == (2, 0, 0)
    assert column(diff, "v").matched == 0
    assert column(diff, "v").match_share is None


def test_columns_of_one_side_are_listed(site: Any, tables: Any) -> None:
    tables({"id": "INTEGER", "old": "DATE"}, [(1, None)], [(1, 2)], {"id": "INTEGER", "new": "BIGINT"})
    diff = site.run(value_diff(site.pair(), BY_ID))
    assert (diff.base_only, diff.current_only) == (("old",), ("new",))
    assert (diff.common, diff.changed, diff.is_equal) == (1, 0, False)
    assert [each.name for each in diff.columns] == ["id"]


def test_retyped_columns_are_compared_where_that_is_safe(site: Any, tables: Any) -> None:
    tables(
        {"id": "INTEGER", "n": "INTEGER", "d": "DATE", "x": "DOUBLE PRECISION", "t": "DATE"},
        [(1, 7, date(2020, 1, 2), 1.5, date(2020, 1, 2)), (2, 8, None, 2.5, None)],
        [
            ("1", Decimal("7.00"), datetime(2020, 1, 2), "1.5", "2020-01-02"),
            ("2", Decimal("8.01"), None, "2.5", None),
        ],
        {"id": "VARCHAR", "n": "NUMERIC(12,2)", "d": "TIMESTAMP", "x": "VARCHAR", "t": "VARCHAR"},
    )
    diff = site.run(value_diff(site.pair(), BY_ID))
    assert (diff.common, diff.changed) == (2, 1)
    assert [column(diff, name).mismatched for name in "ndxt"] == [1, 0, None, 0]
    assert "no common type" in column(diff, "x").reason
    assert column(diff, "n").largest_difference in (Decimal("0.01"), pytest.approx(0.01))
    assert column(diff, "n").examples[0].key == ("2",)
    assert not diff.is_equal


def test_a_key_without_a_common_type_is_an_error(site: Any, tables: Any) -> None:
    tables({"id": "DOUBLE PRECISION"}, [(1.0,)], [("1",)], {"id": "VARCHAR"})
    with pytest.raises(UsageError, match="Key column 'id' of orders"):
        site.run(value_diff(site.pair(), BY_ID))


def test_a_key_that_a_side_has_not_is_an_error(site: Any, tables: Any) -> None:
    tables(ID_AND_V, [], [], {"number": "INTEGER", "v": "VARCHAR"})
    with pytest.raises(UsageError, match="Unknown key column 'id' in current of orders"):
        site.run(value_diff(site.pair(), BY_ID))


def test_the_first_declared_key_that_fits_is_taken(site: Any, tables: Any) -> None:
    tables(ID_AND_V, [(1, "a")], [(1, "a")])
    keys = (DeclaredKey(("gone",), "unique_key"), DeclaredKey(("ID",), "unique test"))
    diff = site.run(value_diff(site.pair(), ValueOptions(candidates=keys)))
    assert (diff.key, diff.key_source) == (("id",), "unique test")
    with pytest.raises(UsageError, match="No key found"):
        site.run(value_diff(site.pair(), ValueOptions(candidates=keys[:1])))


def test_a_table_that_is_not_there_is_the_warehouses_error(site: Any, tables: Any) -> None:
    tables(ID_AND_V, [], [])
    with pytest.raises(MissingRelation):
        site.run(value_diff(site.pair(current="gone"), BY_ID))


@pytest.mark.cases(8)
@pytest.mark.parametrize(
    ("base", "current", "options", "is_close"),
    [
        (1.0, 1.01, {"tolerance": 0.01}, False),  # 0.010000000000000009 apart, as math.isclose has it
        (1.0, 1.009, {"tolerance": 0.01}, True),
        (100.0, 101.0, {"relative_tolerance": 0.01}, True),
        (100.0, 101.1, {"relative_tolerance": 0.01}, False),
        (101.1, 100.0, {"relative_tolerance": 0.01}, False),
        (0.0, 5e-324, {"relative_tolerance": 0.5}, False),
        (1e-320, 1.1e-320, {"relative_tolerance": 0.2}, True),
        (float("inf"), float("inf"), {"tolerance": 1}, True),
        (float("inf"), -float("inf"), {"relative_tolerance": 1}, False),
        (float("inf"), 1e308, {"relative_tolerance": 1}, False),
        (float("nan"), float("nan"), {"tolerance": 1}, True),
        (float("nan"), 1.0, {"tolerance": 1}, False),
        (1.7e308, -1.7e308, {"tolerance": 1}, False),
        (None, 0.0, {"tolerance": 1}, False),
        (-0.0, 0.0, {}, True),
    ],
)
def test_tolerance_of_floats(
    site: Any, tables: Any, base: Any, current: Any, options: dict[str, float], is_close: bool
) -> None:
    tables({"id": "INTEGER", "x": "DOUBLE PRECISION"}, [(1, base)], [(1, current)])
    diff = site.run(value_diff(site.pair(), ValueOptions(key=("id",), **options)))
    assert column(diff, "x").mismatched == (not is_close)


@pytest.mark.parametrize(
    ("kind", "base", "current", "absolute", "is_close"),
    [
        ("NUMERIC(12,2)", Decimal("1.10"), Decimal("1.11"), 0.01, True),
        ("NUMERIC(12,2)", Decimal("1.10"), Decimal("1.12"), 0.01, False),
        ("BIGINT", 2**63 - 1, -(2**63), 1.0, False),
        ("BIGINT", 2**63 - 1, 2**63 - 2, 1.0, True),
        ("BIGINT", 2**63 - 1, 2**63 - 3, 1.0, False),
        ("NUMERIC(38,0)", 10**38 - 1, -(10**38) + 1, 1.0, False),
        ("NUMERIC(38,0)", 10**38 - 1, -(10**38) + 1, Decimal(2 * 10**38 - 3), False),
        ("NUMERIC(38,0)", 10**38 - 1, -(10**38) + 1, Decimal(2 * 10**38 - 2), True),
        ("NUMERIC(38,38)", Decimal("-0.9"), Decimal("0.9"), 1.0, False),
        ("NUMERIC(38,38)", Decimal("-0.9"), Decimal("0.9"), 1.5, False),
        ("NUMERIC(38,38)", Decimal("-0.9"), Decimal("0.9"), Decimal("1.8"), True),
        ("NUMERIC(38,38)", Decimal("0.9"), Decimal("0.1"), 1.5, True),
        ("NUMERIC(38,37)", Decimal("-9.9"), Decimal("9.9"), 12.0, False),
    ],
)
def test_tolerance_of_exact_numbers(
    site: Any, tables: Any, kind: str, base: Any, current: Any, absolute: float, is_close: bool
) -> None:
    tables({"id": "INTEGER", "x": kind}, [(1, base)], [(1, current)])
    diff = site.run(value_diff(site.pair(), ValueOptions(key=("id",), tolerance=absolute)))
    assert column(diff, "x").mismatched == (not is_close)


def test_differences_are_of_numbers_that_can_be_subtracted(site: Any, tables: Any) -> None:
    xs = [(1, 1.0), (2, 2.0), (3, float("nan")), (4, float("inf")), (5, None), (6, 1e308)]
    ys = [(1, 2.0), (2, -1.0), (3, 0.0), (4, 0.0), (5, 1.0), (6, -1e308)]
    tables({"id": "INTEGER", "x": "DOUBLE PRECISION"}, xs, ys)
    found = column(site.run(value_diff(site.pair(), BY_ID)), "x")
    assert found.mismatched == 6
    assert float(found.largest_difference * Decimal("0.5")) == 1e308
    assert float(found.mean_difference / 2) == pytest.approx(-1 / 3 * 1e308)


def test_what_may_be_ignored_is_ignored_beside_the_key(site: Any, tables: Any) -> None:
    columns = {"id": "VARCHAR", "v": "VARCHAR", "at": "TIMESTAMP", "day": "DATE"}
    tables(
        columns,
        [("a", "x ", datetime(2020, 1, 1, 10, 0, 0, 1), date(2020, 1, 1)), ("B", "ÄB", None, None)],
        [("a", "X", datetime(2020, 1, 1, 10), date(2020, 1, 1)), ("b", "äb", None, None)],
    )
    options = ValueOptions(
        key=("id",), ignore_case=True, ignore_trailing_blanks=True, timestamp_precision="minute"
    )
    diff = site.run(value_diff(site.pair(), options))
    assert (diff.added, diff.removed, diff.common, diff.changed) == (1, 1, 1, 0)
    assert site.run(value_diff(site.pair(), BY_ID)).changed == 1


def test_a_condition_restricts_both_sides(site: Any, tables: Any) -> None:
    tables(ID_AND_V, [(1, "a"), (2, "b"), (None, "b")], [(1, "x"), (2, "b"), (3, "b")])
    options = ValueOptions(key=("id",), where="v = 'b' -- only these")
    diff = site.run(value_diff(site.pair(), options))
    assert (diff.base.rows, diff.current.rows, diff.added, diff.common) == (2, 2, 1, 1)
    assert diff.where == options.where
    assert len(site.run(value_diff_detail(site.pair(), options)).rows) == 1


@pytest.mark.cases(2)
@pytest.mark.parametrize("key_type", ["VARCHAR", "NUMERIC(12,2)", "SMALLINT"])
def test_a_sample_takes_the_same_keys_on_both_sides(site: Any, tables: Any, key_type: str) -> None:
    base = [(i, "a") for i in range(2000)]
    current = [
        (Decimal(i) if "NUM" in key_type else str(i) if "V" in key_type else i, "b") for i in range(2000)
    ]
    tables(ID_AND_V, base, current, {"id": key_type, "v": "VARCHAR"})
    diff = site.run(value_diff(site.pair(), ValueOptions(key=("id",), sample=10)))
    assert (diff.added, diff.removed) == (0, 0)
    assert 100 < diff.common == diff.changed < 300
    whole = site.run(rows_diff(site.pair(), ValueOptions(columns=("id",), sample=10)))
    assert (whole.added, whole.removed) == (0, 0)
    assert 100 < whole.common < 300


def test_detail_is_cut_where_there_is_more(site: Any, tables: Any) -> None:
    tables(ID_AND_V, [(i, "a") for i in range(20)], [(i, "b") for i in range(20)])
    detail = site.run(value_diff_detail(site.pair(), ValueOptions(key=("id",), limit=5)))
    assert [row.key for row in detail.rows] == [(i,) for i in range(5)]
    assert (detail.is_cut, detail.columns) == (True, ("v",))
    assert detail.rows[0].base == ("a",)
    whole = site.run(rows_diff(site.pair(), ValueOptions(limit=5)))
    assert (len(whole.rows), whole.is_cut, whole.added, whole.removed) == (5, True, 20, 20)
    assert site.run(rows_diff(site.pair(), ValueOptions(limit=0))).rows == ()


def test_text_keys_sort_by_code_point(site: Any, tables: Any) -> None:
    keys = ["b", "B", "a", "ä", "_", "Z"]
    tables(ID_AND_V | {"id": "VARCHAR"}, [], [(key, "x") for key in keys])
    detail = site.run(value_diff_detail(site.pair(), BY_ID))
    assert [row.key[0] for row in detail.rows] == sorted(keys)


def test_keys_are_compared_column_by_column(site: Any, tables: Any) -> None:
    columns = {"a": "VARCHAR", "b": "VARCHAR", "v": "INTEGER"}
    tables(
        columns,
        [("x|", "y", 1), ("x", "|y", 1), ("x", "", 1)],
        [("x|", "y", 2), ("x", "|y", 1), ("x", None, 1)],
    )
    diff = site.run(value_diff(site.pair(), ValueOptions(key=("a", "b"))))
    assert (diff.common, diff.changed, diff.removed, diff.current.null_keys) == (2, 1, 1, 1)
    assert column(diff, "v").examples == (Example(key=("x|", "y"), base=1, current=2),)


@pytest.mark.extensive
def test_hundreds_of_columns_are_compared(site: Any, tables: Any) -> None:
    columns = {"id": "INTEGER"} | {f"column {i}": "INTEGER" for i in range(450)}
    tables(columns, [(1, *range(450)), (2, *range(450))], [(1, *range(450)), (2, *range(1, 451))])
    diff = site.run(value_diff(site.pair(), BY_ID))
    assert (diff.changed, len(diff.columns)) == (1, 451)
    assert [each.mismatched for each in diff.columns[1:]] == [1] * 450
    assert diff.columns[-1].examples == (Example(key=(2,), base=449, current=450),)
    detail = site.run(value_diff_detail(site.pair(), BY_ID))
    assert detail.rows[0].current == tuple(range(1, 451))


@pytest.mark.parametrize("kind", ["DOUBLE PRECISION", "NUMERIC(12,2)", "BIGINT", "VARCHAR", "BOOLEAN"])
def test_nothing_hashes_as_null_does(site: Any, tables: Any, kind: str) -> None:
    empty = {"VARCHAR": "", "BOOLEAN": False}.get(kind, 0)
    tables({"v": kind}, [(None,), (None,)], [(empty,), (None,)])
    whole = site.run(rows_diff(site.pair(), ValueOptions()))
    assert (whole.common, whole.added, whole.removed) == (1, 1, 1)


def _queries(site: Any, sql: str) -> tuple[Pair, dict[str, str]]:
    """Return both sides of a query of the tables, and its texts; {0} is the relation."""
    texts = {side: sql.format(site.relation(side)) for side in ("base", "current")}
    base, current = (
        SideRelation(relation=query(text), dialect=site.dialect, side=DataSide(side), name=side)
        for side, text in texts.items()
    )
    pair = Pair(subject=Subject(name="query"), base=base, current=current)
    return pair, {f"{side}_sql": text for side, text in texts.items()}


@pytest.mark.parametrize(
    ("sql", "key"),
    [
        ("SELECT id, COUNT(*) AS n FROM {0} GROUP BY 1", ("id",)),
        ("SELECT v, t.id AS i, COUNT(*) AS n FROM {0} AS t GROUP BY t.id, v", ("i", "v")),
        # Not by the result: a group of NULL, groups that are not shown, no groups.
        ("SELECT NULLIF(id, 1) AS id, COUNT(*) AS n FROM {0} GROUP BY 1", None),
        ("SELECT id, COUNT(*) AS n FROM {0} GROUP BY id, v", None),
        ("SELECT LOWER(v) AS v, COUNT(*) AS n FROM {0} AS t GROUP BY t.v", None),
        ("SELECT id, v FROM {0}", None),
    ],
)
def test_the_key_of_a_query_is_what_it_groups_by(site: Any, tables: Any, sql: str, key: Any) -> None:
    tables(ID_AND_V, [(1, "a"), (2, "b")], [(1, "a"), (1, "a"), (2, "c")])
    pair, texts = _queries(site, sql)
    found = site.run(query_diff(pair, ValueOptions(), **texts, finds_key=True))
    if key is None:
        assert found == site.run(query_diff(pair, ValueOptions(), **texts))
        assert found.rows is not None and found.values is None
    else:
        assert (found.values.key, found.values.key_source) == (key, "GROUP BY")
        assert found.detail.rows and found.rows is None


def test_a_query_with_keys_sees_duplicates(site: Any, tables: Any) -> None:
    tables(ID_AND_V, [(1, "a"), (2, "b")], [(1, "a"), (1, "a"), (2, "c")])
    pair, texts = _queries(site, "SELECT id, v FROM {0}")

    keyed = site.run(query_diff(pair, BY_ID, **texts))
    whole = site.run(query_diff(pair, ValueOptions(), **texts))

    assert keyed.values.current.duplicate_keys == 1
    assert [row.key for row in keyed.detail.rows] == [(2,)]
    assert (whole.rows.common, whole.rows.added, whole.rows.removed) == (1, 2, 1)
    assert {(row.base or row.current, row.base_count, row.current_count) for row in whole.rows.rows} == {
        ((1, "a"), 1, 2),
        ((2, "b"), 1, 0),
        ((2, "c"), 0, 1),
    }


def test_columns_may_be_named_and_left_out(site: Any, tables: Any) -> None:
    columns = {"id": "INTEGER", "a": "INTEGER", "b": "INTEGER", "c": "INTEGER"}
    tables(columns, [(1, 1, 1, 1)], [(1, 2, 2, 2)])
    for options, wanted in (
        ({"columns": ("B", "a")}, ["id", "a", "b"]),
        ({"exclude_columns": ("b",)}, ["id", "a", "c"]),
        ({"columns": ("id",)}, ["id"]),
    ):
        diff = site.run(value_diff(site.pair(), ValueOptions(key=("id",), **options)))
        assert [each.name for each in diff.columns] == wanted
    with pytest.raises(UsageError, match="Unknown column 'z'"):
        site.run(value_diff(site.pair(), ValueOptions(key=("id",), columns=("z",))))
