"""What is compared: a relation or a query on each side, and the columns that it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Sql
from recce_meta.diff.data.plan import Answer, Plan, Query, rows_of
from recce_meta.errors import MissingRelation, UnknownNameError, UsageError
from recce_meta.models.data_diff import DataSide, Subject

NOT_BUILT = "build it, or check its schema and what the role may see"


class Source(Struct, frozen=True, kw_only=True):
    """The rows of one side."""

    relation: Sql
    """A table, or a subquery without an alias."""
    dialect: Dialect
    side: DataSide
    name: str
    """What messages call it."""
    text: str = ""
    """The relation as statements have it, where it is a table."""

    def aliased(self, alias: str) -> Sql:
        """What stands in FROM."""
        return exp.alias_(self.relation.copy(), alias, table=True, copy=False)

    def select(self, *expressions: Sql | str, alias: str = "t") -> exp.Select:
        """A query of this side's rows."""
        return exp.select(*expressions, copy=False).from_(self.aliased(alias), copy=False)


class Pair(Struct, frozen=True, kw_only=True):
    """Both sides of a diff; a side that has no such relation is None."""

    subject: Subject
    base: Source | None
    current: Source | None
    is_joined: bool = True
    """Whether one statement can read both sides: one connection reaches them."""

    @property
    def sides(self) -> tuple[Source, ...]:
        """The sides that are there, base first."""
        return tuple(side for side in (self.base, self.current) if side is not None)

    @property
    def is_apart(self) -> bool:
        """Whether both sides are there, and no statement can read both."""
        return not self.is_joined and len(self.sides) == 2

    def check_joined(self, diff: str) -> None:
        """Raise UsageError where *diff* would have to read two targets in one statement."""
        if self.is_apart:
            raise UsageError(
                f"{diff} across two targets is not supported yet",
                hint="row-count, schema, profile, top-k, histogram and query-diff without keys are",
            )

    @property
    def one_sided_note(self) -> str:
        """What a reader has to know where just one side is there."""
        name = self.subject.name
        if self.base is None:
            return f"{name} is not in base: all its rows are added"
        return f"{name} is not in current: all its rows are removed"


class LiveColumn(Struct, frozen=True):
    """A column as the warehouse describes it now."""

    name: str
    type: ColumnType

    def of(self, alias: str) -> Sql:
        """The column of the relation called *alias*."""
        return exp.column(exp.to_identifier(self.name, quoted=True), table=alias)


class ColumnPair(Struct, frozen=True):
    """A column that both sides have."""

    base: LiveColumn
    current: LiveColumn

    @property
    def name(self) -> str:
        """Its name in current."""
        return self.current.name


class Columns(Struct, frozen=True, kw_only=True):
    """The columns of both sides, matched by the warehouse's rules of case."""

    base: tuple[LiveColumn, ...]
    current: tuple[LiveColumn, ...]
    common: tuple[ColumnPair, ...]
    """In base order, as recce has them."""
    base_only: tuple[LiveColumn, ...]
    current_only: tuple[LiveColumn, ...]


def table(dialect: Dialect, relation_name: str) -> Sql:
    """The table that *relation_name*, written in *dialect* as dbt writes relations, names."""
    return exp.to_table(relation_name, dialect=dialect.name)


def query(sql: str) -> Sql:
    """*sql*, one SELECT of the user's, as a table; sent as it is written, comments and all."""
    # As a table's name: sqlglot looks into subqueries, where it expects a statement that it has parsed.
    return exp.Table(this=verbatim(f"(\n{sql}\n)"))


def verbatim(sql: str) -> Sql:
    """*sql* as it is written: what a user gives for his warehouse is not translated."""
    return exp.Var(this=sql)


def condition(where: str) -> Sql:
    """*where*, a condition of the user's, as it is written; a comment at its end hides nothing of ours."""
    return exp.Paren(this=verbatim(f"\n{where}\n"))


def restricted(select: exp.Select, where: str | None) -> exp.Select:
    """*select*, of rows that meet the user's condition *where* alone, if there is one."""
    return select.where(condition(where), copy=False) if where else select


def describe(sources: Iterable[Source]) -> Plan[list[tuple[LiveColumn, ...]]]:
    """The columns of each of *sources*, asked of the warehouse."""
    listed = list(sources)
    answers = yield [describing(source) for source in listed]
    return [described(source, answer) for source, answer in zip(listed, answers, strict=True)]


def describing(source: Source) -> Query:
    """The question for the columns of *source*."""
    return Query(
        expression=source.select(exp.Star()),
        dialect=source.dialect,
        side=source.side,
        about=f"columns of {source.name}",
        describes=True,
    )


def described(source: Source, answer: Answer) -> tuple[LiveColumn, ...]:
    """The columns of *source*, as *answer* to that question tells; raises the error that it is instead."""
    return tuple(
        LiveColumn(str(name), source.dialect.column_type(str(text)))
        for name, text in rows_of(_named(source, answer))
    )


def _named(source: Source, answer: Answer) -> Answer:
    """*answer*, or the same error in words that tell which relation is missing."""
    is_table = isinstance(source.relation, exp.Table) and isinstance(source.relation.this, exp.Identifier)
    if not isinstance(answer, MissingRelation) or not is_table:
        return answer
    said = answer.message.strip().partition("\n")[0]
    return MissingRelation(
        f"{source.name} is not there: {said}", hint=NOT_BUILT, code=answer.code, sql=answer.sql
    )


def matched(base: Sequence[LiveColumn], current: Sequence[LiveColumn], fold: Callable[[str], str]) -> Columns:
    """The columns of both sides, paired where *fold* makes their names the same."""
    after = {fold(column.name): column for column in current}
    before = {fold(column.name): column for column in base}
    return Columns(
        base=tuple(base),
        current=tuple(current),
        common=tuple(ColumnPair(old, after[key]) for key, old in before.items() if key in after),
        base_only=tuple(column for key, column in before.items() if key not in after),
        current_only=tuple(column for key, column in after.items() if key not in before),
    )


def named(wanted: Sequence[str], pairs: Sequence[ColumnPair], what: str, where: str) -> list[ColumnPair]:
    """The pairs that *wanted* names, in its order: exactly, or else in any case where just one fits.

    Raises UnknownNameError for a name that none has.
    """
    found = [_one(name, pairs, what, where) for name in wanted]
    return list({pair.name: pair for pair in found}.values())


def _one(name: str, pairs: Sequence[ColumnPair], what: str, where: str) -> ColumnPair:
    exact = [pair for pair in pairs if name in (pair.base.name, pair.current.name)]
    near = exact or [
        pair for pair in pairs if name.casefold() in (pair.base.name.casefold(), pair.current.name.casefold())
    ]
    if len(near) != 1:
        raise UnknownNameError(what, name, [pair.name for pair in pairs], where=where)
    return near[0]
