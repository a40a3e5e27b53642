"""What a change of SQL can break: two queries compared by what they mean.

`classify_change` says it in one word, `compare_sql` in full, `compare_queries` does so for queries that are
resolved already. They are loaded when first used: a diff in which no SQL changed needs no sqlglot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recce_meta.diff.semantic.compare import classify_change, compare_queries, compare_sql
    from recce_meta.diff.semantic.positions import reads_by_position, reads_star

__all__ = ["classify_change", "compare_queries", "compare_sql", "reads_by_position", "reads_star"]


def __getattr__(name: str) -> object:
    if name in ("reads_by_position", "reads_star"):
        from recce_meta.diff.semantic import positions

        return getattr(positions, name)
    if name in __all__:
        from recce_meta.diff.semantic import compare

        return getattr(compare, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
