"""A query with every name in it understood: what each column reference means, down to tables.

Built once, bottom up, by `resolve.resolve_query`, and only read after that: by `lineage` for where values
come from, by `recce_meta.diff.semantic` for what a query means. sqlglot's nodes are kept as parsed; what
they mean stands beside them, by `id(node)`, so nothing is copied and nothing in the tree is changed.

    Query     = Select | SetOperation | Values | Function | Pivot | SelfReference
    Source    = one item of FROM: an alias over a Table or a Query, with its join
    Output    = one column that a query yields
    Reference = Column | Merged | Alias | WholeRow | Member | Unresolved: what one column node means

A CTE is resolved once and shared: every source that names it has the same `Query` object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from recce_meta.dialects.types import Sql

STAR = "*"


def _nothing() -> Reads:
    return NOTHING


@dataclass(slots=True, eq=False)
class Table:
    """A relation that the query reads and does not define."""

    name: str
    """As `schemas` spells it where it is there, else as the SQL does: parts joined with dots, unquoted."""
    columns: tuple[str, ...] | None
    """In order, as `schemas` spells them; None where they are not known."""
    index: dict[str, str] = field(default_factory=dict, repr=False)
    """Columns by spelling, and by lower case where that is not taken."""
    types: Mapping[str, object] = field(default_factory=dict, repr=False)
    """Types by column, if they are known."""


@dataclass(slots=True, eq=False)
class Output:
    """One column that a query yields, or a `*` that could not be expanded."""

    name: str
    """As written, or as the starred relation spells it; empty where the SQL gives no name."""
    ordinal: int
    """From 0. Implied outputs (see `Query.implied`) have -1."""
    node: Sql | None = None
    """The expression without its alias; None for columns that a star yields."""
    reads: Reads = field(default_factory=_nothing)
    from_star: bool = False
    star: Star | None = None
    """Where this is a `*` over relations whose columns are not known."""
    branches: tuple[Output, ...] = ()
    """Of a set operation: the outputs of its operands that meet here."""
    members: tuple[Output, ...] = ()
    """Of a struct, or a list of such, that is put together here: what its members are made of."""


@dataclass(slots=True, eq=False)
class Star:
    """What is known of a `*` that could not be expanded."""

    sources: tuple[Source, ...]
    excluded: frozenset[str] = frozenset()
    """Lower case: `EXCEPT`, `EXCLUDE`, and what `REPLACE` gives an expression of its own."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """New name, lower case, to old name."""
    passes: Output | None = None
    """The `*` of its only source that it passes on, if that has several or other columns around it."""


@dataclass(slots=True, eq=False)
class Reads:
    """What one expression reads."""

    references: tuple[Reference, ...] = ()
    """Of columns in it, without those inside its subqueries."""
    subqueries: tuple[Query, ...] = ()
    tests: tuple[Query, ...] = ()
    """Subqueries of `EXISTS`: whether they have rows counts, not which."""
    plain: Reference | None = None
    """Where the expression is nothing but this reference."""
    aggregates: bool = False
    """Whether an aggregate function stands in it, other than as a window function."""
    windows: bool = False
    """Whether a window function stands in it: then it depends on other rows, even if it reads no column."""
    makes_rows: bool = False
    """Whether a call stands in it that, in a select list, gives more or fewer rows than one."""


NOTHING: Final = Reads()


@dataclass(slots=True, eq=False)
class Column:
    """A column of a source: of this query or, in a correlated subquery, of one around it."""

    source: Source
    name: str
    """As the source spells it."""
    output: Output | None
    """The output of the source's query that it is; None where the source is a table."""
    confidence: float = 1.0
    """1.0 where it can come from nowhere else, 0.9 where its source's columns are not known, 0.5 a guess."""


@dataclass(slots=True, eq=False)
class Merged:
    """A column of `USING` or `NATURAL`: the first of these that is not NULL."""

    columns: tuple[Column, ...]


@dataclass(slots=True, eq=False)
class Candidates(Merged):
    """A name without a qualifier that any one of several relations may have: their columns are not known."""


@dataclass(slots=True, eq=False)
class Alias:
    """Another output of the same select, by its alias or, in GROUP BY and ORDER BY, its position."""

    output: Output


@dataclass(slots=True, eq=False)
class WholeRow:
    """A source's alias used as a value: `to_json(t)`."""

    source: Source


@dataclass(slots=True, eq=False)
class Unresolved:
    """A name that nothing in reach has."""

    name: str
    column: str = ""
    """The last part of it, if it is a column's."""
    sources: tuple[Source, ...] = ()
    """Where it was looked for: one of them may have lost it."""


@dataclass(slots=True, eq=False)
class Member:
    """A member of a struct that the query puts together itself, or of a row as a value."""

    node: Sql
    """The name, or the expression that yields the struct."""
    whole: Reference | None
    """The struct, where it has a name."""
    name: str
    output: Output
    """What the member is made of."""


Reference: TypeAlias = Column | Merged | Alias | WholeRow | Member | Unresolved


@dataclass(slots=True, eq=False)
class Clause:
    """One expression that decides over rows, with what it reads."""

    node: Sql
    reads: Reads


@dataclass(slots=True, eq=False)
class Join:
    """How a source joins what stands before it."""

    kind: str
    """In upper case: `INNER`, `LEFT`, `RIGHT`, `FULL`, `CROSS`, `LEFT SEMI`, `NATURAL LEFT`, …"""
    node: Sql | None
    """sqlglot's `Join` or `Lateral`; None for a further item of a FROM list."""
    on: Clause | None = None
    using: tuple[Merged, ...] = ()
    """The columns of `USING` or `NATURAL`."""


