"""Benchmarks: every module is imported, groups run on small projects, and worse ratios are named."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from benchmarks import comparing, recording
from benchmarks.generate import write
from benchmarks.measure import Figure
from benchmarks.run import worse

MODULES = sorted(path.stem for path in Path(recording.__file__).parent.glob("[!_]*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_every_module_is_imported(name: str) -> None:
    importlib.import_module(f"benchmarks.{name}")


def test_a_ratio_that_grew_is_named() -> None:
    before = [
        Figure("a", "1 ms", ratio="1.00 (cpu 2.00)"),
        Figure("b", "1 ms", ratio="4.05%"),
        Figure("c", "1"),
    ]
    after = [Figure("a", "2 ms", ratio="9.00 (cpu 2.50)"), Figure("b", "1 ms", ratio="6%"), Figure("d", "1")]
    assert list(worse(before, after)) == ["b: 4.05 → 6"]
    assert list(worse(after, before)) == []


@pytest.mark.extensive
@pytest.mark.parametrize("group", ["recording", "diff"])
def test_groups_run_on_small_projects(group: str, tmp_path: Path, postgres_url: str) -> None:
    """They end and have figures; the figures themselves are measured elsewhere."""
    small = write(tmp_path / "small", 60, 40)
    figures = {
        "recording": lambda: recording.run(small, small, tmp_path),
        "diff": lambda: comparing.run(small, tmp_path),
    }[group]()
    assert figures and all(figure.what and figure.ours for figure in figures)
