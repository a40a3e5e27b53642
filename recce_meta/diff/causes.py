"""What caused a difference: an edit, or the environment.

dbt's artifacts hold what the project rendered to, not why. The cause is told from what the code
mentions: a text that reads `target` and neither a variable nor a changed macro can differ only
because the target does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from recce_meta.diff.code import decides_at_run_time, jinja_names, names_in_branches, same_code
from recce_meta.diff.run_by_dbt import RunByDbt, unattributed
from recce_meta.diff.side import VARIABLES, VOLATILE, Side, is_builtin
from recce_meta.diff.values import normal
from recce_meta.models import ChangeDetail, Json, MacroMetadata, NodeMetadata, Reason

HOOKS = ("pre-hook", "post-hook", "pre_hook", "post_hook")


@dataclass(frozen=True)
class Causes:
    """Both sides, and what follows from comparing them as a whole."""

    base: Side
    current: Side

    @cached_property
    def adapter(self) -> str | None:
        """dbt's adapter_type."""
        return self.current.adapter or self.base.adapter

    @cached_property
    def same_environment(self) -> bool:
        """Whether both sides were built under one target, as far as the artifacts tell."""
        names = {side.target_name for side in (self.base, self.current) if side.target_name}
        return len(names) < 2 and self.base.place == self.current.place

    @cached_property
    def same_dbt(self) -> bool:
        """Whether one version of dbt wrote both sides, or none is known."""
        return self.base.dbt_version == self.current.dbt_version

    @cached_property
    def same_commit(self) -> bool:
        """True if both sides are proven to come from one clean commit, and nothing contradicts it."""
        before, after = self.base.run, self.current.run
        if before is None or after is None or before.git_sha is None or before.git_sha != after.git_sha:
            return False
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
        """Macros whose code changed, came or went, but for formatting and for those that come with dbt."""
        runs = (self.base.run, self.current.run)
        if runs[0] and runs[1] and runs[0].macro_set_id == runs[1].macro_set_id is not None:
            return frozenset()
        before, after = self.base.macros, self.current.macros
        if not before or not after:
            return frozenset()
        changed = set()
        for unique_id in before.keys() | after.keys():
            old, new = before.get(unique_id), after.get(unique_id)
            if is_builtin(unique_id.split(".")[1]):
                continue
            if old is None or new is None or not self._same_macro(old, new):
                changed.add(unique_id)
        return frozenset(changed)

    def _same_macro(self, old: MacroMetadata, new: MacroMetadata) -> bool:
        return same_code(old.macro_sql, new.macro_sql, adapter=self.adapter)

    def macros_behind(self, node: NodeMetadata, before: NodeMetadata) -> set[str]:
        """Changed macros that the node calls, directly or not."""
        if not self.changed_macros:
            return set()
        called = self.base.closure(before.macros) | self.current.closure(node.macros)
        return called & self.changed_macros

    def macro_details(self, before: NodeMetadata, after: NodeMetadata) -> Iterator[ChangeDetail]:
        """Changed macros that changed what the node does.

        Where SQL was compiled on both sides it shows what a macro did to it; macros of hooks and of the
        materialization run later and leave no trace there.
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

    def _macros_out_of_sight(self, before: NodeMetadata, after: NodeMetadata) -> set[str]:
        """Changed macros behind a node whose effect compiled SQL need not show.

        It shows one branch of what `is_incremental()` decides: a macro may be called in another one,
        where dbt has not met it either, or decide by itself.
        """
        hidden = names_in_branches(before.raw_code or "") | names_in_branches(after.raw_code or "")
        guilty = self._closure(hidden)
        for unique_id in self.macros_behind(after, before):
            texts = (self.base.macros.get(unique_id), self.current.macros.get(unique_id))
            if any(macro is not None and decides_at_run_time(macro.macro_sql) for macro in texts):
                guilty.add(unique_id)
        return guilty

    def unseen_macros(self, before: NodeMetadata, after: NodeMetadata) -> frozenset[str]:
        """Changed macros whose effect on a node its compiled SQL need not show: in hooks, in branches."""
        if not self.changed_macros:
            return frozenset()
        found = self._macros_at_run_time(before) | self._macros_at_run_time(after)
        return self.changed_macros & (found | self._macros_out_of_sight(before, after))

    def _closure(self, names: Iterable[str]) -> set[str]:
        """The project's macros of these names, on both sides, and all that they call."""
        known = list(names)
        roots = [
            one for side in (self.base, self.current) for name in known for one in side.macro_named(name)
        ]
        return self.base.closure(roots) | self.current.closure(roots)

    def same_compiled(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Whether both compiled to SQL that means the same, as far as both were compiled."""
        base, current = self.base.compiled(before), self.current.compiled(after)
        if base is None or current is None or base == current:
            return True
        return self.base.compiled_tokens(before, self.adapter) == self.current.compiled_tokens(
            after, self.adapter
        )

    def _macros_at_run_time(self, node: NodeMetadata) -> set[str]:
        """Macros that dbt runs around the node's SQL: in hooks, and the project's own materializations."""
        names: set[str] = set()
        for key in HOOKS:
            for text in hook_texts(node.config.get(key)):
                names |= jinja_names(str(text))
        if node.materialized:
            names |= {f"materialization_{node.materialized}_{kind}" for kind in ("default", self.adapter)}
        if strategy := node.config.get("incremental_strategy"):
            names.add(f"get_incremental_{strategy}_sql")
        around = self._by_dbt[0].around(node) | self._by_dbt[1].around(node)
        return self._closure(names) | around

    @cached_property
    def _by_dbt(self) -> tuple[RunByDbt, RunByDbt]:
        return RunByDbt(self.base.macros), RunByDbt(self.current.macros)

    def may_build(self, node: NodeMetadata) -> bool:
        """Return True if a changed macro may build *node*, whatever its strategy is."""
        return any(self.changed_macros & side.around(node, any_strategy=True) for side in self._by_dbt)

    def unattributed_macros(self, nodes: Iterable[NodeMetadata]) -> list[str]:
        """Return a note about changed macros that dbt may call and that none of *nodes* shows."""
        if not self.changed_macros:
            return []
        listed = list(nodes)
        called = {macro for node in listed for macro in node.macros}
        known = self.base.closure(called) | self.current.closure(called)
        behind = self._by_dbt[0].behind_overrides() | self._by_dbt[1].behind_overrides()
        return unattributed(self._by_dbt, (behind & self.changed_macros) - known, listed)

    def of_compiled(self, before: NodeMetadata, after: NodeMetadata) -> Reason:
        """Why the same source compiled to other SQL: `COMPILED` for an edit, else `ENVIRONMENT`."""
        if self.macros_behind(after, before) or before.parents != after.parents:
            return Reason.COMPILED
        names = self.base.mentions(before) | self.current.mentions(after)
        variable = not names.isdisjoint(VARIABLES)
        if not names.isdisjoint(VOLATILE):
            return Reason.ENVIRONMENT
        if "target" in names and (not variable or not self.same_environment):
            return Reason.ENVIRONMENT
        if not self.same_dbt and not variable:
            return Reason.ENVIRONMENT
        return Reason.COMPILED

    def of_config(self, before: NodeMetadata, after: NodeMetadata, key: str) -> Reason:
        """Why one key of the configuration rendered to another value."""
        top = key.split(".", 1)[0]
        templates = [template(node, top) for node in (before, after)]
        if templates[0] == templates[1] and has_jinja(templates[0]):
            names = jinja_names(_text(templates[0]))
            return self._of_names(names)
        if before.raw_code is not None and before.raw_code == after.raw_code:
            calls = _config_calls(after.raw_code or "")
            if re.search(rf"\b{re.escape(top.replace('-', '_'))}\b", calls):
                return self._of_names(jinja_names(calls))
        # dbt renders YAML properties before it writes them: only a proven commit excludes an edit, and only
        # in the project itself, because files of packages are not in the repository.
        is_own = self.current.run is not None and after.package_name == self.current.run.project_name
        is_edit = self.same_environment or not is_own or not self.same_commit
        return Reason.CONFIG if is_edit else Reason.ENVIRONMENT

    def _of_names(self, names: frozenset[str]) -> Reason:
        if "target" in names and (names.isdisjoint(VARIABLES) or not self.same_environment):
            return Reason.ENVIRONMENT
        return Reason.CONFIG

    def new_field(self, left: Json, right: Json) -> bool:
        """Whether a value that one side lacks is a field that the other side's version of dbt added."""
        return not self.same_dbt and (normal(left) is None or normal(right) is None)

    def same_checksum_rule(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Whether dbt computed both checksums alike, so that they can be compared."""
        if before.checksum_rule and after.checksum_rule:
            return before.checksum_rule == after.checksum_rule
        return self.same_dbt


def template(node: NodeMetadata, key: str) -> Json:
    """The key's value as the project wrote it, None where it did not; dbt spells hooks in two ways."""
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
    """Whether any text in *value* is a Jinja template."""
    return "{{" in (text := _text(value)) or "{%" in text


def _config_calls(code: str) -> str:
    """The part of the source up to the end of its last `config(…)` call, where values are set."""
    if "config(" not in code and "config (" not in code:
        return ""
    end = code.find("}}", code.rindex("config"))
    return code[: end + 2] if end >= 0 else code


def hook_texts(hooks: Json) -> list[Json]:
    """The SQL of a node's hooks, which dbt writes as one or as a list, of texts or of objects."""
    listed = hooks if isinstance(hooks, list) else [] if hooks is None else [hooks]
    return [hook.get("sql") if isinstance(hook, dict) else hook for hook in listed]
