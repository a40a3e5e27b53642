"""Overview of the stores: latest run of each environment, its age and its changes, and what failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from recce_meta.api.browse.diffs import SuggestedPair, suggested_pairs
from recce_meta.api.browse.overview import EnvironmentState, StoreOverview
from recce_meta.errors import agree, first_line, plural
from recce_meta.models.run import COMPLETE, FAILED, OF_WORKSPACE, RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.report.labels import STALE_HOURS, age_phrase, build_outcome, is_stale, node_part
from recce_meta.report.values import count
from recce_meta.server.access.problems import Problem
from recce_meta.server.pages.review.page import kept_headline
from recce_meta.server.pages.runs.columns import change_phrase, run_columns, tone_of
from recce_meta.server.pages.runs.pair import run_phrase
from recce_meta.server.pages.runs.queries import RUNS_OFFERED
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.listing import ListColumn, Listing
from recce_meta.server.site.rendering import Page, clipped, render_page
from recce_meta.server.site.serving import Site, rendered, respond
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.read import list_runs

pages = PageSet()
SHOWN = 40
"""Number of environments of a store on its overview; the list has all."""
NO_RUNS = "The store has no runs. Next: recce-meta record stores a dbt run, recce-meta scan a database."


@pages.page("")
def one_store(request: Request) -> Page:
    """Show one store."""
    # One moment for the whole page, so that its ages agree.
    now = datetime.now(timezone.utc)
    section = overview_section(request.view, now)
    values = {"sections": [section], "sentence": None, "stale_hours": STALE_HOURS}
    return Page("overview.html", request.view.store.name, values, is_kept=False)


def home(site: Site) -> Any:
    """Return the endpoint of `/`: an overview of every store."""

    def answer() -> str:
        now = datetime.now(timezone.utc)
        found = [
            {"name": name, "failure": one.message, "hint": one.hint, "to": Addresses(name)}
            if isinstance(one, Problem)
            else one
            for name, one in site.read_all(lambda view: overview_section(view, now)).items()
        ]
        sentence = f"{plural(len(found), 'store')}: {stores_sentence(found)}" if len(found) > 1 else None
        values = {"sections": found, "sentence": sentence, "stale_hours": STALE_HOURS}
        # With one store, its search and lists are a click away.
        only = found[0] if len(found) == 1 else {}
        frame = {**site.shared(None), "to": only.get("to"), "read_at": only.get("read_at")}
        return render_page(Page("overview.html", "Overview", values), **frame)

    async def endpoint(request: HttpRequest) -> Response:
        return respond(rendered(await run_in_threadpool(answer), "text/html; charset=utf-8"), request)

    return endpoint


def overview_section(view: StoreView, now: datetime) -> Mapping[str, Any]:
    """Return what the template shows of one store."""
    # Without ages, so that it stays valid until the store changes.
    overview = view.overview()
    projects = [state for states in by_harm(overview.projects) for state in states]
    databases = [state for states in overview.databases.values() for state in states]
    return {
        "name": view.store.name,
        "failure": None,
        "to": view.to,
        "read_at": view.read_at,
        "overview": overview,
        "sentence": overview_sentence(overview, now),
        "figures": overview_figures(view.to, overview, now),
        "projects": [state_cells(view.to, state, now) for state in projects[:SHOWN]],
        "databases": [state_cells(view.to, state, now) for state in databases[:SHOWN]],
        "project_rows": len(projects),
        "database_rows": len(databases),
        "failing": [
            {
                "project": failed.run.project_name,
                "environment": failed.run.environment,
                "run_address": view.to.run(failed.run.run_id, "results"),
                "name": node_part(failed.result.unique_id),
                "address": view.to.node(failed.run.run_id, failed.result.unique_id),
                "status": failed.result.status,
                # Messages of dbt have many lines, with SQL.
                "message": clipped(first_line(failed.result.message or "")),
            }
            for failed in overview.failing
        ],
        "empty": NO_RUNS,
        **_reviews(view),
    }


def _reviews(view: StoreView) -> dict[str, Any]:
    """Return suggested pairs with the verdicts in memory, and the runs that the form offers."""
    runs, pairs = view.cached(("pairs",), lambda: _choice(view))
    return {
        "pairs": [
            (
                one,
                # Without the diff of a pair that nothing prepared: the page opens at once.
                kept_headline(view, one.base, one.current),
                *map(run_phrase, (one.base, one.current)),
                view.to.diff(one.base.run_id, one.current.run_id),
            )
            for one in pairs
        ],
        "runs": [(run.run_id, f"{run.project_name} · {run_phrase(run)}") for run in runs],
    }


def _choice(view: StoreView) -> tuple[list[RunMetadata], list[SuggestedPair]]:
    stored = list_runs(view.adapter, limit=RUNS_OFFERED)
    # What an editor has synchronized is shown in its own environment only.
    runs = [run for run in stored if not run.environment.startswith(OF_WORKSPACE)]
    return runs, suggested_pairs(runs)


def by_harm(projects: Mapping[str, list[EnvironmentState]]) -> list[list[EnvironmentState]]:
    """Return the environments of each project: projects with failures first, then by name."""

    def is_harmless(states: list[EnvironmentState]) -> bool:
        return not any(state.problem_count or state.failing_checks for state in states)

    # `sorted` is stable, and projects come sorted by name.
    return sorted(projects.values(), key=is_harmless)


def state_cells(to: Addresses, state: EnvironmentState, now: datetime) -> dict[str, Any]:
    """Return the cells of one environment of a project or a database."""
    run = state.run
    return {
        "state": state,
        "run": run,
        "name_address": to.database(run.project_name) if state.is_scan else to.project(run.project_name),
        "run_address": to.run(run.run_id),
        "age": age_phrase(run.counted_at, now),
        "is_stale": is_stale(run.counted_at, now),
        "build": build_outcome(run).removeprefix("build ") or ("" if run.build_errors is None else "unknown"),
        "build_tone": tone_of(run.build_status or ""),
        # A failed run is never compared.
        "changes": "" if run.status == FAILED else change_phrase(state.changes, is_scan=state.is_scan),
        "diff": to.diff(state.previous_run_id, run.run_id) if state.previous_run_id else None,
        "failed_address": to.run(state.failed_run.run_id) if state.failed_run else None,
        "quality_address": to.quality(run.project_name) if state.quality else None,
    }


def overview_sentence(overview: StoreOverview, now: datetime) -> str:
    """Return `3 projects; 2 have failing tests; 1 environment is stale`."""
    if not overview.environments:
        return "No runs are recorded"
    phrases = [store_size(len(overview.projects), len(overview.databases))]

    def named(projects: int) -> str:
        return plural(projects, "project") if overview.databases else count(projects)

    failing = _projects_with(overview, lambda state: bool(state.run.build_failures))
    errors = _projects_with(overview, lambda state: bool(state.run.build_errors))
    checks = _projects_with(overview, lambda state: bool(state.failing_checks))
    failed = sum(state.failed_run is not None for state in overview.environments)
    stale = sum(is_stale(state.run.counted_at, now) for state in overview.environments)
    if failing:
        phrases.append(f"{named(failing)} {'has' if failing == 1 else 'have'} failing tests")
    if errors:
        phrases.append(f"{named(errors)} {'has' if errors == 1 else 'have'} build errors")
    if checks:
        phrases.append(f"{named(checks)} {'has' if checks == 1 else 'have'} failing checks")
    if failed:
        phrases.append(f"the last run of {plural(failed, 'environment')} failed")
    # Only results can prove it: runs without any are counted apart.
    if not (failing or errors or checks or failed):
        phrases.append(_nothing_failed(overview))
    if stale:
        phrases.append(f"{plural(stale, 'environment')} {'is' if stale == 1 else 'are'} stale")
    return "; ".join(phrases)


def _nothing_failed(overview: StoreOverview) -> str:
    """Return that nothing failed, and how many environments have no results that could prove it."""
    states = [state for states in overview.projects.values() for state in states]
    unknown = sum(state.run.build_status is None for state in states)
    if not unknown:
        return "nothing failed"
    if unknown == len(states):
        return "no latest run has results of a build"
    return f"nothing failed, but {plural(unknown, 'environment')} {agree(unknown, 'lack')} results of a build"


def store_size(projects: int, databases: int) -> str:
    """Return `3 projects and 1 scanned database`; a zero is left out."""
    scanned = plural(databases, "scanned database")
    if not databases:
        return plural(projects, "project")
    return f"{plural(projects, 'project')} and {scanned}" if projects else scanned


def stores_sentence(sections: Sequence[Mapping[str, Any]]) -> str:
    """Return the size of all stores, and how many cannot be read."""
    # A store that cannot be read has a failure in place of an overview.
    read = [section["overview"] for section in sections if "overview" in section]
    phrases = [store_size(sum(len(one.projects) for one in read), sum(len(one.databases) for one in read))]
    failing = sum(one.failing_count for one in read)
    if failing:
        phrases.append(f"{plural(failing, 'failing node')}")
    checks = sum(state.failing_checks for one in read for state in one.environments)
    if checks:
        phrases.append(f"{plural(checks, 'failing check')}")
    if unread := len(sections) - len(read):
        phrases.append(f"{plural(unread, 'store')} cannot be read")
    return "; ".join(phrases)


def _projects_with(overview: StoreOverview, condition: Any) -> int:
    return sum(any(condition(state) for state in states) for states in overview.projects.values())


def overview_figures(
    to: Addresses, overview: StoreOverview, now: datetime
) -> list[tuple[str, str, str | None]]:
    """Return the figures of a store: number, words, address."""
    states = overview.environments
    newest = max((state.run.counted_at for state in states), default=None)
    scores = [state.quality.score for state in states if state.quality and state.quality.score is not None]
    tests = sum(state.run.build_failures or 0 for state in states)
    errors = sum(state.run.build_errors or 0 for state in states)
    failing = f"{to.root}#failing"
    found: list[tuple[str, str, str | None]] = [
        (count(number), noun if number == 1 else f"{noun}s", address)
        for number, noun, address in (
            (len(overview.projects), "project", None),
            (len(overview.databases), "database", to.of("databases")),
            (len(states), "environment", to.of("environments")),
            (sum(state.run_count for state in states), "complete run", to.runs(status=COMPLETE)),
            (tests, "failing test", failing),
            (errors, "build error", failing),
            (sum(state.failing_checks for state in states), "failing check", to.checks()),
        )
        if number
    ]
    if scores:
        # The lowest, because a mean hides the table that needs attention.
        found.append((f"{min(scores):.1f}", "lowest quality score", to.quality()))
    if newest is not None:
        found.append((age_phrase(newest, now), "since the latest run", None))
    return found


@pages.listing("/environments")
def environments(request: Request) -> Listing:
    """List the latest run of each environment of every project and scanned database."""
    view = request.view
    return Listing.of(
        "Environments",
        environment_columns(view.to),
        view.overview().environments,
        empty=NO_RUNS,
    )


def environment_columns(to: Addresses) -> list[ListColumn]:
    """Return the columns of a list of environments."""
    shown = ("project_name", "environment", "extractor", "command", "run", "run_at")

    def diff(state: EnvironmentState) -> str | None:
        return to.diff(state.previous_run_id, state.run.run_id) if state.previous_run_id else None

    def history(state: EnvironmentState) -> str:
        run = state.run
        # A scan's history is on the page of its database.
        if run.extractor == "database":
            return to.database(run.project_name)
        return to.of("projects", run.project_name, environment=run.environment)

    def number(name: str) -> Callable[[EnvironmentState], int | None]:
        return lambda state: getattr(state.changes, name, None)

    cells, links = run_columns(to, lambda state: state.run), {"environment": history}
    return [
        *(replace(cells[name], link=links.get(name, cells[name].link)) for name in shown),
        ListColumn("run_count", "runs", "number", about="Number of complete runs of the environment"),
        cells["node_count"],
        *(
            ListColumn(
                name,
                name,
                "number",
                of=number(name),
                link=diff,
                about="Nodes, compared with the previous run",
            )
            for name in ("added", "removed", "modified")
        ),
        *(cells[name] for name in ("build_status", "build_errors", "build_failures")),
        ListColumn(
            "score",
            "quality",
            "bar",
            of=lambda state: state.quality and state.quality.score,
            about="Score of the latest measurement of quality, from 0 to 100",
        ),
        ListColumn(
            "measured_at", "measured", "time", of=lambda state: state.quality and state.quality.measured_at
        ),
        ListColumn(
            "failed_run_id",
            "failed run",
            "code",
            of=lambda state: state.failed_run and state.failed_run.run_id,
            link=lambda state: to.run(state.failed_run.run_id) if state.failed_run else None,
        ),
        *(cells[name] for name in ("branch", "commit", "pull_request", "run_id")),
    ]
