"""Whatever stands in a file of checks, reading it gives checks and problems, or one clear refusal."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.checks.file import FIELDS, read_check_file
from recce_meta.checks.types import TYPES
from recce_meta.errors import ConfigurationError
from recce_meta.models.checks import AnyCheck, BrokenCheck, DataCheck

NAMES = sorted({*FIELDS, *(name for kind in TYPES.values() for name in (*kind.fields, *kind.thresholds))})
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    texts,
    st.sampled_from(["5%", "equal", "added", "*", "1e-9", "all", *TYPES]),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=4)
    ),
    max_leaves=12,
)


def mappings(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names) | texts, values, max_size=5)


@st.composite
def checks(draw: Any) -> Any:
    kind = draw(st.sampled_from(sorted(TYPES)))
    check = {
        "name": draw(values | st.just("name")),
        "type": kind,
        "params": draw(values | mappings(list(TYPES[kind].fields) or ["none"])),
        "expect": draw(values | mappings(list(TYPES[kind].thresholds) or ["none"])),
        "optional": draw(st.booleans() | values),
    }
    return draw(st.just(check) | values)


def read(text: str) -> tuple[AnyCheck, ...]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "checks.yml"
        path.write_text(text, encoding="utf-8")
        return read_check_file(path)


@given(st.lists(checks(), max_size=3))
def test_every_entry_is_a_check_or_has_problems_with_their_line(entries: list[Any]) -> None:
    text = yaml.safe_dump({"checks": entries}, allow_unicode=True, sort_keys=False)
    found = read(text)

    assert len(found) == len(entries)
    assert len({check.name for check in found}) == len(found)
    for check in found:
        assert isinstance(check, DataCheck) or (isinstance(check, BrokenCheck) and check.problems)
        assert 1 <= check.line <= len(text.splitlines())


@given(st.text(st.sampled_from("checks:- {}[]&a*!|>'\"\n\t,?#%x"), max_size=60))
def test_a_file_of_any_characters_is_read_or_refused(text: str) -> None:
    try:
        found = read(text)
    except ConfigurationError as error:
        assert "checks.yml" in error.message
    else:
        assert isinstance(found, tuple)
