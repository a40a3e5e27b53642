"""Random queries for DuckDB that hold whatever column lineage has to follow. Names are few: they collide."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

TABLES = {
    "t": {"id": "int", "a": "int", "b": "int", "g": "int"},
    "u": {"id": "int", "a": "int", "d": "int", "g": "int"},
    "v": {"a": "int", "k": "int", "xs": "int[]", "s": "struct(p int, q int)"},
    "w": {"id": "int", "j1": "int", "j2": "int", "g": "int"},
}
NAMES = ("id", "a", "b", "d", "g", "x", "y", "z")
NUMBERS = (
    "{0}",
    "{0}",
    "{0} + 1",
    "{0} + {1}",
    "coalesce({0}, {1})",
    "case when {0} > 1 then {1} else {2} end",
)
NESTED = (
    "{{'p': {0}, 'q': {1}}}.q",
    "list_sum([x + {2} for x in [{0}, {1}]])",
    "(select max(e.d) from u as e where e.id = {0})",
    "(select count(*) from u as e where e.a = {0} and e.d > 1)",
    "({0} in (select a from v where k > 1))::int",
    "(exists (select 1 from w where w.id = {0}))::int",
    "({0} > all (select d from u))::int",
)
WINDOWS = (
    "sum({0}) over (partition by {1})",
    "max({0}) over (order by {1}, {2} rows between 1 preceding and current row)",
    "rank() over (partition by {0} order by {1})",
    "count(*) over (partition by {0})",
    "lag({0}) over (order by {1}, {2}, {0})",
    "sum({0}) filter (where {1} > 1) over ()",
)
AGGREGATES = (
    "sum({0})", "max({0})", "count({0})", "count(distinct {0})", "count(*)",
    "sum({0}) filter (where {1} > 1)", "max(case when {0} > 1 then {1} end)", "sum({0}) + min({1})",
    "list_sum(list({0}))", "max({0} + {1})",
)  # fmt: skip
CONDITIONS = (
    "{0} > 1", "{0} = {1}", "{0} is not null", "({0} < 2 or {1} > 0)", "{0} in (select a from v where k > 0)",
    "exists (select 1 from u as e where e.a = {0})", "not exists (from w where w.id = {0} and w.j1 > 1)",
    "{0} between {1} and {2}", "({0}, {1}) in (select id, a from t)",
)  # fmt: skip
JOINS = (
    "join", "join", "left join", "right join", "full join", "semi join", "anti join", "cross join",
    "natural join", ",",
)  # fmt: skip


@dataclass(frozen=True)
class Relation:
    """Something that can be selected from, and the names and types of its columns."""

    text: str
    columns: tuple[str, ...]


class Queries:
    """Makes queries from one source of chance; most of them run."""

    def __init__(self, random: Random, *, has_pivots: bool = True) -> None:
        self._random = random
        self._has_pivots = has_pivots
        self._known: dict[str, tuple[str, ...]] = {}

    def query(self) -> str:
        """One query, often with CTEs, some named as tables are."""
        ctes = []
        for _ in range(self._random.choice([0, 0, 1, 1, 2, 3])):
            name = self._random.choice(["p", "q", "r", "t", "u"])
            if name in self._known:
                continue
            text, columns = self._recursive(name) if self._random.random() < 0.1 else self._body(1)
            ctes.append(f"{name} as ({text})")
            self._known[name] = columns
        text, _ = self._body(2)
        recursive = "recursive " if any("union all select 1 +" in cte for cte in ctes) else ""
        return (f"with {recursive}{', '.join(ctes)} " if ctes else "") + text

    def _recursive(self, name: str) -> tuple[str, tuple[str, ...]]:
        if name in TABLES:
            return self._body(1)
        text = (
            f"select 1 as x, id as y, a as z from t union all select 1 + {name}.x, u.a, {name}.z"
            f" from {name} join u on u.id = {name}.y where {name}.x < 3"
        )
        return text, ("x", "y", "z")

    def _body(self, depth: int) -> tuple[str, tuple[str, ...]]:
        if depth > 0 and self._random.random() < 0.2:
            return self._union(depth)
        return self._select(depth)

    def _union(self, depth: int) -> tuple[str, tuple[str, ...]]:
        left, right = self._select(depth - 1, width=2), self._select(depth - 1, width=2)
        word = self._random.choice(
            ["union all", "union all", "union", "except", "intersect", "union all by name"]
        )
        columns = left[1]
        if word.endswith("by name"):
            columns = (*left[1], *(name for name in right[1] if name not in left[1]))
        return f"({left[0]}) {word} ({right[0]})", columns

    def _relation(self, depth: int) -> Relation:
        random = self._random
        chance = random.random()
        if self._known and chance < 0.45:
            name = random.choice(sorted(self._known))
            return Relation(name, self._known[name])
        if depth > 0 and chance < 0.55:
            text, columns = self._body(depth - 1)
            return Relation(f"({text})", columns)
        if chance < 0.59:
            return Relation("(values (1, 2), (2, 3))", ("col0", "col1"))
        if self._has_pivots and chance < 0.64:
            text = "(select * from w pivot (sum(j1) for g in (1 as one, 2 as two)))"
            return Relation(text, ("id", "j2", "one", "two"))
        if self._has_pivots and chance < 0.69:
            return Relation("(unpivot w on j1, j2 into name x value y)", ("id", "g", "x", "y"))
        name = random.choice([table for table in sorted(TABLES) if table not in self._known])
        return Relation(name, tuple(TABLES[name]))

    def _from(self, depth: int) -> tuple[str, list[str], list[str]]:
        """A FROM clause, the columns that can be counted with, and the aliases."""
        random = self._random
        text, numbers, aliases = "", list[str](), list[str]()
        for place in range(random.choice([1, 1, 1, 2, 2, 3])):
            relation = self._relation(depth)
            alias = f"s{place}" if relation.text.startswith("(") or random.random() < 0.6 else relation.text
            if alias in aliases:
                alias = f"s{place}"
            named = relation.text if alias == relation.text else f"{relation.text} as {alias}"
            columns = relation.columns
            if alias != relation.text and random.random() < 0.1:
                columns = tuple(f"c{number}" for number in range(len(columns)))
                named += f"({', '.join(columns)})"
            mine = [f"{alias}.{name}" for name in columns]
            mine = [name for name in mine if name.split(".")[1] not in ("xs", "s", "x")] or ["1"]
            extra = ""
            if relation.text == "v" and columns == relation.columns:
                mine.append(f"{alias}.s.p")
                if random.random() < 0.5:
                    extra = f", unnest({alias}.xs) as n{place}(x)"
                    mine.append(f"n{place}.x")
            text += self._joined(place, named, numbers, mine) + extra
            if not self._is_hidden:
                numbers += mine
                aliases.append(alias)
        if random.random() < 0.1 and numbers:
            text += (
                f", lateral (select max(e.a) + {numbers[0]} as y from t as e where e.id = {numbers[-1]}) as l"
            )
            numbers.append("l.y")
        return text, numbers or ["1"], aliases

    def _joined(self, place: int, named: str, left: list[str], right: list[str]) -> str:
        random = self._random
        self._is_hidden = False
        if not place or not left:
            return named if not place else f", {named}"
        word = random.choice(JOINS)
        shared = {name.split(".")[-1] for name in left} & {name.split(".")[-1] for name in right}
        if word == "natural join" and not shared:
            word = "cross join"
        if word in ("cross join", "natural join", ","):
            return f"{', ' if word == ',' else f' {word} '}{named}"
        self._is_hidden = word in ("semi join", "anti join")
        if shared and random.random() < 0.4:
            return f" {word} {named} using ({random.choice(sorted(shared))})"
        return f" {word} {named} on {random.choice(left)} = {random.choice(right)}"

    def _filled(self, form: str, numbers: list[str]) -> str:
        chosen = [self._random.choice(numbers) for _ in range(3)]
        if self._random.random() < 0.3:
            last = [name.split(".")[-1] for name in numbers]
            chosen = [
                name if name.count(".") > 1 or last.count(name.split(".")[-1]) > 1 else name.split(".")[-1]
                for name in chosen
            ]
        return form.format(*chosen)

    def _select(self, depth: int, width: int | None = None) -> tuple[str, tuple[str, ...]]:
        random = self._random
        source, numbers, aliases = self._from(depth)
        where = f" where {self._filled(random.choice(CONDITIONS), numbers)}" if random.random() < 0.4 else ""
        if width is None and random.random() < 0.2:
            return self._star(source, numbers, aliases, where)
        if random.random() < 0.3:
            return self._grouped(source, numbers, where, width)
        listed, names = list[str](), list[str]()
        for place in range(width or random.randint(1, 4)):
            form = random.choice([*NUMBERS, random.choice(NESTED), random.choice(WINDOWS)])
            text = self._filled(form, numbers)
            if names and random.random() < 0.15:
                text = f"{names[-1]} + 1"  # an alias of the same list, unless a column has that name
            name = random.choice([name for name in NAMES if name not in names])
            if random.random() < 0.15:
                name = f"l{place}"
            listed.append(f"{text} as {name}")
            names.append(name)
        head = "distinct " if random.random() < 0.12 else ""
        if not head and random.random() < 0.06:
            head = f"distinct on ({self._filled('{0}', numbers)}) "
        tail = where
        if random.random() < 0.12:
            tail += " qualify " + self._filled(
                "row_number() over (partition by {0} order by {1}, {2}) = 1", numbers
            )
        if random.random() < 0.08 or head.startswith("distinct on"):
            tail += f" order by {', '.join(f'{place + 1}' for place in range(len(names)))}"
            tail += f" limit {random.randint(1, 5)}" if random.random() < 0.7 else ""
        if depth == 2 and not head and random.random() < 0.1:  # sqlglot reads none with joins in parentheses
            return f"from {source} select {', '.join(listed)}{tail}", tuple(names)
        return f"select {head}{', '.join(listed)} from {source}{tail}", tuple(names)

    def _star(
        self, source: str, numbers: list[str], aliases: list[str], where: str
    ) -> tuple[str, tuple[str, ...]]:
        random = self._random
        known = tuple(dict.fromkeys(name.split(".")[1] for name in numbers if "." in name)) or ("1",)
        once = [name for name in known if sum(number.endswith(f".{name}") for number in numbers) == 1]
        one = random.choice(once or ["none"])
        text = random.choice(
            ["*", "*", f"{random.choice(aliases)}.*" if aliases else "*", f"* exclude ({one})",
             f"* replace ({self._filled('{0} + {1}', numbers)} as {one})", f"* rename ({one} as z)",
             f"*, {self._filled('{0} + {1}', numbers)} as y", f"{self._filled('{0}', numbers)} as x, *"]
        )  # fmt: skip
        names = tuple(name for name in known if "exclude" not in text or name != one)
        return f"select {text} from {source}{where}", names or ("a",)

    def _grouped(
        self, source: str, numbers: list[str], where: str, width: int | None
    ) -> tuple[str, tuple[str, ...]]:
        random = self._random
        keys = [self._filled("{0}", numbers) for _ in range(1 if width else random.randint(1, 2))]
        names = random.sample(NAMES, len(keys) + 1)
        listed = [f"{key} as {name}" for key, name in zip(keys, names, strict=False)]
        listed.append(f"{self._filled(random.choice(AGGREGATES), numbers)} as {names[-1]}")
        by = random.choice(
            [", ".join(keys), ", ".join(keys), "all", ", ".join(str(i + 1) for i in range(len(keys))),
             f"rollup ({', '.join(keys)})", f"grouping sets (({keys[0]}), ({', '.join(keys)}))"]
        )  # fmt: skip
        having = self._filled(" having sum({0}) > 2", numbers) if random.random() < 0.2 else ""
        return f"select {', '.join(listed)} from {source}{where} group by {by}{having}", tuple(names)
