"""Column lineage of one query and of a whole project.

`column_lineage`, `analyse_query` and `resolve_query` take one SQL string; `project` takes all nodes of a run.
They are loaded on first use, so recording an unchanged project does not load sqlglot.
"""

from __future__ import annotations

from recce_meta.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__file__)
