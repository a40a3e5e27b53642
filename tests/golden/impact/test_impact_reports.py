"""What `impact` prints of the small shop, in each of its formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recce_meta.api.impact import impact_in
from recce_meta.models.lineage import Direction
from recce_meta.report import impact_json, impact_markdown, impact_text
from tests.impact_shop import GivenLineage

HERE = Path(__file__).parent
CASES = {
    "column": ("raw.Cents", Direction.DOWNSTREAM),
    "rows": ("raw.at", Direction.DOWNSTREAM),
    "node": ("stg", Direction.DOWNSTREAM),
    "upstream": ("after.total", Direction.UPSTREAM),
    "both": ("orders", Direction.BOTH),
    "ephemeral": ("eph.amount", Direction.DOWNSTREAM),
}


@pytest.mark.parametrize("case", CASES)
def test_an_impact_is_told_as_expected(case: str, check_golden: Callable[[Path, str], None]) -> None:
    view = impact_in(GivenLineage(), *CASES[case], None)

    check_golden(HERE / f"{case}.txt", impact_text(view, width=110, color=False))
    check_golden(HERE / f"{case}.md", impact_markdown(view))
    check_golden(HERE / f"{case}.json", impact_json(view))
