"""Readers of what may be lost: fields of structs, with DuckDB as the judge, and columns of an unknown `*`."""

from __future__ import annotations

import duckdb
import pytest
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, failing_changes, whole_diff
from recce_meta.sql_lineage.propagation import STAR_ABOVE
from tests.unit.api.test_kept_rows import node, project

RAW = "select 1 as id, 2 as a, 3 as b"
FLAT = ("select id, a, b from raw", "select id, a from raw")
PACKED = ("select id, struct_pack(a := a, b := b) as s from raw", "select struct_pack(a := a) as s from raw")
WRITTEN = ("select {'a': a, 'b': b} as s from raw", "select {'a': a} as s from raw where id > 0")
RENAMED = ("select {'a': a, 'b': b} as s from raw", "select {'a': a, 'c': b} as s from raw")
NESTED = ("select {'x': {'a': a, 'b': b}} as s from raw", "select {'x': {'a': a}} as s from raw")
CASES = [
    (FLAT, "select x as s from p x", "select s.b from m"),
    (FLAT, "select list(x) as s from p x", "select s[1].b from m"),
    (FLAT, "select {'x': x} as s from p x", "select s.x.b from m"),
    (FLAT, "select x as s from p x", "select s.a from m"),
    (PACKED, "select s from p", "select s.b from m"),
    (PACKED, "select * from p", "select s.b from m"),
    (PACKED, "select s as t from p", "select t.b from m"),
    (PACKED, "select s as t from p", "select t.a from m"),
    (PACKED, "select s.b from p", "select 1 as k from m"),
    (PACKED, "select 1 as k from p where s['b'] = 3", "select k from m"),
    (WRITTEN, "select s.* from p", "select b from m"),
    (WRITTEN, "select s.* from p", "select a from m"),
    (WRITTEN, "select unnest(s) from p", "select b from m"),
    (WRITTEN, "select {'x': s} as u from p", "select u.x.b from m"),
    (WRITTEN, "select list(s) as l from p", "select l[1].b from m"),
    (WRITTEN, "select coalesce(s, null) as t from p", "select struct_extract(t, 'b') as v from m"),
    (RENAMED, "select p.s.b as q from p", "select q from m"),
    (RENAMED, "select p.s.a as q from p", "select q from m"),
    (NESTED, "select s.x as y from p", "select y.b from m"),
    (NESTED, "select s.x as y from p", "select y.a from m"),
]

UNSURE = ("list(", "coalesce(", "s.*", "unnest(", "s.x as y")
"""How the case hides which struct the field is of."""
EDITED = [
    "select no_such from p",
    "select x.no_such, 1 as k from p x",
    "with c as (select * from p) select no_such from c",
    "with c as (select id from p) select a from c",
    "with c as (select id as k from p) select k from c where a > 1",
    "select sum(no_such) as n from p",
    "select coalesce(no_such, 0) as n from p",
    "select id from p where no_such > 1",
    "select id from p x where exists (select 1 from p y where y.id = x.a and no_such = 1)",
    "select id from p x where exists (select 1 from (select 1 as k) y where k = a)",
    "select id, row_number() over (partition by no_such) as n from p",
    "select s.y from p",
    "select s.x from p",
    "select id + 1 as z, z + 1 as y from p",
    "select rowid as k from p",
    "select date_diff('day', date '2026-01-01', current_date) as n from p",
    "select list_transform([1], lambda x: x + 1) as l from p",
    "select p as whole from p",
    "select * exclude (id) from p",
    "select * exclude (no_such) from p",
    "select * exclude no_such from p",
    "select x.* exclude (id, no_such) from p x",
    "select x.* exclude (k) from p x join (select 1 as k) y on true",
    "select * exclude (k) from p x join (select 1 as k) y on true",
    'select * exclude ("ID") from p',
    "select * exclude (x.id) from p x",
    "select * replace (1 as no_such) from p",
    "select * replace (1 as A) from p",
    "select * exclude (no_such) from (select * from p) x",
    "select * exclude (id) replace (1 as a) from p",
    "select 1 as k from p x join p y using (no_such)",
    "select 1 as k from p x join (select 1 as k) y using (id)",
    "select 1 as k from (select 1 as k) x join p y using (k)",
    "select 1 as k from (select 1 as k) x join (p y join p z using (id)) on true",
    "select 1 as k from p x join (p y join (select 1 as id, 2 as m) z using (id)) using (a)",
    "select 1 as k from (select 1 as m) x join (p y join (select 1 as id, 2 as m) z using (id)) using (m)",
    "select 1 as k from p x semi join (select 1 as id, 1 as k) y using (id)",
    "select 1 as k from p x join (select 1 as z) u(id) using (id)",
    "select unnest(s), 1 as j from p x join (select 1 as y) u using (y)",
    "select 1 as k from p x, p y join p z using (y)",
    "with c as (select * exclude (no_such) from p) select 1 as k",
    "select 1 as k from p where exists (select * exclude (no_such) from p)",
    "select * exclude (no_such) from p union all select * from p",
    "from p select * exclude (no_such)",
    "select * like 'i%' from p",
]


