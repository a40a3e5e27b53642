"""Choice of runs in the header of a report, and the report of `check-base`."""

from __future__ import annotations

from collections.abc import Iterable

from recce_meta.models import RunDiff
from recce_meta.models.run import BaseCheck, ChosenRun, Freshness, RunChoice, RunMetadata
from recce_meta.report.labels import (
    build_problem,
    build_problems,
    moment,
    outdated_notes,
    revision,
    short_run_id,
    unbuilt_notes,
)
from recce_meta.report.terminal import (
    Line,
    Span,
    Style,
    code,
    plain_line,
    pretty_json,
    prose,
    render,
    wrap_text,
)

BASE_CHECK_SCHEMA = "recce_meta/check-base/v1"
FILES_SHOWN = 5

_STYLES = {Freshness.FRESH: Style.GREEN, Freshness.MISSING: Style.RED, Freshness.STALE: Style.YELLOW}


def choice_line(choice: RunChoice) -> str:
    """Return `base 1f60a2b4 (merge base 3f2a1c9 of main) · current 88ab12cd (branch feature/x)`."""
    return f"{_side('base', choice.base)} · {_side('current', choice.current)}"


def base_phrase(chosen: ChosenRun) -> str:
    """Return `1f60a2b4 (merge base 3f2a1c9 of main)`."""
    return _side("", chosen).strip()


def default_reason(choice: RunChoice | None, side: str) -> str:
    """Return why the run of *side* is the default; an empty string if a selector names it."""
    chosen: ChosenRun | None = None if choice is None else getattr(choice, side)
    return "" if chosen is None or chosen.selector is not None else chosen.reason


def choice_notes(choice: RunChoice | None) -> tuple[str, ...]:
    """Return the notes of *choice*, if there is one."""
    return () if choice is None else choice.notes


def header_notes(diff: RunDiff) -> list[str]:
    """Return the notes on the choice of runs of *diff* that no verdict has: it has those on builds."""
    said = [*build_problems(diff), *unbuilt_notes(diff), *outdated_notes(diff)]
    return [note for note in choice_notes(diff.choice) if note not in said]


def choice_text(choice: RunChoice | None, *, width: int, color: bool) -> str:
    """Return the runs and the notes in dim lines, and an empty line; an empty string without a choice."""
    if choice is None:
        return ""
    lines = [(Span(choice_line(choice), Style.DIM),), *note_lines(choice.notes, width)]
    return render(lines, width=0, color=color).rstrip("\n") + "\n\n"


def note_lines(notes: Iterable[str], width: int) -> list[Line]:
    """Return *notes* as dim, indented lines."""
    return [line for note in notes for line in wrap_text(Span("  "), note, width, Style.DIM)]


def choice_markdown(choice: RunChoice | None) -> str:
    """Return the runs and the notes as paragraphs; an empty string without a choice."""
    if choice is None:
        return ""
    sides = (("base", choice.base), ("current", choice.current))
    line = " · ".join(_side_markdown(name, chosen) for name, chosen in sides)
    return f"\n{line}\n" + "".join(f"\n{prose(note)}\n" for note in choice.notes)


def _side_markdown(name: str, chosen: ChosenRun) -> str:
    if chosen.run_id is None:
        return f"{name} {code(chosen.reason)}"
    reason = chosen.reason if chosen.selector is None else ""
    given = prose(reason) if reason else code(chosen.reason)
    return f"{name} {code(short_run_id(chosen.run_id))} ({given})"


def _side(name: str, chosen: ChosenRun) -> str:
    if chosen.run_id is None:
        return f"{name} {chosen.reason}"
    # The reason of a run that is named by its id is that id.
    is_id = chosen.run_id.startswith(chosen.reason)
    return f"{name} {short_run_id(chosen.run_id)}" + ("" if is_id else f" ({chosen.reason})")


class BaseCheckDocument(BaseCheck, frozen=True, kw_only=True):
    """Output of `check-base --format json`."""

    schema: str = BASE_CHECK_SCHEMA


def base_check_json(check: BaseCheck) -> str:
    """Return *check* as a document of schema `recce_meta/check-base/v1`."""
    fields = {name: getattr(check, name) for name in check.__struct_fields__}
    return pretty_json(BaseCheckDocument(**fields), is_sorted=True)


def base_check_text(check: BaseCheck, *, width: int, color: bool) -> str:
    """Return the status with its reason, the run of base, and what to do."""
    lines: list[Line] = [(Span(check.status.value, _STYLES[check.status]), Span(f"  {check.reason}"))]
    if check.run is not None and check.choice is not None:
        lines.append(plain_line(f"  {_run_facts(check.run, check.choice)}"))
    lines += [plain_line(f"  {path}") for path in check.changed_files[:FILES_SHOWN]]
    hidden = len(check.changed_files) - FILES_SHOWN
    if hidden > 0:
        lines.append(plain_line(f"  … and {hidden:,} more files (--format json lists all)"))
    lines += note_lines(check.notes, width)
    if check.recommendation:
        lines.append(plain_line(f"hint: {check.recommendation}"))
    return render(lines, width=0, color=color)


def _run_facts(run: RunMetadata, choice: ChosenRun) -> str:
    facts = (run.environment, revision(run), moment(run.run_at), build_problem(run))
    return f"{_side('base', choice)} · {' · '.join(filter(None, facts))}"
