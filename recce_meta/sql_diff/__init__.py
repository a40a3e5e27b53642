"""Semantic comparison of two queries, to classify what a SQL change can break.

`classify_change` returns the category, `compare_sql` the full result. `compare_queries` takes queries that
are already resolved. They are loaded on first use: a diff without SQL changes does not need sqlglot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recce_meta.lazy import lazy_names

if TYPE_CHECKING:
    from recce_meta.sql_diff.compare import classify_change, compare_queries, compare_sql
    from recce_meta.sql_diff.positions import reads_by_position, reads_star

__all__ = ["classify_change", "compare_queries", "compare_sql", "reads_by_position", "reads_star"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "compare": "classify_change compare_queries compare_sql",
        "positions": "reads_by_position reads_star",
    },
)
