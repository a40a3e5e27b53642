"""Template renderer: renders a run's Jinja without dbt and without a database.

Its names are loaded on first use: most checks have no template and need no Jinja.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recce_meta.lazy import lazy_names

if TYPE_CHECKING:
    from recce_meta.render.limits import Limits
    from recce_meta.render.renderer import SimpleTemplateRenderer

__all__ = ["Limits", "SimpleTemplateRenderer"]

__getattr__, __dir__ = lazy_names(__name__, {"limits": "Limits", "renderer": "SimpleTemplateRenderer"})
