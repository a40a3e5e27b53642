"""Edits of a query that change nothing, by kind: what `diff` should call `none`.

Each takes a parsed query and gives an edited copy, or None if there is nothing to edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from sqlglot import exp, parse_one

Tree = Any
"""An expression of sqlglot."""
Edit = Callable[[Tree, Random], "Tree | None"]
NEW_NAMES = ("final", "source", "renamed", "joined", "q1", "q2", "q3", "zz")


def _names(tree: Tree) -> set[str]:
    return {name.name.lower() for name in tree.find_all(exp.Identifier)}


def _new_name(tree: Tree, random: Random) -> str:
    taken = _names(tree)
    free = [name for name in NEW_NAMES if name not in taken]
    return random.choice(free) if free else f"n{len(taken)}"


def _with(tree: Tree) -> Tree | None:
    return tree.args.get("with_") or tree.args.get("with")


def _set_with(tree: Tree, clause: Tree | None) -> None:
    tree.set("with_" if "with_" in exp.Select.arg_types else "with", clause)


def _star_of(name: str) -> Tree:
    return exp.select("*").from_(exp.to_identifier(name))


def _table(name: str) -> Tree:
    return exp.Table(this=exp.to_identifier(name))


def _cte(name: str, query: Tree) -> Tree:
    return exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(name)))


def is_ordered(tree: Tree) -> bool:
    """Whether the query has an ORDER BY that a query around it need not keep."""
    return bool(tree.args.get("order")) and not any(tree.args.get(name) for name in ("limit", "fetch"))


def wrap(tree: Tree, random: Random) -> Tree | None:
    """`with final as (…) select * from final`, `select * from (…)`, or chains of these."""
    if is_ordered(tree):
        return None
    edited = tree.copy()
    for _ in range(random.choice([1, 1, 2])):
        name = _new_name(edited, random)
        if random.random() < 0.3:
            edited = exp.select("*").from_(edited.subquery(name))
            continue
        around = _star_of(name)
        inner = _with(edited)
        if inner is not None and random.random() < 0.8:
            _set_with(edited, None)
            inner.append("expressions", _cte(name, edited))
            _set_with(around, inner)
        else:
            _set_with(around, exp.With(expressions=[_cte(name, edited)]))
        edited = around
    return edited


def inline(tree: Tree, random: Random) -> Tree | None:
    """Put the query of a CTE in the place of its name, everywhere."""
    edited = tree.copy()
    clause = _with(edited)
    if clause is None or clause.args.get("recursive"):
        return None
    places = list(range(len(clause.expressions)))
    random.shuffle(places)
    for place in places:
        cte = clause.expressions[place]
        later = {one.alias.lower() for one in clause.expressions[place:]}
        if any(table.name.lower() in later for table in cte.this.find_all(exp.Table)):
            continue
        if cte.args["alias"].args.get("columns") or list(edited.find_all(exp.With))[1:]:
            continue
        used = [table for table in edited.find_all(exp.Table) if _is(table, cte.alias)]
        if len(used) != 1 or any(used[0].args.get(name) for name in ("joins", "pivots", "sample")):
            continue
        used[0].replace(cte.this.copy().subquery(used[0].alias or cte.alias))
        clause.expressions.pop(place)
        if not clause.expressions:
            _set_with(edited, None)
        return edited
    return None


def _is(table: Tree, name: str) -> bool:
    return bool(table.name.lower() == name.lower() and not table.args.get("db"))


def split(tree: Tree, random: Random) -> Tree | None:
    """Import a table by a CTE of its own, or move the filter of a SELECT into a subquery."""
    edited = tree.copy()
    if random.random() < 0.4:
        selects = [one for one in edited.find_all(exp.Select) if _can_filter_below(one)]
        if selects:
            return _filter_below(edited, random.choice(selects), random)
    clause = _with(edited)
    ctes = {cte.alias.lower() for one in edited.find_all(exp.With) for cte in one.expressions}
    tables = [
        table
        for table in edited.find_all(exp.Table)
        if isinstance(table.parent, (exp.From, exp.Join))
        and isinstance(table.this, exp.Identifier)
        and table.name.lower() not in ctes
        and not any(table.args.get(name) for name in ("joins", "pivots", "sample", "laterals"))
    ]
    if not tables or (clause is not None and clause.args.get("recursive")):
        return None
    table = random.choice(tables)
    name = _new_name(edited, random)
    bare = exp.Table(**{part: table.args.get(part) for part in ("this", "db", "catalog")}).copy()
    imported = _cte(name, exp.select("*").from_(bare))
    table.replace(exp.alias_(_table(name), table.alias or table.name, table=True))
    if clause is not None:
        clause.expressions.insert(0, imported)
    else:
        _set_with(edited, exp.With(expressions=[imported]))
    return edited


def _can_filter_below(select: Tree) -> bool:
    source = select.args.get("from_") or select.args.get("from")
    return bool(
        select.args.get("where")
        and source is not None
        and isinstance(source.this, exp.Table)
        and not any(source.this.args.get(name) for name in ("joins", "pivots", "sample"))
        and not select.args.get("joins")
        and not select.args.get("laterals")
        and not isinstance(select.parent, (exp.Subquery, exp.Exists, exp.In))
    )


def _filter_below(edited: Tree, select: Tree, random: Random) -> Tree:
    source = select.args.get("from_") or select.args.get("from")
    table, where = source.this, select.args["where"]
    alias = table.alias or table.name
    inner = exp.select("*").from_(table.copy())
    inner.set("where", where.copy())
    select.set("where", None)
    table.replace(inner.subquery(alias))
    return edited


def rename_aliases(tree: Tree, random: Random) -> Tree | None:
    """Call a CTE or an item of FROM otherwise."""
    edited = tree.copy()
    ctes = [cte for one in edited.find_all(exp.With) for cte in one.expressions]
    aliases = [
        item
        for kind in (exp.Table, exp.Subquery)
        for item in edited.find_all(kind)
        if item.alias and isinstance(item.parent, (exp.From, exp.Join))
    ]
    counted = Counter(name.name.lower() for name in edited.find_all(exp.Identifier) if _is_alias(name))
    ctes = [cte for cte in ctes if counted[cte.alias.lower()] == 1 and not _is_qualifier(edited, cte.alias)]
    aliases = [item for item in aliases if counted[item.alias.lower()] == 1]
    columns = {column.name.lower() for column in edited.find_all(exp.Column)}
    tables = {table.name.lower() for table in edited.find_all(exp.Table)}
    aliases = [item for item in aliases if item.alias.lower() not in columns | tables]
    if not ctes and not aliases:
        return None
    new = _new_name(edited, random)
    if aliases and (not ctes or random.random() < 0.5):
        item = random.choice(aliases)
        old = item.alias.lower()
        for column in edited.find_all(exp.Column):
            if column.table.lower() == old:
                column.set("table", exp.to_identifier(new))
        item.args["alias"].set("this", exp.to_identifier(new))
        return edited
    cte = random.choice(ctes)
    old = cte.alias
    for table in edited.find_all(exp.Table):
        if _is(table, old):
            alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(old))
            table.replace(exp.Table(this=exp.to_identifier(new), alias=alias.copy()))
    cte.args["alias"].set("this", exp.to_identifier(new))
    return edited


def _is_alias(name: Tree) -> bool:
    return isinstance(name.parent, exp.TableAlias) and name.arg_key == "this"


def _is_qualifier(tree: Tree, name: str) -> bool:
    tables = Counter(table.name.lower() for table in tree.find_all(exp.Table) if not table.alias)
    return tables[name.lower()] > 1


def reorder(tree: Tree, random: Random) -> Tree | None:
    """Swap the sides of `and`, `or`, `=`, `<>` and `*`, and turn `<` round."""
    edited = tree.copy()
    turned = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE}
    kinds = (exp.And, exp.Or, exp.EQ, exp.NEQ, exp.Mul, *turned)
    found = [
        node for node in edited.find_all(*kinds) if not isinstance(node.parent, (exp.PropertyEQ, exp.Set))
    ]
    found = [node for node in found if node.expression.find(exp.Any, exp.All) is None]
    if not found:
        return None
    for node in random.sample(found, min(len(found), random.randint(1, 3))):
        one, other = node.this, node.expression
        if node.__class__ in turned:
            node.replace(turned[node.__class__](this=_bracketed(other), expression=_bracketed(one)))
        else:
            node.set("this", _bracketed(other))
            node.set("expression", _bracketed(one))
    return edited


def _bracketed(node: Tree) -> Tree:
    is_simple = isinstance(node, (exp.Column, exp.Literal, exp.Paren, exp.Func, exp.Subquery, exp.Tuple))
    return node if is_simple else exp.Paren(this=node)


def reorder_lists(tree: Tree, random: Random) -> Tree | None:
    """Shuffle the values of IN lists, and repeat one."""
    edited = tree.copy()
    lists = [node for node in edited.find_all(exp.In) if len(node.expressions) > 1]
    if not lists:
        return None
    for node in lists:
        values = list(node.expressions)
        random.shuffle(values)
        if isinstance(values[0], exp.Literal) and random.random() < 0.5:
            values.append(values[0].copy())
        node.set("expressions", values)
    return edited


def add_true(tree: Tree, random: Random) -> Tree | None:
    """Add `where true` or `where 1 = 1`, alone or before a condition."""
    edited = tree.copy()
    selects = [one for one in edited.find_all(exp.Select) if one.args.get("from_") or one.args.get("from")]
    if not selects:
        return None
    select = random.choice(selects)
    always = parse_one(random.choice(["true", "1 = 1"]))
    where = select.args.get("where")
    if where is None:
        select.set("where", exp.Where(this=always))
    else:
        where.set("this", exp.And(this=always, expression=_bracketed(where.this)))
    return edited


def negate(tree: Tree, random: Random) -> Tree | None:
    """Write a condition as the negation of its opposite, or a BETWEEN as two comparisons."""
    edited = tree.copy()
    opposite = {
        exp.EQ: exp.NEQ, exp.NEQ: exp.EQ,
        exp.GT: exp.LTE, exp.LTE: exp.GT, exp.LT: exp.GTE, exp.GTE: exp.LT,
        exp.And: exp.Or, exp.Or: exp.And,
    }  # fmt: skip
    found = [
        node
        for node in edited.find_all(exp.Between, *opposite)
        if node.find(exp.Any, exp.All) is None and not isinstance(node.parent, (exp.PropertyEQ, exp.Set))
    ]
    if not found:
        return None
    # The last one found is inside of the others.
    for node in random.sample(found, min(len(found), random.randint(1, 3))):
        if isinstance(node, exp.Between):
            low, high = (_bracketed(node.args[name]) for name in ("low", "high"))
            sides = exp.GTE(this=node.this.copy(), expression=low), exp.LTE(this=node.this, expression=high)
            node.replace(exp.Paren(this=exp.And(this=sides[0], expression=sides[1])))
            continue
        one, other = _bracketed(node.this), _bracketed(node.expression)
        if isinstance(node, (exp.And, exp.Or)):
            one, other = exp.Not(this=exp.Paren(this=one)), exp.Not(this=exp.Paren(this=other))
        denied = exp.Paren(this=opposite[node.__class__](this=one, expression=other))
        node.replace(exp.Paren(this=exp.Not(this=denied)))
    return edited


KINDS: dict[str, Edit] = {
    "wrap": wrap,
    "inline": inline,
    "split": split,
    "alias renamed": rename_aliases,
    "predicates reordered": reorder,
    "IN list reordered": reorder_lists,
    "where true": add_true,
    "condition negated": negate,
}
