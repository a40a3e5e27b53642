"""The views over a long history, restricted to a run, to a node, or to the latest run.

`python -m benchmarks.views` prints the table. Columns are made up: each model passes most
columns on, derives some, joins and filters.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from benchmarks.generate import write
from benchmarks.measure import Figure, compared, in_turns, markdown
from benchmarks.recording import POSTGRES, Tables, extracted
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import NodeMetadata, NodeResult, Project, code_hash
from recce_meta.models.lineage import (
    REFERENCES_SINCE,
    ColumnGraph,
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Kind,
    NodeColumns,
    Usage,
    lineage_id_of,
)
from recce_meta.store import content
from recce_meta.store.columns import (
    ANALYSIS_COLUMNS,
    EDGE_COLUMNS,
    NODE_COLUMNS,
    PART_COLUMNS,
    column_pieces,
    edge_rows,
)
from recce_meta.store.graphs import fill_changes
from recce_meta.store.read import run_row
from recce_meta.store.session import open_store
from recce_meta.store.sql_files import DEFAULT_SCHEMA, cookbook
from recce_meta.store.statistics import NODE_COLUMNS as COUNT_COLUMNS
from recce_meta.store.write import RESULT_COLUMNS, RUN_COLUMNS, result_row

RUNS = 2_000
MODELS = 400
TESTS = 20
SHARE = 0.02
NODE = "model.shop.stg_subscription_00003"
CHANGES = ("node_changes", "column_changes", "lineage_changes")
VIEWS = (
    "nodes", "node_columns", "lineage", *CHANGES, "impacted_nodes", "column_lineage", "column_analysis",
    "run_steps", "row_count_history", "latest_row_counts",
)  # fmt: skip
OF_ONE_NODE = (
    "run_history", *CHANGES, "impacted_nodes", "node_columns", "row_count_history", "latest_row_counts",
    "latest_results",
)  # fmt: skip
JOINED = (*CHANGES, "impacted_nodes", "node_columns", "column_analysis", "row_count_history")
OF_LATEST_RUNS = ("latest_row_counts", "latest_results")
MOST, MOST_OF_SQLITE, MOST_OF_IMPACT = 0.3, 1.0, 2.0
"""Maximum seconds."""
Store = tuple[Callable[[], UnifiedSqlAdapter], str]
"""Connection to a store, and its schema."""


COLUMNS = 15
STARRED = frozenset({"c4", "c5", "c6", "c7"})


def edited(node: NodeMetadata, chance: random.Random) -> NodeMetadata:
    """Return *node* with one word of its code replaced."""
    word, new = " as ", f" /* {chance.randrange(10**6)} */ as "
    raw, compiled = ((text or "").replace(word, new, 1) for text in (node.raw_code, node.compiled_code))
    return replace(node, raw_code=raw, compiled_code=compiled, code_hash=code_hash(raw))


def rewired(project: Project) -> Project:
    """Return *project* with other parents: some models have many readers, and paths have up to twenty
    steps.
    """
    chance = random.Random(7)
    models = [node for node in project.nodes if node.resource_type == "model"]
    place = {node.unique_id: i for i, node in enumerate(sorted(models, key=lambda one: one.name[-5:]))}
    ids = list(place)

    def parents(node: NodeMetadata) -> tuple[str, ...]:
        i = place.get(node.unique_id, 0)
        if node.resource_type != "model" or node.parents[0].startswith("source."):
            return node.parents
        near, hub = ids[chance.randrange(i * 3 // 4, i)], ids[int(i * chance.random() ** 4)]
        return tuple(sorted({near, hub}))

    return replace(project, nodes=tuple(replace(node, parents=parents(node)) for node in project.nodes))


def columns_of(node: NodeMetadata) -> NodeColumns:
    """Return columns c0 to c14: eight from a model's left parent, four from its right parent."""
    if not node.parents:
        return NodeColumns(outputs=tuple(ColumnOutput(f"c{i}", Kind.SOURCE) for i in range(COLUMNS)))
    left, right = node.parents[0], node.parents[-1]
    if node.resource_type == "test":
        tested = int(sha256(node.unique_id.encode()).hexdigest()[:4], 16) % COLUMNS
        return NodeColumns(
            uses=(ColumnUse(Usage.FILTER, left, f"c{tested}"),),
            references=(ColumnSource(left, f"c{tested}"),),
        )
    made = {
        12: (Kind.DERIVED, [(left, "c1"), (right, "c2"), (right, "c12")]),
        13: (Kind.AGGREGATED, [(left, "c13")]),
        14: (Kind.CONSTANT, []),
    }
    outputs = []
    for i in range(COLUMNS):
        kind, sources = made.get(i, (Kind.PASSTHROUGH, [(left if i < 8 else right, f"c{i}")]))
        found = tuple(sorted({ColumnSource(parent, name) for parent, name in sources}))
        outputs.append(ColumnOutput(f"c{i}", kind, None, found))
    uses = {ColumnUse(Usage.JOIN, left, "c0"), ColumnUse(Usage.JOIN, right, "c0")}
    uses.add(ColumnUse(Usage.FILTER, left, "c3"))
    # All columns that it reads by name; four columns come through a star.
    named = {source for output in outputs for source in output.sources if source.column not in STARRED}
    named |= {ColumnSource(use.parent, use.column) for use in uses}
    return NodeColumns(outputs=tuple(outputs), uses=tuple(sorted(uses)), references=tuple(sorted(named)))


