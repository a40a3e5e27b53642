"""Run with the code of one node replaced, so that the effects of an unsaved edit are those of a diff."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from threading import RLock

from recce_meta.api.run_reader import Origins, RunReader
from recce_meta.graph import LineageGraph, is_ephemeral
from recce_meta.lsp.project.rendering import LiveRenderer
from recce_meta.models import LineageEdge, MacroMetadata, NodeMetadata, NodeResult, Project
from recce_meta.models.lineage import ColumnEdge, NodeColumns
from recce_meta.models.relation_tokens import RelationIndex, tokenise


class EditedRun(RunReader):
    """The run of *inner* in which *edited*, by unique id, replace the recorded nodes and their columns.

    Only the parts that a diff of one node reads are quick; all of them hold *lock*.
    """

    def __init__(
        self,
        inner: RunReader,
        renderer: LiveRenderer,
        lock: RLock,
        graph: LineageGraph,
        edited: Mapping[str, NodeMetadata],
        analyse: Callable[[str], NodeColumns | None],
    ) -> None:
        """Create a run; *renderer* has its nodes, and *analyse* returns columns that were not recorded."""
        self.run, self.has_columns, self.lacks_columns = inner.run, inner.has_columns, inner.lacks_columns
        self._inner, self._renderer, self._lock, self._graph = inner, renderer, lock, graph
        self._edited, self._analyse = edited, analyse
        self._loaded: dict[str, NodeMetadata] = {}
        self.other_side: EditedRun | None = None
        """Run that it is compared with; what several nodes need is read of both at once."""

    @property
    def project(self) -> Project:
        with self._lock:
            return self._inner.project

    @property
    def names(self) -> Mapping[str, NodeMetadata]:
        with self._lock:
            return self._inner.names

    @property
    def edges(self) -> Sequence[LineageEdge]:
        with self._lock:
            return self._inner.edges

    @property
    def origins(self) -> Origins:
        with self._lock:
            return self._inner.origins

    @property
    def results(self) -> Sequence[NodeResult]:
        with self._lock:
            return self._inner.results

    @property
    def macros(self) -> Mapping[str, MacroMetadata]:
        return self._renderer.macros

    @property
    def has_references(self) -> bool:
        with self._lock:
            return self._inner.has_references

    def nodes(self, ids: Iterable[str]) -> Mapping[str, NodeMetadata]:
        wanted = list(ids)
        found = self._renderer.nodes(wanted)
        return found | {one: self._edited[one] for one in wanted if one in self._edited}

    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        with self._lock:
            return self._inner.tests_of(ids)

    def with_parents(self, ids: Collection[str]) -> Mapping[str, NodeMetadata]:
        """Return *ids*, their parents and the nodes that ephemeral parents read, and all returned before."""
        wanted, asked = set(ids), set[str]()
        while new := wanted - asked:
            asked |= new
            found = self.nodes(new)
            self._loaded.update(found)
            behind = [node for node in found.values() if node.unique_id in ids or node.is_ephemeral]
            wanted |= {parent for node in behind for parent in node.parents}
        if len(ids) > 1:
            for run in (self, self.other_side):
                if run is not None:
                    run._read_ahead()
        return self._loaded

    def _read_ahead(self) -> None:
        """Read the nodes and columns of all nodes that either side has loaded: many queries take long."""
        both = [self._loaded, self.other_side._loaded if self.other_side is not None else {}]
        ids = [unique_id for loaded in both for unique_id in loaded]
        self._renderer.nodes(ids)
        self._renderer.columns(ids)

    def tokenised(self, ids: Collection[str]) -> Mapping[str, str]:
        with self._lock:
            found = dict(self._inner.tokenised([one for one in ids if one not in self._edited]))
        return found | {one: self.code(one) for one in ids if one in self._edited}

    def code(self, unique_id: str) -> str:
        """Return the SQL of an edited node with tokens for relations."""
        node = self._edited[unique_id]
        relations = RelationIndex(self.with_parents([unique_id])).relations_of(node)
        return tokenise(node.compiled_code or "", relations)

    def columns(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        is_inlined = partial(is_ephemeral, nodes=self.names)
        return self.columns_of({*ids, *self._graph.downstream(filter(is_inlined, ids), through=is_inlined)})

    def columns_of(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        changed = {one: found for one in ids if (found := self._analyse(one)) is not None}
        return {**self._renderer.columns(one for one in ids if one not in changed), **changed}

    def results_of(self, ids: Collection[str]) -> Mapping[str, NodeResult]:
        with self._lock:
            return self._inner.results_of(ids)

    def column_readers(self, ids: Collection[str]) -> Iterable[tuple[str, str]]:
        with self._lock:
            return self._inner.column_readers(ids)

    def column_children(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        with self._lock:
            return self._inner.column_children(ids)

    def column_parents(self, ids: Collection[str]) -> Iterable[ColumnEdge]:
        with self._lock:
            return self._inner.column_parents(ids)
