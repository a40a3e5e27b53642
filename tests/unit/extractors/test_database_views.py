"""What views read: names looked up as each database looks them up, and replaced where they stand."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from recce_meta.extractors.database_views import ViewReader
from recce_meta.models import EdgeOrigin
from recce_meta.warehouses import warehouse_named

SHOP = (
    *(("main", name) for name in ("film", "actor", "Order Details", "a.b", "items", "date", 'say "hi"')),
    *(("office", name) for name in ("film", "budget")),
)


def reader(
    dialect: str = "duckdb",
    relations: Iterable[tuple[str, str]] = SHOP,
    *,
    database: str | None = "shop",
    reports_missing: bool = False,
) -> ViewReader:
    mark = "`" if dialect in ("mysql", "bigquery", "databricks") else '"'
    names = {
        key: ".".join(f"{mark}{part.replace(mark, mark * 2)}{mark}" for part in (database, *key) if part)
        for key in relations
    }
    default = "main" if dialect in ("duckdb", "sqlite") else None
    return ViewReader(
        names,
        dialect,
        default,
        database=database,
        reports_missing=reports_missing,
        system_schemas=("information_*",),
    )


FILM, OFFICE = '"shop"."main"."film"', '"shop"."office"."film"'

REPLACED = {
    "select title from film": f"select title from {FILM}",
    "select film.title, f.title from film, film f": f"select film.title, f.title from {FILM}, {FILM} f",
    'select "FILM".title from "FILM"': f'select "FILM".title from {FILM} AS "FILM"',
    "select Film.x from main . Film where film = 'film' -- from film": (
        f"select Film.x from {FILM} AS Film where film = 'film' -- from film"
    ),
    'select 1 from "Order Details" d join"a.b"on true': (
        'select 1 from "shop"."main"."Order Details" d join"shop"."main"."a.b"on true'
    ),
    'select 1 from "say ""hi"""': 'select 1 from "shop"."main"."say ""hi"""',
    "select 1 from shop.office.film, shop.film, office.film": (f"select 1 from {OFFICE}, {FILM}, {OFFICE}"),
    "from film select title": f"from {FILM} select title",
    "with film as (select * from film) select * from film, main.film": (
        f"with film as (select * from {FILM}) select * from film, {FILM}"
    ),
    "with recursive film as (select 1 union all select * from film) select 1 from film join actor on true": (
        "with recursive film as (select 1 union all select * from film) select 1 from film "
        'join "shop"."main"."actor" on true'
    ),
    "select (with actor as (select 1) select * from actor) from actor": (
        'select (with actor as (select 1) select * from actor) from "shop"."main"."actor"'
    ),
    "(select a from film) union (select film from actor order by film)": (
        f'(select a from {FILM}) union (select film from "shop"."main"."actor" order by film)'
    ),
    "select * from ((film left join actor on (film.a = actor.a)) join items on true)": (
        f'select * from (({FILM} left join "shop"."main"."actor" on (film.a = actor.a)) '
        'join "shop"."main"."items" on true)'
    ),
    "select x.items, unnest(x.items) from film x, unnest(x.items) as items(i), x.items": (
        f"select x.items, unnest(x.items) from {FILM} x, unnest(x.items) as items(i), x.items"
    ),
    "select film(1), cast('2020-01-01' as date), date '2020-01-01' from film(2), range(3) film": (
        "select film(1), cast('2020-01-01' as date), date '2020-01-01' from film(2), range(3) film"
    ),
    "select title as film from film as actor": f"select title as film from {FILM} as actor",
    "select 1 where exists (select 1 from film where film in (select film from items))": (
        f'select 1 where exists (select 1 from {FILM} where film in (select film from "shop"."main"."items"))'
    ),
    "select 1 from other.film, elsewhere.main.film": "select 1 from other.film, elsewhere.main.film",
    "pivot film on title using sum(x)": f"pivot {FILM} on title using sum(x)",
    "select 1 from date": 'select 1 from "shop"."main"."date"',
}


@pytest.mark.parametrize("definition", REPLACED)
def test_relations_are_spelt_in_full_and_nothing_else_is_touched(definition: str) -> None:
    assert reader().read(("main", "v"), definition).code == REPLACED[definition]


def test_parents_are_what_stands_there_as_relations() -> None:
    read = reader().read(
        ("office", "v"),
        "with actor as (select 1) select film.budget from film, main.film f, actor, budget, v, nothing",
    )

    assert read.parents == (("main", "film"), ("office", "budget"), ("office", "film"))


def test_a_name_is_looked_for_in_the_views_own_schema_first() -> None:
    own = reader().read(("office", "v"), "select * from film")
    default = reader().read(("office", "v"), "select * from actor")

    assert (own.parents, default.parents) == ((("office", "film"),), (("main", "actor"),))


