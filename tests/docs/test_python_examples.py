"""Every Python example of the pages passes mypy --strict. Those that no other test runs are run here."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from recce_meta import demo_data
from tests.docs.test_pages import ROOT

pytestmark = pytest.mark.extensive

PAGES = ("README.md", *sorted(page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(r"^```py(?:thon)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROFILE = (
    "shop:\n  target: dev\n  outputs:\n    prod: {type: duckdb, path: data.duckdb}\n    dev: {type: duckdb}\n"
)


def examples(page: str) -> list[str]:
    """The Python examples of *page*."""
    return BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


def modules(page: str) -> list[str]:
    """What mypy reads of *page*: each module of a package, or all scripts as one and all dialogues as one."""
    scripts, dialogues = [], []
    for example in examples(page):
        if example.lstrip().startswith(">>>"):
            steps = doctest.DocTestParser().get_examples(example)
            dialogues.append("".join(step.source for step in steps))
        else:
            scripts.append(example)
    if page == "docs/guides/extending.md":
        return scripts
    return ["\n".join(texts) for texts in (scripts, dialogues) if texts]


def test_every_example_passes_mypy_strict(tmp_path: Path) -> None:
    count = sum(len(examples(page)) for page in PAGES)
    for page in PAGES:
        for number, text in enumerate(modules(page)):
            name = f"example_{Path(page).stem.replace('-', '_').lower()}_{number}.py"
            (tmp_path / name).write_text(text, encoding="utf-8")

    ran = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml")),
            *("--cache-dir", str(ROOT / ".mypy_cache"), *map(str, sorted(tmp_path.glob("*.py")))),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert count > 10
    assert ran.returncode == 0, ran.stdout.replace(str(tmp_path), "")


def test_the_example_of_running_sql_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\n", encoding="utf-8")
    (tmp_path / "profiles.yml").write_text(PROFILE, encoding="utf-8")
    with duckdb.connect(str(tmp_path / "data.duckdb")) as connection:
        connection.execute("CREATE SCHEMA shop")
        connection.execute("CREATE TABLE shop.orders AS SELECT 1 AS id, 'x' AS payload, '100%!' AS note")
        connection.execute("CREATE TABLE shop.events AS SELECT 7 AS id")

    names = _run("docs/reference/execution.md", tmp_path, monkeypatch)

    assert (names["columns"], names["rows"]) == (["count_star()"], [(1,)])
    assert names["batch"] == [(7,)]


def test_the_example_of_rendering_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(demo_data.artifacts("base"), tmp_path / "target")

    renderer = _run("docs/guides/rendering.md", tmp_path, monkeypatch)["renderer"]

    assert "orders" in renderer.render_node("model.jaffle_shop.orders")


def test_the_example_of_quality_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with duckdb.connect(str(tmp_path / "sakila.duckdb")) as connection:
        connection.execute("CREATE TABLE film AS SELECT 1 AS id, NULL::VARCHAR AS title")
    url = "postgresql://localhost/sakila"

    _run(
        "docs/guides/quality.md", tmp_path, monkeypatch, first=True, replaced=(url, "duckdb:///sakila.duckdb")
    )

    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in printed] == [["id", "0.0"], ["title", "1.0"]]


def _run(
    page: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    first: bool = False,
    replaced: tuple[str, str] = ("", ""),
) -> dict[str, Any]:
    """Run the examples of *page*, or the *first*, in *folder*; the names that they define."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DBT_PROFILES_DIR", str(folder))
    chosen = examples(page)[: 1 if first else None]
    names: dict[str, Any] = {}
    exec("\n".join(chosen).replace(*replaced) if replaced[0] else "\n".join(chosen), names)
    return names
