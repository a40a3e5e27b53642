"""Form that uploads the artifacts of dbt to a connection; it works without JavaScript."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request as HttpRequest
from starlette.routing import Mount

from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.repositories.extraction.manifest_reader import ARTIFACTS, UploadDetails
from recce_meta.repositories.service.answers import ConnectionAnswer
from recce_meta.server.access import limits as uploads
from recce_meta.server.access.limits import ConnectionLimits, receive_form
from recce_meta.server.access.problems import UploadTooLarge, problem
from recce_meta.server.connections.routing import ROOT, ConnectionPages, ConnectionRequest, address_of
from recce_meta.server.site.handlers import Redirect
from recce_meta.server.site.rendering import Page
from recce_meta.server.site.uploads import UploadPlace, record_upload

pages = ConnectionPages()

Fields = Mapping[str, str]
_COMMIT = re.compile(r"[0-9A-Fa-f]{7,64}")
"""Spelling of a commit, the same as in the API."""


@pages.page("/{id}/upload")
def form(request: ConnectionRequest) -> Page:
    """Show the form that uploads artifacts."""
    return _form(request.repository(), {})


@pages.upload("/{id}/upload")
async def upload(request: ConnectionRequest) -> Page | Redirect:
    """Record the artifacts of the form, and show their job; without success, show the form again."""
    assert request.http is not None
    http, fields = request.http, dict[str, str]()
    found = await asyncio.to_thread(request.service.get, request.connection)

    async def receive(folder: Path) -> UploadDetails:
        files = {name: folder / f"{name}.json" for name in ARTIFACTS}
        length, most = http.headers.get("content-length", ""), uploads.LARGEST_UPLOAD
        if length.isdecimal() and int(length) > most:
            raise UploadTooLarge(
                f"The upload has more than {most // 2**20} MB",
                hint="use recce-meta record --to, which compresses it",
            )
        kind = http.headers.get("content-type", "")
        fields.update(
            await receive_form(kind, http.stream(), files, most=most, seconds=uploads.UPLOAD_SECONDS)
        )
        return _details(fields)

    place = UploadPlace(
        site=request.site, service=request.service, limits=_limits(http), caller=request.caller.name
    )
    try:
        answer = await record_upload(place, found.id, receive)
    except RecceMetaError as error:
        return _form(found, fields, error)
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


def _form(found: ConnectionAnswer, fields: Fields, error: RecceMetaError | None = None) -> Page:
    """Return the form with *fields*; browsers never keep the files of a form that was refused."""
    failure = None if error is None else problem(error)
    values = {
        "connection": found,
        "fields": fields,
        "failure": failure,
        "action": address_of(found.id, "upload"),
        "megabytes": uploads.LARGEST_UPLOAD // 2**20,
    }
    return Page(
        "connection_upload.html",
        f"Upload to {found.name}",
        values,
        crumbs=(("Connections", ROOT), (found.name, address_of(found.id))),
        status=200 if failure is None else failure.status,
        is_kept=False,
    )
