"""A run of which a command reads what it needs: a project has thousands of nodes, and a diff is about few."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.on_disk import folder_of, read_run
from recce_meta.api.stale import own_reasons, with_readers
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.store import read
from recce_meta.store.select import load_run, resolve_complete_run


class OneRun(Protocol):
    """One side of a pair of runs."""

    @property
    def run(self) -> RunMetadata:
        """The run itself."""

    @property
    def project(self) -> Project:
        """Everything in it."""

    @property
    def names(self) -> Mapping[str, NodeMetadata]:
        """Every node by unique id, with at least what `load_narrow_nodes` fills."""

    def whole(self, ids: Iterable[str]) -> dict[str, NodeMetadata]:
        """Those nodes that *ids* name and the run has, with everything that is known of them."""

    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        """The tests that read one of the nodes that *ids* name."""

    @property
    def stale(self) -> Mapping[str, str]:
        """Why each node holds data of an earlier build whose build failed or was skipped, by unique id."""


@dataclass(frozen=True)
class ReadRun:
    """A run that is here whole."""

    project: Project

    @property
    def run(self) -> RunMetadata:
        """The run itself."""
        return self.project.run

    @cached_property
    def names(self) -> Mapping[str, NodeMetadata]:
        """Every node by unique id."""
        return {node.unique_id: node for node in self.project.nodes}

    def whole(self, ids: Iterable[str]) -> dict[str, NodeMetadata]:
        """Those that *ids* name."""
        return {unique_id: self.names[unique_id] for unique_id in ids if unique_id in self.names}

    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        """The tests that read one of *ids*."""
        found = {test.unique_id: test for unique_id in ids for test in self._tests.get(unique_id, ())}
        return list(found.values())

    @cached_property
    def stale(self) -> Mapping[str, str]:
        """Why each node holds data of an earlier build."""
        results = self.project.results
        own = own_reasons(results)
        if not own:
            return own
        names = {unique_id: node.label for unique_id, node in self.names.items()}
        return with_readers(own, results, self.project.edges, names)

    @cached_property
    def _tests(self) -> Mapping[str, list[NodeMetadata]]:
        """Tests by what they read."""
        found: dict[str, list[NodeMetadata]] = {}
        for node in self.project.nodes:
            if node.resource_type == "test":
                for parent in node.parents:
                    found.setdefault(parent, []).append(node)
        return found


@dataclass(frozen=True)
class StoredRun:
    """A run in the store, read in the parts that are asked for."""

    adapter: UnifiedSqlAdapter
    run: RunMetadata
    schema: str

    @property
    def project(self) -> Project:
        """Everything in it."""
        return self._read.project

    @cached_property
    def names(self) -> Mapping[str, NodeMetadata]:
        """Every node by unique id: whole where the project is here, else with what names it."""
        if self._is_read:
            return self._read.names
        narrow = read.load_narrow_nodes(self.adapter, self.run, schema=self.schema)
        return {node.unique_id: node for node in narrow}

    def whole(self, ids: Iterable[str]) -> dict[str, NodeMetadata]:
        """Those that *ids* name."""
        if self._is_read:
            return self._read.whole(ids)
        found = read.load_nodes_by_id(self.adapter, self.run, ids, schema=self.schema)
        return {node.unique_id: node for node in found}

    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        """The tests that read one of *ids*."""
        if self._is_read:
            return self._read.tests_of(ids)
        return read.load_tests_of(self.adapter, self.run, ids, schema=self.schema)

    @cached_property
    def stale(self) -> Mapping[str, str]:
        """Why each node holds data of an earlier build."""
        if self._is_read:
            return self._read.stale
        results = read.load_results(self.adapter, self.run, schema=self.schema)
        own = own_reasons(results)
        if not own:
            return own
        edges = read.load_edges(self.adapter, self.run, schema=self.schema)
        names = {unique_id: node.label for unique_id, node in self.names.items()}
        return with_readers(own, results, edges, names)

    @cached_property
    def _read(self) -> ReadRun:
        """The run whole, from when that was first asked for."""
        return ReadRun(load_run(self.adapter, self.run, schema=self.schema))

    @property
    def _is_read(self) -> bool:
        return "_read" in self.__dict__


def open_run(
    connect: Callable[[], UnifiedSqlAdapter], selector: str, *, project: str | None, schema: str
) -> OneRun:
    """The run that *selector* means; `path:DIR` reads artifacts from disk, and connects to nothing."""
    folder = folder_of(selector)
    if folder is not None:
        return ReadRun(read_run(folder, hash_seed_files=False))
    adapter = connect()
    run = resolve_complete_run(adapter, selector, project=project, schema=schema)
    return StoredRun(adapter, run, schema)
