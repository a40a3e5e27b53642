"""Public entry points for the lineage of one query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal, TypeVar, overload

from sqlglot import Generator, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel

from recce_meta.errors import SqlNotAnalysed
from recce_meta.models.lineage import MOST_EXPRESSION, ColumnOutput, Kind
from recce_meta.sql_lineage.context import Context, Deadline, run_on_deep_stack
from recce_meta.sql_lineage.expressions import children
from recce_meta.sql_lineage.names import Schemas, Tables, Unnamed, known_dialect
from recce_meta.sql_lineage.parse import SHALLOW, ParsedStatement, parse, parse_all
from recce_meta.sql_lineage.query import (
    STAR,
    Alias,
    Cte,
    Output,
    Query,
    QueryColumns,
    SourceColumn,
    as_star,
    unite,
)
from recce_meta.sql_lineage.resolve import Resolver
from recce_meta.sql_lineage.scope import Ctes
from recce_meta.sql_lineage.trace import OutputTracer, kind_of, sources_of, uses_of
from recce_meta.warehouses.types import Sql

_DEEPEST_TEXT = 200
"""Maximum depth of an expression that is written as text."""
_FLAT = frozenset({exp.Boolean, exp.Identifier, exp.Literal, exp.Null})
"""Classes of nodes without nodes below them."""
_AS_IT_IS = (Kind.PASSTHROUGH, Kind.RENAMED)
_Parsed = TypeVar("_Parsed")
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
    """Return the columns that each output column of *sql* takes its values from: {output: {(table, column),
    …}}.

    *dialect* is sqlglot's name, in any case; "" means standard SQL. *schemas* lists the columns of known
    relations in order, {table: {column: type}}; tables are matched by the end of their dotted names. If two
    outputs share a name, the first counts. Stars that cannot be expanded are one output `*`. With
    *confidence*, return {output: {(table, column): confidence, …}}: 1.0 is certain, and 0.5 one of several
    candidates. Raise SqlNotAnalysed, or UsageError for an unknown dialect or invalid schemas.
    """
    lineage: dict[str, dict[tuple[str, str], float]] = {}
    for output in analyse_query(sql, dialect, schemas).outputs:
        sources = {(source.parent, source.column): source.confidence for source in output.sources}
        # Several stars are one output, so their sources are united.
        if output.name == STAR:
            known = lineage.setdefault(STAR, {})
            known.update({place: max(sure, known.get(place, 0.0)) for place, sure in sources.items()})
        else:
            lineage.setdefault(output.name, sources)
    return lineage if confidence else {name: set(sources) for name, sources in lineage.items()}


def analyse_query(
    sql: str, dialect: str | None = "", schemas: Schemas | None = None, *, timeout: float | None = None
) -> QueryColumns:
    """Return outputs with kinds, expressions and confidence, and the columns that determine rows.

    Takes the arguments of `column_lineage`; *timeout* is in seconds. Raise SqlNotAnalysed, also on a timeout.
    """
    return _run(sql, dialect, schemas, timeout, parse, _query_columns)


def analyse_script(
    sql: str, dialect: str | None = "", schemas: Schemas | None = None, *, timeout: float | None = None
) -> QueryColumns:
    """Return the columns of all statements in *sql*, which fill one relation. See `analyse_query`."""
    return _run(sql, dialect, schemas, timeout, parse_all, _script_columns)


def _is_named(part: QueryColumns, filled: tuple[str, ...]) -> bool:
    """Return whether each output of *part* has the name of the column at its position in *filled*."""
    own = tuple(output.name for output in part.outputs)
    return bool(filled) and own == filled[: len(own)]


def resolve_statements(
    sql: str, dialect: str | None = "", schemas: Schemas | None = None, *, timeout: float | None = None
) -> list[Query]:
    """Return the query of each statement in *sql*, as `resolve_query` does. Raise SqlNotAnalysed."""
    return _run(sql, dialect, schemas, timeout, parse_all, _resolved_all)


def resolve_query(
    sql: str, dialect: str | None = "", schemas: Schemas | None = None, *, timeout: float | None = None
) -> Query:
    """Return the query in *sql* with every name resolved; see `query`. Raise SqlNotAnalysed."""
    return _run(sql, dialect, schemas, timeout, parse, lambda found, new: _resolved(found, new()))


def _run(
    sql: str,
    dialect: str | None,
    schemas: Schemas | None,
    timeout: float | None,
    read: Callable[[str, str, Deadline], tuple[_Parsed, int]],
    work: Callable[[_Parsed, Callable[[], Context]], _Result],
) -> _Result:
    """Return the result of *work*, given what *read* parses and a function that builds a new context."""
    name, deadline = known_dialect(dialect), Deadline(timeout)
    tables = Tables({} if schemas is None else schemas)
    parsed, levels = read(sql, name, deadline)
    # A factory, because a retry on the deep stack must not see references of the failed attempt.
    return _with_room(lambda: work(parsed, lambda: Context(name, tables, deadline, sql)), levels, deadline)


def _resolved_all(statements: Sequence[ParsedStatement], new_context: Callable[[], Context]) -> list[Query]:
    return [_resolved(statement, new_context()) for statement in statements]


def _query_columns(statement: ParsedStatement, new_context: Callable[[], Context]) -> QueryColumns:
    context = new_context()
    query = _resolved(statement, context)
    return _columns(query, _names(statement, context.tables), context)


def _script_columns(
    statements: Sequence[ParsedStatement], new_context: Callable[[], Context]
) -> QueryColumns:
    parts: list[QueryColumns] = []
    filled: tuple[str, ...] = ()
    for statement in statements:
        context = new_context()
        query, names = _resolved(statement, context), _names(statement, context.tables)
        is_by_place = statement.kind == "insert" and not names
        part = _columns(query, names or (filled if is_by_place else ()), context)
        # It fills by position: unless the names agree, any of its values may be in any column.
        if is_by_place and any(each.outputs for each in parts):
            part = part if _is_named(part, filled) else as_star(part)
        if statement.kind in ("create", "insert") and not filled:
            own = tuple(output.name for output in part.outputs)
            filled = () if STAR in own else own
        parts.append(part)
    return unite(parts)


def _with_room(work: Callable[[], _Result], levels: int, deadline: Deadline) -> _Result:
    """Return the result of *work*. Retry on a deep stack if the caller's stack is too small."""
    # A deep stack costs a thread and a lock of the whole process, so most queries use the caller's stack.
    if levels > SHALLOW:
        return run_on_deep_stack(work, deadline)
    try:
        return work()
    except RecursionError:
        pass
    try:
        # Outside of `except`, so that the traceback no longer holds the thousands of frames of the first
        # attempt.
        return run_on_deep_stack(work, deadline)
    except RecursionError as error:
        raise SqlNotAnalysed("nested too deep to be analysed") from error


