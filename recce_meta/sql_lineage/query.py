"""Query with every name resolved: the meaning of every column reference, down to tables.

Built once, bottom up, by `resolve.resolve_query`, and read-only after that. `trace` uses it to trace values,
`recce_meta.sql_diff` to compare meanings. sqlglot's nodes stay as parsed. Their meaning is stored by
`id(node)`, so the tree is neither copied nor changed.

    Query       = Select | SetOperation | Values | Function | Pivot | SelfReference
    QuerySource = one item of FROM: an alias over a Table or a Query, with its join
    Output      = one column that a query yields
    Reference   = SourceColumn | Merged | Alias | WholeRow | Member | Unresolved: the meaning of a column node

A CTE is resolved once and shared: every source that names it has the same `Query` object. `QueryColumns` are
the columns of one query, or of several statements that fill one relation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from recce_meta.models.lineage import ColumnOutput, ColumnSource, ColumnUse, Kind
from recce_meta.warehouses.types import Sql

STAR = "*"


# A function, because `NOTHING` can only exist after the classes that default to it.
def _nothing() -> Reads:
    return NOTHING


# `eq=False` everywhere: these are keys of dicts, and comparing recursive CTEs would not end.
class Table(Struct, eq=False):
    """A relation that the query reads and does not define."""

    name: str
    """Name as in `schemas` if listed there, else as in the SQL: parts joined with dots, unquoted."""
    columns: tuple[str, ...] | None
    """Columns in order, as in `schemas`; None if unknown."""
    index: dict[str, str] = field(default_factory=dict)
    """Columns by name, and by lower-case name if that is not taken."""
    types: Mapping[str, object] = field(default_factory=dict)
    """Types by column, if known."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """New name of each column that the relation has under another name in the query to compare with."""


class Output(Struct, eq=False):
    """One column that a query yields, or a `*` that could not be expanded."""

    name: str
    """Name as written, or as in the starred relation; empty if the SQL gives no name."""
    ordinal: int
    """Position from 0. Implied outputs (see `Query.implied`) have -1."""
    node: Sql | None = None
    """The expression without its alias; None for columns that a star yields."""
    reads: Reads = field(default_factory=_nothing)
    from_star: bool = False
    star: Star | None = None
    """Set if this is a `*` over relations with unknown columns."""
    branches: tuple[Output, ...] = ()
    """For a set operation: the outputs of its operands that are combined here."""
    members: tuple[Output, ...] = ()
    """For a struct, or a list of structs, built in the query: the outputs of its members."""

    def passed_on(self) -> Iterator[Output]:
        """Yield the output, and each output of an inner query that it passes on unchanged, innermost last."""
        output, seen = self, set[Output]()
        while output not in seen:
            seen.add(output)
            yield output
            plain = output.reads.plain
            if not isinstance(plain, SourceColumn) or plain.output is None:
                return
            output = plain.output


class Star(Struct, eq=False):
    """A `*` that could not be expanded."""

    sources: tuple[QuerySource, ...]
    excluded: frozenset[str] = frozenset()
    """Columns in lower case that `EXCEPT` or `EXCLUDE` drops, or `REPLACE` computes separately."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """New name in lower case, to old name."""
    passes: Output | None = None
    """The `*` that it passes on from its only source, if that has several stars or other columns as well."""


class Reads(Struct, eq=False):
    """References and subqueries that one expression reads."""

    references: tuple[Reference, ...] = ()
    """Columns in the expression, excluding those inside its subqueries."""
    subqueries: tuple[Query, ...] = ()
    tests: tuple[Query, ...] = ()
    """Subqueries of `EXISTS`: only the existence of rows matters."""
    plain: Reference | None = None
    """Set if the expression is only this reference."""
    aggregates: bool = False
    """Whether the expression contains an aggregate function that is not used as a window function."""
    windows: bool = False
    """Whether the expression contains a window function: it then depends on other rows even without columns.
    """
    makes_rows: bool = False
    """Whether a call in the expression, in a select list, may yield zero or several rows."""


NOTHING: Final = Reads()


class SourceColumn(Struct, eq=False):
    """A column of a source of this query or, in a correlated subquery, of an outer query."""

    source: QuerySource
    name: str
    """Name as the source spells it."""
    output: Output | None
    """The matching output of the source's query; None if the source is a table."""
    confidence: float = 1.0
    """1.0 if certain, 0.9 if the source's columns are unknown, 0.5 for a guess."""
    ambiguity: float = 0.0
    """Confidence that the name, which has no qualifier, means a column of another source as well."""


class Merged(Struct, eq=False):
    """A column of `USING` or `NATURAL`: the first of these that is not NULL."""

    columns: tuple[SourceColumn, ...]


class Candidates(Merged, eq=False):
    """A name without a qualifier that may belong to any of several relations with unknown columns."""


class Alias(Struct, eq=False):
    """Another output of the same select, by its alias or, in GROUP BY and ORDER BY, its position."""

    output: Output


class WholeRow(Struct, eq=False):
    """A source's alias used as a value: `to_json(t)`."""

    source: QuerySource


