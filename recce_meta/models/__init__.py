"""Frozen data types shared by extractors, the store and diffs."""

from recce_meta.models.change import COSMETIC, Change, ChangeDetail, Impact, Reason, RunDiff, Status
from recce_meta.models.node import (
    Column,
    EdgeOrigin,
    Json,
    LineageEdge,
    MacroMetadata,
    NodeMetadata,
    NodeResult,
    code_hash,
    target_place,
)
from recce_meta.models.run import Check, Project, RunMetadata

__all__ = [
    "COSMETIC",
    "Change",
    "ChangeDetail",
    "Check",
    "Column",
    "EdgeOrigin",
    "Impact",
    "Json",
    "LineageEdge",
    "MacroMetadata",
    "NodeMetadata",
    "NodeResult",
    "Project",
    "Reason",
    "RunDiff",
    "RunMetadata",
    "Status",
    "code_hash",
    "target_place",
]
