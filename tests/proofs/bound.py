"""Proof that a binder refuses what DuckDB refuses, and no harmless edit.

    python -m tests.proofs.bound [ARTIFACTS] [--seconds 600] [--seed 1]

A case draws a manifest below ARTIFACTS and makes one harmless edit in up to twenty of its queries. No failure
or doubt that the binder finds is allowed. It then makes one harmful edit in a query of the demo, whose models
are built by DuckDB over the demo's tables: what DuckDB builds may not be called a failure, and what it
refuses is counted as found or missed. Half of these cases know no catalog, and so no types.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import sqlglot
from msgspec.structs import replace
from sqlglot import exp
from sqlglot.errors import SqlglotError

from recce_meta import demo_data
from recce_meta.api.demo import demo
from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.api.run_reader import read_run
from recce_meta.errors import RecceMetaError
from recce_meta.graph import parents_first
from recce_meta.models import NodeMetadata, Project, RunDiff
from recce_meta.models.relation_tokens import INJECTED
from recce_meta.sql_lineage.project.names import dialect_of
from tests.proofs.clock import Clock

ARTIFACTS = Path(__file__).parents[1] / "data" / "artifacts"
MOST = 20
"""Most edited queries of a case."""


def main() -> int:
    """Run cases until the time is over; return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifacts", nargs="?", type=Path, default=ARTIFACTS)
    clock, given = Clock.of(parser)
    counts: Counter[str] = Counter()
    failed = 0
    folders = sorted({one.parent for one in given.artifacts.rglob("manifest.json*")})
    with TemporaryDirectory() as name:
        shop = Shop(Path(name))
        for seed in clock.seeds():
            draw = random.Random(seed)
            found = [*harmless(draw.choice(folders), draw, counts)]
            found += [*shop.harmful(draw, counts)]
            for one in found:
                print(f"seed {seed}: {one}", flush=True)
            failed += bool(found)
    print(", ".join(f"{key}: {count}" for key, count in sorted(counts.items())))
    print(clock.report(failed))
    return bool(failed)


@cache
def project_of(folder: Path) -> Project | None:
    """Return the run in *folder* with queries as sqlglot writes them; None if it has none."""
    try:
        project = read_run(folder, hash_seed_files=False)
    except RecceMetaError:
        return None
    if not dialect_of(project.run.adapter_type):
        return None
    nodes = [rewritten(one, project) for one in project.nodes]
    return replace(project, nodes=tuple(nodes), results=())


def rewritten(node: NodeMetadata, project: Project, edit: Edit | None = None) -> NodeMetadata:
    """Return *node* with its query parsed, edited and written; unedited if that is not possible."""
    if not node.compiled_code or node.resource_type not in ("model", "snapshot") or node.language != "sql":
        return node
    dialect = dialect_of(project.run.adapter_type)
    try:
        parsed = sqlglot.parse_one(node.compiled_code, dialect=dialect)
        if not isinstance(parsed, exp.Query):
            return node
        code = parsed.sql(dialect, pretty=True) if edit is None else edit(parsed, dialect or "")
        if edit is not None:
            sqlglot.parse_one(code, dialect=dialect)
    except (SqlglotError, RecursionError, ValueError):
        return node
    return replace(node, compiled_code=code, raw_code=code, code_hash=None) if code else node


Edit = Callable[[exp.Query, str], str]
"""Returns an edited query as text; empty if there is nothing to edit."""


def written(query: exp.Expression, dialect: str) -> str:
    return query.sql(dialect, pretty=True)


def commented(query: exp.Query, dialect: str) -> str:
    return f"-- ) a comment; with 'a quote\n{written(query, dialect)}\n/* ( */"


def bracketed(query: exp.Query, dialect: str) -> str:
    return f"(\n{written(query, dialect)}\n)"


def wrapped(query: exp.Query, dialect: str) -> str:
    return f"select * from (\n{written(query, dialect)}\n) as own_query"


def through_cte(query: exp.Query, dialect: str) -> str:
    return f"with own_cte as (\n{written(query, dialect)}\n)\nselect * from own_cte" * (not query.ctes)


def with_column(query: exp.Query, dialect: str) -> str:
    if not isinstance(query, exp.Select) or query.args.get("distinct"):
        return ""
    query.select(exp.alias_(exp.Literal.number(1), "own_column"), append=True, copy=False)
    aggregates = query.find(exp.AggFunc) or query.args.get("group")
    return "" if aggregates else written(query, dialect)


