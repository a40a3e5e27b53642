"""List of connected databases, and the forms that connect one and change its connection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from recce_meta.api.browse.overview import EnvironmentState, Score
from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.report.addresses import Addresses
from recce_meta.repositories.options.connections import ConnectionOptions, DatabaseSettings
from recce_meta.repositories.options.declaring import options_of
from recce_meta.repositories.service.answers import ActiveJob, ConnectionAnswer
from recce_meta.repositories.state.requests import ConnectionChange, NewConnection, NewDatabase
from recce_meta.repositories.state.summaries import last_issues
from recce_meta.repositories.state.types import project_of, run_id_of_job
from recce_meta.server.access.problems import Problem
from recce_meta.server.pages.connections.forms import (
    Fields,
    addresses_of,
    converted,
    form_page,
    inputs_of,
    listed,
    read_options,
    shown_options,
)
from recce_meta.server.pages.connections.freshness import (
    Sentence,
    current_jobs,
    freshness,
    sentence_html,
    sentence_text,
)
from recce_meta.server.pages.connections.lists import CRUMB, line, tag, worker_notes
from recce_meta.server.pages.connections.routing import (
    ROOT,
    ConnectionRequest,
    address_of,
    require_admin,
)
from recce_meta.server.site.handlers import PageSet, Redirect
from recce_meta.server.site.listing import ListColumn, Listing
from recce_meta.server.site.rendering import Page
from recce_meta.server.stores.stores import StoreView

pages = PageSet()

_LOGINS = ("url_env", "profile", "target")
_OF_REPOSITORIES = {name: one for name, one in options_of(ConnectionOptions).items() if not one.is_of_any}
_Place = tuple[str, str, str]
"""Store, project and environment."""


@pages.listing("/databases")
def databases(request: ConnectionRequest) -> Listing:
    """List the connected databases with their latest scan and measurement, and the next one."""
    service, now = request.service, datetime.now(timezone.utc)
    jobs = current_jobs(service.active())
    found = [one for one in service.list() if one.database is not None]
    scans, notes = _latest_scans(request, {one.store for one in found})
    issues = last_issues(service.state)
    items = []
    for one in found:
        # Before its first scan, what the store has under its project may be of another database.
        scan = scans.get(_place(one)) if one.last_extraction_at else None
        items.append(_Database(one, scan, jobs.get(one.id), issues.get(one.id)))
    return Listing.of(
        "Databases",
        _columns(now),
        items,
        empty="No database is connected.",
        notes=[*notes, *worker_notes(request)],
        crumbs=(CRUMB,),
        # Workers and other web processes change the state, which no version of a store shows.
        is_kept=False,
    )


def _place(one: ConnectionAnswer) -> _Place:
    return one.store, project_of(one), one.environment


def _latest_scans(
    request: ConnectionRequest, stores: Collection[str]
) -> tuple[Mapping[_Place, EnvironmentState], list[str]]:
    """Return the latest scan of each place in *stores*, and a note for each store that cannot be read."""
    scans: dict[_Place, EnvironmentState] = {}
    notes = [
        f"This server does not open the store {name}" for name in stores if name not in request.site.stores
    ]
    for store, overview in request.site.read_all(StoreView.overview).items():
        if isinstance(overview, Problem):
            notes += [f"The store {store} cannot be read: {overview.message}"] if store in stores else []
            continue
        for states in overview.databases.values():
            # A change of the schemas to scan begins a history of its own.
            for state in sorted(states, key=lambda one: one.run.counted_at):
                scans[store, state.run.project_name, state.run.environment] = state
    return scans, notes


class _Database(NamedTuple):
    one: ConnectionAnswer
    state: EnvironmentState | None
    job: ActiveJob | None
    last: tuple[str, int] | None

    @property
    def quality(self) -> Score | None:
        return None if self.state is None else self.state.quality

    def page(self, *parts: str) -> str:
        store, project, environment = _place(self.one)
        return Addresses(store).database(project, *parts, environment=environment)

    def measurements(self) -> str:
        store, project, environment = _place(self.one)
        return Addresses(store).quality(project=project, environment=environment)


def _issues(quality: Score, last: tuple[str, int] | None) -> int:
    """Return the number of issues: by the *last* job, unless *quality* was measured in another way."""
    if last is not None and run_id_of_job(last[0]) == quality.quality_run_id:
        # A store has the conditions of quality.yml, not those of a connection.
        return last[1]
    return quality.violations + quality.failed_count


_COLUMNS_OF_QUALITY: list[ListColumn] = [
    ListColumn(
        "score",
        "score",
        "bar",
        of=lambda each: each.quality and each.quality.score,
        link=_Database.measurements,
        about="Mean score of the tables in the latest measurement, from 0 to 100.",
    ),
    ListColumn(
        "issues",
        "issues",
        "number",
        of=lambda each: each.quality and _issues(each.quality, each.last),
        link=_Database.measurements,
        about="Tables that could not be measured, and failed conditions, of the latest measurement.",
    ),
    ListColumn("measured_at", "measured", "time", of=lambda each: each.quality and each.quality.measured_at),
]


def _columns(now: datetime) -> list[ListColumn]:
    def sentence(each: _Database) -> Sentence:
        return freshness(each.one, each.job, now)

    return [
        ListColumn(
            "name", "database", of=lambda each: each.one.name, link=lambda each: address_of(each.one.id)
        ),
        ListColumn(
            "freshness",
            "freshness",
            of=lambda each: sentence_text(sentence(each), now),
            body=lambda each: sentence_html(sentence(each), now),
        ),
        tag("status", "status", of=lambda each: each.one.status),
        line("error", "last error", of=lambda each: each.one.error),
        ListColumn(
            "scanned_at",
            "latest scan",
            "time",
            of=lambda each: each.state and each.state.run.run_at,
            link=lambda each: each.state and each.page(),
        ),
        ListColumn(
            "objects",
            "objects",
            "number",
            of=lambda each: each.state and each.state.run.node_count,
            about="Schemas, tables and views of the latest scan.",
        ),
        ListColumn(
            "changes",
            "changes",
            "number",
            of=lambda each: each.state and each.state.changes and each.state.changes.total,
            link=lambda each: each.state and each.page("changes"),
            about="Objects that differ from the scan before; empty for the first.",
        ),
        *_COLUMNS_OF_QUALITY,
        ListColumn("next_check_at", "next run", "time", of=lambda each: each.one.next_check_at),
        ListColumn(
            "adapter",
            "warehouse",
            has_facets=True,
            of=lambda each: each.state and each.state.run.adapter_type,
        ),
        ListColumn("address", "address", of=lambda each: each.one.repo_url),
        ListColumn("project", "project", of=lambda each: project_of(each.one)),
        ListColumn("store", "store", has_facets=True, of=lambda each: each.one.store),
        ListColumn("environment", "environment", has_facets=True, of=lambda each: each.one.environment),
        ListColumn("id", "id", "code", of=lambda each: each.one.id),
    ]


@pages.page("/new-database")
def new(request: ConnectionRequest) -> Page:
    """Show the form that connects a database."""
    require_admin(request)
    return database_form(request, {"environment": "prod", **shown_options(DatabaseSettings, NewDatabase())})


@pages.action("/new-database")
async def add(request: ConnectionRequest) -> Page | Redirect:
    """Connect a database, and show its page; without success, show the form again."""
    require_admin(request)
    fields = request.form
    try:
        wanted = converted({"repo_url": "", **_given(fields)}, NewConnection)
        added = await request.service.add(
            wanted, caller=request.caller, is_tested="is_untested" not in fields
        )
    except RecceMetaError as error:
        return database_form(request, fields, error=error)
    return Redirect(address_of(added.connection.id))


@pages.page("/{id}/database")
def edit(request: ConnectionRequest) -> Page:
    """Show the form that changes the connection of a database."""
    require_admin(request)
    found = request.service.get(request.connection)
    return database_form(request, database_fields(found), found)


@pages.action("/{id}/database")
def change(request: ConnectionRequest) -> Page | Redirect:
    """Change the connection of a database, and show its page; without success, show the form again."""
    require_admin(request)
    found = request.service.get(request.connection)
    try:
        request.service.set(found.id, change_of(request.form, found), caller=request.caller)
    except RecceMetaError as error:
        return database_form(request, request.form, found, error=error)
    return Redirect(address_of(found.id))


def change_of(fields: Fields, found: ConnectionAnswer) -> ConnectionChange:
    """Return the change of the database *found* that the form's *fields* ask for."""
    given = _given(fields)
    own, before = given["database"], database_fields(found)
    # A login that is sent as it was shown is not a new one, which would replace the stored URL.
    if all(fields.get(name, "") == before.get(name, "") for name in _LOGINS):
        for name in _LOGINS:
            own.pop(name, None)
    return converted(given, ConnectionChange)


