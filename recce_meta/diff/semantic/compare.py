"""Two versions of a query compared by their keys. Rules: docs/change-categories.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from recce_meta.dialects.types import Sql
from recce_meta.diff.semantic.folded import Folded, folded_of_both
from recce_meta.diff.semantic.folding import Names, names_of
from recce_meta.diff.semantic.frames import Keyed
from recce_meta.diff.semantic.keys import Keys
from recce_meta.diff.semantic.reasons import Side, reasons_of
from recce_meta.errors import SqlNotAnalysed
from recce_meta.graph.columns.analyse import resolve_query
from recce_meta.graph.columns.context import Deadline
from recce_meta.graph.columns.names import Schemas
from recce_meta.graph.columns.query import Column, Output, Query
from recce_meta.graph.columns.returning import CHANGING
from recce_meta.graph.columns.room import on_deep_stack
from recce_meta.graph.columns.tree import SET_OPERATION, arg, args, structure
from recce_meta.models.category import Category, ColumnChange, SqlChange
from recce_meta.models.change import Status

PERHAPS_NO_QUERY = re.compile(r"(?i);\s*\S|\b(update|merge|delete|insert|create|replace|cache)\b")
"""What a text has in it if it is anything else than one query. Many others have it too."""
QUERIES = (exp.Select, SET_OPERATION, exp.Subquery, exp.Values, exp.Pivot, exp.Table)
"""Statements that are a query and nothing around it."""
STATEMENTS = frozenset({"UPDATE", "MERGE", "DELETE", "SEMICOLON"})
"""Types of tokens outside of parentheses of statements that are compared as they are written."""


def classify_change(
    old_sql: str, new_sql: str, dialect: str | None = "", schemas: Schemas | None = None
) -> str:
    """What the change from *old_sql* to *new_sql* can break.

    One of `none`, `non_breaking`, `partial_breaking`, `breaking` and `unknown`; docs/change-categories.md has
    the rules. *dialect* is sqlglot's name of it, *schemas* the columns of the tables that are read, {table:
    {column: type}}, as far as they are known. What does not parse is `unknown`; nothing is raised.
    """
    return compare_sql(old_sql, new_sql, dialect, schemas).category.value


def compare_sql(
    old_sql: str,
    new_sql: str,
    dialect: str | None = "",
    old_schemas: Schemas | None = None,
    new_schemas: Schemas | None = None,
    *,
    timeout: float | None = None,
) -> SqlChange:
    """How two texts differ in meaning: the category, the columns and the reasons.

    *new_schemas* are the columns of what the new query reads, where they are others than *old_schemas*.
    *timeout* is in seconds, for each text.
    """
    known = known_dialect(dialect)
    try:
        if (written := _as_written(old_sql, known)) is not None:
            return _compare_tokens(written, _as_written(new_sql, known))
        if _as_written(new_sql, known) is not None:
            return SqlChange(category=Category.BREAKING, reasons=("another statement",))
        old = resolve_query(old_sql, known, old_schemas or {}, timeout=timeout)
        new_schemas = old_schemas if new_schemas is None else new_schemas
        new = resolve_query(new_sql, known, new_schemas or {}, timeout=timeout)
        return compare_queries(old, new, known, old_sql=old_sql, new_sql=new_sql, timeout=timeout)
    except SqlNotAnalysed as error:
        return SqlChange(category=Category.UNKNOWN, reasons=(error.reason,))


def known_dialect(dialect: str | None) -> str:
    """sqlglot's name of a dialect; none where it has no such: that SQL is read as SQL of no dialect."""
    name = (dialect or "").lower()
    return name if name and Dialect.get(name) is not None else ""


def compare_queries(
    old: Query,
    new: Query,
    dialect: str = "",
    *,
    old_sql: str = "",
    new_sql: str = "",
    timeout: float | None = None,
) -> SqlChange:
    """How two resolved queries differ in meaning; the texts are those that they were parsed from.

    Raises SqlNotAnalysed where one of them is nested too deep, or holds what is not understood.
    """

    names = names_of(dialect)

    def compared() -> SqlChange:
        lost, lost_now = folded_of_both(old, old_sql, new, new_sql, dialect)
        before, after = key_of(old, dialect, old_sql, lost), key_of(new, dialect, new_sql, lost_now)
        if before.rows == after.rows:
            told = _same_rows(before, after, names)
            return _checked(told, lost.adrift, lost_now.adrift)
        named_before = Keys(dialect, old_sql, lost.beside, by_label=True)
        named_after = Keys(dialect, new_sql, lost_now.beside, by_label=True)
        matched = Matching(named_before.query(old), named_after.query(new), names)
        return SqlChange(
            category=Category.BREAKING,
            columns=matched.changes(),
            reasons=reasons_of(Side(before, named_before.found), Side(after, named_after.found)),
            moved=matched.moved,
        )

    try:
        return compared()
    except RecursionError:
        pass
    try:
        return on_deep_stack(compared, Deadline(timeout))
    except RecursionError as error:
        raise SqlNotAnalysed("nested too deep to be compared") from error


def name_of(output: Output, names: Names) -> str:
    """What consumers call *output*, so that equal names are equal: as it is where only quotes can say it."""
    seen: set[int] = set()
    given = output
    while given.node is None and isinstance(plain := given.reads.plain, Column) and id(given) not in seen:
        seen.add(id(given))
        if plain.output is None or plain.output.name.lower() != output.name.lower():
            break
        given = plain.output
    node = given.node
    if node is not None:
        alias = node.parent.args.get("alias") if isinstance(node.parent, exp.Alias) else node.this
        if isinstance(alias, exp.Identifier) and alias.name == output.name and names.is_special(alias):
            return repr(output.name)
    return output.name.lower()


