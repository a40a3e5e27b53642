"""The models of real projects, run on DuckDB over random rows, to hold their lineage against what happens."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import sqlglot
from msgspec.structs import replace
from sqlglot import exp
from sqlglot.errors import SqlglotError

from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.lineage import ColumnGraph, ColumnSource, ColumnUse, Kind, NodeColumns
from recce_meta.sql_lineage.project.columns import analyse_project
from recce_meta.sql_lineage.project.names import QueryNames, RelationFinder, dialect_of
from tests.property.perturbing import Perturbed, Tally, check, listed, typed

NUMBERS = ("id", "key", "amount", "count", "number", "total", "price", "cost", "cents", "value")
MOMENTS = ("_at", "date", "time", "month", "day", "week", "_on")


class Models:
    """The models of one project that name their parents as dbt does."""

    def __init__(self, folder: Path) -> None:
        self.project: Project = extract_project(folder, git=GitState(), hash_seed_files=False)
        self.graph: ColumnGraph = analyse_project(self.project)
        self.dialect = dialect_of(self.project.run.adapter_type) or ""
        self._names = RelationFinder(self.project.nodes)
        self._nodes = {node.unique_id: node for node in self.project.nodes}

    def check(self, tally: Tally, *, every: int = 1) -> None:
        """Hold the lineage of one in *every* models against what happens when it is run."""
        models = [
            node
            for node in self.project.nodes
            if node.resource_type == "model" and node.compiled_code and node.language != "python"
        ]
        for node in models[::every]:
            self._check(node.unique_id, tally)

    def _check(self, unique_id: str, tally: Tally) -> None:
        columns = inlined(self.graph, self._nodes, unique_id)
        if columns.reason is not None:
            tally.not_analysed.append(f"{unique_id}: {columns.reason}")
            return
        names = self._names.of(self._nodes[unique_id])
        tables = {parent: keys[0] for parent, keys in names.keys().items()}
        if not tables or names.named:
            return  # of names that dbt did not write
        sql = names.sql
        if self.dialect != "duckdb":
            try:
                (sql,) = sqlglot.transpile(sql, read=self.dialect, write="duckdb")
            except SqlglotError:
                return
        schemas = {table: self._columns(parent, names, sql) for parent, table in tables.items()}
        if all(schemas.values()):
            found = listed(columns, lambda parent: tables.get(parent, parent))
            check(sql, Perturbed(schemas, typed), tally, found)

    def _columns(self, unique_id: str, names: QueryNames, sql: str) -> Mapping[str, str]:
        """The columns of a parent and their types, guessed by their names where no catalog has them."""
        node = self._nodes[unique_id]
        if node.columns_from == "catalog":
            return {column.name: self._type(column.name, column.type) for column in node.columns}
        found = self.graph.analyses.get(self.graph.lineage_ids.get(unique_id, ""))
        known: Iterable[str] = found.names if found else ()
        return {name: guessed(name) for name in known}

    def _type(self, name: str, said: str | None) -> str:
        if self.dialect == "duckdb" and said:
            return said
        try:
            return exp.DataType.build(said or "", dialect=self.dialect).sql("duckdb")
        except SqlglotError:
            return guessed(name)


def inlined(graph: ColumnGraph, nodes: Mapping[str, NodeMetadata], unique_id: str) -> NodeColumns:
    """The columns of compiled SQL: an ephemeral parent is a CTE in it, and leads to its parents."""
    columns = graph.analyses[graph.lineage_ids[unique_id]]
    ephemeral = [one for one in nodes[unique_id].parents if one in nodes and nodes[one].is_ephemeral]
    inner = {one: inlined(graph, nodes, one) for one in ephemeral}

    def behind(parent: str, column: str, kinds: Collection[Kind]) -> list[ColumnSource]:
        return [
            source
            for output in inner[parent].outputs
            if output.name.lower() == column.lower() and output.kind in kinds
            for source in output.sources
        ]

    def flat(sources: Iterable[ColumnSource], kinds: Collection[Kind]) -> tuple[ColumnSource, ...]:
        found = [behind(one.parent, one.column, kinds) if one.parent in inner else [one] for one in sources]
        return tuple(sorted({each for some in found for each in some}))

    outputs = [replace(output, sources=flat(output.sources, [*Kind])) for output in columns.outputs]
    uses = {use for one in inner.values() for use in one.uses}
    for use in columns.uses:
        source = ColumnSource(use.parent, use.column, use.confidence)
        uses |= {
            ColumnUse(use.usage, one.parent, one.column, one.confidence) for one in flat([source], [*Kind])
        }
    references = {one for each in inner.values() for one in each.references}
    references |= {*flat(columns.references, [Kind.PASSTHROUGH])}
    return replace(
        columns, outputs=tuple(outputs), uses=tuple(sorted(uses)), references=tuple(sorted(references))
    )


def guessed(name: str) -> str:
    """The type that a column of that name may have."""
    lower = name.lower()
    if lower.startswith(("is_", "has_")):
        return "boolean"
    if any(word in lower for word in MOMENTS):
        return "timestamp"
    return "integer" if any(word in lower for word in NUMBERS) else "varchar"
