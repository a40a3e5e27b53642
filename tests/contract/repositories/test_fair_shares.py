"""The proof of fair shares, for a few seconds, as a person starts it."""

from __future__ import annotations

import pytest

from tests.proofs.test_proofs import run


@pytest.mark.extensive
@pytest.mark.network
def test_forks_starve_no_push(bubblewrap: object, git_backend: None) -> None:
    run("fair_shares")
