"""Documents of the API: the same as the output of commands with `--format json`, limited in size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from recce_meta.api import diff as diff_api
from recce_meta.api.browse.neighbours import neighbours
from recce_meta.api.browse.node_details import node_details
from recce_meta.api.impact import Address, column_names, impact_in
from recce_meta.api.quality import quality_history, show_quality
from recce_meta.api.reviews import reviews_of_pair
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.api.runs import find_node, show
from recce_meta.diff.scan import DATABASE, is_scan
from recce_meta.errors import RunNotFound, SelectorError, UsageError, did_you_mean
from recce_meta.models import RunMetadata
from recce_meta.models.lineage import Direction, ImpactView
from recce_meta.models.marks.annotation import Annotation, annotations_of
from recce_meta.models.node import matching_name
from recce_meta.models.quality import QualityRun
from recce_meta.models.run import ChosenRun, RunChoice
from recce_meta.report.json import diff_json, impact_json, lineage_json, quality_json, run_json
from recce_meta.report.quality_history import quality_history_json
from recce_meta.server.json_api.call import refuse_folder, run_choice
from recce_meta.server.site.rendering import encoded
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.marks.annotations import list_annotations
from recce_meta.store.quality import resolve_quality_run
from recce_meta.store.read import foreign_keys_of, list_runs, load_parents

MOST_IMPACTED = 1000
"""Largest number of nodes of an impact."""
MOST_CHANGES = 2000
"""Largest number of changes, of impacted nodes, and of edges of a diff."""


class ChosenPair(NamedTuple):
    """Two runs to compare, with the selectors that named them."""

    base: RunMetadata
    current: RunMetadata
    selectors: tuple[str, str]


def run(view: StoreView, chosen: RunMetadata) -> str:
    """Return the document of one run, from the cache if it is there."""
    return view.cached(("api.run", chosen.run_id), lambda: _run(view, chosen))


def _run(view: StoreView, chosen: RunMetadata) -> str:
    found = show(view.connect, chosen, schema=view.schema)
    return run_json(found.run, found.counts, found.results, found.statistics, found.annotations)


def node(view: StoreView, chosen: RunMetadata, name: str) -> str:
    """Return one node of the run *chosen*, from the cache if it is there."""
    graph, unique_id = view.graph(chosen), _node_id(view, chosen, name)
    parents, children = graph.parents.get(unique_id, ()), graph.children.get(unique_id, ())
    return view.cached(
        ("api.node", chosen.run_id, unique_id),
        lambda: encoded(node_details(view.reader(chosen), unique_id, parents, children)),
    )


def lineage(view: StoreView, chosen: RunMetadata, name: str, direction: Direction, depth: int) -> str:
    """Return the lineage around a node of the run *chosen*."""
    graph, root = view.graph(chosen), _node_id(view, chosen, name)
    found = neighbours(
        root,
        graph.names,
        graph.parents,
        graph.children,
        lambda ids: load_parents(view.adapter, chosen, ids=ids, schema=view.schema),
        direction=direction,
        depth=depth,
    )
    keys = foreign_keys_of(view.adapter, chosen, root, schema=view.schema) if is_scan(chosen) else ()
    notes = _annotations(view, chosen, (node.unique_id for node in found.view.nodes))
    return lineage_json(replace(found.view, foreign_keys=keys, annotations=notes), found.truncated)


def _annotations(view: StoreView, chosen: RunMetadata, ids: Iterable[str]) -> tuple[Annotation, ...]:
    """Return the annotations of the nodes *ids*, of their columns, and of edges to them."""
    return annotations_of(
        list_annotations(view.adapter, project=chosen.project_name, unique_ids=ids, schema=view.schema)
    )


def impact(view: StoreView, chosen: RunMetadata, name: str, column: str | None, direction: Direction) -> str:
    """Return the impact of a node of the run *chosen*, or of its *column*."""
    unique_id = _node_id(view, chosen, name)
    found = impact_of(view, chosen, unique_id, column, direction)
    # The nearest stay, because a change reaches the others through them.
    nearest = sorted(found.nodes, key=lambda node: (abs(node.distance), node.unique_id))[:MOST_IMPACTED]
    # The order of the result stays as in the command's document.
    kept = {node.unique_id for node in nearest}
    cut = replace(
        found,
        nodes=tuple(node for node in found.nodes if node.unique_id in kept),
        annotations=_annotations(view, chosen, kept),
        # No edge may end at a node that the answer lacks.
        edges=tuple(edge for edge in found.edges if edge.node_id in kept and edge.parent_id in kept),
        fails=None if found.fails is None else found.fails[:MOST_IMPACTED],
    )
    is_cut = len(kept) < len(found.nodes) or len(found.fails or ()) > MOST_IMPACTED
    return impact_json(cut, is_cut)


def impact_of(
    view: StoreView, chosen: RunMetadata, unique_id: str, column: str | None, direction: Direction
) -> ImpactView:
    """Return the impact of a node of the run *chosen*, or of its *column*, from the cache if it is there.

    Raises SelectorError for an unknown column.
    """
    key = ("api.impact", chosen.run_id, unique_id, column, direction)
    return view.cached(key, lambda: _impact(view, chosen, unique_id, column, direction))


def _impact(
    view: StoreView, chosen: RunMetadata, unique_id: str, column: str | None, direction: Direction
) -> ImpactView:
    stored = view.reader(chosen)
    # A run without column lineage is parsed now, as the command does.
    reader = stored if stored.has_columns else MemoryRunReader(stored.project)
    with reader.session():
        spelt = None
        if column is not None:
            names = column_names(reader, unique_id)
            # If not all columns are known, an unknown name may still be one.
            spelt = matching_name(column, names.known) or (None if names.are_all else column)
            if spelt is None:
                raise SelectorError(
                    f"Node '{unique_id}' has no column '{column}'", hint=did_you_mean(column, names.known)
                )
        return impact_in(reader, Address(unique_id, spelt), direction, None)


def diff_choice(base: str, current: str, project: str | None) -> Callable[[StoreView], ChosenPair]:
    """Return a function that finds the two runs of a diff."""

    def choose(view: StoreView) -> ChosenPair:
        found = [run_choice(selector, project)(view) for selector in (base, current)]
        return ChosenPair(found[0], found[1], (base, current))

    return choose


def diff(view: StoreView, chosen: ChosenPair) -> str:
    """Return the diff of two runs."""
    before, after, selectors = chosen
    # `base` and `current` may name one run in a store with a single environment.
    if before.run_id == after.run_id:
        raise UsageError(
            f"Base and current are the same run: {before.run_id}",
            hint="name another run with base or current",
        )
    # Without selectors and reviews: they differ between requests for the same runs.
    found = view.cached(
        ("api.diff", before.run_id, after.run_id),
        lambda: diff_api.diff(view.connect, before, after, schema=view.schema),
    )
    named = [
        ChosenRun(run_id=one.run_id, selector=selector, reason=selector)
        for one, selector in zip((before, after), selectors, strict=True)
    ]
    reviews = reviews_of_pair(view.adapter, before, after, schema=view.schema)
    chosen_diff = replace(found, choice=RunChoice(base=named[0], current=named[1]))
    return diff_json(chosen_diff, reviews=reviews, most=MOST_CHANGES)


def scan_choice(
    selector: str | None, project: str | None, environment: str | None
) -> Callable[[StoreView], RunMetadata]:
    """Return a function that finds a scan: that of *selector*, or else the latest."""

    def choose(view: StoreView) -> RunMetadata:
        # A given run must be a scan; without one, the latest scan is meant, and not the latest run.
        if selector is not None:
            return _require_scan(run_choice(selector, project)(view))
        named = {"project": project, "environment": environment}
        found = list_runs(view.adapter, extractor=DATABASE, limit=1, schema=view.schema, **named)
        if not found:
            raise RunNotFound("No scan found in the store", hint="recce-meta scan records a database")
        return found[0]

    return choose


def _require_scan(chosen: RunMetadata) -> RunMetadata:
    if not is_scan(chosen):
        raise UsageError(
            f"Run {chosen.run_id} is not a scan of a database",
            hint="/api/stores/{store}/databases lists the scans",
        )
    return chosen


def optional_run(selector: str | None, project: str | None) -> Callable[[StoreView], RunMetadata | None]:
    """Return a function that finds the run *selector*, if it is given; the run may have failed."""

    def choose(view: StoreView) -> RunMetadata | None:
        # A check may also be about a run that failed, so `run_choice` would refuse too much.
        refuse_folder(selector)
        return None if selector is None else view.run(selector, project)

    return choose


def measurement_choice(
    selector: str, project: str | None, environment: str | None
) -> Callable[[StoreView], QualityRun]:
    """Return a function that finds a measurement."""
    return lambda view: resolve_quality_run(
        view.adapter, selector, project=project, environment=environment, schema=view.schema
    )


def quality(view: StoreView, chosen: QualityRun, names: Sequence[str]) -> str:
    """Return a measurement, of the tables *names* or of all, with its changes."""
    return quality_json(show_quality(view.adapter, chosen.quality_run_id, names, schema=view.schema))


def history(view: StoreView, name: str, project: str | None, limit: int) -> str:
    """Return the figures of a table or column over time."""
    return quality_history_json(
        quality_history(view.adapter, name, project=project, limit=limit, schema=view.schema)
    )


def _node_id(view: StoreView, chosen: RunMetadata, name: str) -> str:
    """Return the unique id of the node *name*. Raises SelectorError unless exactly one node has the name."""
    return find_node(name, view.graph(chosen).names)
