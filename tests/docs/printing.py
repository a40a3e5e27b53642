"""Output of commands that pages show."""

from __future__ import annotations

import contextlib
import io

from recce_meta.cli.main import run_command_line


def printed(*arguments: str) -> list[str]:
    """Return the lines that a command prints, without empty ones."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out):
        assert run_command_line(list(arguments)) == 0
    out.seek(0)
    return [line.rstrip() for line in out.read().splitlines() if line.strip()]
