"""Selection of the runs of an exchange, in any replica.

A selector is a run selector as in `recce_meta.store.select`, with one difference: `branch:NAME`, the name of
an environment and `project:NAME` mean all their runs. With `~N`, they mean one run, as elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from recce_meta.errors import (
    AmbiguousProject,
    RunNotFound,
    SelectorError,
    did_you_mean,
    first_of,
)
from recce_meta.models import RunMetadata
from recce_meta.models.run import COMPLETE, OF_WORKSPACE
from recce_meta.store.read import find_runs, run_of
from recce_meta.store.select import NAMED, SHOWN, parse_time
from recce_meta.store.session import open_store
from recce_meta.sync.stores import StoreReplica
from recce_meta.sync.types import ObjectKind, Replica

AT_ONCE = 100
"""Number of runs that are read from a bundle or a server in one call."""
_KINDS = ("branch", "sha", "before", "project")
_Filter = Callable[[RunMetadata], bool]


def runs_of(replica: Replica) -> list[RunMetadata]:
    """Return all runs of *replica*, newest first."""
    if isinstance(replica, StoreReplica):
        with open_store(replica.adapter) as store:
            return find_runs(store, status=None)
    keys = [key for key in replica.inventory().entries if key.kind is ObjectKind.RUN]
    found: list[RunMetadata] = []
    for start in range(0, len(keys), AT_ONCE):
        batch = replica.read(keys[start : start + AT_ONCE])
        found += map(run_of, batch.tables.get("runs", ()))
    return newest_first(found)


def newest_first(runs: Iterable[RunMetadata]) -> list[RunMetadata]:
    """Return *runs* without repetitions, newest first."""
    # Stable sorts from the least to the most important key.
    found = sorted({run.run_id: run for run in runs}.values(), key=lambda run: run.run_id)
    return sorted(found, key=lambda run: (run.counted_at, run.recorded_at or run.run_at), reverse=True)


def select_runs(
    runs: Sequence[RunMetadata], selectors: Iterable[str], *, project: str | None = None
) -> frozenset[str]:
    """Return the ids of the *runs* (newest first) that one of *selectors* means.

    *project* limits the selectors to one project, apart from ids. Raises SelectorError if a selector is
    invalid or ambiguous, or if it matches no run.
    """
    return frozenset(run_id for text in selectors for run_id in _selected(runs, text, project))


def _selected(runs: Sequence[RunMetadata], selector: str, project: str | None) -> list[str]:
    if any(run.run_id == selector for run in runs):
        return [selector]
    found = re.fullmatch(r"(?s)(.+?)(?:~(\d{1,9}))?", selector)
    if found is None:
        raise SelectorError("Run selector is empty", hint="use a run id, an environment, or 'latest'")
    name, back = found[1], found[2]
    chosen = _filter(runs, name)
    if chosen is None:
        return [_by_prefix(runs, selector)]
    own = [
        run for run in runs if project is None or run.project_name == project or name.startswith("project:")
    ]
    matching = [run for run in own if chosen(run)]
    if not matching:
        raise _unknown(own, selector)
    if back is None and (name.startswith(("branch:", "project:")) or _is_environment(runs, name)):
        return [run.run_id for run in matching]
    return [_one(selector, matching, int(back or 0)).run_id]


def _filter(runs: Sequence[RunMetadata], name: str) -> _Filter | None:
    """Return the condition of a selector; None for an id."""
    if name == "latest":
        return _is_own
    kind, separator, value = name.partition(":")
    if separator and kind in _KINDS:
        if not value:  # for example `sha:$COMMIT` with an unset variable
            example = NAMED.get(kind, "shop")
            raise SelectorError(f"Missing value after '{name}'", hint=f"for example {kind}:{example}")
        return _named_filter(kind, value)
    return (lambda run: run.environment == name) if _is_environment(runs, name) else None


def _named_filter(kind: str, value: str) -> _Filter:
    if kind == "branch":
        return lambda run: run.branch == value
    if kind == "project":
        return lambda run: run.project_name == value
    if kind == "sha":
        return lambda run: (run.git_sha or "").lower().startswith(value.lower())
    time = parse_time(value)
    return lambda run: _is_own(run) and run.counted_at < time


def _is_own(run: RunMetadata) -> bool:
    """Return True for a run that is not of an editor's workspace."""
    return not run.environment.startswith(OF_WORKSPACE)


def _is_environment(runs: Sequence[RunMetadata], name: str) -> bool:
    return any(run.environment == name for run in runs)


def _one(selector: str, matching: Sequence[RunMetadata], back: int) -> RunMetadata:
    """Return the run that is *back* runs before the newest of *matching*, of one project."""
    projects = sorted({run.project_name for run in matching})
    if len(projects) > 1:
        raise AmbiguousProject(
            f"'{selector}' is ambiguous: it matches {len(projects)} projects: {', '.join(projects)}", projects
        )
    shas = sorted({run.git_sha for run in matching if run.git_sha})
    if selector.startswith("sha:") and len(shas) > 1:
        raise SelectorError(
            f"'{selector}' is ambiguous: it matches {len(shas)} commits: {first_of(shas, SHOWN)}",
            hint="use a longer prefix",
        )
    complete = [run for run in matching if run.status == COMPLETE]
    if back < len(complete):
        return complete[back]
    raise RunNotFound(
        f"Run '{selector}' not found: only {len(complete)} of these runs exist",
        hint=f"the oldest one is ~{len(complete) - 1}" if complete else "list them with recce-meta runs",
    )


def _by_prefix(runs: Sequence[RunMetadata], prefix: str) -> str:
    found = [run.run_id for run in runs if run.run_id.startswith(prefix)]
    if len(found) == 1:
        return found[0]
    if found:
        raise SelectorError(
            f"'{prefix}' is ambiguous: more than one run id starts with it: {first_of(found, SHOWN)}",
            hint="use a longer prefix of the id",
        )
    raise _unknown(runs, prefix)


def _unknown(runs: Sequence[RunMetadata], selector: str) -> RunNotFound:
    if not runs:
        return RunNotFound(f"Run '{selector}' not found: there are no runs to exchange")
    known = {run.environment for run in runs} | {"latest"}
    known |= {f"branch:{run.branch}" for run in runs if run.branch}
    known |= {f"project:{run.project_name}" for run in runs}
    for kind in ("branch", "project"):
        if f"{kind}:{selector}" in known:
            return RunNotFound(f"Run '{selector}' not found", hint=f"did you mean '{kind}:{selector}'?")
    listing = f"use a run id or one of: {', '.join(sorted(known)[:10])}"
    return RunNotFound(f"Run '{selector}' not found", hint=did_you_mean(selector, sorted(known)) or listing)
