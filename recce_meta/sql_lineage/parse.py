"""Parser from SQL text to the one query in it, within limits.

Rules for statements:

- Of several statements, the last one that yields columns counts.
- `INSERT … SELECT`, `CREATE TABLE AS` and `CREATE VIEW` mean their query, under the target's column names.
- `UPDATE` and `MERGE` mean a SELECT of the assigned values, from the relations that they read.
- sqlglot's parser recurses at every level of nesting and cannot be interrupted. The text is therefore
  tokenized first, which is fast and not recursive. A text with too many tokens for the remaining time, or
  too many levels, is rejected before it is parsed.

sqlglot does not parse every column as a column. Rules for bare identifiers:

- A bare identifier at one of the positions in `NAMES` is a declared name or the name of a call.
- A bare identifier in a lambda is its parameter, if the lambda has one of that name.
- Before a function, `a.b.f(…)`, it is a column if the dialect calls functions as methods, or if the name is
  a relation of the query. Otherwise it is a schema.
- Any other identifier is a column. sqlglot splits columns before each method call: `(a || b).lower()`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect

from recce_meta.errors import SqlNotAnalysed, UsageError
from recce_meta.provisional import note_provisional
from recce_meta.sql_lineage import facts
from recce_meta.sql_lineage.context import IS_COMPILED, Deadline, run_on_deep_stack, run_with_timeout
from recce_meta.sql_lineage.expressions import NODE
from recce_meta.sql_lineage.statements import (
    Created,
    created_relations,
    deletion_query,
    procedure_body,
    query_of,
)
from recce_meta.warehouses.parsing import (
    STUMBLES,
    may_name_relations,
    put_named_relations,
    unambiguous,
    without_added_brackets,
)
from recce_meta.warehouses.types import Sql

NAMES = frozenset(
    tuple(place.split("."))
    for place in """
    Alias.alias Aliases.expressions Anonymous.this AtIndex.expression CTE.alias CTE.key_expressions
    Chr.charset Collate.expression ColumnDef.this CombinedAggFunc.this CombinedParameterizedAgg.this
    Comprehension.expression Comprehension.position DataType.kind Declare.expressions DeclareItem.this
    Hint.expressions IndexTableHint.expressions Insert.alias Iterate.this JSONColumnDef.this
    JSONTable.alias Join.using Kwarg.this Lambda.expressions Leave.this LoopBlock.label Match.analyzer
    MatchRecognize.alias MatchRecognizeMeasure.this ModelAttribute.this OpenJSONColumnDef.this
    Parameter.this Pivot.alias Pivot.columns PivotAlias.alias Placeholder.this PropertyEQ.this
    RecursiveWithSearch.expression RecursiveWithSearch.this RecursiveWithSearch.using RepeatBlock.label
    Schema.expressions SessionParameter.this SkipJSONColumn.expression TableAlias.columns
    TableAlias.this Unnest.alias Unnest.offset WhileBlock.label Window.alias Window.this
    WithTableHint.expressions XMLElement.this XMLNamespace.this
    """.split()
)
"""Positions, as class and argument, of identifiers that name something other than a column."""
_FORMATS = "format"
_HOLDERS = (exp.Column, exp.Table)
_CHILDLESS = frozenset({bool, str, type(None), exp.Boolean, exp.Literal, exp.Null})
"""Classes of arguments that cannot contain an identifier."""
SCHEMAS_OF_FUNCTIONS = frozenset({"information_schema", "main", "pg_catalog", "system"})


def reveal_columns(tree: Sql, dialect: str) -> None:
    """Replace bare identifiers in *tree* that stand for columns with columns."""
    bare, numbered = _found(tree)
    for column in numbered:
        _take_apart(column)
    if not bare:
        return
    relations: set[str] | None = None
    for identifier in bare:
        path = _path(identifier)
        if path is identifier and isinstance(path.parent, exp.Dot) and path.arg_key == "expression":
            continue  # a field of the preceding expression
        if isinstance(path.parent, exp.Column):
            _take_apart(path.parent)
            continue
        if isinstance(path.parent, exp.Table) or _is_parameter(identifier):
            continue
        if isinstance(path.parent, exp.Dot) and path.arg_key == "this":
            # This walks the whole tree, so it runs at most once and only for paths before a call.
            relations = _relations(tree) if relations is None else relations
            if not _is_before_method(path, identifier, relations, dialect):
                continue
        # A copy, because the replaced node must not be a part of its replacement.
        path.replace(_column(path.copy()))


def _found(tree: Sql) -> tuple[list[Sql], list[Sql]]:
    """Return the bare identifiers in *tree* that may be columns, and the columns named by a literal."""
    bare: list[Sql] = []
    numbered: list[Sql] = []
    stack: list[Any] = [tree]  # arguments: nodes, lists of nodes, and strings
    while stack:
        one = stack.pop()
        kind = one.__class__
        if kind in _CHILDLESS:
            continue
        if kind is list:
            stack += one
        elif kind is exp.Identifier:
            if not isinstance(one.parent, _HOLDERS) and not _is_name(one):
                bare.append(one)
        elif kind is exp.Column and one.this.__class__ is exp.Identifier:
            continue  # its other parts are also identifiers
        elif isinstance(one, NODE):
            if kind is exp.Column and one.this.__class__ is exp.Literal:
                numbered.append(one)
            stack += one.args.values()
    return bare, numbered


def _take_apart(column: Sql) -> None:
    """Replace *column*, whose name is a path (BigQuery) or a number (ClickHouse), by a path in a column."""
    fields = list(column.this.flatten()) if isinstance(column.this, exp.Dot) else [column.this]
    names = [part for key in ("catalog", "db", "table") if (part := column.args.get(key)) is not None]
    if isinstance(column.this, exp.Dot):
        names.append(fields.pop(0))
    if not names:
        return
    found = _column_of([name.copy() for name in names])
    for field in fields:
        found = exp.Dot(this=found, expression=field.copy())
    column.replace(found)


def _is_name(identifier: Sql) -> bool:
    """Return whether *identifier* is a declared name or the name of a call."""
    key = identifier.arg_key or ""
    return key == _FORMATS or (type(identifier.parent).__name__, key) in NAMES or _names_pivoted(identifier)


def _names_pivoted(identifier: Sql) -> bool:
    """Return whether *identifier* names columns of a PIVOT or UNPIVOT, which `pivots` resolves."""
    around = identifier.parent
    while isinstance(around, (exp.In, exp.Tuple, exp.Alias)):
        around = around.parent
    return isinstance(around, exp.Pivot)


def _path(identifier: Sql) -> Sql:
    """Return the dotted path that begins with *identifier*, or *identifier* itself if nothing follows it."""
    path = identifier
    while (
        isinstance(around := path.parent, exp.Dot)
        and around.this is path
        and isinstance(around.expression, exp.Identifier)
    ):
        path = around
    return path


def _is_parameter(identifier: Sql) -> bool:
    """Return whether a lambda around *identifier* has a parameter of that name."""
    name, around = identifier.name.lower(), identifier.parent
    while around is not None:
        if isinstance(around, exp.Lambda) and any(one.name.lower() == name for one in around.expressions):
            return True
        around = around.parent
    return False


def _is_before_method(path: Sql, root: Sql, relations: set[str], dialect: str) -> bool:
    """Return whether *path* is the object of a method call rather than the schema of a function."""
    name = root.name.lower()
    method = path.parent.expression.name.lower() if path.parent is not None else ""
    if path is not root and name in relations:
        return True
    if method in facts.METHODS.get(dialect, ()):
        return True
    return dialect in facts.CALLING_METHODS and name not in SCHEMAS_OF_FUNCTIONS


def _relations(tree: Sql) -> set[str]:
    """Return the lower-case names and aliases of the relations in *tree*."""
    found = {alias.name.lower() for alias in tree.find_all(exp.TableAlias)}
    return found | {table.name.lower() for table in tree.find_all(exp.Table)}


def _column(path: Sql) -> Sql:
    """Return the column for the dotted names of *path*."""
    parts: list[Sql] = []
    while isinstance(path, exp.Dot):
        parts.append(path.expression)
        path = path.this
    return _column_of([path, *reversed(parts)])


def _column_of(parts: list[Sql]) -> Sql:
    """Return the column with the dotted names *parts*. Parts after the fourth are fields of a struct."""
    column: Sql = exp.Column(
        **dict(zip(("this", "table", "db", "catalog"), reversed(parts[:4]), strict=False))
    )
    for field in parts[4:]:
        column = exp.Dot(this=column, expression=field)
    return column


AT_IS_ABS = frozenset({"materialize", "postgres", "redshift", "risingwave"})
"""Dialects in which `@ a` is the absolute value of `a`. sqlglot parses a parameter."""
MOST_LEVELS = 1000
"""Maximum nesting: parentheses, brackets, CASE, and consecutive prefix operators."""
SHALLOW = 25
"""Number of levels up to which the caller's own stack is enough."""
FEW_JOINS, MOST_JOINS = 200, 3000
"""Limits for joins without a condition, at which the parser also recurses."""
FEW_TOKENS = 20_000
"""Longer texts may contain further constructs at which the parser recurses."""
TOKENS_PER_SECOND = 60_000 if IS_COMPILED else 20_000
"""Minimum speed of sqlglot's parser on a slow machine."""

