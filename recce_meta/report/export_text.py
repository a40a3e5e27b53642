"""What was carried from one store to another, or written to files, as text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from recce_meta.errors import first_of
from recce_meta.models import RunMetadata
from recce_meta.models.export import CutFrom
from recce_meta.report.characters import pretty_json
from recce_meta.report.terminal import Line, Span, Style, plain, render
from recce_meta.report.wording import count_of, short_run_id

IMPORT_SCHEMA = "recce_meta/import/v1"


class Carried(Struct, frozen=True, kw_only=True):
    """One run, and what became of it."""

    run: RunMetadata
    """As it is stored."""
    is_new: bool
    """Whether it was not there before."""
    added: tuple[str, ...] = ()
    """What a run that was there before lacked, and has now."""
    cut_from: CutFrom | None = None
    """The run that it is a part of; null for a whole run."""


def carried_json(runs: Sequence[Carried]) -> str:
    """*runs* in the order given."""
    document = {"schema": IMPORT_SCHEMA, "runs": runs}
    return pretty_json(document)


def carried_text(runs: Sequence[Carried], verb: str, *, width: int, color: bool) -> str:
    """One line for each of *runs*; *verb* is what was done to new ones."""
    return render([_line(one, verb) for one in runs], width=width, color=color)


def exported_text(runs: Sequence[RunMetadata], paths: Sequence[Path], *, width: int, color: bool) -> str:
    """Which runs were written to which files."""
    lines: list[Line] = [
        (*_named("Exported run ", run), Span(f", {count_of(run.node_count, 'node')}")) for run in runs
    ]
    if len(paths) == 1:
        lines.append(plain(f"  {paths[0]}"))
    elif paths:
        folders = sorted({str(path.parent) for path in paths})
        lines.append(plain(f"  {count_of(len(paths), 'file')} in {first_of(folders, 3)}"))
    return render(lines, width=width, color=color)


def _line(one: Carried, verb: str) -> Line:
    if one.is_new:
        whole = one.cut_from
        of = "" if whole is None else f" of the {whole.node_count} of {short_run_id(whole.run_id)}"
        return (*_named(f"{verb} run ", one.run), Span(f", {count_of(one.run.node_count, 'node')}{of}"))
    written = f"added {', '.join(one.added)}" if one.added else "nothing written"
    return (*_named("Run ", one.run), Span(f" was there before; {written}"))


def _named(before: str, run: RunMetadata) -> Line:
    name = Span(short_run_id(run.run_id), Style.CYAN)
    return (Span(before), name, Span(f" of {run.project_name} as {run.environment}"))
