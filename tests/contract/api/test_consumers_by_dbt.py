"""No node that fails without a removed column is missed: a sample of `tests.proofs.consumers`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.consumers import Case, outcome
from tests.support.dbt_environments import dbt_environment

pytestmark = pytest.mark.dbt


def test_what_fails_when_dbt_builds_it_is_what_a_diff_says(tmp_path: Path) -> None:
    case = Case(2, Path(dbt_environment("1.11", "duckdb").dbt.argv[0]).with_name("python"), tmp_path)
    found = [(outcome(*node[1:]), node) for column in ("id", "code") for node in case.without(column)]
    assert [node for name, node in found if name in ("missed", "false alarm")] == []
    assert sum(name == "right" for name, _ in found) > 8
    assert sum(outcome(state, False, "") == "missed" for _, (_, state, _, _) in found) > 8
