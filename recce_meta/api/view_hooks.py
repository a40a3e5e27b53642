"""Effects of hooks on tables that become views: statements that a view refuses, and new hooks that write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from recce_meta.api.run_reader import RunReader
from recce_meta.diff.project_side import ProjectSide
from recce_meta.models import Change, NodeMetadata, Status
from recce_meta.models.change import BUILD_FAILS, BUILD_MAY_FAIL, Category, SqlChange
from recce_meta.sql_lineage.propagation import Start
from recce_meta.warehouses import rules_of
from recce_meta.warehouses.hooks import (
    OPERATION,
    TableStatement,
    names_table,
    own_hooks,
    own_table_statements,
    removes_rows,
)

ON_VIEW = "{} runs {} on {}"


def refused(changes: Mapping[str, Change], sides: tuple[ProjectSide, ProjectSide]) -> dict[str, Change]:
    """Return the changed views with a hook, new since base, that needs a table; each has the reason."""
    found = {}
    for change in changes.values():
        before, after = (side.nodes.get(change.unique_id) for side in sides)
        if change.status is Status.UNCHANGED or after is None or after.materialized != "view":
            continue
        new = _table_statements(sides[1], after)
        if before is not None and before.materialized == "view":
            new -= _table_statements(sides[0], before)
        for hook, verb, is_certain in sorted(new, key=lambda one: (not one.is_certain, one))[:1]:
            start = BUILD_FAILS if is_certain else BUILD_MAY_FAIL
            fault = f"{start}: {ON_VIEW.format(f'its {hook}', verb.upper(), 'a view')}"
            reasons = (*change.category_reasons, fault)
            found[change.unique_id] = replace(change, category=Category.BREAKING, category_reasons=reasons)
    return found


def of_others(changes: Mapping[str, Change], side: ProjectSide, run: RunReader) -> Iterable[Start]:
    """Yield the nodes with hooks that need the table of another node, which has become a view in *side*."""
    views = [
        after
        for change in changes.values()
        if any(one.key == "materialized" for one in change.details)
        if (after := side.nodes.get(change.unique_id)) and after.materialized == "view"
    ]
    operations = {one for one in run.names if one.startswith(f"{OPERATION}.")} if views else set()
    for view in views:
        edges = run.column_parents([view.unique_id]) if run.has_columns else ()
        for unique_id, node in run.nodes(operations | {edge.parent_id for edge in edges}).items():
            verb = names_table(node, side.macros, view)
            if verb and unique_id != view.unique_id:
                why = ON_VIEW.format("a hook", verb.upper(), f"{view.name}, a view")
                yield Start(unique_id, SqlChange(category=Category.UNKNOWN), view.unique_id, 1, why)


def as_writer(change: Change, side: ProjectSide) -> Change:
    """Return *change*, of a node whose new hooks may write rows of other nodes, with its category.

    It is breaking if the own text of a hook deletes, truncates or drops, and otherwise unknown.
    """
    node = side.nodes.get(change.unique_id)
    removes = node is not None and removes_rows(own_hooks(node))
    reason = "it deletes rows or drops a relation" if removes else "it may write rows of other nodes"
    return replace(
        change,
        category=Category.BREAKING if removes else Category.UNKNOWN,
        category_reasons=(*change.category_reasons, reason),
    )


def _table_statements(side: ProjectSide, node: NodeMetadata) -> frozenset[TableStatement]:
    rules = rules_of(side.adapter)
    return own_table_statements(node, side.macros, writes_views=rules is None or rules.writes_views)