def history(project: Project, runs: int) -> Iterator[Project]:
    """Yield *runs* runs, an hour apart, every fourth of another environment.

    Each run edits 2 % of the models. Some also read another model, move to another schema, or are away for
    three runs.
    """
    chance = random.Random(7)
    every = list(project.nodes)
    models = [i for i, node in enumerate(every) if node.resource_type == "model"]
    away = -1
    for number in range(runs):
        nodes = [node for i, node in enumerate(every) if i != away]
        environment = "current" if number % 4 == 3 else "base"
        run = replace(
            project.run,
            run_id=f"run-{number:05}",
            run_at=project.run.run_at + timedelta(hours=number),
            environment=environment,
            dbt_version="1.11.0" if number < runs - 100 else "1.12.0",
        )
        yield replace(project, nodes=tuple(nodes), run=run, results=tuple(results(nodes, chance)))
        changed = chance.sample(models, round(SHARE * len(models)))
        for i in changed:
            every[i] = edited(every[i], chance)
        first, places = changed[0], {node.unique_id: node for node in every}
        # A parent of its parent, so that no cycle comes about.
        above = [one for parent in every[first].parents[:1] for one in places[parent].parents[:1]]
        if number % 7 == 0 and above:
            every[first] = replace(every[first], parents=(every[first].parents[0], *above))
        if number % 10 == 0:
            every[first] = replace(every[first], schema_name=f"schema_{number % 3}")
        away = first if number % 12 == 0 else -1 if number % 12 == 3 else away


def results(nodes: list[NodeMetadata], chance: random.Random) -> Iterator[NodeResult]:
    """Yield results of the models and tests in *nodes*; one in a hundred failed."""
    for node in nodes:
        if node.resource_type in ("model", "test"):
            failed = chance.random() < 0.01
            yield NodeResult(
                unique_id=node.unique_id, status="error" if failed else "success", seconds=chance.random()
            )


def column_graph(project: Project) -> ColumnGraph:
    """Return synthetic columns for each node; an edited node has its own analysis."""
    ids = {
        node.unique_id: lineage_id_of(
            REFERENCES_SINCE, sha256(f"{node.unique_id} {node.code_hash}".encode()).hexdigest()[:32]
        )
        for node in project.nodes
    }
    return ColumnGraph(
        lineage_ids=ids, analyses={ids[node.unique_id]: columns_of(node) for node in project.nodes}
    )


class Rows:
    """Unique rows of the store's tables, since a long history is written in one step, not run by run."""

    def __init__(self) -> None:
        self.tables: Tables = {}
        self._seen: set[tuple[str, object]] = set()

    def add(self, table: str, columns: Sequence[str], rows: Iterable[content.Row]) -> None:
        """Add *rows* to *table*."""
        self.tables.setdefault(table, (columns, []))[1].extend(rows)

    def is_new(self, table: str, key: object) -> bool:
        """Return True the first time that *key* of *table* is asked for."""
        if (table, key) in self._seen:
            return False
        self._seen.add((table, key))
        return True

    def add_run(self, project: Project) -> None:
        """Add the rows of *project* that are new in this run."""
        pieces, columns = content.contents(project), column_pieces(column_graph(project))
        run = replace(
            project.run,
            recorded_at=project.run.run_at,
            graph_id=pieces.graph_id,
            macro_set_id=pieces.macro_set_id,
            column_graph_id=columns.column_graph_id,
            node_count=len(project.nodes),
        )
        versions = {key: value for key, value in pieces.versions.items() if self.is_new("versions", key)}
        self.add("node_versions", content.VERSION_COLUMNS, content.version_rows(versions))
        parents = content.parent_rows((key, node) for key, (node, _) in versions.items())
        self.add("version_parents", content.PARENT_COLUMNS, parents)
        if self.is_new("graphs", run.graph_id):
            self.add("graph_parts", content.PART_COLUMNS, ((run.graph_id, part) for part in pieces.parts))
        parts = ((part, rows) for part, rows in pieces.parts.items() if self.is_new("parts", part))
        self.add("part_nodes", content.NODE_COLUMNS, content.part_rows(parts))
        if self.is_new("columns", columns.column_graph_id):
            rows = ((columns.column_graph_id, part) for part in columns.parts)
            self.add("column_parts", PART_COLUMNS, rows)
        parts = ((part, rows) for part, rows in columns.parts.items() if self.is_new("column parts", part))
        self.add("column_part_nodes", NODE_COLUMNS, content.part_rows(parts))
        analyses = {key: value for key, value in columns.analyses.items() if self.is_new("analyses", key)}
        found = ((key, value.tier.value, value.reason) for key, value in analyses.items())
        self.add("column_analyses", ANALYSIS_COLUMNS, found)
        edges = (row for key, value in analyses.items() for row in edge_rows(key, value))
        self.add("column_edges", EDGE_COLUMNS, edges)
        self.add("run_results", RESULT_COLUMNS, (result_row(run, result) for result in project.results))
        self.add(
            "node_statistics",
            COUNT_COLUMNS,
            (
                (run.run_id, node.unique_id, len(node.unique_id), run.run_at, None, None)
                for node in project.nodes
                if node.resource_type == "model"
            ),
        )
        self.add("runs", RUN_COLUMNS, [run_row(run)])


