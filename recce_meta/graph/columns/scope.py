"""What a name can mean at one place in a query.

A `Scope` is one SELECT's FROM as far as it has been read, its outputs so far, and the scope around it.
Of the sources that may hold an unqualified column, one whose columns are known to have it comes first;
then outputs by alias, where the dialect has that; then the sources whose columns are not known; then what
is around. `Column.confidence` says how sure that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from recce_meta.dialects.types import Sql
from recce_meta.graph.columns import facts
from recce_meta.graph.columns.query import (
    NOTHING,
    STAR,
    Alias,
    Candidates,
    Column,
    Cte,
    Function,
    Merged,
    Output,
    Pivot,
    Query,
    Reads,
    Reference,
    Select,
    SelfReference,
    SetOperation,
    Source,
    Table,
    Unresolved,
    WholeRow,
)
from recce_meta.graph.columns.tree import dotted

SURE, LIKELY, GUESS = 1.0, 0.9, 0.5


class Ctes:
    """The CTEs in reach, the innermost first."""

    def __init__(self, around: Ctes | None = None) -> None:
        self._around = around
        self._here: dict[str, Cte] = {}
        self._values: dict[str, Sql] = {}

    def add(self, cte: Cte) -> None:
        self._here[cte.name.lower()] = cte

    def create(self, relation: Cte) -> None:
        """Note *relation*, which a statement before creates; its name may be dotted."""
        self._here[relation.name] = relation
        self._here[relation.name.rpartition(".")[2]] = relation

    def forget(self, name: str) -> None:
        """Take the created relation *name* for one of which nothing is known."""
        for end in (name, name.rpartition(".")[2]):
            self._here.pop(end, None)

    def add_value(self, name: str, node: Sql) -> None:
        """Note that *name* stands for an expression, wherever it is named: ClickHouse's `WITH 1 AS one`."""
        self._values[name.lower()] = node

    def value(self, lower: str) -> Sql | None:
        """The expression that *lower* stands for, if there is one."""
        reach: Ctes | None = self
        while reach is not None:
            node = reach._values.get(lower)
            if node is not None:
                return node
            reach = reach._around
        return None

    def find(self, name: str) -> Cte | None:
        """The CTE called *name*; case does not count."""
        lower = name.lower()
        reach: Ctes | None = self
        while reach is not None:
            found = reach._here.get(lower)
            if found is not None:
                return found
            reach = reach._around
        return None


class Scope:
    """The names in reach of one SELECT's expressions."""

    def __init__(self, select: Select, ctes: Ctes, outer: Scope | None) -> None:
        self.select = select
        self.ctes = ctes
        self.outer = outer
        self.is_last_resort = False
        """Whether names mean its columns only where they can mean nothing further in."""
        self.sources = select.sources
        self.aliases: dict[str, Source] = {}
        self.names: dict[str, Source] = {}
        """Of tables: the ends of their dotted names, which SQL may use where there is no alias."""
        self.merged: dict[str, Merged] = {}
        self.outputs: dict[str, Output] = {}
        """By alias, lower case; the first of several."""

    def add(self, source: Source) -> None:
        """Put *source* in reach of what is read from now on."""
        self.sources.append(source)
        if source.alias:
            self.aliases.setdefault(source.alias.lower(), source)
        if isinstance(source.relation, Table):
            for name in _ends_of(source):
                self.names.setdefault(name, source)

    def beside(self) -> Scope:
        """What a query in FROM has around it, where it can name the items before it without LATERAL."""
        scope = Scope(self.select, self.ctes, self.outer)
        scope.aliases, scope.names, scope.merged = self.aliases, self.names, self.merged
        scope.is_last_resort = True
        return scope

    def put_only(self, source: Source) -> None:
        """Put *source* in the place of all that is in reach."""
        self.sources.clear()
        self.aliases.clear()
        self.names.clear()
        self.merged.clear()
        self.add(source)

    def source(self, name: str) -> Source | None:
        """The source that *name*, a qualifier in lower case, stands for."""
        return self.aliases.get(name) or self.names.get(name)


