"""Edits of a query that look like a wrap or another harmless edit, and may change rows or values.

Each takes a parsed query and gives an edited copy, or None if there is nothing to edit.
"""

from __future__ import annotations

from random import Random

from sqlglot import exp, parse_one

from tests.property.harmless_edits import Edit, Tree

COLUMNS = ("a", "b", "d", "id", "x", "y")
TABLES = ("t", "u", "v")


def _sql(text: str) -> Tree:
    return parse_one(text, dialect="duckdb")


def _around(tree: Tree, text: str) -> Tree:
    """*text* over `q`, which is the query."""
    around = _sql(text)
    for table in around.find_all(exp.Table):
        if table.name == "q":
            table.replace(tree.copy().subquery("q"))
            break
    return around


def _column(tree: Tree, random: Random) -> str:
    names = [name for name in tree.named_selects if name.isidentifier()]
    return random.choice(names or COLUMNS)


def _selects(tree: Tree) -> list[Tree]:
    return list(tree.find_all(exp.Select))


def wrap_and_change(tree: Tree, random: Random) -> Tree | None:
    """Wrap the query, and filter, cut, count, group or join around it."""
    one, other = _column(tree, random), _column(tree, random)
    table = random.choice(TABLES)
    return _around(
        tree,
        random.choice(
            [
                f"select * from q where {one} > 1",
                f"select * from q where {one} = {other}",
                f"select * from q where {one} is not null or {other} > 0",
                f"select * from q order by all limit {random.randint(1, 4)}",
                "select distinct * from q",
                f"select distinct {one} from q",
                "select *, count(*) over () as w from q",
                f"select *, rank() over (order by {one}) as {other} from q",
                f"select *, sum({one}) over (partition by {other}) as x from q",
                f"select {one}, count(*) as {other} from q group by {one}",
                f"select max({one}) as {one} from q",
                f"select sum({one}) as {one} from q group by {other}",
                f"select q.* from q, {table}",
                f"select q.* from q left join {table} on {table}.a = q.{one}",
                f"select {table}.* from q join {table} on {table}.a = q.{one}",
                f"select * exclude ({one}) from q",
                f"select * replace ({one} + 1 as {one}) from q",
                f"select * replace ({other} as {one}) from q",
                f"select {one} as {other}, {other} as {one} from q",
                "select * from q union all select * from q",
                "select * from q union select * from q",
                f"select * from q qualify rank() over (order by {one}) < 3",
                f"select * from (select *, rank() over (order by {one}) as r from q) where r < 3",
                f"select * from (select *, count(*) over () as r from q where {one} > 0)",
                f"select * from (select *, count(*) over () as r from q) where {one} > 0",
            ]
        ),
    )


def move_filter(tree: Tree, random: Random) -> Tree | None:
    """Filter around a query rather than in it, or in a subquery rather than around it."""
    edited = tree.copy()
    selects = [one for one in _selects(edited) if one.args.get("where")]
    if not selects:
        return None
    select = random.choice(selects)
    where = select.args["where"]
    source = (select.args.get("from_") or select.args.get("from")).this
    if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Select) and random.random() < 0.6:
        below = source.this
        moved = where.this.copy()
        for column in moved.find_all(exp.Column):
            column.set("table", None)
        select.set("where", None)
        below.set("where", exp.Where(this=_and(below.args.get("where"), moved)))
        return edited
    moved = where.this.copy()
    for column in moved.find_all(exp.Column):
        column.set("table", None)
    bare = select.copy()
    bare.set("where", None)
    around = exp.select("*").from_(bare.subquery("q"))
    around.set("where", exp.Where(this=moved))
    if select is edited:
        return around
    select.replace(around)
    return edited


def _and(where: Tree | None, moved: Tree) -> Tree:
    if where is None:
        return moved
    return exp.And(this=exp.Paren(this=where.this.copy()), expression=exp.Paren(this=moved))


