"""`RETURNING`: the rows of a statement that changes data, as the SELECT that would yield them.

PostgreSQL lets a CTE insert, update, delete or merge. Rules of this module:

- `DELETE` returns rows as they were; `old.a` always means that.
- `UPDATE` and `MERGE` return what they assign. Every other column is the target's.
- `INSERT` returns its query under the names of the target's columns. Columns that it does not fill are
  constants.
- Behind `ON CONFLICT DO UPDATE`, a column may also be what is assigned there, or what the row had before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.graph.columns.statements import assigned_by, listed, whens_of
from recce_meta.graph.columns.tree import SET_OPERATION, arg, args, dotted

CHANGING = (exp.Insert, exp.Update, exp.Delete, exp.Merge)
"""Statements that change data."""
_QUERIES = (exp.Select, SET_OPERATION, exp.Subquery, exp.Values)
_INSERTED = "excluded"
"""What `ON CONFLICT` calls the row that was to be inserted."""
_BEFORE, _AFTER = "old", "new"

Columns = Callable[[str], Sequence[str] | None]
"""The columns of a relation by its dotted name; None if they are not known."""


def returned(tree: Sql, columns: Columns) -> Sql | None:
    """Return the rows of *tree*, which changes data, as a query of its own; None if that cannot be known.

    Without RETURNING it is a query of no column, which names what the statement names.
    """
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(target, exp.Table):
        return None
    target, tree = target.copy(), tree.copy()
    clause = arg(tree, "returning") or exp.Returning(expressions=[exp.Null()])
    found = _inserted(tree, target, columns) if isinstance(tree, exp.Insert) else _changed(tree, target)
    if found is None:
        return None
    items, values, names = found
    called = {target.alias_or_name.lower(), _AFTER}
    outputs: list[Sql] = []
    for output in args(clause, "expressions"):
        outputs += _output(output, called, values, names, items)
    select = exp.Select(expressions=[_renamed(output, target.alias_or_name) for output in outputs])
    select = select.from_(items[0], copy=False)
    select.set("joins", [exp.Join(this=item, kind="CROSS") for item in items[1:]])
    where = arg(tree, "where")
    if where is not None:
        select.set("where", where)
    if (on := arg(tree, "on")) is not None:
        select.set("where", exp.Where(this=on))
    named = [value.copy() for value in values.values() if not isinstance(value, exp.Null)]
    named += [condition for when in whens_of(tree) if (condition := arg(when, "condition")) is not None]
    if named:
        # It fails without what it assigns, returned or not. An order without a limit has no other effect.
        select.set("order", exp.Order(expressions=named))
    for key in ("with", "with_"):
        if tree.args.get(key) is not None:
            select.set(key, tree.args[key])
    return select


def written(tree: Sql) -> tuple[str, list[str]]:
    """Return the relation that *tree* changes, and the columns that it names as those to fill."""
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if isinstance(tree, exp.Insert):
        conflict = arg(tree, "conflict")
        updates = args(conflict, "expressions") if conflict is not None else []
        names = [*listed(tree.this), *(one.this.name for one in updates if isinstance(one, exp.EQ))]
    else:
        names = [] if isinstance(tree, exp.Delete) else list(assigned_by(tree))
    return (dotted(target) if isinstance(target, exp.Table) else ""), names


Found = tuple[list[Sql], Mapping[str, Sql], Sequence[str]]
"""The items of FROM, the values of the target's columns after the statement, and the columns of a `*`."""


def _changed(tree: Sql, target: Sql) -> Found:
    """Return what a DELETE, UPDATE or MERGE reads and assigns."""
    if isinstance(tree, exp.Delete):
        others = args(tree, "using")
        return [target, *others], {}, ()
    start = arg(tree, "from")
    others = [start.this] if start is not None else []
    if isinstance(tree, exp.Merge):
        # `*` yields the source's columns first.
        others = []
        items = [tree.args["using"], target]
    else:
        items = [target, *others]
    values = {name.lower(): _one_of(given) for name, given in assigned_by(tree).items()}
    values = {name: exp.Null() if _is_default(value) else value for name, value in values.items()}
    if isinstance(tree, exp.Merge):
        for name, value in values.items():
            values[name] = _one_of([value, _column(name, target.alias_or_name)])
    return items, values, ()


