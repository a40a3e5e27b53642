"""Fields of a stored connection, from the request that adds or changes it, and the other way round."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from recce_meta.errors import UsageError
from recce_meta.lazy import LazyModule
from recce_meta.plugins import GIT
from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.address import AddressRules
from recce_meta.repositories.options.connections import ConnectionOptions
from recce_meta.repositories.options.declaring import NEW, STORED, options_of
from recce_meta.repositories.service.answers import ConnectionTest
from recce_meta.repositories.state.requests import (
    SECRET_FIELDS,
    Caller,
    ConnectionChange,
    DatabaseChange,
    NewConnection,
    given_secrets,
    is_replaced,
    normal_subdirectory,
    notify_hint,
    refuse_untrusted,
)
from recce_meta.repositories.state.secrets import SecretField
from recce_meta.repositories.state.types import RepositoryConnection

if TYPE_CHECKING:
    from recce_meta.repositories.service import databases
else:  # it imports the adapter, which connections of repositories do not need
    databases = LazyModule("recce_meta.repositories.service.databases")

_LOGIN = ("access_token", "token_env", "github_app", "private_key")
"""Fields that decide how a connection logs in."""
_COPIED = tuple(options_of(ConnectionOptions, STORED, NEW))
"""Fields that a request and a connection share."""

Secrets = Mapping[SecretField, "str | None"]


def new_connection(
    request: NewConnection,
    found: ConnectionTest | None,
    *,
    caller: Caller,
    rules: AddressRules,
    used: Collection[str],
) -> RepositoryConnection:
    """Return the connection of *request*, which was *found* to work if it was tested.

    *used* are the names of other connections. Raises UsageError for a missing option.
    """
    own = (
        databases.new_fields(request, caller)
        if request.database is not None
        else _repository_fields(request, found, rules, used)
    )
    fields: dict[str, Any] = {field: getattr(request, field) for field in _COPIED}
    fields["adapter"] = request.adapter or (None if found is None else found.adapter)
    fields["notify"] = tuple(map(notify_hint, request.notify))
    return RepositoryConnection(
        # Without `:` and `|`, which separate the parts of job ids and of sealed secrets.
        id=secrets.token_hex(6),
        created_at=datetime.now(timezone.utc),
        created_by=caller.name,
        **(fields | own),
    )


def _repository_fields(
    request: NewConnection, found: ConnectionTest | None, rules: AddressRules, used: Collection[str]
) -> dict[str, Any]:
    """Return the fields of a repository; one of uploads only is never read, and may have no address."""
    is_read = not request.is_upload_only
    address = parse_address(request.repo_url, rules) if is_read or request.repo_url else None
    branch = request.branch or (None if found is None else found.branch)
    if branch is None and is_read:
        raise UsageError("Missing option: --branch", hint="without a test, name the branch to follow")
    if request.name is None and (address is None or not is_read):
        raise UsageError("A connection that is only uploaded to needs a name", hint="give --name NAME")
    subdirectory = normal_subdirectory(request.subdirectory)
    if found is not None and found.subdirectory is not None:
        subdirectory = found.subdirectory
    return {
        "name": request.name or _free_name("" if address is None else address.name, subdirectory, used),
        "type": request.type or (GIT if address is None else address.forge),
        "repo_url": "" if address is None else address.url,
        # The first branch is the main one, so its position has to survive the removal of duplicates.
        "branches": tuple(dict.fromkeys((branch or "main", *request.branches))),
        "subdirectory": subdirectory,
    } | ({} if is_read else {"poll_minutes": None, "watches_pull_requests": False})


def _free_name(repository: str, subdirectory: str, used: Collection[str]) -> str:
    """Return the name of the repository, with that of the subdirectory or a number if it is used."""
    folder = subdirectory.rpartition("/")[2]
    for name in (repository, f"{repository}-{folder}" if folder else repository):
        if name not in used:
            return name
    return next(name for number in range(2, 10_000) if (name := f"{repository}-{number}") not in used)


def claiming_connection(
    request: NewConnection, found: ConnectionTest, rules: AddressRules
) -> RepositoryConnection:
    """Return what decides which projects the connection of *request* may own; it is never stored."""
    address = parse_address(request.repo_url, rules)
    return RepositoryConnection(
        id="",
        name=request.name or address.name,
        type=request.type or address.forge,
        repo_url=address.url,
        branches=(),
        subdirectory=found.subdirectory or "",
        store=request.store,
        environment=request.environment,
        created_at=datetime.now(timezone.utc),
        created_by="",
    )


def has_new_login(change: ConnectionChange) -> bool:
    """Return True if *change* decides anew how a connection logs in to its repository."""
    return not change.given().keys().isdisjoint(_LOGIN)


def refuse_contradictions(connection: RepositoryConnection, change: ConnectionChange) -> None:
    """Raise UsageError if *change* contradicts a field of *connection*."""
    given = change.given()
    # Only a change of one of them is refused: a connection of an earlier version may have both already.
    if given.keys() & {"isolation", "is_trusted"}:
        refuse_untrusted(
            given.get("isolation", connection.isolation),
            is_trusted=given.get("is_trusted", connection.is_trusted),
        )
    if given.get("github_app") and connection.github_app is None and not given.get("private_key"):
        raise UsageError(
            "A GitHub App needs its private key", hint="give --private-key-file FILE with --github-app"
        )


def changed_fields(
    connection: RepositoryConnection, change: ConnectionChange, caller: Caller
) -> tuple[dict[str, Any], Secrets]:
    """Return the fields and the secrets of *connection* that *change* sets; a secret of None is removed."""
    given = change.given()
    changes: dict[str, Any] = {field: value for field, value in given.items() if field not in SECRET_FIELDS}
    if "branch" in changes or "branches" in changes:
        main = changes.pop("branch", connection.branch)
        rest = changes.get("branches", connection.branches[1:])
        changes["branches"] = tuple(dict.fromkeys((main, *rest)))
    if "subdirectory" in changes:
        changes["subdirectory"] = normal_subdirectory(changes["subdirectory"])
    # A connection that failed may wait for an hour; a new login is tried at once.
    if has_new_login(change) or not given.keys().isdisjoint(("poll_minutes", "is_paused")):
        changes["next_check_at"] = None
    if has_new_login(change):
        changes["forge_error"] = None
    # A connection logs in in one way: a new one replaces the others.
    if given.get("access_token"):
        changes |= {"token_env": None, "github_app": None}
    elif given.get("token_env"):
        changes["github_app"] = None
    elif given.get("github_app"):
        changes["token_env"] = None
    changed: dict[SecretField, str | None] = {
        stored: given.get(field) or None
        for field, stored in SECRET_FIELDS.items()
        if field in given or is_replaced(field, given)
    }
    if "notify" in given:
        addresses = changes["notify"]
        changed["notify"] = msgspec.json.encode(addresses).decode() if addresses else None
        changes["notify"] = tuple(map(notify_hint, addresses))
    if isinstance(own := changes.pop("database", None), DatabaseChange):
        fields, removed = databases.changed_fields(connection, own, caller)
        changes |= fields
        changed |= dict.fromkeys(removed)
        changed |= given_secrets(ConnectionChange(database=own))
    return changes, changed


def request_of(connection: RepositoryConnection, stored: Mapping[str, Any]) -> NewConnection:
    """Return the request that would add *connection*; *stored* are its secrets by field of the request."""
    return NewConnection(
        repo_url=connection.repo_url,
        name=connection.name,
        type=connection.type,
        branch=connection.branch,
        branches=connection.branches[1:],
        subdirectory=connection.subdirectory,
        **{field: getattr(connection, field) for field in _COPIED if field != "notify"},
        **stored,
    )
