"""Proof that no edit is called unchanged, or milder than it is, because it acts on another target only.

    python -m tests.proofs.targets [--seconds 600] [--seed 1] [--branches]

A case draws a template of a model, with macros, and an edit that leaves the SQL of target `dev` as it was: of
constants, conditions, branches, names of variables, macros, settings; or one that changes nothing anywhere.
Jinja itself renders both sides for many targets, variables and both values of `is_incremental()`, without any
part of recce_meta, and DuckDB executes the SQL. A diff that calls the node unchanged, though two texts differ
in more than layout, is wrong. So is a category that two results contradict, and a harmful edit, also of a
macro, without the node and its reader among the affected ones. Prints each of these, and the share of edits
with a category other than `unknown`; exits with 1 if one is wrong.

With `--branches`, base is a later build of an incremental model and current its first one, with any edit.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple

import duckdb
import sqlglot
from jinja2 import Environment, Undefined
from sqlglot.errors import SqlglotError

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.models import Change, Column, MacroMetadata, NodeMetadata, Project, RunMetadata, code_hash
from recce_meta.models.change import Category, Status
from tests.proofs.clock import Clock

TARGETS = ("dev", "prod", "ci", "PROD", "production", "p", "")
VARIABLES = {"v": ("k", "amount", "b", "x"), "w": ("0", "1", "7"), "on": (True, False), "n": (0, 3, 10)}
VALUES = ("amount", "amount + 1", "k", "day", "k * 2", "1", "'a'", "coalesce(amount, 0)")
NUMBERS = (0, 1, 2, 5)
CONTEXTS = 40
TRIES = 40
COLUMNS = {
    "id": "INTEGER",
    "amount": "INTEGER",
    "k": "INTEGER",
    "day": "INTEGER",
    "b": "INTEGER",
    "x": "INTEGER",
}
ROWS = [(n, n * 7 % 5, n % 3, n * 3 % 7, n % 2, -n) for n in range(12)] + [(50, None, None, None, None, None)]
TOTALS, END = "model.shop.totals", "model.shop.end"
HARMFUL = (Category.PARTIAL_BREAKING, Category.UNKNOWN, Category.BREAKING)
IS_PROD = "{% macro is_prod() %}{{ return(target.name == 'prod') }}{% endmacro %}"
PICK = "{% macro pick(a, b) %}{% if target.name == 'prod' %}{{ a }}{% else %}{{ b }}{% endif %}{% endmacro %}"


class Context(NamedTuple):
    """Values under which a template is rendered."""

    target: str
    variables: dict[str, Any]
    environ: dict[str, str]
    incremental: bool


class Side(NamedTuple):
    """Code of one side."""

    code: str
    macros: dict[str, str]


class Draw:
    """Random parts of a template. Every part is drawn again from the same numbers with another *edit*."""

    def __init__(self, seed: int, edit: int | None) -> None:
        self._random = random.Random(seed)
        self._edit, self._count = edit, 0
        self.was_harmless = False

    @property
    def points(self) -> int:
        """Number of places that an edit can change."""
        return self._count

    def one(self, values: Iterable[Any]) -> Any:
        """Return one of *values*, which is part of the template's shape."""
        return self._random.choice(tuple(values))

    def editable(self, values: Iterable[Any]) -> Any:
        """Return one of *values*; another one if this is the place of the edit."""
        first, other = self._random.sample(tuple(values), 2)
        self._count += 1
        return other if self._edit == self._count else first

    def same(self, *spellings: str) -> str:
        """Return one of several texts with the same meaning; another one at the place of the edit."""
        first, other = self._random.sample(spellings, 2)
        self._count += 1
        if self._edit != self._count:
            return first
        self.was_harmless = True
        return other

    def chance(self, share: float) -> bool:
        """Return True in *share* of all cases."""
        return self._random.random() < share


