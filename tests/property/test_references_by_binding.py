"""A model that does not bind without a column of its parent has an edge that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from recce_meta.models.lineage import REFERENCED
from tests.property.binding import Postgres, bound, extracted

ARTIFACTS = Path(__file__).parents[1] / "data" / "artifacts"
PROJECTS = {
    "real/bouncer/dbt_20": 45,
    "real/canva_column_lineage": 20,
    "real/colibri/databricks": 50,
    "real/datahub/sample_1": 60,
    "generated/jaffle_ext_multi/dbt_1.12": 50,
}
"""Folders, and a number of failures that each has at least."""


@pytest.mark.cases(3)
@pytest.mark.parametrize("folder", PROJECTS)
def test_what_fails_without_a_column_is_what_names_it(folder: str) -> None:
    project = extracted(ARTIFACTS / folder)
    assert project is not None

    pairs = bound(project).pairs

    assert sum(pair.fails for pair in pairs) >= PROJECTS[folder]
    assert [pair for pair in pairs if pair.fails is not (REFERENCED in pair.edges)] == []


def test_what_fails_without_a_column_in_postgresql_is_what_names_it(postgres_url: str) -> None:
    project = extracted(ARTIFACTS / "real" / "datahub" / "dbt")
    assert project is not None

    pairs = bound(project, Postgres(postgres_url)).pairs

    assert sum(pair.fails for pair in pairs) >= 60
    assert [pair for pair in pairs if pair.fails is not (REFERENCED in pair.edges)] == []