def _ends_of(source: Source) -> list[str]:
    """`db.schema.orders` can be called `orders` and `schema.orders` too; so can a unique id in a token."""
    ends: list[str] = []
    for name in {source.relation.name, dotted(source.node)} if isinstance(source.relation, Table) else ():
        ends.append(name.lower())
        parts = name.lower().strip("⟦⟧").split(".")
        ends += [".".join(parts[place:]) for place in range(len(parts))]
        if len(parts) > 1 and parts[-1][:1] == "v" and parts[-1][1:].isdigit():
            ends += [parts[-2], f"{parts[-2]}_{parts[-1]}"]
    return ends


def index(relation: Query) -> Mapping[str, Output]:
    """The outputs of *relation* by name, then by lower case; the first of several. `*` where it is open."""
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
            for name, output in zip(told_apart(relation.outputs), relation.outputs, strict=True):
                found.setdefault(name, output)
                found.setdefault(name.lower(), output)
        relation.index = found
    return found


def _may_be_a_row_maker(source: Source) -> bool:
    """Whether *source* is a function of which it is not known that it reads a relation or a file."""
    return isinstance(source.relation, Function) and source.relation.rows is None


def told_apart(outputs: Sequence[Output]) -> list[str]:
    """Return the names of *outputs* as DuckDB tells those apart that are called alike: `a`, `a_1`, `a_2`.

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


def is_open(source: Source) -> bool:
    """Whether *source* may have columns that nobody has named."""
    relation = source.relation
    if isinstance(relation, Table):
        return relation.columns is None
    if isinstance(relation, Function):
        return not relation.closed
    return STAR in index(relation)


def find(source: Source, name: str, lower: str) -> Column | None:
    """The column of *source* that is known by this *name*, which was folded."""
    relation = source.relation
    if source.columns:
        place = _renamed(source).get(lower)
        if place is not None:
            return column_at(source, place)
    if isinstance(relation, Table):
        spelt = relation.index.get(name) or relation.index.get(lower)
        if spelt is None or (source.columns and _is_renamed(source, spelt)):
            return None
        return Column(source, spelt, None)
    outputs = index(relation)
    output = outputs.get(name) or outputs.get(lower)
    if (
        output is None
        or output.star is not None
        or (source.columns and 0 <= output.ordinal < len(source.columns))
    ):
        return None
    return Column(source, output.name, output)


def _is_renamed(source: Source, name: str) -> bool:
    """Whether `AS t (a, b)` gives the table's column *name* another one."""
    relation = source.relation
    known = relation.columns or () if isinstance(relation, Table) else ()
    return name in known[: len(source.columns)]


def _renamed(source: Source) -> Mapping[str, int]:
    if source.index is None:
        source.index = {}
        for place, name in enumerate(source.columns):
            source.index.setdefault(name.lower(), place)
    return source.index


def column_at(source: Source, place: int) -> Column | None:
    """The column of *source* at *place*, where its columns are known so far."""
    relation = source.relation
    if isinstance(relation, Table):
        if relation.columns is None or place >= len(relation.columns):
            # Renamed by position, and the name below is not known: any of them.
            return Column(source, STAR, None, LIKELY)
        return Column(source, relation.columns[place], None)
    if place < len(relation.outputs):
        output = relation.outputs[place]
        name = source.columns[place] if place < len(source.columns) else output.name
        return Column(source, name, output)
    if relation.outputs and relation.outputs[-1].star is not None:
        return Column(source, source.columns[place], relation.outputs[-1], LIKELY)
    return None


def starred(source: Source) -> Iterator[tuple[str, Column]]:
    """The columns of *source* that a star yields, as far as they are known."""
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


def imply(source: Source, name: str) -> Column | None:
    """The column *name* that *source*, which is open, must have if the SQL is right."""
    relation = source.relation
    if isinstance(relation, Table):
        return Column(source, name, None, LIKELY)
    output = implied_output(relation, name)
    return Column(source, name, output, LIKELY) if output is not None else None


