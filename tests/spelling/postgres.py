"""PostgreSQL."""

from __future__ import annotations

from tests.spelling.base import ByValues

SPELLING = ByValues("postgres", types={"double": "double precision", "binary": "bytea"})
