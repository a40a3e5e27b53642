"""Values of configuration, compared the way YAML is meant."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.diff.project_side import differences

SAME = [
    (None, ""),
    (None, []),
    (None, {}),
    ("id", ["id"]),
    ({"a": None}, {}),
    ({"a": {"b": []}}, None),
    ("@anna", "@anna\n"),
    ([{"name": "a", "x": 1}, {"name": "b"}], [{"name": "b"}, {"name": "a", "x": 1}]),
]
OTHER = [
    (None, False, [("key", None, False)]),
    (None, 0, [("key", None, 0)]),
    ("id", ["id", "day"], [("key", "id", ["id", "day"])]),
    (["a", "b"], ["b", "a"], [("key", ["a", "b"], ["b", "a"])]),
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("key.a.c", 2, 3)]),
    ({"a": 1}, {}, [("key.a", 1, None)]),
    ("\t", " ", [("key", "\t", " ")]),
    ([{"name": "a", "x": 1}], [{"name": "a", "x": 2}], [("key.a.x", 1, 2)]),
    (
        [{"name": "a"}, {"name": "a", "x": 1}],
        [{"name": "a"}],
        [("key", [{"name": "a"}, {"name": "a", "x": 1}], [{"name": "a"}])],
    ),
    ([{"a": 1}], [{"a": 2}], [("key", [{"a": 1}], [{"a": 2}])]),
]


@pytest.mark.parametrize(("base", "current"), SAME)
def test_what_yaml_says_in_two_ways_is_one_value(base: Any, current: Any) -> None:
    assert list(differences(base, current, "key")) == []
    assert list(differences(current, base, "key")) == []


@pytest.mark.parametrize(("base", "current", "expected"), OTHER)
def test_every_leaf_that_differs_is_named(
    base: Any, current: Any, expected: list[tuple[str, Any, Any]]
) -> None:
    assert list(differences(base, current, "key")) == expected
