"""Runs as events of OpenLineage, the format of Marquez, DataHub, Atlan and others.

A node that dbt ran gives a START and a COMPLETE or FAIL event, as dbt-ol sends them. Any other node with a
relation gives a JobEvent, which says what the job reads and writes, and claims no execution. Jobs have the
names that dbt-ol gives for `dbt run`. Rules: https://openlineage.io/spec/2-0-2/OpenLineage.json and
https://openlineage.io/docs/spec/naming.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from recce_meta._version import __version__
from recce_meta.models import NodeMetadata
from recce_meta.models.catalog import VIEWS
from recce_meta.models.export import AnalysisEdge, Export
from recce_meta.models.lineage import Kind, Usage
from recce_meta.models.moments import utc_time
from recce_meta.models.node import Column, NodeResult
from recce_meta.models.node_types import BUILT
from recce_meta.models.run import DBT, ERROR_STATUSES

Event: TypeAlias = dict[str, Any]

PRODUCER = f"urn:recce-meta:{__version__}"
_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs"
_VERSIONS = {
    "ColumnLineageDatasetFacet": "1-2-0",
    "DocumentationDatasetFacet": "1-1-0",
    "ErrorMessageRunFacet": "1-0-1",
    "JobTypeJobFacet": "2-0-4",
    "OutputStatisticsOutputDatasetFacet": "1-0-2",
    "ParentRunFacet": "1-2-0",
    "ProcessingEngineRunFacet": "1-1-1",
    "SchemaDatasetFacet": "1-2-0",
    "SQLJobFacet": "1-1-0",
}
"""Versions of the facets that are written."""
_DIRECT = {
    Kind.PASSTHROUGH: "IDENTITY",
    Kind.RENAMED: "IDENTITY",
    Kind.DERIVED: "TRANSFORMATION",
    Kind.AGGREGATED: "AGGREGATION",
}
"""Subtypes of direct transformations, the weakest first."""
_WEAKER = list(dict.fromkeys(_DIRECT.values()))
_INDIRECT = {Usage.FILTER: "FILTER", Usage.JOIN: "JOIN", Usage.GROUP: "GROUP_BY", Usage.ORDER: "SORT"}


class _Read(NamedTuple):
    """Column of a relation that is read, how, and with which confidence."""

    parent: str
    column: str
    subtype: str
    confidence: float


def lines(export: Export, namespace: str, jobs: str | None = None) -> Iterator[bytes]:
    """Yield the events of a run, a line of JSON each, node by node.

    *namespace* is that of the datasets, such as `postgres://host:5432`; *jobs* is that of the jobs, the name
    of the project by default.
    """
    for event in _EventsOfRun(export, namespace, jobs or export.project.run.project_name).events():
        yield msgspec.json.encode(event) + b"\n"


class _EventsOfRun:
    """One run, with its nodes by unique id."""

    def __init__(self, export: Export, namespace: str, job_namespace: str) -> None:
        self._export, self._namespace, self._jobs = export, namespace, job_namespace
        self._run = export.project.run
        self._nodes = {node.unique_id: node for node in export.project.nodes}
        self._results = {result.unique_id: result for result in export.project.results}
        self._counts = {one.unique_id: one.row_count for one in export.statistics}

    def events(self) -> Iterator[Event]:
        """Yield the events of each node that has a relation and is built, or is a view."""
        for node in self._nodes.values():
            if _is_job(node):
                result = self._results.get(node.unique_id)
                ran = result is not None and result.status.lower() not in ("skipped", "no-op")
                yield from self._execution(node, result) if result and ran else [self._design(node)]

    def _design(self, node: NodeMetadata) -> Event:
        return {
            **_event("JobEvent", _time(self._run.counted_at)),
            "job": self._job(node),
            "inputs": self._inputs(node),
            "outputs": [self._dataset(node.unique_id, is_output=True)],
        }

    def _execution(self, node: NodeMetadata, result: NodeResult) -> Iterator[Event]:
        ended = _read_time(result.completed_at) or self._run.counted_at
        has_failed = result.status.lower() in (*ERROR_STATUSES, "fail")
        facets: dict[str, Any] = {
            "parent": _facet(
                "ParentRunFacet",
                run={"runId": _uuid(self._run.run_id)},
                job={"namespace": self._jobs, "name": f"dbt-run-{self._run.project_name}"},
            )
        }
        if self._run.dbt_version:
            facets["processing_engine"] = _facet(
                "ProcessingEngineRunFacet", name="dbt", version=self._run.dbt_version
            )
        run = {"runId": _uuid(f"{self._run.run_id} {node.unique_id}"), "facets": facets}
        job = self._job(node)
        started = ended - timedelta(seconds=result.seconds or 0)
        yield {**_event("RunEvent", _time(started)), "eventType": "START", "run": run, "job": job}
        if has_failed and result.message:
            error = _facet("ErrorMessageRunFacet", message=result.message, programmingLanguage="SQL")
            run = {**run, "facets": {**facets, "errorMessage": error}}
        yield {
            **_event("RunEvent", _time(ended)),
            "eventType": "FAIL" if has_failed else "COMPLETE",
            "run": run,
            "job": job,
            "inputs": self._inputs(node),
            # As dbt-ol: a run that fails writes nothing.
            "outputs": [] if has_failed else [self._written(node)],
        }

    def _written(self, node: NodeMetadata) -> Event:
        """Return the relation of *node*, with its row count."""
        output = self._dataset(node.unique_id, is_output=True)
        rows = self._counts.get(node.unique_id)
        if rows is not None:
            statistics = _facet("OutputStatisticsOutputDatasetFacet", rowCount=rows)
            output["outputFacets"] = {"outputStatistics": statistics}
        return output

    def _job(self, node: NodeMetadata) -> Event:
        is_dbt = self._run.extractor == DBT
        facets = {
            "jobType": _facet(
                "JobTypeJobFacet",
                processingType="BATCH",
                integration="DBT" if is_dbt else "SQL",
                jobType=node.resource_type.upper(),
            )
        }
        if node.compiled_code and node.language != "python":
            dialect = {"dialect": self._run.adapter_type} if self._run.adapter_type else {}
            facets["sql"] = _facet("SQLJobFacet", query=node.compiled_code, **dialect)
        parts = (node.database_name, node.schema_name, node.unique_id.partition(".")[2])
        suffix = ".snapshot" if node.resource_type == "snapshot" else ""
        return {"namespace": self._jobs, "name": ".".join(filter(None, parts)) + suffix, "facets": facets}

    def _inputs(self, node: NodeMetadata) -> list[Event]:
        # SQL may name a relation without `ref` or `source`.
        reads = (read.parent for edge in self._edges.get(node.unique_id, ()) for _, read in self._reads(edge))
        found = dict.fromkeys((*self._relations(node.parents), *reads))
        return [self._dataset(parent) for parent in found if parent != node.unique_id]

    def _relations(self, parents: Iterable[str]) -> Iterator[str]:
        """Yield the nodes with relations that a query reads; ephemeral models stand for what they read."""
        for parent in parents:
            node = self._nodes.get(parent)
            if node is not None and node.is_ephemeral:
                yield from self._relations(node.parents)
            elif node is not None and node.relation_name:
                yield parent

    def _dataset(self, unique_id: str, *, is_output: bool = False) -> Event:
        node = self._nodes.get(unique_id)
        if node is None:
            return self._name(unique_id)
        facets: dict[str, Any] = {}
        # What a job writes has its columns there.
        if node.columns and (is_output or not _is_job(node)):
            facets["schema"] = _facet("SchemaDatasetFacet", fields=[_field(one) for one in node.columns])
        if node.description and is_output:
            facets["documentation"] = _facet("DocumentationDatasetFacet", description=node.description)
        if is_output and (lineage := self._column_lineage(unique_id)) is not None:
            facets["columnLineage"] = lineage
        return {**self._name(unique_id), "facets": facets}

    def _name(self, unique_id: str) -> Event:
        node = self._nodes.get(unique_id)
        if node is None:  # a relation outside of the project, by its name
            return {"namespace": self._namespace, "name": _plain(unique_id)}
        parts = (node.database_name, node.schema_name, node.identifier or node.name)
        return {"namespace": self._namespace, "name": ".".join(filter(None, parts))}

    @cached_property
    def _edges(self) -> Mapping[str, tuple[AnalysisEdge, ...]]:
        """Edges of each node whose columns are traced."""
        lineage = self._export.column_lineage
        if lineage is None:
            return {}
        known = {one.lineage_id: one.edges for one in lineage.analyses if one.reason is None}
        ids = {node: one for part in lineage.parts.values() for node, one in part.items()}
        return {node: known[one] for node, one in ids.items() if one in known}

    def _column_lineage(self, unique_id: str) -> Event | None:
        """Return the columns that each column is computed from; None for a node that is not traced."""
        edges = self._edges.get(unique_id)
        if edges is None or not self._nodes[unique_id].parents:
            return None
        fields: dict[str, list[_Read]] = defaultdict(list)
        rows: list[_Read] = []
        for edge in edges:
            if edge.column_name is not None:
                fields.setdefault(edge.column_name, [])
            for is_row, read in self._reads(edge):
                (rows if is_row else fields[str(edge.column_name)]).append(read)
        return _facet(
            "ColumnLineageDatasetFacet",
            fields={
                name: {"inputFields": self._input_fields(reads, "DIRECT")} for name, reads in fields.items()
            },
            dataset=self._input_fields(rows, "INDIRECT"),
        )

    def _reads(self, edge: AnalysisEdge, seen: frozenset[str] = frozenset()) -> Iterator[tuple[bool, _Read]]:
        """Yield what *edge* reads of relations; True for columns that decide over rows.

        Columns of an ephemeral model stand for those that it reads.
        """
        is_row = edge.column_name is None
        subtype = (_INDIRECT if is_row else _DIRECT).get(edge.kind)  # type: ignore[call-overload]
        if subtype is None or edge.parent_id is None or edge.parent_column is None:
            return
        sure = 1.0 if edge.confidence is None else edge.confidence
        parent = self._nodes.get(edge.parent_id)
        if parent is None or not parent.is_ephemeral:
            yield is_row, _Read(edge.parent_id, edge.parent_column, subtype, sure)
            return
        for inner in self._edges.get(edge.parent_id, ()) if edge.parent_id not in seen else ():
            if inner.column_name not in (None, edge.parent_column):
                continue
            for of_rows, read in self._reads(inner, seen | {edge.parent_id}):
                kind = read.subtype
                if not of_rows:
                    kind = subtype if is_row else max(subtype, kind, key=_WEAKER.index)
                yield is_row or of_rows, read._replace(subtype=kind, confidence=min(sure, read.confidence))

    def _input_fields(self, reads: Iterable[_Read], kind: str) -> list[Event]:
        by_column: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
        for read in reads:
            known = by_column[read.parent, read.column]
            known[read.subtype] = max(read.confidence, known.get(read.subtype, 0.0))
        found = []
        for (parent, column), subtypes in by_column.items():
            transformations = [
                {"type": kind, "subtype": subtype, **({"description": "perhaps"} if sure < 1 else {})}
                for subtype, sure in subtypes.items()
            ]
            found.append({**self._name(parent), "field": column, "transformations": transformations})
        return found


def _is_job(node: NodeMetadata) -> bool:
    is_built = node.resource_type in BUILT or node.resource_type in VIEWS
    return is_built and bool(node.relation_name) and not node.is_ephemeral


def _event(kind: str, at: str) -> Event:
    return {"eventTime": at, "producer": PRODUCER, "schemaURL": f"{_EVENT}/{kind}"}


def _facet(name: str, /, **fields: Any) -> Event:
    url = f"{_SPEC}/facets/{_VERSIONS[name]}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": url, **fields}


def _field(column: Column) -> Event:
    found = {"name": column.name, "type": column.type, "description": column.description}
    return {key: value for key, value in found.items() if value}


def _plain(relation: str) -> str:
    return ".".join(part.strip('"`[]') for part in relation.split("."))


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"recce-meta:{text}"))


def _read_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return utc_time(text)
    except ValueError:
        return None


def _time(at: datetime) -> str:
    return at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