def condition(draw: Draw, depth: int = 0) -> str:
    """Return a Jinja condition."""
    target = draw.same("target.name", "target['name']", "(target.name)")
    kinds: list[Callable[[], str]] = [
        lambda: f"{target} {draw.editable(['==', '!='])} '{draw.editable(TARGETS)}'",
        lambda: (
            draw.same(*(form.format(target, draw_name) for form in ("{0} == '{1}'", "'{1}' == {0}")))
            if (draw_name := draw.editable(TARGETS)) is not None
            else ""
        ),
        lambda: f"{target} in ['{draw.editable(TARGETS)}', '{draw.editable(TARGETS)}']",
        lambda: f"var('v', 'k') == '{draw.editable(VARIABLES['v'])}'",
        lambda: f"var('{draw.editable(['on', 'off'])}', false)",
        lambda: f"env_var('E', 'a') {draw.editable(['==', '!='])} '{draw.editable(['a', 'b', 'c'])}'",
        lambda: f"var('n', 1) {draw.editable(['>', '>=', '<'])} {draw.editable([1, 2, 3])}",
        lambda: "is_incremental()",
        lambda: "is_prod()",
        lambda: f"target.name[:{draw.editable([1, 4])}] == '{draw.editable(['p', 'prod'])}'",
        lambda: f"target.name.startswith('{draw.editable(['p', 'prod', 'd'])}')",
        lambda: f"target.name|{draw.editable(['lower', 'upper'])} == '{draw.editable(['prod', 'PROD'])}'",
    ]
    if depth < 2 and draw.chance(0.3):
        left, right = condition(draw, depth + 1), condition(draw, depth + 1)
        return f"({left} {draw.editable(['and', 'or'])} {right})"
    text = str(draw.one(kinds)())
    return f"not ({text})" if draw.chance(0.15) else text


def value(draw: Draw) -> str:
    """Return a template that renders to an expression of SQL."""
    kinds: list[Callable[[], str]] = [
        lambda: str(draw.editable(VALUES)),
        lambda: _looked_up(draw),
        lambda: f'{{{{ "{draw.editable(VALUES)}" if {condition(draw)} else "{draw.editable(VALUES)}" }}}}',
        lambda: (
            f"{{% if {condition(draw)} %}}{draw.editable(VALUES)}"
            f"{{% else %}}{draw.editable(VALUES)}{{% endif %}}"
        ),
        lambda: f"{{{{ var('{draw.editable(['v', 'u'])}', '{draw.editable(['k', 'amount'])}') }}}}",
        lambda: f"{{{{ env_var('{draw.editable(['E', 'F'])}', 'b') }}}}",
        lambda: f"{{{{ pick('{draw.editable(['k', 'amount'])}', '{draw.editable(['k', 'day'])}') }}}}",
        lambda: f"'{{{{ target.name ~ '{draw.editable(['_x', '_y'])}' }}}}'",
        lambda: (
            "'"
            + draw.same(
                "{{ target.name }}_z", "{{ target.name ~ '_z' }}", "{{ [target.name, '_z'] | join('') }}"
            )
            + "'"
        ),
        lambda: f"'{{{{ target.name[:{draw.editable([2, 3])}] }}}}'",
        lambda: (
            f"{{% set c = {condition(draw)} %}}"
            f"{{{{ 'k' if c else '{draw.editable(['k', 'amount', 'b'])}' }}}}"
        ),
        lambda: f"{{% set t = target.name %}}{{{{ 1 if t == '{draw.editable(TARGETS)}' else 2 }}}}",
        lambda: (
            f"{{% for c in ['k', '{draw.editable(['amount', 'b'])}'] %}}"
            f"{{{{ c if {condition(draw)} else 0 }}}}"
            "{{ ' + ' if not loop.last }}{% endfor %}"
        ),
    ]
    return str(draw.one(kinds)())


def _looked_up(draw: Draw) -> str:
    pairs = [f"'{name}': \"{draw.editable(VALUES)}\"" for name in ("prod", "dev", "ci")]
    table = "{" + draw.same(", ".join(pairs), ", ".join(reversed(pairs))) + "}"
    if draw.chance(0.5):
        return f'{{{{ {table}.get(target.name, "{draw.editable(VALUES)}") }}}}'
    return f"{{{{ {table}[target.name] or 'k' }}}}"


