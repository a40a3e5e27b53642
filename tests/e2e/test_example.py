"""The example without_dbt.py: changes and differing rows without dbt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.server.small_store import copy_demo

pytestmark = pytest.mark.extensive

EXAMPLE = Path(__file__).parents[2] / "examples" / "without_dbt.py"

IMPORTED = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
imported = sorted(name for name in sys.modules if name.partition(".")[0].startswith("dbt"))
sys.exit(f"imported {imported}" if imported else 0)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's store and data, and a profiles.yml for them."""
    folder = tmp_path_factory.mktemp("shop")
    database = copy_demo(tmp_path_factory, folder)
    profile = f"jaffle_shop:\n  target: dev\n  outputs:\n    dev: {{type: duckdb, path: '{database}'}}\n"
    (folder / "profiles.yml").write_text(profile, encoding="utf-8")
    return folder


def test_the_example_counts_differing_rows_and_imports_nothing_of_dbt(shop: Path) -> None:
    command = [sys.executable, "-c", IMPORTED, str(EXAMPLE), str(shop / "profiles.yml"), "base", "current"]

    ran = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    orders = next(i for i, line in enumerate(lines) if line.startswith("model.jaffle_shop.orders: modified"))
    assert lines[orders + 1].strip().startswith("differing_rows 76, added_rows 76, removed_rows 76")
    assert "unchanged" not in ran.stdout


def test_the_example_is_as_short_as_it_says() -> None:
    code = [line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if line.strip()]

    assert len(code) <= 32
