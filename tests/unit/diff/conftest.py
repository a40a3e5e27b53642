"""One project and many variants of it, as recorded from dbt."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest

from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project

DATA = Path(__file__).parents[2] / "data"


class Variants(Protocol):
    """Gives the variant of that name, extracted; `base` is the project itself."""

    def __call__(self, name: str) -> Project: ...


def applied(value: Any, difference: dict[str, Any]) -> Any:
    """*value* with a recorded difference, in the form that tests/data/state_cases/README.md tells."""
    if "=" in difference:
        return difference["="]
    kept = {key: member for key, member in value.items() if key not in difference["-"]}
    return kept | {key: applied(value.get(key), inner) for key, inner in difference["+"].items()}


def variants_in(folder: Path, scratch: Path) -> Variants:
    """The variants whose differences from a base lie in *folder*; each is extracted once."""
    base = json.loads(gzip.decompress((folder / "base.json.gz").read_bytes()))
    differences = json.loads(gzip.decompress((folder / "variants.json.gz").read_bytes()))

    @cache
    def variant(name: str) -> Project:
        path = scratch / f"{name}.json"
        manifest = base if name == "base" else applied(base, differences[name])
        path.write_text(json.dumps(manifest), encoding="utf-8")
        project = extract_project(scratch, manifest_path=path, git=GitState(), hash_seed_files=False)
        path.unlink()
        return project

    return variant


@pytest.fixture(scope="session")
def state_cases(tmp_path_factory: pytest.TempPathFactory) -> Variants:
    """The 54 variants that came with dbt's own answers."""
    return variants_in(DATA / "state_cases", tmp_path_factory.mktemp("state_cases"))


@pytest.fixture(scope="session")
def state_variants(tmp_path_factory: pytest.TempPathFactory) -> Variants:
    """The variants that scripts/build_state_variants.py made."""
    return variants_in(DATA / "state_variants", tmp_path_factory.mktemp("state_variants"))