def side(seed: int, edit: int | None) -> tuple[Side, Draw]:
    """Return the model of *seed*, with the edit of that number."""
    draw = Draw(seed, edit)
    source = draw.same("{{ ref('orders') }}", '{{ref("orders")}}', "{{- ' ' ~ ref('orders') -}}")
    start = draw.same("", "{# note #}", "-- note\n", "\n")
    setting = ""
    if draw.chance(0.2):
        other = draw.editable(["table", "view"])
        setting = f"{{{{ config(materialized='table' if {condition(draw)} else '{other}') }}}}"
    columns = ", ".join(f"{value(draw)} as c{number}" for number in range(draw.one([1, 2, 3])))
    where = ""
    if draw.chance(0.6):
        where = f" {{% if {condition(draw)} %}} where day > {draw.editable(NUMBERS)} {{% endif %}}"
    elif draw.chance(0.4):
        where = f" where k >= {{{{ var('{draw.editable(['w', 'z'])}', {draw.editable([0, 1])}) }}}}"
    macros = {
        "is_prod": IS_PROD.replace("prod'", f"{draw.editable(['prod', 'ci', 'PROD'])}'"),
        "pick": PICK.replace("'prod'", f"'{draw.editable(['prod', 'ci'])}'"),
    }
    used = {name: text for name, text in macros.items() if f"{name}(" in setting + columns + where}
    return Side(f"{setting}{start}select id, {columns} from {source}{where}", used), draw


# The judge


class _Missing(Undefined):
    """dbt's undefined value: it is written as nothing."""


class _Return(Exception):
    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


class Unset(Exception):
    """Variable without a value."""


def rendered(one: Side, context: Context) -> tuple[str, dict[str, Any]] | None:
    """Return the SQL that Jinja writes for *one*, and its settings; None if dbt would stop."""
    environment = Environment(undefined=_Missing, autoescape=False, extensions=["jinja2.ext.do"])
    settings: dict[str, Any] = {}

    def looked_up(known: dict[str, Any]) -> Callable[..., Any]:
        def look_up(name: str, *default: Any) -> Any:
            if name not in known and not default:
                raise Unset(name)
            return known.get(name, *default)

        return look_up

    def give(given: object) -> None:
        raise _Return(given)

    names: dict[str, Any] = {
        "target": {"name": context.target, "schema": f"s_{context.target}", "type": "duckdb"},
        "var": looked_up(context.variables),
        "env_var": looked_up(context.environ),
        "is_incremental": lambda: context.incremental,
        "ref": lambda name: name,
        "config": lambda **given: settings.update(given) or "",
        "return": give,
    }

    def called(name: str) -> Callable[..., Any]:
        macro = getattr(environment.from_string(one.macros[name]).make_module(names), name)

        def call(*args: Any) -> Any:
            try:
                return macro(*args)
            except _Return as returned:
                return returned.value

        return call

    for name in one.macros:
        names[name] = called(name)
    try:
        return environment.from_string(one.code).render(names), settings
    except (Unset, TypeError):
        return None


def plain(sql: str) -> str:
    """Return *sql* in sqlglot's layout, without comments."""
    try:
        return sqlglot.parse_one(sql, read="duckdb").sql("duckdb", comments=False)
    except SqlglotError:
        return " ".join(sql.split())


DEV = Context("dev", {}, {}, False)
LATER = DEV._replace(incremental=True)


