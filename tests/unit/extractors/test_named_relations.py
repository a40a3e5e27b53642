"""Relations that a statement names, without a parser."""

from __future__ import annotations

import pytest

from recce_meta.extractors.named_relations import built_by, find_relation_names, sql_words, statements_in

NAMED = {
    "select a from raw.t, u as x join \"S\".\"T x\" on (1 = 1)": ["raw.t", "u", "S.T x"],
    "select extract(year from at), a is distinct from b from t": ["t"],
    "select trim(both from x), substring(y from 2) from t where a in (select b from v)": ["t", "v"],
    "with c as (select 1 from k), d (x) as materialized (select * from c) select * from d": ["k"],
    "select * from lateral f(x) q, only t, (u cross join v), w": ["t", "u", "v", "w"],
    "select 'from a' -- from b\n/* from c */ from d": ["d"],
    "merge into a using b on a.x = b.x when matched then update set q = 1": ["b"],
    "select * from t join u using (id), v": ["t", "u", "v"],
    "select a, b from t order by c, d": ["t"],
    "select $$ from a $$ from `p.d`.t": ["p.d.t"],
    "select 'open from t": [],
    "select (((": [],
}  # fmt: skip
BUILT = {
    "create or replace temp view if not exists s.v (a) as select 1": ("s.v", "view"),
    "create materialized view v as !!": ("v", "view"),
    "create table t as ((": ("t", "table"),
    "insert into a.b (x) !!": ("a.b", "incremental"),
    "merge into a using b": ("a", "incremental"),
    "with x as (select 1) select ((": ("", "view"),
    "((select 1": ("", "view"),
    "from t select": ("", "view"),
    "create function f() returns int as $$ select 1 $$": None,
    "grant select on t to ann": None,
    "": None,
}


@pytest.mark.parametrize("sql", NAMED)
def test_relations_are_named_where_only_relations_stand(sql: str) -> None:
    found = [".".join(part.text for part in name) for name in find_relation_names(sql_words(sql))]

    assert found == NAMED[sql]


@pytest.mark.parametrize("sql", BUILT)
def test_the_first_words_of_a_statement_say_what_it_builds(sql: str) -> None:
    built = built_by(sql_words(sql))

    assert (built and (".".join(part.text for part in built.target), built.materialized)) == BUILT[sql]


def test_brackets_quote_names_where_the_dialect_has_it_so() -> None:
    assert [
        word.text
        for name in find_relation_names(sql_words("select 1 from [a b].[c]", "tsql"))
        for word in name
    ] == [
        "a b",
        "c",
    ]


def test_statements_are_told_apart_whatever_is_in_them() -> None:
    text = "create table a as select ';';\n\n-- x;\nselect \";\" from a; ;select 'open ; from b"

    assert list(statements_in(text)) == [
        ("create table a as select ';'", 1),
        ('select ";" from a', 4),
        ("select 'open ; from b", 4),
    ]
