"""Forms of connections: add, change, extract, cancel, test and remove.

A form that is refused is shown again with the reason, and never with a secret.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from recce_meta.api.diff import EFFECTS
from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.models.run import IsolationKind
from recce_meta.plugins import connection_types
from recce_meta.report.addresses import DEFAULT_STORE
from recce_meta.repositories.answers import ConnectionAnswer, ConnectionTest
from recce_meta.repositories.requests import (
    SECRET_FIELDS,
    ConnectionChange,
    DatabaseChange,
    NewConnection,
)
from recce_meta.repositories.service import ConnectionTestFailed
from recce_meta.server.connections.lists import CRUMB, own_crumbs
from recce_meta.server.connections.pages import USUAL_MINUTES
from recce_meta.server.connections.routing import (
    ROOT,
    ConnectionPages,
    ConnectionRequest,
    address_of,
    require_admin,
)
from recce_meta.server.problems import problem
from recce_meta.server.rendering import Page
from recce_meta.server.serving import Redirect
from recce_meta.warehouses import available

pages = ConnectionPages()

Fields = Mapping[str, str]
Value = TypeVar("Value")
_PLAIN = ("name", "branch", "subdirectory", "store", "environment")
"""Fields that are text, and keep their default if they are empty."""
_OPTIONAL = ("token_env", "adapter", "dbt_version")
"""Fields that an empty field of the form sets to null."""
_FLAGS = ("is_trusted", "requires_dbt", "watches_pull_requests", "runs_checks")
_OF_REPOSITORY = ("poll_minutes", "watches_pull_requests", "fail_on", "token_env", "github_app")
"""Fields without a meaning for a connection that is only uploaded to; its form does not have them."""
_HIDDEN = frozenset((*SECRET_FIELDS, "notify"))
"""Fields that a page never repeats."""


@pages.page("/new")
def new(request: ConnectionRequest) -> Page:
    """Show the form that connects a repository."""
    # The page itself is refused too: its form could not be sent.
    require_admin(request)
    usual = {"environment": "prod", "poll_minutes": f"{USUAL_MINUTES}", "watches_pull_requests": "on"}
    return _form(request, usual)


@pages.action("")
async def add(request: ConnectionRequest) -> Page | Redirect:
    """Connect a repository, and show its page; without success, show the form again."""
    require_admin(request)
    fields = request.form
    try:
        # The address is only in this form: a connection of another repository is another connection.
        given = {"repo_url": fields.get("repo_url", ""), "type": fields.get("type") or None}
        wanted = converted({**_given(fields), **given, **_upload_only(fields)}, NewConnection)
        added = await request.service.add(
            wanted, caller=request.caller, is_tested="is_untested" not in fields
        )
    except RecceMetaError as error:
        # Shown with all fields but secrets, so that one mistake does not cost the whole form.
        return _form(request, fields, error=error)
    return Redirect(address_of(added.connection.id))


@pages.page("/{id}/edit")
def edit(request: ConnectionRequest) -> Page | Redirect:
    """Show the form that changes a connection."""
    require_admin(request)
    found = request.service.get(request.connection)
    if found.database is not None:
        return Redirect(address_of(found.id, "database"))
    return _form(request, _fields(found), found)


@pages.action("/{id}/edit")
def change(request: ConnectionRequest) -> Page | Redirect:
    """Change a connection, and show its page; without success, show the form again."""
    require_admin(request)
    found = request.service.get(request.connection)
    try:
        wanted = converted(_given(request.form, found), ConnectionChange)
        request.service.set(found.id, wanted, caller=request.caller)
    except RecceMetaError as error:
        return _form(request, request.form, found, error=error)
    return Redirect(address_of(found.id))


@pages.action("/{id}/extract")
def extract(request: ConnectionRequest) -> Redirect:
    """Request an extraction, and show its job."""
    require_admin(request)
    found = request.service.get(request.connection)
    # A button of a database names what it asks for.
    job = request.service.extract(found.id, caller=request.caller, branch=request.form.get("branch"))
    return Redirect(address_of(found.id, "jobs", job.job_id))


@pages.action("/{id}/automatic")
def turn(request: ConnectionRequest) -> Redirect:
    """Turn automatic refresh on, with the interval of the form, or off, and show the connection."""
    require_admin(request)
    found = request.service.get(request.connection)
    minutes = minutes_of(request.form.get("minutes"))
    if found.database is None:
        change = ConnectionChange(poll_minutes=minutes)
    else:
        change = ConnectionChange(database=DatabaseChange(scan_minutes=minutes))
    request.service.set(found.id, change, caller=request.caller)
    return Redirect(address_of(found.id))


@pages.action("/{id}/jobs/{job}/cancel")
def cancel(request: ConnectionRequest) -> Redirect:
    """Cancel a job, and show its page."""
    require_admin(request)
    found = request.service.get(request.connection)
    job = request.service.cancel(found.id, request.parts["job"])
    return Redirect(address_of(found.id, "jobs", job.job_id))


@pages.action("/{id}/test")
async def test(request: ConnectionRequest) -> Page:
    """Test a connection, and show what was checked."""
    require_admin(request)
    # The state is read with blocking calls, which a coroutine must not make itself.
    found = await asyncio.to_thread(request.service.get, request.connection)
    outcome: ConnectionTest = await request.service.test_stored(found.id)
    values = {"test": outcome, "address": address_of(found.id)}
    crumbs = (CRUMB, (found.name, address_of(found.id)))
    return Page("connection_test.html", f"Test of {found.name}", values, crumbs=crumbs, is_kept=False)


@pages.action("/{id}/remove")
def remove(request: ConnectionRequest) -> Redirect:
    """Remove a connection, whose name the form repeats, and show the list."""
    require_admin(request)
    found = request.service.get(request.connection)
    # A click must not be enough: secrets and history are lost with the connection.
    if request.form.get("confirm") != found.name:
        raise UsageError(
            "The name of the connection is not confirmed", hint="go back, and enter its name to remove it"
        )
    request.service.remove(found.id)
    return Redirect(ROOT)


def _form(
    request: ConnectionRequest,
    fields: Fields,
    found: ConnectionAnswer | None = None,
    *,
    error: RecceMetaError | None = None,
) -> Page:
    """Return the form for a new connection or for *found*, with *fields* but for secrets."""
    values = {
        # A page could stay in the cache or the history of a browser.
        "fields": {name: value for name, value in fields.items() if name not in _HIDDEN},
        "is_upload_only": found is not None and found.is_upload_only,
        "action": ROOT if found is None else address_of(found.id, "edit"),
        "forges": connection_types(),
        "adapters": available(),
        "isolations": [one.value for one in IsolationKind],
        "conditions": ", ".join((*EFFECTS, "removed", "any")),
    }
    return form_page(request, "connection_form.html", "Connect a repository", values, found, error)


def form_page(
    request: ConnectionRequest,
    template: str,
    title: str,
    values: Mapping[str, Any],
    found: ConnectionAnswer | None,
    error: RecceMetaError | None,
) -> Page:
    """Return the form of *template* with *values*; *title* is that of a new connection."""
    failure = None if error is None else problem(error)
    shared = {
        "connection": found,
        "failure": failure,
        "test": error.test if isinstance(error, ConnectionTestFailed) else None,
        "cancelled": ROOT if found is None else address_of(found.id),
        "store_names": list(request.site.stores) or [DEFAULT_STORE],
    }
    crumbs = (CRUMB,) if found is None else own_crumbs(found)
    status = 200 if failure is None else failure.status
    # The page exists, and only a name in one of its fields does not.
    status = 400 if status == 404 else status
    title = title if found is None else f"Change {found.name}"
    return Page(template, title, {**shared, **values}, crumbs=crumbs, status=status, is_kept=False)


def _given(fields: Fields, found: ConnectionAnswer | None = None) -> dict[str, Any]:
    """Return the values of the form's *fields*: all of them for a new connection, else changed ones."""
    before = {} if found is None else _fields(found)
    # Browsers send empty fields as well: these keep the default.
    given: dict[str, Any] = {name: fields[name] for name in _PLAIN if fields.get(name)}
    # Empty is a value here: the folder of the repository's only project.
    given["subdirectory"] = fields.get("subdirectory", "")
    for name in _OPTIONAL:
        # An empty field is sent as null only if there is something to remove.
        if fields.get(name) or before.get(name):
            given[name] = fields.get(name)
    # The form never shows a secret, so an empty field leaves the stored one.
    given |= {name: fields[name] for name in SECRET_FIELDS if fields.get(name)}
    # Browsers leave out a box that is not ticked.
    given |= {name: name in fields for name in _FLAGS}
    given["branches"] = tuple(filter(None, map(str.strip, fields.get("branches", "").split(","))))
    given["fail_on"] = (
        tuple(re.split(r"[,\s]+", fields["fail_on"].strip(", "))) if fields.get("fail_on") else ()
    )
    given |= addresses_of(fields)
    given["isolation"] = fields.get("isolation")
    given["profile"] = {name: fields.get(name) for name in ("target", "schema", "database")}
    given["variables"] = _variables(fields.get("variables", ""))
    given["poll_minutes"] = minutes_of(fields.get("poll_minutes"))
    # Both ids belong together; an empty app id removes the app.
    if fields.get("app_id") or before.get("app_id"):
        ids = {name: fields.get(name, "") for name in ("app_id", "installation_id")}
        given["github_app"] = ids if fields.get("app_id") else None
    if found is None:
        return given
    is_same = {"token_env": found.token_env, "is_trusted": found.is_trusted}
    dropped = _OF_REPOSITORY if found.is_upload_only else ()
    return {
        name: value
        for name, value in given.items()
        if name not in dropped and (name not in is_same or value != is_same[name])
    }


