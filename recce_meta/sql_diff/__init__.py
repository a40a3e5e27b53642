"""Semantic comparison of two queries, to classify what a SQL change can break.

`classify_change` returns the category, `compare_sql` the full result. `compare_queries` takes queries that
are already resolved. They are loaded on first use: a diff without SQL changes does not need sqlglot.
"""

from __future__ import annotations

from recce_meta.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__file__)
