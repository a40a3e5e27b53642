"""The page of the command line lists the columns of every list, and the global options."""

from __future__ import annotations

from pathlib import Path

import pytest

from recce_meta.api.public.data import DATA
from recce_meta.cli.command import global_options
from recce_meta.models import Check, NodeResult, RunMetadata
from recce_meta.models.quality import QualityRun
from recce_meta.models.run import StoreProblem
from recce_meta.quality.compare import QualityHistory
from recce_meta.report.tabular.data import CELLS
from recce_meta.tables import data as data_tables
from recce_meta.tables import results as tables
from recce_meta.tables.rows import field_types

PAGE = (Path(__file__).parents[2] / "docs/reference/terminal.md").read_text(encoding="utf-8")
LISTS = {
    "runs": field_types(RunMetadata),
    "show": field_types(NodeResult),
    "doctor": field_types(Check),
    "fsck": field_types(StoreProblem),
    "diff": tables.CHANGES,
    "diff --data": DATA,
    "lineage": tables.LINEAGE,
    "impact": tables.IMPACT,
    "check run": tables.CHECKS,
    "quality": tables.QUALITY,
    "quality --history": field_types(QualityRun),
    "quality --history NODE": QualityHistory(name="", points=()).to_table().types,
    "value --detail": CELLS,
    **{kind: types for kind, types in data_tables.COLUMNS.items() if kind != "profile_diff"},
}
"""Columns of each list; those of a profile are figures of both sides."""


@pytest.mark.parametrize("name", LISTS)
def test_the_columns_of_a_list_are_documented_in_order(name: str) -> None:
    assert f"| {', '.join(f'`{column}`' for column in LISTS[name])} |" in PAGE


def test_global_options_and_their_variables_are_documented() -> None:
    for option in global_options(has_variables=True):
        assert all(f"`{spelling}" in PAGE for spelling in option.opts)
        assert f"`{option.envvar}`" in PAGE
