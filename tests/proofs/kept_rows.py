"""Proof that no edit of a node that keeps rows is called milder than its rows show, with dbt as the judge.

    python -m tests.proofs.kept_rows PYTHON [--postgres URL] [--seconds 600] [--seed 1]

PYTHON is that of an environment with dbt 1.11 and dbt-duckdb, or dbt-postgres with `--postgres`; the database
of URL is created, copied and dropped. A case draws incremental, microbatch and snapshot models, an edit for
each, readers, and models that write the tables of others in hooks or while dbt renders them. dbt builds the
project, its source changes, and dbt runs it again twice from there: as it was, and edited. It builds both
anew, too. Prints each edit that is called milder than what rows and types of the runs, or of the new builds,
show, each reader with other rows, or written table, that is not affected, each reader that fails without a
report (also an edited one that selects a new column), and each reader that is reported as failing and works;
exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from recce_meta import UnifiedSqlAdapter
from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.api.run_reader import read_run
from recce_meta.models import Project, RunDiff
from recce_meta.models.change import SEVERITY, Category, Impact, Reach
from tests.proofs.clock import Clock

JUDGE = """
import json, sys
from datetime import datetime, timezone
from dbt.cli.main import dbtRunner
from dbt.materializations.incremental.microbatch import MicrobatchBuilder

begins = MicrobatchBuilder.__init__


def at_noon(builder, *given, **named):
    # The clock of the project: batches end here, and lookback counts from here.
    begins(builder, *given, **{**named, "default_end_time": datetime(2026, 1, 6, 12, tzinfo=timezone.utc)})


MicrobatchBuilder.__init__ = at_noon
options = ["--profiles-dir", ".", "--quiet", "--no-use-colors"]
done = dbtRunner().invoke(["build", *sys.argv[1:], *options])
if done.exception is not None:
    raise done.exception
print("states:" + json.dumps({one.node.name: [str(one.status), str(one.message)] for one in done.result}))
if "--full-refresh" not in sys.argv:
    dbtRunner().invoke(["compile", *options])
