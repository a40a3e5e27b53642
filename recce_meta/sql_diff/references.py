"""Reference keys: columns, rows, outputs by alias and subqueries inside expressions."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from sqlglot import exp

from recce_meta.errors import SqlNotAnalysed
from recce_meta.models.change import DataFact
from recce_meta.sql_diff.expressions import ExpressionKeys, QueryFingerprint, names_and_values, short
from recce_meta.sql_diff.frames import Frames, called_by
from recce_meta.sql_diff.functions import BY_ARRIVAL, UNSTABLE, Uses, binding
from recce_meta.sql_diff.identifiers import FIELDS_HAVE_CASE, MAYBE_LATERAL, names_of
from recce_meta.sql_diff.stages import CUTS
from recce_meta.sql_lineage.expressions import NODE, SET_OPERATION, args
from recce_meta.sql_lineage.fields import BY_PLACE
from recce_meta.sql_lineage.query import (
    STAR,
    Alias,
    Function,
    Member,
    Merged,
    Output,
    Query,
    QuerySource,
    Reference,
    Select,
    SourceColumn,
    Star,
    Table,
    Unresolved,
    WholeRow,
)
from recce_meta.sql_lineage.scope import find_column, is_open
from recce_meta.sql_lineage.trace import makes_rows
from recce_meta.warehouses.types import Sql

QUERY_NODES = (exp.Select, SET_OPERATION, exp.Subquery)
COLUMNS: type = getattr(exp, "Columns", exp.Star)
OF_RELATIONS = frozenset("this db catalog alias joins laterals pivots with with_ hints view".split())
"""Arguments of FROM items that are handled separately; all others are part of the item's key."""
OF_SUBQUERIES = OF_RELATIONS | {*CUTS, "order", "locks"}
LEAVE_OUT_ROWS = re.compile(r"(?i)\breadpast\b")
"""Hints that affect which rows are read, not only how."""
PSEUDO_COLUMNS = frozenset({"rownum", "nextval", "currval"})
"""Pseudo-columns that depend on the surrounding rows, or on the number of calls."""
WRAPPERS = (exp.Final, exp.TableSample, exp.Lateral, exp.Subquery)
"""Nodes that may wrap an item of FROM."""