@dataclass(slots=True, eq=False)
class Cte:
    """A common table expression."""

    name: str
    query: Query
    node: Sql
    recursive: bool = False
    columns: tuple[str, ...] = ()
    """Its own names for the columns, where it has a list."""


@dataclass(slots=True, eq=False)
class Source:
    """One item of FROM."""

    alias: str
    """The name that columns are qualified with; empty where it has none."""
    relation: Table | Query
    node: Sql
    cte: Cte | None = None
    join: Join | None = None
    """None for the first item."""
    columns: tuple[str, ...] = ()
    """Names that `AS t (a, b)` gives, by position."""
    lateral: bool = False
    index: dict[str, int] | None = field(default=None, repr=False)
    """Positions by name, where `columns` renames."""

    @property
    def only_filters(self) -> bool:
        """Whether it stands in a semi or anti join: nothing but the join's condition can read its columns."""
        return self.join is not None and ("SEMI" in self.join.kind or "ANTI" in self.join.kind)


@dataclass(slots=True, eq=False)
class Select:
    """A `SELECT`."""

    node: Sql
    sources: list[Source] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    ctes: list[Cte] = field(default_factory=list)
    """Those that its own WITH defines, in order."""
    where: list[Clause] = field(default_factory=list)
    """`WHERE`, `PREWHERE`, `CONNECT BY`, `START WITH`."""
    group: list[Clause] = field(default_factory=list)
    """Keys; a position or alias is an `Alias` reference. Grouping sets are flattened (see `node`)."""
    group_all: bool = False
    """`GROUP BY ALL`: the outputs without aggregates are the keys; they are in `group` too."""
    having: list[Clause] = field(default_factory=list)
    qualify: list[Clause] = field(default_factory=list)
    distinct: bool = False
    distinct_on: list[Clause] = field(default_factory=list)
    order: list[Clause] = field(default_factory=list)
    limit: list[Sql] = field(default_factory=list)
    """Nodes of `LIMIT`, `FETCH`, `TOP`, `OFFSET`, `TABLESAMPLE`: rows are cut where there is any."""
    limit_by: list[Clause] = field(default_factory=list)
    references: dict[int, Reference] = field(default_factory=dict)
    """By `id` of each column node in it, subqueries' own not among them."""
    subqueries: dict[int, Query] = field(default_factory=dict)
    """By `id` of each query node inside its expressions."""
    windows: dict[str, Clause] = field(default_factory=dict)
    """Named windows, by lower case name."""
    aliases: dict[str, Output] = field(default_factory=dict)
    """What ClickHouse's `WITH a + b AS c` means here, as far as it is named; by lower case name."""
    implied: dict[str, Output] = field(default_factory=dict)
    """Columns that were asked of it by name and come through a `*`; by lower case name."""
    index: dict[str, Output] | None = field(default=None, repr=False)
    as_struct: bool = False
    """BigQuery's `SELECT AS STRUCT` and `SELECT AS VALUE`."""


@dataclass(slots=True, eq=False)
class SetOperation:
    """Two or more queries joined by the same set operation."""

    node: Sql
    kind: str
    """`union`, `intersect`, or `except`; with `except` all operands after the first are taken away."""
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
    index: dict[str, Output] | None = field(default=None, repr=False)


@dataclass(slots=True, eq=False)
class Values:
    """Rows written out: each output reads every row's expression at its place."""

    node: Sql
    outputs: list[Output] = field(default_factory=list)
    implied: dict[str, Output] = field(default_factory=dict)
    index: dict[str, Output] | None = field(default=None, repr=False)


@dataclass(slots=True, eq=False)
class Function:
    """A function that yields rows: `UNNEST`, `FLATTEN`, `generate_series`, a table function, a stage."""

    node: Sql
    reads: Reads
    """What its arguments read: every output comes from all of it."""
    outputs: list[Output] = field(default_factory=list)
    """Those whose names are known."""
    implied: dict[str, Output] = field(default_factory=dict)
    """Others, made when they are asked for."""
    index: dict[str, Output] | None = field(default=None, repr=False)
    closed: bool = False
    """Whether it has no other columns than `outputs`."""
    rows: Query | None = None
    """The query whose rows it has, if it is a statement that changes data and returns rows."""


@dataclass(slots=True, eq=False)
class Pivot:
    """`PIVOT` or `UNPIVOT` over one source."""

    node: Sql
    source: Source
    unpivot: bool
    reads: Reads
    """What decides over its rows: the column whose values become columns."""
    outputs: list[Output] = field(default_factory=list)
    implied: dict[str, Output] = field(default_factory=dict)
    index: dict[str, Output] | None = field(default=None, repr=False)
    consumed: frozenset[str] = frozenset()
    """Columns of the source, lower case, that are not passed on."""
    dynamic: Reads | None = None
    """What any column reads whose name only the data tells."""
    references: dict[int, Reference] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Match(Pivot):
    """`MATCH_RECOGNIZE` over one source; `reads` is what it is partitioned by."""

    define: Reads = field(default_factory=_nothing)
    """What decides which rows make the pattern."""
    order: Reads = field(default_factory=_nothing)


@dataclass(slots=True, eq=False)
class SelfReference:
    """A recursive CTE as its own body sees it; every output's branch is the CTE's finished output."""

    name: str
    outputs: list[Output] = field(default_factory=list)
    implied: dict[str, Output] = field(default_factory=dict)
    index: dict[str, Output] | None = field(default=None, repr=False)
    query: Query | None = None
    """The finished query."""


Query: TypeAlias = Select | SetOperation | Values | Function | Pivot | SelfReference