def contexts(seed: int) -> Iterator[Context]:
    """Yield the contexts of a case, other than that of the run."""
    draw = random.Random(-seed)
    for target in TARGETS:
        for incremental in (False, True):
            yield DEV._replace(target=target, incremental=incremental)
    for _ in range(CONTEXTS):
        variables = {name: draw.choice(values) for name, values in VARIABLES.items() if draw.random() < 0.6}
        for name, like in (("u", "v"), ("off", "on"), ("z", "w")):
            if draw.random() < 0.5:
                variables[name] = draw.choice(VARIABLES[like])
        environ = {name: draw.choice(["a", "b", "k", "x"]) for name in "EF" if draw.random() < 0.5}
        yield Context(draw.choice(TARGETS), variables, environ, draw.random() < 0.3)


class Truth(NamedTuple):
    """What the judge found: pairs of SQL and settings that differ."""

    texts: list[tuple[str, str]]
    settings: bool


def truth(base: Side, current: Side, seed: int) -> Truth:
    """Return where both sides differ."""
    texts: dict[tuple[str, str], None] = {}
    settings = False
    for context in contexts(seed):
        old, new = rendered(base, context), rendered(current, context)
        if old is None or new is None:
            if old is not new:
                texts["" if old is None else old[0], "" if new is None else new[0]] = None
            continue
        settings = settings or old[1] != new[1]
        if plain(old[0]) != plain(new[0]):
            texts[old[0], new[0]] = None
    return Truth(list(texts), settings)