def _inserted(tree: Sql, target: Sql, columns: Columns) -> Found | None:
    query = arg(tree, "expression")
    all_names = columns(dotted(target)) or ()
    filled = listed(tree.this) or all_names
    if not isinstance(query, _QUERIES) or not filled:
        return None
    names = [exp.to_identifier(name, quoted=True) for name in filled]
    inner = query.this if isinstance(query, exp.Subquery) and not query.alias else query
    alias = exp.TableAlias(this=exp.to_identifier(_INSERTED), columns=names)
    rows = exp.Subquery(this=inner, alias=alias)
    values: dict[str, Sql] = {name.lower(): exp.Null() for name in all_names}
    values |= {name.lower(): _column(name, _INSERTED) for name in filled}
    items: list[Sql] = [rows]
    conflict = arg(tree, "conflict")
    updates = args(conflict, "expressions") if conflict is not None else []
    if updates:
        items.append(target)
        assigned = {one.this.name.lower(): one.expression for one in updates if isinstance(one, exp.EQ)}
        for name, value in values.items():
            kept = _column(name, target.alias_or_name)
            values[name] = _one_of([value, *([assigned[name]] if name in assigned else []), kept])
    return items, values, all_names or filled


def _output(
    output: Sql, called: set[str], values: Mapping[str, Sql], names: Sequence[str], items: Sequence[Sql]
) -> list[Sql]:
    """Return what *output*, an item of RETURNING, yields, with *values* for the target's columns."""
    is_star = isinstance(output, exp.Star)
    if is_star or (isinstance(output, exp.Column) and isinstance(output.this, exp.Star)):
        qualifier = "" if is_star else _table(output)
        if names and (is_star or qualifier in called):
            return [_as(values[name.lower()].copy(), name) for name in names]
        replaced = [_as(value.copy(), name) for name, value in values.items()]
        if is_star:
            return [
                part
                for item in items
                for part in _output(
                    exp.Column(this=exp.Star(), table=exp.to_identifier(item.alias_or_name)),
                    called,
                    values,
                    names,
                    items,
                )
            ]
        if qualifier in called and replaced:
            output.this.set("replace" if "replace" in exp.Star.arg_types else "replace_", replaced)
        return [output]
    holder = exp.Paren(this=output)
    for column in list(holder.find_all(exp.Column)):
        name, qualifier = column.name.lower(), _table(column)
        if name in values and (not qualifier or qualifier in called):
            value = exp.Paren(this=values[name].copy())
            column.replace(_as(value, column.name) if column is output else value)
    return [holder.this]


def _renamed(output: Sql, target: str) -> Sql:
    """Return *output* with the target's own name for PostgreSQL's `old` and `new`."""
    for column in list(output.find_all(exp.Column)):
        if _table(column) in (_BEFORE, _AFTER):
            column.set("table", exp.to_identifier(target))
    return output


def _table(column: Sql) -> str:
    """The name that qualifies *column*, in lower case."""
    table = arg(column, "table")
    return table.name.lower() if table is not None else ""


def _is_default(value: Sql) -> bool:
    return isinstance(value, exp.Column) and not _table(value) and value.name.upper() == "DEFAULT"


def _column(name: str, table: str) -> Sql:
    return exp.Column(this=exp.to_identifier(name, quoted=True), table=exp.to_identifier(table))


def _as(value: Sql, name: str) -> Sql:
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


def _one_of(values: Sequence[Sql]) -> Sql:
    copied = [value.copy() for value in values]
    return copied[0] if len(copied) == 1 else exp.Coalesce(this=copied[0], expressions=copied[1:])
