"""What can be asked of a diff of values."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.data_diff.options import ValueOptions
from recce_meta.errors import UsageError


@pytest.mark.parametrize(
    "options",
    [
        {"key": ()},
        {"sample": 0},
        {"sample": 100.1},
        {"sample": float("nan")},
        {"limit": -1},
        {"examples": -1},
        {"tolerance": -0.1},
        {"relative_tolerance": float("inf")},
        {"tolerance": float("nan")},
        {"tolerance": 10**400},
        {"tolerance": -(10**400)},
        {"timestamp_precision": "fortnight"},
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ValueOptions(**options)


def test_everything_makes_no_sample() -> None:
    assert not ValueOptions(sample=100).takes_sample
    assert ValueOptions(sample=10).takes_sample


@pytest.mark.parametrize(
    "wrong",
    [{"sample": "30%"}, {"tolerance": "a"}, {"relative_tolerance": "0"}, {"limit": 1.5}, {"where": 5}],
)
def test_what_is_of_another_type_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is not a"):
        ValueOptions(**wrong)
