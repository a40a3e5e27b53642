"""Faults around pull requests: a sample of the proof in `tests/proofs/pull_requests.py`."""

from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from recce_meta.repositories.extraction.dbt.versions import NEWEST
from recce_meta.repositories.extraction.isolation.bubblewrap import Bubblewrap
from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.address import AddressRules
from recce_meta.repositories.git.failures import GitFailureKind
from recce_meta.repositories.git.outcome import failure_of
from recce_meta.repositories.processes import Completed
from tests.proofs.pull_requests import Case, failures, laboratory
from tests.support.dbt_environments import dbt_environment

pytestmark = pytest.mark.extensive


@pytest.mark.network
def test_no_change_is_invented_between_a_base_without_dbt_and_a_head_with_it(
    tmp_path: Path, bubblewrap: Bubblewrap, git_backend: None
) -> None:
    """The source of the base had no database, so that it seemed to have moved."""
    dbt_environment(NEWEST, "duckdb")
    counts: Counter[str] = Counter()
    seed = next(seed for seed in count() if Case(seed).fault.name == "base is refused")
    with laboratory(tmp_path, [NEWEST]) as lab:
        assert list(failures(lab, iter([seed]), counts)) == []
    assert counts == {"base is refused: as expected": 1}


def test_a_full_disk_of_the_worker_is_no_limit_of_the_repository() -> None:
    errors = "fatal: write error: No space left on device\n"
    done = Completed(code=128, output="", errors=errors, seconds=1, cpu_seconds=1, peak_memory=1)
    address = parse_address("https://git.example.com/shop", AddressRules.read({}))
    failure = failure_of(done, address, has_token=False)
    assert (failure.kind, failure.can_retry) == (GitFailureKind.DISK, True)
