"""Statements that contain a query or are equivalent to one.

A data-modifying statement with `RETURNING` is the SELECT that would yield its rows. PostgreSQL lets a CTE
insert, update, delete or merge. Rules:

- `DELETE` returns the old rows; `old.a` always means that.
- `UPDATE` and `MERGE` return the assigned values. Every other column is the target's.
- `INSERT` returns its query under the names of the target's columns. Columns that it does not fill are
  constants.
- After `ON CONFLICT DO UPDATE`, a column may also be the assigned value, or the row's previous value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sqlglot import exp

from recce_meta.sql_lineage.expressions import NODE, SET_OPERATION, arg, args, dotted, unwrapped
from recce_meta.warehouses.types import Sql

_QUERIES = (exp.Select, SET_OPERATION, exp.Subquery, exp.Values, exp.Pivot)
QueryWithNames = tuple[Sql, tuple[str, ...], "str | None"]
_FILLING = (exp.Create, exp.Insert, exp.Update, exp.Delete, exp.Merge)


_KEEPING = frozenset(["Analyze", "Comment", "Describe", "Grant", "Revoke", "Set"])
"""Statements that name a relation without changing it."""


class Created(NamedTuple):
    """A relation that a statement of a script creates."""

    name: str
    """Its dotted name, in lower case."""
    query: Sql | None
    """The query that fills it; None if unknown, or if several statements fill it."""
    columns: tuple[str, ...]
    """Column names set by the statement."""


def created_relations(trees: Sequence[Sql | None], last: Sql) -> tuple[Created, ...]:
    """Return the relations that the statements before *last* create and fill, in order."""
    found: list[Created] = []
    defined: dict[str, tuple[str, ...]] = {}
    for tree in trees:
        if tree is last:
            break
        if not isinstance(tree, _FILLING):
            found += [Created(name, None, ()) for name in defined if _may_change(tree, name)]
            continue
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        name = dotted(target).lower() if isinstance(target, exp.Table) else ""
        query = query_of(tree) if isinstance(tree, (exp.Create, exp.Insert)) else None
        if isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() in ("TABLE", "VIEW") and name:
            defined[name] = listed_columns(tree.this)
            if query is not None:
                found.append(Created(name, query[0], query[1]))
        elif name in defined:
            is_first = not any(one.name == name for one in found)
            names = listed_columns(tree.this) or defined[name]
            # After a second INSERT, the rows of the relation no longer come from one query.
            found.append(Created(name, query[0] if query and is_first and names else None, names))
    return tuple(found)


def _may_change(tree: Sql | None, name: str) -> bool:
    """Return whether *tree*, such as ALTER TABLE, may change the relation *name* or its columns."""
    if tree is None or isinstance(tree, exp.Command):
        # sqlglot leaves such a statement as text, so any mention of the name counts.
        return tree is None or name.rsplit(".", 1)[-1] in tree.sql().lower()
    if isinstance(tree, _QUERIES) or type(tree).__name__ in _KEEPING:
        return False
    return any(dotted(table).lower() == name for table in tree.find_all(exp.Table))


def query_of(tree: Sql) -> QueryWithNames | None:
    """Return the query in the statement *tree*, the names that its columns get, and the relation it fills."""
    if isinstance(tree, _QUERIES):
        return tree, (), None
    if type(tree).__name__ == "Summarize":
        rows = exp.Select(expressions=[exp.Star()]).from_(exp.Subquery(this=tree), copy=False)
        return rows, (), None
    if isinstance(tree, exp.Create):
        return _of_create(tree)
    if isinstance(tree, exp.Insert):
        return _of_insert(tree)
    if isinstance(tree, exp.Update):
        return _of_update(tree)
    if isinstance(tree, exp.Merge):
        return _of_merge(tree)
    if isinstance(tree, exp.Cache):
        return _nested(arg(tree, "expression"))
    if type(tree).__name__ == "Export":
        return _nested(arg(tree, "this"))
    if type(tree).__name__ == "Copy":
        return _of_copy(tree)
    return _of_several(tree) if type(tree).__name__ == "MultitableInserts" else None


def deletion_query(tree: Sql) -> QueryWithNames | None:
    """Return a SELECT without columns that reads what the DELETE *tree* depends on."""
    if not isinstance(tree, exp.Delete):
        return None
    # BigQuery's `DELETE t WHERE …` has its target where MySQL lists tables.
    target = [tree.this] if isinstance(tree.this, exp.Table) else args(tree, "tables")
    if not target:
        return None
    select = _select({}, [*target, *args(tree, "using")])
    for key in ("where", "with", "with_"):
        if tree.args.get(key) is not None:
            select.set(key, tree.args[key])
    return select, (), None


def _of_copy(tree: Sql) -> QueryWithNames | None:
    """Return the query that COPY writes to a file or stage, or the query that it fills a table with."""
    to_stage = isinstance(tree.this, exp.Table) and not isinstance(tree.this.this, exp.Identifier)
    sources = args(tree, "files") if tree.args.get("kind") or to_stage else [tree.this]
    for source in sources:
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            return exp.Select(expressions=[exp.Star()]).from_(source, copy=False), (), None
        if (found := query_of(source)) is not None:
            return found
    return None


def _nested(tree: Sql | None) -> QueryWithNames | None:
    return query_of(tree) if tree is not None else None


def _of_several(tree: Sql) -> QueryWithNames | None:
    """Return the first query of Hive's `FROM t INSERT … SELECT … INSERT …`."""
    source = arg(tree, "source")
    for insert in args(tree, "expressions"):
        query = arg(insert, "expression")
        if isinstance(insert, exp.Insert) and isinstance(query, exp.Select) and source is not None:
            if arg(query, "from") is None:
                query = query.from_(source, copy=False)
                insert.set("expression", query)
            return _of_insert(insert)
    return None