class SourceColumnKeys:
    """Builder of the keys of columns of sources."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self.values: dict[int, str] = {}
        """Value keys of outputs."""
        self._suffixes: dict[int, str] = {}
        """The column's key in its source, for outputs that are an unchanged column."""
        self.throughs: dict[int, str] = {}
        """The position of the only source, for queries whose rows are those of that source."""
        self.lookups: dict[int, frozenset[DataFact]] = {}
        """Facts that prove, for sources by `id`, that a join with them finds at most one row."""
        self._bases: dict[int, str] = {}
        """The position and key of the original column, for outputs that are an unchanged column."""
        self.bound: dict[int, int] = {}
        """Outputs with a value that depends on their query: window functions, random numbers."""
        self.plain_stars: set[int] = set()
        """Outputs that are all columns of their sources, unchanged through any number of queries."""
        self.passed = 0
        """How the columns that an expression reads from a subquery depend on it, as a sum of bits."""

    def key(self, column: SourceColumn, name: str = "") -> str:
        """Return the key of *column*, which is called *name* in the SQL."""
        output = column.output
        level, place = self._origin(column, name)
        if level == 0 and output is not None and output.star is None:
            bound = self.bound.get(id(output), 0)
            is_passed = place is None
            if not bound:
                through = self.throughs.get(id(column.source.relation))
                is_here = through is not None and self._frames.slot(column.source) == f"0.{through}"
                is_passed = is_passed or (is_here and not self._frames[-1].pads(column.source))
            if is_passed:
                self.passed |= bound
                return self.values[id(output)]
        return short(f"{level}.{place}")

    def _origin(self, column: SourceColumn, name: str) -> tuple[int, str | None]:
        """Return how many queries further out *column* is, and its position: None if computed in this query.

        A column that a subquery only passes on is traced to the subquery's source.
        """
        slot, output = self._frames.slot(column.source), column.output
        number, _, rest = slot.partition(".")
        if not number.isdigit():
            return 0, f"{slot}.{self._suffix(column, name)}"
        level = int(number)
        frame = self._frames[-1 - level]
        if column.source is frame.below and output is not None and output.star is None:
            bound = self.bound.get(id(output), 0)
            if not bound and id(output) in self._bases:
                return level, self._bases[id(output)]
            is_once = not bound & UNSTABLE or self.uses.is_read_once(output)
            if level == 0 and (not bound or (frame.passes and is_once)):
                return level, None
        return level, f"{rest}.{self._suffix(column, name)}"

    def _suffix(self, column: SourceColumn, name: str) -> str:
        """Return the key of *column* in its source, for a source with a known position."""
        relation, output = column.source.relation, column.output
        if output is not None and not isinstance(relation, Table):
            key = self.values.get(id(output), f"?{column.name.lower()!r}")
            if output.star is not None:
                return f"{key}.{_place(column, name)}"
            if id(relation) in self.throughs and id(output) in self._suffixes:
                return self._suffixes[id(output)]
            # A literal looks like a column's name.
            mark = "computed " if id(relation) in self.throughs else ""
            # Two calls of `random()` have equal keys but different values: positions distinguish them.
            if self.bound.get(id(output), 0) & UNSTABLE:
                alike = [one for one in relation.outputs if self.values.get(id(one)) == key]
                place = next((place for place, one in enumerate(alike) if one is output), 0)
                return f"{mark}{key} {place}" if place else f"{mark}{key}"
            return f"{mark}{key}"
        if isinstance(relation, Table) and relation.index.get(column.name) == column.name:
            return relation.renamed.get(column.name, column.name)
        return _place(column, name)

    def note(self, output: Output, column: SourceColumn, name: str) -> None:
        """Record the origin of *column*, which is all of *output*."""
        if id(column.source) not in self.lookups:
            self._suffixes[id(output)] = self._suffix(column, name)
        level, place = self._origin(column, name)
        if level == 0 and place is not None:
            self._bases[id(output)] = place

    def star(self, star: Star) -> str:
        """Return the key of a `*` over relations with unknown columns."""
        twice = sorted(named_twice(self._frames[-1].query.outputs, star))
        key = self._rest(star)
        return f"{key};{twice}" if twice else key

    def _rest(self, star: Star) -> str:
        """Return the key of the columns that *star* stands for."""
        places = []
        for source in star.sources:
            slot, relation = self._frames.slot(source), source.relation
            below = [] if isinstance(relation, Table) else [one for one in relation.outputs if one.star]
            if star.passes is not None:
                below = [star.passes]
            values = [self.values.get(id(one), "?") for one in below]
            is_whole = not star.excluded and not star.renamed and len(star.sources) == len(values) == 1
            is_through = source is self._frames[-1].below or slot == f"0.{self.throughs.get(id(relation))}"
            is_kept = not self._frames[-1].pads(source) or all(id(one) in self.plain_stars for one in below)
            if is_whole and is_through and is_kept:
                return values[0]
            places.append(f"{slot}{values or ''}")
        return f"star({places};{sorted(star.excluded)};{sorted(star.renamed.items())})"

    @cached_property
    def uses(self) -> Uses:
        """How often the statement reads each relation and column."""
        return Uses(self._frames[0].query)


