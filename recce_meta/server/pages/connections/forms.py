"""Forms of connections: add, change, extract, cancel, test, remove and upload.

Their fields are those that the options of connections declare. A form that is refused is shown again with
the reason, and never with a secret. All forms work without JavaScript.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request as HttpRequest
from starlette.routing import Mount

from recce_meta.api.diff import EFFECTS
from recce_meta.errors import RecceMetaError, UsageError, quoted
from recce_meta.plugins import connection_types
from recce_meta.report.addresses import DEFAULT_STORE
from recce_meta.repositories.extraction.manifest_reader import ARTIFACTS, UploadDetails
from recce_meta.repositories.options.connections import ConnectionOptions
from recce_meta.repositories.options.declaring import (
    FLAG,
    LIST,
    MINUTES,
    NUMBER,
    TEXT,
    VARIABLES,
    Declaration,
    options_of,
)
from recce_meta.repositories.service.answers import ConnectionAnswer, ConnectionTest
from recce_meta.repositories.service.service import ConnectionTestFailed
from recce_meta.repositories.state.requests import (
    SECRET_FIELDS,
    ConnectionChange,
    DatabaseChange,
    NewConnection,
)
from recce_meta.server.access.limits import ConnectionLimits, UploadLimits, receive_form, upload_limits
from recce_meta.server.access.problems import problem
from recce_meta.server.pages.connections.lists import CRUMB, own_crumbs
from recce_meta.server.pages.connections.routing import (
    ROOT,
    ConnectionRequest,
    address_of,
    require_admin,
)
from recce_meta.server.site.handlers import PageSet, Redirect
from recce_meta.server.site.rendering import Page
from recce_meta.server.site.uploads import UploadPlace, record_upload
from recce_meta.warehouses import available

Fields = Mapping[str, str]


def inputs_of(
    *declared: type, without: Mapping[str, object], **texts: str
) -> dict[str, list[dict[str, str]]]:
    """Return the fields of forms by section, except options that are *without* one; *texts* complete help."""
    found: dict[str, list[dict[str, str]]] = {}
    for one in declared:
        for name, option in options_of(one).items():
            for shown in option.inputs if name not in without else ():
                row = {
                    "name": shown.name or name,
                    "kind": one.__annotations__[name],
                    "label": shown.label,
                    "help": shown.help.format(**texts),
                }
                found.setdefault(shown.section, []).append(row)
    return found


def read_options(declared: type, fields: Fields) -> dict[str, Any]:
    """Return the options that the *fields* of a form give; browsers send empty fields as well.

    A text with a default keeps it if its field is empty. Raises UsageError for an invalid value.
    """
    given: dict[str, Any] = {}
    for name, option in _plain(declared).items():
        kind, text = declared.__annotations__[name], fields.get(name, "")
        if kind == FLAG:  # browsers leave out a box that is not ticked
            given[name] = name in fields
        elif kind == MINUTES:
            given[name] = minutes_of(text)
        elif kind == NUMBER and text:
            given[name] = _number(option.inputs[0].label, text)
        elif kind == LIST:
            given[name] = listed(text, r"[,\s]" if option.flags[0].kind == "words" else r"[,\n]")
        elif kind == VARIABLES:
            given[name] = _variables(text)
        elif text or kind not in (TEXT, NUMBER):
            given[name] = text or None
    return given


def shown_options(declared: type, found: Struct) -> dict[str, str]:
    """Return the fields that show the options of *found*: a form that is sent unchanged changes nothing."""
    shown: dict[str, str] = {}
    for name in _plain(declared).keys() & set(found.__struct_fields__):
        kind, value = declared.__annotations__[name], getattr(found, name)
        if not value:
            continue
        if kind == FLAG:
            shown[name] = "on"
        elif kind == MINUTES:
            shown[name] = f"{value:g}"
        elif kind == LIST:
            shown[name] = ", ".join(value)
        elif kind == VARIABLES:
            shown[name] = "\n".join(f"{key}={text}" for key, text in value.items())
        else:
            shown[name] = str(getattr(value, "value", value))
    return shown


def _plain(declared: type) -> dict[str, Declaration]:
    """Return the options with one field, which has the name of the option."""
    options = options_of(declared).items()
    return {name: one for name, one in options if one.inputs and not one.inputs[0].name}


def listed(text: str, signs: str = r"[,\n]") -> tuple[str, ...]:
    """Return the parts of *text* between *signs*."""
    return tuple(filter(None, map(str.strip, re.split(signs, text))))


def minutes_of(text: str | None) -> float | None:
    """Return the interval; None for an empty field. Raises UsageError unless it is a number."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise UsageError("The interval is not a number", hint="give minutes, or nothing for never") from None


