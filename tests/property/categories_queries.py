"""Random queries, and small edits of them, as text that DuckDB runs. Names are few, so that they collide."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from random import Random
from typing import Any

TABLES = {"t": ("id", "a", "b", "c"), "u": ("id", "a", "d", "e"), "v": ("a", "b", "d")}
NAMES = ("id", "a", "b", "c", "d", "e", "x", "y")
AGGREGATES = ("sum({})", "max({})", "count({})", "min({})", "count(distinct {})", "avg({})")
WINDOWS = (
    "sum({0}) over (partition by {1})",
    "rank() over (order by {0}, {1})",
    "count(*) over (partition by {0})",
    "max({0}) over (order by {1})",
)


@dataclass
class Item:
    """An item of FROM: the name of a table or CTE, or a query."""

    relation: str | Query
    alias: str
    join: str = "join"
    on: str = ""


@dataclass
class Query:
    """A SELECT, or a set operation over several."""

    items: list[Item] = field(default_factory=list)
    columns: list[tuple[str, str]] = field(default_factory=list)
    """Expression and alias; an empty alias for none."""
    where: list[str] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    having: str = ""
    qualify: str = ""
    distinct: bool = False
    order: str = ""
    limit: int | None = None
    ctes: list[tuple[str, Query]] = field(default_factory=list)
    operands: list[Query] = field(default_factory=list)
    operator: str = "union all"

    def sql(self) -> str:
        """Its text."""
        head = ""
        if self.ctes:
            head = "with " + ", ".join(f"{name} as ({query.sql()})" for name, query in self.ctes) + " "
        tail = f" order by {self.order}" if self.order else ""
        tail += f" limit {self.limit}" if self.limit is not None else ""
        if self.operands:
            return head + f" {self.operator} ".join(f"({one.sql()})" for one in self.operands) + tail
        listed = ", ".join(
            f"{expression} as {alias or 'x'}" if alias or not is_column(expression) else expression
            for expression, alias in self.columns
        )
        text = f"select {'distinct ' if self.distinct else ''}{listed} from "
        for place, item in enumerate(self.items):
            relation = item.relation if isinstance(item.relation, str) else f"({item.relation.sql()})"
            joined = relation if relation == item.alias else f"{relation} as {item.alias}"
            text += f" {item.join} {joined}{item.on}" if place else joined
        text += " where " + " and ".join(self.where) if self.where else ""
        text += " group by " + ", ".join(self.group) if self.group else ""
        text += f" having {self.having}" if self.having else ""
        text += f" qualify {self.qualify}" if self.qualify else ""
        return head + text + tail

    def selects(self) -> list[Query]:
        """Every SELECT in it, itself included."""
        found = [] if self.operands else [self]
        for item in self.items:
            if isinstance(item.relation, Query):
                found += item.relation.selects()
        for _, query in self.ctes:
            found += query.selects()
        for operand in self.operands:
            found += operand.selects()
        return found

    def unions(self) -> list[Query]:
        """Every set operation in it."""
        found = [self] if self.operands else []
        for below in (
            *(item.relation for item in self.items if isinstance(item.relation, Query)),
            *(query for _, query in self.ctes),
            *self.operands,
        ):
            found += below.unions()
        return found


class Maker:
    """Makes queries and edits from one random source."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def count(self) -> int:
        """How many edits to make."""
        return self._random.choice([1, 1, 1, 2, 3])

    def query(self) -> Query:
        """A query of which most run."""
        random = self._random
        made = self._query(2, {})
        if random.random() < 0.6:
            names = random.sample(["p", "q", "r"], random.randint(1, 2))
            known: dict[str, tuple[str, ...]] = {}
            ctes = []
            for name in names:
                query = self._query(1, known)
                ctes.append((name, query))
                known[name] = columns_of(query)
            made = self._query(1, known, known)
            made.ctes = ctes
        return made

    def _query(
        self, depth: int, known: dict[str, tuple[str, ...]], wanted: dict[str, tuple[str, ...]] | None = None
    ) -> Query:
        random = self._random
        if random.random() < 0.2:
            operands = [self._select(depth - 1, known, wanted) for _ in range(2)]
            width = min(len(columns_of(operand)) for operand in operands) or 1
            for operand in operands:
                if operand.columns[0][0] != "*":
                    operand.columns = operand.columns[:width]
            return Query(
                operands=operands, operator=random.choice(["union all", "union all", "union", "except"])
            )
        return self._select(depth, known, wanted)

    def _item(
        self,
        depth: int,
        known: dict[str, tuple[str, ...]],
        alias: str,
        wanted: dict[str, tuple[str, ...]] | None,
    ) -> tuple[Item, tuple[str, ...]]:
        random = self._random
        if depth > 0 and random.random() < 0.25:
            query = self._query(depth - 1, known)
            return Item(query, alias), columns_of(query)
        choices = {**TABLES, **known} if not wanted or random.random() < 0.3 else wanted
        name = random.choice(sorted(choices))
        return Item(name, alias if random.random() < 0.6 else name), choices[name]

    def _select(
        self, depth: int, known: dict[str, tuple[str, ...]], wanted: dict[str, tuple[str, ...]] | None
    ) -> Query:
        random = self._random
        made = Query()
        columns: list[str] = []
        for place in range(random.choice([1, 1, 2])):
            item, names = self._item(depth, known, f"s{place}", wanted)
            if any(item.alias == other.alias for other in made.items):
                item.alias = f"s{place}"
            mine = [f"{item.alias}.{name}" for name in names]
            if place and columns and mine:
                self._join(item, columns, mine)
            made.items.append(item)
            columns += mine
        self._fill(made, columns or ["1"])
        return made

    def _join(self, item: Item, left: list[str], right: list[str]) -> None:
        random = self._random
        item.join = random.choice(["join", "join", "left join", "full join", "cross join", "natural join"])
        if item.join in ("join", "left join", "full join"):
            item.on = f" on {random.choice(left)} = {random.choice(right)}"
            shared = {name.split(".")[1] for name in left} & {name.split(".")[1] for name in right}
            if shared and random.random() < 0.3:
                item.on = f" using ({random.choice(sorted(shared))})"

    def column(self, columns: list[str]) -> str:
        """One of *columns*, often without its qualifier."""
        name = self._random.choice(columns)
        return name.split(".")[-1] if self._random.random() < 0.4 else name

    def expression(self, columns: list[str]) -> str:
        """An expression for each row."""
        random = self._random
        one, other = self.column(columns), self.column(columns)
        return random.choice(
            [
                one,
                one,
                one,
                f"{one} + {other}",
                f"coalesce({one}, {other})",
                f"case when {one} > 1 then {other} end",
                f"(select max(z.a) from u as z where z.id = {one})",
                f"{one} in (select a from v)",
                random.choice(WINDOWS).format(one, other),
            ]
        )

    def condition(self, columns: list[str]) -> str:
        """A condition for each row."""
        one, other = self.column(columns), self.column(columns)
        return self._random.choice(
            [
                f"{one} > 1",
                f"{one} = {other}",
                f"{one} is not null",
                f"({one} < 2 or {other} > 0)",
                f"{one} in (select a from v where d > 0)",
                f"exists (select 1 from u as z where z.a = {one})",
                f"{one} <> 2",
                f"{one} in (1, 3, 2)",
            ]
        )

    def _fill(self, made: Query, columns: list[str]) -> None:
        random = self._random
        if random.random() < 0.2:
            made.columns = [("*", "")]
        elif random.random() < 0.3:
            made.group = [self.column(columns) for _ in range(random.randint(1, 2))]
            made.columns = [(key, random.choice(NAMES)) for key in made.group]
            made.columns.append(
                (random.choice(AGGREGATES).format(self.column(columns)), random.choice(NAMES))
            )
            if random.random() < 0.3:
                made.having = "count(*) > 1"
            if random.random() < 0.4:
                made.group = [str(place + 1) for place in range(len(made.group))]
        else:
            for _ in range(random.randint(1, 3)):
                made.columns.append((self.expression(columns), random.choice(("", *NAMES))))
        made.where = [self.condition(columns) for _ in range(random.choice([0, 0, 1, 2]))]
        made.distinct = random.random() < 0.15
        if random.random() < 0.1 and made.columns[0][0] != "*":
            made.order = ", ".join(str(place + 1) for place in range(len(made.columns)))
            made.limit = random.randint(1, 4)

    def edit(self, query: Query) -> Query:
        """*query* with one edit, somewhere in it."""
        random = self._random
        edited = copy.deepcopy(query)
        unions = edited.unions()
        if unions and random.random() < 0.3:
            self._edit_union(random.choice(unions))
            return edited
        select = random.choice(edited.selects())
        columns = [
            f"{item.alias}.{name}"
            for item in select.items
            for name in (columns_of(item.relation) if isinstance(item.relation, Query) else NAMES[:4])
        ] or ["a"]
        edits = [
            self._add_column, self._add_column, self._remove_column, self._change_column, self._rename_column,
            self._move_columns, self._add_condition, self._remove_condition, self._swap_conditions,
            self._distinct, self._limit, self._join_kind, self._add_join, self._rename_alias, self._wrap,
            self._swap_items, self._group, self._star, self._rename_cte, self._qualify, self._change_relation,
            self._inline, self._inline, self._wrap_computed,
        ]  # fmt: skip
        edit = random.choice(edits)
        edit(edited, select, columns)
        return edited

    def _edit_union(self, union: Query) -> None:
        random = self._random
        match random.randint(0, 3):
            case 0:
                union.operator = random.choice(["union all", "union", "except", "intersect"])
            case 1:
                union.operands.reverse()
            case 2:
                for operand in union.operands:
                    operand.columns.append((random.choice(["1", "a", "b"]), random.choice(NAMES)))
            case _:
                union.operands.append(copy.deepcopy(union.operands[0]))

    def _add_column(self, query: Query, select: Query, columns: list[str]) -> None:
        place = self._random.randint(0, len(select.columns))
        made = self.expression(columns)
        if select.group:
            made = self._random.choice(AGGREGATES).format(self.column(columns))
        select.columns.insert(place, (made, self._random.choice(NAMES)))

    def _remove_column(self, query: Query, select: Query, columns: list[str]) -> None:
        if len(select.columns) > 1:
            select.columns.pop(self._random.randrange(len(select.columns)))

    def _change_column(self, query: Query, select: Query, columns: list[str]) -> None:
        place = self._random.randrange(len(select.columns))
        expression, alias = select.columns[place]
        if expression != "*":
            changed = self._random.choice([f"({expression})", f"{expression} + 1", self.expression(columns)])
            select.columns[place] = (changed, alias or expression.split(".")[-1].split("(")[0].strip() or "x")

    def _rename_column(self, query: Query, select: Query, columns: list[str]) -> None:
        place = self._random.randrange(len(select.columns))
        if select.columns[place][0] != "*":
            select.columns[place] = (select.columns[place][0], self._random.choice(NAMES))

    def _move_columns(self, query: Query, select: Query, columns: list[str]) -> None:
        self._random.shuffle(select.columns)

    def _add_condition(self, query: Query, select: Query, columns: list[str]) -> None:
        select.where.append(self.condition(columns))

    def _remove_condition(self, query: Query, select: Query, columns: list[str]) -> None:
        if select.where:
            select.where.pop()

    def _swap_conditions(self, query: Query, select: Query, columns: list[str]) -> None:
        select.where.reverse()

    def _distinct(self, query: Query, select: Query, columns: list[str]) -> None:
        select.distinct = not select.distinct

    def _limit(self, query: Query, select: Query, columns: list[str]) -> None:
        if select.limit is not None:
            select.limit += self._random.randint(-1, 1)
        elif select.columns[0][0] != "*":
            select.order = ", ".join(str(place + 1) for place in range(len(select.columns)))
            select.limit = self._random.randint(1, 4)

    def _join_kind(self, query: Query, select: Query, columns: list[str]) -> None:
        for item in select.items[1:]:
            if item.on:
                item.join = self._random.choice(
                    ["join", "left join", "right join", "full join", "inner join"]
                )

    def _add_join(self, query: Query, select: Query, columns: list[str]) -> None:
        table = self._random.choice(sorted(TABLES))
        alias = f"s{len(select.items) + 5}"
        item = Item(table, alias)
        self._join(item, columns, [f"{alias}.{name}" for name in TABLES[table]])
        select.items.append(item)

    def _rename_alias(self, query: Query, select: Query, columns: list[str]) -> None:
        item = self._random.choice(select.items)
        old, new = f"{item.alias}.", f"{self._random.choice(['k', 'm', 't', 'u'])}."
        if any(other.alias == new[:-1] for other in select.items):
            return
        item.alias = new[:-1]

        def renamed(text: str) -> str:
            return text.replace(old, new)

        select.columns = [(renamed(expression), alias) for expression, alias in select.columns]
        select.where = [renamed(text) for text in select.where]
        select.group = [renamed(text) for text in select.group]
        for other in select.items:
            other.on = renamed(other.on)

    def _rename_cte(self, query: Query, select: Query, columns: list[str]) -> None:
        if query.ctes:
            place = self._random.randrange(len(query.ctes))
            old, body = query.ctes[place]
            query.ctes[place] = ("renamed", body)
            for one in query.selects():
                for item in one.items:
                    if item.relation == old:
                        item.relation = "renamed"

    def _wrap(self, query: Query, select: Query, columns: list[str]) -> None:
        item = self._random.choice(select.items)
        item.relation = Query(items=[Item(item.relation, "w")], columns=[("*", "")])

    def _wrap_computed(self, query: Query, select: Query, columns: list[str]) -> None:
        """Compute the first columns in a subquery."""
        if len(select.items) == 1 and not select.group and select.columns[0][0] != "*":
            item = select.items[0]
            names = [alias or expression.split(".")[-1] for expression, alias in select.columns]
            if all(name.isidentifier() for name in names):
                inner = Query(items=[Item(item.relation, item.alias)], columns=list(select.columns))
                if self._random.random() < 0.5:
                    inner.columns.append(("*", ""))
                else:
                    inner.where, select.where = select.where, []
                select.items = [Item(inner, "s0")]
                select.columns = [(f"s0.{name}", "") for name in names]

    def _inline(self, query: Query, select: Query, columns: list[str]) -> None:
        """Put what a subquery computes in the place of its columns, as if that were the same."""
        for item in select.items:
            inner = item.relation
            if not isinstance(inner, Query) or len(inner.items) != 1 or inner.group or inner.distinct:
                continue
            below = inner.items[0]
            computed = {
                alias or (expression.split(".")[-1] if is_column(expression) else "x"): expression
                for expression, alias in inner.columns
            }

            def inlined(text: str, item: Item = item, below: Item = below, computed: Any = computed) -> str:
                for name, expression in computed.items():
                    if expression != "*":
                        expression = expression.replace(f"{below.alias}.", f"{item.alias}.")
                        text = re.sub(rf"\b{item.alias}\.{name}\b", lambda _, e=expression: f"({e})", text)
                return text

            item.relation = below.relation
            if self._random.random() < 0.5:
                select.where = [*inner.where, *select.where]
            select.columns = [
                (inlined(expression), alias or expression.split(".")[-1]) if expression != "*" else ("*", "")
                for expression, alias in select.columns
            ]
            select.where = [inlined(text) for text in select.where]
            select.group = [inlined(text) for text in select.group]
            for other in select.items:
                other.on = inlined(other.on)
            return

    def _swap_items(self, query: Query, select: Query, columns: list[str]) -> None:
        if len(select.items) == 2:
            first, second = select.items
            first.join, first.on, second.join, second.on = second.join, second.on, first.join, first.on
            select.items = [second, first]

    def _group(self, query: Query, select: Query, columns: list[str]) -> None:
        if select.group and self._random.random() < 0.5:
            select.group.reverse()
        elif select.group:
            select.group.append(self.column(columns))
        else:
            select.columns = [(self._random.choice(AGGREGATES).format(self.column(columns)), "x")]

    def _star(self, query: Query, select: Query, columns: list[str]) -> None:
        if select.columns == [("*", "")]:
            select.columns = [(name, "") for name in dict.fromkeys(columns)]
        elif not select.group:
            select.columns = [("*", "")]

    def _qualify(self, query: Query, select: Query, columns: list[str]) -> None:
        if not select.group:
            select.qualify = f"rank() over (order by {self.column(columns)}) < 3"

    def _change_relation(self, query: Query, select: Query, columns: list[str]) -> None:
        item = self._random.choice(select.items)
        if isinstance(item.relation, str):
            kept = item.alias
            item.relation = self._random.choice(sorted(TABLES))
            item.alias = kept


def is_column(expression: str) -> bool:
    """Whether an expression has a name of its own."""
    return expression == "*" or all(part.isidentifier() for part in expression.split("."))


def columns_of(query: Query | str) -> tuple[str, ...]:
    """The names of a query's columns, as far as they are easily told."""
    if isinstance(query, str):
        return TABLES.get(query, NAMES[:3])
    if query.operands:
        return columns_of(query.operands[0])
    names: list[str] = []
    for expression, alias in query.columns:
        if expression == "*":
            for item in query.items:
                names += [name for name in columns_of(item.relation) if name not in names]
        else:
            names.append(alias or (expression.split(".")[-1] if is_column(expression) else "x"))
    return tuple(dict.fromkeys(names))
