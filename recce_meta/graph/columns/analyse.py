"""The lineage of one query, as the rest of recce_meta reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar, overload

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel

from recce_meta.dialects.types import Sql
from recce_meta.errors import SqlNotAnalysed
from recce_meta.graph.columns.context import Context, Deadline
from recce_meta.graph.columns.lineage import Lineage, kind_of, sources_of, uses_of
from recce_meta.graph.columns.names import Schemas, Tables, known_dialect
from recce_meta.graph.columns.output_names import Unnamed
from recce_meta.graph.columns.parse import SHALLOW, Statement, parse, parse_all
from recce_meta.graph.columns.query import STAR, Alias, Column, Cte, Output, Query
from recce_meta.graph.columns.resolve import Resolver
from recce_meta.graph.columns.room import on_deep_stack
from recce_meta.graph.columns.scope import Ctes
from recce_meta.graph.columns.united import QueryColumns, nameless, united
from recce_meta.models.column_lineage import MOST_EXPRESSION, ColumnOutput, Kind

_DEEPEST_TEXT = 200
"""Levels of an expression up to which it is written out."""
_AS_IT_IS = (Kind.PASSTHROUGH, Kind.RENAMED)
_Result = TypeVar("_Result")


@overload
def column_lineage(
    sql: str, dialect: str | None = "", schemas: Schemas | None = None, *, confidence: Literal[False] = False
) -> dict[str, set[tuple[str, str]]]: ...


@overload
def column_lineage(
    sql: str, dialect: str | None = "", schemas: Schemas | None = None, *, confidence: Literal[True]
) -> dict[str, dict[tuple[str, str], float]]: ...


def column_lineage(
    sql: str, dialect: str | None = "", schemas: Schemas | None = None, *, confidence: bool = False
) -> dict[str, set[tuple[str, str]]] | dict[str, dict[tuple[str, str], float]]:
    """The columns that each output column of *sql* gets its values from: {output: {(table, column), …}}.

    *dialect* is sqlglot's name of it, in any case; "" stands for SQL that is not of any. *schemas* has the
    columns of the relations that are known, {table: {column: type}}, in order; tables are matched by the end
    of their dotted names. Of two outputs with one name the first counts; stars that cannot be expanded are
    one output `*`. With *confidence*, {output: {(table, column): confidence, …}}: 1.0 is sure, and 0.5 one of
    several that it may be.
    Raises SqlNotAnalysed, and UsageError for a dialect that is not known or schemas of another shape.
    """
    lineage: dict[str, dict[tuple[str, str], float]] = {}
    for output in analyse_query(sql, dialect, schemas).outputs:
        sources = {(source.parent, source.column): source.confidence for source in output.sources}
        if output.name == STAR:
            known = lineage.setdefault(STAR, {})
            known.update({place: max(sure, known.get(place, 0.0)) for place, sure in sources.items()})
        else:
            lineage.setdefault(output.name, sources)
    return lineage if confidence else {name: set(sources) for name, sources in lineage.items()}


def analyse_query(
    sql: str, dialect: str | None = "", schemas: Schemas | None = None, *, timeout: float | None = None
) -> QueryColumns:
    """Outputs with kinds, expressions and confidence, and the columns that decide over rows.

    As `column_lineage`; *timeout* is in seconds. Raises SqlNotAnalysed, also where the time is over.
    """
    dialect, deadline = known_dialect(dialect), Deadline(timeout)
    tables = Tables({} if schemas is None else schemas)
    statement, levels = parse(sql, dialect, deadline)

    def analysed() -> QueryColumns:
        context = Context(dialect, tables, deadline)
        query = _resolved(statement, context)
        return _columns(query, _names(statement, tables), context)

    return _with_room(analysed, levels, deadline)


def analyse_script(
    sql: str, dialect: str | None = "", schemas: Schemas | None = None, *, timeout: float | None = None
) -> QueryColumns:
    """Return what all statements in *sql* do, which fill one relation. As `analyse_query`."""
    known, deadline = known_dialect(dialect), Deadline(timeout)
    tables = Tables({} if schemas is None else schemas)
    statements, levels = parse_all(sql, known, deadline)

    def analysed() -> QueryColumns:
        parts: list[QueryColumns] = []
        filled: tuple[str, ...] = ()
        for statement in statements:
            context = Context(known, tables, deadline)
            query, names = _resolved(statement, context), _names(statement, tables)
            is_by_place = statement.kind == "insert" and not names
            part = _columns(query, names or (filled if is_by_place else ()), context)
            if is_by_place and any(each.outputs for each in parts):
                part = part if _is_named(part, filled) else nameless(part)
            if statement.kind in ("create", "insert") and not filled:
                own = tuple(output.name for output in part.outputs)
                filled = () if STAR in own else own
            parts.append(part)
        return united(parts)

    return _with_room(analysed, levels, deadline)


def _is_named(part: QueryColumns, filled: tuple[str, ...]) -> bool:
    """Return whether each output of *part* has the name of a column in *filled*, by its place."""
    own = tuple(output.name for output in part.outputs)
    return bool(filled) and own == filled[: len(own)]


def resolve_statements(
    sql: str, dialect: str | None = "", schemas: Schemas | None = None, *, timeout: float | None = None
) -> list[Query]:
    """Return the query of each statement in *sql*, as `resolve_query` does. Raise SqlNotAnalysed."""
    known, deadline = known_dialect(dialect), Deadline(timeout)
    tables = Tables({} if schemas is None else schemas)
    statements, levels = parse_all(sql, known, deadline)
    return _with_room(
        lambda: [_resolved(each, Context(known, tables, deadline)) for each in statements], levels, deadline
    )


def resolve_query(
    sql: str, dialect: str | None = "", schemas: Schemas | None = None, *, timeout: float | None = None
) -> Query:
    """The query in *sql* with every name in it understood; see `query`. Raises SqlNotAnalysed."""
    dialect, deadline = known_dialect(dialect), Deadline(timeout)
    tables = Tables({} if schemas is None else schemas)
    statement, levels = parse(sql, dialect, deadline)
    return _with_room(lambda: _resolved(statement, Context(dialect, tables, deadline)), levels, deadline)


def _with_room(work: Callable[[], _Result], levels: int, deadline: Deadline) -> _Result:
    """What *work* returns; again on a deep stack where the caller's is too small for it."""
    if levels > SHALLOW:
        return on_deep_stack(work, deadline)
    try:
        return work()
    except RecursionError:
        pass
    try:
        return on_deep_stack(work, deadline)
    except RecursionError as error:
        raise SqlNotAnalysed("nested too deep to be analysed") from error


