"""Enumerations whose members are words, and the one that everything about changes shares."""

from __future__ import annotations

from enum import Enum


class Word(str, Enum):
    """An enumeration whose members are, compare as, and print as their words."""

    def __str__(self) -> str:
        return str(self.value)


class Status(Word):
    """What happened to a node or column. `unchanged` means: differs in formatting or environment alone."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"
    UNCHANGED = "unchanged"