def implied_output(relation: Query, name: str) -> Output | None:
    """The output *name* of *relation* that comes through a `*`, made on demand; None where none can."""
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
        output = Output(name, -1) if STAR in index(relation) else None
    else:
        output = _implied_by_stars(relation.outputs, name, lower)
    if output is not None:
        relation.implied[lower] = output
    return output


def _implied_by_function(relation: Function, name: str) -> Output | None:
    if relation.rows is None:
        return Output(name, -1, reads=relation.reads)
    column = imply(Source("", relation.rows, relation.node), name)
    return _through(name, column) if column is not None else None


def _implied_by_operands(relation: SetOperation, name: str) -> Output | None:
    branches = [
        found
        for operand in relation.operands
        if (found := index(operand).get(name.lower()) or implied_output(operand, name)) is not None
    ]
    return Output(name, -1, branches=tuple(branches)) if branches else None


def _implied_by_stars(outputs: list[Output], name: str, lower: str) -> Output | None:
    guesses: list[Column] = []
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
            known = find(source, inner, inner.lower())
            if known is not None:
                return _through(name, known)
            if is_open(source) and (guess := imply(source, inner)) is not None:
                guesses.append(guess)
    if not guesses:
        return None
    return _through(name, _one_of(guesses))


def _one_of(columns: Sequence[Column]) -> Column | Candidates:
    """Return the column that is one of *columns*, of different relations."""
    if len(columns) == 1:
        return columns[0]
    for column in columns:
        column.confidence = GUESS
    return Candidates(tuple(columns))


def _through(name: str, column: Column | Candidates) -> Output:
    return Output(name, -1, reads=Reads((column,), plain=column), from_star=True)