def procedure_body(tree: Sql) -> str | None:
    """Return the statements in *tree* that sqlglot left as text: the body of a procedure."""
    command = tree if isinstance(tree, exp.Command) else arg(tree, "expression")
    if not isinstance(command, exp.Command) or str(command.this).upper() != "BEGIN":
        return None
    body = command.args.get("expression")
    return str(body.name if isinstance(body, NODE) else body or "") or None


def _of_create(tree: Sql) -> QueryWithNames | None:
    query = arg(tree, "expression")
    if query is None or not isinstance(query, _QUERIES):
        return _nested(query)
    _move_with(tree, query)
    return query, listed_columns(tree.this), None


def _of_insert(tree: Sql) -> QueryWithNames | None:
    query = arg(tree, "expression")
    if query is None or not isinstance(query, _QUERIES):
        return None
    _move_with(tree, query)
    names = listed_columns(tree.this)
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    return query, names, dotted(target) if isinstance(target, exp.Table) else None


def listed_columns(target: Sql) -> tuple[str, ...]:
    """Return the columns listed after a statement's target, without constraints."""
    if not isinstance(target, exp.Schema):
        return ()
    columns = (exp.Identifier, exp.ColumnDef, exp.Column)
    return tuple(column.name for column in args(target, "expressions") if isinstance(column, columns))


def _move_with(tree: Sql, query: Sql) -> None:
    """Move the CTEs of the enclosing statement to *query*."""
    for key in ("with", "with_"):
        clause = tree.args.get(key)
        # sqlglot renamed this argument, so only one of the two spellings fits.
        if clause is not None and arg(query, "with") is None and key in query.arg_types:
            query.set(key, clause)


def _of_update(tree: Sql) -> QueryWithNames:
    assigned = assignments(tree)
    start = arg(tree, "from")
    others = [start.this] if start is not None else []
    target = tree.this
    joins = args(target, "joins") if isinstance(target, exp.Table) else []
    items = [*others] if _is_among(target, others) else [*others, target]
    if joins:
        items = [target]
    select = _select(assigned, items)
    where = arg(tree, "where")
    if where is not None:
        select.set("where", where)
    for key in ("with", "with_"):
        if tree.args.get(key) is not None:
            select.set(key, tree.args[key])
    return select, (), None


