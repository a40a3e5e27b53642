"""What is longer than Redshift's texts may be: cut, kept, and put together again. No database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recce_meta.warehouses.redshift.long_text import (
    LONGEST,
    LongTexts,
    parts,
    restore,
    restore_json,
    super_expression,
)

MARKED = "select 1 ⟦… " + "a" * 64 + "⟧"


def evaluated(expression: str, parameters: list[str]) -> Any:
    """What Redshift makes of *expression*: arrays joined, objects built, JSON parsed."""
    given = iter(parameters)

    def read(text: str) -> tuple[Any, str]:
        name, _, rest = text.partition("(")
        if name == "JSON_PARSE":
            return json.loads(next(given)), rest.removeprefix("?)")
        if name == "CAST":
            return next(given), rest.removeprefix("? AS VARCHAR)")
        values = []
        while not rest.startswith(")"):
            value, rest = read(rest.removeprefix(", "))
            values.append(value)
        rest = rest[1:]
        if name == "ARRAY":
            return values, rest
        if name == "ARRAY_CONCAT":
            return values[0] + values[1], rest
        assert name == "OBJECT"
        return dict(zip(values[::2], values[1::2], strict=True)), rest

    value, rest = read(expression)
    assert (rest, list(given)) == ("", [])
    return value


@pytest.mark.parametrize(
    "text", ["", "select 1", "x" * LONGEST, "ü" * (LONGEST // 2), "⟦model.shop.orders⟧", "⟦… abc⟧"]
)
def test_what_fits_stays_as_it_is(text: str) -> None:
    long = LongTexts()

    assert (long.cut(text), long.whole) == (text, {})


@pytest.mark.parametrize(
    "text", ["x" * (LONGEST + 1), "ü" * LONGEST, "😀" * 20_000, "a" + "€" * 100_000, MARKED], ids=len
)
def test_what_does_not_fit_is_cut_and_comes_back(text: str) -> None:
    long = LongTexts()

    cut = long.cut(text)

    assert cut != text and len(cut.encode()) <= LONGEST
    assert cut[:-70] == text[: len(cut) - 70]
    pieces = {digest: list(parts(whole)) for digest, whole in long.whole.items()}
    assert all(len(part.encode()) <= LONGEST for piece in pieces.values() for part in piece)
    assert restore(cut, lambda digest: "".join(pieces[digest])) == text


def test_a_mark_of_the_texts_own_stays() -> None:
    assert restore(MARKED, lambda digest: None) == MARKED


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text("abc⟧", max_size=3), inner, max_size=5)
    ),
    max_leaves=12,
)


@pytest.mark.extensive
@settings(deadline=None)
@given(
    tree=st.lists(JSON, max_size=4) | st.dictionaries(st.text("ab", max_size=2), JSON, max_size=4),
    sizes=st.lists(st.sampled_from([10, 30_000, 70_000]), max_size=5),
)
def test_json_of_any_size_is_made_of_parameters_that_fit(tree: Any, sizes: list[int]) -> None:
    texts = ["é" * size for size in sizes]
    whole = (
        [*tree, texts, *texts] if isinstance(tree, list) else {**tree, "texts": texts, "n": [{"t": texts}]}
    )
    long = LongTexts()

    expression, parameters = super_expression(json.dumps(whole), long)

    assert all(len(parameter.encode()) <= LONGEST for parameter in parameters)
    stored = json.dumps(evaluated(expression, parameters), ensure_ascii=False)
    assert json.loads(restore_json(stored, long.whole.get)) == whole


def test_a_thousand_columns_nest_little() -> None:
    columns = [{"name": f"column_{number}", "description": "d" * 1000} for number in range(1000)]

    expression, parameters = super_expression(json.dumps(columns), LongTexts())

    depth = max(
        expression[:place].count("(") - expression[:place].count(")") for place in range(len(expression))
    )
    assert evaluated(expression, parameters) == columns
    assert (len(parameters), depth) == (16, 5)