def move_clause(tree: Tree, random: Random) -> Tree | None:
    """Move DISTINCT, HAVING, QUALIFY, GROUP BY, or ORDER BY with LIMIT, to the query around or below."""
    edited = tree.copy()
    groups = (("distinct",), ("qualify",), ("order", "limit"), ("having",), ("group", "having"))
    found = [(one, names) for one in _selects(edited) for names in groups if one.args.get(names[0])]
    if not found:
        return None
    select, names = random.choice(found)
    source = (select.args.get("from_") or select.args.get("from")).this
    if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Select) and random.random() < 0.6:
        for name in names:
            source.this.set(name, select.args.get(name))
            select.set(name, None)
        return edited
    bare = select.copy()
    around = exp.select("*").from_(bare.subquery("q"))
    for name in names:
        around.set(name, bare.args.get(name))
        bare.set(name, None)
    if "having" in names and "group" not in names:
        around.set("where", exp.Where(this=around.args["having"].this))
        around.set("having", None)
    if select is edited:
        return around
    select.replace(around)
    return edited


def move_expression(tree: Tree, random: Random) -> Tree | None:
    """Compute an expression of the select list in a query around, or in a subquery."""
    edited = tree.copy()
    selects = [one for one in _selects(edited) if one.args.get("from_") or one.args.get("from")]
    select = random.choice(selects)
    made = _sql(
        "select "
        + random.choice(
            [
                "count(*) over () as w",
                f"rank() over (order by {random.choice(COLUMNS)}) as w",
                f"sum({random.choice(COLUMNS)}) over (partition by {random.choice(COLUMNS)}) as w",
                f"max({random.choice(COLUMNS)}) over () as {random.choice(COLUMNS)}",
                f"{random.choice(COLUMNS)} + 1 as {random.choice(COLUMNS)}",
            ]
        )
    ).expressions[0]
    if random.random() < 0.5:
        select.append("expressions", made)
        return edited
    around = exp.select("*").from_(select.copy().subquery("q"))
    around.append("expressions", made)
    if select is edited:
        return around
    select.replace(around)
    return edited


def move_join_condition(tree: Tree, random: Random) -> Tree | None:
    """Move a condition between ON, WHERE and a joined subquery."""
    edited = tree.copy()
    joins = [join for join in edited.find_all(exp.Join) if join.args.get("on") and join.this.alias_or_name]
    if not joins:
        return None
    join = random.choice(joins)
    alias = join.this.alias_or_name
    names = [c.name for c in join.args["on"].find_all(exp.Column) if c.table == alias] or ["a"]
    added = f"{random.choice(names)} > 0"
    match random.randint(0, 2):
        case 0:
            join.set("on", exp.And(this=join.args["on"], expression=_sql(f"{alias}.{added}")))
        case 1:
            select = join.parent
            if not isinstance(select, exp.Select):
                return None
            select.set("where", exp.Where(this=_and(select.args.get("where"), _sql(f"{alias}.{added}"))))
        case _:
            inner = join.this.copy()
            inner.set("alias", exp.TableAlias(this=exp.to_identifier("i")))
            filtered = exp.select("*").from_(inner).where(added)
            join.set("this", filtered.subquery(alias))
    return edited


def swap_sides(tree: Tree, random: Random) -> Tree | None:
    """Swap the sides of a set operation, or change which one binds more."""
    edited = tree.copy()
    found = list(edited.find_all(exp.SetOperation))
    if not found:
        return None
    one = random.choice(found)
    if random.random() < 0.6:
        this, other = one.this, one.expression
        one.set("this", other)
        one.set("expression", this)
    else:
        one.set("distinct", not one.args.get("distinct"))
    return edited


def shadow(tree: Tree, random: Random) -> Tree | None:
    """Add a CTE that is called like a table or CTE that the query reads."""
    edited = tree.copy()
    names = sorted({table.name for table in edited.find_all(exp.Table)})
    name = random.choice(names) if names else "t"
    body = random.choice(
        [
            f"select * from {name} where a > 0",
            f"select * from {name}",
            f"select id, b as a, a as b, a as c, a as d, a as e from {random.choice(('t', name))}",
            f"select * from {random.choice(TABLES)}",
        ]
    )
    added = exp.CTE(this=_sql(body), alias=exp.TableAlias(this=exp.to_identifier(name)))
    holders = [edited] + [
        one.this for one in edited.find_all(exp.Subquery) if isinstance(one.this, exp.Select)
    ]
    holder = random.choice(holders)
    clause = holder.args.get("with_") or holder.args.get("with")
    if clause is not None:
        clause.expressions.insert(0, added)
    else:
        holder.set("with_" if "with_" in exp.Select.arg_types else "with", exp.With(expressions=[added]))
    return edited


