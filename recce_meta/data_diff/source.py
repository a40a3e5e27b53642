"""Inputs of data diffs: a relation or query on each side, its columns, and the user's selection of them.

The expression builders do not copy their arguments (sqlglot's do). A caller that uses an expression twice
must copy it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace as with_fields
from sqlglot import exp, parse_one
from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.errors import SqlglotError

from recce_meta.data_diff.names import LONGEST_NAME, Guard, unquote
from recce_meta.data_diff.plan import Answer, Plan, Query, failure, rows_of
from recce_meta.errors import (
    MissingRelation,
    QueryTimeout,
    UnknownNameError,
    UsageError,
    WarehouseError,
    first_line,
)
from recce_meta.models.data_diff import DataSide, Subject
from recce_meta.models.node import find_named
from recce_meta.warehouses.dialect import Dialect, Reader, unchanged
from recce_meta.warehouses.types import ColumnType, Sql

NOT_BUILT = "build it, or check its schema and the role's permissions"
NO_HISTORY = "the table was created or replaced later, or its history is gone; views have none"
BROKEN = "build it anew, and what it reads: a relation or column of its query is gone"


class SideRelation(Struct, frozen=True, kw_only=True):
    """Rows of one side of a diff."""

    relation: Sql
    """Table, or subquery without an alias."""
    dialect: Dialect
    side: DataSide
    name: str
    """Name in messages."""
    text: str = ""
    """Text of the relation in queries, if it is a table."""
    stale: str | None = None
    """Why its run did not build it: the reason of a missing relation."""

    @property
    def is_past(self) -> bool:
        """Return True if the rows are those of an earlier moment of the table."""
        return bool(self.relation.args.get("when") or self.relation.args.get("version"))

    @property
    def stored_name(self) -> tuple[str, ...]:
        """Return the parts of the name as the warehouse stores them; for a query, its text."""
        fold = SqlglotDialect.get_or_raise(self.dialect.name).normalize_identifier
        relation = self.relation.copy()
        # In BigQuery, the case of an identifier matters if it is a part of the name of a table.
        parts = relation.parts if isinstance(relation, exp.Table) else [relation]
        return tuple(fold(part).name if isinstance(part, exp.Identifier) else part.sql() for part in parts)

    def with_alias(self, alias: str) -> Sql:
        """Return the relation with an alias, for FROM."""
        # An expression has one parent in sqlglot, and many queries read the relation.
        return exp.alias_(self.relation.copy(), alias, table=True, copy=False)

    def select(self, *expressions: Sql | str, alias: str = "t") -> exp.Select:
        """Return a query of this side's rows."""
        return exp.select(*expressions, copy=False).from_(self.with_alias(alias), copy=False)


class Pair(Struct, frozen=True, kw_only=True):
    """Both sides of a diff; a side without the relation is None."""

    subject: Subject
    base: SideRelation | None
    current: SideRelation | None
    is_joined: bool = True
    """True if one connection reaches both sides, so that one query can read them."""

    @property
    def sides(self) -> tuple[SideRelation, ...]:
        """Return the existing sides, base first."""
        return tuple(side for side in (self.base, self.current) if side is not None)

    @property
    def is_same(self) -> bool:
        """Return True if both sides are the same table now, or the same query, of one connection."""
        base, current = self.base, self.current
        if not self.is_joined or base is None or current is None or base.is_past:
            return False
        return base.relation == current.relation or base.stored_name == current.stored_name

    @property
    def is_cross_warehouse(self) -> bool:
        """Return True if both sides exist but no query can read both."""
        return not self.is_joined and len(self.sides) == 2

    @property
    def one_sided_note(self) -> str:
        """Return a note for a diff with only one side."""
        name = self.subject.name
        if self.base is None:
            return f"{name} is not in base: all its rows are added"
        return f"{name} is not in current: all its rows are removed"


