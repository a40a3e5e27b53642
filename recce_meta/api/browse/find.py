"""Lists of nodes of one run: by words, by selection, and by what they lack or how they were built."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.node import LastResult, last_results
from recce_meta.api.browse.search import search
from recce_meta.api.run_reader import RunReader
from recce_meta.errors import plural
from recce_meta.graph import LineageGraph, build_lineage_graph, select
from recce_meta.models import NodeMetadata
from recce_meta.models.node_types import BUILT, TESTED, WITH_ROWS
from recce_meta.models.run import DBT, ERROR_STATUSES

MOST_HITS = 500
"""Maximum number of nodes, of columns and of texts that match."""
TESTS = ("test", "unit_test")
NOTHING_SELECTED = "The selection matches no node"
WITHOUT_DBT = "The run was recorded without dbt, so its results, tests and exposures are not all known"


class Only(str, Enum):
    """What a list of nodes is limited to."""

    FAILED = "failed"
    """Nodes and tests whose last result is an error or a failure."""
    SLOW = "slow"
    """Nodes with a last result, the slowest first."""
    NOT_BUILT = "not_built"
    """Models, seeds and snapshots that dbt built in no run until this one."""
    UNTESTED = "untested"
    """Nodes with data that no test reads."""
    UNDOCUMENTED = "undocumented"
    """Nodes with data that have no description."""
    UNUSED = "unused"
    """Nodes with data that nothing but tests reads."""


_OF_RESULTS = (Only.FAILED, Only.SLOW, Only.NOT_BUILT)


class Hit(Struct, frozen=True, kw_only=True):
    """Node, column or macro of a list."""

    unique_id: str
    column: str | None = None
    """Column whose name matches."""
    place: str | None = None
    """What contains the text if no name does, as in `SearchHit`."""
    last: LastResult | None = None
    """Last result in dbt; only if the list depends on results."""


class HitList(Struct, frozen=True, kw_only=True):
    """Nodes, columns and macros that meet all conditions."""

    hits: tuple[Hit, ...]
    is_cut: bool = False
    """True if the text matches further ones."""
    not_known: tuple[str, ...] = ()
    """Why further ones may meet the conditions."""


def find(
    adapter: UnifiedSqlAdapter,
    run: RunReader,
    *,
    text: str = "",
    selection: Sequence[str] = (),
    only: Only | None = None,
) -> HitList:
    """Return the nodes of *run* that meet all conditions.

    *text* has words of names of nodes and columns, or a part of code, descriptions, tags, owners and macros,
    as in `search`: the best match is first. *selection* is in dbt's grammar. Without both, tests are left
    out unless *only* asks for results. Raises SelectorError as `select` does.
    """
    graph = build_lineage_graph([], run.edges)
    chosen = _chosen(run, graph, selection)
    is_cut = False
    if text:
        matching = search(adapter, text, runs=[run.run], limit=MOST_HITS)
        # The text of all columns matches wherever the name of one does.
        named = {one.unique_id for one in matching.hits if one.column}
        is_all = not (selection or only)
        found = [
            Hit(unique_id=one.unique_id, column=one.column, place=one.place)
            for one in matching.hits
            if (one.unique_id in chosen or (is_all and one.unique_id not in run.names))
            and not (one.place == "columns" and one.unique_id in named)
        ]
        is_cut = matching.truncated
    else:
        is_shown = bool(selection) or only in _OF_RESULTS
        ids = (one for one in chosen if is_shown or one.split(".")[0] not in TESTS)
        found = [Hit(unique_id=one) for one in sorted(ids)]
    not_known: tuple[str, ...] = ()
    if only in _OF_RESULTS:
        found, not_known = _by_result(adapter, run, graph, found, only)
    elif only is not None:
        found = _with_gap(run, graph, found, only)
    if run.run.extractor != DBT and only not in (None, Only.UNDOCUMENTED):
        not_known = (*not_known, WITHOUT_DBT)
    if selection and not chosen:
        not_known = (NOTHING_SELECTED, *not_known)
    return HitList(hits=tuple(found), is_cut=is_cut, not_known=not_known)


def _chosen(run: RunReader, graph: LineageGraph, selection: Sequence[str]) -> Collection[str]:
    if not selection:
        return run.names.keys()
    nodes = {one.unique_id: one for one in run.project.nodes}
    return select(selection, nodes, graph, project=run.project)


def _by_result(
    adapter: UnifiedSqlAdapter, run: RunReader, graph: LineageGraph, found: Iterable[Hit], only: Only | None
) -> tuple[list[Hit], tuple[str, ...]]:
    """Return those of *found* with such a last result, each with it, and a note on those without one."""
    hits = {one.unique_id: one for one in found if _is_run(run.names.get(one.unique_id))}
    parents = {one: graph.parents(one) for one in run.names}
    results = last_results(adapter, run.run, [*hits], run.names, parents)
    without = [one for key, one in hits.items() if key not in results]
    if only is Only.NOT_BUILT:
        return [one for one in without if one.unique_id.split(".")[0] in BUILT], ()
    note = (f"{plural(len(without), 'node')} without a result of dbt until this run",) if without else ()
    known = [
        (replace(one, last=results[key]), results[key].result) for key, one in hits.items() if key in results
    ]
    if only is Only.FAILED:
        return [one for one, result in known if result.status in (*ERROR_STATUSES, "fail")], note
    timed = [(result.seconds, one) for one, result in known if result.seconds is not None]
    return [one for _, one in sorted(timed, key=lambda pair: -pair[0])], note


def _is_run(node: NodeMetadata | None) -> bool:
    """Return True if dbt builds or tests *node*, so that it may have a result."""
    if node is None or node.materialized == "ephemeral":
        return False
    return node.resource_type in (*BUILT, *TESTS)


def _with_gap(run: RunReader, graph: LineageGraph, found: Iterable[Hit], only: Only) -> list[Hit]:
    """Return those of *found* that have data and lack what *only* names."""
    nodes = {
        one.unique_id: one
        for one in found
        if one.unique_id.split(".")[0] in (TESTED if only is Only.UNTESTED else WITH_ROWS)
    }
    if only is Only.UNDOCUMENTED:
        described = {key for key, node in run.nodes(nodes).items() if (node.description or "").strip()}
        return [one for key, one in nodes.items() if key not in described]
    kinds = {key: {child.split(".")[0] in TESTS for child in graph.children(key)} for key in nodes}
    lacking = only is Only.UNTESTED
    return [one for key, one in nodes.items() if lacking not in kinds[key]]
