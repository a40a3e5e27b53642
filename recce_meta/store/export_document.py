"""JSON document of one run: serialisation and parsing. No I/O.

The document is one object, with one line for each node, result, and so on. Its last member, `sha256`, is
the hash of all bytes before it. It detects documents that were truncated, edited or reformatted. Cell
values are written as JSON by `recce_meta.store.values`. docs/reference/export.md describes all members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from recce_meta.errors import ArtifactError
from recce_meta.models import MacroMetadata, NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.models.catalog import RelationFacts
from recce_meta.models.checks import StoredCheck
from recce_meta.models.data_diff import Profile, Value
from recce_meta.models.export import ColumnLineage, Export, ExportedDiff
from recce_meta.models.marks.review import Review
from recce_meta.models.node import SourceFreshness
from recce_meta.models.quality import MetricResult, Quality, TableQuality
from recce_meta.models.run import CutFrom, with_build
from recce_meta.models.stored import NodeStatistics
from recce_meta.redaction import harmless_json
from recce_meta.store.values import tree_of, value_of_tree

FORMAT = "recce_meta/export/v"
VERSION = 3
"""Increases if an older recce_meta could not read the document, or would lose content of a run.

Origins of edges and of runs are not content: an older recce_meta drops `edge_origins`, `extraction`,
`variables`, `freshness`, and what store version 19 added to runs and results."""
SCHEMA = f"{FORMAT}{VERSION}"
SEAL = b',\n"sha256":"'
"""Bytes before the hash."""
LISTS: Mapping[str, type[Struct]] = {
    "nodes": NodeMetadata,
    "groups": NodeMetadata,
    "macros": MacroMetadata,
    "results": NodeResult,
    "facts": RelationFacts,
    "statistics": NodeStatistics,
    "quality": Quality,
    "data_diffs": ExportedDiff,
    "check_results": StoredCheck,
    "reviews": Review,
}
"""Members that are arrays with one object per line, and the type of the objects."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Document(Struct, frozen=True, kw_only=True):
    """Members of the document, in order."""

    schema: str
    """Name and version of the format: `recce_meta/export/v3`."""
    producer: str
    """Version of the recce_meta that wrote it."""
    cut_from: CutFrom | None = None
    """The run from which this one was cut; null for a whole run."""
    run: RunMetadata
    graph: dict[str, dict[str, str]]
    """Version ids of nodes and groups, by part of the graph and unique id."""
    macro_ids: dict[str, str]
    """Version ids by unique id."""
    nodes: tuple[NodeMetadata, ...]
    groups: tuple[NodeMetadata, ...]
    macros: tuple[MacroMetadata, ...]
    results: tuple[NodeResult, ...]
    facts: tuple[RelationFacts, ...]
    freshness: tuple[SourceFreshness, ...] = ()
    """Empty in a document of an earlier release."""
    column_lineage: ColumnLineage | None = None
    statistics: tuple[NodeStatistics, ...]
    quality: tuple[Quality, ...]
    data_diffs: tuple[ExportedDiff, ...]
    check_results: tuple[StoredCheck, ...] = ()
    """Empty in a document of version 1."""
    reviews: tuple[Review, ...] = ()
    """Empty in a document before version 3."""
    sha256: str
    """SHA-256, in hex, of all bytes before the comma in front of this member."""


class _Header(Struct):
    """Members that decide whether a document can be read."""

    schema: object = None
    producer: object = None


def document(export: Export) -> Iterator[bytes]:
    """Yield the bytes of *export* as a document; equal exports give equal bytes."""
    hashed = sha256()
    for piece in map(harmless_json, _body(export)):
        hashed.update(piece)
        yield piece
    yield SEAL + hashed.hexdigest().encode() + b'"}\n'