"""
NODES, WRITERS = 30, 6
SOURCES = (
    "sources: [{name: s, schema: '{{ target.schema }}', tables: [{name: raw, config: {event_time: ts}, "
    "columns: [{name: id}, {name: a}, {name: b}, {name: c}, {name: ts}]}]}]"
)
ROWS = (
    ["create table raw (id int, a int, b varchar(20), c int, ts timestamp)"]
    + [
        f"insert into raw values ({i}, {i * 10}, 'b{i}', {i % 3}, '2026-01-0{1 + i // 3}')"
        for i in range(1, 9)
    ]
    + [
        "insert into raw values (12, 5, 'b12', 2, '2025-11-03'), (13, null, 'b13', -2, '2025-12-24'), "
        "(14, 140, null, -1, '2026-01-04'), (-3, -30, 'b-3', 1, '2026-01-02')"
    ]
)
LATER = (
    "delete from raw where id = 8",
    "update raw set a = 11, b = 'late', ts = '2026-01-05' where id = 1",
    "update raw set c = c + 1 where id = 3",
    "update raw set a = 51, ts = '2026-01-05' where id = 5",
    "update raw set b = 'drifted' where id = 6",
    "update raw set a = 71, c = 0, ts = '2026-01-03 12:00:00' where id = 7",
    "update raw set a = a + 1 where id in (4, 14)",
    "update raw set b = 'old' where id in (12, 13)",
    "update raw set a = 7, ts = '2026-01-05' where id = -3",
    "insert into raw values (9, 90, 'b9', 0, '2026-01-04')",
    "insert into raw values (10, 100, 'b10', 1, '2026-01-01'), (11, null, null, null, '2026-01-06')",
)
VALUES = {
    "id": ("id", "id + 100", "id / 2", "-id", "coalesce(id, 0)"),
    "a": (
        "a",
        "a + 1",
        "a * 2",
        "coalesce(a, 0)",
        "nullif(a, 20)",
        "cast(a as bigint)",
        "cast(a as varchar(9))",
    ),
    "b": ("b", "b || 'x'", "upper(b)", "coalesce(b, '')", "'k'"),
    "c": ("c", "c + 1", "abs(c)", "cast(c as bigint)"),
    "ts": ("ts", "ts + interval '1 day'", "ts - interval '1 year'", "ts - interval '3 day'"),
}
FILTERS = ("", "id > 2", "id > 0", "c = 1", "b is not null", "ts >= '2026-01-02'", "a < 60")
NEWER = (
    "",
    "ts > (select max(ts) from {{ this }})",
    "id > (select max(id) from {{ this }})",
    "ts >= '2026-01-04'",
)
KEYS = (None, "'id'", "['id']", "['id', 'c']", "'b'", "'c'")
CHANGES = (None, "'ignore'", "'append_new_columns'", "'sync_all_columns'", "'fail'")


class Node(NamedTuple):
    """A model or snapshot, before or after an edit."""

    values: Mapping[str, str]
    """Its columns with their expressions, in order."""
    where: str
    newer: str
    config: Mapping[str, str | None]
    form: int = 0
    """How the same query is written."""

    @property
    def is_snapshot(self) -> bool:
        return "strategy" in self.config

    def text(self, name: str, parent: str) -> str:
        """Return its file; it reads *parent*."""
        columns = ", ".join(
            value if value == column else f"{value} as {column}" for column, value in self.values.items()
        )
        where = f" where {self.where}" if self.where else ""
        if self.form == 1:
            sql = f"with s as (select * from {parent}) select {columns} from s{where}"
        elif self.form == 2:
            sql = f"select * from (select {columns} from {parent} as r{where}) as q"
        else:
            sql = f"select {columns} from {parent}{where}"
        if self.newer and not self.is_snapshot:
            sql = f"select * from ({sql}) as n {{% if is_incremental() %}} where {self.newer} {{% endif %}}"
        given = ", ".join(f"{key}={value}" for key, value in self.config.items() if value is not None)
        text = f"{{{{ config({given}) }}}} {sql}"
        return f"{{% snapshot {name} %}} {text} {{% endsnapshot %}}" if self.is_snapshot else text


class Drawn:
    """Nodes of one case, each with its edit."""

    def __init__(self, seed: int, engine: str) -> None:
        self._draw, self._engine = random.Random(seed), engine
        self.nodes: dict[str, tuple[Node, Node, bool]] = {}
        """Each before and after its edit, and whether the edit is that of its parent."""
        for number in range(NODES):
            before = self._node()
            of_parent = self._draw.random() < 0.25
            after = self._edited_query(before) if of_parent else self._edited(before)
            for _ in range(self._draw.choice([0, 0, 1])):
                after = self._edited_query(after) if of_parent else self._edited(after)
            self.nodes[f"n{number}"] = before, after, of_parent
        self.writers = [Writer(self._draw, f"x{number}") for number in range(WRITERS)]

    def _node(self) -> Node:
        draw = self._draw
        values = {name: name for name in VALUES}
        for name in draw.sample([*VALUES], 1):
            values[name] = draw.choice(VALUES[name][:3]) if draw.random() < 0.3 else name
        if draw.random() < 0.3:
            values.pop(draw.choice(["b", "c"]))
        kind = draw.choice(["snapshot", "microbatch", "microbatch", *["incremental"] * 4, "table"])
        if kind == "snapshot":
            config = self._snapshot()
        elif kind == "table":
            config = {"materialized": draw.choice(["'table'", "'view'"])}
        elif kind == "microbatch":
            config = self._batches()
        else:
            config = self._incremental()
        newer = draw.choice(NEWER) if kind == "incremental" else ""
        return Node(values, draw.choice(FILTERS) if draw.random() < 0.3 else "", newer, config)

    def _snapshot(self) -> dict[str, str | None]:
        draw = self._draw
        config: dict[str, str | None] = {"unique_key": draw.choice(["'id'", "'id'", "['id']"])}
        if draw.random() < 0.5:
            config |= {"strategy": "'timestamp'", "updated_at": "'ts'"}
        else:
            config |= {"strategy": "'check'", "check_cols": draw.choice(["'all'", "['a']", "['a', 'ts']"])}
        config["hard_deletes"] = draw.choice([None, None, "'ignore'", "'invalidate'", "'new_record'"])
        config["dbt_valid_to_current"] = draw.choice([None, None, "\"cast('9999-12-31' as timestamp)\""])
        return config

    def _batches(self) -> dict[str, str | None]:
        draw = self._draw
        size = draw.choice(["day", "day", "month"])
        begins = ["2026-01-01", "2026-01-02"] if size == "day" else ["2025-11-01", "2026-01-01"]
        return {
            **{"materialized": "'incremental'", "incremental_strategy": "'microbatch'", "event_time": "'ts'"},
            **{"begin": f"'{draw.choice(begins)}'", "batch_size": f"'{size}'"},
            "unique_key": "'id'" if self._engine == "postgres" else None,
            "lookback": draw.choice([None, "1", "3"]),
            "full_refresh": draw.choice([None, None, None, "false"]),
            "on_schema_change": draw.choice(CHANGES),
        }

    def _incremental(self) -> dict[str, str | None]:
        draw = self._draw
        return {
            "materialized": "'incremental'",
            "incremental_strategy": draw.choice([None, "'append'", "'merge'", "'delete+insert'"]),
            "unique_key": draw.choice(KEYS[:4]) if draw.random() < 0.8 else draw.choice(KEYS),
            "on_schema_change": draw.choice(CHANGES),
            "incremental_predicates": draw.choice([None, None, None, "['id > 3']"]),
            "merge_update_columns": draw.choice([None, None, None, "['a', 'b']"]),
            "merge_exclude_columns": None,
            "full_refresh": draw.choice([None, None, None, None, "true", "false"]),
        }

    def _edited(self, node: Node) -> Node:
        return self._edited_config(node) if self._draw.random() < 0.35 else self._edited_query(node)

    def _edited_query(self, node: Node) -> Node:
        draw, values = self._draw, dict(node.values)
        match draw.choice(["value", "value", "value", "added", "removed", "order", "where", "newer", "form"]):
            case "value":
                name = draw.choice([*values])
                values[name] = draw.choice(VALUES.get(name, ("1", "2")))
            case "added":
                values[draw.choice(["extra", "more"])] = draw.choice(["1", "id * 2", "'x'", "a"])
            case "removed":
                values.pop(draw.choice([one for one in values if one not in ("id", "ts")] or ["a"]), None)
            case "order":
                items = [*values.items()]
                draw.shuffle(items)
                values = dict(items)
            case "where":
                return node._replace(where=draw.choice(FILTERS))
            case "newer":
                return node._replace(newer=draw.choice(NEWER)) if node.newer else node._replace(form=1)
            case _:
                return node._replace(form=draw.choice([0, 1, 2]))
        return node._replace(values=values)

    def _edited_config(self, node: Node) -> Node:
        draw = self._draw
        if "on_schema_change" not in node.config and not node.is_snapshot:
            newer = draw.choice(NEWER)
            return node._replace(config=self._incremental(), newer=newer)
        if draw.random() < 0.1:
            return node._replace(config={"materialized": draw.choice(["'table'", "'view'"])})
        if node.is_snapshot:
            new = self._snapshot()
        elif node.config.get("begin"):
            new = self._batches()
        else:
            new = self._incremental()
        key = draw.choice([one for one in new if node.config.get(one) != new[one]] or [*new])
        if key in ("strategy", "updated_at", "check_cols") and node.is_snapshot:
            kept = {
                one: node.config.get(one) for one in ("unique_key", "hard_deletes", "dbt_valid_to_current")
            }
            return node._replace(config={**new, **kept})
        return node._replace(config={**node.config, key: new[key]})

    def write(self, folder: Path, *, is_edited: bool) -> None:
        """Write the project to *folder*."""
        source = "{{ source('s', 'raw') }}"
        for place in ("models", "snapshots", "macros"):
            shutil.rmtree(folder / place, ignore_errors=True)
            (folder / place).mkdir()
        (folder / "models/sources.yml").write_text(SOURCES)
        for writer in self.writers:
            for path, text in writer.files(is_edited=is_edited):
                (folder / path).write_text(text)
        for name, (before, after, of_parent) in self.nodes.items():
            node, parent = after if is_edited else before, source
            if of_parent:
                above = Node(
                    node.values, node.where, "", {"materialized": "'table'", "event_time": "'ts'"}, node.form
                )
                (folder / f"models/p_{name}.sql").write_text(above.text("", source))
                parent = f"{{{{ ref('p_{name}') }}}}"
                node = before._replace(where="", values={one: one for one in before.values})
            place = "snapshots" if node.is_snapshot else "models"
            (folder / place / f"{name}.sql").write_text(node.text(name, parent))
            column = next(one for one in before.values if one not in ("id", "ts"))
            for reader, sql in (("v", f"select {column}"), ("r", "select count(*) as n")):
                made = f"{{{{ config(materialized='table') }}}} {sql} from {{{{ ref('{name}') }}}}"
                (folder / f"models/{reader}_{name}.sql").write_text(made)
            # An edited reader of a column that the table may not get.
            if not of_parent and (added := [one for one in after.values if one not in before.values]):
                sql = f"select {added[0] if is_edited else 'id'} from {{{{ ref('{name}') }}}}"
                (folder / f"models/e_{name}.sql").write_text(f"{{{{ config(materialized='table') }}}} {sql}")


WRITTEN = (
    "{{ ref('NAME') }}",
    "{{ target.schema }}.NAME",
    "{{ this.incorporate(path={'identifier': 'NAME'}) }}",
)
STATEMENTS = (
    "insert into {0} select id, a from {1} where id > {2}",
    "delete from {0} where id in (select id from {1} where a > {2})",
    "update {0} set a = {2} where id in (select id from {1})",
)


class Writer:
    """A model that writes the table of another one, with an edit of it or of what it reads."""

    def __init__(self, draw: random.Random, name: str) -> None:
        self.name = name
        self._form = draw.choice(["hook", "macro", "joined", "call", "set", "sends"])
        self._target = draw.choice(WRITTEN if self._form in ("hook", "macro", "set") else WRITTEN[:2])
        self._statement = draw.choice(STATEMENTS)
        self._reads_this = self._form == "hook" and draw.random() < 0.5
        self._edit = draw.choice(["value", "where", "statement", "statement", "none"])

    def files(self, *, is_edited: bool) -> Iterator[tuple[str, str]]:
        """Yield the files of the writer, of what it reads, and of the table that it writes."""
        edit, name = self._edit if is_edited else "none", self.name
        source = "{{ source('s', 'raw') }}"
        table = "{{ config(materialized='table') }} "
        yield f"models/t_{name}.sql", f"{table}select id, a from {source} where id < 6"
        value, where = "a + 7" if edit == "value" else "a", " where id <> 2" if edit == "where" else ""
        yield f"models/p_{name}.sql", f"{table}select id, {value} as a from {source}{where}"
        target = self._target.replace("NAME", f"t_{name}")
        read = "{{ this }}" if self._reads_this else f"{{{{ ref('p_{name}') }}}}"
        sql = self._statement.format(target, read, 2 if edit == "statement" else 1)
        joined = re.sub(r"\{\{ (.*?) \}\}", r'" ~ \1 ~ "', sql)
        sends, call = f'{{% do run_query("{joined}") %}}', "{{ write_NAME() }}".replace("NAME", name)
        inner = {"macro": sql, "sends": f"{{% if execute %}}{sends}{{% endif %}}"}.get(self._form)
        if inner is not None:
            yield f"macros/{name}.sql", f"{{% macro write_{name}() %}}{inner}{{% endmacro %}}"
        hooks = {"hook": sql.replace('"', '\\"'), "macro": call}
        form = {
            "joined": f"{{% if execute %}}{sends}{{% endif %}}",
            "call": f"{{% call statement('w') %}}{sql}{{% endcall %}}",
            "set": f"{{% set sql %}}{sql}{{% endset %}}{{% do run_query(sql) if execute %}}",
            "sends": call,
        }.get(self._form, "")
        hook = f', post_hook="{hooks[self._form]}"' if self._form in hooks else ""
        depends = f"-- depends_on: {{{{ ref('t_{name}') }}}}\n"
        query = f"select * from {{{{ ref('p_{name}') }}}}"
        yield f"models/w_{name}.sql", f"{depends}{{{{ config(materialized='table'{hook}) }}}}{form}\n{query}"

    def __str__(self) -> str:
        """Return what the writer does, and its edit."""
        read = "this" if self._reads_this else "p"
        return f"{self._form}: {self._statement.format(self._target, read, 1)}: {self._edit}"


Table = tuple[tuple[str, ...], Counter[tuple[object, ...]]]


class Case:
    """One project, run again by dbt as it was, and edited."""

    def __init__(self, seed: int, python: Path, postgres: str | None, folder: Path) -> None:
        self._python, self._folder, self._postgres = python, folder, postgres
        self._url = postgres or f"duckdb:///{folder / 'shop.duckdb'}"
        self.drawn = Drawn(seed, "postgres" if postgres else "duckdb")
        output = {"type": "duckdb", "path": str(folder / "shop.duckdb"), "schema": "main", "threads": 1}
        if postgres:
            found = re.fullmatch(r"postgresql://(\w+)(?::(.*))?@([\w.]+):(\d+)/(\w+)", postgres)
            if found is None:
                raise SystemExit("--postgres needs postgresql://USER[:PASSWORD]@HOST:PORT/DATABASE")
            user, password, host, port, self._name = found.groups()
            self._server = postgres.removesuffix(self._name) + "postgres"
            output = {"type": "postgres", "host": host, "user": user, "password": password or "x"}
            output |= {"port": int(port), "dbname": self._name, "schema": "public", "threads": 2}
        self._schema = str(output["schema"])
        profile = {"shop": {"target": "dev", "outputs": {"dev": output}}}
        (folder / "profiles.yml").write_text(json.dumps(profile))
        (folder / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
        self._sql("drop database if exists {0}", "drop database if exists {0}_copy", "create database {0}")
        self.drawn.write(folder, is_edited=False)
        self._execute(ROWS)
        self.first, _ = self._built()
        self._execute(LATER)
        self._copy()
        self.control, self.base = self._built()
        self.before = dict(self._tables(self.control))
        self._restore()
        self.drawn.write(folder, is_edited=True)
        self.edited, self.current = self._built()
        self.after = dict(self._tables(self.edited))
        self.fresh_after = self._fresh()
        self.drawn.write(folder, is_edited=False)
        self.fresh_before = self._fresh()
        self._sql("drop database {0}")
        self.diff: RunDiff = whole_diff(self.base, self.current, NOTHING_MORE)

    def _fresh(self) -> dict[str, Table]:
        """Build the project in an empty database with all rows, and return its tables."""
        self._sql("drop database {0}", "create database {0}")
        if not self._postgres:
            (self._folder / "shop.duckdb").unlink()
        self._execute([*ROWS, *LATER])
        states, _ = self._built("--full-refresh", reads=False)
        return dict(self._tables(states))

    def _sql(self, *statements: str) -> None:
        """Execute *statements* with the name of the database outside of it."""
        for one in statements if self._postgres else ():
            subprocess.run(
                ["psql", "-q", self._server, "-c", one.format(self._name)], check=True, capture_output=True
            )

    def _copy(self) -> None:
        self._sql("create database {0}_copy template {0}")
        if not self._postgres:
            shutil.copy(self._folder / "shop.duckdb", self._folder / "copy.duckdb")

    def _restore(self) -> None:
        self._sql("drop database {0}", "alter database {0}_copy rename to {0}")
        if not self._postgres:
            shutil.move(self._folder / "copy.duckdb", self._folder / "shop.duckdb")

    def _execute(self, statements: list[str] | tuple[str, ...]) -> None:
        with UnifiedSqlAdapter.from_url(self._url) as adapter:
            for one in statements:
                adapter.execute(one)

    def _built(self, *options: str, reads: bool = True) -> tuple[dict[str, list[str]], Project | None]:
        command = [str(self._python), "-c", JUDGE, *options]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith("states:")]
        if not lines:
            raise RuntimeError(f"dbt failed: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        states = json.loads(lines[-1].removeprefix("states:"))
        return states, read_run(self._folder / "target", hash_seed_files=False) if reads else None

    def _tables(self, states: Mapping[str, list[str]]) -> Iterator[tuple[str, Table]]:
        with UnifiedSqlAdapter.from_url(self._url) as adapter:
            found = adapter.execute(
                "select table_name, column_name, data_type from information_schema.columns "
                f"where table_schema = '{self._schema}'"
            )
            types = {(table, column): kind for table, column, kind in found[1]}
            for name, (status, _) in states.items():
                if status == "success":
                    read = adapter.execute(f'select * from {self._schema}."{name}"')
                    yield name, _table(name, types, *read)

    def findings(self) -> Iterator[tuple[str, str]]:
        """Yield what each answer is (`equal`, `unsafe`, …) with its description."""
        changes = {one.name: one for one in self.diff.changes}
        reached = {one.name: one for one in self.diff.impacted}
        affected = {*reached, *(one.name for one in self.diff.changed)}
        for writer in self.drawn.writers:
            table = f"t_{writer.name}"
            if self.control[f"w_{writer.name}"][0] != "success":
                yield "not built", str(self.control[f"w_{writer.name}"])
            elif self.before[table] != self.after[table]:
                kind = "written table differs" if table in affected else "unsafe"
                yield kind, f"{table} is not affected by {writer}"
            else:
                kind = "affected" if table in affected else "not affected"
                yield f"written table equal: {kind}", str(writer)
        for name, (before, after, of_parent) in self.drawn.nodes.items():
            if name not in self.before or self.first[name][0] != "success":
                yield "not built", name
                continue
            seen, columns = mildest(self.before[name], self.after.get(name))
            anew, of_new = mildest(self.fresh_before.get(name), self.fresh_after.get(name))
            if SEVERITY[anew] > SEVERITY[seen]:
                seen = anew
            columns |= of_new
            texts = "\n  -> ".join(node.text(name, "raw") for node in (before, after))
            shown = f"{texts}\n  {self.edited[name]} {sorted(columns)}"
            if of_parent:
                impact = reached.get(name)
                told = _of_reach(None if impact is None else "fails" if impact.fails else str(impact.reach))
                named = set(impact.columns) if impact else set()
            else:
                change = changes.get(name)
                told = (change.category if change else None) or Category.NONE
                named = {one.name for one in change.columns} if change else set()
            is_short = told is Category.PARTIAL_BREAKING and not columns <= named
            kind = _kind(told, seen, is_short)
            yield (
                kind,
                f"{name}{' (parent)' * of_parent}: {told}, rows: {seen}\n  {shown}",
            )
            if self.control.get(f"e_{name}", [""])[0] == "success":
                edited = changes[f"e_{name}"]
                reach = edited.reached
                fails = self.edited[edited.name][0] == "error"
                is_said = reach is not None and (reach.fails or bool(reach.may_fail))
                is_wrong = fails is not is_said and (fails or (reach is not None and reach.fails))
                kind = "edited reader fails" if fails else "edited reader works"
                yield (
                    ("unsafe" if is_wrong else kind),
                    f"{edited.name}: {self.edited[edited.name]}, {reach}\n  {shown}",
                )
            for reader in (f"v_{name}", f"r_{name}"):
                if self.control.get(reader, [""])[0] != "success":
                    continue
                state = self.edited[reader][0]
                if reader in reached and reached[reader].fails and state != "error":
                    yield "unsafe", f"{reader} is {state}, and reported as failing: {told}\n  {shown}"
                if state == "error" and not (reader in reached and _may_fail(reached[reader])):
                    yield "unsafe", f"{reader} fails: {self.edited[reader]}\n  {shown}"
                if state == "skipped":
                    continue
                anew = self.fresh_before.get(reader), self.fresh_after.get(reader)
                if self.before[reader] == self.after.get(reader) and (anew[0] == anew[1] or None in anew):
                    yield "reader equal: " + ("affected" if reader in affected else "not affected"), ""
                else:
                    is_said = reader in affected
                    yield (
                        "reader differs" if is_said else "unsafe",
                        f"{reader} is not affected: {told}\n  {shown}",
                    )


def _table(
    table: str, types: Mapping[tuple[str, str], str], names: tuple[str, ...], rows: list[tuple[object, ...]]
) -> Table:
    """Return columns and rows without times of dbt: whether a version is closed is left.

    A value has its type, so that columns of another type differ.
    """
    kept = [one for one in names if not one.startswith("dbt_") or one in ("dbt_valid_to", "dbt_is_deleted")]
    found = Counter(
        tuple(
            (None if value is None else "open" if str(value).startswith("9999") else "closed")
            if column == "dbt_valid_to"
            else f"{types[table, column]} {value}"
            for column, value in zip(names, row, strict=True)
            if column in kept
        )
        for row in rows
    )
    return tuple(kept), found


def mildest(old: Table | None, new: Table | None) -> tuple[Category, frozenset[str]]:
    """Return the mildest category that fits the rows of both builds, and the columns that differ.

    The table is None if a build failed.
    """
    if old is None:
        return Category.NONE, frozenset()
    if new is None:
        return Category.BREAKING, frozenset()
    common = [one for one in old[0] if one in new[0]]
    lost = frozenset(old[0]) - frozenset(new[0])
    if _chosen(old, common) == _chosen(new, common):
        is_wider = len(new[0]) > len(common)
        harmless = Category.NON_BREAKING if is_wider else Category.NONE
        return (Category.PARTIAL_BREAKING, lost) if lost else (harmless, lost)
    differing = frozenset(one for one in common if _chosen(old, [one]) != _chosen(new, [one]))
    rest = [one for one in common if one not in differing]
    if rest and _chosen(old, rest) == _chosen(new, rest):
        return Category.PARTIAL_BREAKING, lost | differing
    return Category.BREAKING, frozenset()


def _chosen(table: Table, columns: list[str]) -> Counter[tuple[object, ...]]:
    places = [table[0].index(one) for one in columns]
    found: Counter[tuple[object, ...]] = Counter()
    for row, count in table[1].items():
        found[tuple(row[place] for place in places)] += count
    return found


def _may_fail(impact: Impact) -> bool:
    return impact.fails or bool(impact.may_fail)


def _of_reach(reach: str | None) -> Category:
    if reach is None:
        return Category.NON_BREAKING  # a column may be new
    known = {
        "fails": Category.BREAKING,
        str(Reach.ROWS): Category.BREAKING,
        str(Reach.COLUMNS): Category.PARTIAL_BREAKING,
    }
    return known.get(reach, Category.UNKNOWN)


def _kind(told: Category, seen: Category, is_short: bool) -> str:
    if told is Category.UNKNOWN:
        return "unknown"
    if is_short or SEVERITY[told] < SEVERITY[seen]:
        return "unsafe"
    return (
        "equal"
        if told is seen or (seen is Category.NONE and told is Category.NON_BREAKING)
        else "more severe"
    )


def main() -> None:
    """Run the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("python", type=Path)
    parser.add_argument("--postgres", help="URL of a database that does not exist yet")
    parser.add_argument("--show", default="unsafe", help="kinds of answers that are printed [unsafe]")
    clock, given = Clock.of(parser)
    counts: Counter[str] = Counter()
    for seed in clock.seeds():
        with TemporaryDirectory() as folder:
            for kind, text in Case(seed, given.python, given.postgres, Path(folder)).findings():
                counts[kind] += 1
                if re.fullmatch(given.show, kind):
                    print(f"{kind}: case {seed}: {text}", flush=True)
    print(", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())))
    print(clock.report(counts["unsafe"]))
    sys.exit(bool(counts["unsafe"]))


if __name__ == "__main__":
    main()
