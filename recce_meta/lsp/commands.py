"""Commands of `workspace/executeCommand`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recce_meta.lsp.workspace import EditorSession


async def run_command(session: EditorSession, name: str, arguments: Sequence[Any]) -> Any:
    """Return the result of the command *name*, without the prefix, with *arguments*."""
    raise NotImplementedError