def renamed_cte(query: exp.Query, dialect: str) -> str:
    names = [one.alias for one in query.ctes]
    columns = {one.name.lower() for one in query.find_all(exp.Column)}
    free = [one for one in names if one.lower() not in columns and names.count(one) == 1]
    if not free or len(list(query.find_all(exp.With))) > 1:
        return ""
    for name in free:
        for table in query.find_all(exp.Table):
            if table.name == name and not table.db:
                table.this.set("this", f"{name}_own")
        for column in query.find_all(exp.Column):
            if column.table == name:
                column.args["table"].set("this", f"{name}_own")
        for cte in query.ctes:
            if cte.alias == name:
                cte.args["alias"].this.set("this", f"{name}_own")
    return written(query, dialect)


def swapped_ctes(query: exp.Query, dialect: str) -> str:
    ctes = list(query.ctes)
    for at in range(len(ctes) - 1):
        read = {one.name for one in ctes[at + 1].find_all(exp.Table)}
        if ctes[at].alias not in read:
            ctes[at], ctes[at + 1] = ctes[at + 1], ctes[at]
            query.args.get("with", query.args.get("with_")).set("expressions", ctes)
            return written(query, dialect)
    return ""


def bracketed_filter(query: exp.Query, dialect: str) -> str:
    found = query.find(exp.Where)
    if found is None:
        return ""
    found.set("this", exp.and_(exp.paren(found.this.copy()), exp.true()))
    return written(query, dialect)


def limited(query: exp.Query, dialect: str) -> str:
    return f"select * from (\n{written(query, dialect)}\n) as own_query where 1 = 1"


HARMLESS = (commented, bracketed, wrapped, through_cte, with_column, renamed_cte, swapped_ctes,
            bracketed_filter, limited)  # fmt: skip


def harmless(folder: Path, draw: random.Random, counts: Counter[str]) -> Iterator[str]:
    """Yield each edited node of which the binder says that it fails or may fail."""
    project = project_of(folder)
    models = (
        [one for one in project.nodes if one.compiled_code and one.resource_type == "model"]
        if project
        else []
    )
    if project is None or not models:
        return
    chosen = {one.unique_id: draw.choice(HARMLESS) for one in draw.sample(models, min(len(models), MOST))}
    nodes = tuple(
        rewritten(one, project, chosen.get(one.unique_id)) if one.unique_id in chosen else one
        for one in project.nodes
    )
    edited = [one for one, before in zip(nodes, project.nodes, strict=True) if one is not before]
    counts[f"harmless edits, {project.run.adapter_type}"] += len(edited)
    diff = whole_diff(project, replace(project, nodes=nodes), NOTHING_MORE)
    for one, said in said_by_binder(diff).items():
        edit = chosen.get(one)
        # A new column may break a reader by position.
        if edit is not None or with_column not in chosen.values():
            how = edit.__name__ if edit else "a reader"
            yield f"{folder.relative_to(folder.parents[2])}: {one} ({how}): {said}"


def said_by_binder(diff: RunDiff) -> dict[str, str]:
    """Return the failures and doubts with the name of DuckDB, by node."""
    found = {one.unique_id: one.build_failure or one.build_doubt for one in diff.changes}
    found |= {one.unique_id: one.failure or one.may_fail for one in diff.impacted}
    return {one: said for one, said in found.items() if "DuckDB" in said}


def columns_of(query: exp.Query) -> list[exp.Column]:
    return [one for one in query.find_all(exp.Column) if not one.find_ancestor(exp.Order)]


