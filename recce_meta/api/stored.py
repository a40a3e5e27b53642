"""The diff of two stored runs: compared in the warehouse; only what differs, or is touched, is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Literal

from msgspec.structs import replace as with_fields

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.effects import Effects
from recce_meta.api.run_facts import StoredFacts
from recce_meta.diff.causes import Causes
from recce_meta.diff.changes import compare, renamed_by_dbt
from recce_meta.diff.scanned_scope import narrowed, scope_note, seen_by_both
from recce_meta.diff.side import Side
from recce_meta.diff.summary import changed_ids, run_diff
from recce_meta.graph import LineageGraph, build_lineage_graph
from recce_meta.models import Change, LineageEdge, MacroMetadata, NodeMetadata, Reason, RunDiff, RunMetadata
from recce_meta.store import read

CodeField = Literal["raw_code", "compiled_code"]

UNCLEAR = frozenset([Reason.COMPILED, Reason.CONFIG, Reason.RELATION])
"""Reasons that are told from the environment by what the node's source mentions."""

BY_CODE = frozenset([Reason.BODY, Reason.COMPILED, Reason.MACROS, Reason.PARENTS])
"""Reasons whose category is told from code."""

PROVABLE = frozenset([Reason.BODY, Reason.MACROS])
"""Reasons that fall where both sides compiled to the same SQL."""


def stored_diff(adapter: UnifiedSqlAdapter, base: RunMetadata, current: RunMetadata, schema: str) -> RunDiff:
    """What changed between two runs of one store."""
    pair = _Pair(adapter, base, current, schema)
    changes = compare(*pair.sides)
    unclear, touched, edited = pair.unclear(changes), pair.touched(changes), pair.edited(changes)
    if unclear or touched or edited:
        pair.add_text(unclear, "raw_code")
        pair.add_text(edited, "compiled_code")
        pair.add(touched)
        changes = compare(*pair.sides)
    if not changed_ids(changes):
        return run_diff(
            base, current, changes, build_lineage_graph([]), {}, pair.unseen_seeds(), pair.notes()
        )
    pair.add_code(changes)
    graph = pair.graph
    facts = (StoredFacts(adapter, base, schema, graph), StoredFacts(adapter, current, schema, graph))
    effects = Effects((pair.sides[0], pair.sides[1]), facts, graph, changed_ids(changes))
    judged, reached = effects.of(changes)
    names = pair.names(judged, graph)
    notes = (*pair.notes(), *effects.notes())
    return run_diff(base, current, judged, graph, names, pair.unseen_seeds(), notes, reached=reached)


