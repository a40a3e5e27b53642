"""Public API of recce_meta: record the state of a dbt project in its warehouse, and diff any two runs.

Each name is imported on first use, so `import recce_meta` stays fast.
"""

from __future__ import annotations

from recce_meta.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__file__)
