"""One run as a JSON document, and back. Pure.

The document is one object, with one line for each node, result and the like. Its last member, `sha256`, is
the hash of all bytes before it: a document that was cut, edited or formatted anew is told from a whole one.
Values of cells are as `recce_meta.store.values` writes them in JSON. docs/export.md has all members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from recce_meta.errors import ArtifactError
from recce_meta.masking import harmless_json
from recce_meta.models import MacroMetadata, NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.models.catalog import RelationFacts
from recce_meta.models.data_diff import Profile, Value
from recce_meta.models.export import ColumnLineage, CutFrom, Export, ExportedDiff
from recce_meta.models.quality import MetricResult, Quality, TableQuality
from recce_meta.models.run import with_build
from recce_meta.models.statistics import NodeStatistics
from recce_meta.models.stored_check import StoredCheck
from recce_meta.store.values import tree_of, value_of_tree

FORMAT = "recce_meta/export/v"
VERSION = 2
"""Goes up with whatever an older recce_meta could not read, or would lose of a run's content.

How an edge is known is not content: an older recce_meta drops `edge_origins`."""
SCHEMA = f"{FORMAT}{VERSION}"
SEAL = b',\n"sha256":"'
"""What stands before the hash."""
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
}
"""Members that are arrays of objects, one a line, and what these are."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Document(Struct, frozen=True, kw_only=True):
    """The members of the document, in their order."""

    schema: str
    """The name of the format, and its version: `recce_meta/export/v2`."""
    producer: str
    """Which recce_meta wrote it."""
    cut_from: CutFrom | None = None
    """The run that this one is a part of; null of a whole run."""
    run: RunMetadata
    graph: dict[str, dict[str, str]]
    """Version ids by unique id of nodes and groups, by the part of the graph that they are in."""
    macro_ids: dict[str, str]
    """Version ids by unique id."""
    nodes: tuple[NodeMetadata, ...]
    groups: tuple[NodeMetadata, ...]
    macros: tuple[MacroMetadata, ...]
    results: tuple[NodeResult, ...]
    facts: tuple[RelationFacts, ...]
    column_lineage: ColumnLineage | None = None
    statistics: tuple[NodeStatistics, ...]
    quality: tuple[Quality, ...]
    data_diffs: tuple[ExportedDiff, ...]
    check_results: tuple[StoredCheck, ...] = ()
    """A document of version 1 has none."""
    sha256: str
    """SHA-256, in hex, of all bytes before the comma that stands before this member."""


class _Header(Struct):
    """What tells whether a document can be read at all."""

    schema: object = None
    producer: object = None


def document(export: Export) -> Iterator[bytes]:
    """The bytes of *export* as a document, in pieces; equal exports give equal bytes."""
    hashed = sha256()
    for piece in map(harmless_json, _body(export)):
        hashed.update(piece)
        yield piece
    yield SEAL + hashed.hexdigest().encode() + b'"}\n'


def export_of(data: bytes) -> Export:
    """The export that `document` gave *data* for.

    Raises ArtifactError, without the file's name, for what is no such document, is damaged, or was written by
    a recce_meta that knows more.
    """
    _check_header(data)
    try:
        found = msgspec.json.decode(data, type=Document)
    except msgspec.ValidationError as error:
        raise _damaged(_where(data) or str(error)) from None
    except RecursionError:
        raise _damaged("it is nested too deeply") from None
    except UnicodeDecodeError:  # of a key; of a value it is one of the above
        raise _damaged("it is not UTF-8") from None
    body, seal, rest = data.rpartition(SEAL)
    if not seal or rest.rstrip() != f'{found.sha256}"}}'.encode():
        raise _damaged("its last member is not sha256")
    if sha256(body).hexdigest() != found.sha256:
        raise _damaged("its bytes are not those that sha256 was computed of")
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
    yield b',\n"column_lineage":' + _encode(export.column_lineage)
    yield from _list("statistics", (with_values(node, tree_of) for node in export.statistics))
    yield from _list("quality", (quality_with_values(one, tree_of) for one in export.quality))
    yield from _list("data_diffs", export.data_diffs)
    yield from _list("check_results", export.check_results)


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
            f"recce-meta {header.producer} wrote it in version {version} of the format, and this one reads "
            f"version {VERSION}",
            hint="upgrade recce-meta",
        )


