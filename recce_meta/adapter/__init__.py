"""The only door to the database: SQL in, rows out, every driver error translated."""

from __future__ import annotations

from recce_meta.adapter.adapter import Session, Target, UnifiedSqlAdapter

__all__ = ["Session", "Target", "UnifiedSqlAdapter"]