class Harm:
    """One edit that a database may refuse, drawn by *draw*."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.kind = draw.choice(
            ["column", "unqualified", "qualifier", "grouping", "nested", "no arguments", "added text",
             "text", "more columns", "sum", "place", "removed", "renamed", "comma"]
        )  # fmt: skip

    def __call__(self, query: exp.Query, dialect: str) -> str:
        columns = columns_of(query)
        if not columns:
            return ""
        one, text = self._draw.choice(columns), exp.Literal.string("text")
        if self.kind == "column":
            one.this.set("this", f"{one.name}_gone")
        elif self.kind == "unqualified":
            one.set("table", None)
        elif self.kind == "qualifier":
            one.set("table", exp.to_identifier("nowhere"))
        elif self.kind == "grouping":
            groups = [each for each in query.find_all(exp.Group) if len(each.expressions) > 1]
            if not groups:
                return ""
            self._draw.choice(groups).expressions.pop()
        elif self.kind == "nested":
            one.replace(exp.Sum(this=exp.Max(this=one.copy())))
        elif self.kind == "no arguments":
            one.replace(exp.Anonymous(this="round", expressions=[]))
        elif self.kind == "added text":
            one.replace(exp.paren(exp.Add(this=one.copy(), expression=exp.cast(text, "varchar"))))
        elif self.kind == "text":
            one.replace(exp.cast(one.copy(), "varchar"))
        elif self.kind == "sum":
            one.replace(exp.Sum(this=one.copy()))
        elif self.kind == "place":
            query.where(exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1)), copy=False)
        elif self.kind == "more columns":
            one.replace(exp.Subquery(this=exp.select("1", "2")))
        elif self.kind in ("removed", "renamed") and isinstance(query, exp.Select):
            selects = query.selects
            at = self._draw.randrange(len(selects))
            if selects[at].is_star or len(selects) < 2:
                return ""
            if self.kind == "removed":
                del query.args["expressions"][at]
            else:
                query.args["expressions"][at] = exp.alias_(selects[at].unalias(), "own_name")
        elif self.kind == "comma":
            return written(query, dialect).replace(",", ",,", 1)
        return written(query, dialect)


class Shop:
    """The demo, with the tables of its sources."""

    def __init__(self, folder: Path) -> None:
        demo(folder)
        self._database = folder / f"{demo_data.DATABASE}.duckdb"
        project = read_run(demo_data.artifacts("base"), hash_seed_files=False)
        project = replace(project, nodes=tuple(rewritten(one, project) for one in project.nodes), results=())
        self._sides = (project, replace(project, nodes=tuple(map(without_types, project.nodes))))
        self._connection = duckdb.connect(str(self._database))
        assert self.refusals(project) == {}, "DuckDB cannot build the demo"

    def refusals(self, project: Project) -> dict[str, str]:
        """Return why DuckDB refuses models of *project*, by unique id; each is built and taken back."""
        nodes = {one.unique_id: one for one in project.nodes}
        order, _ = parents_first({one: [*node.parents] for one, node in nodes.items()})
        self._connection.execute("begin")
        try:
            for one in order:
                node = nodes[one]
                if node.resource_type == "model" and node.compiled_code and not node.is_ephemeral:
                    kind = "view" if node.materialized == "view" else "table"
                    for other in ("view", "table"):
                        self._drop(other, node)
                    self._connection.execute(
                        f"create {kind} {node.relation_name} as (\n{node.compiled_code}\n)"
                    )
                    # As dbt does if the table is there already.
                    if keys := node.config.get("unique_key"):
                        listed = ", ".join([keys] if isinstance(keys, str) else keys)
                        self._connection.execute(f"select {listed} from (\n{node.compiled_code}\n)")
        except duckdb.Error as error:
            return {one: str(error)}
        finally:
            self._connection.execute("rollback")
        return {}

    def _drop(self, kind: str, node: NodeMetadata) -> None:
        found = self._connection.execute(
            "select count(*) from information_schema.tables where table_schema = ? and table_name = ? "
            "and table_type = ?",
            [node.schema_name, node.identifier, "VIEW" if kind == "view" else "BASE TABLE"],
        ).fetchone()
        if found and found[0]:
            self._connection.execute(f"drop {kind} {node.relation_name} cascade")

    def harmful(self, draw: random.Random, counts: Counter[str]) -> Iterator[str]:
        """Yield false alarms of one harmful edit, and count what is found and missed."""
        has_types = draw.random() < 0.5
        project = self._sides[0 if has_types else 1]
        models = [one for one in project.nodes if one.compiled_code and one.resource_type == "model"]
        # The compiled queries of its readers would have its old query.
        models = [one for one in models if not one.is_ephemeral and INJECTED not in (one.compiled_code or "")]
        chosen, harm = draw.choice(models), Harm(draw)
        edited = [rewritten(one, project, harm) if one is chosen else one for one in project.nodes]
        current = replace(project, nodes=tuple(edited))
        if chosen in edited:
            return
        refused = self.refusals(current)
        diff = whole_diff(project, current, NOTHING_MORE)
        failing = {one.unique_id for one in (*diff.changes, *diff.impacted) if one.fails}
        failing = {one for one in failing if one.startswith("model.")}
        words = "with types" if has_types else "without types"
        if not refused:
            counts[f"{words}, built"] += 1
            for one, said in said_by_binder(diff).items():
                if one in failing:
                    yield f"{chosen.name} ({harm.kind}): {one} fails, but DuckDB builds it: {said}"
            return
        is_found = bool(failing & refused.keys())
        may_fail = {one.unique_id for one in (*diff.changes, *diff.impacted) if one.may_fail}
        counts[f"{words}, refused"] += 1
        counts[f"{words}, found"] += is_found
        counts[f"{words}, may fail"] += not is_found and bool(may_fail & refused.keys())
        if not is_found:
            counts[f"{words}, missed: {harm.kind}"] += 1


def without_types(node: NodeMetadata) -> NodeMetadata:
    return replace(node, columns=(), columns_from=None)


if __name__ == "__main__":
    sys.exit(main())