class References(ABC):
    """Builder of keys for everything smaller than a query."""

    def __init__(self, dialect: str, sql: str, folded: Mapping[int, str]) -> None:
        self._dialect = dialect
        self._names = names_of(dialect)
        self._frames = Frames(self._elsewhere)
        self.expressions = ExpressionKeys(dialect, sql, self._meaning, self._frames.named_window, folded)
        self.columns = SourceColumnKeys(self._frames)
        self._kinds: dict[type, Callable[[Sql], str | None] | None] = {}
        self._reading: list[Output] = []
        self._binds = 0
        """How the expression in progress depends on its query, as a sum of bits."""
        self.unions: set[str] = set()
        """The operands of each `union all` read so far, and the tables of each turned join, in order."""
        self.unstable = False
        """Whether something in the query in progress may change with each run."""

    @abstractmethod
    def query(self, query: Query) -> QueryFingerprint:
        """Return the keys of *query*."""

    # Outputs

    def output(self, output: Output) -> str:
        """Return the value key of an output of a query that is in progress or finished."""
        key = self.columns.values.get(id(output))
        if key is None:
            # An alias of itself, if it is requested during the computation.
            self.columns.values[id(output)] = "?"
            around = self._binds, self.columns.passed
            self._binds = self.columns.passed = 0
            self._reading.append(output)
            key = short(self._value(output))
            frame = self._frames[-1]
            if self._binds and frame.shuts and frame.below is not None:
                key = short(f"over({self._frames.slot(frame.below)};{key})")
            if self._binds & BY_ARRIVAL and self.unions:
                key = short(f"{key};{sorted(self.unions)}")
            self.columns.values[id(output)] = key
            if bound := self._binds | self.columns.passed:
                self.columns.bound[id(output)] = bound
            self._binds, self.columns.passed = around
            self._reading.pop()
        return key

    def _value(self, output: Output) -> str:
        if output.star is not None:
            if output.node is None and all(
                one.star is None or id(one) in self.columns.plain_stars
                for source in output.star.sources
                if not isinstance(source.relation, Table)
                for one in source.relation.outputs
            ):
                self.columns.plain_stars.add(id(output))
            star = self.columns.star(output.star)
            return star if output.node is None else f"{star} of {self.expressions.key(output.node)}"
        plain = self._joined(output.reads.plain) if output.reads.plain is not None else None
        if output.node is None and plain is not None:
            if isinstance(plain, SourceColumn):
                self.columns.note(output, plain, output.name)
            return self.reference(plain, output.name)
        key = f"from {output.name.lower()!r}" if output.node is None else self.expressions.key(output.node)
        if output.node is None or output.from_star:  # one of the columns that `COLUMNS(…)` expands to
            if output.node is not None and makes_rows(output.node, self._dialect):  # one of several fields
                key = f"{key}.{output.name.lower()!r}"
            return f"{key};{[self.reference(one, output.name) for one in output.reads.references]}"
        if isinstance(plain, SourceColumn) and key == self.columns.key(plain, output.node.name):
            self.columns.note(output, plain, output.node.name)
        return key

    # References

    def reference(self, reference: Reference, name: str = "") -> str:
        """Return the key of a reference; *name* is its name in the SQL."""
        reference = self._joined(reference)
        if isinstance(reference, SourceColumn):
            return self.columns.key(reference, name)
        if isinstance(reference, Merged):
            keys = (self.columns.key(column, name) for column in reference.columns)
            return short(f"merged({','.join(keys)})")
        if isinstance(reference, Alias):
            key = self.output(reference.output)
            self._binds |= self.columns.bound.get(id(reference.output), 0)
            return key
        if isinstance(reference, WholeRow):
            return short(f"row({self._row(reference.source)})")
        if isinstance(reference, Member):
            return short(f"member({self.expressions.key(reference.node)};{reference.name.lower()!r})")
        return f"unresolved({reference.name.lower()!r})"

    def _joined(self, reference: Reference) -> Reference:
        """Return *reference*, or the left column of USING if the right one is looked up: it has the value."""
        if reference.__class__ is not Merged or len(reference.columns) != 2:
            return reference
        first, second = reference.columns
        return first if id(second.source) in self.columns.lookups else reference

    def _elsewhere(self, source: QuerySource) -> str:
        """Return the key of a source that no query in progress has in its FROM."""
        # Fields of a struct, `f(x).*`; a CTE that is a single value; unsupported parts.
        if isinstance(source.relation, Function):
            return f"elsewhere({self.expressions.key(source.node)})"
        if isinstance(source.relation, Table):
            return f"elsewhere({source.alias!r};{self._table(source)})"
        return f"elsewhere({self.query(source.relation).rows})"

    def _row(self, source: QuerySource) -> str:
        slot = self._frames.slot(source)
        relation = source.relation
        if isinstance(relation, Table):
            return f"{slot}:{','.join(relation.columns) if relation.columns else STAR}:{source.columns}"
        if isinstance(relation, Function):
            return slot
        return f"{slot}:{names_and_values(self.query(relation))}:{source.columns}"

    def everything(self, sources: Iterable[QuerySource]) -> str:
        """Return a key of all columns of *sources*, including names."""
        return short(f"({';'.join(self._row(source) for source in sources)})")

    # Nodes

    def _meaning(self, node: Sql) -> str | None:
        """Return the key of *node*, or None if it is a plain expression."""
        kind = node.__class__
        if kind not in self._kinds:
            self._kinds[kind] = self._meaning_of(kind)
        meaning = self._kinds[kind]
        return meaning(node) if meaning is not None else None

    def _meaning_of(self, kind: type) -> Callable[[Sql], str | None] | None:
        """Return the function for the meaning of such nodes, or None if only their arguments have one."""
        if issubclass(kind, exp.Column):
            return self.column_node
        if issubclass(kind, QUERY_NODES):
            return self._nested
        if issubclass(kind, (exp.Star, COLUMNS)):
            return self._star
        if issubclass(kind, exp.Table):
            return self._frames.argument
        if issubclass(kind, exp.Struct):
            return self._struct
        if issubclass(kind, (exp.Literal, exp.Parameter, BY_PLACE)):
            return self._by_place
        return self._notice if issubclass(kind, (exp.Window, exp.Func)) else None

    def _struct(self, node: Sql) -> str | None:
        # A column without an alias gives its name to the field.
        names = [one.output_name for one in node.expressions]
        return short(f"struct({names}){self.expressions.arguments(node)}") if any(names) else None

    def _star(self, node: Sql) -> str:
        written = self.expressions.arguments(node)
        return short(f"{node.key}({written}){self.everything(self._frames[-1].sources)}")

    def _by_place(self, node: Sql) -> str | None:
        reference = self._frames.reference_of(node)
        if reference is not None and not isinstance(reference, Unresolved):
            return self.reference(reference, node.name)
        if isinstance(node, BY_PLACE) and not isinstance(node, exp.Parameter):
            return short(f"#{node.name} of {self.everything(self._frames[-1].sources)}")
        if isinstance(node, exp.Parameter):
            self._binds |= UNSTABLE if isinstance(node.parent, exp.PropertyEQ) else 0  # MySQL: `@n := @n + 1`
            if node.name.isdigit():  # Snowflake: `$1` of any item in FROM
                return short(f"${node.name} of {self.everything(self._frames[-1].sources)}")
        return None

    def _notice(self, node: Sql) -> None:
        """Record that a value depends on the query that contains it, or on the run."""
        bound = binding(node)
        self._binds |= bound
        self.unstable = self.unstable or bool(bound & UNSTABLE)

    def column_node(self, node: Sql) -> str:
        key = self._meant(node)
        if node.name.lower() in PSEUDO_COLUMNS:
            self._binds |= UNSTABLE
            self.unstable = True
        return short(f"outer({key})") if node.args.get("join_mark") else key

    def _meant(self, node: Sql) -> str:
        reference = self._frames.reference_of(node)
        if reference is None:
            parts = [self._names.column(part) for part in identifiers(node)]
            around = [source for frame in self._frames for source in frame.sources]
            return short(f"unread({parts}){self.everything(around)}")
        name = node.this
        key = self.reference(reference, name.name)
        if isinstance(reference, Alias):
            # A relation with unknown columns may have a column of this name, which would take precedence.
            unknown = [self._frames.slot(source) for source in self._frames[-1].sources if is_open(source)]
            key = short(f"{key} or {name.name.lower()!r} of {unknown}") if unknown else key
        if not node.args.get("table"):
            key = short(f"{key}{self._nearer(reference, name.name.lower())}")
        if self._dialect in MAYBE_LATERAL and not node.args.get("table"):
            key = short(f"{key}{self._earlier(name.name.lower())}")
        path = None
        if node.args.get("table"):
            namesake = self._frames.namesake(node, reference)
            if namesake is not None:
                column = find_column(namesake, name.name, name.name.lower())
                if column is not None:
                    return self.columns.key(column)
                return f"{self._frames.slot(namesake)}.{name.name.lower()!r}"
            path = path_of(node, reference)
        if path:
            has_case = self._dialect in FIELDS_HAVE_CASE
            spelt = [part.name if has_case else self._names.column(part) for part in path]
            return short(f"{key}/{spelt}")
        if isinstance(name, exp.Identifier) and self._names.is_special(name):
            return short(f"{key}/{name.name!r}")
        return key

    def _nearer(self, reference: Reference, name: str) -> str:
        """Return the relations with unknown columns that may have *name*, which was found further out."""
        # A name in USING that no side has has no columns.
        first = next(iter(reference.columns), None) if isinstance(reference, Merged) else reference
        if not isinstance(first, SourceColumn):
            return ""
        level = self._frames.slot(first.source).partition(".")[0]
        if not level.isdigit() or level == "0":
            return ""
        sources = (source for frame in self._frames[-int(level) :] for source in frame.sources)
        unknown = [self._frames.slot(source) for source in sources if is_open(source)]
        return f" or {name!r} of {unknown}" if unknown else ""

    def _earlier(self, name: str) -> str:
        """Return the values of the outputs called *name* before the one in progress."""
        if not self._reading:
            return ""
        before = self._frames[-1].before(self._reading[-1], name)
        return f" or {[self.output(one) for one in before]}" if before else ""

    def _nested(self, node: Sql) -> str:
        query = self._frames.query_of(node)
        if query is None:
            raise SqlNotAnalysed(f"a {node.key} inside an expression is not supported")
        keyed = self.query(query)
        self._binds |= UNSTABLE if keyed.unstable else 0
        extras = self._extras(node)
        # EXISTS ignores the columns of its query.
        if isinstance(node.parent, exp.Exists) and not extras:
            return f"rows({keyed.rows})"
        names = ""
        # The one column of a scalar subquery has no visible name. Rows and structs show theirs.
        if len(keyed.values) > 1 or (isinstance(query, Select) and query.as_struct):
            names = str([output.name.lower() for output in query.outputs])
        return short(f"query({keyed.rows};{','.join(keyed.values)};{names};{extras})")

    # Items of FROM

    def _extras(self, node: Sql) -> str:
        """Return samples, time travel and similar modifiers of an item of FROM, including its wrappers."""
        found = []
        if isinstance(node, (exp.Table, exp.Subquery, exp.Lateral)):
            known = OF_SUBQUERIES if isinstance(node, exp.Subquery) else OF_RELATIONS
            found.append(self.expressions.arguments(node, known))
            hints = [name for hint in args(node, "hints") for name in LEAVE_OUT_ROWS.findall(hint.sql())]
            found.append(",".join(hints).lower())
            alias = node.args.get("alias")
            name = alias.args.get("this") if isinstance(alias, exp.TableAlias) else None
            if isinstance(name, NODE) and not isinstance(name, exp.Identifier):
                found.append(self.expressions.key(name))  # Databricks: a version, `t@v1`
        around: Sql | None = node if isinstance(node, exp.Lateral) else node.parent
        while isinstance(around, WRAPPERS):
            if around.args.get("cross_apply") is False:
                found.append("outer apply")
            if around is not node:
                found.append(f"{around.key}({self.expressions.arguments(around, OF_RELATIONS)})")
            around = around.parent
        return short(";".join(text for text in found if text))

    def _table(self, source: QuerySource) -> str:
        node = source.node
        parts = [
            repr(self._names.table(part)) if isinstance(part, exp.Identifier) else self.expressions.key(part)
            for name in ("catalog", "db", "this")
            if isinstance(node, exp.Table) and isinstance(part := node.args.get(name), NODE)
        ]
        name = ".".join(parts) if parts else repr(getattr(source.relation, "name", ""))
        return name + self.expressions.folded(node)


