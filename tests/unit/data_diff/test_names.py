"""Casts as texts of an option, a form, or an agent."""

from __future__ import annotations

import pytest

from recce_meta.api.data.option_texts import write_option
from recce_meta.data_diff.names import read_casts
from recce_meta.errors import UsageError
from recce_meta.models.diff_kinds import VALUE

(CAST,) = (one for one in VALUE.options if one.name == "cast")


@pytest.mark.parametrize(
    ("text", "casts"),
    [
        ("a=decimal(12,2)", [("a", "decimal(12,2)")]),
        (" a = decimal(12, 2) ,b=numeric", [("a", "decimal(12, 2)"), ("b", "numeric")]),
        ('"a=decimal(12,2)", b=int', [("a", "decimal(12,2)"), ("b", "int")]),
        ('"a,b"=int, "e""f"=text', [("a,b", "int"), ('e"f', "text")]),
        ("\"c=d\"=enum('x,y')", [("c=d", "enum('x,y')")]),
        ("`a,b`=int", [("a,b", "int")]),
    ],
)
def test_casts_are_read_from_a_text_and_written_to_one(text: str, casts: list[tuple[str, str]]) -> None:
    assert read_casts(text) == tuple(casts) == read_casts(write_option(CAST, casts))


@pytest.mark.parametrize("text", ["", "a", "a=", "=int", "a=int,", "a=int,b", "a=int,a=text"])
def test_a_text_that_is_not_a_list_of_casts_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^cast "):
        read_casts(text)
