"""Expected SQL of data diffs: as text where people read it, as hashes where an engine judges it.

    python -m tests.golden.sql.sections DIALECT     # prints all statements of a dialect

PostgreSQL's statements are kept as text, and MySQL's, which no test of the core executes. Those of DuckDB and
SQLite are executed, GoogleSQL analyzes BigQuery's, and the emulators of the others execute such statements.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

HEAD = "-- == "
SUBJECTS = ("statistics", "value_diff")
"""Folders of expected statements; the module of each has the function `texts`."""
READ = ("mysql", "postgres")
"""Dialects whose statements are files of text."""
EXECUTED = ("duckdb", "postgres", "sqlite")
"""Dialects whose statements are executed on empty tables."""


def joined(parts: Mapping[str, str]) -> str:
    """Return the text of a file with the statements of each case."""
    return "\n".join(f"{HEAD}{case}\n{text.rstrip()}\n" for case, text in parts.items())


def texts(subject: str, dialect: str) -> dict[str, str]:
    """Return the statements of each case of *subject*, as the code makes them now."""
    found: dict[str, str] = import_module(f"tests.golden.sql.{subject}.test_{subject}_sql").texts(dialect)
    return found


def check_hashes(file: Path, dialect: str, parts: Mapping[str, str], *, is_update: bool) -> None:
    """Compare the hashes of the cases of *dialect* with the lines of *file*, or rewrite these lines.

    The error has the statements of each case that differs, and how to compare them with earlier ones.
    """
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    others = [line for line in lines if not line.startswith(f"{dialect} ")]
    own = {
        f"{dialect} {case} {hashlib.sha256(text.encode()).hexdigest()}": text for case, text in parts.items()
    }
    if is_update:
        file.write_text("\n".join(sorted((*others, *own))) + "\n", encoding="utf-8", newline="\n")
        return
    changed = {line: text for line, text in own.items() if line not in lines}
    assert sorted((*others, *own)) == lines, (
        f"{file}: {len(changed)} cases of {dialect} have other statements:\n"
        + "".join(f"\n{HEAD}{line}\n{text}\n" for line, text in changed.items())
        + f"\nTo compare: python -m tests.golden.sql.sections {dialect} > after.sql here, > before.sql in a"
        " worktree of main; diff before.sql after.sql. To accept: pytest tests/golden --update-golden"
    )


if __name__ == "__main__":
    for each in SUBJECTS:
        sys.stdout.write(joined(texts(each, sys.argv[1])))