def named_twice(outputs: Sequence[Output], star: Star) -> set[str]:
    """Return the names of outputs next to a star that are read from it, and so are also in it."""
    return {
        name
        for output in outputs
        if output.star is None and (name := output.name.lower()) and name not in star.excluded
        for one in output.reads.references
        if isinstance(one, SourceColumn)
        and one.name.lower() == name
        and (one.output is None or one.output.ordinal < 0)
        and any(one.source is each for each in star.sources)
    }


def _place(column: SourceColumn, name: str) -> str:
    """Return the key of a column of a table with unknown columns: its name, or its number if renamed."""
    if column.source.columns:
        given = [one.lower() for one in column.source.columns]
        called = (name or column.name).lower()
        if called in given:
            return f"#{given.index(called)}"
    return repr(column.name.lower())


def identifiers(node: Sql) -> list[Sql]:
    """Return the parts of a dotted name."""
    parts: Sequence[object] = getattr(node, "parts", ())
    return [part for part in parts if isinstance(part, exp.Identifier)]


def path_of(node: Sql, reference: Reference) -> list[Sql]:
    """Return the parts of a dotted name after the column that *reference* found: fields of a struct."""
    parts = identifiers(node)
    if len(parts) < 2:
        return []
    if isinstance(reference, SourceColumn):
        spelt = [part.name.lower() for part in parts]
        name, called = reference.name.lower(), called_by(reference.source)
        if called in spelt[:-1]:
            place = spelt.index(called) + 1
            return parts[place + 1 :] if spelt[place] == name else parts
        return parts[1:] if spelt[0] == name else parts
    if isinstance(reference, WholeRow):
        return [part for part in parts if part.name.lower() != reference.source.alias.lower()]
    if isinstance(reference, Unresolved):
        return parts
    return parts[1:]


def typed_columns(node: Sql) -> list[Sql]:
    """Return the columns with types in an alias: `json_to_recordset(…) as r (a int)`."""
    alias = node.args.get("alias")
    columns = args(alias, "columns") if isinstance(alias, NODE) else []
    return [column for column in columns if isinstance(column, exp.ColumnDef)]
