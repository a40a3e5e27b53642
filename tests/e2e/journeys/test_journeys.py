"""Journeys of new users, from the first command to daily use: every step prints what was reviewed.

Each journey is a Markdown file beside this one. Rewrite the outputs after a change, and read the difference:

    RECCE_META_REWRITE_JOURNEYS=1 python -m pytest tests/e2e/journeys && git diff tests/e2e/journeys
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from recce_meta import UnifiedSqlAdapter, demo_data
from tests.e2e.dbt_shop import python_with_dbt
from tests.e2e.journeys.session import RECCE_META, output_start, python, run, steps_of

HERE = Path(__file__).parent
SHOP = Path(demo_data.__file__).parent / "project"
JOURNEYS = sorted(path.name for path in HERE.glob("*.md"))
REWRITES = bool(os.environ.get("RECCE_META_REWRITE_JOURNEYS"))

pytestmark = [
    pytest.mark.dbt,
    pytest.mark.skipif(os.name == "nt", reason="the journeys are for a POSIX shell"),
]


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose name has the same length everywhere: tables are as wide as the paths in them."""
    with TemporaryDirectory(prefix="journey-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", JOURNEYS)
def test_every_step_prints_what_was_reviewed(name: str, short_path: Path, postgres_url: str) -> None:
    path = HERE / name
    lines = path.read_text(encoding="utf-8").splitlines()
    steps = steps_of(lines)
    folder = short_path / "shop"
    shutil.copytree(SHOP / "base", folder)
    dbt = shlex.quote(str(python_with_dbt()))
    programs = {
        "recce-meta": RECCE_META,
        "python": python,
        "dbt": f"{dbt} -c 'from dbt.cli.main import cli; cli()'",
    }
    schema = f"journey_{uuid4().hex[:12]}"

    try:
        printed = run(
            [step.command for step in steps],
            folder,
            programs,
            PULL_REQUEST=str(SHOP / "pull_request"),
            POSTGRES_URL=postgres_url,
            STORE_SCHEMA=schema,
            DBT_SEND_ANONYMOUS_USAGE_STATS="false",
            DBT_USE_COLORS="false",
        )
    finally:
        with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
            adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")

    outputs = [text.replace(schema, "recce_metadata").splitlines() for text in printed]
    if REWRITES:
        for step, output in reversed(list(zip(steps, outputs, strict=True))):
            lines[output_start(step) : step.last] = [f"  {line}".rstrip() for line in output]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for step, output in zip(steps, outputs, strict=True):
        assert output == step.shown or REWRITES, f"$ {step.command}"
