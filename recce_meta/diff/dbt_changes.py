"""dbt's own answer to `state:modified`, in the shape of ours."""

from __future__ import annotations

from recce_meta.diff.changes import detect_changes
from recce_meta.diff.like_dbt import dbt_refusals, dbt_state
from recce_meta.models import Change, Project, Reason, Status

REASONS = {
    "body": Reason.BODY,
    "configs": Reason.CONFIG,
    "relation": Reason.RELATION,
    "persisted_descriptions": Reason.DESCRIPTIONS,
    "macros": Reason.MACROS,
    "contract": Reason.CONTRACT,
}
"""dbt's sub-selectors and the reasons they stand for."""


def dbt_notes(base: Project, current: Project) -> list[str]:
    """Where dbt itself stops with an error instead of answering; what it would have answered is shown."""
    return [
        f"dbt itself stops at {refusal.unique_id} (state:modified.{refusal.selector}): {refusal.reason}"
        for refusal in dbt_refusals(base, current)
    ]


def dbt_changes(base: Project, current: Project) -> dict[str, Change]:
    """What dbt selects with `state:modified`, with its reasons and, where we see them, our details.

    dbt does not list removed nodes.
    """
    ours = detect_changes(base, current)
    nodes = {node.unique_id: node for node in current.nodes}
    found: dict[str, Change] = {}
    for unique_id, state in dbt_state(base, current).items():
        if "modified" not in state:
            continue
        reasons = tuple(reason for name, reason in REASONS.items() if name in state)
        known = ours.get(unique_id)
        node = nodes[unique_id]
        found[unique_id] = Change(
            unique_id=unique_id,
            name=node.label,
            resource_type=node.resource_type,
            path=node.path,
            status=Status.ADDED if "new" in state else Status.MODIFIED,
            reasons=() if "new" in state else reasons,
            details=tuple(detail for detail in known.details if detail.reason in reasons) if known else (),
        )
    return found
