"""Reach of changed macros: the nodes that call them, and the texts that dbt renders when it builds a node.

Compiled SQL shows the effect of a macro on one target and in one branch. Hooks, materializations and other
branches run later, so their calls are followed by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from recce_meta.diff.code import (
    branch_tokens,
    decides_at_run_time,
    jinja_names,
    names_in_branches,
    names_looked_up,
    reads_config,
    same_code,
    with_packages,
)
from recce_meta.diff.project_side import ProjectSide
from recce_meta.diff.relation_names import NAMER_MACROS, PLACED
from recce_meta.diff.run_by_dbt import RunByDbt, unattributed_note
from recce_meta.models import MacroMetadata, NodeMetadata
from recce_meta.models.adapters import base_name, is_builtin
from recce_meta.models.run import DBT
from recce_meta.warehouses.hooks import HOOKS, OPERATION, hook_texts, sent_texts, template_parts

_BUILT_WHOLE = frozenset(["table", "view", "ephemeral", "materialized_view"])
"""Materializations that compiled SQL shows whole, because `is_incremental()` is false."""
GRAPH = "graph"
"""Name by which templates read other nodes."""
_PYTHON_CONFIG = re.compile(r"\bconfig\.(?:meta_)?get\([^()]*\)")
"""Call by which a Python model reads its configuration."""
_NODES = frozenset(["model", GRAPH, "context"])
"""Names by which templates find a node."""
_PROPERTIES = frozenset(["columns", "description"])
"""Keys of a node that are not configuration."""
_WHOLE = frozenset(["tojson", "toyaml"])
"""Functions that write a value as a whole."""
_WRITING_COMMENTS = frozenset(["persist_docs", "alter_relation_comment", "alter_column_comment"])
"""Macros that write descriptions as comments of the warehouse."""


@dataclass(frozen=True)
class MacroReach:
    """Changed macros of two sides, and the nodes and texts that they reach."""

    base: ProjectSide
    current: ProjectSide
    adapter: str | None
    """dbt's adapter_type."""
    is_compiled_by_dbt: bool
    """True if dbt compiled the SQL of both sides."""

    @cached_property
    def changed(self) -> frozenset[str]:
        """Return macros that were added, removed or changed, ignoring formatting and built-in macros."""
        runs = (self.base.run, self.current.run)
        if runs[0] and runs[1] and runs[0].macro_set_id == runs[1].macro_set_id is not None:
            return frozenset()
        before, after = self.base.macros, self.current.macros
        are_files = runs[0] and runs[1] and runs[0].extractor == runs[1].extractor != DBT
        # If a manifest has no macros, all of the other side would count as changed.
        if not (before and after) and not are_files:
            return frozenset()
        return frozenset(
            one
            for one in before.keys() | after.keys()
            if not is_builtin(one.split(".")[1])
            and not (one in before and one in after and self._is_same(before[one], after[one]))
        )

    def _is_same(self, before: MacroMetadata, after: MacroMetadata) -> bool:
        # No edge says which of two packages a macro reads.
        codes = (with_packages(one.macro_sql, one.package_name) for one in (before, after))
        return same_code(*codes, adapter=self.adapter)

    def behind(self, node: NodeMetadata, before: NodeMetadata) -> set[str]:
        """Return the changed macros that the node calls directly or indirectly."""
        if not self.changed:
            return set()
        called = self.base.closure(before.macros) | self.current.closure(node.macros)
        return called & self.changed

    def unseen(self, before: NodeMetadata, after: NodeMetadata) -> frozenset[str]:
        """Return changed macros whose effect may be absent from compiled SQL: in hooks or in branches."""
        if not self.changed:
            return frozenset()
        found = self.at_run_time(before) | self.at_run_time(after)
        return self.changed & (found | self.out_of_sight(before, after))

    def out_of_sight(
        self, before: NodeMetadata, after: NodeMetadata, called: Collection[str] | None = None
    ) -> set[str]:
        """Return those of *called* (by default changed macros) whose effect compiled SQL may not show.

        Compiled SQL shows one branch of an `is_incremental()` condition. A macro may be called in the other
        branch, where dbt does not record it either, or it may branch itself. No SQL shows what statements
        that a template sends do.
        """
        if self._sends(before, after):
            return self.behind(after, before) if called is None else set(called)
        hidden = names_in_branches(before.raw_code or "") | names_in_branches(after.raw_code or "")
        guilty = self.closure(hidden)
        for unique_id in self.behind(after, before) if called is None else called:
            texts = (self.base.macros.get(unique_id), self.current.macros.get(unique_id))
            if any(macro is not None and decides_at_run_time(macro.macro_sql) for macro in texts):
                guilty.add(unique_id)
        return guilty

    def texts_out_of_sight(self, node: NodeMetadata) -> list[str]:
        """Return texts that dbt renders only when it builds *node*: branches, and macros that build it."""
        around = self._by_dbt[1].own_texts(node)
        if node.materialized in _BUILT_WHOLE or node.language == "python":
            return around
        code = node.raw_code or ""
        called = self.current.closure(node.macros)
        texts = (self.current.macros[one].macro_sql for one in called if one in self.current.macros)
        parts = [" ".join(branch_tokens(one)) for one in (code, *texts) if decides_at_run_time(one)]
        inside = self.closure(names_in_branches(code))
        parts += (self.current.macros[one].macro_sql for one in inside if one in self.current.macros)
        return [*around, *parts]

    def _sends(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        return bool(sent_texts(before, self.base.macros) or sent_texts(after, self.current.macros))

    def sends_otherwise(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Return True if dbt may send other statements while it renders the node, which may write rows."""
        parts = (template_parts(node.raw_code or "") for node in (before, after))
        return before.raw_code != after.raw_code and self._sends(before, after) and next(parts) != next(parts)

    def closure(self, names: Iterable[str]) -> set[str]:
        """Return the project's macros with these names, or in place of dbt's, and all that they call."""
        known, sides = set(names), (self.base, self.current)
        roots = {one for side in sides for name in known for one in side.macro_named(name)}
        found = self.base.closure(roots) | self.current.closure(roots)
        known |= {base_name(one.split(".")[2]) for one in found if is_builtin(one.split(".")[1])}
        return found.union(*(side.in_place_of(known) for side in self._by_dbt))

    def at_run_time(self, node: NodeMetadata) -> set[str]:
        """Return macros that dbt runs around the node's SQL: hooks and custom materializations."""
        names = {name for text in self._hooks(node) for name in jinja_names(text)}
        # Without dbt, no macro has placed the node.
        names |= NAMER_MACROS if node.resource_type in PLACED and not self.is_compiled_by_dbt else set()
        if node.materialized:
            names |= {f"materialization_{node.materialized}_{kind}" for kind in ("default", self.adapter)}
        if strategy := node.config.get("incremental_strategy"):
            names.add(f"get_incremental_{strategy}_sql")
        around = self._by_dbt[0].around(node) | self._by_dbt[1].around(node)
        return self._with_looked_up(self.closure(names), self._hooks(node)) | around

    def _with_looked_up(self, found: set[str], hooks: Iterable[str]) -> set[str]:
        """Return the macros *found* with those that these and *hooks* look up by their names, as strings."""
        texts, found = [*hooks], set(found)
        waiting = [*found]
        while texts or waiting:
            for unique_id in waiting:
                macros = (side.macros.get(unique_id) for side in (self.base, self.current))
                texts += [one.macro_sql for one in macros if one and not is_builtin(one.package_name)]
            names = frozenset[str]().union(*map(names_looked_up, texts))
            if "*" in names:
                return found | self.changed
            named = {f"{prefix}__{name}" for name in names for prefix in ("default", self.adapter)} | names
            new = self.closure(named) - found if names else set()
            texts, waiting, found = [], [*new], found | new
        return found

    def reader_of(self, key: str, before: NodeMetadata, after: NodeMetadata) -> str | None:
        """Return a macro of the project that builds the node and may read its key *key*.

        Compiled SQL shows what the node's own code reads. Without it, the code may read the key as well.
        """
        texts = self._read_later(before, after)
        is_node = any(not _NODES.isdisjoint(jinja_names(text)) for _, text in texts)
        if key in _PROPERTIES and not is_node:
            return None
        for name, text in texts:
            if reads_config(text, key) or (is_node and not _WHOLE.isdisjoint(jinja_names(text))):
                return name
        return None

    def texts_reading_graph(self, before: NodeMetadata, after: NodeMetadata) -> list[str]:
        """Return the texts that may read the node's keys where compiled SQL does not show it.

        Return none if no text reads `graph`.
        """
        texts = [text for node in (before, after) for text in (node.raw_code or "", *self._hooks(node))]
        called = self.current.closure(after.macros) | self._by_dbt[1].around(after)
        if self._reading_graph.isdisjoint(called) and not any(GRAPH in text for text in texts):
            return []
        later = [text for _, text in self._read_later(before, after)]
        return later if any(GRAPH in jinja_names(text) for text in later) else []

    @cached_property
    def _reading_graph(self) -> frozenset[str]:
        """Return the macros that read `graph`, without those of dbt."""
        macros = self.current.macros.values()
        return frozenset(macro.unique_id for macro in macros if reads_graph(macro))

    def _read_later(self, before: NodeMetadata, after: NodeMetadata) -> list[tuple[str, str]]:
        """Return the texts that may read the node's keys where compiled SQL does not show it, with names."""
        reached = self.at_run_time(before) | self.at_run_time(after)
        called = self.base.closure(before.macros) | self.current.closure(after.macros)
        is_visible = before.compiled_code is not None and after.compiled_code is not None
        is_visible = is_visible and after.resource_type != OPERATION
        reached |= self.out_of_sight(before, after, called) if is_visible else called
        macros = (self.current.macros.get(one) or self.base.macros.get(one) for one in sorted(reached))
        texts = [
            (macro.name, macro.macro_sql)
            for macro in macros
            if macro is not None
            and not is_builtin(macro.package_name)
            and base_name(macro.name) not in _WRITING_COMMENTS
        ]
        own = [text for node in (before, after) for text in self._hooks(node)]
        codes = [node.raw_code for node in (before, after) if node.raw_code]
        own += codes if not is_visible else filter(decides_at_run_time, codes)
        if after.language == "python":
            own += (f"{{{{ {call} }}}}" for code in codes for call in _PYTHON_CONFIG.findall(code))
        return [*texts, *(("the node's code", text) for text in own)]

    @staticmethod
    def _hooks(node: NodeMetadata) -> list[str]:
        return [str(text) for key in HOOKS for text in hook_texts(node.config.get(key))]

    @cached_property
    def _by_dbt(self) -> tuple[RunByDbt, RunByDbt]:
        return RunByDbt(self.base.macros), RunByDbt(self.current.macros)

    def may_build(self, node: NodeMetadata) -> bool:
        """Return True if a changed macro may build *node*, regardless of its strategy."""
        return any(self.changed & side.around(node, any_strategy=True) for side in self._by_dbt)

    def unattributed(self, nodes: Iterable[NodeMetadata]) -> list[str]:
        """Return a note about changed macros that dbt may call but that no node in *nodes* mentions."""
        if not self.changed:
            return []
        listed = list(nodes)
        called = {macro for node in listed for macro in node.macros}
        known = self.base.closure(called) | self.current.closure(called) | self.closure(NAMER_MACROS)
        behind = self._by_dbt[0].behind_overrides() | self._by_dbt[1].behind_overrides()
        return unattributed_note(self._by_dbt, (behind & self.changed) - known, listed)


def reads_graph(macro: MacroMetadata) -> bool:
    """Return True if *macro*, which is not one of dbt, reads other nodes in `graph`."""
    return (
        not is_builtin(macro.package_name)
        and GRAPH in macro.macro_sql
        and GRAPH in jinja_names(macro.macro_sql)
    )
