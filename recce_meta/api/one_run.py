"""A run of which a command reads what it needs: a project has thousands of nodes, and a diff is about few."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.store import read
from recce_meta.store.select import load_run


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

    @cached_property
    def project(self) -> Project:
        """Everything in it."""
        return load_run(self.adapter, self.run, schema=self.schema)

    @cached_property
    def names(self) -> Mapping[str, NodeMetadata]:
        """Every node by unique id: whole where the project is here, else with what names it."""
        if "project" in self.__dict__:
            return {node.unique_id: node for node in self.project.nodes}
        narrow = read.load_narrow_nodes(self.adapter, self.run, schema=self.schema)
        return {node.unique_id: node for node in narrow}

    def whole(self, ids: Iterable[str]) -> dict[str, NodeMetadata]:
        """Those that *ids* name."""
        if "project" in self.__dict__:
            return ReadRun(self.project).whole(ids)
        found = read.load_nodes_by_id(self.adapter, self.run, ids, schema=self.schema)
        return {node.unique_id: node for node in found}

    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        """The tests that read one of *ids*."""
        if "project" in self.__dict__:
            return ReadRun(self.project).tests_of(ids)
        return read.load_tests_of(self.adapter, self.run, ids, schema=self.schema)
