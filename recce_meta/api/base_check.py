"""Freshness of base: whether its run still describes the code that the checkout is based on.

Commits decide. Base is fresh if its run was recorded at the merge base, or if no file of the project changed
between its commit and the merge base. If commits cannot be compared, the age decides, as in recce.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.run_choice import Found, RunDefaults, is_same_commit, select_base, short_sha
from recce_meta.api.run_reader import folder_of, read_run
from recce_meta.errors import (
    ConfigurationError,
    DatabaseNotFound,
    RecceMetaError,
    RunNotFound,
    StoreNotFound,
    UsageError,
    plural,
)
from recce_meta.extractors.artifact import find_artifact
from recce_meta.extractors.history import DEEPEN, CheckoutHistory, Distance, MergeBase
from recce_meta.models import RunMetadata
from recce_meta.models.run import FAILED, BaseCheck, Freshness

DEFAULT_AGE = timedelta(hours=48)
"""Age limit if commits cannot be compared: the default of recce's `check-base`."""
RECORD = "recce-meta hook --environment base -- dbt build --target TARGET"


def check_base(
    connect: Callable[[], UnifiedSqlAdapter],
    base: str | None = None,
    *,
    defaults: RunDefaults,
    max_age: timedelta | None = None,
    project: str | None = None,
    now: datetime | None = None,
) -> BaseCheck:
    """Return whether the run that the selector *base* names, or the default, is fresh.

    With *max_age*, an older run is stale in any case. *now* is the time to compare with.

    Raises ConfigurationError if the selector is ambiguous or invalid, and as `open_store` does.
    """
    start = defaults.history.merge_base
    try:
        found = _with_artifacts(select_base(connect, base, defaults=defaults, project=project))
    except (RunNotFound, StoreNotFound, DatabaseNotFound) as error:
        return _missing(error, start)
    except UsageError as error:  # its exit code means stale here
        raise ConfigurationError(error.message, hint=error.hint) from error
    if isinstance(found, BaseCheck):
        return found
    return _judged(found, start, defaults.history, max_age, now or datetime.now(timezone.utc))


def _with_artifacts(found: Found) -> Found | BaseCheck:
    """Return *found* with the run of its artifacts, if it is on disk."""
    folder = folder_of(found.selector)
    if folder is None:
        return found
    if not _has_manifest(folder):
        reason = f"No artifacts in {folder}"
        todo = f"dbt build --target-path {folder} in a checkout of the base branch"
        return BaseCheck(status=Freshness.MISSING, reason=reason, recommendation=todo, choice=found.chosen)
    return Found(read_run(folder, hash_seed_files=False).run, found.chosen)


def _has_manifest(folder: Path) -> bool:
    return folder.is_file() or (folder.is_dir() and find_artifact(folder, "manifest.json") is not None)


def _missing(error: RecceMetaError, start: MergeBase) -> BaseCheck:
    return BaseCheck(
        status=Freshness.MISSING,
        reason=error.message,
        recommendation=f"record base in a checkout of {_named(start)}: {RECORD}",
        base_branch=start.branch,
        merge_base=start.sha,
    )


def _judged(
    found: Found, start: MergeBase, history: CheckoutHistory, max_age: timedelta | None, now: datetime
) -> BaseCheck:
    assert found.run is not None, "artifacts on disk were read"
    run, age = found.run, now - found.run.run_at
    check = BaseCheck(
        status=Freshness.FRESH,
        reason="",
        run=run,
        choice=found.chosen,
        age_hours=round(age / timedelta(hours=1), 1),
        base_branch=start.branch,
        merge_base=start.sha,
        notes=tuple(_notes(run, start)),
    )
    check = _judged_by_commit(check, run, start, history)
    limit = max_age
    if limit is None and check.status is Freshness.FRESH and not _has_commits(run, start):
        limit = DEFAULT_AGE
    if limit is not None and age > limit and check.status is Freshness.FRESH:
        return _stale(check, f"Base is {_hours(age)} old; the limit is {_hours(limit)}", _record_at(start))
    return check


def _judged_by_commit(
    check: BaseCheck, run: RunMetadata, start: MergeBase, history: CheckoutHistory
) -> BaseCheck:
    """Compare the commit of *run* with the merge base *start*."""
    # Uncommitted changes are in no commit that could be compared.
    if run.git_sha is not None and run.git_dirty:
        text = f"Base was recorded at {short_sha(run.git_sha)} with uncommitted changes"
        return _stale(check, text, _record_at(start))
    if run.git_sha is None or start.sha is None:
        why = "the run has no commit" if run.git_sha is None else start.problem or "no git repository found"
        return replace(
            check,
            reason=f"Recorded {_hours_ago(check.age_hours or 0)}; commits were not compared: {why}. "
            f"Base is recent, but not verified against {_named(start)}",
        )
    if is_same_commit(run.git_sha, start.sha):
        return replace(check, reason=f"Base is the run of {start.label}")
    own = short_sha(run.git_sha)
    files = history.changed_code(run.git_sha, start.sha)
    if files is None:
        text = f"Base was recorded at {own}, which this clone cannot compare with {start.label}"
        return _stale(check, text, DEEPEN if history.is_shallow else _record_at(start))
    if not files:
        return replace(
            check, reason=f"No file of the project changed between {own} of base and {start.label}"
        )
    # Without a common history, base is on neither path.
    distance = history.distance(run.git_sha, start.sha) or Distance(behind=1, ahead=1)
    is_newer = distance.ahead > 0 and not distance.behind
    place = "newer than" if is_newer else "not on the path to" if distance.ahead else "older than"
    return _stale(
        replace(check, changed_files=tuple(files)),
        f"Base was recorded at {own}, {place} {start.label}: {plural(len(files), 'file')} changed",
        f"merge or rebase {_named(start)} into the checkout" if is_newer else _record_at(start),
    )


def _stale(check: BaseCheck, reason: str, recommendation: str) -> BaseCheck:
    return replace(check, status=Freshness.STALE, reason=reason, recommendation=recommendation)


def _notes(run: RunMetadata, start: MergeBase) -> Iterator[str]:
    if run.build_status == FAILED:
        yield "The build of base failed: some of its tables are of an earlier build, or missing"
    if run.git_sha and run.git_proven is False and not run.git_dirty:
        yield "The artifacts of base are not proven to be built from its commit: record with recce-meta hook"
    if run.git_sha is None:
        yield f"To compare commits: {_record_at(start)}"
    elif start.sha is None:
        yield f"To compare commits: {start.hint or 'run the command in a checkout of the project'}"


def _has_commits(run: RunMetadata, start: MergeBase) -> bool:
    return run.git_sha is not None and start.sha is not None


def _record_at(start: MergeBase) -> str:
    place = f"commit {short_sha(start.sha)} or later of {_named(start)}" if start.sha else _named(start)
    return f"record base again in a checkout of {place}: {RECORD}"


def _named(start: MergeBase) -> str:
    return start.branch or "the base branch"


def _hours_ago(hours: float) -> str:
    """Return `2 hours ago`; the clock of the machine that built base may be ahead."""
    if hours < 0.1:
        return "just now"
    return f"{hours:g} {'hour' if hours == 1 else 'hours'} ago"


def _hours(age: timedelta) -> str:
    return f"{age / timedelta(hours=1):,.0f} hours"
