"""Columns that sqlglot leaves as bare identifiers, made columns before names are looked up.

Rules of this module:

- A bare identifier is a name that something declares or is called by, if it stands at one of `NAMES`.
- A bare identifier in a lambda is its parameter, if the lambda has one of that name.
- Before a function, `a.b.f(…)`, it is a column if the dialect calls functions as methods, or if a relation of
  the query is called so. Else it is a schema.
- Any other is a column. sqlglot takes columns apart before each call of a method: `(a || b).lower()`.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.graph.columns.tree import NODE

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
"""Places, as class and argument, of identifiers that name what the query makes or calls, and no column."""
_FORMATS = "format"
_HOLDERS = (exp.Column, exp.Table)
_CHILDLESS = frozenset({bool, str, type(None), exp.Boolean, exp.Literal, exp.Null})
"""Classes of arguments that hold no identifier."""
CALLING_METHODS = frozenset({"duckdb"})
"""Dialects in which `a.f()` calls `f(a)`.

https://duckdb.org/docs/stable/sql/functions/overview#function-chaining-via-the-dot-operator
"""
METHODS = {"tsql": frozenset("exist modify nodes query value".split())}
"""Methods of types, where other functions are qualified by their schema.

https://learn.microsoft.com/en-us/sql/t-sql/xml/xml-data-type-methods
"""
SCHEMAS_OF_FUNCTIONS = frozenset({"information_schema", "main", "pg_catalog", "system"})


def reveal_columns(tree: Sql, dialect: str) -> None:
    """Put columns into *tree* in the place of bare identifiers that stand for some."""
    bare, numbered = _found(tree)
    for column in numbered:
        _take_apart(column)
    if not bare:
        return
    relations: set[str] | None = None
    for identifier in bare:
        path = _path(identifier)
        if path is identifier and isinstance(path.parent, exp.Dot) and path.arg_key == "expression":
            continue  # a field of what stands before it
        if isinstance(path.parent, exp.Column):
            _take_apart(path.parent)
            continue
        if isinstance(path.parent, exp.Table) or _is_parameter(identifier):
            continue
        if isinstance(path.parent, exp.Dot) and path.arg_key == "this":
            relations = _relations(tree) if relations is None else relations
            if not _is_before_method(path, identifier, relations, dialect):
                continue
        path.replace(_column(path.copy()))


def _found(tree: Sql) -> tuple[list[Sql], list[Sql]]:
    """Return the bare identifiers in *tree* that name nothing, and the columns that a literal names."""
    bare: list[Sql] = []
    numbered: list[Sql] = []
    stack: list[Any] = [tree]  # arguments: nodes, lists of nodes, and words
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
            continue  # its other parts are identifiers, too
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
    """Return True if *identifier* stands where names are declared or called by."""
    key = identifier.arg_key or ""
    return key == _FORMATS or (type(identifier.parent).__name__, key) in NAMES or _names_pivoted(identifier)


def _names_pivoted(identifier: Sql) -> bool:
    """Return True if *identifier* names columns of a PIVOT or UNPIVOT, which are read there."""
    around = identifier.parent
    while isinstance(around, (exp.In, exp.Tuple, exp.Alias)):
        around = around.parent
    return isinstance(around, exp.Pivot)


def _path(identifier: Sql) -> Sql:
    """Return the dotted names that begin with *identifier*: itself, if nothing follows it."""
    path = identifier
    while (
        isinstance(around := path.parent, exp.Dot)
        and around.this is path
        and isinstance(around.expression, exp.Identifier)
    ):
        path = around
    return path


def _is_parameter(identifier: Sql) -> bool:
    """Return True if a lambda around *identifier* has a parameter of its name."""
    name, around = identifier.name.lower(), identifier.parent
    while around is not None:
        if isinstance(around, exp.Lambda) and any(one.name.lower() == name for one in around.expressions):
            return True
        around = around.parent
    return False


def _is_before_method(path: Sql, root: Sql, relations: set[str], dialect: str) -> bool:
    """Return True if *path* is what a method is called of, and no schema of a function."""
    name = root.name.lower()
    method = path.parent.expression.name.lower() if path.parent is not None else ""
    if path is not root and name in relations:
        return True
    if method in METHODS.get(dialect, ()):
        return True
    return dialect in CALLING_METHODS and name not in SCHEMAS_OF_FUNCTIONS


def _relations(tree: Sql) -> set[str]:
    """Return the names, in lower case, by which relations in *tree* are called."""
    found = {alias.name.lower() for alias in tree.find_all(exp.TableAlias)}
    return found | {table.name.lower() for table in tree.find_all(exp.Table)}


def _column(path: Sql) -> Sql:
    """Return the column that the dotted names of *path* mean."""
    parts: list[Sql] = []
    while isinstance(path, exp.Dot):
        parts.append(path.expression)
        path = path.this
    return _column_of([path, *reversed(parts)])


def _column_of(parts: list[Sql]) -> Sql:
    """Return the column with the dotted names *parts*: more than four are fields of a struct."""
    column: Sql = exp.Column(
        **dict(zip(("this", "table", "db", "catalog"), reversed(parts[:4]), strict=False))
    )
    for field in parts[4:]:
        column = exp.Dot(this=column, expression=field)
    return column
