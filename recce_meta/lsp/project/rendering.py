"""Renderer of edited templates: the nodes and macros of one recorded run, read once or when they are needed.

Building a renderer takes time that grows with the project, and rendering does not. A renderer is therefore
built once, and again only if a template refers to a node that was not read before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from functools import cached_property
from threading import RLock
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from recce_meta.api.record_sql import MacroSets, missing_models, with_stand_ins
from recce_meta.api.run_reader import RunReader, StoredRunReader
from recce_meta.diff.code import jinja_names
from recce_meta.errors import TemplateError
from recce_meta.models import MacroMetadata, NodeMetadata, RunMetadata
from recce_meta.models.adapters import is_builtin
from recce_meta.models.lineage import NodeColumns
from recce_meta.profiles import ProjectSettings
from recce_meta.render import SimpleTemplateRenderer, TemplateContext
from recce_meta.render.build_failures import BuildFailures
from recce_meta.render.limits import Limits
from recce_meta.sql_lineage.project.names import plain_name
from recce_meta.store.read import load_macros

_MOST_READ = 3
"""Number of renderings of one text in which nodes that it refers to are read."""
_MOST_KEPT = 2_000
"""Nodes whose fields, or columns, are in memory; all are forgotten before there are more."""
_ALL_NODES = "graph"
"""Name that stands for all nodes in templates; most of their fields are not in memory."""
OWN_READERS = frozenset(["dbt-sql", "sql"])
"""Values of a run's `extractor` without dbt's own macros."""


Value = TypeVar("Value")


class LiveSql(NamedTuple):
    """Rendered template."""

    sql: str
    parents: frozenset[str]
    """Unique ids of the nodes that it refers to."""
    is_exact: bool
    """False if a stand-in may have replaced a macro."""


class LiveRenderer:
    """Renderer of templates with the nodes and macros of *reader*, and the target and the variables of *run*.

    Two renderers with the same *run* differ only in nodes and macros. Several threads may share a renderer.
    *reading* is held while *reader* is used, and *settings_of* returns the settings of dbt_project.yml.
    """

    def __init__(
        self,
        reader: RunReader,
        run: RunMetadata,
        reading: AbstractContextManager[object],
        settings_of: Callable[[], ProjectSettings | None],
        *,
        seconds: float = 1.0,
    ) -> None:
        self._reader, self._reading, self._settings_of = reader, reading, settings_of
        self._settings: ProjectSettings | None = None
        # Equal on both sides of a comparison, and in every rendering.
        self._run = replace(
            run, run_id="live", run_at=datetime.fromtimestamp(0, timezone.utc), invocation_id=None
        )
        self._limits = Limits(seconds=seconds)
        self._lock = RLock()
        self._read: dict[str, NodeMetadata] = {}
        self._columns: dict[str, NodeColumns | None] = {}
        self._used: dict[str, NodeMetadata] = {}
        """Nodes that templates find with all fields."""
        self._stand_ins: dict[str, MacroMetadata] = {}
        self._renderers: dict[int, SimpleTemplateRenderer] = {}

    def nodes(self, ids: Iterable[str]) -> dict[str, NodeMetadata]:
        """Return the nodes *ids* of the run with all fields; each is read once."""
        wanted = list(ids)
        with self._reading:
            known = self._reader.names
            return self._kept(self._read, [one for one in wanted if one in known], self._reader.nodes)

    def columns(self, ids: Iterable[str]) -> dict[str, NodeColumns]:
        """Return the recorded column lineage of the nodes *ids*; each is read once."""
        with self._reading:
            found = self._kept(self._columns, list(ids), self._columns_of)
        return {unique_id: columns for unique_id, columns in found.items() if columns is not None}

    def _columns_of(self, ids: list[str]) -> Mapping[str, NodeColumns | None]:
        return {**dict.fromkeys(ids), **self._reader.columns_of(ids)}

    def _kept(
        self, kept: dict[str, Value], ids: list[str], read: Callable[[list[str]], Mapping[str, Value]]
    ) -> dict[str, Value]:
        new = [one for one in ids if one not in kept]
        if len(kept) + len(new) > _MOST_KEPT:
            kept.clear()
            new = ids
        if new:
            kept.update(read(new))
        return {one: kept[one] for one in ids if one in kept}

    def render(self, text: str, node: NodeMetadata) -> LiveSql:
        """Return *text* rendered as the code of *node*, which the run may lack. Raises TemplateError."""
        if "{" not in text:
            return LiveSql(text, frozenset(), True)
        with self._lock:
            if named := jinja_names(text) & self._readers_of_all:
                raise TemplateError(f"'{min(named)}' may read all nodes of the project")
            if (settings := self._settings_of()) is not self._settings:
                self._settings = settings
                self._renderers.clear()
            self._complete(text)
            self._use([node.unique_id, *node.parents])
            known = self._used.get(node.unique_id)
            if known is None or (known.config, known.relation_name) != (node.config, node.relation_name):
                self._used[node.unique_id] = node
                self._renderers.clear()
            for _ in range(_MOST_READ):
                found = self._rendered(text, node.unique_id)
                if not self._use(found.parents):
                    break
            return found

    @cached_property
    def failures(self) -> BuildFailures:
        """Finder of the reasons for which dbt cannot build a node of the run."""
        return BuildFailures(self._macros, lambda _: None)

    def render_readers(self, edited: NodeMetadata, readers: Iterable[NodeMetadata]) -> dict[str, str]:
        """Return the code of *readers*, which inline the model *edited*. Raises TemplateError."""
        found = {edited.unique_id: edited}
        listed = list(readers)
        waiting = [edited, *listed]
        while waiting:
            node = waiting.pop()
            known = found.setdefault(node.unique_id, node)
            if known.is_ephemeral or known in listed:
                waiting += self.nodes(parent for parent in known.parents if parent not in found).values()
        with self._lock:
            # Few nodes, because a renderer of all would take as long as the project is large.
            renderer = self._made(found, 0)
            return {node.unique_id: renderer.render_node(node.unique_id) for node in listed}

    def _rendered(self, text: str, unique_id: str) -> LiveSql:
        problem: TemplateError | None = None
        for place in (0, 1):
            renderer = self._renderer(place)
            try:
                sql = renderer.render(text, node=unique_id)
            except TemplateError as error:
                # The first renderer uses the real macros, so its error is the relevant one.
                problem = problem or error
            else:
                is_exact = place == 0 and self._run.extractor not in OWN_READERS
                return LiveSql(sql, renderer.parents, is_exact)
        raise problem or TemplateError("The template was not rendered")

    def _use(self, ids: Iterable[str]) -> bool:
        """Read those of *ids* that templates do not find with all fields; return True if there are any."""
        new = self.nodes(one for one in ids if one not in self._used)
        if new:
            self._used |= new
            self._renderers.clear()
        return bool(new)

    def _complete(self, text: str) -> None:
        """Add a stand-in for each macro that *text* calls and no package has."""
        if "." not in text:
            return
        found = with_stand_ins([*self._macros, *self._stand_ins.values()], [text]).stand_ins
        new = {macro.unique_id: macro for macro in found if macro.unique_id not in self._known_macros}
        if not new.keys() <= self._stand_ins.keys():
            self._stand_ins |= new
            self.__dict__.pop("_sets", None)
            self._renderers.clear()

    def _renderer(self, place: int) -> SimpleTemplateRenderer:
        found = self._renderers.get(place)
        if found is None:
            found = self._renderers[place] = self._made({**self._nodes, **self._used}, place)
        return found

    def _made(self, nodes: Mapping[str, NodeMetadata], place: int) -> SimpleTemplateRenderer:
        run = self._run
        target: dict[str, Any] = {"name": run.target_name or "default"}
        return SimpleTemplateRenderer(
            None,
            nodes,
            macros=self._sets[place],
            run=run,
            context=TemplateContext(settings=self._settings, environ=os.environ, target=target),
            infer_variables=False,
            limits=self._limits,
        )

    @cached_property
    def _macros(self) -> tuple[MacroMetadata, ...]:
        reader = self._reader
        with self._reading:
            if isinstance(reader, StoredRunReader):
                return tuple(load_macros(reader.adapter, reader.run))
            return tuple(reader.project.macros)

    @cached_property
    def macros(self) -> Mapping[str, MacroMetadata]:
        """The run's macros by unique id."""
        return {macro.unique_id: macro for macro in self._macros}

    @cached_property
    def _known_macros(self) -> frozenset[str]:
        return frozenset(macro.unique_id for macro in self._sets.first)

    @cached_property
    def _sets(self) -> MacroSets:
        # dbt's manifest has every macro that a template can call; files may lack packages.
        texts = [macro.macro_sql for macro in self._macros] if self._lacks_packages else []
        texts += [node.raw_code or "" for node in self._ephemeral]
        return with_stand_ins([*self._macros, *self._stand_ins.values()], texts)

    @property
    def _lacks_packages(self) -> bool:
        return not any(macro.package_name == "dbt" for macro in self._macros)

    @cached_property
    def _readers_of_all(self) -> frozenset[str]:
        """`graph`, the names of the macros that read it, and of those that call them."""
        found = {_ALL_NODES}
        own = [macro for macro in self._macros if not is_builtin(macro.package_name)]
        if any(_ALL_NODES in macro.macro_sql for macro in own):
            names = {macro.name: jinja_names(macro.macro_sql) for macro in own}
            while more := {name for name, used in names.items() if name not in found and used & found}:
                found |= more
        return frozenset(found)

    @cached_property
    def _ephemeral(self) -> list[NodeMetadata]:
        with self._reading:
            ids = [one for one, node in self._reader.names.items() if node.is_ephemeral]
        return list(self.nodes(ids).values())

    @cached_property
    def _nodes(self) -> dict[str, NodeMetadata]:
        """All nodes: with all fields those that are inlined, or read by these, or have versions."""
        with self._reading:
            names, edges = self._reader.names, self._reader.edges
        whole = {node.unique_id for node in names.values() if node.version is not None or node.is_ephemeral}
        whole |= {parent for node in self._ephemeral for parent in node.parents}
        absent = {edge.parent_id for edge in edges} - names.keys()
        return {
            **missing_models(absent, self._run.target_schema, self._run.adapter_type),
            **{unique_id: placed(node) for unique_id, node in names.items()},
            **self.nodes(whole),
        }

    @property
    def known(self) -> Mapping[str, NodeMetadata]:
        """All nodes of the run, at least with the parts of their relations."""
        return {**self._nodes, **self._used}


def placed(node: NodeMetadata) -> NodeMetadata:
    """Return *node* with the parts of its relation, if it has only the relation."""
    if node.identifier is not None or not node.relation_name or re.search(r"[()']", node.relation_name):
        return node
    parts = [None, None, *plain_name(node.relation_name).split(".")]
    return replace(node, database_name=parts[-3], schema_name=parts[-2], identifier=parts[-1])
