"""Rewriting of SQL clauses that a database lacks: functions from expressions to expressions.

They rely on the structure of data diff queries, whose subqueries name every column that they return.
"""

from __future__ import annotations

from sqlglot import exp

from recce_meta.warehouses.types import Sql

JOINED, ROWS = "recce_joined", "recce_rows"
"""Aliases for a join, and for rows that are grouped in several ways."""


def without_full_joins(expression: Sql) -> Sql:
    """Replace each full outer join in *expression* with two left joins, the second for unmatched rows.

    Both sides are subqueries. Their first columns are equal and never NULL in joined rows.
    """
    for select in list(expression.find_all(exp.Select)):
        joins = select.args.get("joins") or []
        if len(joins) == 1 and joins[0].side.upper() == "FULL":
            _split_join(select)
    return expression


def _split_join(select: exp.Select) -> None:
    (join,) = select.args["joins"]
    from_name = "from_" if "from_" in select.arg_types else "from"
    left, right = select.args[from_name].this, join.this
    select.set(from_name, None)
    select.set("joins", [])
    for column in list(select.find_all(exp.Column)):
        if column.table in (left.alias, right.alias):
            column.replace(exp.column(f"{column.table}_{column.name}", table=JOINED))
    columns = [
        exp.alias_(exp.column(name, table=side.alias), f"{side.alias}_{name}")
        for side in (left, right)
        for name in side.this.named_selects
    ]

    def joined(first: Sql, second: Sql) -> exp.Select:
        return (
            exp.Select(expressions=[column.copy() for column in columns])
            .from_(first.copy(), copy=False)
            .join(second.copy(), on=join.args["on"].copy(), join_type="left", copy=False)
        )

    is_missing = exp.Is(this=exp.column(left.this.named_selects[0], table=left.alias), expression=exp.null())
    rows = exp.Union(
        this=joined(left, right),
        expression=joined(right, left).where(is_missing, copy=False),
        distinct=False,
    )
    select.from_(rows.subquery(JOINED, copy=False), copy=False)


def without_grouping_sets(expression: Sql) -> Sql:
    """Replace GROUPING SETS in *expression* with a union of queries, one for each grouping."""
    for select in list(expression.find_all(exp.Select)):
        group = select.args.get("group")
        if group is None or not group.args.get("grouping_sets"):
            continue
        united = _united(select, group)
        if select is expression:
            expression = united
        else:
            select.replace(united)
    return expression


def _united(select: exp.Select, group: exp.Group) -> Sql:
    source = select.args["from_" if "from_" in select.arg_types else "from"].this
    (sets,) = group.args["grouping_sets"]
    every = {column.sql() for each in sets.expressions for column in each.expressions}
    selects: list[Sql] = []
    for each in sets.expressions:
        kept = {column.sql() for column in each.expressions}
        columns = [
            exp.alias_(exp.null(), column.alias_or_name) if column.sql() in every - kept else column.copy()
            for column in select.expressions
        ]
        selects.append(
            exp.Select(expressions=columns)
            .from_(exp.to_table(ROWS, alias=source.alias), copy=False)
            .group_by(*(column.copy() for column in each.expressions), copy=False)
        )
    united: Sql = selects[0]
    for one in selects[1:]:
        united = exp.Union(this=united, expression=one, distinct=False)
    rows = exp.CTE(this=source.this.copy(), alias=exp.TableAlias(this=exp.to_identifier(ROWS)))
    united.set("with_" if "with_" in united.arg_types else "with", exp.With(expressions=[rows]))
    return united
