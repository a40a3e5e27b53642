"""Comparison of two versions of a query by their fingerprints, and the reasons why its rows changed.

Rules: docs/concepts/change-categories.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile
from typing import Protocol

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from recce_meta.errors import SqlNotAnalysed, first_line
from recce_meta.models.change import Category, ColumnChange, SqlChange, Status
from recce_meta.sql_diff.expressions import QueryFingerprint
from recce_meta.sql_diff.facts import Facts, FindFacts, with_facts
from recce_meta.sql_diff.fingerprint import Fingerprints
from recce_meta.sql_diff.identifiers import IdentifierRules, names_of
from recce_meta.sql_diff.lossy_tokens import LossyTokens, lossy_tokens
from recce_meta.sql_diff.types import with_types
from recce_meta.sql_lineage.analyse import resolve_query
from recce_meta.sql_lineage.context import Deadline, run_on_deep_stack
from recce_meta.sql_lineage.expressions import SET_OPERATION, arg, args, structure
from recce_meta.sql_lineage.names import Schemas
from recce_meta.sql_lineage.query import Output, Query, SourceColumn
from recce_meta.sql_lineage.statements import CHANGING
from recce_meta.warehouses.types import Sql

MAX_REASONS = 5
"""Maximum number of phrases."""
FINAL_ORDER = "final order"
"""An ORDER BY without a limit at the end of the query, which only the first readers of its rows see."""
PHRASES = {
    "filter": "filter",
    "having": "HAVING filter",
    "qualify": "QUALIFY filter",
    "grouping": "grouping",
    "joins": "join",
    "limit": "limit",
    "order": "order",
    "ordered": FINAL_ORDER,
    "functions": "row-generating function",
    "function": "row-generating function",
    "pivot": "pivot",
    "distinct": "distinct",
    "statement": "statement",
    "columns by place": "columns by position",
    "data-modifying": "statement in WITH",
}
CHANGED = {
    "query": "query changed",
    "set operation": "set operation changed",
    "values": "literal rows changed",
    "words": "words changed",
    "recursion": "columns of a recursive query changed",
}
OF_STATEMENTS = ("statement", "columns by place", "words", "ordered", "data-modifying")
"""Parts that belong to the statement around a query."""
REPORTED_BY_INPUTS = frozenset({"tables", "itself"})
Parts = Mapping[str, tuple[str, ...]]
NamedFingerprint = tuple[str, QueryFingerprint]


class QuerySide:
    """One of two queries: its keys, and those of all its subqueries with sources identified by name."""

    def __init__(self, keyed: QueryFingerprint, named: Mapping[int, QueryFingerprint]) -> None:
        self.keyed = keyed
        self._named = named

    def parts(self, keyed: QueryFingerprint) -> Parts:
        """Return the parts of a query's rows key, in which sources are identified by name alone."""
        named = self._named.get(id(keyed.query))
        if named is None:
            return keyed.parts
        return {**named.parts, **{name: keyed.parts[name] for name in OF_STATEMENTS if name in keyed.parts}}


def reasons_of(old: QuerySide, new: QuerySide) -> tuple[str, ...]:
    """Return why the rows of *new* may differ from those of *old*, as at least one phrase."""
    found: dict[str, None] = {}
    for phrase in _ReasonFinder(old, new).between(old.keyed, new.keyed):
        found.setdefault(phrase)
        if len(found) == MAX_REASONS:
            break
    return tuple(found) or ("rows changed",)


class _ReasonFinder:
    def __init__(self, old: QuerySide, new: QuerySide) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[int, int]] = set()

    def between(self, old: QueryFingerprint, new: QueryFingerprint) -> Iterator[str]:
        """Yield phrases on two queries and their sources, the innermost first."""
        # A CTE with several readers is reported once.
        if old.rows == new.rows or (id(old), id(new)) in self._seen:
            return
        self._seen.add((id(old), id(new)))
        if type(old.core or old.query) is not type(new.core or new.query):
            yield "query changed"
            return
        phrases, pairs = _inputs(old, new)
        for one, other in pairs:
            yield from self.between(one[1], other[1])
        yield from phrases
        is_renamed = any(one[0].lower() != other[0].lower() for one, other in pairs)
        for name in self._edited(old, new):
            before, after = _part(old.parts, name), _part(new.parts, name)
            if name == "filter" and old.core is not None and new.core is not None:
                before, after = _without(before, after), _without(after, before)
            if is_renamed and before and after:
                continue  # the difference may only be a name
            if name in ("joins", "filter") and (
                phrases or bool(old.parts.get("joins")) != bool(new.parts.get("joins"))
            ):
                if not phrases:
                    yield "join changed"
                continue  # conditions of inner joins are filters, those of other joins are not
            is_join = name == "filter" and len(new.inputs) > 1
            yield "join or filter changed" if is_join else _phrase(name, before, after)

    def _edited(self, old: QueryFingerprint, new: QueryFingerprint) -> Iterator[str]:
        """Yield the parts with a difference beyond the sources and their names."""
        named_before, named_after = self._old.parts(old), self._new.parts(new)
        for name in sorted({*old.parts, *new.parts} - REPORTED_BY_INPUTS):
            differs = _part(old.parts, name) != _part(new.parts, name)
            if differs and _part(named_before, name) != _part(named_after, name):
                yield name


