"""Name lookup at one position in a query.

A `Scope` holds the sources of one SELECT read so far, its outputs so far, and the enclosing scope. An
unqualified column is looked up in this order: sources known to have it; outputs by alias, if the dialect
allows that; sources with unknown columns; the enclosing scope. `Column.confidence` rates how certain the
result is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from recce_meta.sql_lineage import facts
from recce_meta.sql_lineage.expressions import dotted
from recce_meta.sql_lineage.query import (
    NOTHING,
    STAR,
    Alias,
    Candidates,
    Cte,
    Function,
    Merged,
    Output,
    Pivot,
    Query,
    QuerySource,
    Reads,
    Reference,
    Select,
    SelfReference,
    SetOperation,
    SourceColumn,
    Table,
    Unresolved,
    WholeRow,
)
from recce_meta.warehouses.types import Sql

SURE, LIKELY, GUESS = 1.0, 0.9, 0.5


class Ctes:
    """Visible CTEs, innermost first."""

    def __init__(self, around: Ctes | None = None) -> None:
        self._around = around
        self._here: dict[str, Cte] = {}
        self._values: dict[str, Sql] = {}

    def add(self, cte: Cte) -> None:
        self._here[cte.name.lower()] = cte

    def create(self, relation: Cte) -> None:
        """Record *relation*, created by an earlier statement. Its name may be dotted."""
        self._here[relation.name] = relation
        self._here[relation.name.rpartition(".")[2]] = relation

    def forget(self, name: str) -> None:
        """Treat the created relation *name* as unknown from now on."""
        for end in (name, name.rpartition(".")[2]):
            self._here.pop(end, None)

    def add_value(self, name: str, node: Sql) -> None:
        """Record that *name* stands for an expression wherever it is used: ClickHouse's `WITH 1 AS one`."""
        self._values[name.lower()] = node

    def value(self, lower: str) -> Sql | None:
        """Return the expression that *lower* stands for, if any."""
        reach: Ctes | None = self
        while reach is not None:
            node = reach._values.get(lower)
            if node is not None:
                return node
            reach = reach._around
        return None

    def find(self, name: str) -> Cte | None:
        """Return the CTE *name*, ignoring case."""
        lower = name.lower()
        reach: Ctes | None = self
        while reach is not None:
            found = reach._here.get(lower)
            if found is not None:
                return found
            reach = reach._around
        return None


class Scope:
    """Names visible to the expressions of one SELECT."""

    def __init__(self, select: Select, ctes: Ctes, outer: Scope | None) -> None:
        self.select = select
        self.ctes = ctes
        self.outer = outer
        self.is_last_resort = False
        """Whether to search this scope only after all inner scopes have failed."""
        self.sources = select.sources
        self.aliases: dict[str, QuerySource] = {}
        self.names: dict[str, QuerySource] = {}
        """Tables by the endings of their dotted names, which SQL may use if the table has no alias."""
        self.merged: dict[str, Merged] = {}
        self.outputs: dict[str, Output] = {}
        """Outputs by lower-case alias; the first wins if several share it."""

    def add(self, source: QuerySource) -> None:
        """Make *source* visible to everything read from now on."""
        self.sources.append(source)
        if source.alias:
            self.aliases.setdefault(source.alias.lower(), source)
        if isinstance(source.relation, Table):
            for name in _ends_of(source):
                self.names.setdefault(name, source)

    def sibling(self) -> Scope:
        """Return a scope in which a query in FROM sees earlier items without LATERAL, as a last resort."""
        scope = Scope(self.select, self.ctes, self.outer)
        scope.aliases, scope.names, scope.merged = self.aliases, self.names, self.merged
        scope.is_last_resort = True
        return scope

    def put_only(self, source: QuerySource) -> None:
        """Replace everything visible with *source*."""
        self.sources.clear()
        self.aliases.clear()
        self.names.clear()
        self.merged.clear()
        self.add(source)

    def source(self, name: str) -> QuerySource | None:
        """Return the source for the lower-case qualifier *name*."""
        return self.aliases.get(name) or self.names.get(name)


def _ends_of(source: QuerySource) -> list[str]:
    """Return the names of *source*: `db.schema.orders`, `schema.orders`, `orders`. Also for unique ids."""
    ends: list[str] = []
    for name in {source.relation.name, dotted(source.node)} if isinstance(source.relation, Table) else ():
        ends.append(name.lower())
        parts = name.lower().strip("⟦⟧").split(".")
        ends += [".".join(parts[place:]) for place in range(len(parts))]
        if len(parts) > 1 and parts[-1][:1] == "v" and parts[-1][1:].isdigit():
            ends += [parts[-2], f"{parts[-2]}_{parts[-1]}"]
    return ends