_BYTE_ORDER_MARK = "\ufeff"
_TOKEN = re.compile(r"<Token token_type: .*?, text: (.*?), line: \d+, col: .*?>")
"""sqlglot's notation for the token at an error."""
_SILENCE = logging.NullHandler()

_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_PREFIXES = ("NOT", "DASH", "PLUS", "TILDA", "TILDE", "LT", "FROM")
_PREFIX = frozenset(kind for kind in TokenType if kind.name in _PREFIXES)
_GENERICS = ("ARRAY", "LIST", "MAP", "NULLABLE", "OBJECT", "ROW", "STRUCT")
_GENERIC = frozenset(kind for kind in TokenType if kind.name in _GENERICS)
"""Types with type parameters in angle brackets."""
_COUNTED = _OPENING | _CLOSING | _PREFIX | {TokenType.GT}


class ParsedStatement:
    """A query, with the column names that its statement sets."""

    def __init__(
        self,
        query: Sql,
        names: tuple[str, ...],
        target: str | None,
        variables: Mapping[str, Sql],
        created: Sequence[Created] = (),
        kind: str = "",
    ) -> None:
        self.query = query
        self.kind = kind
        """sqlglot's name of the statement in a script, such as `create` or `insert`."""
        self.created = created
        """Relations created by earlier statements, in order."""
        self.variables = variables
        """Variables declared by earlier statements, with their declarations."""
        self.names = names
        """Column names set by the statement, in order; empty if the query's own names count."""
        self.target = target
        """The relation that an INSERT without a column list writes."""


