"""No metric or saved query that needs a removed column is missed: a sample of `tests.proofs.semantics`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.semantics import Case, outcomes
from tests.support.dbt_environments import dbt_environment

pytestmark = pytest.mark.dbt


def test_what_metricflow_needs_is_what_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(2, Path(dbt_environment("1.12", "duckdb").dbt.argv[0]).with_name("python"), tmp_path)
    found = list(outcomes(case, 2))
    assert [place for outcome, place in found if not outcome.startswith("right")] == []
    assert sum(outcome == "right" for outcome, _ in found) > 20

    monkeypatch.setattr(Case, "reported", lambda *_: {})
    assert sum(outcome == "missed" for outcome, _ in outcomes(case, 2)) > 20