def _resolved(statement: Statement, context: Context) -> Query:
    reach = Ctes()
    for name, declared in statement.variables.items():
        reach.add_value(name, declared)
    resolver = Resolver(context)
    for each in statement.created:
        if each.query is None:
            reach.forget(each.name)
        else:
            query = resolver.query(each.query, reach, None)
            reach.create(Cte(each.name, query, each.query, columns=each.columns))
    return resolver.query(statement.query, reach, None)


def _names(statement: Statement, tables: Tables) -> tuple[str, ...]:
    """What the columns are called from outside, by place, where the statement or its target says so."""
    if statement.names or statement.target is None:
        return statement.names
    return tables.table(statement.target).columns or ()


def _columns(query: Query, names: tuple[str, ...], context: Context) -> QueryColumns:
    deadline = context.deadline
    lineage, writer = Lineage(deadline), _Writer(context.dialect)
    if names:
        context.names.by_position(query.outputs)
    outputs: list[ColumnOutput] = []
    unnamed, engine = list[int](), Unnamed(context.dialect)
    by_place = len(names) >= len(query.outputs) and not any(output.star for output in query.outputs)
    for place, output in enumerate(query.outputs):
        flow = lineage.flow(output)
        name = names[place] if by_place and names else output.name
        text = None
        if not name:
            text = writer.text(output.node)
            unnamed.append(place)
            name = engine.name(output.node, text) or text or f"column {place + 1}"
        kind = kind_of(flow, name)
        if kind not in _AS_IT_IS:
            text = text or writer.text(_defining(output))
        outputs.append(ColumnOutput(name, kind, None if kind in _AS_IT_IS else text, sources_of(flow)))
        if place % 100 == 0:
            deadline.check()
    uses = uses_of(query, lineage, deadline)
    return QueryColumns(tuple(outputs), uses, context.names.columns(), tuple(unnamed))


def _defining(output: Output) -> Sql | None:
    """The expression that makes *output*, which may stand in a CTE that it is only read from."""
    seen: set[Output] = set()
    below: Output | None = output
    while below is not None and below not in seen:
        seen.add(below)
        output, plain = below, below.reads.plain
        if output.branches:
            below = output.branches[0]
        else:
            below = plain.output if isinstance(plain, (Column, Alias)) else None
    return output.node


class _Writer:
    """Writes expressions in one dialect."""

    def __init__(self, dialect: str) -> None:
        self._generator = Dialect.get_or_raise(dialect or None).generator(
            comments=False, unsupported_level=ErrorLevel.IGNORE
        )

    def text(self, node: Sql | None) -> str | None:
        """The SQL of *node*, cut where it is too long; None where it is too deep to be written."""
        if node is None or _is_deep(node):
            return None
        # Nobody reads the tree after this, so the generator may change what it writes.
        text: str = self._generator.generate(node, copy=False)
        return text if len(text) <= MOST_EXPRESSION else text[: MOST_EXPRESSION - 1] + "…"


def _is_deep(node: Sql) -> bool:
    level = [node]
    for _ in range(_DEEPEST_TEXT):
        level = [child for parent in level for child in parent.iter_expressions()]
        if not level:
            return False
    return True
