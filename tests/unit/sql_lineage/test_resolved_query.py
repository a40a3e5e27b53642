"""A query with its names understood: what classification reads."""

from __future__ import annotations

from sqlglot import exp

from recce_meta.sql_lineage import column_lineage, resolve_query
from recce_meta.sql_lineage.query import (
    Alias,
    Merged,
    Pivot,
    Reference,
    Select,
    SelfReference,
    SetOperation,
    SourceColumn,
    Table,
    Unresolved,
    WholeRow,
)

SCHEMAS = {"t": {"a": "int", "b": "int"}, "u": {"a": "int", "d": "int"}}


def resolved(sql: str, dialect: str = "") -> Select:
    query = resolve_query(sql, dialect, SCHEMAS)
    assert isinstance(query, Select)
    return query


def meaning(query: Select, text: str) -> Reference:
    """What the one column node that is written *text* means in *query*."""
    found = [node for node in query.node.find_all(exp.Column) if node.sql() == text]
    (known,) = [query.references[id(node)] for node in found if id(node) in query.references]
    return known


def test_sources_stand_in_the_order_of_from_with_kind_and_condition_of_their_joins() -> None:
    query = resolved("select 1 from t join u as x on t.a = x.a left join other using (d) cross join last")

    assert [source.alias for source in query.sources] == ["", "x", "", ""]
    assert query.sources[0].join is None
    kinds = [source.join.kind for source in query.sources if source.join is not None]
    assert kinds == ["INNER", "LEFT", "CROSS"]
    on = query.sources[1].join and query.sources[1].join.on
    assert on is not None
    assert on.node.sql() == "t.a = x.a"
    assert [type(reference) for reference in on.reads.references] == [SourceColumn, SourceColumn]


def test_a_column_means_a_source_and_a_name_as_the_source_spells_it() -> None:
    found = meaning(resolved("select B from t as x"), "B")

    assert isinstance(found, SourceColumn)
    assert (found.source.alias, found.name, found.output, found.confidence) == ("x", "b", None, 1.0)


def test_a_column_of_a_cte_means_the_output_of_its_query() -> None:
    query = resolved("with x as (select a + 1 as k from t) select k from x")
    found = meaning(query, "k")

    assert isinstance(found, SourceColumn)
    assert found.source.cte is query.ctes[0]
    assert found.output is query.ctes[0].query.outputs[0]


def test_a_cte_is_one_query_for_all_that_read_it() -> None:
    query = resolved("with x as (select a from t) select l.a from x as l join x as r on l.a = r.a")

    assert query.sources[0].relation is query.sources[1].relation is query.ctes[0].query


def test_a_column_of_using_is_of_both_sides() -> None:
    query = resolved("select a from t join u using (a)")
    found = meaning(query, "a")

    assert isinstance(found, Merged)
    assert [column.source for column in found.columns] == query.sources
    assert query.sources[1].join is not None
    assert query.sources[1].join.using == (found,)


def test_an_output_that_a_later_one_names_is_an_alias_where_the_dialect_has_that() -> None:
    query = resolved("select a + 1 as x, x * 2 as y from t", "snowflake")
    found = meaning(query, "x")

    assert isinstance(found, Alias)
    assert found.output is query.outputs[0]


def test_positions_in_group_and_order_are_outputs() -> None:
    query = resolved("select a, count(*) as n from t group by 1 order by 2 limit 3")

    (key,), (order,) = query.group, query.order
    assert isinstance(key.reads.plain, Alias)
    assert isinstance(order.reads.plain, Alias)
    assert key.reads.plain.output is query.outputs[0]
    assert order.reads.plain.output is query.outputs[1]
    assert len(query.limit) == 1


def test_group_by_all_has_the_outputs_without_aggregates_as_keys() -> None:
    query = resolved("select a, sum(b) as s from t group by all", "duckdb")

    assert query.group_all
    assert [clause.node.sql() for clause in query.group] == ["a"]


def test_a_correlated_column_means_the_source_around_it() -> None:
    query = resolved("select (select max(d) from u where u.a = t.a) as m from t")
    (inner,) = {id(found): found for found in query.subqueries.values()}.values()

    assert isinstance(inner, Select)
    (where,) = inner.where
    sources = {
        reference.source for reference in where.reads.references if isinstance(reference, SourceColumn)
    }
    assert sources == {inner.sources[0], query.sources[0]}


