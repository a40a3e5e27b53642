"""Objects that users may annotate: nodes of a run, their columns, edges, and what has annotations already."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from recce_meta.api.browse.node import column_name, column_readers, node_columns
from recce_meta.errors import UsageError
from recce_meta.models import RunMetadata
from recce_meta.models.marks.annotation import AnnotationTarget
from recce_meta.report.labels import short_run_id
from recce_meta.server.access.problems import NotFound
from recce_meta.server.annotations.panels import annotated_nodes
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.read import load_nodes_by_id


def known_target(view: StoreView, runs: Sequence[RunMetadata], target: AnnotationTarget) -> AnnotationTarget:
    """Return *target* with its columns as the first of *runs* that has its node spells them.

    Raises NotFound for an object that these runs do not have, unless it has annotations: those of a removed
    column must stay editable.
    """
    if target in annotated_nodes(view, target.project_name, [target.unique_id]).by_target:
        return target
    run = next((one for one in runs if target.unique_id in view.graph(one).names), None)
    if run is None:
        raise NotFound(
            f"{_listed(runs)} no node {target.unique_id}", hint="the list of nodes of a run has their ids"
        )
    if target.parent_column is not None and target.column_name is None:
        raise UsageError("An edge between columns needs both columns", hint="give the column, too")
    if target.parent_id is not None:
        _require_parent(view, run, target.unique_id, target.parent_id)
    column = _column(view, run, target.unique_id, target.column_name)
    parent_column = target.parent_column and _column(view, run, str(target.parent_id), target.parent_column)
    return replace(target, column_name=column, parent_column=parent_column)


def _listed(runs: Sequence[RunMetadata]) -> str:
    ids = " and ".join(short_run_id(run.run_id) for run in runs)
    return f"The run {ids} has" if len(runs) == 1 else f"The runs {ids} have"


def _require_parent(view: StoreView, run: RunMetadata, unique_id: str, parent: str) -> None:
    """Raise NotFound unless the node reads *parent*."""
    if parent not in view.graph(run).parents.get(unique_id, ()):
        raise NotFound(
            f"{unique_id} does not read {parent}", hint="the tab Lineage of a node lists its parents"
        )


def _column(view: StoreView, run: RunMetadata, unique_id: str, name: str | None) -> str | None:
    """Return the column *name* as the run spells it. Raises NotFound for an unknown one."""
    if name is None:
        return None
    lineage = node_columns(view.adapter, run, unique_id, schema=view.schema)
    found = load_nodes_by_id(view.adapter, run, [unique_id], schema=view.schema)
    spelt = column_name(name, found[0], lineage) if found else None
    # The last resort, because it needs a further query: no catalog lists the column, but a query reads it.
    if spelt is None and column_readers(view.adapter, run, unique_id, name, schema=view.schema):
        return name
    if spelt is None:
        raise NotFound(f"{unique_id} has no column {name}", hint="the page of the node lists its columns")
    return spelt
