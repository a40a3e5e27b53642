"""Resolution of selectors to stored runs, and to stored quality measurements.

A selector is an id or its beginning; `latest`; an environment (`base`, `current`, any label), which means
its latest run; or `before:2026-11-01` (or a time). A run can also be selected by `branch:NAME` or
`sha:PREFIX`. An environment or a branch may end in a time: `base,before:2026-11-01`. All except an id may
end in `~N`: the N-th run before that one. All except an id search in one project. `latest` and `before`
leave out the runs of workspaces. Measurements are selected in the same way, in one environment if it is
given.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, TypeAlias

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import (
    AmbiguousProject,
    RunFailed,
    RunNotFound,
    SelectorError,
    did_you_mean,
    first_of,
)
from recce_meta.models import LineageEdge, NodeMetadata, Project, RunMetadata
from recce_meta.models.moments import utc_time
from recce_meta.models.quality import QualityRun, Sample
from recce_meta.models.run import COMPLETE, FAILED, OF_WORKSPACE
from recce_meta.store.content import ID_LENGTH
from recce_meta.store.read import find_runs, load_edges, load_nodes, load_project, run_by_id
from recce_meta.store.session import StoreSession, open_store

_LOG = logging.getLogger(__name__)
CONVENTIONAL = ("base", "current")
NAMED = {"branch": "main", "sha": "3f1c9ab", "before": "2026-11-01"}
"""Keywords before the colon, each with an example of its value."""
SHOWN = 5
"""Maximum number of candidates in an error."""


RunSelector: TypeAlias = str | RunMetadata
"""Run selector, or the run that it was resolved to."""


def resolve_run(
    adapter: UnifiedSqlAdapter, selector: RunSelector, *, project: str | None = None
) -> RunMetadata:
    """Return the run that *selector* means, in *project* or in the only project of the store."""
    if isinstance(selector, RunMetadata):
        return selector
    with open_store(adapter) as store:
        return find_run(store, selector, project)


def resolve_complete_run(
    adapter: UnifiedSqlAdapter, selector: RunSelector, *, project: str | None = None
) -> RunMetadata:
    """Return the run that *selector* means. Raises StoreError if the run failed, because it has no nodes."""
    return require_complete(resolve_run(adapter, selector, project=project))


def require_complete(run: RunMetadata) -> RunMetadata:
    """Return *run*. Raises RunFailed if it failed."""
    if run.status == FAILED:
        raise RunFailed(
            f"Run {run.run_id} failed: {run.reason or 'reason unknown'}",
            hint="choose a complete run; recce-meta runs lists them",
        )
    return run


def load_run(
    adapter: UnifiedSqlAdapter,
    selector: str | RunMetadata,
    *,
    project: str | None = None,
) -> Project:
    """Return a run with all its contents, as extracted.

    *selector* is a run, or a selector such as `latest`, `base~1` or the start of an id, in the store of
    *adapter*. *project* is required if the selector fits runs of several projects. Raises SelectorError if no
    run, or more than one, is selected.
    """
    with open_store(adapter) as store:
        run = selector if isinstance(selector, RunMetadata) else find_run(store, selector, project)
        return load_project(store, run)


def load_nodes_from_warehouse(
    adapter: UnifiedSqlAdapter,
    run_id: str,
) -> list[NodeMetadata]:
    """Return all nodes of the run *run_id* (any run selector), in the store of *adapter*.

    They are sorted by unique id.
    """
    return load_nodes(adapter, resolve_run(adapter, run_id))


def load_lineage_from_warehouse(
    adapter: UnifiedSqlAdapter,
    run_id: str,
) -> list[LineageEdge]:
    """Return all edges of the run *run_id* (any run selector), in the store of *adapter*.

    They are sorted.
    """
    return load_edges(adapter, resolve_run(adapter, run_id))


def find_run(store: StoreSession, selector: str, project: str | None) -> RunMetadata:
    """Return the run that *selector* means, from an open store."""
    found = _find_run(store, selector, project)
    _LOG.info("Run '%s' is %s: %s, %s", selector, found.run_id, found.environment, found.run_at)
    return found


def _find_run(store: StoreSession, selector: str, project: str | None) -> RunMetadata:
    name, back = _split(selector, "Run", "use a run id, an environment such as 'base', or 'latest'")
    filters = _run_filters(name)
    runs: list[RunMetadata] | None = None
    if filters is None:
        # Other users choose the ids of runs that they push or upload, and must not replace what a word means.
        # The ids that recorders create have at least 32 characters.
        is_long = len(name) >= ID_LENGTH
        if is_long and (exact := run_by_id(store, selector)) is not None:
            return exact
        runs = find_runs(store, project=project, most=back + 1, environment=name)
        if not runs and (project is None or not find_runs(store, most=1, environment=name)):
            exact = None if is_long else run_by_id(store, selector)
            return exact or _by_prefix(store, selector, project)
    # The environment of a workspace has runs of one project, which may be no other run's.
    is_own = project is not None or name.startswith(OF_WORKSPACE)
    chosen = project if is_own else find_project(store, selector)
    if filters is not None:
        if "sha_prefix" in filters:
            _one_commit(store, name, chosen, filters)
        runs = find_runs(store, project=chosen, most=back + 1, **filters)
    if runs and len(runs) > back:
        return runs[back]
    raise _too_few("Run", selector, len(runs)) if runs else unknown_run(store, selector, chosen)


def find_project(store: StoreSession, selector: str) -> str | None:
    """Return the only project of the store; None if it is empty.

    Raises SelectorError, which names *selector*, if there are several projects.
    """
    names = [str(name) for (name,) in store.query("projects")]
    return _one_project(selector, names, "this store has")


def _one_commit(store: StoreSession, name: str, project: str | None, filters: dict[str, object]) -> None:
    """Raise SelectorError if a prefix matches several commits."""
    # Several runs of one commit are not ambiguous, so commits are counted.
    shas = sorted({run.git_sha for run in find_runs(store, project=project, **filters) if run.git_sha})
    if len(shas) > 1:
        raise SelectorError(
            f"'{name}' is ambiguous: it matches {len(shas)} commits: {first_of(shas, SHOWN)}",
            hint="use a longer prefix",
        )


def _run_filters(name: str) -> dict[str, object] | None:
    """Return the filters of a selector, which may end in `,before:TIME`; None for an id or an environment."""
    label, comma, time = name.partition(",before:")
    filters = _filters(label)
    return {**(filters or {"environment": label}), "before": parse_time(time)} if comma else filters


def _filters(name: str) -> dict[str, object] | None:
    """Return the filters of a selector; None if it is an id or an environment."""
    if name == "latest":
        return {"without": OF_WORKSPACE}
    kind, separator, value = name.partition(":")
    if not separator or kind not in NAMED:
        return None
    if not value:  # for example `sha:$COMMIT` with an unset variable
        raise SelectorError(f"Missing value after '{name}'", hint=f"for example {kind}:{NAMED[kind]}")
    if kind == "branch":
        return {"branch": value}
    if kind == "sha":
        # git prints commits in lower case, but a user may paste upper case.
        return {"sha_prefix": value.lower()}
    return {"before": parse_time(value), "without": OF_WORKSPACE}


def parse_time(text: str) -> datetime:
    """Return the date or time after `before:`."""
    try:
        return utc_time(text)
    except ValueError:
        raise SelectorError(
            f"Invalid date or time in 'before:{text}'",
            hint="for example before:2026-11-01 or before:2026-11-01T12:30:00Z",
        ) from None


def _split(selector: str, noun: str, hint: str) -> tuple[str, int]:
    """Return *selector* without `~N`, and N. Raises SelectorError with *hint* if it is empty."""
    # Nine digits fit into the 32 bits of a LIMIT.
    found = re.fullmatch(r"(?s)(.+?)(?:~(\d{1,9}))?", selector)
    if found is None:
        raise SelectorError(f"{noun} selector is empty", hint=hint)
    return found[1], int(found[2] or 0)


def _one_project(selector: str, projects: Sequence[str], where: str) -> str | None:
    """Return the only one of *projects*; None if it is empty. Raises AmbiguousProject for several."""
    if len(projects) > 1:
        raise AmbiguousProject(
            f"'{selector}' is ambiguous: {where} {len(projects)} projects: {', '.join(projects)}", projects
        )
    return projects[0] if projects else None


def _ambiguous(noun: str, prefix: str, found: Sequence[str]) -> SelectorError:
    return SelectorError(
        f"'{prefix}' is ambiguous: more than one {noun} id starts with it: {first_of(found, SHOWN)}",
        hint="use a longer prefix of the id",
    )


def _too_few(noun: str, selector: str, count: int) -> SelectorError:
    runs = f"is only one such {noun.lower()}" if count == 1 else f"are only {count} such {noun.lower()}s"
    kind = RunNotFound if noun == "Run" else SelectorError
    return kind(f"{noun} '{selector}' not found: there {runs}", hint=f"the oldest one is ~{count - 1}")


def _by_prefix(store: StoreSession, prefix: str, project: str | None) -> RunMetadata:
    # One more than an error shows, to detect that there are more.
    # Failed runs as well: an id names one run, whatever became of it.
    runs = find_runs(store, run_id_prefix=prefix, project=project, most=SHOWN + 1, status=None)
    if not runs and project is not None:  # an id identifies a run in any project
        runs = find_runs(store, run_id_prefix=prefix, most=SHOWN + 1, status=None)
    if len(runs) == 1:
        return runs[0]
    if runs:
        found = [f"{run.run_id} ({run.environment}, {run.run_at:%Y-%m-%d %H:%M})" for run in runs]
        raise _ambiguous("run", prefix, found)
    raise unknown_run(store, prefix, project)


def if_renamed(project: str) -> str:
    """Return how to compare runs of *project* with those from before it had this name."""
    return (
        f"if only its name changed, compile base's commit with `name: {project}` in dbt_project.yml, "
        "and compare with path:DIR of that target folder"
    )


def unknown_run(store: StoreSession, selector: str, project: str | None) -> RunNotFound:
    """Return the error for a selector that matches no run of *project*."""
    labels = store.query("labels", project=project)
    label, comma, _ = selector.partition(",before:")
    environment = label.partition("~")[0]
    is_elsewhere = project is not None and all(environment != one for one, _ in labels)
    if is_elsewhere and (elsewhere := find_runs(store, environment=environment, most=1)):
        other = elsewhere[0].project_name
        return RunNotFound(
            f"Run '{selector}' not found: {environment} has no run of project '{project}', but of '{other}'",
            hint=f"name that project with --project {other}, or {if_renamed(str(project))}",
        )
    if not labels:
        where = f" of project '{project}'" if project else ""
        return RunNotFound(
            f"Run '{selector}' not found: the store has no runs{where}",
            hint="record one with recce-meta record",
        )
    known = {str(environment) for environment, _ in labels} | {"latest"}
    known |= {f"branch:{branch}" for _, branch in labels if branch}
    if comma and label in known:
        return RunNotFound(
            f"Run '{selector}' not found: {label} has no run before that time",
            hint="list its runs with recce-meta runs",
        )
    if environment in CONVENTIONAL and environment not in known:
        return RunNotFound(
            f"Run '{selector}' not found: no run is recorded as {environment} yet",
            hint=f"record one with recce-meta record --environment {environment} --target-path DIR, or scan "
            f"a database with scan -e {environment}; or use one of: {', '.join(sorted(known)[:10])}",
        )
    branch = f"branch:{label}"
    hint = f"did you mean '{branch}'?" if branch in known else did_you_mean(label, sorted(known))
    listing = f"list the runs with recce-meta runs, or use one of: {', '.join(sorted(known)[:10])}"
    return RunNotFound(f"Run '{selector}' not found", hint=hint or listing)


_RUN_FIELDS = (
    "quality_run_id", "run_id", "project_name", "environment", "started_at", "finished_at", "target_name",
)  # fmt: skip


def find_quality_runs(store: StoreSession, **filters: object) -> list[QualityRun]:
    """Return measurements, newest first: *filters* are the binds of `sql/queries/quality_runs.sql`.

    Failed measurements are left out unless `status=None` is given.
    """
    every: dict[str, object] = dict.fromkeys(
        ("quality_run_id", "id_prefix", "run_id", "project", "environment", "before", "ids")
    )
    every["status"] = COMPLETE
    return [_run_of(row) for row in store.query("quality_runs", **{**every, "most": 2**31, **filters})]


def find_quality_run(
    store: StoreSession, selector: str, *, project: str | None = None, environment: str | None = None
) -> QualityRun:
    """Return the measurement that *selector* means. Raises SelectorError if none or several match."""
    if exact := find_quality_runs(store, quality_run_id=selector, status=None):
        return exact[0]
    name, back = _split(selector, "Measurement", "use an id, an environment, or 'latest'")
    filters = _quality_filters(store, name)
    if filters is None:
        return _quality_by_prefix(store, selector, project)
    chosen = project
    if project is None:  # if nothing was measured, no project
        names = sorted({str(name) for name, _ in store.query("quality_projects")})
        chosen = _one_project(selector, names, "quality was measured in")
    named = {"project": chosen, "environment": environment, **filters}
    runs = find_quality_runs(store, **named, most=back + 1)
    if len(runs) > back:
        return runs[back]
    raise _too_few("Measurement", selector, len(runs)) if runs else _unknown_quality_run(store, selector)


def _quality_filters(store: StoreSession, name: str) -> dict[str, object] | None:
    """Return the filters of a selector; None if it is an id."""
    if name == "latest":
        return {}
    if name.startswith("before:"):
        return {"before": parse_time(name.removeprefix("before:"))}
    return {"environment": name} if find_quality_runs(store, environment=name, most=1) else None


def _quality_by_prefix(store: StoreSession, prefix: str, project: str | None) -> QualityRun:
    runs = find_quality_runs(store, id_prefix=prefix, project=project, most=SHOWN + 1, status=None)
    if len(runs) == 1:
        return runs[0]
    if runs:
        found = [f"{run.quality_run_id} ({run.environment}, {run.started_at:%Y-%m-%d %H:%M})" for run in runs]
        raise _ambiguous("measurement", prefix, found)
    raise _unknown_quality_run(store, prefix)


def _unknown_quality_run(store: StoreSession, selector: str) -> SelectorError:
    known = sorted({str(environment) for _, environment in store.query("quality_projects")})
    if not known:
        return SelectorError(
            f"Measurement '{selector}' not found: quality was not measured yet",
            hint="measure it with recce-meta quality",
        )
    return SelectorError(
        f"Measurement '{selector}' not found",
        hint=did_you_mean(selector, [*known, "latest"])
        or f"use an id, before:DATE, or one of: {', '.join([*known[:10], 'latest'])}",
    )


def _run_of(row: tuple[Any, ...]) -> QualityRun:
    *first, percent, rows, seed, keeps_values, table_count, failed_count, score, version, status, reason = row
    fields: dict[str, Any] = dict(zip(_RUN_FIELDS, first, strict=True))
    for name in ("started_at", "finished_at"):
        fields[name] = fields[name].astimezone(timezone.utc)
    return QualityRun(
        **fields,
        sample=None if seed is None else Sample(percent=percent, rows=rows, seed=seed),
        keeps_values=keeps_values,
        table_count=table_count,
        failed_count=failed_count,
        score=score,
        recorder_version=version,
        status=status,
        reason=reason,
    )