def _resolved(statement: ParsedStatement, context: Context) -> Query:
    reach = Ctes()
    for name, declared in statement.variables.items():
        reach.add_value(name, declared)
    resolver = Resolver(context)
    for each in statement.created:
        if each.query is None:
            # Several statements filled it, or one may have altered it: unknown columns are safer than
            # outdated ones.
            reach.forget(each.name)
        else:
            query = resolver.query(each.query, reach, None)
            reach.create(Cte(each.name, query, each.query, columns=each.columns))
    return resolver.query(statement.query, reach, None)


def _names(statement: ParsedStatement, tables: Tables) -> tuple[str, ...]:
    """Return the column names set by the statement or its target, by position."""
    if statement.names or statement.target is None:
        return statement.names
    return tables.table(statement.target).columns or ()


def _columns(query: Query, names: tuple[str, ...], context: Context) -> QueryColumns:
    deadline = context.deadline
    lineage, writer = OutputTracer(deadline), _Writer(context.dialect)
    if names:
        context.names.by_position(query.outputs)
    outputs: list[ColumnOutput] = []
    unnamed, engine = list[int](), Unnamed(context.dialect)
    # An unexpanded star hides the position of every output after it.
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
    """Return the expression that defines *output*, which may be in a CTE."""
    seen: set[Output] = set()
    below: Output | None = output
    while below is not None and below not in seen:
        seen.add(below)
        output, plain = below, below.reads.plain
        if output.branches:
            below = output.branches[0]
        else:
            below = plain.output if isinstance(plain, (SourceColumn, Alias)) else None
    return output.node


class _Writer:
    """SQL writer for expressions in one dialect."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect

    @cached_property
    def _generator(self) -> Generator:
        # The text is only displayed, so unsupported syntax must neither raise nor log.
        reader = Dialect.get_or_raise(self._dialect or None)
        return reader.generator(comments=False, unsupported_level=ErrorLevel.IGNORE)

    def text(self, node: Sql | None) -> str | None:
        """Return the SQL of *node*, truncated if too long. Return None if it is nested too deep."""
        # The generator recurses, and may run here on the caller's small stack.
        if node is None or _is_deep(node):
            return None
        # The tree is not used after this, so the generator may modify it.
        text: str = self._generator.generate(node, copy=False)
        return text if len(text) <= MOST_EXPRESSION else text[: MOST_EXPRESSION - 1] + "…"


def _is_deep(node: Sql) -> bool:
    level = [node]
    for _ in range(_DEEPEST_TEXT):
        level = [child for parent in level if parent.__class__ not in _FLAT for child in children(parent)]
        if not level:
            return False
    return True
