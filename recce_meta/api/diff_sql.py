"""`generate_diff_sql`: one statement that counts the rows in which a node differs, to be run by anyone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from recce_meta.api.places import Places, Relation
from recce_meta.dialects import dialect_named
from recce_meta.diff.data.plan import Answer, Queries, Query, run
from recce_meta.diff.data.rows import rows_diff
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.diff.data.source import Pair
from recce_meta.errors import TemplateError, UsageError
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import DataSide
from recce_meta.render import SimpleTemplateRenderer


def generate_diff_sql(
    node_id: str,
    renderer: SimpleTemplateRenderer,
    base: Mapping[str, NodeMetadata] | Iterable[NodeMetadata] | str | None = None,
) -> str:
    """The statement that compares the rows of *node_id* on both sides, whole and without a key.

    Current is the relation of the node that *renderer* has. *base* is the nodes of the base run, or a
    relation as SQL names it; without it, the node's code, rendered, is compared with the relation that was
    built from it. Columns are those that were recorded with the runs, matched by name.

    The statement gives one row: `differing_rows` (the larger of both next figures), `added_rows`,
    `removed_rows`, `base_rows`, `current_rows`, `common_rows`. Equal rows count as often as they are there.

    Raises UsageError where a side has no relation, or no columns were recorded; TemplateError where the code
    cannot be rendered.
    """
    node = renderer.nodes.get(node_id)
    if node is None:
        raise TemplateError(
            f"No node '{node_id}'", name=node_id, hint="give a unique id of the current nodes"
        )
    dialect = dialect_named(renderer.warehouse_name)
    places = Places(base=dialect, current=dialect)
    if base is None:
        pair, before = _code_against_relation(node, renderer, places), node
    else:
        other = _of(base, node)
        pair = places.pair(other, node)
        before = other if isinstance(other, NodeMetadata) else node
    missing = [side.value for side, source in _sides(pair) if source is None]
    if missing:
        raise UsageError(f"{node_id} has no relation in {' or '.join(missing)}: there is nothing to compare")
    return dialect.render(_counts(_first_statement(pair, before, node)), pretty=True)


def _of(base: Mapping[str, NodeMetadata] | Iterable[NodeMetadata] | str, node: NodeMetadata) -> Relation:
    if isinstance(base, str):
        return base
    listed = base.values() if isinstance(base, Mapping) else base
    return next((each for each in listed if each.unique_id == node.unique_id), None)


def _code_against_relation(node: NodeMetadata, renderer: SimpleTemplateRenderer, places: Places) -> Pair:
    built = places.pair(node, None)
    code = places.queries("", renderer.render_node(node.unique_id))
    return Pair(subject=built.subject, base=built.base, current=code.current)


def _sides(pair: Pair) -> list[tuple[DataSide, object]]:
    return [(DataSide.BASE, pair.base), (DataSide.CURRENT, pair.current)]


def _first_statement(pair: Pair, base: NodeMetadata, current: NodeMetadata) -> Query:
    """What the plan asks once it knows the columns, which are taken as they were recorded."""
    columns = {DataSide.BASE: _columns(base), DataSide.CURRENT: _columns(current)}
    asked: list[Query] = []

    def ask(queries: Queries) -> Sequence[Answer]:
        if all(query.describes for query in queries):
            return [columns[query.side] for query in queries]
        asked.extend(queries)
        return [query.assumed or [] for query in queries]

    run(rows_diff(pair, ValueOptions(limit=0)), ask)
    return asked[0]


def _columns(node: NodeMetadata) -> list[tuple[str, str]]:
    found = [(column.name, column.type) for column in node.columns if column.type]
    if not found or node.columns_from != "catalog":
        raise UsageError(
            f"No columns were recorded for {node.unique_id}",
            hint="dbt docs generate writes catalog.json: record again after it",
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
