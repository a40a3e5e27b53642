"""Template renderer: renders a run's Jinja without dbt and without a database.

Its names are loaded on first use: most checks have no template and need no Jinja.
"""

from __future__ import annotations

from recce_meta.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__file__)