@lru_cache(maxsize=2)
def tokens_of(sql: str, dialect: str) -> list[Token]:
    """Return the tokens of *sql*, cached for both sides of a comparison. Callers must not change the list."""
    return list(Dialect.get_or_raise(dialect or None).tokenize(sql.removeprefix(_BYTE_ORDER_MARK)))


def parse(sql: str, dialect: str, deadline: Deadline) -> tuple[ParsedStatement, int]:
    """Return the query in *sql*, and its nesting depth.

    Raise SqlNotAnalysed if *sql* has no query, cannot be parsed, or is too deep or too long.
    """
    if not isinstance(sql, str):
        raise UsageError(f"sql must be a string, got {sql!r:.60}")
    sql = sql.removeprefix(_BYTE_ORDER_MARK)
    trees, levels = _trees(sql, dialect, deadline)
    for tree in reversed(trees):
        if tree is None:
            continue
        found = query_of(tree)
        if found is not None:
            return ParsedStatement(*found, _declared(trees), created_relations(trees, tree)), levels
        body = procedure_body(tree)
        # Only a shorter text, so that the recursion ends.
        if body is not None and len(body) < len(sql):
            return parse(body, dialect, deadline)
    raise SqlNotAnalysed("no statement yields columns")


def parse_all(sql: str, dialect: str, deadline: Deadline) -> tuple[list[ParsedStatement], int]:
    """Return every statement in *sql* that reads columns, and the nesting depth.

    Raise SqlNotAnalysed as `parse` does, and if a statement is not understood.
    """
    trees, levels = _trees(sql, dialect, deadline)
    found: list[ParsedStatement] = []
    for tree in trees:
        if tree is None:
            continue
        query = deletion_query(tree) or query_of(tree)
        body = procedure_body(tree)
        if query is not None:
            found.append(
                ParsedStatement(*query, _declared(trees), created_relations(trees, tree), kind=tree.key)
            )
        elif body is not None and len(body) < len(sql):
            found.append(parse(body, dialect, deadline)[0])
        elif isinstance(tree, exp.Command):
            raise SqlNotAnalysed(f"{tree.name or 'a statement'} is not supported")
    if not found:
        raise SqlNotAnalysed("no statement yields columns")
    return found, levels


