"""Choice of a dbt version from `require-dbt-version`."""

from __future__ import annotations

import pytest

from recce_meta.errors import ConfigurationError
from recce_meta.repositories.extraction.dbt.versions import choose_version, is_satisfied


@pytest.mark.parametrize(
    ("requires", "minor"),
    [
        ([], "1.12"),
        ([">=1.6.0", "<2.0.0"], "1.12"),
        ([">=1.6.0,<2.0.0"], "1.12"),
        (["<1.8.0"], "1.7"),
        ([">=1.0.0", "<1.8.3"], "1.8"),
        (["<=1.8.0"], "1.8"),
        ([">1.7.0", "<1.8.0"], "1.7"),
        (["1.7.0"], "1.7"),
        (["=1.7.4"], "1.7"),
        (["==1.9.1"], "1.9"),
        ([">=1.10.0-rc1", "<1.11.0"], "1.10"),
        ([" >= 1.3.0 , < 1.5.0 "], "1.4"),
        ([">=2.0.0"], "2.0"),
        (["1.5"], "1.5"),
        (["<1.1.0"], "1.0"),
    ],
)
def test_the_newest_minor_version_that_satisfies_all_terms(requires: list[str], minor: str) -> None:
    assert choose_version(requires) == minor


@pytest.mark.parametrize(
    ("wanted", "minor"), [("1.8", "1.8"), ("v1.8.3", "1.8"), ("2", "2.0"), ("1.10", "1.10")]
)
def test_a_connection_chooses_its_version(wanted: str, minor: str) -> None:
    assert choose_version([], wanted) == minor


@pytest.mark.parametrize(
    ("requires", "wanted", "message"),
    [
        ([">=1.8.0"], "1.7", "dbt 1.7 of the connection does not satisfy require-dbt-version: >=1.8.0"),
        ([], "0.21", "dbt 0.21 is not supported"),
        ([], "newest", "dbt newest is not supported"),
        (["<1.0.0"], None, "No supported version of dbt satisfies require-dbt-version: <1.0.0"),
        ([">=1.8.0", "<1.8.0"], None, "No supported version"),
        ([">1.8.0", "<1.8.1"], None, "No supported version"),
        (["~=1.8"], None, "Invalid require-dbt-version in dbt_project.yml: '~=1.8'"),
        (["soon"], None, "Invalid require-dbt-version in dbt_project.yml: 'soon'"),
    ],
)
def test_versions_that_cannot_be_used_are_refused(
    requires: list[str], wanted: str | None, message: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        choose_version(requires, wanted)
    assert raised.value.message.startswith(message)
    assert raised.value.hint


def test_a_version_satisfies_terms() -> None:
    assert is_satisfied("1.8.10", [">=1.8.0", "<1.9.0"])
    assert not is_satisfied("1.7.20", ["=1.7.4"])
    assert is_satisfied("2.0.0-preview.196", [">=2.0.0"])