class Unresolved(Struct, eq=False):
    """A name that is not found in any visible scope."""

    name: str
    column: str = ""
    """The last part of the name, if it may be a column."""
    sources: tuple[QuerySource, ...] = ()
    """Sources that were searched: one of them may have lost the column."""


class Member(Struct, eq=False):
    """A member of a struct built in the query, or of a row used as a value."""

    node: Sql
    """The name, or the expression that yields the struct."""
    whole: Reference | None
    """The struct, if it has a name."""
    name: str
    output: Output
    """The output that the member is made of."""


Reference: TypeAlias = SourceColumn | Merged | Alias | WholeRow | Member | Unresolved


class Clause(Struct, eq=False):
    """One expression that determines rows, with the names it reads."""

    node: Sql
    reads: Reads


class Join(Struct, eq=False):
    """Join between a source and the items before it."""

    kind: str
    """In upper case: `INNER`, `LEFT`, `RIGHT`, `FULL`, `CROSS`, `LEFT SEMI`, `NATURAL LEFT`, …"""
    node: Sql | None
    """sqlglot's `Join` or `Lateral`; None for a later item of a FROM list."""
    on: Clause | None = None
    using: tuple[Merged, ...] = ()
    """The columns of `USING` or `NATURAL`."""


class Cte(Struct, eq=False):
    """A common table expression."""

    name: str
    query: Query
    node: Sql
    recursive: bool = False
    columns: tuple[str, ...] = ()
    """Its column list, if any."""


class QuerySource(Struct, eq=False):
    """One item of FROM."""

    alias: str
    """Qualifier of its columns; empty if it has none."""
    relation: Table | Query
    node: Sql
    cte: Cte | None = None
    join: Join | None = None
    """None for the first item."""
    columns: tuple[str, ...] = ()
    """Names that `AS t (a, b)` gives, by position."""
    lateral: bool = False
    index: dict[str, int] | None = None
    """Positions by name, if `columns` renames."""

    @property
    def only_filters(self) -> bool:
        """Return whether only a join condition can read the source's columns, as in a semi or anti join."""
        return self.join is not None and ("SEMI" in self.join.kind or "ANTI" in self.join.kind)


class Select(Struct, eq=False):
    """A `SELECT`."""

    node: Sql
    sources: list[QuerySource] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    ctes: list[Cte] = field(default_factory=list)
    """CTEs that its own WITH defines, in order."""
    where: list[Clause] = field(default_factory=list)
    """`WHERE`, `PREWHERE`, `CONNECT BY`, `START WITH`."""
    group: list[Clause] = field(default_factory=list)
    """Keys; a position or alias is an `Alias` reference. Grouping sets are flattened (see `node`)."""
    group_all: bool = False
    """`GROUP BY ALL`: the outputs without aggregates are the keys, and are also in `group`."""
    having: list[Clause] = field(default_factory=list)
    qualify: list[Clause] = field(default_factory=list)
    distinct: bool = False
    distinct_on: list[Clause] = field(default_factory=list)
    order: list[Clause] = field(default_factory=list)
    limit: list[Sql] = field(default_factory=list)
    """Nodes of `LIMIT`, `FETCH`, `TOP`, `OFFSET`, `TABLESAMPLE`, which limit the rows."""
    limit_by: list[Clause] = field(default_factory=list)
    references: dict[int, Reference] = field(default_factory=dict)
    """References by `id` of each column node, excluding those inside subqueries."""
    subqueries: dict[int, Query] = field(default_factory=dict)
    """Subqueries by `id` of each query node inside its expressions."""
    windows: dict[str, Clause] = field(default_factory=dict)
    """Named windows, by lower-case name."""
    aliases: dict[str, Output] = field(default_factory=dict)
    """Uses of ClickHouse's `WITH a + b AS c` in this query, by lower-case name."""
    implied: dict[str, Output] = field(default_factory=dict)
    """Columns requested by name that come through a `*`, by lower-case name."""
    index: dict[str, Output] | None = None
    as_struct: bool = False
    """BigQuery's `SELECT AS STRUCT` and `SELECT AS VALUE`."""


class SetOperation(Struct, eq=False):
    """Two or more queries joined by the same set operation."""

    node: Sql
    kind: str
    """`union`, `intersect`, or `except`. With `except` all operands after the first are subtracted."""
    distinct: bool
    by_name: bool
    operands: list[Query]
    outputs: list[Output] = field(default_factory=list)
    ctes: list[Cte] = field(default_factory=list)
    order: list[Clause] = field(default_factory=list)
    limit: list[Sql] = field(default_factory=list)
    references: dict[int, Reference] = field(default_factory=dict)
    subqueries: dict[int, Query] = field(default_factory=dict)
    implied: dict[str, Output] = field(default_factory=dict)
    index: dict[str, Output] | None = None


class Values(Struct, eq=False):
    """Literal rows: each output reads the expression at its position in every row."""

    node: Sql
    outputs: list[Output] = field(default_factory=list)
    implied: dict[str, Output] = field(default_factory=dict)
    index: dict[str, Output] | None = None


