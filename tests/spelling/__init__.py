"""What tests must write differently for each warehouse: types, literals, schemas. One file per warehouse."""

from __future__ import annotations

from importlib import import_module

from tests.spelling.base import Spelling

__all__ = ["Spelling", "spelling_of"]


def spelling_of(warehouse: str) -> Spelling:
    """How tests write SQL for *warehouse*."""
    spelling: Spelling = import_module(f"tests.spelling.{warehouse}").SPELLING
    return spelling