def are_same(pairs: Sequence[Pair]) -> Plan[list[bool]]:
    """Return True for each of *pairs* whose sides are one relation, under one name or under two."""
    asked = [pair for pair in pairs if _may_be_same(pair)]
    queries = [
        Query(
            expression=identity,
            dialect=source.dialect,
            side=source.side,
            about=f"identity of {source.name}",
            assumed=[(None,)],
        )
        for pair in asked
        for source in pair.sides
        if (identity := _identity(source, is_joined=pair.is_joined)) is not None
    ]
    answers = (yield queries) if queries else []
    # A relation that cannot be found is reported by the query that reads it. Time that is up proves nothing.
    is_lost = [not isinstance(answer, QueryTimeout) and failure(answer) is not None for answer in answers]
    found = [(None,) if lost else rows_of(one)[0] for one, lost in zip(answers, is_lost, strict=True)]
    same = {
        id(pair)
        for pair, base, current in zip(asked, found[::2], found[1::2], strict=False)
        if None not in base and base == current
    }
    return [pair.is_same or id(pair) in same for pair in pairs]


def _identity(source: SideRelation, *, is_joined: bool) -> Sql | None:
    """Build a query for what identifies *source*; between two connections, with their server and role."""
    found = source.dialect.identity(source.stored_name)
    if found is None or is_joined:
        return found
    return exp.select(exp.var(source.dialect.server), exp.Subquery(this=found))


def _may_be_same(pair: Pair) -> bool:
    """Return True if names may be one: they differ in length or case, are cut, or two targets have them."""
    if pair.is_same or len(pair.sides) < 2 or pair.sides[0].is_past:
        return False
    tables = [source.relation for source in pair.sides]
    if not all(isinstance(table, exp.Table) and isinstance(table.this, exp.Identifier) for table in tables):
        return False
    base, current = (source.stored_name for source in pair.sides)
    is_long = any(len(part.encode()) > LONGEST_NAME for part in (*base, *current))
    if not pair.is_joined:
        one, other = (source.dialect for source in pair.sides)
        has_server = one.name == other.name and one.server is not None
        return has_server and (is_long or base[-1].casefold() == current[-1].casefold())
    is_short = len(base) == 2 and pair.sides[0].dialect.has_short_databases and base[-1] == current[-1]
    has_other_case = [part.casefold() for part in base] == [part.casefold() for part in current]
    return is_long or is_short or has_other_case or len(base) != len(current)


Casts: TypeAlias = "Mapping[str, str] | Sequence[tuple[str, str]]"
"""Types by column."""


class LiveColumn(Struct, frozen=True):
    """Column as the warehouse describes it now."""

    name: str
    type: ColumnType
    stored: str | None = None
    """Its name in the relation, if another: an expression has an alias there."""
    read: Reader = unchanged

    def of(self, alias: str) -> Sql:
        """Return the column of the relation *alias*."""
        # The warehouse reported this spelling, so quotes keep it exact and allow reserved words.
        return self.read(exp.column(exp.to_identifier(self.stored or self.name, quoted=True), table=alias))


class ColumnPair(Struct, frozen=True):
    """Column that both sides have."""

    base: LiveColumn
    current: LiveColumn

    @property
    def name(self) -> str:
        """Return its name in current."""
        return self.current.name


class MatchedColumns(Struct, frozen=True, kw_only=True):
    """Columns of both sides, matched by the warehouse's case rules."""

    base: tuple[LiveColumn, ...]
    current: tuple[LiveColumn, ...]
    common: tuple[ColumnPair, ...]
    """Columns of both sides in base's order, as in recce."""
    base_only: tuple[LiveColumn, ...]
    current_only: tuple[LiveColumn, ...]


def table(dialect: Dialect, relation_name: str) -> exp.Table:
    """Return the table *relation_name*, which is written in *dialect* as dbt writes relations."""
    return exp.to_table(relation_name, dialect=dialect.name)


def query(sql: str) -> Sql:
    """Return the user's SELECT *sql* as a table; the text is sent unchanged, including comments."""
    # A table name holds the text, because sqlglot expects parsed statements in subqueries.
    # A comment at the end of the text must not hide the parenthesis.
    return exp.Table(this=verbatim(f"(\n{sql}\n)"))


def verbatim(sql: str) -> Sql:
    """Return *sql* unchanged: the user's SQL is already in the warehouse's dialect."""
    return exp.Var(this=sql)


