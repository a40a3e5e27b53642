"""Causes of a difference: an edit, or the environment.

dbt's artifacts hold the rendered project, not the reason for a difference. The cause is inferred from the
names that the code mentions: code that reads `target`, but no variable and no changed macro, can differ only
because the target differs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from recce_meta.diff.code import jinja_names
from recce_meta.diff.every_target import EveryTarget
from recce_meta.diff.macro_reach import MacroReach
from recce_meta.diff.materializations import COMPUTED_WHEN_READ, unstable_text
from recce_meta.diff.project_side import VARIABLES, VOLATILE, ProjectSide, normalise
from recce_meta.diff.relation_names import NAMERS, RelationNames
from recce_meta.diff.run_by_dbt import BUILT
from recce_meta.diff.same_sql import given_variables
from recce_meta.models import ChangeDetail, Json, NodeMetadata, Reason, RunMetadata
from recce_meta.models.run import DBT, DEFER, dbt_options
from recce_meta.warehouses.builds import incremental_words
from recce_meta.warehouses.hooks import hooks_and_macros, row_words

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
    def macros(self) -> MacroReach:
        """Return what the changed macros of both sides reach."""
        return MacroReach(self.base, self.current, self.adapter, self.is_compiled_by_dbt)

    @cached_property
    def adapter(self) -> str | None:
        """Return dbt's adapter_type."""
        return self.current.adapter or self.base.adapter

    @cached_property
    def every_target(self) -> EveryTarget:
        """Return the comparison of templates for all targets and variables."""
        return EveryTarget(self.base, self.current, lambda: self.macros.changed)

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
        """Return what is known of the values of a variable for both sides: those of artifacts are hashes."""
        if call not in self.given_variables[1]:
            return "not recorded", "not recorded"
        name = call[len("var('") : -len("')")]
        if not self.is_compiled_by_dbt:
            runs = (self.base.run, self.current.run)
            old, new = (((run and run.variables) or {}).get(name, "not set") for run in runs)
            return old, new
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
        return not self.macros.changed and self._same_sources()

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

    def macro_details(self, before: NodeMetadata, after: NodeMetadata) -> Iterator[ChangeDetail]:
        """Yield a detail for each changed macro that affects the node.

        SQL compiled on both sides shows the effect of a macro. Macros in hooks and materializations run later
        and are not visible in compiled SQL.
        """
        if not self.macros.changed:
            return
        visible = before.compiled_code is not None and after.compiled_code is not None
        same = visible and before.compiled_code == after.compiled_code
        guilty = self.macros.at_run_time(before) | self.macros.at_run_time(after)
        if not same and not (visible and self.same_compiled(before, after)):
            guilty |= self.macros.behind(after, before)
        else:
            guilty |= self.macros.out_of_sight(before, after)
        for unique_id in sorted(guilty & self.macros.changed):
            old, new = self.base.macros.get(unique_id), self.current.macros.get(unique_id)
            yield ChangeDetail(Reason.MACROS, unique_id, old and old.macro_sql, new and new.macro_sql)

    @cached_property
    def acting_elsewhere(self) -> Mapping[str, tuple[str, ...]]:
        """Return the changed macros that act on other targets only, with the nodes that reach them."""
        found = defaultdict(set, {macro: {*ids} for macro, ids in self.placing_elsewhere.items()})
        for unique_id, after in self.current.nodes.items() if self.macros.changed else ():
            before = self.base.nodes.get(unique_id)
            if before is None or before.compiled_code is None or after.compiled_code is None:
                continue
            if "python" in (before.language, after.language):
                continue
            macros = self.every_target.changed_macros_of(before, after)
            if macros and self.same_compiled(before, after):
                # Others are a change of the node itself.
                macros -= self.macros.unseen(before, after)
                same_code_too = before.raw_code == after.raw_code
                if macros and same_code_too and self.every_target.compare(before, after) is not None:
                    for macro in macros:
                        found[macro].add(unique_id)
        return {macro: tuple(sorted(found[macro])) for macro in sorted(found)}

    @cached_property
    def placing_elsewhere(self) -> Mapping[str, frozenset[str]]:
        """Return the changed macros that may move nodes on other targets only, with these nodes."""
        if not self.macros.changed or not self.is_compiled_by_dbt:
            return {}
        macros = self.macros
        changed = {key: macros.closure([name]) & macros.changed for key, (name, _) in NAMERS.items()}
        return self.relation_names.moved_elsewhere(changed, self.every_target.writes_otherwise)

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

    def has_own_materialization(self, before: NodeMetadata, after: NodeMetadata) -> bool:
        """Return True if a materialization that is not dbt's own builds one side, or is in place of dbt's."""
        sides = ((self.base, before), (self.current, after))
        return any(side.own_materialization(node, self.adapter) for side, node in sides)

    def of_compiled(self, before: NodeMetadata, after: NodeMetadata) -> Reason:
        """Return why the same source compiled to other SQL: `COMPILED` for an edit, else `ENVIRONMENT`."""
        # A changed macro that acts on other targets only is a change of its own.
        if self._of_another_branch(before, after):
            return Reason.ENVIRONMENT
        if self.macros.behind(after, before) or before.parents != after.parents:
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
