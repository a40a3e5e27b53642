"""Store of 200 runs of 5,000 models with 32 columns each, which the server's benchmarks read.

Each run edits a few models, so graphs and column graphs share nearly all of their parts. Rows are written in
one step, in a minute. `python -m benchmarks.large_store FOLDER` keeps the DuckDB file and the schema in
PostgreSQL.
"""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from benchmarks.generate import TYPES, write
from benchmarks.recording import POSTGRES, adapter_at, extracted
from benchmarks.views import Rows, edited, fill, results, rewired
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.lineage import (
    REFERENCES_SINCE,
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Kind,
    NodeColumns,
    Usage,
    lineage_id_of,
)
from recce_meta.models.node import Column
from recce_meta.models.relation_tokens import readable_relations, tokenise
from recce_meta.store import columns as stored_columns
from recce_meta.store import content
from recce_meta.store.read import run_row
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.store.statistics import NODE_COLUMNS as COUNT_COLUMNS
from recce_meta.store.write import RESULT_COLUMNS, RUN_COLUMNS, result_row

RUNS = 200
MODELS = 5_000
TESTS = 1_000
COLUMNS = 32
EDITED = 8
"""Number of models that each run edits; every fourth of them gets or loses a column."""
COUNTED = 300
"""Number of models whose rows are counted in each run."""
SCHEMA = "bench_serve_large"
"""Schema of the store in PostgreSQL."""
WORDS = ("amount", "status", "customer", "created_at", "country", "channel", "margin", "score")


def project_of(folder: Path) -> Project:
    """Return the project of the first run."""
    project = rewired(extracted(write(folder / "project", MODELS, TESTS)))
    return replace(project, nodes=tuple(map(with_columns, project.nodes)))


def with_columns(node: NodeMetadata) -> NodeMetadata:
    """Return *node* with 32 described columns if it is a model or a source."""
    if node.resource_type not in ("model", "source"):
        return node
    found = tuple(
        Column(name=name_of(i), type=TYPES[i % len(TYPES)], description=f"{name_of(i)} of {node.name}")
        for i in range(COLUMNS)
    )
    return replace(node, columns=found, columns_from="catalog")


def name_of(i: int) -> str:
    """Return the name of the column at *i*, the same in all models."""
    return f"{WORDS[i % len(WORDS)]}_{i}"


def columns_of(node: NodeMetadata) -> NodeColumns:
    """Return column lineage: most columns pass through, some are derived, two are used to join or filter."""
    names = [column.name for column in node.columns]
    if not node.parents or not names:
        return NodeColumns(outputs=tuple(ColumnOutput(name, Kind.SOURCE) for name in names))
    left, right = node.parents[0], node.parents[-1]
    outputs = []
    for i, name in enumerate(names):
        source = ColumnSource(left if i < 20 else right, name)
        if i % 11 == 10:
            other = ColumnSource(right, name_of(i - 1))
            kind, expression, sources = Kind.DERIVED, f"l.{name} + r.{other.column}", {source, other}
        elif i == COLUMNS - 1:
            kind, expression, sources = Kind.CONSTANT, "1", set()
        else:
            kind, expression, sources = Kind.PASSTHROUGH, None, {source}
        outputs.append(ColumnOutput(name, kind, expression, tuple(sorted(sources))))
    joins = {ColumnUse(Usage.JOIN, parent, name_of(0)) for parent in (left, right)}
    uses = (*sorted(joins), ColumnUse(Usage.FILTER, left, name_of(1)))
    return NodeColumns(outputs=tuple(outputs), uses=uses)