def condition(where: str) -> Sql:
    """Return the user's condition *where* unchanged, on lines of its own so that a comment ends with it."""
    return exp.Paren(this=verbatim(f"\n{where}\n"))


def with_condition(select: exp.Select, where: str | None) -> exp.Select:
    """Add the user's condition *where*, if any, to *select*."""
    return select.where(condition(where), copy=False) if where else select


def describe(sources: Iterable[SideRelation], cast: Casts = ()) -> Plan[list[tuple[LiveColumn, ...]]]:
    """Return the columns of each of *sources*, as the warehouse describes them or *cast* names their type.

    Raises UnknownNameError if no side has a column of *cast*, UsageError for an unknown type.
    """
    listed = list(sources)
    answers = yield [description_query(source) for source in listed]
    sides = [parse_description(source, answer) for source, answer in zip(listed, answers, strict=True)]
    known = {column.name.casefold(): column.name for side in sides for column in side}
    types = {name.casefold(): of for name, of in dict(cast).items()}
    for name in dict(cast):
        if name.casefold() not in known:
            raise UnknownNameError("column", name, [*known.values()], where=f"in {listed[-1].name}")
    return [
        tuple(_as_type(column, types.get(column.name.casefold()), source.dialect) for column in side)
        for source, side in zip(listed, sides, strict=True)
    ]


def _as_type(column: LiveColumn, text: str | None, dialect: Dialect) -> LiveColumn:
    """Return *column* as it reads after a cast to the type *text*; unchanged for None."""
    if text is None:
        return column
    try:
        # `exp.DataType.build` drops what follows a type.
        parsed = SqlglotDialect.get_or_raise(dialect.name).parse_into(exp.DataType, text)
    except (SqlglotError, ValueError):
        parsed = []
    if len(parsed) != 1 or not isinstance(of := parsed[0], exp.DataType):
        hint = "use one type that both warehouses have: text, bigint, decimal(20,6), double, date, timestamp"
        raise UsageError(f"Type of --cast {column.name} unknown: {text}", hint=hint)

    def read(value: Sql) -> Sql:
        return exp.cast(column.read(value), of.copy(), dialect=dialect.name)

    return with_fields(column, type=dialect.column_type(text), read=read)


def description_query(source: SideRelation) -> Query:
    """Return the query that describes the columns of *source*."""
    return Query(
        expression=source.select(exp.Star()),
        dialect=source.dialect,
        side=source.side,
        about=f"columns of {source.name}",
        describes=True,
    )


def parse_description(source: SideRelation, answer: Answer) -> tuple[LiveColumn, ...]:
    """Return the columns of *source* from the *answer* to `description_query`, or raise its error."""
    return tuple(
        LiveColumn(str(name), of, read=source.dialect.reader(of))
        for name, text in rows_of(_named(source, answer))
        for of in [source.dialect.column_type(str(text))]
    )


def _named(source: SideRelation, answer: Answer) -> Answer:
    """Return *answer*; a missing-relation error is replaced by one that names the relation."""
    if source.is_past and isinstance(answer, WarehouseError):
        answer.hint = NO_HISTORY
        return answer
    # A user's query is a Table, too, but without an identifier: another relation in it may be missing.
    is_table = isinstance(source.relation, exp.Table) and isinstance(source.relation.this, exp.Identifier)
    if not isinstance(answer, MissingRelation) or not is_table:
        return answer
    is_gone = is_absent(source, answer)
    said = (is_gone and source.stale) or first_line(answer)
    problem, hint = ("not found", NOT_BUILT) if is_gone else ("cannot be read", BROKEN)
    error = MissingRelation(f"{source.name} {problem}: {said}", hint=hint, code=answer.code, sql=answer.sql)
    error.missing_side = source.side.value if is_gone else None
    return error


