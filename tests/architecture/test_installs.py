"""What a user installs: the wheel, built as a release is, finds its SQL and its demo wherever it runs."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.extensive

ROOT = Path(__file__).parents[2]
REPORT_FILES = {
    path.relative_to(ROOT).as_posix()
    for folder in ("static", "templates")
    for path in (ROOT / "recce_meta" / "report" / "html" / folder).iterdir()
}
PROJECT_OF_DEMO = "demo_data/project/"
"""Folder of what only scripts and tests read."""
SCHEMAS = "server/api/schemas.json"
PRINT_FOLDER = "import recce_meta, pathlib; print(pathlib.Path(recce_meta.__file__).parent.parent)"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from the source distribution as a release is."""
    folder = tmp_path_factory.mktemp("dist")
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--skip-dependency-check",
        "--outdir",
        str(folder),
        str(ROOT),
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel is unpacked in, which for a pure wheel is what installing does."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(params=["wheel", "checkout"])
def import_path(request: pytest.FixtureRequest) -> Path:
    """Where recce_meta is imported from: the wheel, or the checkout as in an editable install."""
    found: Path = request.getfixturevalue("installed") if request.param == "wheel" else ROOT
    return found


def run(import_path: Path, folder: Path, *arguments: str) -> str:
    """The standard output of an interpreter that starts in *folder*."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(import_path), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode("utf-8").strip()


def test_the_package_comes_from_where_this_test_thinks(import_path: Path, tmp_path: Path) -> None:
    assert Path(run(import_path, tmp_path, "-c", PRINT_FOLDER)).resolve() == import_path.resolve()


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
@pytest.mark.parametrize(("kind", "relation"), [("ddl", "store_runs"), ("views", "runs")])
def test_sql_is_found(import_path: Path, tmp_path: Path, kind: str, relation: str, dialect: str) -> None:
    printed = run(import_path, tmp_path, "-m", "recce_meta", "sql", kind, "--dialect", dialect)

    assert "CREATE" in printed and f"recce_metadata.{relation}" in printed


def test_the_demo_runs(import_path: Path, tmp_path: Path) -> None:
    printed = run(import_path, tmp_path, "-m", "recce_meta", "demo")

    assert printed.startswith("jaffle_shop")
    assert (tmp_path / "recce-meta-demo" / "jaffle_shop.duckdb").is_file()


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert {name.split("/")[0].split("-")[0] for name in names} == {"recce_meta"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".duckdb"))]
    assert {"recce_meta/py.typed", "recce_meta/_sql/ddl.sql.gz"} <= set(names)
    assert REPORT_FILES and set(names) >= REPORT_FILES
    assert any(name.endswith("licenses/LICENSE") for name in names)


def files_below(folder: Path) -> set[str]:
    """Return the relative paths of all files below *folder*, without bytecode."""
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {path.as_posix() for path in paths if "__pycache__" not in path.parts}


def test_every_file_of_the_package_and_of_the_sql_is_in_the_wheel(installed: Path) -> None:
    expected = {name for name in files_below(ROOT / "recce_meta") if not name.startswith(PROJECT_OF_DEMO)}
    compressed = {f"{SCHEMAS}.gz" if name == SCHEMAS else name for name in expected}

    assert compressed == files_below(installed / "recce_meta")


def test_the_schemas_of_the_api_are_the_same_compressed(installed: Path) -> None:
    compressed = (installed / "recce_meta" / f"{SCHEMAS}.gz").read_bytes()

    assert gzip.decompress(compressed) == (ROOT / "recce_meta" / SCHEMAS).read_bytes()
    assert compressed[4:8] == bytes(4), "the time of the build would change the bytes"


def test_the_schemas_of_the_api_are_found(import_path: Path, tmp_path: Path) -> None:
    code = "from recce_meta.server.api.openapi import components; print(*components())"

    assert "accuracy" in run(import_path, tmp_path, "-c", code).split()


def test_the_store_works_without_the_scripts_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    store = ["--url", "duckdb:///store.duckdb"]

    run(installed, tmp_path, "-m", "recce_meta", "init", *store)
    listed = run(installed, tmp_path, "-m", "recce_meta", "runs", *store)

    assert not list(installed.rglob("render_sql.py")) and not (installed / "scripts").exists()
    assert "No runs" in listed


def test_the_wheel_stays_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 3_600_000
