"""Effects of an edit on a table that exists: what the statement of its materialization does with its rows.

A query is judged by what it returns. An incremental model or a snapshot holds rows of earlier runs, too: the
tables below have the mildest category that holds for the next run without `--full-refresh`. The more severe
one of both counts. What adapters do differently is in `recce_meta.warehouses`. Rules:
docs/concepts/change-categories.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from recce_meta.errors import first_of, plural
from recce_meta.models import ChangeDetail, Json, NodeMetadata, Reason, Status
from recce_meta.models.change import BUILD_FAILS, BUILD_MAY_FAIL, Category, ColumnChange, SqlChange
from recce_meta.warehouses import rules_of
from recce_meta.warehouses.builds import (
    CHECKED_STAYS,
    KEEPS_TYPE,
    KEY_STAYS,
    NOT_ADDED,
    REMOVED_STAYS,
    SELECTION,
    BuildRules,
    Edit,
    Outcome,
    SeedLoad,
    Statement,
    deciding_columns,
    failing,
    names_in,
)
from recce_meta.warehouses.hooks import ANY_NAME

NONE, NON_BREAKING, PARTIAL, BREAKING, UNKNOWN = (
    Category.NONE,
    Category.NON_BREAKING,
    Category.PARTIAL_BREAKING,
    Category.BREAKING,
    Category.UNKNOWN,
)

REBUILT = frozenset(["view", "table"])
"""Materializations that contain exactly the result of the query."""
OF_QUERY_ALONE = REBUILT | {"ephemeral", "external", "seed", "test", "unit", "function"}
"""Materializations that keep no earlier rows."""
COMPUTED_WHEN_READ = frozenset(["view", "ephemeral"])

_OF_SESSION = "catalog role schema schemas user database warehouse session account region setting".split()
_OF_TIME = "timestamp date time datetime localtimestamp timezone utc".split()
_CALLED = r"""\w*rand\w* | \w*uuid\w* | newid | now | now64 | today | \w*getdate | getutcdate | sysdate\w*
    | timeofday | cur(?:date|time) | utc_(?:date|time|timestamp) | unixepoch | seq[1248]
    | (?:curr|last|set)val
    | setseed | uniform | normal | zipf | shuffle | monotonically_increasing_id | txid_\w+ | pg_current_\w+
    | pg_backend_pid | connection_id | last_\w+_id | user | database | schema"""
_NAMED = rf"""(?:get_)?current_(?:{"|".join((*_OF_SESSION, *_OF_TIME))}) | local(?:time|timestamp)
    | systimestamp | sysdate | (?:session|system)_user | nextval | tablesample
    | (?:clock|statement|transaction)_timestamp"""
UNSTABLE = re.compile(
    rf"""(?ix) \b(?P<call>{_CALLED}) \s* \( | \b(?P<name>{_NAMED})\b
    | \b(?P<sample>using\s+sample|sample\s*\()
    | \b(?P<age>age)\s*\((?![^()]*,[^()]*\)) | \b(?P<unix>unix_timestamp)\s*\(\s*\)
    | '(?P<word>now|today|tomorrow|yesterday)'"""
)
"""Text with another result at each read, which a table freezes and a view does not."""

# Snapshots: the same macros on all adapters (snapshots/helpers.sql, snapshots/strategies.sql).
_NO_KEY = "unique_key names a removed column"
_NEW_VERSIONS = "get a new version, every row that differs: the old ones are closed"
ALL_COLUMNS = "check_cols: all"
"""Role of a column that dbt checks only as long as the query returns it."""
SNAPSHOT_COLUMNS: Mapping[tuple[Edit, str], Outcome] = {
    (Edit.ADDED, "check_cols"): Outcome(
        BREAKING, "get a new version, each current row: check_cols has the column"
    ),
    (Edit.ADDED, ""): Outcome(NON_BREAKING, "have NULL in the new column until they change"),
    (Edit.REMOVED, "check_cols"): failing("check_cols names a removed column"),
    (Edit.REMOVED, ALL_COLUMNS): CHECKED_STAYS,
    (Edit.REMOVED, "unique_key"): failing(_NO_KEY),
    (Edit.REMOVED, "updated_at"): failing("updated_at names a removed column"),
    (Edit.REMOVED, ""): REMOVED_STAYS,
    (Edit.VALUE, "check_cols"): Outcome(BREAKING, _NEW_VERSIONS),
    (Edit.VALUE, "unique_key"): Outcome(BREAKING, "stay under their old keys; all new keys are inserted"),
    (Edit.VALUE, "updated_at"): Outcome(BREAKING, "get a new version if updated_at is later, else never"),
    (Edit.VALUE, ""): Outcome(PARTIAL, "keep the old value until they change"),
    (Edit.RETYPED, ""): KEEPS_TYPE,
}
"""Outcomes for columns by their role; an unlisted role has that of no role."""

SNAPSHOT_ROWS: Mapping[str, Outcome] = {
    "ignore": Outcome(BREAKING, "stay current although the query no longer returns them"),
    "invalidate": Outcome(BREAKING, "are closed if the query no longer returns them"),
    "new_record": Outcome(BREAKING, "are closed, with a row for the deletion, if they are not returned"),
}
"""Outcomes if the query returns other rows, by `hard_deletes`."""

# Incremental models (incremental/on_schema_change.sql, incremental/strategies.sql, merge.sql).
_FAIL = failing("on_schema_change is fail, and the columns differ")
_MAY_DIFFER = Outcome(UNKNOWN, "stay, or the build fails: on_schema_change is fail, and types may differ")
_NULLS = Outcome(NON_BREAKING, "have NULL in the new column until they are selected again")
INCREMENTAL_COLUMNS: Mapping[Edit, Mapping[str, Outcome]] = {
    Edit.ADDED: {
        "ignore": NOT_ADDED,
        "append_new_columns": _NULLS,
        "sync_all_columns": _NULLS,
        "fail": _FAIL,
    },
    Edit.REMOVED: {
        "ignore": failing("the statement names the removed column"),
        "append_new_columns": REMOVED_STAYS,
        "sync_all_columns": Outcome(PARTIAL, "lose the removed column, too"),
        "fail": _FAIL,
    },
    Edit.RETYPED: {
        "ignore": KEEPS_TYPE,
        "append_new_columns": KEEPS_TYPE,
        "sync_all_columns": Outcome(PARTIAL, "keep their values, cast to the new type, until a full refresh"),
        "fail": _FAIL,
    },
}
"""Outcomes for columns by `on_schema_change`."""

_KEPT = Outcome(PARTIAL, "keep their values until a full refresh")
_KEPT_UNLESS_SELECTED = Outcome(PARTIAL, "keep their values until they are selected again or a full refresh")
_STAY = Outcome(BREAKING, "stay until a full refresh, although the query no longer returns them")
_OTHER_BATCH = Outcome(
    BREAKING, "of a batch are deleted; those with a time outside of it are not written again"
)
INCREMENTAL_QUERY: Mapping[Statement, Mapping[Edit, Outcome]] = {
    Statement.APPEND: {Edit.VALUE: _KEPT, Edit.KEY: _KEPT, Edit.ROWS: _STAY, Edit.EVENT_TIME: _KEPT},
    Statement.KEYED: {
        Edit.VALUE: _KEPT_UNLESS_SELECTED,
        Edit.KEY: Outcome(BREAKING, "stay under their old keys; selected rows are added under new keys"),
        Edit.ROWS: _STAY,
        Edit.EVENT_TIME: _KEPT_UNLESS_SELECTED,
    },
    Statement.WINDOW: {
        Edit.VALUE: Outcome(PARTIAL, "outside of the lookback keep their values until a full refresh"),
        Edit.KEY: Outcome(PARTIAL, "outside of the lookback keep their keys until a full refresh"),
        Edit.ROWS: Outcome(BREAKING, "outside of the lookback stay until a full refresh"),
        Edit.EVENT_TIME: _OTHER_BATCH,
    },
    Statement.PARTITIONS: {
        Edit.VALUE: Outcome(PARTIAL, "of partitions that are not returned keep their values"),
        Edit.KEY: Outcome(PARTIAL, "of partitions that are not returned keep their keys"),
        Edit.ROWS: Outcome(BREAKING, "of partitions that are not returned stay until a full refresh"),
        Edit.EVENT_TIME: _OTHER_BATCH,
    },
    Statement.WHOLE: {Edit.ROWS: Outcome(BREAKING, "are replaced on every run by what the query returns")},
}
"""Outcomes of other edits of a query, by what the statement replaces."""

EXCLUDED = Outcome(BREAKING, "that the predicates exclude are not matched, but inserted again")
_REPARTITIONED = Outcome(BREAKING, "stay in their old partitions, and are written again to others")
DECIDING: Mapping[str, Outcome] = {
    "incremental_predicates": EXCLUDED,
    "predicates": EXCLUDED,
    "partition_by": _REPARTITIONED,
    "partitions": _REPARTITIONED,
    SELECTION: Outcome(BREAKING, "stay, and a run selects other rows by the column"),
}
"""Outcomes of other values of a column, by what names it; the key itself is in `INCREMENTAL_QUERY`."""

MATERIALIZATIONS: Mapping[tuple[str, str], Outcome] = {
    ("table", "view"): Outcome(NON_BREAKING),
    ("view", "table"): Outcome(NON_BREAKING),
    ("ephemeral", "table"): Outcome(NON_BREAKING),
    ("ephemeral", "view"): Outcome(NON_BREAKING),
    ("table", "incremental"): Outcome(BREAKING, "stay, and only selected rows are added"),
    ("view", "incremental"): Outcome(BREAKING, "are built once, and accumulate from now on"),
    ("incremental", "table"): Outcome(BREAKING, "that the query no longer returns are lost"),
    ("incremental", "view"): Outcome(BREAKING, "that the query no longer returns are lost"),
    ("snapshot", "table"): Outcome(BREAKING, "lose their history and the columns of the snapshot"),
    ("table", "snapshot"): failing("the table lacks the columns of a snapshot"),
}
"""Outcomes of another materialization; unlisted ones are breaking."""
_AGES = Outcome(BREAKING, "stay in a relation that dbt no longer builds")

_STALE = Outcome(NON_BREAKING, "are not refreshed by this run, which alters the view")
_ALTERED = Outcome(NONE)
_REPLACED = Outcome(NON_BREAKING, "are replaced, by the edited query")
REFRESHED: Mapping[str, Mapping[str, Outcome]] = {
    "materialized_view": {
        "indexes": _STALE,
        "autorefresh": _STALE,
        "auto_refresh": _STALE,
        **dict.fromkeys(("dist", "sort", "sort_type", "partition_by", "cluster_by"), _REPLACED),
    },
    "dynamic_table": {
        **dict.fromkeys(("target_lag", "snowflake_warehouse", "cluster_by", "scheduler"), _ALTERED),
        **dict.fromkeys(("refresh_mode", "transient"), _REPLACED),
    },
}
"""Outcomes of configuration keys of relations that the warehouse refreshes, by materialization."""
BY_HOOK = "a hook may write or remove rows by {}"
_NOT_APPLIED = "stay as the old query returns them: dbt applies the edit at a full refresh"


def materialization_effect(
    before: NodeMetadata, after: NodeMetadata, detail: ChangeDetail, adapter: str | None, unstable: str = ""
) -> SqlChange:
    """Return the effect of another materialization. *unstable* says why each read may differ, if it may."""
    pair = (built_as(before, detail.base), built_as(after, detail.current))
    rules = rules_of(adapter)
    if pair == ("table", "table"):
        return effect_of(Outcome(NON_BREAKING), (), Status.MODIFIED, "rebuilt by every run")
    outcome = MATERIALIZATIONS.get(pair, _AGES if pair[1] == "ephemeral" else Outcome(BREAKING))
    if rules is not None:
        outcome = rules.replacements.get(pair, outcome)
    effect = effect_of(outcome, (), Status.MODIFIED, f"materialized: {detail.base} → {detail.current}")
    if outcome.category is NON_BREAKING and unstable and len(COMPUTED_WHEN_READ.intersection(pair)) == 1:
        return SqlChange(category=BREAKING, reasons=(*effect.reasons, unstable))
    return effect


def built_as(node: NodeMetadata, materialized: Json) -> str:
    """Return *materialized*, or `table` if one query builds all rows of *node*, incremental, in each run."""
    is_rebuilt = materialized == "incremental" and node.config.get("full_refresh") is True
    # Batches may leave rows out: those with a time before `begin`.
    is_whole = is_rebuilt and node.config.get("incremental_strategy") != "microbatch"
    return "table" if is_whole else str(materialized or "view")


def table_effects(
    before: NodeMetadata,
    after: NodeMetadata,
    query: SqlChange,
    details: Collection[ChangeDetail],
    adapter: str | None,
    words: Iterable[str] = (),
    hooks: Collection[str] = (),
) -> Iterator[SqlChange]:
    """Yield the effects on existing rows of an edited query, whose effect on a new table is *query*.

    Hooks write or remove rows by the columns that they name, of a new table as well. *words* are those of
    `incremental_words`, *hooks* those of `row_words`.
    """
    for column in query.columns if hooks else ():
        if column.name == "*" or not {column.name.lower(), ANY_NAME}.isdisjoint(hooks):
            yield SqlChange(category=BREAKING, reasons=(BY_HOOK.format(column.name),))
    kind = after.materialized or ""
    if query.category is NONE or kind in OF_QUERY_ALONE or not kind or kind != before.materialized:
        return
    if kind in REFRESHED:
        keys = {detail.key.split(".", 1)[0] for detail in details}
        is_replaced = any(REFRESHED[kind].get(key) is _REPLACED for key in keys)
        if not is_replaced and not _applies_queries(kind, adapter):
            yield effect_of(Outcome(NONE, _NOT_APPLIED), ())
        return
    if kind not in ("incremental", "snapshot"):
        yield SqlChange(category=UNKNOWN, reasons=(f"materialization {kind}",))
        return
    if (
        before.config.get("full_refresh") is after.config.get("full_refresh") is True
        and kind == "incremental"
    ):
        return
    for column in query.columns:
        is_retyped = column.name in query.retyped
        outcome = column_outcome(after, column, adapter, words=words, is_retyped=is_retyped)
        yield effect_of(outcome, [column.name], column.status)
    for edit in ([Edit.MOVED] if query.moved else []) + ([Edit.ROWS] if query.category is BREAKING else []):
        if (found := _query_outcome(after, edit, adapter)) is not None:
            yield effect_of(found, ())


def _applies_queries(kind: str, adapter: str | None) -> bool:
    """Return True if an edited query of a relation that the warehouse refreshes takes effect in each run."""
    rules = rules_of(adapter)
    return rules is not None and rules.applies_queries and kind == "materialized_view"


def keeps_rows(node: NodeMetadata, *, is_edited: bool = False) -> bool:
    """Return True if the table of *node* may hold rows of earlier builds, or have columns of these."""
    kind = node.materialized or ""
    if kind == "seed":
        return is_edited
    return bool(kind) and kind not in OF_QUERY_ALONE and (is_edited or kind not in REFRESHED)


def reached_outcome(
    node: NodeMetadata,
    column: ColumnChange,
    adapter: str | None,
    words: Iterable[str],
    *,
    is_retyped: bool = False,
) -> Outcome | None:
    """Return what becomes of existing rows of *node* if a column of its query changes.

    Return None if it holds none. *words* are those of `incremental_words`.
    """
    kind = node.materialized or ""
    if kind == "seed":
        return REMOVED_STAYS if column.status is Status.REMOVED and keeps_seed(node, adapter) else None
    if kind in REFRESHED and not _applies_queries(kind, adapter):
        return {Status.ADDED: NOT_ADDED, Status.REMOVED: REMOVED_STAYS}.get(column.status)
    if not keeps_rows(node) or (kind == "incremental" and node.config.get("full_refresh") is True):
        return None
    if kind not in ("incremental", "snapshot"):
        return Outcome(UNKNOWN, f"materialization {kind}")
    return column_outcome(node, column, adapter, words=words, is_retyped=is_retyped)


def finds_key_in_table(node: NodeMetadata, adapter: str | None) -> bool:
    """Return True if dbt's DELETE finds a `unique_key` that the query lacks in the table, which keeps it."""
    is_delete = strategy_of_node(node, rules_of(adapter)) == "delete+insert"
    is_kept = node.config.get("on_schema_change") == "append_new_columns"
    return is_delete and is_kept and isinstance(node.config.get("unique_key"), str)


def column_outcome(
    node: NodeMetadata,
    column: ColumnChange,
    adapter: str | None,
    *,
    words: Iterable[str] = (),
    is_retyped: bool = False,
) -> Outcome:
    """Return what becomes of the existing rows of *node*, incremental or a snapshot, if a column changes.

    *words* are those of `incremental_words`.
    """
    edit = {Status.ADDED: Edit.ADDED, Status.REMOVED: Edit.REMOVED}.get(column.status, Edit.VALUE)
    rules, name = rules_of(adapter), column.name.lower()
    deciding = deciding_columns(node, rules, words)
    if name == "*" and (any(deciding.values()) or node.materialized == "snapshot"):
        return Outcome(UNKNOWN, "may be replaced by a column that is not known")
    roles = [role for role, names in deciding.items() if name in names]
    if node.materialized == "snapshot":
        return _snapshot_outcome(node, roles, Edit.RETYPED if is_retyped else edit)
    strategy, statement = strategy_of_node(node, rules), rules.statement_of(node.config) if rules else None
    if rules is None or statement is None:
        return _unknown_statement(adapter, strategy, rules)
    policy = str(node.config.get("on_schema_change") or "ignore")
    decides = next((DECIDING[role] for role in roles if role in DECIDING), None)
    if edit is Edit.REMOVED and "unique_key" in roles:
        return KEY_STAYS if finds_key_in_table(node, adapter) else failing(_NO_KEY)
    if edit is Edit.REMOVED and name in names_in(node.config.get("merge_update_columns")):
        return failing("merge_update_columns names a removed column")
    if is_retyped:
        edit = Edit.RETYPED
    if edit is Edit.VALUE:
        if decides is not None:
            return decides
        is_batched = strategy == "microbatch" and name in names_in(node.config.get("event_time"))
        is_key = name in names_in(node.config.get("unique_key"))
        edit = Edit.EVENT_TIME if is_batched else Edit.KEY if is_key else Edit.VALUE
        outcome = INCREMENTAL_QUERY[statement].get(edit, Outcome(PARTIAL))
        return _MAY_DIFFER if policy == "fail" and outcome.category is PARTIAL else outcome
    columns = INCREMENTAL_COLUMNS[edit]
    outcome = columns.get(policy, columns["ignore"])
    exception = rules.exceptions.get((strategy, edit)) if policy == "ignore" else None
    if edit is Edit.RETYPED and "unique_key" in roles:
        return INCREMENTAL_QUERY[statement][Edit.KEY]
    outcome = exception or outcome
    is_milder = outcome.category is PARTIAL and edit is not Edit.ADDED
    return decides if decides is not None and is_milder else outcome


def _snapshot_outcome(node: NodeMetadata, roles: Collection[str], edit: Edit) -> Outcome:
    strategy = str(node.config.get("strategy"))
    if strategy not in ("timestamp", "check"):
        return Outcome(UNKNOWN, f"are compared by the project's strategy {strategy}")
    role = next(reversed(list(roles)), "")
    is_all = strategy == "check" and node.config.get("check_cols") == "all"
    if not role and is_all:
        role = ALL_COLUMNS if edit is Edit.REMOVED else "check_cols"
    if edit is Edit.RETYPED and role:
        edit = Edit.VALUE
    return SNAPSHOT_COLUMNS.get((edit, role)) or SNAPSHOT_COLUMNS[edit, ""]


def _query_outcome(node: NodeMetadata, edit: Edit, adapter: str | None) -> Outcome | None:
    """Return what becomes of existing rows if the query returns other rows or another order of columns."""
    if node.materialized == "snapshot":
        deletes = str(node.config.get("hard_deletes") or "ignore")
        if node.config.get("invalidate_hard_deletes") is True:
            deletes = "invalidate"
        return SNAPSHOT_ROWS.get(deletes) if edit is Edit.ROWS else None
    rules = rules_of(adapter)
    strategy, statement = strategy_of_node(node, rules), rules.statement_of(node.config) if rules else None
    if rules is None or statement is None:
        return _unknown_statement(adapter, strategy, rules)
    return rules.exceptions.get((strategy, edit)) or INCREMENTAL_QUERY[statement].get(edit)


def _unknown_statement(adapter: str | None, strategy: str, rules: BuildRules | None) -> Outcome:
    what = (
        f"incremental models of {adapter or 'an unknown adapter'}"
        if rules is None
        else f"strategy {strategy}"
    )
    return Outcome(UNKNOWN, f"may stay or be replaced: {what}")


def strategy_of_node(node: NodeMetadata, rules: BuildRules | None) -> str:
    return rules.strategy_of(node.config) if rules else str(node.config.get("incremental_strategy"))


def unstable_text(code: str) -> str | None:
    """Return what in *code* has another result at each read.

    >>> unstable_text("select age(born), x from t"), unstable_text("select age(a, b) from t")
    ('age', None)
    """
    found = UNSTABLE.search(code)
    return next(filter(None, found.groups())).lower() if found else None


def effect_of(
    outcome: Outcome, columns: Collection[str], status: Status = Status.MODIFIED, *reasons: str
) -> SqlChange:
    """Return *outcome* of *columns* with their *status*, after further *reasons*."""
    return SqlChange(
        category=outcome.category,
        columns=tuple(ColumnChange(name, status) for name in columns),
        reasons=tuple(filter(None, (*reasons, outcome.reason))),
    )


def keeps_seed(node: NodeMetadata, adapter: str | None) -> bool:
    """Return True if the table of the seed *node* may keep columns that its file loses."""
    return _seed_load(node, adapter) is not SeedLoad.REBUILT


def _seed_load(node: NodeMetadata, adapter: str | None) -> SeedLoad:
    if node.config.get("full_refresh") is True:
        return SeedLoad.REBUILT
    rules = rules_of(adapter)
    return SeedLoad.UNKNOWN if rules is None else rules.seed_load


_UNTIL = "until `dbt seed --full-refresh`"
_NAMES = 3


def seed_effects(
    before: NodeMetadata, after: NodeMetadata, details: Iterable[ChangeDetail], adapter: str | None
) -> Iterator[SqlChange]:
    """Yield the effects of *details*, the changes of the seed from *before* to *after*, on its table.

    `dbt seed` keeps the table that exists, removes its rows and loads the file. In another target than that
    of *before*, the table may be new.
    """
    found = [one for one in details if one.reason is Reason.COLUMNS]
    load = _seed_load(after, adapter)
    if not found or load is SeedLoad.REBUILT:
        return
    added = [one.key for one in found if one.base is None]
    removed = [one.key for one in found if one.current is None]
    is_moved = any(one.key == "(order)" for one in found)
    is_in_place = before.relation_name == after.relation_name
    fails = BUILD_FAILS if is_in_place else f"{BUILD_MAY_FAIL}: if its table exists"
    category, reason = Category.UNKNOWN, f"the table may keep its columns {_UNTIL}"
    if load is SeedLoad.BY_NAME and added:
        has = "columns" if len(added) > 1 else "column"
        category = Category.BREAKING
        reason = f"{fails}: the table does not get the {has} {first_of(added, _NAMES)} {_UNTIL}"
    elif load is SeedLoad.BY_NAME and removed:
        category = Category.PARTIAL_BREAKING
        reason = f"the table keeps {first_of(removed, _NAMES)}, with NULL, {_UNTIL}"
    elif load is SeedLoad.BY_POSITION and len(added) != len(removed):
        more = len(added) - len(removed)
        category = Category.BREAKING
        reason = (
            f"{fails}: the file has {plural(abs(more), 'column')} {'more' if more > 0 else 'fewer'} "
            f"than the table {_UNTIL}"
        )
    elif load is SeedLoad.BY_POSITION and (added or is_moved):
        category = Category.BREAKING
        reason = f"the file is loaded by position: the table keeps names and places of its columns {_UNTIL}"
    elif load is not SeedLoad.UNKNOWN:
        if len(found) == is_moved:
            return
        category = Category.BREAKING
        reason = f"the table keeps its types {_UNTIL}; the build fails on values that do not fit"
    yield SqlChange(category=category, reasons=(reason,))