def _trees(sql: str, dialect: str, deadline: Deadline) -> tuple[list[Sql | None], int]:
    reader = Dialect.get_or_raise(dialect or None)
    # sqlglot logs warnings about unknown statements. Without logging configuration, Python would print them
    # between our messages. A configured logger still receives them.
    logging.getLogger("sqlglot").addHandler(_SILENCE)
    try:
        written = tokens_of(sql, dialect)
        tokens = unambiguous(written, dialect)
    except STUMBLES as error:
        raise SqlNotAnalysed(f"does not parse: {_first_line(error)}") from error
    _check_size(tokens, deadline)
    kinds = [token.token_type for token in tokens]
    if dialect in AT_IS_ABS and ("@", TokenType.PARAMETER) in (
        (token.text, token.token_type) for token in tokens
    ):
        raise SqlNotAnalysed("does not parse: the operator @ is not supported")
    levels = levels_of(kinds)
    if levels > MOST_LEVELS:
        raise SqlNotAnalysed(f"nested deeper than {MOST_LEVELS} levels")
    joins = kinds.count(TokenType.JOIN)
    if joins > MOST_JOINS:
        raise SqlNotAnalysed(f"{joins:,} joins are too many to parse")
    needs_room = levels > SHALLOW or joins > FEW_JOINS or len(tokens) > FEW_TOKENS

    # One function, so that the time limit and the deep stack also hold for the walks over the trees.
    def parsed() -> list[Sql | None]:
        trees = list(reader.parser().parse(tokens, sql))
        may_name = may_name_relations(sql, dialect)
        for tree in trees:
            # Only the parser needs the added brackets. Lineage shows expressions as they were written.
            if tree is not None and len(tokens) > len(written):
                without_added_brackets(tree)
            if tree is not None and may_name:
                put_named_relations(tree, dialect)
            if tree is not None:
                reveal_columns(tree, dialect)
        return trees

    try:
        run = run_on_deep_stack if needs_room else run_with_timeout
        trees = run(parsed, deadline)
    # Before STUMBLES, which includes it, because its own message says nothing about the SQL.
    except RecursionError as error:
        raise SqlNotAnalysed("nested too deep to be parsed") from error
    except STUMBLES as error:
        raise SqlNotAnalysed(f"does not parse: {_first_line(error)}") from error
    deadline.check()
    return trees, levels


def _declared(trees: list[Sql | None]) -> dict[str, Sql]:
    """Return the variables that a script declares (BigQuery, Snowflake), by name."""
    return {
        name.name: item
        for tree in trees
        if type(tree).__name__ == "Declare" and tree is not None
        for item in tree.expressions
        for name in (item.this if isinstance(item.this, list) else [item.this])
    }


def _check_size(tokens: list[Token], deadline: Deadline) -> None:
    left = deadline.left
    if left is not None and len(tokens) > left * TOKENS_PER_SECOND:
        note_provisional()
        raise SqlNotAnalysed(
            f"{len(tokens):,} tokens are too many to parse in {deadline.timeout:g} s",
        )


def levels_of(kinds: list[TokenType]) -> int:
    """Return the maximum recursion depth of the parser over tokens of these *kinds*."""
    level = angles = deepest = run = 0
    before: TokenType | None = None
    for kind in kinds:
        if kind not in _COUNTED:
            run, before = 0, kind
            continue
        if kind in _OPENING:
            level += 1
        elif kind in _CLOSING:
            # Invalid text may close more than it opens.
            level -= level > 0
        # Elsewhere, `<` is a comparison and opens nothing.
        elif kind is TokenType.LT and before in _GENERIC:
            angles += 1
        elif angles and kind is TokenType.GT:
            angles -= 1
        if kind in _PREFIX:
            run += 1
        elif run and kind not in _OPENING:
            run = 0
        if level + angles + run > deepest:
            deepest = level + angles + run
        before = kind
    return deepest


def _first_line(error: Exception) -> str:
    details = getattr(error, "errors", None)
    if details:
        first = details[0]
        what, line, column = (first.get(key, "") for key in ("description", "line", "col"))
        return f"{_TOKEN.sub(_quoted, str(what)).rstrip('.')} (line {line}, column {column})"
    lines = str(error).splitlines() or [type(error).__name__]
    return _TOKEN.sub(_quoted, lines[0]).rstrip(".")


def _quoted(token: re.Match[str]) -> str:
    return f"'{token[1]}'" if token[1] not in ("", "SENTINEL") else "the end"