class Function(Struct, eq=False):
    """A function that yields rows: `UNNEST`, `FLATTEN`, `generate_series`, a table function, a stage."""

    node: Sql
    reads: Reads
    """References of its arguments: every output depends on all of them."""
    outputs: list[Output] = field(default_factory=list)
    """Outputs with known names."""
    implied: dict[str, Output] = field(default_factory=dict)
    """Other outputs, created on demand."""
    index: dict[str, Output] | None = None
    closed: bool = False
    """Whether `outputs` lists all its columns."""
    rows: Query | None = None
    """The query that yields its rows, for a data-modifying statement that returns rows."""


class Pivot(Struct, eq=False):
    """`PIVOT` or `UNPIVOT` over one source."""

    node: Sql
    source: QuerySource
    unpivot: bool
    reads: Reads
    """References that determine its rows: the column with the values that become columns."""
    outputs: list[Output] = field(default_factory=list)
    implied: dict[str, Output] = field(default_factory=dict)
    index: dict[str, Output] | None = None
    consumed: frozenset[str] = frozenset()
    """Columns of the source, in lower case, that are not passed on."""
    dynamic: Reads | None = None
    """References of any column with a name that depends on the data."""
    references: dict[int, Reference] = field(default_factory=dict)


class Match(Pivot, eq=False):
    """`MATCH_RECOGNIZE` over one source; `reads` holds its PARTITION BY."""

    define: Reads = field(default_factory=_nothing)
    """References that determine which rows match the pattern."""
    order: Reads = field(default_factory=_nothing)


class SelfReference(Struct, eq=False):
    """A recursive CTE as its own body sees it; every output's branch is the CTE's finished output."""

    name: str
    outputs: list[Output] = field(default_factory=list)
    implied: dict[str, Output] = field(default_factory=dict)
    index: dict[str, Output] | None = None
    query: Query | None = None
    """The finished query."""


Query: TypeAlias = Select | SetOperation | Values | Function | Pivot | SelfReference


_MAY_BE = 0.5
"""Confidence of a source if its target column is unknown."""


class QueryColumns(Struct, frozen=True):
    """Columns of one query, with their sources."""

    outputs: tuple[ColumnOutput, ...]
    """In the order of the query."""
    uses: tuple[ColumnUse, ...]
    """Sorted."""
    references: tuple[ColumnSource, ...] = ()
    """Columns that the query names in any clause and cannot run without, sorted."""
    unnamed: tuple[int, ...] = ()
    """Positions of the outputs without a name."""


def as_star(part: QueryColumns) -> QueryColumns:
    """Return *part* with one output `*` of all sources, since the names of its columns are unknown."""
    sources = _sources(source for output in part.outputs for source in output.sources)
    return replace(part, outputs=(ColumnOutput(STAR, Kind.DERIVED, None, sources),), unnamed=())


def unite(parts: Sequence[QueryColumns]) -> QueryColumns:
    """Return the columns of a relation that all *parts* fill, in the order of the first part with columns.

    Sources of unknown columns may be in each of the columns.
    """
    if len(parts) == 1:
        return parts[0]
    # A deletion has no outputs, and so does not name the columns.
    first = next((part for part in parts if part.outputs), parts[0])
    is_known = not any(output.name == STAR for output in first.outputs)
    found: dict[str, ColumnOutput] = {}
    spread: list[ColumnSource] = []
    for output in (output for part in parts for output in part.outputs):
        if output.name == STAR and is_known:
            spread += [replace(one, confidence=min(one.confidence, _MAY_BE)) for one in output.sources]
        else:
            name = output.name.lower()
            found[name] = _joined(found[name], output) if name in found else output
    outputs = list(found.values())
    if spread:
        unclear = ColumnOutput(STAR, Kind.DERIVED, None, tuple(spread))
        outputs = [_joined(output, unclear) for output in outputs]
    keeps_places = [output.name.lower() for output in first.outputs] == list(found)[: len(first.outputs)]
    return QueryColumns(
        tuple(outputs),
        _uses(use for part in parts for use in part.uses),
        _sources(source for part in parts for source in part.references),
        first.unnamed if keeps_places else (),
    )


def _joined(one: ColumnOutput, other: ColumnOutput) -> ColumnOutput:
    kinds = {one.kind, other.kind}
    kind = one.kind if len(kinds) == 1 else Kind.AGGREGATED if Kind.AGGREGATED in kinds else Kind.DERIVED
    sources = _sources((*one.sources, *other.sources))
    return replace(one, kind=kind, expression=one.expression or other.expression, sources=sources)


def _sources(sources: Iterable[ColumnSource]) -> tuple[ColumnSource, ...]:
    surest: dict[tuple[str, str], float] = {}
    for source in sources:
        place = source.parent, source.column
        surest[place] = max(source.confidence, surest.get(place, 0.0))
    return tuple(sorted(ColumnSource(*place, sure) for place, sure in surest.items()))


def _uses(uses: Iterable[ColumnUse]) -> tuple[ColumnUse, ...]:
    surest: dict[tuple[object, str, str], ColumnUse] = {}
    for use in uses:
        place = use.usage, use.parent, use.column
        if place not in surest or use.confidence > surest[place].confidence:
            surest[place] = use
    return tuple(sorted(surest.values()))
