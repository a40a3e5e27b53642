"""Forms that connect a database, and change its connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.repositories.answers import ConnectionAnswer
from recce_meta.repositories.requests import ConnectionChange, NewConnection
from recce_meta.server.connections.forms import addresses_of, converted, form_page, minutes_of
from recce_meta.server.connections.routing import (
    ROOT,
    ConnectionPages,
    ConnectionRequest,
    address_of,
    require_admin,
)
from recce_meta.server.rendering import Page
from recce_meta.server.serving import Redirect

pages = ConnectionPages()

Fields = Mapping[str, str]
_LOGINS = ("url_env", "profile", "target")
_LISTS = ("schemas", "include", "exclude")
_MINUTES = ("scan_minutes", "quality_minutes")


@pages.page("/new-database")
def new(request: ConnectionRequest) -> Page:
    """Show the form that connects a database."""
    require_admin(request)
    return database_form(request, {"environment": "prod", "scan_minutes": "60", "quality_minutes": "1440"})


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
        **{name: getattr(own, name) for name in (*_LOGINS, "project")},
        **{name: ", ".join(getattr(own, name)) for name in _LISTS},
        "scan_minutes": None if found.poll_minutes is None else f"{found.poll_minutes:g}",
        "quality_minutes": None if own.quality_minutes is None else f"{own.quality_minutes:g}",
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
        "action": f"{ROOT}/new-database" if found is None else address_of(found.id, "database"),
    }
    return form_page(request, "database_form.html", "Connect a database", values, found, error)


def _given(fields: Fields) -> dict[str, Any]:
    """Return the values of the form's *fields*; browsers send empty fields as well."""
    own: dict[str, Any] = {name: fields[name] for name in ("url", *_LOGINS) if fields.get(name)}
    own["project"] = fields.get("project") or None
    own |= {name: _listed(fields.get(name, "")) for name in _LISTS}
    own |= {name: minutes_of(fields.get(name)) for name in _MINUTES}
    given: dict[str, Any] = {
        name: fields[name] for name in ("name", "store", "environment") if fields.get(name)
    }
    given["fail_on"] = _listed(fields.get("fail_on", ""))
    return {**given, **addresses_of(fields), "database": own}


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, re.split(r"[,\n]", text))))
