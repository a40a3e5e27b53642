"""Conditions and files of metrics of any shape: read, or refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recce_meta.errors import ConfigurationError, UsageError
from recce_meta.models.quality import FIGURES, read_condition, read_fail_on
from recce_meta.quality.figures import change_holds, compare_values, holds
from recce_meta.quality.file import read_quality_file

KEYS = ["tables", "private", "name", "select", "expect", "metrics", "columns", "sql", "description", *FIGURES]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.dates(),
    st.text(max_size=8),
    st.sampled_from(["> 0", "<= 1%", "between 1 and 5", "= 'a'", "film", "*_id", "count(*)", "> +5%"]),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | SCALARS, inner, max_size=4)
    ),
    max_leaves=12,
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.fractions(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
    st.lists(st.integers(), max_size=2),
)
BOUNDS = st.sampled_from(
    ["0", "+5%", "-3", "1e300", "0.1", "5%", "2026-01-01", "2026-01-01T10:00:00Z", "'a'", "true", "null"]
)
OPERATORS = st.sampled_from(["<", "<=", ">", ">=", "=", "!=", "between"])


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS)
@example({"tables": [{"name": "a", "columns": [{"name": "b", "expect": {"min": None}}]}]})
def test_a_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, document: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any_quality.yml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8", errors="replace")
    try:
        read_quality_file(path)
    except ConfigurationError as error:
        assert str(Path(path)) in error.message


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=30) | st.from_regex(r"[a-z_]{1,9}:? [a-z_]{1,9} ?[<>=!]{1,2} ?[-+]?[0-9a-z'%,. ]{0,9}")
)
def test_a_condition_is_read_or_refused(text: str) -> None:
    try:
        read_fail_on([text])
    except UsageError as error:
        assert error.message


@settings(max_examples=120, deadline=None)
@given(OPERATORS, BOUNDS, BOUNDS, VALUES, VALUES)
def test_any_value_is_judged_or_not_known(
    operator: str, bound: str, upper: str, value: object, before: object
) -> None:
    text = f"{operator} {bound}" + (f" and {upper}" if operator == "between" else "")
    try:
        condition = read_condition(text, has_sign=True)
    except UsageError:
        return
    assert holds(condition, value) in (True, False, None)
    assert change_holds(condition, "mean", before, value) in (True, False, None)
    if operator == "!=" and value is not None and condition.bound is not None:
        opposite = holds(read_condition(f"= {bound}", has_sign=True), value)
        assert holds(condition, value) is (None if opposite is None else not opposite)
    assert compare_values(value, condition.bound) in (-1, 0, 1, None)