def _number(label: str, text: str) -> int:
    """Return the number in *text*. Raises UsageError for another text; *label* is that of the field."""
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise UsageError(f"{label}: {quoted(text)} is not a number", hint="give a whole number")
    return int(text)


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


pages = PageSet()

Value = TypeVar("Value")
_OPTIONS = options_of(ConnectionOptions)
_OF_READING = {name: one for name, one in _OPTIONS.items() if one.is_of_reading}
"""Fields without a meaning for a connection that is only uploaded to; its form does not have them."""
_HIDDEN = frozenset((*SECRET_FIELDS, "notify"))
"""Fields that a page never repeats."""


@pages.page("/new")
def new(request: ConnectionRequest) -> Page:
    """Show the form that connects a repository."""
    # The page itself is refused too: its form could not be sent.
    require_admin(request)
    usual = shown_options(ConnectionOptions, NewConnection(repo_url=""))
    # Not every server has the default store.
    return _form(request, {name: text for name, text in usual.items() if name != "store"})


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
    job = request.service.jobs_of(found.id).extract(caller=request.caller, branch=request.form.get("branch"))
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


@pages.action("/{id}/pause")
def pause(request: ConnectionRequest) -> Redirect:
    """Pause a connection, or resume one that is paused, and show it."""
    require_admin(request)
    found = request.service.get(request.connection)
    # The button names what it does: two tabs must not undo each other.
    change = ConnectionChange(is_paused="is_resumed" not in request.form)
    request.service.set(found.id, change, caller=request.caller)
    return Redirect(address_of(found.id))


@pages.action("/{id}/jobs/{job}/cancel")
def cancel(request: ConnectionRequest) -> Redirect:
    """Cancel a job, and show its page."""
    require_admin(request)
    found = request.service.get(request.connection)
    job = request.service.jobs_of(found.id).cancel(request.parts["job"])
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
    is_upload_only = found is not None and found.is_upload_only
    values = {
        # A page could stay in the cache or the history of a browser.
        "fields": {name: value for name, value in fields.items() if name not in _HIDDEN},
        "is_upload_only": is_upload_only,
        "action": ROOT if found is None else address_of(found.id, "edit"),
        "forges": connection_types(),
        "inputs": inputs_of(
            ConnectionOptions,
            without=_OF_READING if is_upload_only else {},
            conditions=", ".join((*EFFECTS, "removed", "any")),
        ),
        "choices": {"adapter": available(), "isolation": _OPTIONS["isolation"].choices},
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
    }
    stores = list(request.site.stores) or [DEFAULT_STORE]
    values = {**shared, **values, "choices": {"store": stores, **values.get("choices", {})}}
    crumbs = (CRUMB,) if found is None else own_crumbs(found)
    status = 200 if failure is None else failure.status
    # The page exists, and only a name in one of its fields does not.
    status = 400 if status == 404 else status
    title = title if found is None else f"Change {found.name}"
    return Page(template, title, values, crumbs=crumbs, status=status, is_kept=False)


