"""Two scans of one database: every difference is told, each as what it is, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.diff.breaking import categorise
from recce_meta.diff.changes import detect_changes
from recce_meta.diff.project_side import ProjectSide
from recce_meta.diff.scan import column_key, column_of
from recce_meta.models import Change, Column, NodeMetadata, Reason, Status
from recce_meta.models.change import Category, SqlChange
from recce_meta.report.diff_details import detail_phrases

PRIMARY = {"name": "film_pkey", "type": "primary_key", "columns": ["film_id"]}
LANGUAGE = {
    "name": "film_language",
    "type": "foreign_key",
    "columns": ["language_id"],
    "references": {"relation": "relation.public.language", "columns": ["language_id"]},
    "on_delete": "restrict",
}
INDEX = {"name": "film_title", "definition": "CREATE INDEX film_title ON public.film USING btree (title)"}

FILM = NodeMetadata(
    unique_id="relation.public.film",
    name="film",
    resource_type="table",
    fqn=("public", "film"),
    database_name="dvd",
    schema_name="public",
    identifier="film",
    relation_name='"dvd"."public"."film"',
    materialized="table",
    columns=(
        Column("film_id", "integer", not_null=True, identity="always"),
        Column("title", "character varying(255)", "Of the film", not_null=True),
        Column("rate", "numeric(4,2)", not_null=False, default="4.99"),
        Column("language_id", "integer", not_null=True),
    ),
    columns_from="catalog",
    description="Films",
    properties={
        "owner": "dba",
        "constraints": [PRIMARY, LANGUAGE],
        "indexes": [INDEX],
        "options": {"fillfactor": "90"},
    },
)
SQL = "SELECT film.film_id, film.title FROM public.film"
VIEW = NodeMetadata(
    unique_id="relation.public.films",
    name="films",
    resource_type="view",
    schema_name="public",
    identifier="films",
    relation_name='"dvd"."public"."films"',
    database_name="dvd",
    materialized="view",
    language="sql",
    raw_code=SQL,
    compiled_code='SELECT film.film_id, film.title FROM "dvd"."public"."film"',
    columns=(Column("film_id", "integer"), Column("title", "character varying(255)")),
    columns_from="catalog",
    parents=("relation.public.film",),
)


def column(node: NodeMetadata, name: str, /, **fields: Any) -> NodeMetadata:
    return replace(node, columns=tuple(replace(c, **fields) if c.name == name else c for c in node.columns))


def properties(node: NodeMetadata, **values: Any) -> NodeMetadata:
    return replace(node, properties={**node.properties, **values})


def changed(before: NodeMetadata, after: NodeMetadata) -> Change:
    """The one change, with its category; queries that differ are taken to be breaking."""
    changes = detect_changes([before], [after])

    def compare(*_: object) -> SqlChange:
        return SqlChange(category=Category.BREAKING, reasons=("filter changed",))

    return categorise(changes, ProjectSide.of([before]), ProjectSide.of([after]), compare).changes[
        after.unique_id
    ]


NON_BREAKING, PARTIAL, BREAKING = Category.NON_BREAKING, Category.PARTIAL_BREAKING, Category.BREAKING


@pytest.mark.parametrize(
    ("after", "reason", "key", "category", "phrase"),
    [
        (
            column(FILM, "rate", type="numeric(5,2)"),
            "columns",
            "rate",
            PARTIAL,
            "column rate: numeric(4,2) →",
        ),
        (column(FILM, "rate", not_null=True), "columns", "rate.not_null", NON_BREAKING, "rate: not null"),
        (column(FILM, "title", not_null=False), "columns", "title.not_null", NON_BREAKING, "may be null"),
        (column(FILM, "rate", default=None), "columns", "rate.default", NON_BREAKING, "- default: 4.99"),
        (column(FILM, "rate", default="5"), "columns", "rate.default", NON_BREAKING, "default: 4.99 → 5"),
        (column(FILM, "film_id", identity=None), "columns", "film_id.identity", NON_BREAKING, "- identity"),
        (column(FILM, "title", collation="C"), "columns", "title.collation", PARTIAL, "+ collation: C"),
        (
            column(FILM, "rate", generated="stored: 1"),
            *("columns", "rate.generated", PARTIAL, "+ generated: stored: 1"),
        ),
        (
            column(FILM, "title", description="Its title"),
            *("descriptions", "title", Category.NONE, "comment of title: Of the film → Its title"),
        ),
        (replace(FILM, description=""), "descriptions", "(comment)", Category.NONE, "- comment: Films"),
        (replace(FILM, columns=FILM.columns[:3]), "columns", "language_id", PARTIAL, "- column language_id"),
        (
            replace(FILM, columns=(*FILM.columns, Column("year", "integer"))),
            *("columns", "year", NON_BREAKING, "+ column year integer"),
        ),
        (replace(FILM, columns=FILM.columns[::-1]), "columns", "(order)", NON_BREAKING, "columns reordered"),
        (properties(FILM, owner="app"), "config", "owner", Category.NONE, "owner: dba → app"),
        (
            properties(FILM, options={"fillfactor": "70"}),
            *("config", "options.fillfactor", NON_BREAKING, "options.fillfactor: 90 → 70"),
        ),
        (properties(FILM, indexes=[]), "config", "indexes.film_title", NON_BREAKING, "- index film_title"),
        (
            properties(FILM, indexes=[{**INDEX, "unique": True}]),
            *("config", "indexes.film_title", NON_BREAKING, "index film_title"),
        ),
        (
            properties(FILM, constraints=[LANGUAGE]),
            *("contract", "constraints.film_pkey", NON_BREAKING, "- primary key film_pkey (film_id)"),
        ),
        (
            properties(FILM, constraints=[PRIMARY, {**LANGUAGE, "on_delete": "cascade"}]),
            *(
                "contract",
                "constraints.film_language",
                NON_BREAKING,
                "film_language: on delete: restrict → cascade",
            ),
        ),
        (
            properties(FILM, constraints=[{**PRIMARY, "name": "film_pk"}, LANGUAGE]),
            *("contract", "constraints.film_pk", NON_BREAKING, "film_pkey (film_id) → primary key film_pk"),
        ),
        (
            properties(FILM, partition_of="relation.public.films"),
            *("config", "partition_of", NON_BREAKING, "+ partition of: public.films"),
        ),
        (
            replace(FILM, resource_type="external_table", materialized="external_table"),
            *("config", "materialized", BREAKING, "table → external table"),
        ),
    ],
)
def test_one_difference_of_a_table_is_one_detail(
    after: NodeMetadata, reason: str, key: str, category: Category, phrase: str
) -> None:
    change = changed(FILM, after)

    assert [(detail.reason.value, detail.key) for detail in change.details] == [(reason, key)]
    assert change.status is Status.MODIFIED
    assert change.category is category
    assert any(phrase in told for told in detail_phrases(change)), detail_phrases(change)


LONG = "CREATE INDEX film_title ON public.film USING btree (title, language_id, rate)"
PAID = "(amount > 0) AND (currency = ANY (ARRAY['EUR', 'USD', 'GBP', 'CHF']))"


@pytest.mark.parametrize(
    ("old", "new", "phrase"),
    [
        (
            {"indexes": [{**INDEX, "definition": LONG}]},
            {"indexes": [{**INDEX, "definition": f"{LONG} WHERE (rate > 1)"}]},
            "index film_title: … rate) → … rate) WHERE (rate > 1)",
        ),
        (
            {"indexes": [{**INDEX, "definition": LONG, "unique": False}]},
            {"indexes": [{**INDEX, "definition": LONG, "unique": True}]},
            "index film_title: unique: false → true",
        ),
        (
            {"constraints": [{"name": "paid", "type": "check", "expression": PAID}]},
            {"constraints": [{"name": "paid", "type": "check", "expression": PAID.replace("> 0", ">= 0")}]},
            "check paid: expression: (amount > 0) AND … → (amount >= 0) AND …",
        ),
        (
            {"constraints": [{"name": "paid", "type": "check", "expression": PAID}]},
            {"constraints": [{"name": "paid_up", "type": "check", "expression": f"{PAID} IS TRUE"}]},
            "+ check paid_up",
        ),
        (
            {"constraints": [LANGUAGE]},
            {"constraints": [{**LANGUAGE, "options": {"deferrable": True}}]},
            'foreign key film_language: + options: {"deferrable":true}',
        ),
    ],
)
def test_of_a_long_definition_what_differs_is_told(
    old: dict[str, Any], new: dict[str, Any], phrase: str
) -> None:
    told = detail_phrases(changed(properties(FILM, **old), properties(FILM, **new)))

    assert any(phrase in one for one in told), told


def test_a_renamed_column_is_one_that_went_and_one_that_came() -> None:
    change = changed(FILM, column(FILM, "rate", name="price"))

    assert [(one.key, one.base, one.current) for one in change.details] == [
        ("rate", "numeric(4,2)", None),
        ("price", None, "numeric(4,2)"),
    ]
    assert {(one.name, one.status) for one in change.columns} == {
        ("rate", Status.REMOVED),
        ("price", Status.ADDED),
    }


def test_names_that_differ_in_case_alone_are_two_columns() -> None:
    change = changed(FILM, column(FILM, "rate", name="Rate"))

    assert [one.key for one in change.details] == ["rate", "Rate"]


def test_a_view_of_other_tokens_has_another_body_and_one_laid_out_otherwise_has_not() -> None:
    other = replace(VIEW, raw_code=f"{SQL} WHERE film.film_id > 1", compiled_code=f"{VIEW.compiled_code} x")
    spread = replace(VIEW, raw_code=SQL.replace(" FROM", "\n   FROM"))

    assert changed(VIEW, other).reasons == (Reason.BODY,)
    assert changed(VIEW, other).category is Category.BREAKING
    assert changed(VIEW, spread).status is Status.UNCHANGED
    assert changed(VIEW, spread).reasons == (Reason.FORMATTING,)


def test_braces_in_a_view_are_no_jinja() -> None:
    texts = [replace(VIEW, raw_code=f"SELECT '{{{{ {name} }}}}' AS a", compiled_code=None) for name in "xy"]

    assert changed(*texts).reasons == (Reason.BODY,)


def test_what_a_view_reads_is_not_gone_where_its_sql_is_not_shown() -> None:
    hidden = replace(VIEW, raw_code=None, compiled_code=None, parents=())

    same = replace(VIEW, raw_code=None)  # as a store gives SQL that is equal on both sides

    assert detect_changes([VIEW], [hidden]) == detect_changes([hidden], [VIEW]) == {}
    assert changed(same, replace(same, parents=())).reasons == (Reason.PARENTS,)


def test_another_database_is_another_environment_wherever_it_is_spelt() -> None:
    staging = [
        replace(
            node,
            database_name="staging",
            relation_name=(node.relation_name or "").replace("dvd", "staging"),
            raw_code=(node.raw_code or "").replace("public.film", "staging.public.film") or None,
            compiled_code=(node.compiled_code or "").replace("dvd", "staging") or None,
        )
        for node in (FILM, VIEW)
    ]

    changes = detect_changes([FILM, VIEW], staging)

    assert {change.status for change in changes.values()} == {Status.UNCHANGED}
    assert {reason for change in changes.values() for reason in change.reasons} == {Reason.ENVIRONMENT}


def test_a_table_that_becomes_a_view_is_one_modified_relation_with_other_rows() -> None:
    table = replace(
        VIEW, resource_type="table", materialized="table", raw_code=None, compiled_code=None, parents=()
    )

    change = changed(table, VIEW)

    assert change.reasons == (Reason.BODY, Reason.CONFIG, Reason.PARENTS)
    assert change.category is Category.BREAKING
    assert "table → view" in detail_phrases(change)


def test_a_view_that_becomes_materialized_has_the_same_rows() -> None:
    kept = replace(VIEW, resource_type="materialized_view", materialized="materialized_view")

    assert changed(VIEW, kept).category is Category.NON_BREAKING


def test_constraints_without_names_are_told_apart_by_what_they_say() -> None:
    check = {"type": "check", "expression": "rate > 0"}
    before = properties(FILM, constraints=[{"type": "unique", "columns": ["title"]}, check])
    after = properties(FILM, constraints=[check, {"type": "unique", "columns": ["title", "rate"]}])

    assert {one.key for one in changed(before, after).details} == {
        "constraints.unique(title)",
        "constraints.unique(title, rate)",
    }


def test_a_schema_has_owner_and_comment_and_nobody_reads_it() -> None:
    schema = NodeMetadata(
        unique_id="schema.public", name="public", resource_type="schema", properties={"owner": "dba"}
    )

    change = changed(schema, replace(schema, description="All", properties={"owner": "app"}))

    assert [one.key for one in change.details] == ["owner", "(comment)"]
    assert change.category is None


@pytest.mark.parametrize("name", ["price", "a.b", "x.default", '"q"', "(order)", "é.not_null", '"a".default'])
@pytest.mark.parametrize("attribute", [None, "default", "not_null"])
def test_keys_of_columns_are_read_back_whatever_the_name(name: str, attribute: str | None) -> None:
    assert column_of(column_key(name, attribute)) == (name, attribute)