class Executor:
    """DuckDB with the table of the templates."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        self._connection.execute(f"CREATE TABLE orders ({columns})")
        self._connection.executemany(f"INSERT INTO orders VALUES ({', '.join('?' * len(COLUMNS))})", ROWS)

    def contradiction(self, change: Change, sql: tuple[str, str]) -> str:
        """Return how the results of both queries contradict the category of *change*, if they do."""
        if change.category in (Category.BREAKING, Category.UNKNOWN, None):
            return ""
        tables = []
        for text in sql:
            try:
                found = self._connection.execute(text)
            except duckdb.Error:
                return ""  # a value that is not SQL
            names = [column[0] for column in found.description or ()]
            tables.append((names, found.fetchall()))
        (old_names, old), (new_names, new) = tables
        touched = {column.name.lower() for column in change.columns if column.status is not Status.ADDED}
        if change.category in (Category.NONE, Category.NON_BREAKING):
            touched = set()
        kept = [name for name in old_names if name not in touched]
        if not set(kept) <= set(new_names):
            return f"lost {set(kept) - set(new_names)}"
        both = [
            Counter(tuple(row[names.index(name)] for name in kept) for row in rows)
            for names, rows in ((old_names, old), (new_names, new))
        ]
        return "" if both[0] == both[1] else f"{change.category}: other rows in {kept}"


def project(one: Side, compiled: str, materialized: str = "table") -> Project:
    """Return the project of *one*, as dbt would write it for target `dev`."""

    def model(name: str, code: str, sql: str, **fields: Any) -> NodeMetadata:
        return NodeMetadata(
            unique_id=f"model.shop.{name}",
            name=name,
            resource_type="model",
            package_name="shop",
            relation_name=f'"db"."dev"."{name}"',
            database_name="db",
            schema_name="dev",
            identifier=name,
            language="sql",
            raw_code=code,
            compiled_code=sql,
            code_hash=code_hash(code),
            **fields,
        )

    settings = (rendered(one, DEV) or ("", {}))[1]
    config = {"materialized": materialized, **settings}
    orders = model(
        "orders",
        "select 1",
        "select 1",
        materialized="table",
        config={"materialized": "table"},
        columns_from="catalog",
        columns=tuple(Column(name, type=kind) for name, kind in COLUMNS.items()),
    )
    totals = model(
        "totals",
        one.code,
        compiled.replace("orders", '"db"."dev"."orders"'),
        materialized=config["materialized"],
        config=config,
        parents=(orders.unique_id,),
        macros=tuple(f"macro.shop.{name}" for name in one.macros),
    )
    reading = 'select * from "db"."dev"."totals"'
    end = model("end", reading, reading, materialized="table", parents=(TOTALS,))
    return Project(
        run=RunMetadata(
            run_id="run",
            run_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
            project_name="shop",
            adapter_type="duckdb",
            dbt_version="1.10.0",
            target_name="dev",
            target_database="db",
            target_schema="dev",
        ),
        nodes=(orders, totals, end),
        macros=tuple(
            MacroMetadata(
                unique_id=f"macro.{package}.{name}", name=name, package_name=package, macro_sql=text
            )
            for package, macros in (("shop", one.macros), ("dbt", {"is_incremental": ""}))
            for name, text in macros.items()
        ),
    )


class Proof:
    """Cases, and what was found of them. *branches*: each side has compiled another one."""

    def __init__(self, *, branches: bool = False) -> None:
        self.materialized, self.compiled_for = (
            ("incremental", (LATER, DEV)) if branches else ("table", (DEV, DEV))
        )
        self.counts: Counter[str] = Counter()
        self.executor = Executor()

    def failures(self, seed: int) -> Iterator[str]:
        """Draw the case of *seed* and yield what is wrong with its diff."""
        drawn = self._edit(seed)
        if drawn is None:
            self.counts["no such edit"] += 1
            return
        base, current, compiled, is_harmless = drawn
        found = truth(base, current, seed)
        projects = [
            project(one, sql, self.materialized) for one, sql in zip((base, current), compiled, strict=True)
        ]
        diff = whole_diff(projects[0], projects[1], NOTHING_MORE)
        changes = diff.changed
        differs = bool(found.texts) or found.settings
        shown = f"case {seed}\n  {base}\n  {current}"
        if differs and not changes:
            yield f"{shown}\n  is called unchanged: {found}"
        named = {one.unique_id for one in (*changes, *diff.impacted)}
        if any(one.category in HARMFUL for one in changes) and not {TOTALS, END} <= named:
            yield f"{shown}\n  is said to affect {named} alone: {changes}"
        if not differs:
            kind = "harmless" if is_harmless else "equal"
            self.counts[f"{kind}, {'a change' if changes else 'formatting'}"] += 1
            if is_harmless and changes:
                self.counts[f"alarm {changes[0].category}"] += 1
            return
        for change in changes:
            is_known = change.category is not Category.UNKNOWN
            self.counts["hidden edit with a category" if is_known else "hidden edit, unknown"] += 1
            if not is_known:
                self.counts[
                    "because " + next((r for r in change.category_reasons if "{{" in r or "other " in r), "?")
                ] += 1
            for pair in found.texts:
                if problem := self.executor.contradiction(change, pair):
                    yield f"{shown}\n  {problem}: {pair}\n  {change.category_reasons}"
                    break

    def _edit(self, seed: int) -> tuple[Side, Side, tuple[str, str], bool] | None:
        """Return an edit that compiled SQL does not show, or any if both sides compile another branch."""
        base, draw = side(seed, None)
        shown, other = self.compiled_for
        before = rendered(base, shown)
        choose = random.Random(seed + 1)
        if before is None or (shown != other and before == rendered(base, other)):
            return None
        for _ in range(TRIES):
            current, edited = side(seed, choose.randint(1, draw.points))
            after = rendered(current, other)
            if after is None or current == base or set(current.macros) != set(base.macros):
                continue
            if shown != other or (plain(before[0]) == plain(after[0]) and before[1] == after[1]):
                return base, current, (before[0], after[0]), edited.was_harmless
        return None


def main() -> None:
    """Run the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--branches", action="store_true", help="compile another branch on each side")
    clock, given = Clock.of(parser)
    proof, failed = Proof(branches=given.branches), 0
    for seed in clock.seeds():
        for failure in proof.failures(seed):
            failed += 1
            print(failure, flush=True)
    for what, count in proof.counts.most_common():
        print(f"{count:7,} {what}")
    known, unknown = (proof.counts[f"hidden edit{one}"] for one in (" with a category", ", unknown"))
    print(
        f"{known / max(known + unknown, 1):.0%} of {known + unknown:,} hidden edits have a category"
        " other than unknown"
    )
    print(clock.report(failed))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
