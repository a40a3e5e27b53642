"""Statements that hold a query, or mean one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.graph.columns.tree import NODE, SET_OPERATION, arg, args, dotted, unwrapped

_QUERIES = (exp.Select, SET_OPERATION, exp.Subquery, exp.Values, exp.Pivot)
Found = tuple[Sql, tuple[str, ...], "str | None"]
_FILLING = (exp.Create, exp.Insert, exp.Update, exp.Delete, exp.Merge)


_KEEPING = frozenset(["Analyze", "Comment", "Describe", "Grant", "Revoke", "Set"])
"""Statements that name a relation and leave it as it is."""


class Created(NamedTuple):
    """A relation that a statement of a script creates."""

    name: str
    """Its dotted name, in lower case."""
    query: Sql | None
    """The query that fills it; None if that is not known, or if several statements do."""
    columns: tuple[str, ...]
    """The names that the statement gives to its columns."""


def created_by(trees: Sequence[Sql | None], last: Sql) -> tuple[Created, ...]:
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
            defined[name] = listed(tree.this)
            if query is not None:
                found.append(Created(name, query[0], query[1]))
        elif name in defined:
            is_first = not any(one.name == name for one in found)
            names = listed(tree.this) or defined[name]
            found.append(Created(name, query[0] if query and is_first and names else None, names))
    return tuple(found)


def _may_change(tree: Sql | None, name: str) -> bool:
    """Return whether *tree*, such as ALTER TABLE, may change the relation *name* or its columns."""
    if tree is None or isinstance(tree, exp.Command):
        return tree is None or name.rsplit(".", 1)[-1] in tree.sql().lower()
    if isinstance(tree, _QUERIES) or type(tree).__name__ in _KEEPING:
        return False
    return any(dotted(table).lower() == name for table in tree.find_all(exp.Table))


def query_of(tree: Sql) -> Found | None:
    """The query in the statement *tree*, the names that its columns get, and the relation it fills."""
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


def deleted_by(tree: Sql) -> Found | None:
    """Return a SELECT of nothing that reads what *tree*, a DELETE, decides by."""
    if not isinstance(tree, exp.Delete):
        return None
    # BigQuery's `DELETE t WHERE …` has its target in the list of MySQL.
    target = [tree.this] if isinstance(tree.this, exp.Table) else args(tree, "tables")
    if not target:
        return None
    select = _select({}, [*target, *args(tree, "using")])
    for key in ("where", "with", "with_"):
        if tree.args.get(key) is not None:
            select.set(key, tree.args[key])
    return select, (), None


def _of_copy(tree: Sql) -> Found | None:
    """Return what COPY writes to a file or stage, or the query that it fills a table with."""
    to_stage = isinstance(tree.this, exp.Table) and not isinstance(tree.this.this, exp.Identifier)
    sources = args(tree, "files") if tree.args.get("kind") or to_stage else [tree.this]
    for source in sources:
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            return exp.Select(expressions=[exp.Star()]).from_(source, copy=False), (), None
        if (found := query_of(source)) is not None:
            return found
    return None


def _nested(tree: Sql | None) -> Found | None:
    return query_of(tree) if tree is not None else None


def _of_several(tree: Sql) -> Found | None:
    """Hive's `FROM t INSERT … SELECT … INSERT …`: the first of them."""
    source = arg(tree, "source")
    for insert in args(tree, "expressions"):
        query = arg(insert, "expression")
        if isinstance(insert, exp.Insert) and isinstance(query, exp.Select) and source is not None:
            if arg(query, "from") is None:
                query = query.from_(source, copy=False)
                insert.set("expression", query)
            return _of_insert(insert)
    return None


def text_within(tree: Sql) -> str | None:
    """The statements that sqlglot left as text in *tree*: the body of a procedure."""
    command = tree if isinstance(tree, exp.Command) else arg(tree, "expression")
    if not isinstance(command, exp.Command) or str(command.this).upper() != "BEGIN":
        return None
    body = command.args.get("expression")
    return str(body.name if isinstance(body, NODE) else body or "") or None


