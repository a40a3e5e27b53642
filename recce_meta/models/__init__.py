"""Frozen values: what extractors yield, the store keeps and diffs compare."""

from recce_meta.models.change import COSMETIC, Change, ChangeDetail, Impact, Reason, RunDiff, Status
from recce_meta.models.check import Check
from recce_meta.models.environment import target_place
from recce_meta.models.node import (
    Column,
    EdgeOrigin,
    Json,
    LineageEdge,
    MacroMetadata,
    NodeMetadata,
    NodeResult,
    code_hash,
)
from recce_meta.models.run import Project, RunMetadata

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