def _is_among(target: Sql, items: list[Sql]) -> bool:
    """Return whether *target* is the alias of an item in FROM, as SQL Server allows."""
    name = target.alias_or_name.lower()
    for item in items:
        within = [item, *(join.this for join in args(item, "joins"))]
        if any(each.alias_or_name.lower() == name for each in within):
            return True
    return False


def _of_merge(tree: Sql) -> QueryWithNames:
    target, source = tree.this, tree.args["using"]
    assigned = assignments(tree)
    conditions = [found for when in merge_branches(tree) if (found := arg(when, "condition")) is not None]
    if not assigned:
        # `UPDATE SET *`, `INSERT *`: the source's columns.
        select = exp.Select(
            expressions=[exp.Column(this=exp.Star(), table=exp.to_identifier(str(source.alias_or_name)))]
        )
        select = select.from_(source, copy=False)
        select.set("joins", [exp.Join(this=target, kind="CROSS")])
    else:
        select = _select(assigned, [source, target])
    on = arg(tree, "on")
    if on is not None:
        conditions.append(on)
    # Not equivalent to MERGE, but it reads the same columns, which is all that lineage needs.
    if conditions:
        select.set("where", exp.Where(this=exp.and_(*conditions, copy=False)))
    for key in ("with", "with_"):
        if tree.args.get(key) is not None:
            select.set(key, tree.args[key])
    return select, (), None


def assignments(tree: Sql) -> dict[str, list[Sql]]:
    """Return the values that *tree*, an UPDATE or a MERGE, assigns to columns, by column name."""
    if isinstance(tree, exp.Update):
        return _assignments(args(tree, "expressions"))
    assigned: dict[str, list[Sql]] = {}
    for when in merge_branches(tree):
        then = arg(when, "then")
        if isinstance(then, exp.Update):
            updates = _assignments(args(then, "expressions"))
        elif isinstance(then, exp.Insert):
            updates = _inserted(then)
        else:
            continue
        for name, values in updates.items():
            assigned.setdefault(name, []).extend(values)
    return assigned


def merge_branches(tree: Sql) -> list[Sql]:
    """Return the branches of *tree* if it is a MERGE, else none."""
    if not isinstance(tree, exp.Merge):
        return []
    whens = tree.args.get("whens")
    if isinstance(whens, NODE):
        return args(whens, "expressions")
    return args(tree, "expressions")


def _assignments(nodes: list[Sql]) -> dict[str, list[Sql]]:
    """Return the values that each column is set to, by column name."""
    values: dict[str, list[Sql]] = {}
    for node in nodes:
        if not isinstance(node, (exp.EQ, exp.PropertyEQ)):
            continue
        to, value = node.this, node.expression
        if isinstance(to, (exp.Tuple, exp.Paren)):
            names = args(to, "expressions") or [to.this]
            parts = args(value, "expressions") if isinstance(value, exp.Tuple) else [value] * len(names)
            for name, part in zip(names, parts, strict=False):
                values.setdefault(name.name, []).append(part)
        else:
            values.setdefault(to.name, []).append(value)
    return values


def _inserted(node: Sql) -> dict[str, list[Sql]]:
    names, values = node.this, arg(node, "expression")
    if not isinstance(names, NODE) or values is None:
        return {}
    pairs = zip(_items(names), _items(values), strict=False)
    return {name.name: [value] for name, value in pairs}


def _items(node: Sql) -> list[Sql]:
    return args(node, "expressions") if isinstance(node, (exp.Tuple, exp.Schema)) else [unwrapped(node)]


def _select(assigned: dict[str, list[Sql]], items: list[Sql]) -> exp.Select:
    """Return a SELECT of the assigned values. Several values for one column are combined in a COALESCE."""
    outputs = []
    for name, values in assigned.items():
        value = values[0] if len(values) == 1 else exp.Coalesce(this=values[0], expressions=values[1:])
        outputs.append(exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True)))
    select = exp.Select(expressions=outputs)
    select = select.from_(items[0], copy=False)
    if len(items) > 1:
        select.set("joins", [exp.Join(this=item, kind="CROSS") for item in items[1:]])
    return select


