"""The rendered SQL of the store has the expected bytes. Git has only their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from recce_meta.store.sql_files import FILE, dialects, rendered_script


def test_rendered_sql_has_the_expected_bytes(check_golden: Callable[[Path, str], None]) -> None:
    lines = []
    for dialect in dialects():
        _, _, files = rendered_script(dialect).partition(FILE)
        lines.append(f"{dialect} {hashlib.sha256(files.encode()).hexdigest()}\n")
    check_golden(Path(__file__).parent / "rendered.txt", "".join(lines))
