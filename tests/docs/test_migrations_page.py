"""The page on migrations: its tables, in PostgreSQL and DuckDB, and what its session prints of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import duckdb
import psycopg
import pytest

from tests.docs.test_pages import ROOT, blocks, follows, sessions, shell

pytestmark = pytest.mark.extensive

__all__ = ["shell"]
PAGE = "docs/guides/migrations.md"


def test_the_session_of_the_page_prints_what_it_shows(
    tmp_path: Path, shell: dict[str, str], postgres_url: str
) -> None:
    schema = f"migration_{uuid4().hex[:10]}"
    old, new = blocks(PAGE, "sql")
    with duckdb.connect(tmp_path / "new.duckdb") as copy:
        copy.execute(new)
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE SCHEMA {schema}")
        server.execute(f"SET search_path = {schema}")
        server.execute(old)
        try:
            shell["OLD"] = f"{postgres_url}?options=-csearch_path%3D{schema}"
            shell["NEW"] = "duckdb:///new.duckdb"
            for command, shown in sessions(PAGE):
                ran = subprocess.run(
                    ["sh", "-c", command], cwd=tmp_path, env=shell, capture_output=True, check=True
                )
                printed = [line.rstrip() for line in ran.stdout.decode("utf-8").splitlines() if line.strip()]
                assert follows(shown, printed), (command, shown, printed)
            (code,) = blocks(PAGE, "python")
            ran = subprocess.run(
                [sys.executable, "-c", code], cwd=tmp_path, env=shell, capture_output=True, check=True
            )
            page = (ROOT / PAGE).read_text(encoding="utf-8")
            assert f"This prints `{ran.stdout.decode().strip()}`." in page
        finally:
            server.execute(f"DROP SCHEMA {schema} CASCADE")
