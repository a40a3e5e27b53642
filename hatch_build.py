"""Build hook: renders the SQL of the store into the package, for a wheel and for an editable install.

A wheel has the schemas of the API compressed, in place of their file in the checkout.
"""

from __future__ import annotations

import gc
import gzip
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SCHEMAS = "recce_meta/server/api/schemas.json"


class RenderSql(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `scripts/render_sql.py` in the environment of the build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        gc.disable()  # nearly all that is parsed stays: searching it takes a fifth of the time
        sys.path.insert(0, self.root)
        from scripts import render_sql

        render_sql.write()
        if version == "editable":
            return
        self._scratch = tempfile.TemporaryDirectory()  # removed with the hook, after the build
        compressed = Path(self._scratch.name, "schemas.json.gz")
        # Without a time: the same bytes each time.
        compressed.write_bytes(gzip.compress(Path(self.root, SCHEMAS).read_bytes(), mtime=0))
        build_data["force_include"][str(compressed)] = f"{SCHEMAS}.gz"
