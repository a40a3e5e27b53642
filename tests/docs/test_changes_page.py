"""The examples of docs/concepts/changes.md are told as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recce_meta import NodeMetadata, detect_changes
from recce_meta.models import Reason

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "changes.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| `(\w+)`", PAGE, re.MULTILINE)


def model(raw_code: str) -> NodeMetadata:
    """A model with that source."""
    return NodeMetadata(
        unique_id="model.shop.a", name="a", resource_type="model", language="sql", raw_code=raw_code
    )


@pytest.mark.parametrize(("base", "current", "reason"), EXAMPLES)
def test_an_example_of_the_page_is_told_as_it_says(base: str, current: str, reason: str) -> None:
    change = detect_changes([model(base)], [model(current)])["model.shop.a"]

    assert change.reasons == (Reason(reason),)


def test_the_page_has_examples_and_names_every_reason() -> None:
    assert len(EXAMPLES) >= 10
    assert {reason.value for reason in Reason} <= set(re.findall(r"^\*\*`(\w+)`\*\*:", PAGE, re.MULTILINE))
