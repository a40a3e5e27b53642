"""Build hook: renders the SQL of the store into the package, for a wheel and for an editable install."""

from __future__ import annotations

import gc
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RenderSql(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `scripts/render_sql.py` in the environment of the build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        gc.disable()  # nearly all that is parsed stays: searching it takes a fifth of the time
        sys.path.insert(0, self.root)
        from scripts import render_sql

        render_sql.write()