class Recorded:
    """Rows of a project that changes from run to run; only edited nodes are hashed again."""

    def __init__(self, project: Project) -> None:
        self.rows = Rows()
        self.nodes = {node.unique_id: node for node in project.nodes}
        self._project, self._chance = project, random.Random(11)
        self._models = [node.unique_id for node in project.nodes if node.resource_type == "model"]
        self._places: dict[str, content.Row] = {}
        self._lineage: dict[str, str] = {}
        pieces = content.contents(project)
        for part in pieces.parts.values():
            self._places |= {str(place[0]): place for place in part}
        self._add_versions(pieces.versions)
        self._macro_set_id = pieces.macro_set_id
        sets = ((pieces.macro_set_id, key) for key in pieces.macros)
        self.rows.add("macro_sets", content.MACRO_SET_COLUMNS, sets)
        macros = (content.macro_row(*item) for item in pieces.macros.items())
        self.rows.add("macros", content.MACRO_COLUMNS, macros)

    def edit(self) -> None:
        """Edit a few models."""
        for number, unique_id in enumerate(self._chance.sample(self._models, EDITED)):
            node = edited(self.nodes[unique_id], self._chance)
            if number % 4 == 0:
                node = replace(node, columns=_other_columns(node))
            parents = [self.nodes[parent] for parent in node.parents]
            compiled = node.compiled_code or ""
            identity = content.version_id(node, parents)
            tokens = tokenise(compiled, readable_relations((*parents, node)).relations_of(node))
            self.nodes[unique_id] = node
            place = self._places[unique_id]
            self._places[unique_id] = (unique_id, identity, *place[2:])
            self._add_versions({identity: (node, tokens)})

    def add_run(self, number: int) -> None:
        """Add a run of the project in its current state: every fourth of a pull request."""
        rows, places = self.rows, [self._places[key] for key in sorted(self._places)]
        parts = content.parts_of(places)
        column_parts = content.parts_of(sorted(self._lineage.items()))
        is_current = number % 4 == 3
        run = replace(
            self._project.run,
            run_id=f"run-{number:05}",
            run_at=self._project.run.run_at + timedelta(hours=6 * number),
            recorded_at=self._project.run.run_at + timedelta(hours=6 * number),
            environment="current" if is_current else "base",
            branch=f"feature/{number}" if is_current else "main",
            git_sha=sha256(str(number).encode()).hexdigest()[:40],
            pull_request=str(number) if is_current else None,
            graph_id=content.tree_id(parts),
            macro_set_id=self._macro_set_id,
            column_graph_id=content.tree_id(column_parts),
            node_count=len(self.nodes),
            edge_count=sum(len(node.parents) for node in self.nodes.values()),
        )
        self._add_parts(run.graph_id, parts, "graph_parts", "part_nodes")
        self._add_parts(str(run.column_graph_id), column_parts, "column_parts", "column_part_nodes")
        nodes = list(self.nodes.values())
        rows.add(
            "run_results", RESULT_COLUMNS, [result_row(run, one) for one in results(nodes, self._chance)]
        )
        counts = [
            (run.run_id, unique_id, 1_000 * i + number, run.run_at, None, None)
            for i, unique_id in enumerate(self._models[:COUNTED], 1)
        ]
        rows.add("node_statistics", COUNT_COLUMNS, counts)
        rows.add("runs", RUN_COLUMNS, [run_row(run)])

    def _add_parts(
        self, tree: str | None, parts: dict[str, list[content.Row]], trees: str, places: str
    ) -> None:
        if not self.rows.is_new(trees, tree):
            return
        is_graph = trees == "graph_parts"
        key = content.PART_COLUMNS if is_graph else stored_columns.PART_COLUMNS
        self.rows.add(trees, key, [(tree, part) for part in parts])
        new = [(part, found) for part, found in parts.items() if self.rows.is_new(places, part)]
        columns = content.NODE_COLUMNS if is_graph else stored_columns.NODE_COLUMNS
        self.rows.add(places, columns, content.part_rows(new))

    def _add_versions(self, versions: dict[str, tuple[NodeMetadata, str | None]]) -> None:
        new = {key: value for key, value in versions.items() if self.rows.is_new("versions", key)}
        self.rows.add("node_versions", content.VERSION_COLUMNS, content.version_rows(new))
        parents = content.parent_rows((key, node) for key, (node, _) in new.items())
        self.rows.add("version_parents", content.PARENT_COLUMNS, parents)
        for identity, (node, _) in new.items():
            lineage_id = lineage_id_of(REFERENCES_SINCE, identity)
            self._lineage[node.unique_id] = lineage_id
            found = columns_of(node)
            analysis = (lineage_id, found.tier.value, found.reason)
            self.rows.add("column_analyses", stored_columns.ANALYSIS_COLUMNS, [analysis])
            edges = stored_columns.edge_rows(lineage_id, found)
            self.rows.add("column_edges", stored_columns.EDGE_COLUMNS, edges)


def _other_columns(node: NodeMetadata) -> tuple[Column, ...]:
    """Return the columns of *node* without its additional column, or with one."""
    if len(node.columns) > COLUMNS:
        return node.columns[:COLUMNS]
    return (*node.columns, Column(name="added_later", type="VARCHAR", description="added later"))


def recorded(folder: Path, runs: int = RUNS) -> Rows:
    """Return the rows of the whole store."""
    found = Recorded(project_of(folder))
    for number in range(runs):
        if number:
            found.edit()
        found.add_run(number)
    return found.rows


class Stores:
    """The store in DuckDB and in PostgreSQL, made on first use and kept."""

    def __init__(self, folder: Path, schema: str = SCHEMA) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.schema = schema
        self._folder = folder
        self._rows: Rows | None = None

    def duckdb(self) -> Path:
        """Return the DuckDB file."""
        path = self._folder / "large.duckdb"
        if not path.exists():
            draft = path.with_suffix(".draft")
            draft.unlink(missing_ok=True)
            with adapter_at(draft) as adapter:
                fill(adapter, DEFAULT_SCHEMA, self._recorded().tables)
            draft.rename(path)
        return path

    def postgres(self) -> str:
        """Return the URL of PostgreSQL, where the store is in `schema`."""
        with UnifiedSqlAdapter.from_url(POSTGRES) as adapter:
            made = f"SELECT count(*) FROM information_schema.tables WHERE table_schema = '{self.schema}_made'"
            if not adapter.answer(made)[0][0]:
                self.drop()
                fill(adapter, self.schema, self._recorded().tables)
                adapter.execute(f"CREATE SCHEMA {self.schema}_made")
                adapter.execute(f"CREATE TABLE {self.schema}_made.made AS SELECT 1 AS made")
        return POSTGRES

    def drop(self) -> None:
        """Drop the schema in PostgreSQL."""
        with UnifiedSqlAdapter.from_url(POSTGRES) as adapter:
            for schema in (self.schema, f"{self.schema}_made"):
                adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")

    def _recorded(self) -> Rows:
        if self._rows is None:
            self._rows = recorded(self._folder)
        return self._rows


def main() -> None:
    """Make both stores in a folder: `python -m benchmarks.large_store FOLDER`."""
    stores = Stores(Path(sys.argv[1]))
    print(stores.duckdb(), stores.postgres(), stores.schema)


if __name__ == "__main__":
    main()
