"""`state:modified` and the like between two scans: what the diff says, for dbt has no notion of tables."""

from __future__ import annotations

from recce_meta.diff.changes import detect_changes
from recce_meta.errors import UnknownNameError
from recce_meta.graph import StateResolver
from recce_meta.models import COSMETIC, Project, Reason, Status


def scan_state_resolver(base: Project, current: Project) -> StateResolver:
    """Answers `new`, `old`, `modified`, `unmodified`, and `modified.columns` or any other reason.

    As in selections between dbt's runs, what is new or gone is modified, too.
    """
    changes = {
        unique_id: change
        for unique_id, change in detect_changes(base, current).items()
        if change.status is not Status.UNCHANGED
    }
    here = {node.unique_id for node in current.nodes}
    new = {unique_id for unique_id, change in changes.items() if change.status is Status.ADDED}
    found = {
        "modified": frozenset(changes),
        "new": frozenset(new),
        "old": frozenset(here - new),
        "unmodified": frozenset(here - changes.keys()),
    }
    for reason in Reason:
        if reason not in COSMETIC:
            found[f"modified.{reason}"] = frozenset(
                unique_id for unique_id, change in changes.items() if reason in change.reasons
            )

    def resolve(name: str) -> frozenset[str]:
        if name not in found:
            raise UnknownNameError("state", name, sorted(found))
        return found[name]

    return resolve
