"""What holds for every test: where PostgreSQL is required, its absence fails instead of skipping."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project

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


STATE_CASES = Path(__file__).parent / "data" / "state_cases"


@pytest.fixture(scope="session")
def state_projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """One project (`base`) and 54 variants of it with one edit each; tests/data/state_cases says more."""
    manifests = [
        json.loads(gzip.decompress((STATE_CASES / name).read_bytes()))
        for name in ("base.json.gz", "variants.json.gz")
    ]
    base, variants = manifests
    whole = {"base": base} | {name: _changed(base, variant) for name, variant in variants.items()}
    return {name: _extracted(manifest, tmp_path_factory.mktemp(name)) for name, manifest in whole.items()}


def _changed(value: Any, difference: dict[str, Any]) -> Any:
    """*value* with a recorded difference applied, as the README beside the data describes it."""
    if "=" in difference:
        return difference["="]
    kept = {key: member for key, member in value.items() if key not in difference["-"]}
    return kept | {key: _changed(value.get(key), inner) for key, inner in difference["+"].items()}


def _extracted(manifest: Any, folder: Path) -> Project:
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return extract_project(folder, git=GitState(), hash_seed_files=False)