def outputs_by_name(relation: Query) -> Mapping[str, Output]:
    """Return the outputs by name, then by lower-case name; the first wins. An open query has `*`."""
    found = relation.index
    if found is None:
        found = {}
        lower: dict[str, Output] = {}
        for output in relation.outputs:
            found.setdefault(output.name, output)
            lower.setdefault(output.name.lower(), output)
        for name, output in lower.items():
            found.setdefault(name, output)
        if len(lower) < len(relation.outputs):
            for name, output in zip(unique_names(relation.outputs), relation.outputs, strict=True):
                found.setdefault(name, output)
                found.setdefault(name.lower(), output)
        relation.index = found
    return found


def _may_be_a_row_maker(source: QuerySource) -> bool:
    """Return whether *source* is a function not known to read a relation or a file."""
    return isinstance(source.relation, Function) and source.relation.rows is None


def unique_names(outputs: Sequence[Output]) -> list[str]:
    """Return the names of *outputs* deduplicated as in DuckDB: `a`, `a_1`, `a_2`.

    https://duckdb.org/docs/stable/sql/dialect/keywords_and_identifiers#deduplicating-identifiers
    """
    taken: set[str] = set()
    counts: dict[str, int] = {}
    names: list[str] = []
    for output in outputs:
        lower = output.name.lower()
        name = output.name
        while name.lower() in taken and output.star is None and name:
            counts[lower] = counts.get(lower, 0) + 1
            name = f"{output.name}_{counts[lower]}"
        taken.add(name.lower())
        names.append(name)
    return names


def is_open(source: QuerySource) -> bool:
    """Return whether *source* may have columns beyond the known ones."""
    relation = source.relation
    if isinstance(relation, Table):
        return relation.columns is None
    if isinstance(relation, Function):
        return not relation.closed
    return STAR in outputs_by_name(relation)


def find_column(source: QuerySource, name: str, lower: str) -> SourceColumn | None:
    """Return the known column of *source* called *name*, which is already folded."""
    relation = source.relation
    if source.columns:
        place = _renamed(source).get(lower)
        if place is not None:
            return column_at(source, place)
    if isinstance(relation, Table):
        spelt = relation.index.get(name) or relation.index.get(lower)
        if spelt is None or (source.columns and _is_renamed(source, spelt)):
            return None
        return SourceColumn(source, spelt, None)
    outputs = outputs_by_name(relation)
    output = outputs.get(name) or outputs.get(lower)
    if (
        output is None
        or output.star is not None
        or (source.columns and 0 <= output.ordinal < len(source.columns))
    ):
        return None
    return SourceColumn(source, output.name, output)


def _is_renamed(source: QuerySource, name: str) -> bool:
    """Return whether `AS t (a, b)` renames the table's column *name*."""
    relation = source.relation
    known = relation.columns or () if isinstance(relation, Table) else ()
    return name in known[: len(source.columns)]


def _renamed(source: QuerySource) -> Mapping[str, int]:
    if source.index is None:
        source.index = {}
        for place, name in enumerate(source.columns):
            source.index.setdefault(name.lower(), place)
    return source.index


def column_at(source: QuerySource, place: int) -> SourceColumn | None:
    """Return the column of *source* at *place*, if all columns up to it are known."""
    relation = source.relation
    if isinstance(relation, Table):
        if relation.columns is None or place >= len(relation.columns):
            # Renamed by position with the underlying name unknown: it may be any column.
            return SourceColumn(source, STAR, None, LIKELY)
        return SourceColumn(source, relation.columns[place], None)
    if place < len(relation.outputs):
        output = relation.outputs[place]
        name = source.columns[place] if place < len(source.columns) else output.name
        return SourceColumn(source, name, output)
    if relation.outputs and relation.outputs[-1].star is not None:
        return SourceColumn(source, source.columns[place], relation.outputs[-1], LIKELY)
    return None


def star_columns(source: QuerySource) -> Iterator[tuple[str, SourceColumn]]:
    """Yield the known columns that a star over *source* yields."""
    relation = source.relation
    if isinstance(relation, Table):
        count = len(relation.columns) if relation.columns is not None else len(source.columns)
    else:
        count = len(relation.outputs)
    for place in range(count):
        if not isinstance(relation, Table) and relation.outputs[place].star is not None:
            continue
        column = column_at(source, place)
        if column is not None:
            yield source.columns[place] if place < len(source.columns) else column.name, column


