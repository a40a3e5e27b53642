"""Generator of a single SQL statement that counts the rows in which a node differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from recce_meta.api.data.execution import Relation, RelationResolver
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Answer, Queries, Query, run_plan
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.source import Pair
from recce_meta.errors import TemplateError, UsageError
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import DataSide
from recce_meta.render import SimpleTemplateRenderer
from recce_meta.tables.gaps import SAME_RELATION
from recce_meta.warehouses.dialect import dialect_named


def generate_diff_sql(
    node_id: str,
    renderer: SimpleTemplateRenderer,
    base: Mapping[str, NodeMetadata] | Iterable[NodeMetadata] | str | None = None,
) -> str:
    """Return the statement that compares the whole rows of *node_id* on both sides, without a key.

    Current is the node's relation in *renderer*. *base* is the nodes of the base run, or the name of a
    relation in SQL. Columns are those recorded with the runs, matched by name.

    The statement returns one row: `differing_rows` (the larger of the next two figures), `added_rows`,
    `removed_rows`, `base_rows`, `current_rows`, `common_rows`. Duplicate rows are counted each time.

    Raises UsageError without *base*, or if a side has no relation or no recorded columns; TemplateError if
    there is no such node.
    """
    if base is None:
        raise UsageError(
            f"No base to compare {node_id} with",
            hint="pass the nodes of the base run, or a relation; recce-meta preview compares edited SQL",
        )
    node = renderer.nodes.get(node_id)
    if node is None:
        raise TemplateError(
            f"Node '{node_id}' not found", name=node_id, hint="pass a unique id of the current nodes"
        )
    dialect = dialect_named(renderer.warehouse_name)
    resolver = RelationResolver(base=dialect, current=dialect)
    other = _of(base, node)
    pair = resolver.pair(other, node)
    before = other if isinstance(other, NodeMetadata) else node
    missing = [side.value for side, source in _sides(pair) if source is None]
    if missing:
        raise UsageError(f"{node_id} has no relation in {' or '.join(missing)}: nothing to compare")
    if pair.is_same:
        raise UsageError(
            f"{node_id} cannot be compared: {SAME_RELATION}", hint="pass nodes of another environment"
        )
    return dialect.render(_counts(_first_statement(pair, before, node)), pretty=True)


def _of(base: Mapping[str, NodeMetadata] | Iterable[NodeMetadata] | str, node: NodeMetadata) -> Relation:
    if isinstance(base, str):
        return base
    listed = base.values() if isinstance(base, Mapping) else base
    return next((each for each in listed if each.unique_id == node.unique_id), None)


def _sides(pair: Pair) -> list[tuple[DataSide, object]]:
    return [(DataSide.BASE, pair.base), (DataSide.CURRENT, pair.current)]


def _first_statement(pair: Pair, base: NodeMetadata, current: NodeMetadata) -> Query:
    """Return the first query of the plan, given the recorded columns."""
    # Recorded columns answer the first question of the plan without a connection.
    columns = {DataSide.BASE: _columns(base), DataSide.CURRENT: _columns(current)}
    asked: list[Query] = []

    def ask(queries: Queries) -> Sequence[Answer]:
        if all(query.describes for query in queries):
            return [columns[query.side] for query in queries]
        asked.extend(queries)
        return [query.assumed or [] for query in queries]

    run_plan(rows_diff(pair, ValueOptions(limit=0)), ask)
    return asked[0]


def _columns(node: NodeMetadata) -> list[tuple[str, str]]:
    found = [(column.name, column.type) for column in node.columns if column.type]
    # Only a catalog lists all columns; YAML may describe a few of them.
    if not found or node.columns_from != "catalog":
        raise UsageError(
            f"No columns were recorded for {node.unique_id}",
            hint="run dbt docs generate, which writes catalog.json, and record again",
        )
    return [(name, text) for name, text in found if text is not None]


def _counts(query: Query) -> exp.Select:
    base, current, common = (
        exp.column(name, table="counted") for name in ("base_rows", "current_rows", "common")
    )
    more = (
        exp.Case()
        .when(exp.GT(this=base.copy(), expression=current.copy()), base.copy())
        .else_(current.copy())
    )
    figures = {
        "differing_rows": exp.Sub(this=more, expression=common.copy()),
        "added_rows": exp.Sub(this=current.copy(), expression=common.copy()),
        "removed_rows": exp.Sub(this=base.copy(), expression=common.copy()),
        "base_rows": base,
        "current_rows": current,
        "common_rows": common,
    }
    counted = exp.Subquery(this=query.expression.copy(), alias=exp.to_identifier("counted"))
    return exp.select(*(exp.alias_(figure, name) for name, figure in figures.items())).from_(counted)