def export_of(data: bytes) -> Export:
    """Return the export from *data*, the bytes that `document` wrote.

    Raises ArtifactError, without the file's name, if *data* is not such a document, is damaged, or was
    written in a newer version of the format.
    """
    # The header comes first, so that a document of a newer version is not reported as damaged.
    _check_header(data)
    try:
        found = msgspec.json.decode(data, type=Document)
    except msgspec.ValidationError as error:
        raise _damaged(_where(data) or str(error)) from None
    except RecursionError:
        raise _damaged("it is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):  # by the version of msgspec
        raise _damaged("it is not UTF-8") from None
    body, seal, rest = data.rpartition(SEAL)
    if not seal or rest.rstrip() != f'{found.sha256}"}}'.encode():
        raise _damaged("its last member is not sha256")
    if sha256(body).hexdigest() != found.sha256:
        raise _damaged("its contents do not match sha256")
    _check_ids(found)
    return _export(found)


def _body(export: Export) -> Iterator[bytes]:
    project = export.project
    yield b'{"schema":' + _encode(SCHEMA)
    yield b',\n"producer":' + _encode(export.producer)
    yield b',\n"cut_from":' + _encode(export.cut_from)
    yield b',\n"run":' + _encode(project.run)
    yield b',\n"graph":' + _encode(export.graph)
    yield b',\n"macro_ids":' + _encode(export.macro_ids)
    yield from _list("nodes", project.nodes)
    yield from _list("groups", project.groups)
    yield from _list("macros", project.macros)
    yield from _list("results", project.results)
    yield from _list("facts", project.facts)
    yield from _list("freshness", project.freshness)
    yield b',\n"column_lineage":' + _encode(export.column_lineage)
    yield from _list("statistics", (with_values(node, tree_of) for node in export.statistics))
    yield from _list("quality", (quality_with_values(one, tree_of) for one in export.quality))
    yield from _list("data_diffs", export.data_diffs)
    yield from _list("check_results", export.check_results)
    yield from _list("reviews", export.reviews)


def _list(name: str, items: Iterable[Struct]) -> Iterator[bytes]:
    opening = b',\n"' + name.encode() + b'":['
    for item in items:
        yield opening + b"\n" + _encode(item)
        opening = b","
    yield b"\n]" if opening == b"," else opening + b"]"


def _check_header(data: bytes) -> None:
    try:
        header = msgspec.json.decode(data, type=_Header)
    except msgspec.ValidationError:
        raise _foreign() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(str(error)) from None
    except RecursionError:
        raise _damaged("it is nested too deeply") from None
    name, _, version = str(header.schema).rpartition("v")
    if f"{name}v" != FORMAT or not version.isdecimal():
        raise _foreign()
    if int(version) > VERSION:
        raise ArtifactError(
            f"recce-meta {header.producer} wrote it in version {version} of the format, "
            f"but this recce-meta reads versions up to {VERSION}",
            hint="upgrade recce-meta",
        )


def _foreign() -> ArtifactError:
    return ArtifactError(
        f'it is not a document of recce-meta export (its "schema" is not "{SCHEMA}")',
        hint="import a file from recce-meta export --format json, or read dbt's artifacts with record",
    )


def _damaged(what: str) -> ArtifactError:
    return ArtifactError(
        f"it is damaged: {what}",
        hint="export the run again, and do not edit or reformat the file",
    )


def _where(data: bytes) -> str | None:
    """Return the error of the first invalid item in the document's arrays, with its path."""
    # A second pass, only for the message: the error of the first one lacks the position in a list.
    members = msgspec.json.decode(data, type=dict[str, Raw])
    for name, kind in LISTS.items():
        if name not in members:
            continue
        try:
            items = msgspec.json.decode(members[name], type=list[Raw])
        except msgspec.ValidationError:
            continue
        for place, item in enumerate(items):
            try:
                msgspec.json.decode(item, type=kind)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                text = str(error)
                at = f"`$.{name}[{place}]"
                return text.replace("`$", at) if "`$" in text else f"{text} - at {at}`"
    return None


def _check_ids(found: Document) -> None:
    """Raise ArtifactError if ids are inconsistent, because the stored run would be incomplete."""
    if None in (found.run.graph_id, found.run.macro_set_id, found.run.recorded_at):
        raise _damaged("`$.run` is not a recorded run")
    placed = [unique_id for members in found.graph.values() for unique_id in members]
    nodes = [node.unique_id for node in (*found.nodes, *found.groups)]
    _require_equal("graph", placed, "nodes and groups", nodes)
    _require_equal("macro_ids", [*found.macro_ids], "macros", [macro.unique_id for macro in found.macros])
    results = [result.unique_id for result in found.results]
    _require_equal("results", results, "results, each once,", [*set(results)])
    for name in ("quality", "data_diffs", "check_results", "reviews"):
        for place, kept in enumerate(getattr(found, name)):
            if _owner(kept) != found.run.run_id:
                raise _damaged(f"`$.{name}[{place}]` does not belong to `$.run`")
    lineage = found.column_lineage
    if (lineage is None) != (found.run.column_graph_id is None):
        raise _damaged("only one of `$.column_lineage` and `$.run.column_graph_id` is present")
    if lineage is not None:
        named = {lineage_id for members in lineage.parts.values() for lineage_id in members.values()}
        known = [analysis.lineage_id for analysis in lineage.analyses]
        _require_equal("column_lineage.parts", [*named], "column_lineage.analyses", known)


def _owner(kept: Quality | ExportedDiff | StoredCheck | Review) -> str | None:
    """Return the id of the run that *kept* belongs to."""
    return kept.run.run_id if isinstance(kept, Quality) else kept.current_run_id or kept.base_run_id


def _require_equal(name: str, ids: list[str], other: str, others: list[str]) -> None:
    if sorted(ids) != sorted(others):
        odd = sorted({*ids} ^ {*others})
        raise _damaged(
            f"`$.{name}` does not match the {other} in the document" + (f": {odd[0]}" if odd else "")
        )


def _export(found: Document) -> Export:
    project = Project(
        run=with_build(found.run, found.results),  # a document of version 1 has no build
        nodes=found.nodes,
        groups=found.groups,
        macros=found.macros,
        results=found.results,
        facts=found.facts,
        freshness=found.freshness,
    )
    return Export(
        project=project,
        graph=found.graph,
        macro_ids=found.macro_ids,
        column_lineage=found.column_lineage,
        statistics=tuple(with_values(node, value_of_tree) for node in found.statistics),
        quality=tuple(quality_with_values(one, value_of_tree) for one in found.quality),
        data_diffs=found.data_diffs,
        check_results=found.check_results,
        reviews=found.reviews,
        cut_from=found.cut_from,
        producer=found.producer,
    )


def with_values(node: NodeStatistics, change: Callable[[Value], Value]) -> NodeStatistics:
    """Return *node* with *change* applied to every cell value."""
    if not node.columns:
        return node
    columns = (replace(column, profile=_profile(column.profile, change)) for column in node.columns)
    return replace(node, columns=tuple(columns))


def quality_with_values(quality: Quality, change: Callable[[Value], Value]) -> Quality:
    """Return *quality* with *change* applied to every cell value."""
    return replace(quality, tables=tuple(_table(table, change) for table in quality.tables))


def _table(table: TableQuality, change: Callable[[Value], Value]) -> TableQuality:
    columns = (
        replace(
            column,
            profile=None if column.profile is None else _profile(column.profile, change),
            top_values=tuple(replace(top, value=change(top.value)) for top in column.top_values),
            metrics=_metrics(column.metrics, change),
        )
        for column in table.columns
    )
    return replace(table, columns=tuple(columns), metrics=_metrics(table.metrics, change))


def _profile(profile: Profile, change: Callable[[Value], Value]) -> Profile:
    return replace(
        profile,
        min=change(profile.min),
        max=change(profile.max),
        avg=change(profile.avg),
        median=change(profile.median),
    )


def _metrics(metrics: tuple[MetricResult, ...], change: Callable[[Value], Value]) -> tuple[MetricResult, ...]:
    return tuple(replace(metric, value=change(metric.value)) for metric in metrics)
