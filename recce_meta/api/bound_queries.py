"""Questions to a binder: queries over relations of which some columns, or their types, are unknown."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Mapping
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from recce_meta import sql_diff
from recce_meta.models import NodeMetadata
from recce_meta.sql_lineage.project.names import PARENT_NAME, QueryNames
from recce_meta.warehouses.binding import Answer, Binder, Columns, Refusal

MOST_LEARNED = 100
"""Most columns and functions that a query may show to exist."""
FILLS = ("TIMESTAMP", "DOUBLE", "VARCHAR", "BIGINT", "DECIMAL(9,2)")
"""Types that stand for unknown ones. A type of a result is known if it is the same with each that binds."""

_STAR = re.compile(r"(?<!count\()\*(?!\s*(?:\d|\(|\w+\.))", re.IGNORECASE)
"""A star that may stand for columns, and neither counts rows nor multiplies."""


class Surely(IntEnum):
    """How surely a relation has no other columns than those that are known."""

    SOME = 0
    LISTED = 1
    """A catalog lists them, and others may have added some since."""
    ALL = 2


class KnownRelation(NamedTuple):
    """What readers of a node find."""

    columns: Columns = ()
    known: Surely = Surely.SOME
    is_table: bool = False
    """Whether it is a table; only statements depend on it."""


class Wanted(IntEnum):
    """What a question is about."""

    TYPES = 0
    """The columns of a query, with types, and whether it is refused."""
    VERDICT = 1
    """Whether a query is refused; types may depend on unknown ones."""
    STATEMENTS = 2
    """Whether statements are refused, which may write."""


Learned: TypeAlias = dict[str, list[str]]
"""Columns that queries name, by node: relations of which only some are known were given them."""


Views: TypeAlias = Mapping[tuple[str, ...], Columns]
"""Columns of the relations that a query reads, by the parts of their names."""


class Question(NamedTuple):
    """A text, and the relations over which it is bound."""

    sql: str
    views: Views
    tables: frozenset[tuple[str, ...]] | None
    """Those that are tables, if the text has statements; None for a query."""


class BoundQuery(NamedTuple):
    """The answer for the query of a node on one side."""

    answer: Answer
    is_exact: bool
    known: Surely
    """How surely all relations that it reads have no other columns."""
    learned: Learned
    unlisted: Refusal | None = None
    """Refusal because of a column that a catalog may not list yet."""

    @property
    def refusal(self) -> Refusal | None:
        """Return why the query is refused."""
        return self.answer.refusal


class QueryBinder:
    """A binder, and the functions that queries show the warehouse to have in addition."""

    def __init__(self, binder: Binder) -> None:
        self._binder = binder
        self._functions: set[str] = set()
        self._answers: dict[Hashable, Answer | None] = {}

    def ask(
        self,
        sql: str,
        names: QueryNames,
        relations: Mapping[str, KnownRelation],
        learned: Learned | None = None,
        *,
        wanted: Wanted = Wanted.TYPES,
        named: Callable[[], Mapping[str, Collection[str]]] | None = None,
    ) -> BoundQuery | None:
        """Return the answer for a query, the one with *names* in the binder's dialect; None if there is none.

        *relations* are those that it reads, by unique id. *learned* is what the query of base showed; None if
        *sql* is of base itself, which shows what the warehouse has. *named* returns the columns that its text
        names of each relation.
        """
        given = {key: [*of] for key, of in (learned or {}).items()}
        unlisted, is_guess = None, False
        given_to: Surely | None
        for _ in range(MOST_LEARNED):
            views = _views(names, relations, given)
            tables = None
            if wanted is Wanted.STATEMENTS:
                found = {key: columns for key, columns in relations.items() if columns.is_table}
                tables = frozenset(_views(names, found, {}))
            asked = Question(sql, views, tables)
            answer = self._asked(asked)
            if answer is None:
                return None
            if answer.refusal is None:
                break
            if named is not None and sql_diff.lacking_column(answer.refusal):
                # Asked one by one, the database names one lacking column each time.
                given, named, is_guess = _lacking(named(), relations), None, True
                given_to = min((relations[key].known for key in given), default=Surely.SOME)
            else:
                given_to = self._learn(answer.refusal, relations, given, learned is None)
            if given_to is None and is_guess:
                given, is_guess = {}, False
                continue
            if given_to is None:
                break
            if given_to is Surely.LISTED and unlisted is None:
                unlisted = answer.refusal
        else:
            return None
        is_exact = all(kind for columns in views.values() for _, kind in columns)
        is_exact = is_exact and all(views.values()) and not self._calls_unknown(sql)
        if not is_exact and (wanted is Wanted.TYPES or answer.refusal is not None):
            if answer.refusal is None:
                answer = Answer(self._certain(asked, answer.columns))
            else:
                # The same sentence whatever the unknown types are, which may be nested.
                is_exact = sql_diff.is_about_arguments(answer.refusal) and all(
                    each is not None and each.refusal == answer.refusal
                    for each in (self._bind(asked, fill) for fill in FILLS)
                )
        surely = min((relation.known for relation in relations.values()), default=Surely.ALL)
        return BoundQuery(answer, is_exact, surely, given, unlisted)

    def types(self, kinds: Collection[str]) -> list[str]:
        """Return what the database calls the types *kinds*; empty for one that it lacks."""
        answer = self._binder.bind(f"select {', '.join(f'cast(null as {kind})' for kind in kinds)}", {})
        found = [kind for _, kind in answer.columns] if answer is not None else []
        if len(found) != len(kinds) and len(kinds) > 1:  # one of them may be a template
            return [name for kind in kinds for name in self.types([kind])]
        return found if len(found) == len(kinds) else [""] * len(kinds)

    def _learn(
        self, refusal: Refusal, relations: Mapping[str, KnownRelation], given: Learned, is_base: bool
    ) -> Surely | None:
        """Add what *refusal* lacks and the warehouse may have, and return how surely its relation is known.

        None if nothing is added. A column goes to one relation after the other, until the query finds it.
        """
        function = sql_diff.lacking_function(refusal).lower()
        if is_base and function and function not in self._functions:
            self._functions.add(function)
            return Surely.SOME
        if not (name := sql_diff.lacking_column(refusal).lower()):
            return None
        for key, relation in sorted(relations.items(), key=lambda each: each[1].known):
            has = {column.lower() for column, _ in relation.columns} | {*given.get(key, ())}
            if relation.known < Surely.ALL and name not in has:
                given.setdefault(key, []).append(name)
                return relation.known
        return None

    def _calls_unknown(self, sql: str) -> bool:
        return any(re.search(rf"\b{re.escape(one)}\W?\s*\(", sql, re.IGNORECASE) for one in self._functions)

    def _asked(self, asked: Question) -> Answer | None:
        """Return the answer to a question, with a type for columns of unknown types if it needs one."""
        first = answer = self._bind(asked)
        if answer is None or answer.refusal is None or sql_diff.is_about_names(answer.refusal):
            return answer
        if asked.tables is None and not sql_diff.needs_types(answer.refusal):
            return answer
        for fill in FILLS:
            answer = self._bind(asked, fill)
            if answer is None or answer.refusal is None or sql_diff.is_about_names(answer.refusal):
                return answer
        return first

    def _certain(self, asked: Question, columns: Columns) -> Columns:
        """Return *columns*, those of the answer, without the types that depend on unknown ones."""
        is_bound = False
        certain = {each for each in columns if each[1]}
        for fill in FILLS if certain else ():
            filled = self._bind(asked, fill)
            if filled is not None and filled.refusal is None:
                is_bound = True
                certain.intersection_update(filled.columns)
            if not certain:
                break
        return tuple((name, kind * (is_bound and (name, kind) in certain)) for name, kind in columns)

    def _bind(self, asked: Question, fill: str = "") -> Answer | None:
        views = {name: tuple((each, kind or fill) for each, kind in of) for name, of in asked.views.items()}
        key = (asked.sql, frozenset(views.items()), asked.tables, frozenset(self._functions))
        if key not in self._answers:
            self._answers[key] = self._binder.bind(asked.sql, views, self._functions, asked.tables)
        return self._answers[key]


def has_star(node: NodeMetadata) -> bool:
    """Return True if a star in the SQL of *node* may stand for columns, or if dbt did not compile it."""
    return _STAR.search(node.compiled_code or "*") is not None


def _lacking(named: Mapping[str, Collection[str]], relations: Mapping[str, KnownRelation]) -> Learned:
    """Return those of the columns *named* that *relations* may have in addition to the known ones."""
    found: Learned = {}
    for key, relation in relations.items():
        has = {name.lower() for name, _ in relation.columns}
        lacking = sorted({name.lower() for name in named.get(key, ())} - has)
        if lacking and relation.known < Surely.ALL:
            found[key] = lacking
    return found


def _views(
    names: QueryNames, relations: Mapping[str, KnownRelation], given: Mapping[str, Collection[str]]
) -> dict[tuple[str, ...], Columns]:
    """Return the columns of each relation by the names that the query uses."""
    found: dict[tuple[str, ...], Columns] = {}
    for key, called in names.keys().items():
        if key not in relations:
            continue
        columns: dict[str, tuple[str, str]] = {}
        for name, kind in (*relations[key].columns, *((one, "") for one in given.get(key, ()))):
            columns.setdefault(name.lower(), (name, kind))
        for name in called:
            first, _, rest = name.partition(".")
            parts = (first, rest) if PARENT_NAME.fullmatch(first) else tuple(name.split("."))
            if len(parts) <= 3:
                found[parts] = tuple(columns.values())
    return found