@pytest.mark.parametrize(
    ("definition", "query", "code"),
    [
        (
            "CREATE VIEW v AS SELECT title FROM film;",
            "SELECT title FROM film",
            f"SELECT title FROM {FILM}",
        ),
        (
            'CREATE OR REPLACE VIEW "as"."v AS w" (a, "b )") AS\n  SELECT 1, 2 FROM film -- end',
            "SELECT 1, 2 FROM film -- end",
            f'WITH "v AS w" (a, "b )") AS (\nSELECT 1, 2 FROM {FILM} -- end\n)\nSELECT * FROM "v AS w"',
        ),
        (
            "CREATE TEMP VIEW IF NOT EXISTS main.v AS WITH a AS (SELECT 1) SELECT * FROM a ; ;",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "WITH a AS (SELECT 1) SELECT * FROM a",
        ),
        (
            "create view v as select 1 with no schema binding;",
            "select 1",
            "select 1",
        ),
    ],
)
def test_a_view_is_the_query_within_its_statement(definition: str, query: str, code: str) -> None:
    read = reader().read(("main", "v"), definition)

    assert (read.query, read.code) == (query, code)


@pytest.mark.parametrize(
    ("dialect", "definition", "parents"),
    [
        ("postgres", 'select * from film, "Film"', {"film", "Film"}),
        ("postgres", "select * from FILM", {"film"}),
        ("snowflake", "select * from film", {"FILM"}),
        ("snowflake", 'select * from "film"', {"film"}),
        ("mysql", "select 1 from `main`.`Film`", {"Film"}),
        ("mysql", "select 1 from `main`.`fILM`", set()),
        ("mysql", "with FILM as (select 1) select * from film, FILM", {"film"}),
        ("sqlite", "select * from [Film]", set()),
    ],
)
def test_case_counts_where_it_does_for_the_database(dialect: str, definition: str, parents: set[str]) -> None:
    relations = [("main", name) for name in ("film", "Film", "FILM")]
    if dialect == "sqlite":
        relations = [("main", "film x")]

    read = reader(dialect, relations, database=None).read(("main", "v"), definition)

    assert {name for _, name in read.parents} == parents


def test_what_mariadb_writes_stays_as_it_is() -> None:
    definition = (
        "select `main`.`film`.`title` AS `title`,`a``b`.`x` AS `film` from (`main`.`film` "
        "join `main`.`a``b` on(`main`.`film`.`id` = `main`.`a``b`.`id`))"
    )

    read = reader("mysql", [("main", "film"), ("main", "a`b")], database=None).read(("main", "v"), definition)

    assert read.code == definition
    assert read.parents == (("main", "a`b"), ("main", "film"))


def test_what_cannot_be_parsed_is_told_in_one_line_and_kept() -> None:
    broken = reader()

    found = [broken.read(("main", name), "CREATE VIEW v AS SELECT FROM (((") for name in "vw"]

    assert [(read.query, read.parents) for read in found] == [("SELECT FROM (((", ())] * 2
    assert [warning.partition(":")[0] for warning in broken.warnings] == [
        "View main.v is not understood",
        "View main.w is not understood",
    ]


def test_edges_say_how_they_are_known() -> None:
    catalog, parsed, guess = EdgeOrigin("catalog"), EdgeOrigin("sql", 0.9), EdgeOrigin("sql", 0.5)
    film, actor = ("main", "film"), ("main", "actor")
    found, broken = "select * from film, actor", "select from ((( from film, actor"
    view = ("main", "v")

    assert reader().read(view, found).origins == {film: parsed, actor: parsed}
    assert reader().read(view, broken).origins == {film: guess, actor: guess}
    assert reader().read(view, broken, [film, view, ("gone", "x")]).origins == {film: catalog}
    # What PostgreSQL records is complete: what the parser alone found may be misread.
    assert reader().read(view, found, [film]).origins == {film: catalog, actor: guess}
    # Such as 'film'::regclass, which is a dependency without a table in FROM.
    assert reader().read(view, "select * from actor", [actor, film]).origins == {
        actor: catalog,
        film: catalog,
    }


def test_a_text_that_is_no_sql_at_all_is_told_too() -> None:
    found = reader()

    assert found.read(("main", "v"), "select 'open").parents == ()
    assert len(found.warnings) == 1


def test_names_that_are_nothings_are_told_of_together_where_views_can_break() -> None:
    found = reader(reports_missing=True)

    found.read(("main", "v"), "select * from gone, information_schema.tables, film, unnest([1]) u")
    found.read(("main", "w"), "select * from office.gone")

    assert found.warnings == ["Read by a view, but not part of the scan: gone (main.v), office.gone (main.w)"]
    silent = reader()
    silent.read(("main", "v"), "select * from gone")
    assert silent.warnings == []


def test_every_warehouse_has_a_dialect_that_reads_views() -> None:
    for name in ("bigquery", "databricks", "duckdb", "postgres", "redshift", "snowflake"):
        dialect = warehouse_named(name).dialect
        upper = dialect == "snowflake"
        relations = [("S", "T") if upper else ("s", "t")]
        read = reader(dialect, relations, database="d").read((relations[0][0], "v"), "select * from d.s.t")
        assert read.parents == tuple(relations), name
