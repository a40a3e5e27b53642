"""Column lineage of one query and of a whole project.

`column_lineage`, `analyse_query` and `resolve_query` take one SQL string; `project` takes all nodes of a run.
They are loaded on first use, so recording an unchanged project does not load sqlglot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recce_meta.lazy import lazy_names

if TYPE_CHECKING:
    from recce_meta.sql_lineage.analyse import (
        analyse_query,
        analyse_script,
        column_lineage,
        resolve_query,
        resolve_statements,
    )
    from recce_meta.sql_lineage.query import QueryColumns

__all__ = [
    "QueryColumns",
    "analyse_query",
    "analyse_script",
    "column_lineage",
    "resolve_query",
    "resolve_statements",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "analyse": "analyse_query analyse_script column_lineage resolve_query resolve_statements",
        "query": "QueryColumns",
    },
)
