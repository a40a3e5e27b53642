"""Templates of a run, rendered without dbt and without a database."""

from __future__ import annotations

from recce_meta.render.budget import Limits
from recce_meta.render.renderer import SimpleTemplateRenderer

__all__ = ["Limits", "SimpleTemplateRenderer"]