def imply(source: QuerySource, name: str) -> SourceColumn | None:
    """Return the column *name* that *source*, which is open, must have for the SQL to be valid."""
    relation = source.relation
    if isinstance(relation, Table):
        return SourceColumn(source, name, None, LIKELY)
    output = implied_output(relation, name)
    return SourceColumn(source, name, output, LIKELY) if output is not None else None


def implied_output(relation: Query, name: str) -> Output | None:
    """Return the output *name* of *relation* that comes through a `*`, created on demand, or None."""
    lower = name.lower()
    output = relation.implied.get(lower)
    if output is not None:
        return output
    if isinstance(relation, Pivot) and not relation.unpivot:
        near = _near((output for output in relation.outputs if output.node is not None), name)
        if near is not None:
            return near
    if isinstance(relation, Pivot) and relation.dynamic is not None:
        output = _implied_by_stars(relation.outputs, name, lower) or Output(name, -1, reads=relation.dynamic)
    elif isinstance(relation, Function):
        output = None if relation.closed else _implied_by_function(relation, name)
    elif isinstance(relation, SetOperation):
        output = _implied_by_operands(relation, name)
    elif isinstance(relation, SelfReference):
        output = Output(name, -1) if STAR in outputs_by_name(relation) else None
    else:
        output = _implied_by_stars(relation.outputs, name, lower)
    if output is not None:
        relation.implied[lower] = output
    return output


def _implied_by_function(relation: Function, name: str) -> Output | None:
    if relation.rows is None:
        return Output(name, -1, reads=relation.reads)
    column = imply(QuerySource("", relation.rows, relation.node), name)
    return _through(name, column) if column is not None else None


def _implied_by_operands(relation: SetOperation, name: str) -> Output | None:
    branches = [
        found
        for operand in relation.operands
        if (found := outputs_by_name(operand).get(name.lower()) or implied_output(operand, name)) is not None
    ]
    return Output(name, -1, branches=tuple(branches)) if branches else None


def _implied_by_stars(outputs: list[Output], name: str, lower: str) -> Output | None:
    guesses: list[SourceColumn] = []
    seen: set[int] = set()
    for output in outputs:
        star = output.star
        if star is None or lower in star.excluded:
            continue
        inner = star.renamed.get(lower, name)
        for source in star.sources:
            if star.passes is not None and id(source) in seen:
                continue
            seen.add(id(source))
            known = find_column(source, inner, inner.lower())
            if known is not None:
                return _through(name, known)
            if is_open(source) and (guess := imply(source, inner)) is not None:
                guesses.append(guess)
    if not guesses:
        return None
    return _through(name, _one_of(guesses))


def _one_of(columns: Sequence[SourceColumn]) -> SourceColumn | Candidates:
    """Return one reference to *columns*, each of a different relation, any of which may be meant."""
    if len(columns) == 1:
        return columns[0]
    for column in columns:
        column.confidence = GUESS
    return Candidates(tuple(columns))


def _through(name: str, column: SourceColumn | Candidates) -> Output:
    return Output(name, -1, reads=Reads((column,), plain=column), from_star=True)


def pivot_column(source: QuerySource, name: str) -> SourceColumn | None:
    """Return the column of a PIVOT below *source* that *name*, otherwise not found, may mean.

    Warehouses derive column names from values differently: `'x'`, `_1`, `x_total`. Without a column of
    similar name it may be any column that the PIVOT makes.
    """
    relation = source.relation
    if isinstance(relation, Table):
        return None
    made = [output for output in relation.outputs if _is_turned(output)]
    if isinstance(relation, Pivot) and not relation.unpivot:
        made = [output for output in relation.outputs if output.node is not None]
    if not made:
        return None
    if (near := _near(made, name)) is not None:
        return SourceColumn(source, near.name, near, GUESS)
    references = tuple(reference for output in made for reference in output.reads.references)
    any_of_them = Output(name, -1, made[0].node, Reads(references, aggregates=True))
    return SourceColumn(source, name, relation.implied.setdefault(name.lower(), any_of_them), GUESS)


def _near(outputs: Iterable[Output], name: str) -> Output | None:
    """Return the only one of *outputs* that equals *name* if only letters and digits count."""
    found = [output for output in outputs if output.star is None and _bare(output.name) == _bare(name)]
    return found[0] if len(found) == 1 else None


def _is_turned(output: Output) -> bool:
    """Return whether *output* comes, through stars, from a value of a PIVOT."""
    seen: set[Output] = set()
    while output not in seen:
        seen.add(output)
        column = output.reads.plain
        if not output.from_star or not isinstance(column, SourceColumn) or column.output is None:
            return False
        if isinstance(column.source.relation, Pivot) and not column.source.relation.unpivot:
            return column.output.node is not None
        output = column.output
    return False