def is_absent(source: SideRelation, error: WarehouseError) -> bool:
    """Return True if *error* says that the relation is missing, and not what a view reads."""
    if not isinstance(error, MissingRelation) or not isinstance(source.relation, exp.Table):
        return False
    said = first_line(error).lower()
    name, *around = (part.name.lower() for part in reversed(source.relation.parts))
    # DuckDB suggests the view itself if what it reads is missing and has the same name.
    suggested = f'did you mean "{around[0]}.{name}"' if around else None
    if _OF_ANOTHER.search(said) or (suggested and suggested in error.message.lower()):
        return False
    own = rf"(?<!\w){re.escape(around[0])}" if around else ""
    places = "|".join(re.escape(part) for part in around if part)
    return re.search(rf"(?:{own}{_DOT}|{_UNQUALIFIED}){re.escape(name)}(?!\w)", said) is not None or bool(
        places and re.search(rf"\b{_PLACE}\W+([\w-]+{_DOT})*({places})(?!\w|{_DOT}\w)", said)
    )


_OF_ANOTHER = re.compile(
    r"expansion of view|failed to parse view|view definition for"
    r"|\b(column|function|routine|unrecognized name|invalid identifier)\b"
)
"""Words of messages about the query of a view, a column or a function."""
_PLACE = "(schema|dataset|database|catalog)"
_DOT = r"[\"'`\]]?[:.][\"'`\[]?"
_UNQUALIFIED = r"(?<![.:])(?<![.:][\"'`\[])(?<!\w)"


def name_folding(sources: Sequence[SideRelation], *sides: Iterable[str]) -> Callable[[str], str]:
    """Return the function that makes equal names of columns the same text; *sides* are their names.

    It is that of current's dialect. Between kinds of warehouses, it ignores case if all names of each side
    stay different: one warehouse stores unquoted names in upper case, another one in lower case.
    """
    if sources[0].dialect.name != sources[-1].dialect.name:
        folded = [[name.casefold() for name in side] for side in sides]
        if all(len(set(names)) == len(names) for names in folded):
            return str.casefold
    fold: Callable[[str], str] = sources[-1].dialect.fold
    return fold


def match_columns(
    base: Sequence[LiveColumn], current: Sequence[LiveColumn], fold: Callable[[str], str]
) -> MatchedColumns:
    """Pair the columns of both sides by their names after *fold*.

    Raises UsageError if two columns of a side have one name, which no SQL can select.
    """
    for side, columns in ((DataSide.BASE, base), (DataSide.CURRENT, current)):
        counts = Counter(column.name for column in columns)
        if repeated := next((name for name, count in counts.items() if count > 1), None):
            message = f"Two columns of {side.value} are called {repeated}"
            raise UsageError(message, hint="give one of them an alias")
    after = {fold(column.name): column for column in current}
    before = {fold(column.name): column for column in base}
    return MatchedColumns(
        base=tuple(base),
        current=tuple(current),
        common=tuple(ColumnPair(old, after[key]) for key, old in before.items() if key in after),
        base_only=tuple(column for key, column in before.items() if key not in after),
        current_only=tuple(column for key, column in after.items() if key not in before),
    )


def matched_columns(
    sources: Sequence[SideRelation], base: Sequence[LiveColumn], current: Sequence[LiveColumn]
) -> MatchedColumns:
    """Pair the columns of *sources* by their names, which two kinds of warehouses may store differently."""
    names = ([column.name for column in side] for side in (base, current))
    return match_columns(base, current, name_folding(sources, *names))


def pairs_named(
    wanted: Sequence[str], pairs: Sequence[ColumnPair], what: str, where: str
) -> list[ColumnPair]:
    """Return the pairs for the names in *wanted*, in its order, ignoring case if that is unambiguous.

    Raises UnknownNameError for a name that matches no pair.
    """
    found: dict[str, ColumnPair] = {}
    for name in wanted:
        pair = _pair_named(name, pairs)
        if pair is None:
            raise UnknownNameError(what, name, [pair.name for pair in pairs], where=where)
        found.setdefault(pair.name, pair)
    return list(found.values())


def has_column(name: str, pairs: Sequence[ColumnPair]) -> bool:
    """Return True if `pairs_named` finds *name*."""
    return _pair_named(name, pairs) is not None


def _pair_named(name: str, pairs: Sequence[ColumnPair]) -> ColumnPair | None:
    # Quotes are a part of a name only if a column has them.
    found = (
        find_named(text, pairs, lambda pair: (pair.base.name, pair.current.name))
        for text in (name, unquote(name))
    )
    return next((pair for pair in found if pair is not None), None)