def _given(fields: Fields, found: ConnectionAnswer | None = None) -> dict[str, Any]:
    """Return the values of the form's *fields*: all of them for a new connection, else changed ones."""
    before = {} if found is None else _fields(found)
    # Browsers send empty fields as well: these keep the default.
    given: dict[str, Any] = {name: fields[name] for name in ("name", "branch") if fields.get(name)}
    # Empty is a value here: the folder of the repository's only project.
    given["subdirectory"] = fields.get("subdirectory", "")
    given["branches"] = listed(fields.get("branches", ""), ",")
    # An empty field is sent as null only if there is something to remove.
    if fields.get("token_env") or before.get("token_env"):
        given["token_env"] = fields.get("token_env")
    # The form never shows a secret, so an empty field leaves the stored one.
    given |= {name: fields[name] for name in SECRET_FIELDS if fields.get(name)}
    given |= read_options(ConnectionOptions, fields) | addresses_of(fields)
    given["profile"] = {name: fields.get(name) for name in ("target", "schema", "database")}
    # Both ids belong together; an empty app id removes the app.
    if fields.get("app_id") or before.get("app_id"):
        ids = {name: fields.get(name, "") for name in ("app_id", "installation_id")}
        given["github_app"] = ids if fields.get("app_id") else None
    if found is None:
        return given
    dropped = _OF_READING if found.is_upload_only else {}
    # Only an administrator may send these, also unchanged.
    is_same = {name: getattr(found, name) for name, one in _OPTIONS.items() if one.is_of_owner}
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
        **{name: getattr(found, name) for name in ("name", "branch", "subdirectory", "token_env")},
        # The first is the main branch, which has a field of its own.
        "branches": ", ".join(found.branches[1:]),
        **{name: getattr(found.profile, name) for name in found.profile.__struct_fields__},
        "app_id": found.github_app and found.github_app.app_id,
        "installation_id": found.github_app and found.github_app.installation_id,
        **shown_options(ConnectionOptions, found),
        # In an answer, `dbt_version` is that of the last run.
        "dbt_version": found.required_dbt_version,
    }
    return {name: str(value) for name, value in given.items() if value}


_COMMIT = re.compile(r"[0-9A-Fa-f]{7,64}")
"""Spelling of a commit, the same as in the API."""


@pages.page("/{id}/upload")
def form(request: ConnectionRequest) -> Page:
    """Show the form that uploads artifacts."""
    return _upload_form(request.repository(), {})


@pages.upload("/{id}/upload")
async def upload(request: ConnectionRequest) -> Page | Redirect:
    """Record the artifacts of the form, and show their job; without success, show the form again."""
    assert request.http is not None
    http, fields = request.http, dict[str, str]()
    found = await asyncio.to_thread(request.service.get, request.connection)

    async def receive(folder: Path, most: UploadLimits) -> UploadDetails:
        files = {name: folder / f"{name}.json" for name in ARTIFACTS}
        fields.update(await receive_form(http.headers, http.stream(), files, most))
        return _details(fields)

    place = UploadPlace(
        site=request.site, service=request.service, limits=_limits(http), caller=request.caller.name
    )
    try:
        answer = await record_upload(place, found.id, receive)
    except RecceMetaError as error:
        return _upload_form(found, fields, error)
    return Redirect(address_of(found.id, "jobs", answer.job_id))


def _limits(http: HttpRequest) -> ConnectionLimits:
    # One limit for the form and for the API, which is an application of its own.
    api = next(route.app for route in http.app.routes if isinstance(route, Mount))
    limits: ConnectionLimits = api.state.limits  # type: ignore[attr-defined]
    return limits


def _details(fields: Fields) -> UploadDetails:
    """Return the details in *fields*. Raises UsageError for an invalid one."""
    number = fields.get("pull_request") or None
    if number is not None and not (number.isascii() and number.isdecimal() and 0 < int(number) < 2**31):
        raise UsageError("The pull request is not a number", hint="enter its number, or nothing")
    commit = fields.get("commit_sha") or None
    if commit is not None and not _COMMIT.fullmatch(commit):
        raise UsageError("The commit is not a hash", hint="enter 7 to 64 hexadecimal digits, or nothing")
    return UploadDetails(
        # The form offers the branches of the connection, and the head of a pull request is another one.
        branch=fields.get("branch") or None if number is None else None,
        commit_sha=None if commit is None else commit.lower(),
        environment=fields.get("environment") or None,
        pull_request=None if number is None else int(number),
    )


def _upload_form(found: ConnectionAnswer, fields: Fields, error: RecceMetaError | None = None) -> Page:
    """Return the form with *fields*; browsers never keep the files of a form that was refused."""
    failure = None if error is None else problem(error)
    values = {
        "connection": found,
        "fields": fields,
        "failure": failure,
        "action": address_of(found.id, "upload"),
        "megabytes": upload_limits(found.upload_megabytes).received // 2**20,
    }
    return Page(
        "connection_upload.html",
        f"Upload to {found.name}",
        values,
        crumbs=(("Connections", ROOT), (found.name, address_of(found.id))),
        status=200 if failure is None else failure.status,
        is_kept=False,
    )
