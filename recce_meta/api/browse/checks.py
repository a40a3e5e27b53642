"""Stored check results with the runs that they compared."""

from __future__ import annotations

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models.checks import StoredCheck
from recce_meta.models.run import RunMetadata
from recce_meta.store.check_results import ALL, find_checks
from recce_meta.store.read import find_runs
from recce_meta.store.session import open_store


class CheckEntry(Struct, frozen=True, kw_only=True):
    """Result of a check with its runs; a run is None if it was pruned, or the check had only one."""

    check: StoredCheck
    base: RunMetadata | None
    current: RunMetadata | None
    is_latest: bool
    """True for the last result of this check in this project and environment."""

    @property
    def run(self) -> RunMetadata | None:
        """Return the run that the result belongs to."""
        return self.current or self.base


def check_entries(
    adapter: UnifiedSqlAdapter,
    *,
    check_name: str | None = None,
    limit: int | None = None,
) -> list[CheckEntry]:
    """Return at most *limit* stored results, by default of all checks, newest first."""
    with open_store(adapter) as store:
        found = find_checks(store, check_name=check_name, most=ALL if limit is None else limit)
        # One statement for all runs: results of many checks share few of them.
        runs = {run.run_id: run for run in find_runs(store, status=None)} if found else {}
    entries, known = [], set()
    for check in found:
        base, current = runs.get(check.base_run_id or ""), runs.get(check.current_run_id or "")
        run = current or base
        place = (check.check_name, run and (run.project_name, run.environment))
        entries.append(CheckEntry(check=check, base=base, current=current, is_latest=place not in known))
        known.add(place)
    return entries