CHANGING = (exp.Insert, exp.Update, exp.Delete, exp.Merge)
"""Data-modifying statements."""
_RETURNING_QUERIES = (exp.Select, SET_OPERATION, exp.Subquery, exp.Values)
_INSERTED = "excluded"
"""The row to insert, as `ON CONFLICT` names it."""
_BEFORE, _AFTER = "old", "new"

ColumnsOfTable = Callable[[str], Sequence[str] | None]
"""Function from a dotted relation name to its columns; None if they are unknown."""


def returning_query(tree: Sql, columns: ColumnsOfTable) -> Sql | None:
    """Return the rows of the data-modifying statement *tree* as a query, or None if unknown.

    Without RETURNING, the query has no columns, but references the columns that the statement names.
    """
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(target, exp.Table):
        return None
    # The new query takes nodes out of both, and the caller may still need the statement.
    target, tree = target.copy(), tree.copy()
    clause = arg(tree, "returning") or exp.Returning(expressions=[exp.Null()])
    found = _inserted_rows(tree, target, columns) if isinstance(tree, exp.Insert) else _changed(tree, target)
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
    named += [condition for when in merge_branches(tree) if (condition := arg(when, "condition")) is not None]
    if named:
        # The statement fails without these columns, even if it does not return them. An ORDER BY without a
        # limit references them and has no other effect.
        select.set("order", exp.Order(expressions=named))
    for key in ("with", "with_"):
        if tree.args.get(key) is not None:
            select.set(key, tree.args[key])
    return select


def write_target(tree: Sql) -> tuple[str, list[str]]:
    """Return the relation that *tree* changes, and the columns that it fills or assigns."""
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if isinstance(tree, exp.Insert):
        conflict = arg(tree, "conflict")
        updates = args(conflict, "expressions") if conflict is not None else []
        names = [*listed_columns(tree.this), *(one.this.name for one in updates if isinstance(one, exp.EQ))]
    else:
        names = [] if isinstance(tree, exp.Delete) else list(assignments(tree))
    return (dotted(target) if isinstance(target, exp.Table) else ""), names


ReturningRelation = tuple[list[Sql], Mapping[str, Sql], Sequence[str]]
"""The items of FROM, the target's column values after the statement, and the columns of a `*`."""


def _changed(tree: Sql, target: Sql) -> ReturningRelation:
    """Return the relations that a DELETE, UPDATE or MERGE reads and the values it assigns."""
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
    values = {name.lower(): _one_of(given) for name, given in assignments(tree).items()}
    values = {name: exp.Null() if _is_default(value) else value for name, value in values.items()}
    if isinstance(tree, exp.Merge):
        for name, value in values.items():
            # The row may come from a branch that leaves this column as it was.
            values[name] = _one_of([value, _column(name, target.alias_or_name)])
    return items, values, ()


def _inserted_rows(tree: Sql, target: Sql, columns: ColumnsOfTable) -> ReturningRelation | None:
    query = arg(tree, "expression")
    all_names = columns(dotted(target)) or ()
    filled = listed_columns(tree.this) or all_names
    if not isinstance(query, _RETURNING_QUERIES) or not filled:
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
    """Return the outputs of *output*, an item of RETURNING, with *values* for the target's columns."""
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
    # A holder, because a node without a parent cannot be replaced.
    holder = exp.Paren(this=output)
    for column in list(holder.find_all(exp.Column)):
        name, qualifier = column.name.lower(), _table(column)
        if name in values and (not qualifier or qualifier in called):
            value = exp.Paren(this=values[name].copy())
            column.replace(_as(value, column.name) if column is output else value)
    return [holder.this]


def _renamed(output: Sql, target: str) -> Sql:
    """Return *output* with PostgreSQL's `old` and `new` replaced by the target's own name."""
    for column in list(output.find_all(exp.Column)):
        if _table(column) in (_BEFORE, _AFTER):
            column.set("table", exp.to_identifier(target))
    return output


def _table(column: Sql) -> str:
    """Return the qualifier of *column*, in lower case."""
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