class _Macros(Mapping[str, MacroMetadata]):
    """A run's macros, fetched when the first one is looked at: most diffs never do."""

    def __init__(self, adapter: UnifiedSqlAdapter, run: RunMetadata, schema: str) -> None:
        self._source = (adapter, run, schema)

    @cached_property
    def _found(self) -> dict[str, MacroMetadata]:
        adapter, run, schema = self._source
        return {macro.unique_id: macro for macro in read.load_macros(adapter, run, schema=schema)}

    def __getitem__(self, unique_id: str) -> MacroMetadata:
        return self._found[unique_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class _Pair:
    """Both runs, as far as they have been read."""

    def __init__(
        self, adapter: UnifiedSqlAdapter, base: RunMetadata, current: RunMetadata, schema: str
    ) -> None:
        self.adapter, self.base, self.current, self.schema = adapter, base, current, schema
        self._macro_notes: list[str] = []
        before, after = read.load_differences(adapter, base, current, schema=schema)
        self._seen = seen_by_both(base, current, schema)
        if self._seen is not None:
            before, after = narrowed(before, self._seen), narrowed(after, self._seen)
        self.sides = [
            Side(
                {node.unique_id: node for node in nodes},
                _Macros(adapter, run, schema),
                run,
                tokenised=True,
            )
            for nodes, run in ((before, base), (after, current))
        ]

    @cached_property
    def graph(self) -> LineageGraph:
        """The edges of both runs: what reads a removed node is found in the base run's."""
        edges: set[LineageEdge] = set(read.load_edges(self.adapter, self.current, schema=self.schema))
        if self.base.graph_id != self.current.graph_id:
            renamed = set(renamed_by_dbt(*self.sides).values())
            found = read.load_edges(self.adapter, self.base, schema=self.schema)
            edges.update(edge for edge in found if edge.node_id not in renamed)
        if (seen := self._seen) is not None:
            edges = {edge for edge in edges if seen(edge.node_id) and seen(edge.parent_id)}
        return build_lineage_graph([], edges)

    def unclear(self, changes: Mapping[str, Change]) -> list[str]:
        """Nodes whose change may be the environment's doing; their source, equal and unread, tells."""
        nodes = self.sides[1].nodes
        found = self._unread(changes, UNCLEAR, "raw_code")
        return [unique_id for unique_id in found if nodes[unique_id].code_hash is not None]

    def edited(self, changes: Mapping[str, Change]) -> list[str]:
        """Nodes of another source, or macros, that equal and unread compiled SQL may prove the same."""
        return self._unread(changes, PROVABLE, "compiled_code")

    def _unread(
        self, changes: Mapping[str, Change], reasons: frozenset[Reason], field: CodeField
    ) -> list[str]:
        """Nodes that changed for one of *reasons*, whose *field* is equal on both sides and so not here."""
        before, after = (side.nodes for side in self.sides)
        return [
            unique_id
            for unique_id, change in changes.items()
            if reasons.intersection(change.reasons)
            and unique_id in before  # else dbt has renamed it: a unit test, which has no code
            and getattr(before[unique_id], field) is None
            and getattr(after[unique_id], field) is None
        ]

    def add_text(self, ids: Sequence[str], field: CodeField) -> None:
        """Read *field* of *ids*, which is the same on both sides, into both."""
        if not ids:
            return
        texts = read.load_code(self.adapter, self.current, field, ids, schema=self.schema)
        self.sides = [
            replace(
                side,
                nodes={
                    unique_id: with_fields(node, **{field: texts[unique_id]}) if unique_id in texts else node
                    for unique_id, node in side.nodes.items()
                },
            )
            for side in self.sides
        ]

    def add_code(self, changes: Mapping[str, Change]) -> None:
        """Read the code that is equal on both sides, and that the category of a change may hang on."""
        for field in ("raw_code", "compiled_code"):
            self.add_text(self._unread(changes, BY_CODE, field), field)

    def touched(self, changes: Mapping[str, Change]) -> set[str]:
        """Nodes of one version on both sides that may have changed all the same.

        They read a source or semantic model that changed, or run a macro that did.
        """
        ids: set[str] = set()
        for unique_id, change in changes.items():
            moved = change.resource_type == "source" and Reason.RELATION in change.reasons
            if moved or (change.resource_type == "semantic_model" and change.details):
                ids.update(self.graph.children(unique_id))
        causes = Causes(self.sides[0], self.sides[1])
        if causes.changed_macros:
            ids |= self._callers(causes)
        return ids - self.sides[0].nodes.keys() - self.sides[1].nodes.keys()

    def _callers(self, causes: Causes) -> set[str]:
        """Nodes that call a changed macro, directly or not, or may name one in a hook."""
        current = self.sides[1]
        found = read.load_narrow_nodes(self.adapter, self.current, schema=self.schema)
        self._macro_notes = causes.unattributed_macros(found)
        callers = {
            node.unique_id
            for node in found
            if current.closure(node.macros) & causes.changed_macros or causes.may_build(node)
        }
        return callers | set(read.load_hooked(self.adapter, self.current, schema=self.schema))

    def add(self, ids: Iterable[str]) -> None:
        """Read *ids*, which are the same on both sides, into both."""
        nodes = read.load_nodes_by_id(self.adapter, self.current, sorted(ids), schema=self.schema)
        more = {node.unique_id: node for node in nodes}
        self.sides = [replace(side, nodes={**side.nodes, **more}) for side in self.sides]

    def names(self, changes: Mapping[str, Change], graph: LineageGraph) -> dict[str, NodeMetadata]:
        """Every node that the changes touch, as far as naming it needs."""
        named = {**self.sides[0].nodes, **self.sides[1].nodes}
        changed = changed_ids(changes)
        wanted = {*graph.impact(changed), *(child for parent in changed for child in graph.children(parent))}
        missing = sorted(wanted - named.keys())
        for run in (self.current, self.base):
            if missing:
                found = read.load_names(self.adapter, run, missing, schema=self.schema)
                named.update((node.unique_id, node) for node in found)
                missing = [unique_id for unique_id in missing if unique_id not in named]
        return named

    def notes(self) -> list[str]:
        """What of the two runs is not compared."""
        scope = [] if self._seen is None else [scope_note(self.base, self.current)]
        return [*scope, *self._macro_notes]

    def unseen_seeds(self) -> list[str]:
        """Seeds that neither dbt nor we looked into, on both sides."""
        unseen = [
            set(read.load_unseen_seeds(self.adapter, run, schema=self.schema))
            for run in (self.base, self.current)
        ]
        return sorted(unseen[0] & unseen[1])