def _part(parts: Parts, name: str) -> tuple[str, ...]:
    keys = parts.get(name, ())
    return keys[:2] if name == "set operation" else keys  # the operands are reported separately


def _without(keys: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """Return *keys* that are not among *others*: a subquery and its reader have one filter in common."""
    return tuple(key for key in keys if key not in others)


def _phrase(name: str, before: tuple[str, ...], after: tuple[str, ...]) -> str:
    if name in CHANGED:
        return CHANGED[name]
    if name == "distinct" and before and after:
        return "DISTINCT columns changed"
    word = "added" if not before else "removed" if not after else "changed"
    if name == "grouping" and "one" in (before or after)[0]:
        return f"aggregate {word}"
    return f"{PHRASES.get(name, name)} {word}"


def _inputs(
    old: QueryFingerprint, new: QueryFingerprint
) -> tuple[list[str], list[tuple[NamedFingerprint, NamedFingerprint]]]:
    """Return phrases on added and removed sources, and the pairs of sources whose own rows changed."""
    before, after = list(old.inputs), list(new.inputs)
    for one in list(before):
        same = next((other for other in after if other[1] == one[1]), None)
        if same is not None:
            before.remove(one)
            after.remove(same)
    pairs: list[tuple[NamedFingerprint, NamedFingerprint]] = []
    for one in list(before):
        # A lone source may have a new name, so it is paired whatever it is called.
        called = [other for other in after if other[0].lower() == one[0].lower()]
        candidates = called or (after if len(before) == len(after) == 1 else [])
        partner = next((other for other in candidates if other[2] is not None), None)
        if partner is not None and partner[2] is not None and one[2] is not None:
            pairs.append(((one[0], one[2]), (partner[0], partner[2])))
            before.remove(one)
            after.remove(partner)
    if len(old.inputs) == len(new.inputs) == 1 and before and after:
        now, was = after[0][0] or "a subquery", before[0][0] or "a subquery"
        return [f"reads {now} instead of {was}" if now != was else f"reads another {now}"], pairs
    word = "operand" if "set operation" in new.parts else "join"
    phrases = []
    for name in [one[0] for one in after]:
        partner = next((one for one in before if name and one[0] == name), None)
        if partner is not None:
            before.remove(partner)
        verb = "added" if partner is None else "changed"
        phrases.append(f"{word} {verb}: {name}" if name else f"{word} {verb}")
    phrases += [f"{word} removed: {name}" if name else f"{word} removed" for name, _, _ in before]
    return phrases, pairs


MAYBE_NOT_A_QUERY = re.compile(r"(?i);\s*\S|\b(update|merge|delete|insert|create|replace|cache)\b")
"""Quick test for text other than a single query. It also matches many single queries."""
QUERIES = (exp.Select, SET_OPERATION, exp.Subquery, exp.Values, exp.Pivot, exp.Table)
"""Statements that are a bare query."""
STATEMENTS = frozenset({"UPDATE", "MERGE", "DELETE", "SEMICOLON"})
"""Token types outside parentheses that mark statements to be compared as text."""


class ResolveQuery(Protocol):
    """Resolves a query, as `resolve_query` does."""

    def __call__(
        self, sql: str, dialect: str, schemas: Schemas, /, *, timeout: float | None = None
    ) -> Query: ...


def classify_change(
    old_sql: str, new_sql: str, dialect: str | None = "", schemas: Schemas | None = None
) -> str:
    """Return the category of the change from *old_sql* to *new_sql*.

    One of `none`, `non_breaking`, `partial_breaking`, `breaking` and `unknown`; see
    docs/concepts/change-categories.md. *dialect* is sqlglot's name, *schemas* the known columns of the
    tables, {table: {column: type}}. SQL that does not parse is `unknown`; nothing is raised.
    """
    return compare_sql(old_sql, new_sql, dialect, schemas).category.value


def compare_sql(
    old_sql: str,
    new_sql: str,
    dialect: str | None = "",
    old_schemas: Schemas | None = None,
    new_schemas: Schemas | None = None,
    *,
    facts: FindFacts | None = None,
    timeout: float | None = None,
    resolve: ResolveQuery = resolve_query,
) -> SqlChange:
    """Return the differences in meaning of two SQL texts: the category, the columns and the reasons.

    *new_schemas* are the columns of the new query's tables, if they differ from *old_schemas*. *facts*
    returns facts about the rows of these tables that hold for both queries; it is called only if they may
    matter. A change that rests on facts has them in `facts`. *timeout* is in seconds, for each text.
    *resolve* may return queries that were resolved before.
    """
    known = dialect_or_default(dialect)
    try:
        # Lineage reads an UPDATE or MERGE as one SELECT, which hides what each branch does.
        if (written := _as_written(old_sql, known)) is not None:
            return _compare_tokens(written, _as_written(new_sql, known))
        if _as_written(new_sql, known) is not None:
            return SqlChange(category=Category.BREAKING, reasons=("another statement",))
        old = resolve(old_sql, known, old_schemas or {}, timeout=timeout)
        new_schemas = old_schemas if new_schemas is None else new_schemas
        new = resolve(new_sql, known, new_schemas or {}, timeout=timeout)
        return compare_queries(
            old, new, known, old_sql=old_sql, new_sql=new_sql, facts=facts, timeout=timeout
        )
    except SqlNotAnalysed as error:
        return SqlChange(category=Category.UNKNOWN, reasons=(error.reason,))


def dialect_or_default(dialect: str | None) -> str:
    """Return sqlglot's name of a dialect, or "" if unknown: its SQL is then parsed without a dialect."""
    name = (dialect or "").lower()
    return name if name and Dialect.get(name) is not None else ""


def compare_queries(
    old: Query,
    new: Query,
    dialect: str = "",
    *,
    old_sql: str = "",
    new_sql: str = "",
    facts: FindFacts | None = None,
    timeout: float | None = None,
) -> SqlChange:
    """Return the differences in meaning of two resolved queries and the texts they were parsed from.

    *facts* is as for `compare_sql`. Raise SqlNotAnalysed if a query is nested too deep or is not understood.
    """

    def compared() -> SqlChange:
        pair = _QueryPair(old, new, dialect, old_sql, new_sql)
        change = pair.assuming(None) or pair.with_other_rows()
        if facts is None or change.category is Category.NONE:
            return change
        return with_facts(change, facts, pair.assuming)

    try:
        return compared()
    except RecursionError:
        pass
    # Outside of `except`, which would keep the frames of the first attempt alive.
    try:
        return run_on_deep_stack(compared, Deadline(timeout))
    except RecursionError as error:
        raise SqlNotAnalysed("nested too deep to be compared") from error


class _QueryPair:
    """Two queries of one dialect, and the texts they were parsed from."""

    def __init__(self, old: Query, new: Query, dialect: str, old_sql: str, new_sql: str) -> None:
        self._old, self._new, self._dialect = old, new, dialect
        self._old_sql, self._new_sql = old_sql, new_sql
        self._names = names_of(dialect)
        self._lost, self._lost_now = lossy_tokens(old, old_sql, new, new_sql, dialect)

    def assuming(self, facts: Facts | None) -> SqlChange | None:
        """Return the change if *facts* hold; None if the rows may differ."""
        before, after = self._plain if facts is None else self._fingerprints(facts)
        if before.rows != after.rows:
            return None
        change = _checked(_same_rows(before, after, self._names), self._lost.adrift, self._lost_now.adrift)
        return with_types(change, self._old, self._new, self._dialect)

    def with_other_rows(self) -> SqlChange:
        """Return the change of two queries whose rows may differ."""
        before, after = self._plain
        # If rows differ, so do the keys of all columns. Named sources still show which columns changed.
        named_before = Fingerprints(self._dialect, self._old_sql, self._lost.attached, by_label=True)
        named_after = Fingerprints(self._dialect, self._new_sql, self._lost_now.attached, by_label=True)
        matched = OutputMatching(named_before.query(self._old), named_after.query(self._new), self._names)
        sides = QuerySide(before, named_before.found), QuerySide(after, named_after.found)
        columns, moved = matched.changes(), matched.moved
        change = SqlChange(
            category=Category.BREAKING, columns=columns, reasons=reasons_of(*sides), moved=moved
        )
        return with_types(change, self._old, self._new, self._dialect)

    @cached_property
    def _plain(self) -> tuple[QueryFingerprint, QueryFingerprint]:
        return self._fingerprints(None)

    def _fingerprints(self, facts: Facts | None) -> tuple[QueryFingerprint, QueryFingerprint]:
        return (
            fingerprint_of(self._old, self._dialect, self._old_sql, self._lost, facts),
            fingerprint_of(self._new, self._dialect, self._new_sql, self._lost_now, facts),
        )


def name_of(output: Output, names: IdentifierRules) -> str:
    """Return *output*'s name for comparison with other names. A name that requires quotes is unchanged."""
    name = output.name.lower()
    named = takewhile(lambda one: one.name.lower() == name, output.passed_on())
    node = next((one.node for one in named if one.node is not None), None)
    if node is not None:
        alias = node.parent.args.get("alias") if isinstance(node.parent, exp.Alias) else node.this
        if isinstance(alias, exp.Identifier) and alias.name == output.name and names.is_special(alias):
            return repr(output.name)
    return name


def alias_of(output: Output) -> str | None:
    """Return the alias that spells *output*, as written; None if a table spells it, or it has no name."""
    seen: set[int] = set()
    while id(output) not in seen:
        seen.add(id(output))
        node, plain = output.node, output.reads.plain
        if output.branches:
            output = output.branches[0]
        elif node is not None and isinstance(node.parent, exp.Alias):
            return str(node.parent.alias)
        elif isinstance(plain, SourceColumn) and plain.output is not None:
            output = plain.output
    return None


def fingerprint_of(
    query: Query, dialect: str, sql: str, folded: LossyTokens, facts: Facts | None = None
) -> QueryFingerprint:
    """Return the keys of a whole statement."""
    keyed = Fingerprints(dialect, sql, folded.attached, facts).query(query)
    around = statement_around(query)
    around_rows: list[object] = []
    parts = dict(keyed.parts)
    node = getattr(query, "node", None)
    if node is not None and node.args.get("order") and not parts.get("limit"):
        # A subquery's order does not affect the result, so an ORDER BY in a wrapped query is ignored.
        parts.pop("order", None)
        parts["ordered"] = ("ordered",)
        around_rows.append("ordered")
    if folded.loose:
        parts["words"] = folded.loose
        around_rows.append(folded.loose)
    changing = _changing_data(node)
    if changing:
        parts["data-modifying"] = changing
        around_rows.append(changing)
    if around is not None:
        parts["statement"] = (around,)
        if around.startswith("by place"):
            parts["columns by place"] = keyed.values
        around_rows.append((around, parts.get("columns by place")))
    if around_rows:
        rows = ";".join(map(str, (*around_rows, keyed.rows)))
        return replace(keyed, rows=rows, parts=parts)
    return keyed


def _changing_data(node: Sql | None) -> tuple[str, ...]:
    """Return the data-modifying CTEs of *node* as text: they run even if they are not read."""
    defined = arg(node, "with") if node is not None else None
    if defined is None:
        return ()
    return tuple(
        structure(cte.this) for cte in args(defined, "expressions") if isinstance(cte.this, CHANGING)
    )


def statement_around(query: Query) -> str | None:
    """Return the statement around *query*, as text: `INSERT INTO t`, `CREATE TABLE t AS`."""
    node = getattr(query, "node", None)
    root = node.root() if node is not None else None
    if root is None or isinstance(root, QUERIES):
        return None
    if not isinstance(root, (exp.Insert, exp.Create)):
        return f"by place {root.key} {structure(root)}"  # several statements in one, or a copy
    written = {
        name: structure(value)  # not as SQL, which omits parts that other dialects lack
        for name, value in root.args.items()
        if name not in ("expression", "with", "with_") and value
    }
    by_place = isinstance(root, exp.Insert) or isinstance(root.this, exp.Schema)
    return f"{'by place' if by_place else ''} {root.key} {sorted(written.items())}"


def _same_rows(old: QueryFingerprint, new: QueryFingerprint, names: IdentifierRules) -> SqlChange:
    matched = OutputMatching(old, new, names)
    columns = matched.changes()
    reasons = [*_of_columns(columns, matched.moved)]
    reasons += [f"letter case changed: {', '.join(matched.respelt)}"] if matched.respelt else []
    if matched.moves_unnamed:
        category = Category.BREAKING
        reasons = ["unnamed columns moved"]
    elif any(column.status is not Status.ADDED for column in columns):
        category = Category.PARTIAL_BREAKING
    elif matched.respelt:  # SQL finds the column, unlike other readers
        category = Category.UNKNOWN
    elif columns or matched.moved:
        category = Category.NON_BREAKING
    else:
        category = Category.NONE
    return SqlChange(category=category, columns=columns, reasons=tuple(reasons), moved=matched.moved)


def _checked(change: SqlChange, old: Counter[str], new: Counter[str]) -> SqlChange:
    """Return *change*, or a breaking change if words changed at an unknown position in the query."""
    # Added columns bring new words, but they lose none.
    is_same = old == new if change.category is Category.NONE else not old - new
    if is_same or change.category is Category.PARTIAL_BREAKING:
        return change
    return SqlChange(category=Category.BREAKING, columns=change.columns, reasons=("words changed",))


def _of_columns(columns: Sequence[ColumnChange], moved: bool) -> Iterator[str]:
    for status in (Status.ADDED, Status.MODIFIED, Status.REMOVED):
        names = [column.name for column in columns if column.status is status]
        if names:
            yield f"{'column' if len(names) == 1 else 'columns'} {status.value}: {', '.join(names)}"
    if moved:
        yield "columns moved"


@dataclass(slots=True)
class _Column:
    name: str
    """Name in the query, or the position of an unnamed expression."""
    value: str
    place: int
    spelling: str


class OutputMatching:
    """Matching of the output columns of two queries."""

    def __init__(self, old: QueryFingerprint, new: QueryFingerprint, names: IdentifierRules) -> None:
        self._old, self._new = _named(old, names), _named(new, names)
        self._unnamed = _pair_unnamed(_unnamed(old), _unnamed(new))
        before = []
        after = []
        for name, columns in self._old.items():
            for number, (one, other) in enumerate(zip(columns, self._new.get(name, []), strict=False)):
                before.append((one.place, (name, number)))
                after.append((other.place, (name, number)))
        for number, (gone, come) in enumerate(self._unnamed):
            if gone is not None and come is not None:
                before.append((gone.place, ("", number)))
                after.append((come.place, ("", number)))
        order_before = [key for _, key in sorted(before)]
        order_after = [key for _, key in sorted(after)]
        self.moved = order_before != order_after
        """Whether the columns in both queries have a different order."""
        unnamed = any(not name for name, _ in order_before)
        self.respelt = [
            columns[0].name
            for name, columns in self._new.items()
            if (earlier := self._old.get(name))
            and _contents(earlier) == _contents(columns)
            and [one.spelling for one in earlier] != [one.spelling for one in columns]
        ]
        """Names of columns of which only the letter case differs, where that is kept."""
        self.moves_unnamed = (self.moved and unnamed) or self._shifts()
        """Whether a moved column can be identified only by its position."""

    def _shifts(self) -> bool:
        """Return whether an unnamed column has a different number among the unnamed columns."""
        before = sorted(one.place for one, _ in self._unnamed if one is not None)
        after = sorted(other.place for _, other in self._unnamed if other is not None)
        return any(
            before.index(one.place) != after.index(other.place)
            for one, other in self._unnamed
            if one is not None and other is not None
        )

    def changes(self) -> tuple[ColumnChange, ...]:
        """Return the columns with changes, in the order of the new query, with removed columns last."""
        found: list[tuple[int, ColumnChange]] = []
        for name, columns in self._new.items():
            before = self._old.get(name)
            if before is None:
                found.append((columns[0].place, ColumnChange(columns[0].name, Status.ADDED)))
            elif _contents(before) != _contents(columns):
                found.append((columns[0].place, ColumnChange(columns[0].name, Status.MODIFIED)))
        for one, other in self._unnamed:
            if other is not None and one is None:
                found.append((other.place, ColumnChange(other.name, Status.ADDED)))
            elif one is not None and other is not None and one.value != other.value:
                found.append((other.place, ColumnChange(other.name, Status.MODIFIED)))
        changes = [change for _, change in sorted(found, key=lambda each: each[0])]
        added = [change.name for change in changes if change.status is Status.ADDED]
        return (*changes, *self._removed(added))

    def _removed(self, added: Sequence[str]) -> Iterator[ColumnChange]:
        # The same value under a new name is a rename. Reversed, so that the first of equal columns wins.
        by_value = {
            columns[0].value: columns[0].name
            for columns in reversed(self._new.values())
            if columns[0].name in added
        }
        gone = [columns[0] for name, columns in self._old.items() if name not in self._new]
        gone += [one for one, other in self._unnamed if one is not None and other is None]
        for column in sorted(gone, key=lambda each: each.place):
            yield ColumnChange(column.name, Status.REMOVED, by_value.pop(column.value, None))


def _contents(columns: Sequence[_Column]) -> list[tuple[str, str]]:
    """Return the values of columns with one name. If several share it, include the spelling."""
    return [(one.value, one.name if len(columns) > 1 else "") for one in columns]


def _named(keyed: QueryFingerprint, names: IdentifierRules) -> dict[str, list[_Column]]:
    """Return outputs by name. Several outputs share a name only by mistake."""
    named: dict[str, list[_Column]] = {}
    for place, (output, value) in enumerate(zip(keyed.query.outputs, keyed.values, strict=True)):
        if output.name:
            # A column of a table is taken to be in lower case.
            spelling = (names.keeps_case and alias_of(output)) or output.name.lower()
            column = _Column(output.name, value, place, spelling)
            named.setdefault(name_of(output, names), []).append(column)
    return named


def _unnamed(keyed: QueryFingerprint) -> list[_Column]:
    return [
        # Warehouses derive the name from the text, so another spelling is another column.
        _Column(f"column {place + 1}", f"{value} {_text(output)}", place, "")
        for place, (output, value) in enumerate(zip(keyed.query.outputs, keyed.values, strict=True))
        if not output.name
    ]


def _text(output: Output) -> str:
    """Return the text of an unnamed column, from which warehouses derive a name."""
    return next((structure(one.node) for one in output.passed_on() if one.node is not None), "")


def _pair_unnamed(old: list[_Column], new: list[_Column]) -> list[tuple[_Column | None, _Column | None]]:
    """Return unnamed outputs in pairs: by key first, then the remaining ones in order.

    If equal outputs have a different order, or follow new ones, their positions changed, and so did the names
    that the warehouse gives them.
    """
    left = list(new)
    pairs: list[tuple[_Column | None, _Column | None]] = []
    rest: list[_Column] = []
    for one in old:
        same = next((other for other in left if other.value == one.value), None)
        if same is None:
            rest.append(one)
        else:
            left.remove(same)
            pairs.append((one, same))
    for one in rest:
        pairs.append((one, left.pop(0) if left else None))
    pairs += [(None, other) for other in left]
    return pairs


def _as_written(sql: str, dialect: str) -> list[Token] | None:
    """Return the tokens of a text that is not a single query and is compared as text."""
    if not MAYBE_NOT_A_QUERY.search(sql):
        return None
    try:
        tokens = Dialect.get_or_raise(dialect or None).tokenize(sql)
    except SqlglotError as error:
        raise SqlNotAnalysed(f"does not parse: {first_line(error)}") from error
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    depth = 0
    for place, token in enumerate(tokens):
        kind = token.token_type
        depth += (kind is TokenType.L_PAREN) - (kind is TokenType.R_PAREN)
        # Elsewhere, these words are names, functions, or clauses such as FOR UPDATE.
        is_first = place == 0 or tokens[place - 1].token_type in (TokenType.R_PAREN, TokenType.SEMICOLON)
        if depth == 0 and kind.name in STATEMENTS and (is_first or kind is TokenType.SEMICOLON):
            return tokens
    return None


def _compare_tokens(old: list[Token], new: list[Token] | None) -> SqlChange:
    def plain(tokens: list[Token]) -> list[tuple[TokenType, str]]:
        return [(token.token_type, token.text if has_case(token) else token.text.upper()) for token in tokens]

    def has_case(token: Token) -> bool:
        kind: str = token.token_type.name
        return kind in ("VAR", "IDENTIFIER") or "STRING" in kind or not token.text.isidentifier()

    if new is not None and plain(old) == plain(new):
        return SqlChange(category=Category.NONE)
    return SqlChange(category=Category.BREAKING, reasons=("statement changed",))