def _foreign() -> ArtifactError:
    return ArtifactError(
        f'it is no document of recce-meta export (its "schema" is not "{SCHEMA}")',
        hint="recce-meta record reads dbt's artifacts; import reads what export --format json wrote",
    )


def _damaged(what: str) -> ArtifactError:
    return ArtifactError(
        f"it is damaged: {what}",
        hint="export the run again; a document is read as it was written, to the byte",
    )


def _where(data: bytes) -> str | None:
    """What is wrong with an item of one of the document's arrays, and which item it is."""
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
            except msgspec.ValidationError as error:
                text = str(error)
                at = f"`$.{name}[{place}]"
                return text.replace("`$", at) if "`$" in text else f"{text} - at {at}`"
    return None


def _check_ids(found: Document) -> None:
    """Refuse ids that do not belong to each other: what is written would not be a whole run."""
    if None in (found.run.graph_id, found.run.macro_set_id, found.run.recorded_at):
        raise _damaged("`$.run` is not that of a recorded run")
    placed = [unique_id for members in found.graph.values() for unique_id in members]
    nodes = [node.unique_id for node in (*found.nodes, *found.groups)]
    _require_equal("graph", placed, "nodes and groups", nodes)
    _require_equal("macro_ids", [*found.macro_ids], "macros", [macro.unique_id for macro in found.macros])
    results = [result.unique_id for result in found.results]
    _require_equal("results", results, "results, each once,", [*set(results)])
    for name in ("quality", "data_diffs", "check_results"):
        for place, kept in enumerate(getattr(found, name)):
            if _owner(kept) != found.run.run_id:
                raise _damaged(f"`$.{name}[{place}]` belongs to another run than `$.run`")
    lineage = found.column_lineage
    if (lineage is None) != (found.run.column_graph_id is None):
        raise _damaged("`$.column_lineage` and `$.run.column_graph_id` go together, and one is missing")
    if lineage is not None:
        named = {lineage_id for members in lineage.parts.values() for lineage_id in members.values()}
        known = [analysis.lineage_id for analysis in lineage.analyses]
        _require_equal("column_lineage.parts", [*named], "column_lineage.analyses", known)


def _owner(kept: Quality | ExportedDiff | StoredCheck) -> str | None:
    """The id of the run that *kept* goes with."""
    return kept.run.run_id if isinstance(kept, Quality) else kept.current_run_id or kept.base_run_id


def _require_equal(name: str, ids: list[str], other: str, others: list[str]) -> None:
    if sorted(ids) != sorted(others):
        odd = sorted({*ids} ^ {*others})
        raise _damaged(
            f"`$.{name}` does not name the {other} that there are" + (f": {odd[0]}" if odd else "")
        )


def _export(found: Document) -> Export:
    project = Project(
        run=with_build(found.run, found.results),  # a document of version 1 has no build
        nodes=found.nodes,
        groups=found.groups,
        macros=found.macros,
        results=found.results,
        facts=found.facts,
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
        cut_from=found.cut_from,
        producer=found.producer,
    )


def with_values(node: NodeStatistics, change: Callable[[Value], Value]) -> NodeStatistics:
    """*node* with *change* done to every value of a cell."""
    if not node.columns:
        return node
    columns = (replace(column, profile=_profile(column.profile, change)) for column in node.columns)
    return replace(node, columns=tuple(columns))


def quality_with_values(quality: Quality, change: Callable[[Value], Value]) -> Quality:
    """*quality* with *change* done to every value of a cell."""
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
