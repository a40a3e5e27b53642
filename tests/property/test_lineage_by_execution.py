"""Execution as the oracle of lineage: what changes with a column has to be listed as read from it.

Every column of every table is changed in several ways, one at a time. An output column whose values change
and that is not listed fails, and so does a change of the rows where the column is no use of any kind.

RECCE_META_LINEAGE_EXAMPLES sets how many random queries are tried, RECCE_META_LINEAGE_SEED the first one, and
RECCE_META_LINEAGE_PROJECTS a folder of artifacts to try instead of a few.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.proofs import sampled
from tests.property.lineage_projects import Models
from tests.property.lineage_queries import TABLES, Queries
from tests.property.perturbing import Perturbed, Tally, check

ROOT = Path(__file__).parents[2]
EXAMPLES = int(os.environ.get("RECCE_META_LINEAGE_EXAMPLES", sampled("25", "12")))
FIRST = int(os.environ.get("RECCE_META_LINEAGE_SEED", "0"))
CHOSEN = os.environ.get("RECCE_META_LINEAGE_PROJECTS")
FEW = (
    ROOT / "recce_meta/demo_data/current",
    pytest.param(
        ROOT / "tests/data/artifacts/generated/jaffle_ext_full/dbt_1.10", marks=pytest.mark.extensive
    ),
)
FOLDERS = sorted({path.parent for path in Path(CHOSEN).rglob("manifest.json*")}) if CHOSEN else FEW


def small(random: Random, kind: str) -> Any:
    """A value of a column, of few: so that joins find some, and NULLs are met."""
    if kind.endswith("[]"):
        return [random.randint(0, 3) for _ in range(random.randint(0, 3))]
    if kind.startswith("struct"):
        return {"p": random.randint(0, 3), "q": random.randint(0, 3)}
    return random.choice([None, 0, 1, 1, 2, 2, 3])


def test_what_changes_with_a_column_is_listed() -> None:
    tally = Tally()
    databases = [Perturbed(TABLES, small, seed=seed) for seed in range(2)]

    for seed in range(FIRST, FIRST + EXAMPLES):
        check(Queries(Random(seed)).query(), databases[seed % 2], tally)

    print(tally)
    assert not tally.misses, f"{len(tally.misses)} misses\n\n" + "\n\n".join(tally.misses[:10])
    assert not tally.not_analysed, "\n\n".join(tally.not_analysed[:10])
    assert len(tally.not_run) < tally.queries
    assert tally.changed > tally.queries


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: "/".join(folder.parts[-2:]))
def test_what_changes_with_a_column_of_a_models_parent_is_listed(folder: Path) -> None:
    models, tally = Models(folder), Tally()

    models.check(tally)

    print(tally)
    assert not tally.misses, f"{len(tally.misses)} misses\n\n" + "\n\n".join(tally.misses[:10])
    assert CHOSEN or tally.changed > tally.queries > len(tally.not_run)