class SideColumn(Struct, frozen=True):
    """Column of either side; a side without it is None."""

    base: LiveColumn | None
    current: LiveColumn | None
    reads: tuple[str, ...] = ()
    """Columns that an expression reads, `*` if it may read others; empty for a column."""

    @property
    def name(self) -> str:
        """Return its name in current, or else in base; the text of an expression."""
        return self._either.name

    @property
    def names(self) -> tuple[str, ...]:
        """Return its names on both sides."""
        return tuple(column.name for column in (self.base, self.current) if column is not None)

    @property
    def _either(self) -> LiveColumn:
        column = self.current or self.base
        assert column is not None, "a column of no side"
        return column


def side_columns(
    base: Sequence[LiveColumn], current: Sequence[LiveColumn], fold: Callable[[str], str]
) -> list[SideColumn]:
    """Return all columns in current's order; base-only columns keep their relative position.

    Columns are the same if their names after *fold* are.
    """
    before = {fold(column.name): column for column in base}
    after = {fold(column.name): column for column in current}
    return [SideColumn(before.get(key), after.get(key)) for key in in_order(list(before), list(after))]


def in_order(base: Sequence[str], current: Sequence[str]) -> list[str]:
    """Return *current*, with each item that only *base* has inserted after its predecessor in *base*.

    >>> in_order(["a", "b", "c"], ["c", "a", "d"])
    ['c', 'a', 'b', 'd']
    """
    followers: dict[str | None, list[str]] = {}
    last = None
    kept = set(current)
    for key in base:
        if key in kept:
            last = key
        else:
            followers.setdefault(last, []).append(key)
    merged = list(followers.get(None, ()))
    for key in current:
        merged += [key, *followers.get(key, ())]
    return merged


class SelectedColumns(NamedTuple):
    """Columns that the user selects, and those that are excluded."""

    columns: list[SideColumn]
    excluded: tuple[str, ...]
    pair: Pair
    """Both sides, with the expressions among `columns`."""


def select_columns(
    pair: Pair,
    *,
    columns: Sequence[str] = (),
    exclude: Sequence[str] = (),
    may_lack_excluded: bool = False,
    guard: Guard | None = None,
) -> Plan[SelectedColumns]:
    """Return the columns of *pair* named by *columns* (all if empty), without those in *exclude*.

    The order is that of *columns*, or else of the relation. Names match in any case if the match is unique,
    and may be quoted, as recce requires for `"order"`. With *guard*, one of *columns* can also be an
    expression in the SQL of both warehouses, which *guard* may refuse. Raises UnknownNameError for a name
    that neither side has, unless *may_lack_excluded* is set and *exclude* has it. Raises UsageError if
    neither side exists.
    """
    sources = sides_of(pair)
    described = dict(zip((source.side for source in sources), (yield from describe(sources)), strict=True))
    base, current = (
        described.get(source.side, ()) if source is not None else () for source in (pair.base, pair.current)
    )
    names = ([column.name for column in side] for side in (base, current))
    known = side_columns(base, current, name_folding(sources, *names))
    where = f"in {pair.subject.name}"
    left_out = {
        _one_selected(name, known, where).name
        for name in exclude
        if not may_lack_excluded or _find_selected(name, known) is not None
    }
    computed: dict[str, SideColumn] = {}
    if guard is not None and (expressions := find_expressions(columns, known, sources[-1].dialect)):
        for text in expressions:
            guard(text)
        base_rows, current_rows = (_computing(source, expressions) for source in (pair.base, pair.current))
        pair = with_fields(pair, base=base_rows, current=current_rows)
        computed = yield from _computed(pair, expressions)
    wanted = [computed.get(name) or _one_selected(name, known, where) for name in columns] or known
    return SelectedColumns(
        columns=list({column.name: column for column in wanted if column.name not in left_out}.values()),
        excluded=tuple(column.name for column in known if column.name in left_out),
        pair=pair,
    )


