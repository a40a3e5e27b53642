"""Column lineage: of one query, and of a whole project.

`column_lineage`, `analyse_query` and `resolve_query` take one SQL text; `project` takes all nodes of a run.
They are loaded when first used: a project of which nothing changed is recorded without sqlglot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recce_meta.graph.columns.analyse import (
        analyse_query,
        analyse_script,
        column_lineage,
        resolve_query,
        resolve_statements,
    )
    from recce_meta.graph.columns.united import QueryColumns

__all__ = [
    "QueryColumns",
    "analyse_query",
    "analyse_script",
    "column_lineage",
    "resolve_query",
    "resolve_statements",
]


def __getattr__(name: str) -> object:
    if name in __all__:
        from recce_meta.graph.columns import analyse

        return getattr(analyse, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