def bind_otherwise(tree: Tree, random: Random) -> Tree | None:
    """Swap two relations under their aliases, or the qualifier of a column."""
    edited = tree.copy()
    if random.random() < 0.5:
        columns = [column for column in edited.find_all(exp.Column) if column.table]
        qualifiers = sorted({column.table for column in columns})
        if len(qualifiers) < 2:
            return None
        random.choice(columns).set("table", exp.to_identifier(random.choice(qualifiers)))
        return edited
    items = [
        item
        for item in edited.find_all(exp.Table, exp.Subquery)
        if isinstance(item.parent, (exp.From, exp.Join))
    ]
    if len(items) < 2:
        return None
    one, other = random.sample(items, 2)
    if one.find(other.__class__) is other or one in list(other.walk()) or other in list(one.walk()):
        return None
    first, second = one.alias_or_name, other.alias_or_name
    one_copy, other_copy = one.copy(), other.copy()
    one_copy.set("alias", exp.TableAlias(this=exp.to_identifier(second)))
    other_copy.set("alias", exp.TableAlias(this=exp.to_identifier(first)))
    one.replace(other_copy)
    other.replace(one_copy)
    return edited


def rename_columns(tree: Tree, random: Random) -> Tree | None:
    """Swap the names of two outputs of a SELECT, or give one the name of another column."""
    edited = tree.copy()
    selects = [one for one in _selects(edited) if len(one.expressions) > 1 and not one.find(exp.Star)]
    if not selects:
        return None
    outputs = random.choice(selects).expressions
    one, other = random.sample(range(len(outputs)), 2)
    names = [output.alias_or_name or "x" for output in outputs]
    bare = [output.unalias().copy() for output in outputs]
    outputs[one].replace(exp.alias_(bare[one], names[other]))
    outputs[other].replace(exp.alias_(bare[other], names[one] if random.random() < 0.6 else "x"))
    return edited


def inlined_under_outer_join(random: Random) -> tuple[str, str]:
    """A subquery that an outer join fills with NULL, and the query with its expressions inlined."""
    computed = random.choice(
        ["coalesce({}b, 0)", "1", "({}b is null)::int", "case when {}b > 0 then 1 else 0 end", "{}b"]
    )
    shape = random.choice(
        [
            "select t.id, {0} as k from {1}",
            "select t.id from {1} where {0} = 1",
            "select t.id from {1} where {0} is null",
            "select sum({0}) as k, count({0}) as n from {1}",
            "select t.id, u.e as k from {1} left join u on u.d = {0}",
            "select t.id, rank() over (order by {0}) as k from {1}",
            "select q.k from (select {0} as k, t.id from {1}) as q where q.id > 0",
        ]
    )
    joined = random.choice(
        ["t left join {} on x.a = t.a", "t full join {} on x.a = t.a", "{} right join t on x.a = t.a"]
    )
    subquery = f"(select a, {computed.format('')} as k from v) as x"
    pair = (
        shape.format("x.k", joined.format(subquery)),
        shape.format(computed.format("x."), joined.format("v as x")),
    )
    return pair if random.random() < 0.5 else pair[::-1]


KINDS: dict[str, Edit] = {
    "wrapped and changed": wrap_and_change,
    "filter moved": move_filter,
    "clause moved": move_clause,
    "expression moved": move_expression,
    "join condition moved": move_join_condition,
    "sides of a set operation": swap_sides,
    "names shadowed": shadow,
    "alias bound otherwise": bind_otherwise,
    "columns renamed": rename_columns,
}
