"""Effects of configuration keys on a table that exists: those that statements and strategies read.

Rules: docs/concepts/change-categories.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, TypeAlias

from recce_meta.diff.materializations import (
    BREAKING,
    EXCLUDED,
    NONE,
    OF_QUERY_ALONE,
    PARTIAL,
    REBUILT,
    REFRESHED,
    SNAPSHOT_COLUMNS,
    UNKNOWN,
    built_as,
    effect_of,
    strategy_of_node,
)
from recce_meta.models import ChangeDetail, Json, NodeMetadata, Status
from recce_meta.models.change import Category, SqlChange
from recce_meta.warehouses import rules_of
from recce_meta.warehouses.builds import BuildRules, Edit, Outcome, Statement, failing


class TableEdit(NamedTuple):
    """One configuration key of a node that changed, and how the node is built."""

    before: NodeMetadata
    after: NodeMetadata
    detail: ChangeDetail
    rules: BuildRules | None

    @property
    def key(self) -> str:
        """Return the key without the path below it."""
        return self.detail.key.split(".", 1)[0]

    @property
    def strategies(self) -> frozenset[str]:
        """Return the incremental strategies of both sides."""
        return frozenset(strategy_of_node(node, self.rules) for node in (self.before, self.after))

    @property
    def appends(self) -> bool:
        """Return True if both sides only insert rows, and know the same columns of the table."""
        rules, nodes = self.rules, (self.before, self.after)
        if rules is None or any(rules.statement_of(one.config) is not Statement.APPEND for one in nodes):
            return False
        # Without a key, some adapters refuse other strategies. Columns that the table lacks may stop a merge.
        known = {"append", "merge", *({rules.default} & {"delete+insert"})}
        is_same = len(self.strategies) == 1 or self.strategies.isdisjoint(one for one, _ in rules.exceptions)
        return self.strategies <= known and is_same

    @property
    def is_rebuilt(self) -> bool:
        """Return True if each run of both sides builds the whole table."""
        return all(one.config.get("full_refresh") is True for one in (self.before, self.after))


Rule: TypeAlias = Callable[[TableEdit], Outcome | None]
"""Returns the outcome of an edited key, or None if the general table of keys applies."""


def _if_microbatch(outcome: Outcome, otherwise: Outcome | None = None) -> Rule:
    return lambda edit: outcome if "microbatch" in edit.strategies else otherwise


def _if_set(outcome: Outcome) -> Rule:
    """Return a rule for flags: *outcome* if either side sets it."""
    return lambda edit: outcome if True in (edit.detail.base, edit.detail.current) else Outcome(NONE)


def _of_partitions(edit: TableEdit) -> Outcome | None:
    is_replaced = edit.strategies & {"insert_overwrite", "microbatch"}
    return Outcome(BREAKING, "of other partitions are replaced") if is_replaced else None


def _of_unique_key(edit: TableEdit) -> Outcome:
    values = [edit.detail.base, edit.detail.current]
    before, after = (sorted(map(str, one)) if isinstance(one, (list, tuple)) else [one] for one in values)
    if edit.strategies == {"append"} or (before == after and len(edit.strategies) == 1):
        return Outcome(NONE)
    if edit.detail.base is None:
        return Outcome(BREAKING, "with a selected key are replaced, which were kept")
    if edit.detail.current is None:
        return Outcome(BREAKING, "stay, and selected rows are added again")
    return Outcome(BREAKING, "are matched by another key: several may be replaced by one, or stay")


def _of_strategy(edit: TableEdit) -> Outcome:
    if edit.rules is not None and edit.rules.lacks_strategy(edit.after.config):
        return failing(f"the adapter lacks the strategy {edit.after.config['incremental_strategy']}")
    if edit.appends or len(edit.strategies) == 1:
        return Outcome(NONE)
    return Outcome(BREAKING, "are replaced or kept by another statement")


def _of_merged_columns(edit: TableEdit) -> Outcome:
    """Return the outcome of another list of columns that MERGE updates, or does not."""
    is_merge = "merge" in edit.strategies
    rules = edit.rules
    if rules is not None and rules.statements.get("microbatch") is Statement.KEYED:
        is_merge = is_merge or "microbatch" in edit.strategies
    if not is_merge:
        return Outcome(NONE)
    before, after = (_plain_names(value) for value in (edit.detail.base, edit.detail.current))
    if edit.key == "merge_update_columns":
        if (lack := _lacks_columns(edit.after, after)) is not None:
            return lack
        # Without merge_update_columns every column is updated, and the others are unknown here.
        if not (before and after):
            return Outcome(BREAKING, "keep old values in columns that are left out, if they match")
    changed = tuple(sorted(before ^ after))
    return Outcome(PARTIAL, "keep old values in columns that are left out, if they match", columns=changed)


def _plain_names(value: Json) -> frozenset[str]:
    listed = value if isinstance(value, (list, tuple)) else [value] if value else []
    return frozenset(str(each).strip('"`[] ').lower() for each in listed)


def _lacks_columns(node: NodeMetadata, names: Collection[str]) -> Outcome | None:
    """Return the outcome if the query of *node* may lack one of the columns *names*."""
    code = (node.compiled_code or "*").lower()
    catalog = {column.name.lower() for column in node.columns if node.columns_from == "catalog"}
    missing = sorted(name for name in names if name not in catalog and name not in code)
    if not missing:
        return None
    if "*" in code:
        return Outcome(UNKNOWN, f"may lack {missing[0]}, which merge_update_columns names")
    return failing(f"merge_update_columns names {missing[0]}, which the query lacks")


def _of_schema_change(edit: TableEdit) -> Outcome:
    """Return the outcome of another policy: none if both tables are known to have the same columns."""
    tables = [
        {column.name.lower() for column in node.columns} if node.columns_from == "catalog" else None
        for node in (edit.before, edit.after)
    ]
    if None not in tables and tables[0] == tables[1]:
        return Outcome(NONE)
    return Outcome(UNKNOWN, "may be in a table with other columns than its query: another policy decides")


OF_INCREMENTAL_ALONE = frozenset(["full_refresh", "batch_size", "lookback", "begin", "concurrent_batches"])
"""Keys that no other materialization reads."""
INCREMENTAL_CONFIG: Mapping[str, Rule] = {
    "unique_key": _of_unique_key,
    "merge_update_columns": _of_merged_columns,
    "merge_exclude_columns": _of_merged_columns,
    "on_schema_change": _of_schema_change,
    "full_refresh": _if_set(Outcome(BREAKING, "are lost if every run rebuilds the table")),
    "batch_size": _if_microbatch(Outcome(BREAKING, "of another window are replaced"), Outcome(NONE)),
    "lookback": _if_microbatch(Outcome(BREAKING, "of another window are replaced"), Outcome(NONE)),
    "begin": _if_microbatch(
        Outcome(BREAKING, "stay; only first and full builds start at another time"), Outcome(NONE)
    ),
    "event_time": _if_microbatch(
        Outcome(BREAKING, "of a batch are deleted, and rows written, by another column")
    ),
    "partition_by": _of_partitions,
    "liquid_clustered_by": _of_partitions,
    "incremental_predicates": lambda edit: Outcome(NONE) if edit.appends else EXCLUDED,
    "incremental_strategy": _of_strategy,
}
"""Outcomes of configuration keys of incremental models."""


OF_STATEMENTS = frozenset(
    ["unique_key", "on_schema_change", "incremental_predicates", "incremental_strategy"]
)
"""Keys that only a run on a table that stays reads."""
OF_TABLE_THAT_STAYS = OF_STATEMENTS | {"full_refresh", "merge_update_columns", "merge_exclude_columns"}
"""The same, with keys that some adapters refuse."""


def _of_hard_deletes(edit: TableEdit) -> Outcome:
    before, after = (str(value or "ignore") for value in (edit.detail.base, edit.detail.current))
    if before == after:
        return Outcome(NONE)
    if (before, after) == ("ignore", "invalidate"):
        return Outcome(PARTIAL, "that are absent are closed", columns=(_valid_to(edit.after),))
    if after == "new_record":
        return failing("the table lacks the column dbt_is_deleted")
    return Outcome(BREAKING, "that are absent stay as they are from now on")


def _of_valid_to(edit: TableEdit) -> Outcome:
    if edit.detail.base is None:
        return Outcome(PARTIAL, "have NULL until they change", columns=(_valid_to(edit.after),))
    return Outcome(BREAKING, "that are current are not found: each is current twice")


SNAPSHOT_CONFIG: Mapping[str, Rule] = {
    "check_cols": lambda edit: Outcome(BREAKING, "get a new version if a column that is now checked differs"),
    "strategy": lambda edit: Outcome(BREAKING, "get a new version by another rule"),
    "unique_key": lambda edit: SNAPSHOT_COLUMNS[Edit.VALUE, "unique_key"],
    "updated_at": lambda edit: SNAPSHOT_COLUMNS[Edit.VALUE, "updated_at"],
    "hard_deletes": _of_hard_deletes,
    "invalidate_hard_deletes": lambda edit: (
        Outcome(PARTIAL, "that are absent are closed", columns=(_valid_to(edit.after),))
        if edit.detail.current is True
        else Outcome(BREAKING, "that are absent stay current")
    ),
    "dbt_valid_to_current": _of_valid_to,
    "snapshot_meta_column_names": lambda edit: failing("the table lacks the renamed columns"),
    "full_refresh": lambda edit: Outcome(NONE),
}
"""Outcomes of configuration keys of snapshots."""


def config_effect(
    before: NodeMetadata, after: NodeMetadata, detail: ChangeDetail, adapter: str | None
) -> SqlChange | None:
    """Return the effect of a changed configuration key on the table; None if no rule of it applies."""
    kind = after.materialized or ""
    if detail.key == "event_time" and "microbatch" not in _strategies(before, after):
        reason = "event_time changed, by which microbatch readers and --sample select rows"
        return SqlChange(category=Category.NON_BREAKING, reasons=(reason,))
    if kind != before.materialized:
        kinds = {built_as(one, one.materialized) for one in (before, after)}
        is_unused = kinds <= REBUILT and detail.key.split(".", 1)[0] in OF_TABLE_THAT_STAYS
        return effect_of(Outcome(NONE), (), Status.MODIFIED) if is_unused else None
    edit = TableEdit(before, after, detail, rules_of(adapter))
    if kind in REFRESHED:
        outcome = REFRESHED[kind].get(edit.key)
    elif kind == "snapshot":
        rule = SNAPSHOT_CONFIG.get(edit.key)
        outcome = rule(edit) if rule else None
    elif kind == "incremental":
        rule = INCREMENTAL_CONFIG.get(edit.key)
        outcome = rule(edit) if rule else None
        if edit.rules is not None:
            outcome = edit.rules.config.get(edit.key, outcome)
        if edit.is_rebuilt and edit.key in OF_STATEMENTS:
            outcome = Outcome(NONE)
        is_known = edit.rules is not None and edit.strategies <= edit.rules.statements.keys()
        # A statement that is not known may read any key.
        if outcome is not None and not is_known and outcome.category is not BREAKING:
            outcome = None
    elif kind in OF_QUERY_ALONE and edit.key in OF_INCREMENTAL_ALONE:
        outcome = Outcome(NONE)
    else:
        outcome = None
    if outcome is None:
        return None
    reason = f"{edit.key} changed" if outcome.category is not NONE else ""
    return effect_of(outcome, outcome.columns, Status.MODIFIED, reason)


def _strategies(*nodes: NodeMetadata) -> set[Json]:
    return {node.config.get("incremental_strategy") for node in nodes if node.materialized == "incremental"}


def _valid_to(node: NodeMetadata) -> str:
    names = node.config.get("snapshot_meta_column_names")
    named = names.get("dbt_valid_to") if isinstance(names, dict) else None
    return str(named or "dbt_valid_to")