def addresses_of(fields: Fields) -> dict[str, tuple[str, ...]]:
    """Return the addresses of notifications that *fields* set; an empty field keeps the stored ones."""
    if addresses := tuple(filter(None, map(str.strip, fields.get("notify", "").splitlines()))):
        return {"notify": addresses}
    return {"notify": ()} if "removes_notify" in fields else {}


def _upload_only(fields: Fields) -> dict[str, Any]:
    """Return what replaces the values of the form for a connection that is only uploaded to."""
    if "is_upload_only" not in fields:
        return {}
    return {"is_upload_only": True, "poll_minutes": None, "watches_pull_requests": False}


def _variables(text: str) -> dict[str, str]:
    """Return the variables of lines such as `NAME=VALUE`. Raises UsageError for another line."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        # Only the first sign separates: values may contain others.
        name, sign, value = line.partition("=")
        if not sign:
            raise UsageError("A variable has no value", hint="write one NAME=VALUE in each line")
        found[name.strip()] = value
    return found


def minutes_of(text: str | None) -> float | None:
    """Return the interval; None for an empty field. Raises UsageError unless it is a number."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise UsageError("The interval is not a number", hint="give minutes, or nothing for never") from None


def converted(given: Mapping[str, Any], kind: Callable[..., Value]) -> Value:
    """Return *given* as a request. Raises UsageError for a value that it cannot have."""
    try:
        # The same types as of the API, so that both accept the same values.
        return msgspec.convert(given, kind)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        raise UsageError(f"Invalid field: {error}", hint="choose one of the offered values") from None


def _fields(found: ConnectionAnswer) -> dict[str, str]:
    """Return the fields of the form that shows *found*."""
    given: dict[str, object] = {
        # Names of fields are those that `_given` reads: a form that is sent unchanged changes nothing.
        **{name: getattr(found, name) for name in (*_PLAIN, "token_env", "adapter")},
        # The first is the main branch, which has a field of its own.
        "branches": ", ".join(found.branches[1:]),
        "fail_on": ", ".join(found.fail_on),
        "dbt_version": found.required_dbt_version,
        "isolation": found.isolation and found.isolation.value,
        "target": found.profile.target,
        "schema": found.profile.schema,
        "database": found.profile.database,
        "variables": "\n".join(f"{name}={value}" for name, value in found.variables.items()),
        "poll_minutes": None if found.poll_minutes is None else f"{found.poll_minutes:g}",
        "app_id": found.github_app and found.github_app.app_id,
        "installation_id": found.github_app and found.github_app.installation_id,
        **{name: "on" for name in _FLAGS if getattr(found, name)},
    }
    return {name: str(value) for name, value in given.items() if value}
