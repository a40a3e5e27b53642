"""`row-count`, `schema`, `profile`, `top-k`, `histogram`."""

from __future__ import annotations

from functools import partial

from recce_meta.api.comparing import unknown_terms
from recce_meta.api.comparing_data import Job
from recce_meta.api.data_jobs import PairPlan, each, row_count_job, stored_schema_jobs
from recce_meta.api.statistics import counts_with_kept, profiles_with_kept
from recce_meta.api.subjects import Sides, subjects, touched
from recce_meta.cli.data import Asked
from recce_meta.cli.data_options import Opened
from recce_meta.cli.options import warn
from recce_meta.cli.work.answer import answer
from recce_meta.cli.work.keeping import kept_of
from recce_meta.diff.data.histogram import histogram_diff
from recce_meta.diff.data.profile import profile_diff
from recce_meta.diff.data.schema import schema_diff
from recce_meta.diff.data.top_k import top_k_diff


def chosen(asked: Asked, opened: Opened, *, whole: bool = False) -> list[Sides]:
    """The nodes or relations that are named; nodes *whole*, or as far as finding their relations needs."""
    runs = opened.runs
    found = subjects(runs, asked.data.tables, asked.nodes, asked.selection, asked.exclude, whole=whole)
    if runs is not None and asked.selection:
        for text in unknown_terms(asked.selection, runs.base.project, runs.current.project):
            warn(text)
    return found


def row_count(asked: Asked, live: bool) -> None:
    """Count the rows of what is named, or of what changed, where kept figures do not answer."""

    def jobs(opened: Opened) -> list[Job]:
        places, runs = opened.comparison.places, opened.runs
        is_open = runs is not None and not asked.nodes and not asked.selection
        wanted = touched(runs) if is_open and runs is not None else chosen(asked, opened)
        if not wanted:
            return []
        if runs is None or live:
            return [row_count_job(places, wanted)]
        return [counts_with_kept(places, wanted, *kept_of(asked.data, opened, runs, wanted))]

    answer(asked.data, asked.output, jobs)


def schema(asked: Asked, stored: bool) -> None:
    """Compare columns, as they are or as they were recorded."""
    if not stored:
        _each(asked, "schema_diff", schema_diff)
        return
    answer(
        asked.data,
        asked.output,
        lambda opened: stored_schema_jobs(opened.comparison.places, chosen(asked, opened, whole=True)),
    )


def profile(
    asked: Asked,
    columns: tuple[str, ...],
    exclude: tuple[str, ...],
    where: str | None,
    *,
    live: bool,
    approx: bool,
) -> None:
    """Profile columns, where kept figures do not answer."""

    def jobs(opened: Opened) -> list[Job]:
        places, runs, wanted = opened.comparison.places, opened.runs, chosen(asked, opened)
        if runs is None or live or where or approx:
            plan = partial(profile_diff, columns=columns, exclude=exclude, where=where, approximate=approx)
            return each("profile_diff", places, wanted, plan)
        base, current = kept_of(asked.data, opened, runs, wanted)
        return profiles_with_kept(places, wanted, base, current, columns=columns, exclude=exclude)

    answer(asked.data, asked.output, jobs)


def top_k(asked: Asked, columns: tuple[str, ...], where: str | None, k: int) -> None:
    """Find the most frequent values."""
    _each(asked, "top_k_diff", partial(top_k_diff, columns=columns, k=k, where=where))


def histogram(asked: Asked, columns: tuple[str, ...], where: str | None, bins: int) -> None:
    """Count values in bins."""
    _each(asked, "histogram_diff", partial(histogram_diff, columns=columns, num_bins=bins, where=where))


def _each(asked: Asked, diff: str, plan: PairPlan) -> None:
    """Make a diff of type *diff* of each that is named, as *plan* says."""
    answer(
        asked.data,
        asked.output,
        lambda opened: each(diff, opened.comparison.places, chosen(asked, opened), plan),
    )
