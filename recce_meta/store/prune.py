"""Removes old runs, and then what nothing points to any more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import UsageError
from recce_meta.models import RunMetadata
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store
from recce_meta.store.read import find_runs
from recce_meta.store.retry import retrying


class PruneResult(Struct, frozen=True, kw_only=True):
    """What `prune` removed, or would remove."""

    runs: tuple[RunMetadata, ...]
    """Newest first."""
    rows: dict[str, int] = {}
    """Rows removed by table; empty for a dry run, which finds the runs only."""
    dry_run: bool = False


def prune(
    adapter: UnifiedSqlAdapter,
    *,
    keep_last: int | None = None,
    older_than: timedelta | None = None,
    environment: str | None = None,
    project: str | None = None,
    dry_run: bool = False,
    schema: str = DEFAULT_SCHEMA,
    now: datetime | None = None,
) -> PruneResult:
    """Remove old runs, and what only they needed; or, as a *dry_run*, say which would go.

    Old are runs beyond the last *keep_last* of their project and environment, and those whose artifacts
    are older than *older_than*; where both are given, both must hold. The latest run of each project and
    environment stays unless *keep_last* is 0. One transaction; recorders wait for it.

    Raises UsageError where neither is given, or *keep_last* is negative.
    """
    if keep_last is None and older_than is None:
        raise UsageError("Nothing says which runs to remove", hint="give --keep-last, --older-than or both")
    if keep_last is not None and keep_last < 0:
        raise UsageError(f"Cannot keep the last {keep_last} runs", hint="--keep-last takes 0 or more")
    before = None if older_than is None else (now or datetime.now(timezone.utc)) - older_than

    def work() -> PruneResult:
        with open_store(adapter, schema, writes=not dry_run) as store:
            runs = find_runs(store, project=project, environment=environment, status=None)
            chosen = tuple(removable(runs, keep_last=keep_last, before=before))
            rows = {} if dry_run or not chosen else _remove(store, chosen)
        return PruneResult(runs=chosen, rows=rows, dry_run=dry_run)

    return retrying(work)


def removable(
    runs: Iterable[RunMetadata], *, keep_last: int | None, before: datetime | None
) -> Iterable[RunMetadata]:
    """Return those of *runs* (newest first) that may go. Failed runs are counted apart from complete ones."""
    kept = 1 if keep_last is None else keep_last
    newer: dict[tuple[str, str, str], int] = {}
    for run in runs:
        group = run.project_name, run.environment, run.status
        place = newer[group] = newer.get(group, 0) + 1
        if place > kept and (before is None or run.run_at < before):
            yield run


def _remove(store: StoreSession, runs: Iterable[RunMetadata]) -> dict[str, int]:
    counts = _counts(store)
    store.execute("delete_runs", ids="\n".join(run.run_id for run in runs))
    store.execute("delete_garbage")
    left = _counts(store)
    return {table: count - left[table] for table, count in counts.items()}


def _counts(store: StoreSession) -> dict[str, int]:
    return {str(table): int(str(count)) for table, count in store.query("row_counts")}