def database_fields(found: ConnectionAnswer) -> dict[str, str]:
    """Return the fields of the form that shows the database *found*."""
    own = found.database
    if own is None:
        raise UsageError(f"{found.name} is not a database", hint="change it in its own settings")
    given: dict[str, object] = {
        **{name: getattr(found, name) for name in ("name", "store", "environment")},
        **{name: getattr(own, name) for name in _LOGINS},
        **shown_options(DatabaseSettings, own),
        "scan_minutes": None if found.poll_minutes is None else f"{found.poll_minutes:g}",
        "fail_on": ", ".join(found.fail_on),
    }
    return {name: str(value) for name, value in given.items() if value}


def database_form(
    request: ConnectionRequest,
    fields: Fields,
    found: ConnectionAnswer | None = None,
    *,
    error: RecceMetaError | None = None,
) -> Page:
    """Return the form for a new database or for *found*, with *fields* but for secrets."""
    values = {
        # A page could stay in the cache or the history of a browser.
        "fields": {name: value for name, value in fields.items() if name not in ("url", "notify")},
        "inputs": inputs_of(ConnectionOptions, DatabaseSettings, without=_OF_REPOSITORIES, conditions=""),
        "action": f"{ROOT}/new-database" if found is None else address_of(found.id, "database"),
    }
    return form_page(request, "database_form.html", "Connect a database", values, found, error)


def _given(fields: Fields) -> dict[str, Any]:
    """Return the values of the form's *fields*; browsers send empty fields as well."""
    own: dict[str, Any] = {name: fields[name] for name in ("url", *_LOGINS) if fields.get(name)}
    own |= read_options(DatabaseSettings, fields)
    given: dict[str, Any] = {
        name: fields[name] for name in ("name", "store", "environment") if fields.get(name)
    }
    given["fail_on"] = listed(fields.get("fail_on", ""))
    return {**given, **addresses_of(fields), "database": own}
