"""Database access for the whole package: SQL in, rows out, every driver error translated."""

from __future__ import annotations

from recce_meta.adapter.adapter import ResolvedTarget, UnifiedSqlAdapter
from recce_meta.adapter.connection import Session
from recce_meta.redaction import redact

__all__ = ["ResolvedTarget", "Session", "UnifiedSqlAdapter", "redact"]