def rows_of(folder: Path, runs: int = RUNS) -> Tables:
    """Return every row of the long history."""
    project = rewired(extracted(write(folder / "project", MODELS, TESTS)))
    rows = Rows()
    for one in history(project, runs):
        rows.add_run(one)
    return rows.tables


def fill(adapter: UnifiedSqlAdapter, schema: str, tables: Tables) -> None:
    """Create a store in *schema* with *tables*."""
    with open_store(adapter.at(schema), create=True, writes=True) as store:
        for table, (columns, rows) in tables.items():
            store.insert(table, columns, rows)
        store.execute("refresh_statistics")
    fill_changes(adapter.at(schema))


def questions(dialect: str, schema: str, run_id: str) -> dict[str, tuple[str, float]]:
    """Return the queries by name, with their maximum seconds: of the views and the cookbook."""
    most = MOST_OF_SQLITE if dialect == "sqlite" else MOST
    asked = {
        f"{view} of one run": (f"SELECT * FROM {schema}.{view} WHERE run_id = '{run_id}'", most)
        for view in VIEWS
    }
    for view in OF_LATEST_RUNS:
        asked[f"{view} of all nodes"] = f"SELECT * FROM {schema}.{view}", most
    for view in OF_ONE_NODE:
        key = "node_id" if view == "lineage_changes" else "unique_id"
        asked[f"{view} of one node"] = f"SELECT * FROM {schema}.{view} WHERE {key} = '{NODE}'", most
    for view in JOINED:
        asked[f"{view} joined with latest_runs"] = (
            f"SELECT found.* FROM {schema}.latest_runs AS run"
            f" JOIN {schema}.{view} AS found ON found.run_id = run.run_id",
            most,
        )
    # Walks of columns take over 8 s in SQLite.
    if dialect == "sqlite":
        return asked
    asked["column_impact of one run"] = (
        f"SELECT * FROM {schema}.column_impact WHERE run_id = '{run_id}'", MOST_OF_IMPACT,
    )  # fmt: skip
    asked["latest_column_impact"] = f"SELECT * FROM {schema}.latest_column_impact", MOST_OF_IMPACT
    for file in cookbook(dialect):
        (query,) = file.statements(schema)
        asked[f"cookbook: {file.name}"] = query, most
    return asked


def measured(dialect: str, long: Store, short: Store, run_id: str) -> Iterator[Figure]:
    """Yield the figures of every query on *long*, compared with *short*, which holds two runs."""
    asked, floor = (questions(dialect, schema, run_id) for _, schema in (long, short))
    for what, (query, most) in asked.items():
        with long[0]() as many, short[0]() as few:
            ours, least = in_turns(
                partial(many.execute, query), partial(few.execute, floor[what][0]), rounds=3
            )
        line = compared(what, ours, least, 1, "store of two runs")
        target = f"< {most * 1e3:.0f} ms"
        yield Figure(f"{what}, {dialect}", line.ours, line.floor, line.ratio, target, ours.wall < most)


def run(scratch: Path, runs: int = RUNS) -> list[Figure]:
    """Run all measurements in each warehouse that stores changes; drop the PostgreSQL schemas afterwards."""
    tables = {"long": rows_of(scratch, runs), "short": rows_of(scratch, 2)}
    figures: list[Figure] = []
    schemas = [f"bench_{os.getpid()}_{name}" for name in tables]
    try:
        for dialect in ("duckdb", "sqlite", "postgres"):
            stores: list[Store] = []
            for (name, rows), schema in zip(tables.items(), schemas, strict=True):
                url = POSTGRES if dialect == "postgres" else f"{dialect}:///{scratch / f'{name}.{dialect}'}"
                connect = partial(UnifiedSqlAdapter.from_url, url)
                place = {"postgres": schema, "sqlite": "main"}.get(dialect, DEFAULT_SCHEMA)
                with connect() as adapter:
                    fill(adapter, place if dialect == "postgres" else DEFAULT_SCHEMA, rows)
                stores.append((connect, place))
            figures += measured(dialect, stores[0], stores[1], "run-00001")
    finally:
        with UnifiedSqlAdapter.from_url(POSTGRES) as adapter:
            for schema in schemas:
                adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    return figures


def main() -> None:
    """Measure in a temporary folder: `python -m benchmarks.views [RUNS]`."""
    with tempfile.TemporaryDirectory() as name:
        print(markdown(run(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)))


if __name__ == "__main__":
    main()