def test_whole_rows_and_unknown_names_are_told() -> None:
    query = resolved("select to_json(t) as j, nobody.x from t")

    row, unknown = meaning(query, "t"), meaning(query, "nobody.x")
    assert isinstance(row, WholeRow)
    assert row.source is query.sources[0]
    assert isinstance(unknown, Unresolved)
    assert unknown.name == "nobody.x"


def test_a_star_is_expanded_or_stays_a_star_over_its_source() -> None:
    query = resolved("select t.*, other.* from t, other")

    assert [(output.name, output.from_star) for output in query.outputs] == [
        ("a", True),
        ("b", True),
        ("*", True),
    ]
    star = query.outputs[2].star
    assert star is not None
    assert star.sources == (query.sources[1],)


def test_a_column_that_comes_through_a_star_is_made_when_it_is_asked_for() -> None:
    query = resolved("with x as (select * from other) select k from x")
    inner = query.ctes[0].query

    assert isinstance(inner, Select)
    found = meaning(query, "k")
    assert isinstance(found, SourceColumn)
    assert found.output is inner.implied["k"]
    assert found.confidence == 0.9


def test_a_chain_of_one_set_operation_is_one_and_pairs_outputs_by_place() -> None:
    query = resolve_query("select a from t union all select d from u union all select 1", "", SCHEMAS)

    assert isinstance(query, SetOperation)
    assert (query.kind, query.distinct, len(query.operands)) == ("union", False, 3)
    assert [branch.name for branch in query.outputs[0].branches] == ["a", "d", ""]


def test_set_operations_of_different_sorts_are_nested_as_sql_reads_them() -> None:
    query = resolve_query("select a from t union all select d from u except select 1", "", SCHEMAS)

    assert isinstance(query, SetOperation)
    first = query.operands[0]
    assert isinstance(first, SetOperation)
    assert (query.kind, first.kind) == ("except", "union")


def test_set_operations_by_name_pair_outputs_by_name() -> None:
    query = resolve_query("select a, b from t union all by name select b from t", "duckdb", SCHEMAS)

    assert isinstance(query, SetOperation)
    assert query.by_name
    assert [(output.name, len(output.branches)) for output in query.outputs] == [("a", 1), ("b", 2)]


def test_a_recursive_cte_reads_a_marked_reference_to_itself() -> None:
    query = resolved("with recursive n as (select a from t union all select a + 1 from n) select a from n")
    (cte,) = query.ctes

    assert cte.recursive
    assert isinstance(cte.query, SetOperation)
    step = cte.query.operands[1]
    assert isinstance(step, Select)
    itself = step.sources[0].relation
    assert isinstance(itself, SelfReference)
    assert itself.query is cte.query


def test_a_pivot_is_a_query_over_the_source_that_it_turns() -> None:
    query = resolved("select * from t pivot (sum(a) for b in ('x', 'y'))", "snowflake")
    pivot = query.sources[0].relation

    assert isinstance(pivot, Pivot)
    assert isinstance(pivot.source.relation, Table)
    assert [output.name for output in pivot.outputs] == ["'x'", "'y'"]


def test_tables_are_known_by_the_longest_end_of_their_names() -> None:
    schemas = {"one.s.t": {"x": "int"}, "two.s.t": {"y": "int"}, "s.v": {"z": "int"}}

    def columns(sql: str) -> tuple[str, tuple[str, ...] | None]:
        query = resolve_query(sql, "", schemas)
        assert isinstance(query, Select)
        table = query.sources[0].relation
        assert isinstance(table, Table)
        return table.name, table.columns

    assert columns("select * from two.s.t") == ("two.s.t", ("y",))
    assert columns('select * from "TWO"."S"."T"') == ("two.s.t", ("y",))
    assert columns("select * from db.s.v") == ("s.v", ("z",))
    assert columns("select * from three.s.t") == ("three.s.t", None)
    assert columns("select * from other.v2") == ("other.v2", None)


def test_a_qualifier_with_a_schema_means_the_relation_whose_name_a_unique_id_took() -> None:
    schemas = {"⟦model.shop.orders⟧": {"id": "int", "Mixed": "int"}}

    found = column_lineage('select sch.orders."Mixed" as m from "⟦model.shop.orders⟧"', "snowflake", schemas)

    assert found == {"m": {("⟦model.shop.orders⟧", "Mixed")}}
