"""Process that indexes a project, as the server sees it: its command, its options and its result.

`indexing` is what runs in the process. The server never imports it: its imports cost megabytes of memory.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

EDITOR = "editor"
"""Environment of the runs of the edited project."""
OUTSIDE = "import sys; sys.path[:] = filter(None, sys.path); "
"""Start of a process without the current folder in the search path, from which `-m` would import modules."""
_START = f"{OUTSIDE}from recce_meta.lsp.project.indexing import main; sys.exit(main())"


class BaseOptions(Struct, frozen=True, kw_only=True):
    """Store to compare with, and run in it; None for each option that was not given."""

    url: str | None = None
    profile: str | None = None
    target: str | None = None
    profiles_dir: Path | None = None
    schema: str | None = None
    base: str | None = None

    @property
    def is_store(self) -> bool:
        """Return True if a store is configured: dbt's own profile alone is not one."""
        return any(value is not None for value in (self.url, self.profile, self.target))


class IndexOptions(BaseOptions, frozen=True, kw_only=True):
    """Options of indexing: the store to compare with; without one, the configuration decides."""

    is_fresh: bool = False
    """True to ask a configured store at once, even if it was asked a short time ago."""


class Indexed(Struct, frozen=True, kw_only=True):
    """Result of indexing."""

    run_id: str | None = None
    """Run of the project in the cached store: the previous one if indexing failed, or None without one."""
    run_at: datetime | None = None
    """Time at which the files were read, in UTC."""
    project_name: str = ""
    is_new: bool = False
    """False if the project is the same as in the previous run."""
    source: str = ""
    """`manifest`, `files` or `both`."""
    models: int = 0
    """Number of models."""
    base_id: str | None = None
    """Run to compare with, in the cached store."""
    base: str | None = None
    """Name of this run: `latest run of base, 2026-11-20 10:00 UTC`, or `git merge base 1a2b3c4 with main`."""
    notes: tuple[str, ...] = ()
    """One sentence for each thing that was not used."""
    problem: str | None = None
    """Why indexing failed."""
    hint: str | None = None
    """What to do about it."""
    seconds: float = 0.0


def index_command(root: Path, store_url: str, options: IndexOptions | None = None) -> list[str]:
    """Return the command that indexes the project in *root* into the store at *store_url*.

    It prints `Indexed` as JSON.
    """
    command = [sys.executable, "-c", _START, str(root), "--store", store_url]
    for name in BaseOptions.__struct_fields__:
        value = getattr(options, name, None)
        if value is not None:
            # One argument, because a value may begin with a dash.
            command.append(f"--{name.replace('_', '-')}={value}")
    return [*command, "--fresh"] if options is not None and options.is_fresh else command


def indexed_of(code: int, output: str, messages: str) -> Indexed:
    """Return the result of an indexing process; one that printed none has failed."""
    lines = output.strip().splitlines()
    if lines:
        with suppress(ValueError):
            return msgspec.json.decode(lines[-1], type=Indexed)
    reason = next(iter(reversed(messages.strip().splitlines())), "no message")
    return Indexed(problem=f"the process that reads the files ended with code {code}: {reason}")
