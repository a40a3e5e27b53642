"""Options of a database, from the request that adds or changes its connection."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict, replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import UsageError, mask_errors, quoted
from recce_meta.models.quality import read_fail_on
from recce_meta.repositories.options.connections import ConnectionOptions, DatabaseSettings
from recce_meta.repositories.options.declaring import LIST, MINUTES, NEW, STORED, options_of
from recce_meta.repositories.state.requests import (
    LONGEST,
    VARIABLE,
    Caller,
    ConnectionChange,
    DatabaseChange,
    NewConnection,
    NewDatabase,
    check_minutes,
    secrets_in,
)
from recce_meta.repositories.state.secrets import SecretField
from recce_meta.repositories.state.types import DATABASE, QUALITY, SCAN, DatabaseOptions, RepositoryConnection

MOST_PATTERNS = 100
_LOGINS = ("target", "profile", "url_env", "url")
_COPIED = tuple(options_of(DatabaseSettings, STORED, NEW))
"""Fields that a request and the options share."""
_OF_ANY = {
    *("name", "database"),
    *(name for name, one in options_of(ConnectionOptions).items() if one.is_of_any),
}
"""Fields of a request for a database; the others are about repositories."""


def check_database(request: NewConnection | ConnectionChange) -> None:
    """Raise UsageError for fields of *request*, about a database, that are missing, invalid or of no use."""
    own = request.database
    assert isinstance(own, (NewDatabase, DatabaseChange))
    if isinstance(request, NewConnection) and not request.name:
        raise UsageError("A database needs a name", hint="give --database NAME, or name in the API")
    defaults = type(request)(repo_url="") if isinstance(request, NewConnection) else ConnectionChange()
    for field in request.__struct_fields__:
        if field not in _OF_ANY and getattr(request, field) != getattr(defaults, field):
            raise UsageError(f"A database has no {field}", hint="leave it out: it is about repositories")
    given = {name: value for name, value in _values(own).items() if value is not None}
    _check_login(given, is_new=isinstance(own, NewDatabase))
    for name in options_of(DatabaseSettings, of=LIST):
        texts = given.get(name, ())
        if len(texts) > MOST_PATTERNS or any(not text or len(text) > LONGEST for text in texts):
            raise UsageError(f"Invalid {name}", hint=f"give at most {MOST_PATTERNS} names or patterns")
    for name in ("target", "profile", "project"):
        if name in given and not re.fullmatch(rf"[^\x00-\x1f\x7f]{{1,{LONGEST}}}", given[name]):
            raise UsageError(f"Invalid {name}: {quoted(given[name])}", hint="use one line of text")
    for name in options_of(DatabaseSettings, of=MINUTES):
        check_minutes(name, given.get(name), never="0 on the command line")
    if isinstance(request.fail_on, tuple):
        read_fail_on(request.fail_on)


def _values(own: NewDatabase | DatabaseChange) -> dict[str, Any]:
    return own.given() if isinstance(own, DatabaseChange) else asdict(own)


def _check_login(given: Mapping[str, Any], *, is_new: bool) -> None:
    ways = {
        "url" if name == "url" else "url_env" if name == "url_env" else "target"
        for name in _LOGINS
        if name in given
    }
    if len(ways) > 1:
        raise UsageError(f"{' and '.join(sorted(ways))} exclude each other", hint="give one way to log in")
    if is_new and not ways:
        raise UsageError(
            "The login of the database is missing",
            hint="give --ask-url, --url-env VARIABLE, or --target-name of a profile of the worker",
        )
    variable = given.get("url_env")
    if variable is not None and (not VARIABLE.fullmatch(variable) or variable.startswith("RECCE_META_")):
        raise UsageError(
            f"Invalid url_env: {quoted(variable)}",
            hint="use the name of a variable of the workers with the URL",
        )


def new_options(own: NewDatabase, caller: Caller) -> DatabaseOptions:
    """Return the options of a new database."""
    has_url = own.url is not None
    return DatabaseOptions(
        **{name: getattr(own, name) for name in _COPIED},
        has_url=has_url,
        is_confined=has_url and caller.is_remote,
    )


def new_fields(request: NewConnection, caller: Caller) -> dict[str, Any]:
    """Return the fields of the connection of *request* that differ from those of a repository."""
    own = request.database
    assert own is not None
    # A database that gets another name later keeps its history.
    options = replace(new_options(own, caller), project=own.project or request.name)
    return {
        "name": request.name,
        "type": DATABASE,
        "repo_url": address_of(options, own.url),
        "branches": (SCAN, QUALITY),
        "database": options,
        "poll_minutes": own.scan_minutes,
        "watches_pull_requests": False,
    }


def about_database(change: ConnectionChange) -> ConnectionChange:
    """Return *change* as one of a database: its other fields are checked as those of a database, too."""
    return replace(change, database=DatabaseChange()) if change.database is UNSET else change


def changed_fields(
    connection: RepositoryConnection, change: DatabaseChange, caller: Caller
) -> tuple[dict[str, Any], Collection[SecretField]]:
    """Return the fields of *connection* that *change* sets, and the names of the secrets to remove.

    Raises UsageError for a repository.
    """
    options = connection.database
    if options is None:
        raise UsageError(f"{connection.name} is not a database", hint="leave out the options of databases")
    given = change.given()
    # A connection logs in in one way: a new one replaces the others.
    has_url = options.has_url
    if "url" in given:
        given |= {"target": None, "profile": None, "url_env": None}
        has_url = True
    elif given.get("url_env") is not None:
        given |= {"target": None, "profile": None}
        has_url = False
    elif given.get("target") is not None or given.get("profile") is not None:
        given["url_env"] = None
        has_url = False
    changed = replace(options, has_url=has_url, **{name: given[name] for name in _COPIED if name in given})
    if "url" in given:
        changed = replace(changed, is_confined=caller.is_remote)
    elif not has_url:
        changed = replace(changed, is_confined=False)
    fields: dict[str, Any] = {"database": changed, "next_check_at": None}
    if not {*_LOGINS}.isdisjoint(given):
        fields["repo_url"] = address_of(changed, given.get("url"))
    if "scan_minutes" in given:
        fields["poll_minutes"] = given["scan_minutes"]
    removed: list[SecretField] = ["url"] if options.has_url and not has_url else []
    return fields, removed


def address_of(options: DatabaseOptions, url: str | None) -> str:
    """Return what names the database of *options* to users, without user and password.

    Raises UsageError for an invalid *url*.
    """
    if url is not None:
        with mask_errors(lambda: secrets_in(url)):
            return UnifiedSqlAdapter.from_url(url).place.address
    if options.url_env is not None:
        return f"variable {options.url_env}"
    parts = (
        f"profile {options.profile}" if options.profile else "",
        options.target and f"target {options.target}",
    )
    return ", ".join(filter(None, parts))
