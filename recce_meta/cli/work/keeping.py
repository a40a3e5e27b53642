"""What is kept of data in the store: results with `--save`, and the statistics of `record --stats`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from recce_meta.api.on_disk import folder_of
from recce_meta.api.run_pair import RunPair
from recce_meta.api.statistics import Kept, load_kept
from recce_meta.api.storing_checks import stored_checks
from recce_meta.api.subjects import Sides
from recce_meta.cli.data_options import DataOptions, Opened
from recce_meta.cli.options import say
from recce_meta.errors import UsageError
from recce_meta.models import RunMetadata
from recce_meta.models.check_result import AnyCheck, CheckReport
from recce_meta.models.data_diff import AnyDataDiff, Failed, NotCompared
from recce_meta.store.check_results import save_checks
from recce_meta.store.data_diffs import save_data_diffs
from recce_meta.store.migrate import refuse_newer


def check_keepable(data: DataOptions) -> None:
    """Raise UsageError where there is no recorded run to keep results with: before anything is compared."""
    if data.tables or (folder_of(data.base) and folder_of(data.current)):
        raise UsageError(
            "--save keeps results with recorded runs, and there is none",
            hint="record them, and leave out --tables" if data.tables else "record them first",
        )


def check_store(data: DataOptions, opened: Opened) -> None:
    """Raise StoreError if the store is newer than this recce_meta writes: before anything is compared."""
    refuse_newer(opened.store(), data.connection.schema)


def keep(data: DataOptions, opened: Opened, results: Sequence[AnyDataDiff]) -> None:
    """Keep *results*, without those that were not made, with the runs that they compared."""
    stored = _stored_runs(data, opened)
    saved = save_data_diffs(
        opened.store(),
        [result for result in results if not isinstance(result, (Failed, NotCompared))],
        base_run=stored[0],
        current_run=stored[1],
        taken_at=datetime.now(timezone.utc),
        schema=data.connection.schema,
    )
    say(f"Kept {saved.written} result{'' if saved.written == 1 else 's'}")


def keep_checks(data: DataOptions, opened: Opened, report: CheckReport, checks: Sequence[AnyCheck]) -> None:
    """Store the results of checks with the runs that they compared."""
    base, current = (None if run is None else run.run_id for run in _stored_runs(data, opened))
    saved = save_checks(
        opened.store(),
        stored_checks(
            report,
            checks,
            base_run_id=base,
            current_run_id=current,
            checked_at=datetime.now(timezone.utc),
        ),
        schema=data.connection.schema,
    )
    say(f"Stored {saved.written} result{'' if saved.written == 1 else 's'} of checks")


def _stored_runs(data: DataOptions, opened: Opened) -> list[RunMetadata | None]:
    """Return the runs of base and current; None for one that is not recorded."""
    if opened.runs is None:
        return [None, None]
    pairs = [(data.base, opened.runs.base), (data.current, opened.runs.current)]
    return [None if folder_of(selector) else side.run for selector, side in pairs]


def kept_of(data: DataOptions, opened: Opened, runs: RunPair, chosen: Sequence[Sides]) -> tuple[Kept, Kept]:
    """The statistics of *chosen* that were kept with either run; none with runs that are on disk."""
    selectors = (data.base, data.current)
    if all(folder_of(selector) for selector in selectors):
        return {}, {}
    return load_kept(opened.store(), runs, chosen, selectors, data.connection.schema)
