"""No upgrade of dbt alone is a change: one project, built by dbt 1.0 to 2.0, compared with itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import permutations
from pathlib import Path

import pytest

from recce_meta.diff.changes import detect_changes
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import COSMETIC, Change, Project, Reason, Status

DATA = Path(__file__).parents[2] / "data" / "artifacts" / "generated"
VERSIONS = {
    "jaffle_ext_multi": [(1, minor) for minor in range(13)] + [(2, 0)],
    "jaffle_ext_full": [(1, 6), (1, 7), (1, 8), (1, 9), (1, 10), (1, 12), (2, 0)],
}
PAIRS = [(name, *pair) for name, versions in VERSIONS.items() for pair in permutations(versions, 2)]

Version = tuple[int, int]
ChangesOf = Callable[[str, Version, Version], dict[str, Change]]

REAL = {
    # The project was patched for dbt 1.0, which knows no list of keys.
    ((1, 0), "model.jaffle_ext.inc_events"): {Reason.CONFIG},
    # A newer DuckDB wrote the tables from 1.5 on: it divides integers to DOUBLE, and sums them to DOUBLE.
    ((1, 4), "model.jaffle_ext.customer_segments"): {Reason.COLUMNS},
    ((1, 4), "model.jaffle_ext.customers"): {Reason.COLUMNS},
    ((1, 4), "model.jaffle_ext.orders"): {Reason.COLUMNS},
    ((1, 4), "model.jaffle_ext.stg_payments"): {Reason.COLUMNS},
    ((1, 4), "model.jaffle_ext.uses_ephemeral"): {Reason.COLUMNS},
    # dbt 2.0 puts the columns of a versioned model in another order.
    ((1, 12), "model.jaffle_ext.dim_versioned.v2"): {Reason.COLUMNS},
}
"""(last version before the difference, node): why. Whatever pair spans that version shows it."""


@cache
def project(name: str, version: Version) -> Project:
    folder = DATA / name / f"dbt_{version[0]}.{version[1]}"
    return extract_project(folder, git=GitState(), hash_seed_files=False)


@pytest.fixture(scope="module")
def changes_of() -> ChangesOf:
    """Return the function that detects the changes between two versions, once for all tests."""

    @cache
    def changes(name: str, old: Version, new: Version) -> dict[str, Change]:
        return detect_changes(project(name, old), project(name, new))

    return changes


def test_only_real_differences_are_changes(changes_of: ChangesOf, subtests: pytest.Subtests) -> None:
    assert PAIRS
    for name, old, new in PAIRS:
        with subtests.test(name, old=old, new=new):
            base, current = project(name, old), project(name, new)
            low, high = min(old, new), max(old, new)
            present = {node.unique_id for node in base.nodes} & {node.unique_id for node in current.nodes}
            expected = {
                unique_id: reasons
                for (last, unique_id), reasons in REAL.items()
                if low <= last < high and unique_id in present
            }
            found = {
                unique_id: set(change.reasons) - COSMETIC
                for unique_id, change in changes_of(name, old, new).items()
                if change.status is Status.MODIFIED
            }
            assert found == expected


def test_added_and_removed_are_what_one_side_lacks(changes_of: ChangesOf, subtests: pytest.Subtests) -> None:
    for name, old, new in PAIRS:
        with subtests.test(name, old=old, new=new):
            base, current = project(name, old), project(name, new)
            ids = [{node.unique_id for node in (*side.nodes, *side.groups)} for side in (base, current)]
            changes = changes_of(name, old, new).values()
            assert {one.unique_id for one in changes if one.status is Status.ADDED} == ids[1] - ids[0]
            assert {one.unique_id for one in changes if one.status is Status.REMOVED} == ids[0] - ids[1]
