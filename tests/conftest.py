"""What holds for every test: where PostgreSQL is required, its absence fails instead of skipping."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

REQUIRED = bool(os.environ.get("RECCE_META_REQUIRE_POSTGRES"))
"""Set in CI, so that a server that did not start cannot pass for a green run."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip for want of PostgreSQL into a failure where RECCE_META_REQUIRE_POSTGRES is set."""
    report = yield
    if REQUIRED and report.skipped and "PostgreSQL" in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"RECCE_META_REQUIRE_POSTGRES is set, but the test was skipped: {report.longrepr}"
    return report
