"""Quality as JSON for programs; `docs/quality.md` and its JSON Schema describe the document."""

from __future__ import annotations

from typing import Any

from recce_meta.diff.quality_result import QualityResult
from recce_meta.report.characters import pretty_json
from recce_meta.report.data.as_json import data_tree

QUALITY_SCHEMA = "recce_meta/quality/v1"


def quality_json(result: QualityResult) -> str:
    """*result* as a document of schema `recce_meta/quality/v1`, complete: nothing is cut."""
    return encoded(
        {
            "schema": QUALITY_SCHEMA,
            "has_failed": bool(result.violations),
            "run": data_tree(result.quality.run),
            "tables": data_tree(result.quality.tables),
            "changes": data_tree(result.changes),
            "violations": data_tree(result.violations),
            "notes": list(result.notes),
        }
    )


def encoded(document: dict[str, Any]) -> str:
    """*document* as text, one value a line."""
    return pretty_json(document)
