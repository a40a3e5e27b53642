"""Selectors of measurements of quality: which one a user means.

An id, or the beginning of one; `latest`; an environment: its latest one; `before:2026-11-01` (or a time).
Each but an id may end in `~N`: the N-th one before it. All but an id look at one project, and at one
environment where it is named.
"""

from __future__ import annotations

import re
from datetime import timezone
from typing import Any

from recce_meta.errors import SelectorError, did_you_mean, first_of
from recce_meta.models.quality import QualityRun, Sample
from recce_meta.models.run import COMPLETE
from recce_meta.store.migrate import StoreSession
from recce_meta.store.select import SHOWN, time_of

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
    """The measurement that *selector* means. Raises SelectorError where there is none, or more than one."""
    if exact := find_quality_runs(store, quality_run_id=selector, status=None):
        return exact[0]
    found = re.fullmatch(r"(?s)(.+?)(?:~(\d{1,9}))?", selector)
    if found is None:
        raise SelectorError(
            "An empty selector of a measurement", hint="name the id of one, an environment, or 'latest'"
        )
    name, back = found[1], int(found[2] or 0)
    filters = _filters(store, name)
    if filters is None:
        return _by_prefix(store, selector, project)
    chosen = _project(store, project, selector)
    named = {"project": chosen, "environment": environment, **filters}
    runs = find_quality_runs(store, **named, most=back + 1)
    if len(runs) > back:
        return runs[back]
    raise _too_few(store, selector, len(runs))


def _filters(store: StoreSession, name: str) -> dict[str, object] | None:
    """What a selector other than an id asks for; None for an id."""
    if name == "latest":
        return {}
    if name.startswith("before:"):
        return {"before": time_of(name.removeprefix("before:"))}
    return {"environment": name} if find_quality_runs(store, environment=name, most=1) else None


def _project(store: StoreSession, project: str | None, selector: str) -> str | None:
    """The project to look in; None where nothing was measured."""
    if project is not None:
        return project
    projects = sorted({str(name) for name, _ in store.query("quality_projects")})
    if len(projects) > 1:
        raise SelectorError(
            f"'{selector}' is looked for in one project, and quality was measured in {len(projects)}: "
            f"{', '.join(projects)}",
            hint="say which one with --project",
        )
    return projects[0] if projects else None


def _by_prefix(store: StoreSession, prefix: str, project: str | None) -> QualityRun:
    runs = find_quality_runs(store, id_prefix=prefix, project=project, most=SHOWN + 1, status=None)
    if len(runs) == 1:
        return runs[0]
    if runs:
        found = [f"{run.quality_run_id} ({run.environment}, {run.started_at:%Y-%m-%d %H:%M})" for run in runs]
        raise SelectorError(
            f"'{prefix}' begins the ids of more than one measurement: {first_of(found, SHOWN)}",
            hint="give more of the id",
        )
    raise _unknown(store, prefix)


def _too_few(store: StoreSession, selector: str, count: int) -> SelectorError:
    if count == 0:
        return _unknown(store, selector)
    runs = "is only one such measurement" if count == 1 else f"are only {count} such measurements"
    return SelectorError(
        f"No measurement '{selector}': there {runs}", hint=f"the oldest of them is ~{count - 1}"
    )


def _unknown(store: StoreSession, selector: str) -> SelectorError:
    known = sorted({str(environment) for _, environment in store.query("quality_projects")})
    if not known:
        return SelectorError(
            f"No measurement '{selector}': no quality was measured yet", hint="recce-meta quality measures it"
        )
    return SelectorError(
        f"No measurement '{selector}'",
        hint=did_you_mean(selector, [*known, "latest"])
        or f"name an id, before:DATE, or one of: {', '.join([*known[:10], 'latest'])}",
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