def _bare(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


class Lookup:
    """Resolver of column names under the rules of one dialect."""

    def __init__(self, dialect: str) -> None:
        self._laterally = dialect in facts.LATERAL_ALIASES
        self._in_where = dialect in facts.ALIASES_IN_WHERE
        self.has_rows = dialect in facts.ROWS_AS_VALUES
        self._hidden = facts.HIDDEN_STRUCTS.get(dialect, frozenset())
        self.read: Callable[[Sql, Scope, str], Reads]
        """Callback set by `resolve.Resolver`: returns what the expression behind a name reads."""

    def _value(self, node: Sql, spelt: str, lower: str, scope: Scope) -> Output | None:
        """Return the output for *node*, the expression behind *lower*; None inside that expression."""
        known = scope.select.aliases.get(lower)
        if known is None:
            known = scope.select.aliases[lower] = Output(spelt, -1, node)
            known.reads = self.read(node, scope, "join")
        return known if known.reads is not NOTHING else None

    def allows_alias(self, place: str) -> bool:
        """Return whether *place* (`output`, `where`, `join`, `group`, `order`) can name outputs."""
        if place == "output":
            return self._laterally
        if place == "where":
            return self._in_where
        return place != "join"

    def unqualified(
        self, name: str, spelt: str, scope: Scope, place: str, *, as_row: bool = False
    ) -> Reference:
        """Return the reference for *name* (folded; spelled *spelt* in the SQL) in *scope* at *place*.

        *as_row*: whether a source of that name is as likely as a column, as in `to_json(orders)`.
        """
        lower = name.lower()
        aliased = scope.outputs.get(lower) if self.allows_alias(place) else None
        if aliased is not None and place == "order":
            return Alias(aliased)
        reach: Scope | None = scope
        fallback: Reference | None = None
        while reach is not None:
            if reach.is_last_resort and fallback is not None:
                reach = reach.outer
                continue
            found = self._here(reach, name, lower, place)
            if found is not None:
                if place == "order" and reach is scope and (shown := _only_output(scope, found, lower)):
                    return Alias(shown)
                if fallback is not None and isinstance(found, SourceColumn):
                    found.confidence = GUESS
                return found
            if aliased is not None and reach is scope:
                return _of_alias(aliased, lower)
            node = reach.ctes.value(lower)
            if node is not None and (value := self._value(node, spelt, lower, reach)) is not None:
                return Alias(value)
            if fallback is None and not reach.is_last_resort:
                fallback = self._guess(reach, spelt, lower, as_row)
                if fallback is not None and reach.outer is None:
                    return fallback
            reach = reach.outer
        if fallback is not None:
            return fallback
        return self._row_or_nothing(scope, spelt, lower)

    @staticmethod
    def _here(scope: Scope, name: str, lower: str, place: str) -> Reference | None:
        """Return the known column *name* of *scope*'s own sources."""
        merged = scope.merged.get(lower)
        if merged is not None:
            return merged
        known: SourceColumn | None = None
        several = opened = in_other_case = False
        for source in scope.sources:
            if source.only_filters and place != "join":
                continue
            column = find_column(source, name, lower)
            if column is None:
                opened = opened or (is_open(source) and not isinstance(source.relation, Function))
            elif known is None:
                known = column
            else:
                several = True
                in_other_case = in_other_case or column.name != known.name
        if known is not None and (several or opened):
            known.confidence = min(known.confidence, GUESS if several else LIKELY)
            known.ambiguity = SURE if several and not in_other_case else GUESS
        return known

    @staticmethod
    def _guess(scope: Scope, spelt: str, lower: str, as_row: bool) -> Reference | None:
        """Return a column of a source with unknown columns."""
        if as_row and lower in scope.aliases and not isinstance(scope.aliases[lower].relation, Function):
            return WholeRow(scope.aliases[lower])
        if spelt.upper() in facts.NOT_COLUMNS:
            return None
        opened = [source for source in scope.sources if is_open(source)]
        tables = [source for source in opened if not _may_be_a_row_maker(source)]
        found = [column for one in tables or opened if (column := imply(one, spelt)) is not None]
        return _one_of(found) if found else None

    @staticmethod
    def _row_or_nothing(scope: Scope, spelt: str, lower: str) -> Reference:
        reach: Scope | None = scope
        while reach is not None:
            source = reach.source(lower)
            if source is not None:
                return WholeRow(source)
            reach = reach.outer
        aliased = scope.outputs.get(lower)
        if aliased is not None:
            return Alias(aliased)
        outside = [source for source in scope.sources if not source.only_filters]
        tables = [source for source in outside if isinstance(source.relation, Table)]
        if spelt.upper() not in facts.NOT_COLUMNS:
            for source in outside:
                if (column := pivot_column(source, spelt)) is not None:
                    return column
        if tables and spelt.upper() not in facts.NOT_COLUMNS:
            # Catalogs may be out of date and do not list pseudo-columns.
            return SourceColumn(tables[0], spelt, None, GUESS)
        return Unresolved(spelt, spelt, () if spelt.upper() in facts.NOT_COLUMNS else tuple(outside))

    def qualified(
        self, parts: list[str], folded: str, scope: Scope, place: str
    ) -> tuple[Reference, Sequence[str]]:
        """Return the reference for the dotted *parts*, and the parts that form a path inside it.

        *folded* is the last part, folded.
        """
        reach: Scope | None = scope
        while reach is not None:
            for count in range(1, len(parts)):
                qualifier = ".".join(parts[:count]).lower()
                source = reach.aliases.get(qualifier) or reach.names.get(qualifier)
                if source is None:
                    continue
                exact = count + 1 == len(parts)
                name = folded if exact else parts[count]
                return self.of_source(source, name, parts[count]), parts[count + 1 :]
            reach = reach.outer
        stood_for = _behind_token(parts, scope)
        if stood_for is not None:
            return self.of_source(stood_for, folded, parts[-1]), ()
        found = self.unqualified(parts[0], parts[0], scope, place)
        if isinstance(found, SourceColumn) and found.confidence == GUESS and len(parts) == 2:
            # A relation whose reference was substituted is more likely than a struct.
            bare = [
                source for source in scope.sources if not source.alias and isinstance(source.relation, Table)
            ]
            if len(bare) == 1 and found.source is bare[0]:
                known = find_column(bare[0], parts[1], parts[1].lower())
                if known is not None or is_open(bare[0]):
                    return SourceColumn(bare[0], known.name if known else parts[1], None, GUESS), ()
        if isinstance(found, (SourceColumn, Candidates)) and parts[0].lower() in self._hidden:
            return found, parts[1:]
        is_guess = isinstance(found, Candidates) or (
            isinstance(found, SourceColumn) and found.confidence == GUESS
        )
        if isinstance(found, WholeRow) or is_guess:
            return Unresolved(".".join(parts)), ()
        return found, parts[1:]

    def of_source(self, source: QuerySource, name: str, spelt: str) -> Reference:
        """Return the column *name* (folded; spelled *spelt* in the SQL) of *source*."""
        column = find_column(source, name, name.lower())
        if column is not None:
            return column
        if is_open(source):
            implied = imply(source, spelt)
            if implied is not None:
                return implied
        if isinstance(source.relation, Table):
            return SourceColumn(source, spelt, None, GUESS)
        if isinstance(source.relation, Function):
            # A field of the function's result.
            reads = source.relation.reads
            field = Output(spelt, -1, reads=Reads(reads.references, reads.subqueries, reads.tests))
            return SourceColumn(
                source, spelt, source.relation.implied.setdefault(spelt.lower(), field), LIKELY
            )
        if (column := pivot_column(source, spelt)) is not None:
            return column
        return Unresolved(f"{source.alias}.{spelt}" if source.alias else spelt, spelt, (source,))


def _only_output(scope: Scope, found: Reference, lower: str) -> Output | None:
    """Return the output that ORDER BY means by the name *lower*, if *found* would be ambiguous."""
    if not isinstance(found, SourceColumn) or not found.ambiguity:
        return None
    shown = [one for one in scope.select.outputs if one.star is None and (one.name or "").lower() == lower]
    return shown[0] if len(shown) == 1 else None


def _behind_token(parts: Sequence[str], scope: Scope) -> QuerySource | None:
    """Return the source that `schema.orders` in `schema.orders.id` named before a unique id replaced it."""
    for source in scope.sources if len(parts) > 2 else ():
        is_token = isinstance(source.relation, Table) and source.relation.name.startswith("⟦")
        if is_token and not source.alias and scope.names.get(parts[-2].lower()) is source:
            return source
    return None


def _of_alias(output: Output, lower: str) -> Reference:
    """Return the alias, unless its expression shows that a source has a column of this name."""
    for reference in output.reads.references:
        if isinstance(reference, SourceColumn) and reference.name.lower() == lower:
            return reference
    return Alias(output)
