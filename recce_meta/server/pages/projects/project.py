"""Page of a project: its runs over time, environments, branches and pull requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, NamedTuple

from recce_meta.api.browse.history import SHOWN, ProjectHistory, RunGroup, RunPoint, project_history
from recce_meta.api.browse.overview import EnvironmentState, StoreOverview, store_overview
from recce_meta.api.browse.run import BASE
from recce_meta.errors import UnknownNameError, plural
from recce_meta.models.run import RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.report.labels import age_phrase, build_outcome, is_stale, moment, short_run_id
from recce_meta.report.values import count
from recce_meta.server.access.problems import NotFound
from recce_meta.server.pages.nodes.notes import notes_listing
from recce_meta.server.pages.projects.overview import environment_columns
from recce_meta.server.pages.runs.columns import change_phrase, run_columns
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing
from recce_meta.server.site.rendering import Page
from recce_meta.store.marks.annotations import list_annotations

pages = PageSet()
RUN_PREVIEW = (
    "run", "environment", "run_at", "branch", "commit", "pull_request", "node_count", "problem",
)  # fmt: skip
ENVIRONMENT_PREVIEW = (
    "environment", "run", "run_at", "run_count", "node_count", "added", "removed", "modified", "build_status",
    "score", "branch",
)  # fmt: skip
GROUP_PREVIEW = (
    "name", "run_count", "environments", "branches", "run", "run_at", "commit", "build_status",
    "problem", "diff",
)  # fmt: skip
NOTES_PREVIEW = ("edited_at", "author", "field", "text", "object", "unique_id", "column")
"""Columns of the short lists on the page of a project."""


@pages.page("/projects/{project}")
def project_page(request: Request) -> Page | Redirect:
    """Show a project; `?environment=` chooses the history. A project that was only scanned is a database."""
    view, name = request.view, request.parts["project"]
    overview = _overview(request)
    # Links of lists know the name only, which scans and runs of dbt share.
    if not overview.projects and overview.databases:
        return Redirect(view.to.database(name))
    history = _history(request, request.query.get("environment"))
    now = datetime.now(timezone.utc)
    columns = run_columns(view.to)
    values = {
        "project": name,
        "history": history,
        "sentence": project_sentence(overview, now),
        "figures": project_figures(view.to, overview, history),
        "chart": run_chart(history.points),
        "points": [point_row(view.to, point) for point in reversed(history.points)],
        "shown": SHOWN,
        "environments": _narrow(_environments(request, overview), ENVIRONMENT_PREVIEW),
        "branches": _narrow(_groups(request, "branches", history.branches, history.base), GROUP_PREVIEW),
        "pull_requests": _narrow(
            _groups(request, "pull-requests", history.pull_requests, history.base), GROUP_PREVIEW
        ),
        "runs": Listing.of("Latest runs", [columns[name] for name in RUN_PREVIEW], history.recent),
        "is_database": bool(overview.databases),
        "annotations": _annotations(request),
        "annotations_address": view.to.notes(project_name=name, state="present"),
    }
    return Page("project.html", name, values, crumbs=[("Overview", view.to.root)], is_kept=False)


def _annotations(request: Request) -> Listing:
    """Return the present notes, tags and owners of the project, newest first."""
    view, name = request.view, request.parts["project"]
    events = list_annotations(view.adapter, project=name)
    listing = replace(
        notes_listing(view, events, "Notes, tags and owners"),
        empty="No note, tag or owner is stored: the page of a node has a form, and recce-meta note adds one.",
    )
    return listing.narrowed(NOTES_PREVIEW)


def _narrow(listing: Listing, names: Sequence[str]) -> Listing:
    return replace(listing, columns=[column for column in listing.columns if column.name in names])


def _overview(request: Request) -> StoreOverview:
    view, name = request.view, request.parts["project"]
    found = view.cached(("overview", name), lambda: store_overview(view.adapter, project=name))
    # An unknown name would otherwise be a project without runs.
    if not found.environments:
        known = sorted(view.overview().projects)
        error = UnknownNameError("project", name, known)
        raise NotFound(error.message, hint=error.hint or "the overview lists all projects")
    return found


def _history(request: Request, environment: str | None = None) -> ProjectHistory:
    view, name = request.view, request.parts["project"]
    results = ("results of runs", name, environment)

    def build() -> ProjectHistory:
        # Results never change, so they are counted again only for new runs.
        # By a key without the version, so that they outlive a write.
        known = view.store.results.get(results)
        found = project_history(view.adapter, name, environment=environment, known=known)
        if found is None:
            raise NotFound(
                f"Project '{name}' has no run of environment '{environment}'",
                hint="the page of the project lists its environments",
            )
        counted = {point.run.run_id: point.results for point in found.points if point.results is not None}
        view.store.results.put(results, counted)
        return found

    return view.cached(("history", name, environment), build)


def project_sentence(overview: StoreOverview, now: datetime) -> str:
    """Return the state of the latest run, and of the environments that need attention."""
    states = [state for state in overview.environments if not state.is_scan]
    latest = max(states, key=lambda state: state.run.counted_at)
    run = latest.run
    outcome = build_outcome(run) or "no results of a build"
    phrases = [f"The latest run, of {run.environment}, is {age_phrase(run.counted_at, now)} old: {outcome}"]
    failing = sum(bool(state.problem_count) for state in states if state is not latest)
    if failing:
        phrases.append(f"{plural(failing, 'other environment')} {'has' if failing == 1 else 'have'} failures")
    stale = sum(is_stale(state.run.counted_at, now) for state in states)
    if stale:
        phrases.append(f"{plural(stale, 'environment')} {'is' if stale == 1 else 'are'} stale")
    return "; ".join(phrases)


def project_figures(
    to: Addresses, overview: StoreOverview, history: ProjectHistory
) -> list[tuple[str, str, str | None]]:
    """Return the figures of a project: number, words, address."""
    name = history.project_name
    failures = sum(state.problem_count for state in overview.environments)
    figures: list[tuple[int, str, str | None]] = [
        # The list of runs has the scans of that name as well.
        (history.run_count, "run", None if overview.databases else to.runs(project_name=name)),
        (len(history.environments), "environment", to.project(name, "environments")),
        (len(history.branches), "branch", to.project(name, "branches")),
        (len(history.pull_requests), "pull request", to.project(name, "pull-requests")),
        (failures, "failing node", None),
    ]
    return [
        (count(number), noun if number == 1 else "branches" if noun == "branch" else f"{noun}s", address)
        for number, noun, address in figures
        if number
    ]


class Bar(NamedTuple):
    """One bar of a chart, in a space of 100 units of height."""

    x: int
    title: str
    parts: tuple[tuple[str, float, float], ...]
    """Class, y and height of each part."""


class Chart(NamedTuple):
    """Bars of one figure over time, with its labels."""

    name: str
    about: str
    highest: str
    """Text of the largest value."""
    label: str
    """Description for readers without the picture."""
    bars: tuple[Bar, ...]


UNKNOWN = "unknown"
LEAST_HEIGHT = 1.5
"""Height of the smallest bar that is not zero."""


def run_chart(points: Sequence[RunPoint]) -> list[Chart]:
    """Return a chart for nodes, changes, duration and failures; empty for less than two runs."""
    if len(points) < 2:
        return []
    charts = [
        _chart(
            "Nodes", "Number of nodes", points, lambda point: [("current", point.run.node_count)], _number
        ),
        _chart(
            "Changes",
            "Nodes added, removed or modified since the previous run",
            points,
            _changed,
            _number,
            lambda point: change_phrase(point.changes),
        ),
        _chart("Work", "Seconds of work: a sum over nodes, not elapsed time", points, _worked, _seconds),
        _chart("Failures", "Nodes with an error and failed tests", points, _failed, _number),
    ]
    return [chart for chart in charts if chart is not None]


def _changed(point: RunPoint) -> list[tuple[str, float]]:
    changes = point.changes
    if changes is None:
        return []
    return [("removed", changes.removed), ("changed", changes.modified), ("added", changes.added)]


def _worked(point: RunPoint) -> list[tuple[str, float]]:
    return [("current", point.results.seconds)] if point.results else []


def _failed(point: RunPoint) -> list[tuple[str, float]]:
    # Without a status of the build, zero failures would be a guess.
    return [("failed", point.problem_count)] if point.run.build_status else []


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _seconds(value: float) -> str:
    return f"{value:,.1f} s"


def _chart(
    name: str,
    about: str,
    points: Sequence[RunPoint],
    parts_of: Callable[[RunPoint], list[tuple[str, float]]],
    shown: Callable[[float], str],
    words_of: Callable[[RunPoint], str] | None = None,
) -> Chart | None:
    """Return the chart of the parts of *points*; runs without parts are unknown, and None if all are."""
    values = [parts_of(point) for point in points]
    totals = [sum(value for _, value in parts) if parts else None for parts in values]
    known = [total for total in totals if total is not None]
    if not known:
        return None
    highest = max(known)
    bars = []
    for x, (point, parts, total) in enumerate(zip(points, values, totals, strict=True)):
        words = words_of(point) if words_of else UNKNOWN if total is None else shown(total)
        bars.append(Bar(x, f"{moment(point.run.run_at)}: {words}", tuple(heights(parts, highest))))
    unknown = len(points) - len(known)
    label = (
        f"{about} in {plural(len(points), 'run')}: from {shown(min(known))} to {shown(highest)}, "
        f"last {UNKNOWN if totals[-1] is None else shown(totals[-1])}"
        + (f", unknown in {plural(unknown, 'run')}" if unknown else "")
    )
    return Chart(name, about, shown(highest), label, tuple(bars))


def heights(parts: Iterable[tuple[str, float]], highest: float) -> Iterable[tuple[str, float, float]]:
    top = 100.0
    for name, value in parts:
        if value and highest:
            # One failure among thousands must be visible.
            height = max(LEAST_HEIGHT, 100.0 * value / highest)
            # Heights that were raised may exceed the picture together.
            top = max(0.0, top - height)
            yield name, top, height


def point_row(to: Addresses, point: RunPoint) -> dict[str, Any]:
    """Return the row of one run in the table below the charts."""
    run = point.run
    return {
        "address": to.run(run.run_id),
        "id": short_run_id(run.run_id),
        "run_at": run.run_at,
        "branch": run.branch or "",
        "node_count": run.node_count,
        "changes": change_phrase(point.changes),
        "changes_address": to.run(run.run_id, "changes"),
        "seconds": _seconds(point.results.seconds) if point.results else "",
        "build": build_outcome(run).removeprefix("build "),
        "is_failed": bool(point.problem_count),
    }


@pages.listing("/projects/{project}/environments")
def project_environments(request: Request) -> Listing:
    """List the latest run of each environment of a project."""
    return _environments(request, _overview(request))


def _environments(request: Request, overview: StoreOverview) -> Listing:
    to, name = request.to, request.parts["project"]
    states: list[EnvironmentState] = [state for state in overview.environments if not state.is_scan]
    dropped = ("project_name", "command", "extractor")
    return Listing.of(
        f"Environments of {name}",
        [column for column in environment_columns(to) if column.name not in dropped],
        states,
        crumbs=_crumbs(to, name),
    )


@pages.listing("/projects/{project}/branches")
def branches(request: Request) -> Listing:
    """List the branches of a project with their latest runs."""
    _overview(request)
    history = _history(request)
    return _groups(request, "branches", history.branches, history.base)


@pages.listing("/projects/{project}/pull-requests")
def pull_requests(request: Request) -> Listing:
    """List the pull requests of a project with their latest runs."""
    _overview(request)
    history = _history(request)
    return _groups(request, "pull-requests", history.pull_requests, history.base)


_KINDS = {
    "branches": ("Branches", "branch", "No run has a branch: recce-meta record finds it in git or CI."),
    "pull-requests": (
        "Pull requests",
        "pull request",
        "No run has a pull request: recce-meta record finds it in CI, or use --pull-request.",
    ),
}
"""Title, noun and sentence for an empty list, by the last part of the address."""


def _groups(request: Request, part: str, groups: Sequence[RunGroup], base: RunMetadata | None) -> Listing:
    """Return the list of *groups*; each leads to its runs, its latest run and the diff against base."""
    to, name = request.to, request.parts["project"]
    title, noun, empty = _KINDS[part]
    field = "branch" if part == "branches" else "pull_request"
    columns = run_columns(to, lambda group: group.latest)

    def base_of(group: RunGroup) -> str | None:
        # A diff of a run with itself, or of base with base, shows nothing about a branch.
        if base is None or group.latest.environment == BASE or group.latest.run_id == base.run_id:
            return None
        return base.run_id

    def diff(group: RunGroup) -> str | None:
        before = base_of(group)
        return to.diff(before, group.latest.run_id) if before else None

    return Listing.of(
        f"{title} of {name}",
        [
            ListColumn("name", noun, link=lambda group: to.runs(project_name=name, **{field: group.name})),
            ListColumn("run_count", "runs", "number"),
            ListColumn("environments", "environments", of=lambda group: ", ".join(group.environments)),
            *(
                []
                if field == "branch"
                else [ListColumn("branches", "branches", of=lambda group: ", ".join(group.branches) or None)]
            ),
            replace(columns["run"], title="latest run"),
            columns["run_at"],
            columns["commit"],
            columns["node_count"],
            columns["build_status"],
            columns["problem"],
            ListColumn(
                "diff",
                "diff",
                of=lambda group: "against base" if base_of(group) else None,
                link=diff,
                about=f"Diff of the latest run against the latest run of {BASE}",
            ),
            columns["run_id"],
            ListColumn(
                "base_run_id",
                "base run id",
                "code",
                of=base_of,
                link=lambda group: to.run(base.run_id) if base is not None and base_of(group) else None,
            ),
        ],
        groups,
        empty=empty,
        crumbs=_crumbs(to, name),
    )


def _crumbs(to: Addresses, name: str) -> list[tuple[str, str]]:
    return [("Overview", to.root), (name, to.project(name))]