def refused(parent: str, *queries: tuple[str, str]) -> set[str]:
    with duckdb.connect() as session:
        session.sql(f"create table raw as {RAW}; create table p as {parent}")
        for name, sql in queries:
            try:
                session.sql(f"create table {name} as {sql}")
            except duckdb.BinderException:
                return {name}
    return set()


@pytest.mark.cases(8)
@pytest.mark.parametrize(("parent", "middle", "reader"), CASES)
def test_a_reader_of_a_lost_field_may_fail(parent: tuple[str, str], middle: str, reader: str) -> None:
    sides = [
        project(
            run_id,
            node("raw", RAW),
            node("p", sql, "model.shop.raw"),
            node("m", middle, "model.shop.p"),
            node("r", reader, "model.shop.m"),
        )
        for run_id, sql in zip(("b", "bc"), parent, strict=True)
    ]
    diff = whole_diff(*sides, NOTHING_MORE)

    doubts = {one.name: one.may_fail for one in diff.impacted if one.may_fail}
    failing = {one.name for one in diff.impacted if one.fails}
    assert {*doubts, *failing} == refused(parent[1], ("m", middle), ("r", reader))
    assert not doubts or any(word in f"{middle} {reader}" for word in UNSURE)
    assert set(doubts.values()) <= {"a struct that it reads may lose the field b"}
    assert bool(failing_changes(diff, frozenset({"may_fail"}))) is bool(doubts or failing)


@pytest.mark.cases(8)
@pytest.mark.parametrize("kind", ["model", "test"])
@pytest.mark.parametrize("before", [None, "select id from p"])
@pytest.mark.parametrize("sql", EDITED)
def test_a_query_fails_that_names_what_its_parents_do_not_have(
    before: str | None, kind: str, sql: str
) -> None:
    p = node("p", "select 1 as id, 2 as a, {'x': 1} as s")
    sides = [
        project(
            run_id,
            p,
            *(
                replace(node("m", query, p.unique_id), unique_id=f"{kind}.shop.m", resource_type=kind)
                for query in queries
                if query
            ),
        )
        for run_id, *queries in (("b", before), ("bc", sql))
    ]

    (change,) = whole_diff(*sides, NOTHING_MORE).changes

    assert bool(change.build_failure) is bool(refused(p.compiled_code or "", ("m", sql)))


def test_a_star_over_a_parent_that_is_not_compiled_is_no_certain_loss() -> None:
    sides = [
        project(
            run_id,
            node("raw", RAW),
            replace(node("p", "select id, a from raw", "model.shop.raw"), raw_code=raw, compiled_code=sql),
            node("m", middle, "model.shop.p"),
            node("r", "select a from m", "model.shop.m"),
        )
        for run_id, raw, sql, middle in (
            ("b", "1", "select id, a from raw", "select * from p"),
            ("bc", "2", None, "select * from (select * from p) as x"),
        )
    ]

    found = {one.name: one for one in whole_diff(*sides, NOTHING_MORE).impacted}

    assert (found["r"].fails, found["r"].may_fail) == (False, STAR_ABOVE)


def test_columns_that_base_did_not_know_are_not_lost() -> None:
    sides = [
        project(
            run_id,
            node("m", middle),
            # Not traced, as what it reads beside `m` is no part of the run.
            node("r", "select a from m", "model.shop.m", "model.shop.nowhere"),
            node("s", "select a from r", "model.shop.r"),
        )
        for run_id, middle in (("b", "select * from elsewhere"), ("bc", "select id, a from elsewhere"))
    ]

    found = {one.name: (one.fails, one.may_fail) for one in whole_diff(*sides, NOTHING_MORE).impacted}

    assert found["s"] == (False, STAR_ABOVE)