_READS_ITS_COLUMNS = (
    *(exp.Binary, exp.Unary, exp.Predicate, exp.Func, exp.Column, exp.Identifier, exp.Literal, exp.Boolean),
    *(
        exp.Null,
        exp.DataType,
        exp.DataTypeParam,
        exp.Var,
        exp.Interval,
        exp.Bracket,
        exp.Tuple,
        exp.AtTimeZone,
    ),
    *(exp.JSONPath, exp.JSONPathPart),
)
"""Parts of an expression that read the columns in them and nothing else; others may read more."""
_READS_MORE = (exp.Anonymous, exp.Columns, exp.Query, exp.Star)


def find_expressions(
    columns: Sequence[str], known: Sequence[SideColumn], dialect: Dialect
) -> dict[str, tuple[str, ...]]:
    """Return the expressions among *columns*, each with the columns that it reads; others are names.

    An expression reads a column of *known*: a text that reads none is a misspelled name.
    """
    spelled = {name.casefold(): one.name for one in known for name in one.names}
    found: dict[str, tuple[str, ...]] = {}
    for text in columns:
        if _find_selected(text, known) is not None:
            continue
        try:
            tree = parse_one(text, dialect=dialect.name)
        except SqlglotError:
            continue
        read = {spelled.get(column.parts[0].name.casefold(), "*") for column in tree.find_all(exp.Column)}
        if isinstance(tree, exp.Condition) and read - {"*"}:
            is_understood = all(
                isinstance(part, _READS_ITS_COLUMNS) and not isinstance(part, _READS_MORE)
                for part in tree.walk()
            )
            found[text] = tuple(sorted(read if is_understood else read | {"*"}))
    return found


def _computing(source: SideRelation | None, expressions: Iterable[str]) -> SideRelation | None:
    """Return the rows of *source* with *expressions*, which are sent unchanged, as columns after its own."""
    if source is None:
        return None
    computed = (
        exp.alias_(exp.Paren(this=verbatim(f"\n{text}\n")), _alias(number), quoted=True)
        for number, text in enumerate(expressions)
    )
    rows = source.select(exp.Column(this=exp.Star(), table=exp.to_identifier("t")), *computed)
    return with_fields(source, relation=exp.Subquery(this=rows))


def _alias(number: int) -> str:
    return f"recce_expression_{number}"


def _computed(pair: Pair, expressions: Mapping[str, tuple[str, ...]]) -> Plan[dict[str, SideColumn]]:
    """Return the columns that *pair* has for *expressions*, by their texts."""
    described = yield from describe(pair.sides)
    count = len(expressions)
    own = {
        source.side: columns[len(columns) - count :]
        for source, columns in zip(pair.sides, described, strict=True)
    }
    found: dict[str, SideColumn] = {}
    for number, (text, reads) in enumerate(expressions.items()):
        base, current = (
            with_fields(own[side][number], name=text, stored=_alias(number)) if side in own else None
            for side in (DataSide.BASE, DataSide.CURRENT)
        )
        found[text] = SideColumn(base, current, reads)
    return found


def sides_of(pair: Pair) -> tuple[SideRelation, ...]:
    """Return the sides of *pair*, at least one. Raises UsageError if there are none."""
    if not pair.sides:
        raise UsageError(f"No relation of {pair.subject.name} found in base or current")
    return pair.sides


def _one_selected(name: str, known: Sequence[SideColumn], where: str) -> SideColumn:
    column = _find_selected(name, known)
    if column is None:
        raise UnknownNameError("column", name, [column.name for column in known], where=where)
    return column


def _find_selected(name: str, known: Sequence[SideColumn]) -> SideColumn | None:
    found = (find_named(wanted, known, lambda column: column.names) for wanted in (name, unquote(name)))
    return next((column for column in found if column is not None), None)


def select_of(*columns: Sql) -> exp.Select:
    """Build a query of *columns*."""
    return exp.Select(expressions=list(columns))


def with_alias(value: Sql, name: str) -> Sql:
    """Build *value* as a column called *name*."""
    return exp.Alias(this=value, alias=exp.to_identifier(name))


def negation(condition: Sql) -> Sql:
    """Build the negation of *condition*."""
    return exp.not_(condition, copy=False)


def is_null(value: Sql) -> Sql:
    """Build the condition that *value* is NULL."""
    return exp.Is(this=value, expression=exp.null())


def is_not_null(value: Sql) -> Sql:
    """Build the condition that *value* is not NULL."""
    return negation(is_null(value))
