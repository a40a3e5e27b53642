"""Causes of a difference: an edit, or the environment.

dbt's artifacts hold the rendered project, not the reason for a difference. The cause is inferred from the
names that the code mentions: code that reads `target`, but no variable and no changed macro, can differ only
because the target differs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from recce_meta.diff.code import (
    branch_tokens,
    decides_at_run_time,
    jinja_names,
    names_in_branches,
    names_looked_up,
    reads_config,
    same_code,
)
from recce_meta.diff.every_target import EveryTarget
from recce_meta.diff.materializations import COMPUTED_WHEN_READ, unstable_text
from recce_meta.diff.project_side import (
    VARIABLES,
    VOLATILE,
    ProjectSide,
    normalise,
)
from recce_meta.diff.relation_names import NAMER_MACROS, NAMERS, PLACED, RelationNames
from recce_meta.diff.run_by_dbt import BUILT, RunByDbt, unattributed_note
from recce_meta.diff.same_sql import given_variables
from recce_meta.models import ChangeDetail, Json, MacroMetadata, NodeMetadata, Reason, RunMetadata
from recce_meta.models.adapters import base_name, is_builtin
from recce_meta.models.run import DBT, DEFER, dbt_options
from recce_meta.warehouses.builds import incremental_words
from recce_meta.warehouses.hooks import (
    HOOKS,
    OPERATION,
    hook_texts,
    hooks_and_macros,
    row_words,
    sent_texts,
    template_parts,
)

FROM_NODES = BUILT | {"analysis", "operation", "function", "source"}
"""Resource types of which recorders before version `EVERY_KEY_SINCE` read only known keys."""
READ_FROM_THE_FIRST = frozenset(
    """latest_version constraints deprecation_date time_spine arguments returns overloads test_metadata
    attached_node column_name file_key_name source_description source_meta loader loaded_at_field
    loaded_at_query freshness external identifier unrendered_database unrendered_schema patch_path
    columns_not_in_catalog""".split()
)
"""Properties that every recorder stored."""
EVERY_KEY_SINCE = (0, 1, 1)

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


def reads_every_key(run: RunMetadata | None) -> bool:
    """Return True if the recorder of *run* stored keys that it does not know; True without a run."""
    if run is None or not run.recorder_version:
        return True
    numbers = [int(number) for number in re.findall(r"\d+", run.recorder_version)[:3]]
    return tuple(numbers) >= EVERY_KEY_SINCE


def is_unread(key: str, node: NodeMetadata, *runs: RunMetadata | None) -> bool:
    """Return True if the recorder of one of *runs* did not read the property *key* of *node*."""
    if node.resource_type not in FROM_NODES or key in READ_FROM_THE_FIRST:
        return False
    return len(set(map(reads_every_key, runs))) > 1


@dataclass(frozen=True)
class Causes:
    """Both sides, and properties that follow from comparing them as a whole."""

    base: ProjectSide
    current: ProjectSide

    @cached_property
    def adapter(self) -> str | None:
        """Return dbt's adapter_type."""
        return self.current.adapter or self.base.adapter

    @cached_property
    def every_target(self) -> EveryTarget:
        """Return the comparison of templates for all targets and variables."""
        return EveryTarget(self.base, self.current, lambda: self.changed_macros)

    @cached_property
    def relation_names(self) -> RelationNames:
        """Return the names of relations by the macros of both sides."""
        return RelationNames(self.base, self.current)

    @cached_property
    def one_profile(self) -> bool:
        """Return True if a connection parsed both sides, with its profile: an edit moved what has moved."""
        found = [side.run.extraction if side.run else None for side in (self.base, self.current)]
        # Uploaded manifests, which have no isolation, were parsed elsewhere.
        names = {one.connection if one and one.isolation else None for one in found}
        return len(names) == 1 and None not in names

    @cached_property
    def same_environment(self) -> bool:
        """Return True if the artifacts show no difference in target between the sides."""
        if self.one_profile:
            return True
        names = {side.target_name for side in (self.base, self.current) if side.target_name}
        return len(names) < 2 and self.base.place == self.current.place

    @cached_property
    def defers(self) -> bool:
        """Return True if dbt read nodes in another target on one side."""
        return any(
            side.run is not None and DEFER in dbt_options(side.run) for side in (self.base, self.current)
        )

    @cached_property
    def is_compiled_by_dbt(self) -> bool:
        """Return True if dbt compiled the SQL of both sides."""
        return all(side.run is None or side.run.extractor == DBT for side in (self.base, self.current))

    @cached_property
    def same_dbt(self) -> bool:
        """Return True if the same version of dbt wrote both sides, or if neither version is known."""
        return self.base.dbt_version == self.current.dbt_version

    @cached_property
    def given_variables(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return calls of the variables with equal values of `--vars`, and with others."""
        return given_variables(self.base.run, self.current.run)

    def values_of(self, call: str) -> tuple[str, str]:
        """Return what is known of the values of a variable, which are stored as hashes, for both sides."""
        if call not in self.given_variables[1]:
            return "not recorded", "not recorded"
        name = call[len("var('") : -len("')")]
        base, current = (
            side.run is not None and name in (side.run.variables or ()) for side in (self.base, self.current)
        )
        if base and current:
            return "given with --vars", "given otherwise"
        return ("given with --vars", "not given") if base else ("not given", "given with --vars")

    @cached_property
    def same_commit(self) -> bool:
        """Return True if both sides provably come from one clean commit and no code contradicts it."""
        before, after = self.base.run, self.current.run
        if before is None or after is None or before.git_sha is None or before.git_sha != after.git_sha:
            return False
        # Files that differ from the commit, or that may come from another checkout, prove nothing.
        if not before.git_proven or not after.git_proven or before.git_dirty or after.git_dirty:
            return False
        return not self.changed_macros and self._same_sources()

    def _same_sources(self) -> bool:
        """Return True if both sides have the same nodes, sources, checksums and unrendered configuration."""
        before, after = self.base.nodes, self.current.nodes
        return before.keys() == after.keys() and all(
            self._same_source(node, after[unique_id]) for unique_id, node in before.items()
        )

    def _same_source(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        if before.raw_code != after.raw_code or before.unrendered_config != after.unrendered_config:
            return False
        if before.code_hash != after.code_hash and None not in (before.code_hash, after.code_hash):
            return False
        return before.checksum == after.checksum or not self.same_checksum_rule(before, after)

    @cached_property
    def changed_macros(self) -> frozenset[str]:
        """Return macros that were added, removed or changed, ignoring formatting and built-in macros."""
        runs = (self.base.run, self.current.run)
        if runs[0] and runs[1] and runs[0].macro_set_id == runs[1].macro_set_id is not None:
            return frozenset()
        before, after = self.base.macros, self.current.macros
        are_files = runs[0] and runs[1] and runs[0].extractor == runs[1].extractor != DBT
        # If a manifest has no macros, all of the other side would count as changed.
        if not (before and after) and not are_files:
            return frozenset()
        is_same = partial(same_code, adapter=self.adapter)
        return frozenset(
            one
            for one in before.keys() | after.keys()
            if not is_builtin(one.split(".")[1])
            and not (one in before and one in after and is_same(before[one].macro_sql, after[one].macro_sql))
        )

    def macros_behind(self, node: NodeMetadata, before: NodeMetadata) -> set[str]:
        """Return the changed macros that the node calls directly or indirectly."""
        if not self.changed_macros:
            return set()
        called = self.base.closure(before.macros) | self.current.closure(node.macros)
        return called & self.changed_macros

    def macro_details(self, before: NodeMetadata, after: NodeMetadata) -> Iterator[ChangeDetail]:
        """Yield a detail for each changed macro that affects the node.

        SQL compiled on both sides shows the effect of a macro. Macros in hooks and materializations run later
        and are not visible in compiled SQL.
        """
        if not self.changed_macros:
            return
        visible = before.compiled_code is not None and after.compiled_code is not None
        same = visible and before.compiled_code == after.compiled_code
        guilty = self._macros_at_run_time(before) | self._macros_at_run_time(after)
        if not same and not (visible and self.same_compiled(before, after)):
            guilty |= self.macros_behind(after, before)
        else:
            guilty |= self._macros_out_of_sight(before, after)
        for unique_id in sorted(guilty & self.changed_macros):
            old, new = self.base.macros.get(unique_id), self.current.macros.get(unique_id)
            yield ChangeDetail(Reason.MACROS, unique_id, old and old.macro_sql, new and new.macro_sql)

    @cached_property
    def acting_elsewhere(self) -> Mapping[str, tuple[str, ...]]:
        """Return the changed macros that act on other targets only, with the nodes that reach them."""
        found = defaultdict(set, {macro: {*ids} for macro, ids in self.placing_elsewhere.items()})
        for unique_id, after in self.current.nodes.items() if self.changed_macros else ():
            before = self.base.nodes.get(unique_id)
            if before is None or before.compiled_code is None or after.compiled_code is None:
                continue
            if "python" in (before.language, after.language):
                continue
            macros = self.every_target.changed_macros_of(before, after)
            if macros and self.same_compiled(before, after):
                # Others are a change of the node itself.
                macros -= self.unseen_macros(before, after)
                same_code_too = before.raw_code == after.raw_code
                if macros and same_code_too and self.every_target.compare(before, after) is not None:
                    for macro in macros:
                        found[macro].add(unique_id)
        return {macro: tuple(sorted(found[macro])) for macro in sorted(found)}

    @cached_property
    def placing_elsewhere(self) -> Mapping[str, frozenset[str]]:
        """Return the changed macros that may move nodes on other targets only, with these nodes."""
        if not self.changed_macros or not self.is_compiled_by_dbt:
            return {}
        changed = {key: self._closure([name]) & self.changed_macros for key, (name, _) in NAMERS.items()}
        return self.relation_names.moved_elsewhere(changed, self.every_target.writes_otherwise)

    def _macros_out_of_sight(
        self, before: NodeMetadata, after: NodeMetadata, called: Collection[str] | None = None
    ) -> set[str]:
        """Return those of *called* (by default changed macros) whose effect compiled SQL may not show.

        Compiled SQL shows one branch of an `is_incremental()` condition. A macro may be called in the other
        branch, where dbt does not record it either, or it may branch itself. No SQL shows what statements
        that a template sends do.
        """
        if self._sends(before, after):
            return self.macros_behind(after, before) if called is None else set(called)
        hidden = names_in_branches(before.raw_code or "") | names_in_branches(after.raw_code or "")
        guilty = self._closure(hidden)
        for unique_id in self.macros_behind(after, before) if called is None else called:
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
        inside = self._closure(names_in_branches(code))
        parts += (self.current.macros[one].macro_sql for one in inside if one in self.current.macros)
        return [*around, *parts]

    def _sends(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        return bool(sent_texts(before, self.base.macros) or sent_texts(after, self.current.macros))

    def sends_otherwise(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Return True if dbt may send other statements while it renders the node, which may write rows."""
        parts = (template_parts(node.raw_code or "") for node in (before, after))
        return before.raw_code != after.raw_code and self._sends(before, after) and next(parts) != next(parts)

    def unseen_macros(self, before: NodeMetadata, after: NodeMetadata) -> frozenset[str]:
        """Return changed macros whose effect may be absent from compiled SQL: in hooks or in branches."""
        if not self.changed_macros:
            return frozenset()
        found = self._macros_at_run_time(before) | self._macros_at_run_time(after)
        return self.changed_macros & (found | self._macros_out_of_sight(before, after))

    def _closure(self, names: Iterable[str]) -> set[str]:
        """Return the project's macros with these names, or in place of dbt's, and all that they call."""
        known, sides = set(names), (self.base, self.current)
        roots = {one for side in sides for name in known for one in side.macro_named(name)}
        found = self.base.closure(roots) | self.current.closure(roots)
        known |= {base_name(one.split(".")[2]) for one in found if is_builtin(one.split(".")[1])}
        return found.union(*(side.in_place_of(known) for side in self._by_dbt))

    def same_compiled(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Return True if both sides compiled to equivalent SQL, or if a side was not compiled.

        An incremental model has one for its first build and one for later ones; equal ones are compared.
        """
        if self.same_shown(before, after):
            return True
        found = self.every_target.branches(before, after)
        return found is not None and found.is_equal

    def same_shown(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Return True if the compiled SQL of both sides is equivalent as it is, or if a side has none."""
        base, current = self.base.compiled(before), self.current.compiled(after)
        if base is None or current is None or base == current:
            return True
        return self.base.compiled_tokens(before, self.adapter) == self.current.compiled_tokens(
            after, self.adapter
        )

    def _macros_at_run_time(self, node: NodeMetadata) -> set[str]:
        """Return macros that dbt runs around the node's SQL: hooks and custom materializations."""
        names = {name for text in self._hooks(node) for name in jinja_names(text)}
        # Without dbt, no macro has placed the node.
        names |= NAMER_MACROS if node.resource_type in PLACED and not self.is_compiled_by_dbt else set()
        if node.materialized:
            names |= {f"materialization_{node.materialized}_{kind}" for kind in ("default", self.adapter)}
        if strategy := node.config.get("incremental_strategy"):
            names.add(f"get_incremental_{strategy}_sql")
        around = self._by_dbt[0].around(node) | self._by_dbt[1].around(node)
        return self._with_looked_up(self._closure(names), self._hooks(node)) | around

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
                return found | self.changed_macros
            named = {f"{prefix}__{name}" for name in names for prefix in ("default", self.adapter)} | names
            new = self._closure(named) - found if names else set()
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
        reached = self._macros_at_run_time(before) | self._macros_at_run_time(after)
        called = self.base.closure(before.macros) | self.current.closure(after.macros)
        is_visible = before.compiled_code is not None and after.compiled_code is not None
        is_visible = is_visible and after.resource_type != OPERATION
        reached |= self._macros_out_of_sight(before, after, called) if is_visible else called
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

    def deciding_words(self, *nodes: NodeMetadata) -> tuple[frozenset[str], frozenset[str]]:
        """Return the `incremental_words` of *nodes*, and the `row_words` of their hooks."""
        places = [(one, side.macros) for side in (self.base, self.current) for one in nodes]
        return (
            frozenset().union(*(incremental_words(one, macros) for one, macros in places)),
            frozenset().union(*(row_words(one, hooks_and_macros(one, macros)) for one, macros in places)),
        )

    def unstable(self, *nodes: NodeMetadata) -> str:
        """Return why each read of *nodes*, as views, may differ; empty if it does not.

        The views that they read are computed again as well. Without compiled SQL, their macros count.
        """
        waiting, seen = [node.unique_id for node in nodes], set[str]()
        while waiting:
            seen.add(unique_id := waiting.pop())
            sides = [side for side in (self.base, self.current) if unique_id in side.nodes]
            if not sides and unique_id.startswith("model."):
                return f"{unique_id} is not known, and may have another result at each read"
            for side in sides:
                node = side.nodes[unique_id]
                is_first = any(node.unique_id == one.unique_id for one in nodes)
                if not is_first and (
                    node.materialized not in COMPUTED_WHEN_READ or node.resource_type != "model"
                ):
                    continue
                texts = [node.compiled_code or node.raw_code or ""]
                if node.compiled_code is None:
                    called = (side.macros.get(one) for one in side.closure(node.macros))
                    texts += [macro.macro_sql for macro in called if macro is not None]
                for found in filter(None, map(unstable_text, texts)):
                    return f"{found} has another result at each read"
                waiting += [parent for parent in node.parents if parent not in seen]
        return ""

    @staticmethod
    def _hooks(node: NodeMetadata) -> list[str]:
        return [str(text) for key in HOOKS for text in hook_texts(node.config.get(key))]

    @cached_property
    def _by_dbt(self) -> tuple[RunByDbt, RunByDbt]:
        return RunByDbt(self.base.macros), RunByDbt(self.current.macros)

    def may_build(self, node: NodeMetadata) -> bool:
        """Return True if a changed macro may build *node*, regardless of its strategy."""
        return any(self.changed_macros & side.around(node, any_strategy=True) for side in self._by_dbt)

    def has_own_materialization(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Return True if a materialization that is not dbt's own builds one side, or is in place of dbt's."""
        sides = ((self.base, before), (self.current, after))
        return any(side.own_materialization(node, self.adapter) for side, node in sides)

    def unattributed_macros(self, nodes: Iterable[NodeMetadata]) -> list[str]:
        """Return a note about changed macros that dbt may call but that no node in *nodes* mentions."""
        if not self.changed_macros:
            return []
        listed = list(nodes)
        called = {macro for node in listed for macro in node.macros}
        known = self.base.closure(called) | self.current.closure(called) | self._closure(NAMER_MACROS)
        behind = self._by_dbt[0].behind_overrides() | self._by_dbt[1].behind_overrides()
        return unattributed_note(self._by_dbt, (behind & self.changed_macros) - known, listed)

    def of_compiled(self, before: NodeMetadata, after: NodeMetadata) -> Reason:
        """Return why the same source compiled to other SQL: `COMPILED` for an edit, else `ENVIRONMENT`."""
        # A changed macro that acts on other targets only is a change of its own.
        if self._of_another_branch(before, after):
            return Reason.ENVIRONMENT
        if self.macros_behind(after, before) or before.parents != after.parents:
            return Reason.COMPILED
        names = self.base.mentions(before) | self.current.mentions(after)
        variable = not names.isdisjoint(VARIABLES)
        # `flags.WHICH` is the command.
        is_other = "flags" in names and None not in (ran := {self.base.command, self.current.command})
        if not names.isdisjoint(VOLATILE) or (is_other and len(ran) > 1 and not variable):
            return Reason.ENVIRONMENT
        # A variable's value may have been edited as well, unless the targets already differ.
        if "target" in names and (not variable or not self.same_environment):
            return Reason.ENVIRONMENT
        if not self.same_dbt and not variable:
            return Reason.ENVIRONMENT
        return Reason.COMPILED

    def _of_another_branch(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Return True if SQL may differ only because one run found the table of the node, and one did not."""
        base, current = self.every_target.inputs
        is_same = base.of(before) == current.of(after)
        if is_same and current.varies_by_branch_alone(after, self.given_variables[0]):
            return True
        found = self.every_target.branches(before, after)
        return found is not None and found.is_equal

    def of_config(self, before: NodeMetadata, after: NodeMetadata, key: str) -> Reason:
        """Return why one configuration key rendered to another value."""
        top = key.split(".", 1)[0]
        templates = [template(node, top) for node in (before, after)]
        if templates[0] == templates[1] and has_jinja(templates[0]):
            names = jinja_names(_text(templates[0]))
            return self._of_names(names)
        if before.raw_code is not None and before.raw_code == after.raw_code:
            calls = _config_calls(after.raw_code or "")
            if re.search(rf"\b{re.escape(top.replace('-', '_'))}\b", calls):
                return self._of_names(jinja_names(calls))
        # dbt renders YAML properties before it writes them, so only a proven commit excludes an edit. This
        # holds only in the project itself, because files of packages are not in the repository.
        is_own = self.current.run is not None and after.package_name == self.current.run.project_name
        is_edit = self.same_environment or not is_own or not self.same_commit
        return Reason.CONFIG if is_edit else Reason.ENVIRONMENT

    def _of_names(self, names: frozenset[str]) -> Reason:
        if "target" in names and (names.isdisjoint(VARIABLES) or not self.same_environment):
            return Reason.ENVIRONMENT
        return Reason.CONFIG

    def new_field(self, left: Json, right: Json) -> bool:
        """Return True if one side lacks the value because the dbt versions have different fields."""
        return not self.same_dbt and (normalise(left) is None or normalise(right) is None)

    def same_checksum_rule(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Return True if dbt computed both checksums by the same rule, so that they are comparable."""
        if before.checksum_rule and after.checksum_rule:
            return before.checksum_rule == after.checksum_rule
        return self.same_dbt


def causes_of(base: ProjectSide, current: ProjectSide) -> Causes:
    """Return the causes of two sides; they are computed once."""
    known: Causes | None = vars(current).get("causes")
    if known is None or known.base is not base:
        known = vars(current)["causes"] = Causes(base, current)
    return known


def reads_graph(macro: MacroMetadata) -> bool:
    """Return True if *macro*, which is not one of dbt, reads other nodes in `graph`."""
    return (
        not is_builtin(macro.package_name)
        and GRAPH in macro.macro_sql
        and GRAPH in jinja_names(macro.macro_sql)
    )


def template(node: NodeMetadata, key: str) -> Json:
    """Return the key's unrendered value, or None if the project does not set it; hooks have two spellings."""
    for spelling in (key, key.replace("-", "_"), key.replace("_", "-")):
        if spelling in node.unrendered_config:
            return node.unrendered_config[spelling]
    return None


def _text(value: Json) -> str:
    if isinstance(value, dict):
        return " ".join(_text(member) for member in value.values())
    if isinstance(value, (list, tuple)):
        return " ".join(_text(item) for item in value)
    return str(value)


def has_jinja(value: Json) -> bool:
    """Return True if any string in *value* is a Jinja template."""
    return "{{" in (text := _text(value)) or "{%" in text


def _config_calls(code: str) -> str:
    """Return the source up to the end of its last `config(…)` call, where values are set."""
    if "config(" not in code and "config (" not in code:
        return ""
    end = code.find("}}", code.rindex("config"))
    return code[: end + 2] if end >= 0 else code
