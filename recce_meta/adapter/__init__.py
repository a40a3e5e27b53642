"""The only door to the database: SQL in, rows out, every driver error translated."""

from __future__ import annotations

from recce_meta.adapter.adapter import Target, UnifiedSqlAdapter
from recce_meta.adapter.session import Session
from recce_meta.masking import redact

__all__ = ["Session", "Target", "UnifiedSqlAdapter", "redact"]