def key_of(query: Query, dialect: str, sql: str, folded: Folded) -> Keyed:
    """The keys of a whole statement."""
    keyed = Keys(dialect, sql, folded.beside).query(query)
    around = statement_around(query)
    around_rows: list[object] = []
    parts = dict(keyed.parts)
    node = getattr(query, "node", None)
    if node is not None and node.args.get("order") and not parts.get("limit"):
        # A subquery's order does not reach the result, so that a wrapped ORDER BY is none.
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
    """Return the CTEs of *node* that change data, as text: they run whether they are read or not."""
    defined = arg(node, "with") if node is not None else None
    if defined is None:
        return ()
    return tuple(
        structure(cte.this) for cte in args(defined, "expressions") if isinstance(cte.this, CHANGING)
    )


def statement_around(query: Query) -> str | None:
    """What stands around *query* in its statement, as text: `INSERT INTO t`, `CREATE TABLE t AS`."""
    node = getattr(query, "node", None)
    root = node.root() if node is not None else None
    if root is None or isinstance(root, QUERIES):
        return None
    if not isinstance(root, (exp.Insert, exp.Create)):
        return f"by place {root.key} {structure(root)}"  # several statements in one, or a copy
    written = {
        name: structure(value)  # not as SQL, which leaves out what other dialects lack
        for name, value in root.args.items()
        if name not in ("expression", "with", "with_") and value
    }
    by_place = isinstance(root, exp.Insert) or isinstance(root.this, exp.Schema)
    return f"{'by place' if by_place else ''} {root.key} {sorted(written.items())}"


def _same_rows(old: Keyed, new: Keyed, names: Names) -> SqlChange:
    matched = Matching(old, new, names)
    columns = matched.changes()
    reasons = [*_of_columns(columns, matched.moved)]
    if matched.moves_unnamed:
        category = Category.BREAKING
        reasons = ["columns without a name moved"]
    elif any(column.status is not Status.ADDED for column in columns):
        category = Category.PARTIAL_BREAKING
    elif columns or matched.moved:
        category = Category.NON_BREAKING
    else:
        category = Category.NONE
    return SqlChange(category=category, columns=columns, reasons=tuple(reasons), moved=matched.moved)


def _checked(told: SqlChange, old: Counter[str], new: Counter[str]) -> SqlChange:
    """What was *told*, unless words changed of which nobody knows where they belong."""
    is_same = old == new if told.category is Category.NONE else not old - new
    if is_same or told.category is Category.PARTIAL_BREAKING:
        return told
    return SqlChange(category=Category.BREAKING, columns=told.columns, reasons=("words changed",))


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
    """As the query has it; the expression's place where it has none."""
    value: str
    place: int


class Matching:
    """Which output columns of two queries are the same ones."""

    def __init__(self, old: Keyed, new: Keyed, names: Names) -> None:
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
        """Whether columns that both have stand in another order."""
        unnamed = any(not name for name, _ in order_before)
        self.moves_unnamed = (self.moved and unnamed) or self._shifts()
        """Whether one of them has nothing but its place to be known by."""

    def _shifts(self) -> bool:
        """Whether a column without a name is another one of these than it was, by number."""
        before = sorted(one.place for one, _ in self._unnamed if one is not None)
        after = sorted(other.place for _, other in self._unnamed if other is not None)
        return any(
            before.index(one.place) != after.index(other.place)
            for one, other in self._unnamed
            if one is not None and other is not None
        )

    def changes(self) -> tuple[ColumnChange, ...]:
        """Columns of which something is different: in the order of the new query, removed ones last."""
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
    """Return the values of columns with one name; of several with the spelling, too."""
    return [(one.value, one.name if len(columns) > 1 else "") for one in columns]


def _named(keyed: Keyed, names: Names) -> dict[str, list[_Column]]:
    """Outputs that have a name, by it; several have the same only by mistake."""
    found: dict[str, list[_Column]] = {}
    for place, (output, value) in enumerate(zip(keyed.query.outputs, keyed.values, strict=True)):
        if output.name:
            found.setdefault(name_of(output, names), []).append(_Column(output.name, value, place))
    return found


def _unnamed(keyed: Keyed) -> list[_Column]:
    return [
        _Column(f"column {place + 1}", f"{value} {_text(output)}", place)
        for place, (output, value) in enumerate(zip(keyed.query.outputs, keyed.values, strict=True))
        if not output.name
    ]


def _text(output: Output) -> str:
    """The text of a column without a name, of which warehouses make one."""
    seen: set[int] = set()
    while output.node is None and isinstance(plain := output.reads.plain, Column) and id(output) not in seen:
        seen.add(id(output))
        if plain.output is None:
            break
        output = plain.output
    return structure(output.node) if output.node is not None else ""


def _pair_unnamed(old: list[_Column], new: list[_Column]) -> list[tuple[_Column | None, _Column | None]]:
    """Outputs without a name in pairs: by what they are, and those that are left in order.

    Where equal ones stand in another order, or behind new ones, their places changed, and so did whatever the
    warehouse calls them.
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
    """The tokens of a text that is no single query, and is compared as it is written."""
    if not PERHAPS_NO_QUERY.search(sql):
        return None
    try:
        tokens = Dialect.get_or_raise(dialect or None).tokenize(sql)
    except SqlglotError as error:
        raise SqlNotAnalysed(f"does not parse: {str(error).splitlines()[0]}") from error
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    depth = 0
    for place, token in enumerate(tokens):
        kind = token.token_type
        depth += (kind is TokenType.L_PAREN) - (kind is TokenType.R_PAREN)
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
