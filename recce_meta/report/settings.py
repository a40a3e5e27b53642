"""Effective settings with their sources, and the check of a store, for the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from recce_meta.errors import plural
from recce_meta.models.run import HARMLESS, FsckResult, StoreProblem
from recce_meta.redaction import harmless_json
from recce_meta.report.labels import more_phrase, short_run_id
from recce_meta.report.terminal import BLANK, Line, Span, Style, one_line, pretty_json, render, table

SCHEMA = "recce_meta/config/v1"


class EffectiveSetting(Struct, frozen=True, kw_only=True):
    """One setting."""

    key: str
    """Key of the configuration, such as `store.url`, or name of a variable."""
    value: bool | int | float | str | Sequence[str] | None
    """Effective value; None if there is none, or `default` describes it."""
    origin: str
    """`option`, `environment RECCE_META_BASE`, file and line, or `default`."""
    default: str | None = None
    """Description of a default that is not a fixed value."""


class SettingsDocument(Struct, kw_only=True):
    """Output of `config --format json`."""

    schema: str = SCHEMA
    files: Sequence[str]
    """Files that were read."""
    node: str | None
    """Unique id of the node that the settings are of; null for the settings of all commands."""
    settings: Sequence[EffectiveSetting]


def settings_text(
    settings: Sequence[EffectiveSetting], *, files: Sequence[str], width: int, color: bool
) -> str:
    """Return one line per setting, after the *files* that were read."""
    headings = [Span("setting", Style.DIM), Span("value", Style.DIM), Span("source", Style.DIM)]
    rows = [headings, *([Span(one.key), Span(_shown(one)), Span(one.origin)] for one in settings)]
    return render([*_heading(files), *table(rows, indent=0)], width=width, color=color)


def _heading(files: Sequence[str]) -> Iterator[Line]:
    names = files or ["none: recce_meta.yml and [tool.recce-meta] in pyproject.toml do not exist"]
    for position, name in enumerate(names):
        yield (Span("Configuration  " if not position else " " * 15, Style.DIM), Span(name))
    yield (Span(""),)


def _shown(one: EffectiveSetting) -> str:
    return one.default if one.value is None and one.default is not None else _plain(one.value)


def _plain(value: Any) -> str:
    """Return *value* as it is written in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    return (
        value if isinstance(value, str) else ", ".join(value) if isinstance(value, Sequence) else f"{value:g}"
    )


def settings_json(
    settings: Sequence[EffectiveSetting], *, files: Sequence[str], node: str | None = None
) -> str:
    """Return the settings as JSON, with the *files* that were read, and the *node* that they are of."""
    document = SettingsDocument(files=files, node=node, settings=settings)
    return harmless_json(msgspec.json.format(msgspec.json.encode(document), indent=2)).decode() + "\n"


FSCK_SCHEMA = "recce_meta/fsck/v1"
RUNS_SHOWN = 3
"""Runs that one problem of a store names."""


class FsckDocument(Struct, kw_only=True):
    """Output of `fsck --format json`."""

    schema: str = FSCK_SCHEMA
    is_sound: bool
    """True if nothing is left that can change an answer."""
    objects: int
    """Number of objects that were checked: runs, annotations, reviews, measurements and others."""
    pieces: int
    """Number of pieces that were checked: graphs, versions of nodes, macros, column lineage and others."""
    problems: Sequence[StoreProblem]
    """Problems that are there, also after a repair."""
    repaired: Sequence[StoreProblem]
    """Problems that were there before a repair."""


def fsck_json(result: FsckResult) -> str:
    """Return the result of a check of a store as a JSON document."""
    return pretty_json(
        FsckDocument(
            is_sound=result.is_sound,
            objects=result.objects,
            pieces=result.pieces,
            problems=result.problems,
            repaired=result.repaired,
        )
    )


def fsck_text(result: FsckResult, *, color: bool, width: int = 0) -> str:
    """Return the problems of a store, what was repaired, and a verdict."""
    lines: list[Line] = []
    for one in result.repaired:
        lines.append((Span("repaired: ", Style.GREEN), Span(_place_and_message(one))))
    for one in result.problems:
        style = Style.YELLOW if one.kind in HARMLESS else Style.RED
        lines.append((Span(f"{one.kind}: ", style), Span(_place_and_message(one))))
        if one.repair is not None:
            lines.append((Span(f"  --repair {one.repair}", Style.DIM),))
    lines += [BLANK] if lines else []
    lines.append((_verdict(result),))
    return render(lines, width=0, color=color)


def _place_and_message(problem: StoreProblem) -> str:
    place = problem.table if problem.object_id is None else f"{problem.table} {problem.object_id}"
    runs = [short_run_id(run_id) for run_id in problem.run_ids[:RUNS_SHOWN]]
    hidden = len(problem.run_ids) - len(runs)
    more = f" {more_phrase(hidden)}" if hidden > 0 else ""
    noun = "run" if len(problem.run_ids) == 1 else "runs"
    return one_line(f"{place}: {problem.message}" + (f" ({noun} {', '.join(runs)}{more})" if runs else ""))


def _verdict(result: FsckResult) -> Span:
    checked = f"{plural(result.objects, 'object')} and {plural(result.pieces, 'piece')} checked"
    bad = sum(one.kind not in HARMLESS for one in result.problems)
    harmless = len(result.problems) - bad
    rest = f", {plural(harmless, 'problem')} without effect on answers" if harmless else ""
    if bad:
        return Span(f"{plural(bad, 'problem')} found{rest}; {checked}", Style.RED)
    return Span(f"No problems found{rest}; {checked}", Style.YELLOW if harmless else Style.GREEN)