def turned(source: Source, name: str) -> Column | None:
    """Return the column of a PIVOT below *source* that *name*, which none has, may mean.

    Warehouses spell values as names in their own ways: `'x'`, `_1`, `x_total`. Without a column of nearly
    this name it may be any of those that the PIVOT makes.
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
        return Column(source, near.name, near, GUESS)
    references = tuple(reference for output in made for reference in output.reads.references)
    any_of_them = Output(name, -1, made[0].node, Reads(references, aggregates=True))
    return Column(source, name, relation.implied.setdefault(name.lower(), any_of_them), GUESS)


def _near(outputs: Iterable[Output], name: str) -> Output | None:
    """Return the only one of *outputs* that is called *name* but for signs that are no letters or digits."""
    found = [output for output in outputs if output.star is None and _bare(output.name) == _bare(name)]
    return found[0] if len(found) == 1 else None


def _is_turned(output: Output) -> bool:
    """Whether *output* is, through stars, what a PIVOT makes of a value."""
    seen: set[Output] = set()
    while output not in seen:
        seen.add(output)
        column = output.reads.plain
        if not output.from_star or not isinstance(column, Column) or column.output is None:
            return False
        if isinstance(column.source.relation, Pivot) and not column.source.relation.unpivot:
            return column.output.node is not None
        output = column.output
    return False


def _bare(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


class Lookup:
    """Finds what column names mean, by the facts of one dialect."""

    def __init__(self, dialect: str) -> None:
        self._laterally = dialect in facts.LATERAL_ALIASES
        self._in_where = dialect in facts.ALIASES_IN_WHERE
        self.has_rows = dialect in facts.ROWS_AS_VALUES
        self._hidden = facts.HIDDEN_STRUCTS.get(dialect, frozenset())
        self.read: Callable[[Sql, Scope, str], Reads]
        """Set by `resolve.Resolver`: what an expression reads that a name stands for."""

    def _value(self, node: Sql, spelt: str, lower: str, scope: Scope) -> Output | None:
        """What *node*, the expression that *lower* stands for, means in *scope*; None inside of itself."""
        known = scope.select.aliases.get(lower)
        if known is None:
            known = scope.select.aliases[lower] = Output(spelt, -1, node)
            known.reads = self.read(node, scope, "join")
        return known if known.reads is not NOTHING else None

    def allows_alias(self, place: str) -> bool:
        """Whether expressions at *place* (`output`, `where`, `join`, `group`, `order`) can name outputs."""
        if place == "output":
            return self._laterally
        if place == "where":
            return self._in_where
        return place != "join"

    def unqualified(
        self, name: str, spelt: str, scope: Scope, place: str, *, as_row: bool = False
    ) -> Reference:
        """What *name* (folded; *spelt* so) means in *scope* at *place*.

        *as_row*: whether a source of that name is as likely as a column of it, as in `to_json(orders)`.
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
                if fallback is not None and isinstance(found, Column):
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
        """The known column *name* of *scope*'s own sources."""
        merged = scope.merged.get(lower)
        if merged is not None:
            return merged
        known: Column | None = None
        several = opened = False
        for source in scope.sources:
            if source.only_filters and place != "join":
                continue
            column = find(source, name, lower)
            if column is None:
                opened = opened or (is_open(source) and not isinstance(source.relation, Function))
            elif known is None:
                known = column
            else:
                several = True
        if known is not None and (several or opened):
            known.confidence = min(known.confidence, GUESS if several else LIKELY)
        return known

    @staticmethod
    def _guess(scope: Scope, spelt: str, lower: str, as_row: bool) -> Reference | None:
        """The column of a source whose columns are not known."""
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
                if (column := turned(source, spelt)) is not None:
                    return column
        if tables and spelt.upper() not in facts.NOT_COLUMNS:
            # Catalogs lag behind, and pseudo-columns are in none.
            return Column(tables[0], spelt, None, GUESS)
        return Unresolved(spelt, spelt, () if spelt.upper() in facts.NOT_COLUMNS else tuple(outside))

    def qualified(
        self, parts: list[str], folded: str, scope: Scope, place: str
    ) -> tuple[Reference, Sequence[str]]:
        """What dotted *parts* mean, and those of them that are a path in it.

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
        if isinstance(found, Column) and found.confidence == GUESS and len(parts) == 2:
            # More likely a relation under a name that was written in its place, than a struct.
            bare = [
                source for source in scope.sources if not source.alias and isinstance(source.relation, Table)
            ]
            if len(bare) == 1 and found.source is bare[0]:
                known = find(bare[0], parts[1], parts[1].lower())
                if known is not None or is_open(bare[0]):
                    return Column(bare[0], known.name if known else parts[1], None, GUESS), ()
        if isinstance(found, (Column, Candidates)) and parts[0].lower() in self._hidden:
            return found, parts[1:]
        is_guess = isinstance(found, Candidates) or (isinstance(found, Column) and found.confidence == GUESS)
        if isinstance(found, WholeRow) or is_guess:
            return Unresolved(".".join(parts)), ()
        return found, parts[1:]

    def of_source(self, source: Source, name: str, spelt: str) -> Reference:
        """The column *name* (folded; *spelt* so) of *source*."""
        column = find(source, name, name.lower())
        if column is not None:
            return column
        if is_open(source):
            implied = imply(source, spelt)
            if implied is not None:
                return implied
        if isinstance(source.relation, Table):
            return Column(source, spelt, None, GUESS)
        if isinstance(source.relation, Function):
            # A field of what the function yields.
            reads = source.relation.reads
            field = Output(spelt, -1, reads=Reads(reads.references, reads.subqueries, reads.tests))
            return Column(source, spelt, source.relation.implied.setdefault(spelt.lower(), field), LIKELY)
        if (column := turned(source, spelt)) is not None:
            return column
        return Unresolved(f"{source.alias}.{spelt}" if source.alias else spelt, spelt, (source,))


def _behind_token(parts: Sequence[str], scope: Scope) -> Source | None:
    """The source that `schema.orders` in `schema.orders.id` named before a unique id took its place."""
    for source in scope.sources if len(parts) > 2 else ():
        is_token = isinstance(source.relation, Table) and source.relation.name.startswith("⟦")
        if is_token and not source.alias and scope.names.get(parts[-2].lower()) is source:
            return source
    return None


def _of_alias(output: Output, lower: str) -> Reference:
    """The alias, unless its own expression shows that a source has a column of this name."""
    for reference in output.reads.references:
        if isinstance(reference, Column) and reference.name.lower() == lower:
            return reference
    return Alias(output)
