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


DATA = Path(__file__).parent / "data"


def applied(value: Any, difference: dict[str, Any]) -> Any:
    """*value* with a recorded difference, in the form that tests/data/state_cases/README.md tells."""
    if "=" in difference:
        return difference["="]
    kept = {key: member for key, member in value.items() if key not in difference["-"]}
    return kept | {key: applied(value.get(key), inner) for key, inner in difference["+"].items()}


class Variants:
    """The variants whose differences from a base lie in *folder*; each is extracted once."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self._base = json.loads(gzip.decompress((folder / "base.json.gz").read_bytes()))
        self._differences = json.loads(gzip.decompress((folder / "variants.json.gz").read_bytes()))
        self._scratch = scratch
        self._extracted: dict[str, Project] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The variants' names, without `base`."""
        return tuple(self._differences)

    def __call__(self, name: str) -> Project:
        """The variant of that name; `base` is the project itself."""
        if name not in self._extracted:
            path = self._scratch / f"{name}.json"
            manifest = self._base if name == "base" else applied(self._base, self._differences[name])
            path.write_text(json.dumps(manifest), encoding="utf-8")
            self._extracted[name] = extract_project(
                self._scratch, manifest_path=path, git=GitState(), hash_seed_files=False
            )
            path.unlink()
        return self._extracted[name]


@pytest.fixture(scope="session")
def state_cases(tmp_path_factory: pytest.TempPathFactory) -> Variants:
    """The 54 variants that came with dbt's own answers."""
    return Variants(DATA / "state_cases", tmp_path_factory.mktemp("state_cases"))


@pytest.fixture(scope="session")
def state_variants(tmp_path_factory: pytest.TempPathFactory) -> Variants:
    """The variants that scripts/build_state_variants.py made."""
    return Variants(DATA / "state_variants", tmp_path_factory.mktemp("state_variants"))
