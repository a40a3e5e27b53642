"""What `impact` prints of the small shop, in each of its formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator as validator

from recce_meta.api.impact import impact_in
from recce_meta.models.lineage import Direction
from recce_meta.report import impact_json, impact_markdown, impact_text
from tests.support.impact_shop import GivenLineage

HERE = Path(__file__).parent
SCHEMA_FILE = HERE.parents[2] / "docs" / "schemas" / "impact.v1.json"
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
    validator(closed(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))).validate(
        json.loads(impact_json(view))
    )


def closed(schema: Any) -> Any:
    """*schema*, which lets fields be added, without that: whatever is printed is described."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    return {**inner, "additionalProperties": False} if schema.get("type") == "object" else inner
