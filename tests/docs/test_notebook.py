"""The notebook of examples runs from the first cell to the last, and shows what its text says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import needs

pytestmark = pytest.mark.extensive

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "compare_runs.ipynb"
EXECUTE = """
import sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], 4)
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


def cells(path: Path) -> list[dict[str, Any]]:
    """The cells with code."""
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def test_the_notebook_is_committed_without_outputs() -> None:
    needs.require_drivers("nbformat")
    import nbformat

    nbformat.validate(nbformat.read(NOTEBOOK, 4))  # type: ignore[no-untyped-call]
    assert [cell for cell in cells(NOTEBOOK) if cell["outputs"] or cell["execution_count"]] == []


def test_the_notebook_runs(tmp_path: Path) -> None:
    needs.require_drivers("nbclient", "ipykernel")
    done = tmp_path / "done.ipynb"
    ran = subprocess.run(
        [sys.executable, "-c", EXECUTE, str(NOTEBOOK), str(done)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr

    shown = ["".join(map(str, cell["outputs"])) for cell in cells(done)]
    breaking, failing, compared = shown[1], shown[2], shown[4]
    assert "payment_mix" in breaking and "breaking" in breaking
    assert failing.count("payment_mix") == 1
    assert "<caption>Data comparison</caption>" in compared and "one-sided" in compared
    assert "-2410.90" in shown[6], "the sum of decimals is exact"
    assert "data differs in 4 of 6 nodes" in shown[7]


@pytest.mark.parametrize("cell", cells(NOTEBOOK), ids=lambda cell: cell["id"])
def test_a_cell_uses_public_names_only(cell: dict[str, Any]) -> None:
    assert "from recce_meta." not in "".join(cell["source"])