def _of_create(tree: Sql) -> Found | None:
    query = arg(tree, "expression")
    if query is None or not isinstance(query, _QUERIES):
        return _nested(query)
    _move_with(tree, query)
    return query, listed(tree.this), None


def _of_insert(tree: Sql) -> Found | None:
    query = arg(tree, "expression")
    if query is None or not isinstance(query, _QUERIES):
        return None
    _move_with(tree, query)
    names = listed(tree.this)
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    return query, names, dotted(target) if isinstance(target, exp.Table) else None


def listed(target: Sql) -> tuple[str, ...]:
    """The columns that a statement lists behind its target, without constraints."""
    if not isinstance(target, exp.Schema):
        return ()
    columns = (exp.Identifier, exp.ColumnDef, exp.Column)
    return tuple(column.name for column in args(target, "expressions") if isinstance(column, columns))


def _move_with(tree: Sql, query: Sql) -> None:
    """Give *query* the CTEs that stand before the statement around it."""
    for key in ("with", "with_"):
        clause = tree.args.get(key)
        if clause is not None and arg(query, "with") is None and key in query.arg_types:
            query.set(key, clause)


def _of_update(tree: Sql) -> Found:
    assigned = assigned_by(tree)
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
    """Whether *target* is the alias of something that FROM reads: SQL Server's way to say it."""
    name = target.alias_or_name.lower()
    for item in items:
        within = [item, *(join.this for join in args(item, "joins"))]
        if any(each.alias_or_name.lower() == name for each in within):
            return True
    return False


def _of_merge(tree: Sql) -> Found:
    target, source = tree.this, tree.args["using"]
    assigned = assigned_by(tree)
    conditions = [found for when in whens_of(tree) if (found := arg(when, "condition")) is not None]
    if not assigned:
        # `UPDATE SET *`, `INSERT *`: the source's columns.
        select = exp.Select(
            expressions=[exp.Column(this=exp.Star(), table=exp.to_identifier(_called(source)))]
        )
        select = select.from_(source, copy=False)
        select.set("joins", [exp.Join(this=target, kind="CROSS")])
    else:
        select = _select(assigned, [source, target])
    on = arg(tree, "on")
    if on is not None:
        conditions.append(on)
    if conditions:
        select.set("where", exp.Where(this=exp.and_(*conditions, copy=False)))
    for key in ("with", "with_"):
        if tree.args.get(key) is not None:
            select.set(key, tree.args[key])
    return select, (), None


def assigned_by(tree: Sql) -> dict[str, list[Sql]]:
    """Return the values that *tree*, an UPDATE or a MERGE, gives to columns, by the column's name."""
    if isinstance(tree, exp.Update):
        return _assignments(args(tree, "expressions"))
    assigned: dict[str, list[Sql]] = {}
    for when in whens_of(tree):
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


def _called(source: Sql) -> str:
    return str(source.alias_or_name)


def whens_of(tree: Sql) -> list[Sql]:
    """Return the branches of *tree*, a MERGE; none of another statement."""
    if not isinstance(tree, exp.Merge):
        return []
    whens = tree.args.get("whens")
    if isinstance(whens, NODE):
        return args(whens, "expressions")
    return args(tree, "expressions")


def _assignments(nodes: list[Sql]) -> dict[str, list[Sql]]:
    """The values that each column is set to, by the column's name."""
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
    """A SELECT of what is assigned; several values for one column meet in a COALESCE."""
    outputs = []
    for name, values in assigned.items():
        value = values[0] if len(values) == 1 else exp.Coalesce(this=values[0], expressions=values[1:])
        outputs.append(exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True)))
    select = exp.Select(expressions=outputs)
    select = select.from_(items[0], copy=False)
    if len(items) > 1:
        select.set("joins", [exp.Join(this=item, kind="CROSS") for item in items[1:]])
    return select
