"""Implementation of the commands of `connection`."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from msgspec import convert, defstruct, structs

from recce_meta import report
from recce_meta.cli.options import LISTS, emit, progress, say, screen, warn
from recce_meta.cli.run import connection_report as texts
from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.models.rows import ResultList
from recce_meta.repositories.options.connections import ConnectionOptions, DatabaseSettings
from recce_meta.repositories.options.declaring import MINUTES, options_of
from recce_meta.repositories.options.values import GitHubApp, ProfileTarget
from recce_meta.repositories.service.answers import (
    ConnectionAnswer,
    ConnectionTest,
    ProgressAnswer,
    StageAnswer,
)
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.audit import Actor, AuditOrigin, acting_as
from recce_meta.repositories.state.database import open_state, require_state
from recce_meta.repositories.state.requests import (
    Caller,
    ConnectionChange,
    DatabaseChange,
    NewConnection,
    NewDatabase,
)
from recce_meta.repositories.state.types import JobStatus, option_types

LAST = "last"
"""Name of the last job."""
EVERY = 0.5
"""Seconds between two looks at a job."""
LONGEST_SECRET = 100_000


def _fields_of(name: str, declared: type, *others: str) -> Any:
    """Return a struct of the *others*, and of the flags of the options that *declared* declares."""
    flags = [flag.parameter for one in options_of(declared).values() for flag in one.flags]
    return defstruct(name, [*others, *flags], module=__name__, frozen=True, kw_only=True)


ConnectionFields = _fields_of("ConnectionFields", ConnectionOptions, "new_name", "branches", "subdirectory")
"""Options of `add` and `set`; None and empty for those that are not given."""
DatabaseFields = _fields_of("DatabaseFields", DatabaseSettings)
"""Options of `add` and `set` about a database; None and empty for those that are not given."""
_BY_HAND = frozenset(("ask", "file", "key", "app", "part"))
"""Kinds of flags that are not the value of their option."""


def _option_values(declared: type, fields: Any) -> dict[str, Any]:
    """Return the values of the options of *declared* that *fields* give."""
    found = {}
    for name, one in options_of(declared).items():
        flag = one.flags[0] if one.flags else None
        if flag is None or flag.kind in _BY_HAND:
            continue
        value = getattr(fields, flag.parameter)
        if value is None or value in ((), {}):  # not given
            continue
        if flag.kind == "words":
            value = _listed(",".join(value))
        # 0 means never, which is None in a request.
        is_never = declared.__annotations__[name] == MINUTES and value == 0
        found[name] = None if is_never else convert(value, option_types(declared)[name])
    return found


def _database_values(fields: Any, target: str | None) -> dict[str, Any]:
    """Return the values of a database that *fields* give; *target* is that of a profile."""
    url = _secret(fields.url_file, is_asked=fields.ask_url, option="url", title="URL")
    values = {"url": url, "profile": fields.profile_name, "target": target}
    given = {name: value for name, value in values.items() if value is not None}
    return _option_values(DatabaseSettings, fields) | given


def add(
    state: str | None,
    url: str,
    database_name: str | None,
    database: Any,
    is_upload_only: bool,
    forge: str | None,
    fields: Any,
    is_tested: bool,
    has_claim: bool,
) -> None:
    """Test and store a connection, and print it with its first jobs."""
    if not url and not is_upload_only and database_name is None:
        hint = "give the address of a repository, --database NAME, or --upload-only"
        raise UsageError("Missing argument: URL", hint=hint)
    request = NewConnection(
        repo_url=url,
        is_upload_only=is_upload_only,
        type=forge,
        **_for_kind(fields, database, ProfileTarget(), database_name),
    )
    with opened(state, is_created=True) as service:
        with progress("testing the connection"):
            added = asyncio.run(
                service.add(request, caller=caller(), is_tested=is_tested, has_claim=has_claim)
            )
        emit(texts.added_text(added, color=screen()["color"]))
        _name_webhook(service, added.connection.id)
        _name_key(service)
        if not is_upload_only:
            _warn_without_worker(service)


def list_all(state: str | None, style: str) -> None:
    """Print all connections."""
    with opened(state) as service:
        found = service.list()
    if style in LISTS:
        emit(report.delimited(ResultList(ConnectionAnswer, found).to_table(), style))
    elif style == "json":
        emit(texts.document_json(texts.ConnectionsDocument(connections=found)))
    else:
        emit(texts.connections_text(found, **screen()))


def show(state: str | None, name: str, job_id: str | None, limit: int, style: str) -> None:
    """Print a connection with its jobs, or one job."""
    with opened(state) as service:
        if job_id is not None:
            _show_job(service, name, job_id, style)
            return
        connection = service.get(name)
        own = service.jobs_of(name)
        jobs = own.newest(limit=limit)
        if style == "json":
            document = texts.ConnectionDocument(connection=connection, progress=own.progress(), jobs=jobs)
            emit(texts.document_json(document))
        else:
            emit(texts.connection_text(connection, jobs, **screen()))


def _show_job(service: RepositoryService, name: str, job_id: str, style: str) -> None:
    own = service.jobs_of(name)
    if job_id == LAST:
        found = own.newest(limit=1)
        if not found:
            raise UsageError(f"{name} has no jobs", hint=f"recce-meta connection extract {name}")
        job_id = found[0].job_id
    details = own.details(job_id)
    if style == "json":
        emit(texts.document_json(texts.JobDocument(details=details)))
    else:
        emit(texts.job_text(details, color=screen()["color"]))


def test(state: str | None, name: str, style: str) -> None:
    """Test a connection, and exit with 3 if a check fails."""
    with opened(state) as service, progress("testing the connection"):
        result = asyncio.run(service.test_stored(name))
    _show_test(result, style)


def notify(state: str | None, name: str, is_test: bool, style: str) -> None:
    """Send a test to each address of notifications, and exit with 3 if one fails."""
    if not is_test:
        raise UsageError("Missing option: --test", hint="recce-meta connection show NAME lists the addresses")
    with opened(state) as service, progress("sending notifications"):
        result = asyncio.run(service.test_notifications(name))
    _show_test(result, style)


def _show_test(result: ConnectionTest, style: str) -> None:
    if style == "json":
        emit(texts.document_json(texts.ConnectionTestDocument(result=result)))
    else:
        emit(texts.test_text(result, color=screen()["color"]))
    if not result.ok:
        click.get_current_context().exit(RecceMetaError.exit_code)


def extract(
    state: str | None, name: str, branch: str | None, is_forced: bool, is_awaited: bool, style: str
) -> None:
    """Request an extraction, and wait for its end if *is_awaited*."""
    with opened(state) as service:
        requested = service.jobs_of(name).extract(caller=caller(), branch=branch, is_forced=is_forced)
        verb = "Joined" if requested.joined else "Requested"
        _warn_without_worker(service)
        if is_awaited:
            _wait(service, name, requested.job_id, f"{verb} {requested.job_id}")
            details = service.jobs_of(name).details(requested.job_id)
            if style == "json":
                emit(texts.document_json(texts.JobDocument(details=details)))
            else:
                emit(texts.outcome_text(details.job, color=screen()["color"]))
            if details.job.status is not JobStatus.SUCCESS:
                click.get_current_context().exit(RecceMetaError.exit_code)
        elif style == "json":
            emit(texts.document_json(texts.ExtractDocument(requested=requested)))
        else:
            emit(f"{verb} {requested.job_id}")


def _wait(service: RepositoryService, name: str, job_id: str, announcement: str) -> None:
    """Print *announcement*, then the steps of a job as they end. On Ctrl-C the job goes on."""
    printed: dict[str, StageAnswer] = {}
    is_colored = screen(sys.stderr)["color"]
    try:
        # The job exists, so that Ctrl-C must name it from here on.
        say(announcement)
        while True:
            found = service.jobs_of(name).progress(job_id)
            assert found is not None
            for stage in _ended(found):
                # A stage that ran again is printed again.
                if printed.get(stage.name) != stage:
                    printed[stage.name] = stage
                    say(texts.stage_line(stage, color=is_colored))
            if found.status.is_over:
                return
            # Polled: the state may be a SQLite file, which notifies no reader.
            time.sleep(EVERY)
    except KeyboardInterrupt as error:
        # The type stays, because Ctrl-C and SIGTERM have different exit codes.
        raise type(error)(f"the job continues: recce-meta connection show {name} --job {job_id}") from None


def _ended(found: ProgressAnswer) -> Iterator[StageAnswer]:
    return (stage for stage in found.stages if stage.status not in ("pending", "running"))


def _for_kind(fields: Any, database: Any, profile: ProfileTarget, name: str | None) -> dict[str, Any]:
    """Return the fields of a request, for the database *name*, or for a repository if it is None."""
    if name is None:
        if given := _database_values(database, None):
            first = next(iter(given))
            shown = options_of(DatabaseSettings).get(first)
            option = shown.flags[0].words[0] if shown and shown.flags else f"--{first}"
            raise UsageError(
                f"{option} is an option of databases", hint="give --database NAME, or leave it out"
            )
        return _given(fields, profile)
    own = NewDatabase(**_database_values(database, fields.target_name))
    of_repository = _given(structs.replace(fields, target_name=None), profile)
    return of_repository | {"name": fields.new_name or name, "database": own}


def change(state: str | None, name: str, database: Any, fields: Any, is_token_removed: bool) -> None:
    """Change the given fields of a connection."""
    with opened(state) as service:
        connection = service.get(name)
        # The profile is one field, so that parts that no option names have to be read first.
        if connection.database is None:
            given = _for_kind(fields, database, connection.profile, None)
        else:
            given = _given(structs.replace(fields, target_name=None), connection.profile)
            if own := _database_values(database, fields.target_name):
                given["database"] = DatabaseChange(**own)
        if "branch" in given:  # the option names all branches
            given.setdefault("branches", ())
        # Every way to log in: the connection then reads a public repository.
        if is_token_removed:
            given |= {"access_token": None, "token_env": None, "github_app": None, "private_key": None}
        if not given:
            raise UsageError("Missing option: a field to change", hint="recce-meta connection set --help")
        changed = service.set(name, ConnectionChange(**given), caller=caller())
        _name_key(service)
    say(f"Changed {changed.name}: {', '.join(given)}")


def _name_key(service: RepositoryService) -> None:
    if service.key_file is not None:
        say(f"The key of stored tokens is in {service.key_file}: they are lost without it")


def _name_webhook(service: RepositoryService, name: str) -> None:
    """Print what became of the webhook of a new connection; nothing if none was tried."""
    found = service.webhook(name)
    if found.active:
        say(f"The webhook is set up: {found.url}")
    elif found.error is not None:
        warn(f"no webhook: {found.error}; {found.hint}")


def webhook(state: str | None, name: str, is_rotated: bool, style: str) -> None:
    """Print the webhook of a connection, and set it up before unless it works."""
    with opened(state) as service:
        found = service.webhook(name)
        if is_rotated or not found.active:
            with progress("setting up the webhook"):
                found = asyncio.run(service.set_up_webhook(name, is_rotated=is_rotated))
            _name_key(service)
    if style == "json":
        emit(texts.document_json(texts.WebhookDocument(webhook=found)))
    else:
        emit(texts.webhook_text(found, color=screen()["color"]))


def claim(state: str | None, name: str, project: str) -> None:
    """Hand a project over to the repository of a connection."""
    with opened(state) as service:
        requested = service.claim(name, project, caller=caller())
        if requested is not None:
            _warn_without_worker(service)
    say(f"{name} records the project {project}" + (f"; requested {requested.job_id}" if requested else ""))


def rotate(state: str | None) -> None:
    """Encrypt all stored secrets again."""
    with opened(state) as service:
        count = service.rotate()
    say(f"Encrypted {count} {'secret' if count == 1 else 'secrets'} with the first key")


def pause(state: str | None, name: str) -> None:
    """Pause a connection."""
    with opened(state) as service:
        found = service.set(name, ConnectionChange(is_paused=True), caller=caller())
    say(
        f"Paused {found.name}: nothing is read until recce-meta connection resume {found.name}, or on request"
    )


def resume(state: str | None, name: str) -> None:
    """Resume a paused connection."""
    with opened(state) as service:
        found = service.set(name, ConnectionChange(is_paused=False), caller=caller())
    say(f"Resumed {found.name}")


def remove(state: str | None, name: str) -> None:
    """Remove a connection."""
    with opened(state) as service:
        removed = service.remove(name)
    say(f"Removed {removed.name}; its runs stay in the store")


def caller() -> Caller:
    """Return the user of the command line, who may do everything."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # the user id of a container has no name
        name = f"uid {os.getuid()}"
    return Caller(name=name, is_admin=True)


@contextmanager
def opened(url: str | None, *, is_created: bool = False) -> Iterator[RepositoryService]:
    """Yield the service on the state at *url*, or on the default one.

    Raises ConfigurationError if the default state does not exist, unless *is_created*.
    """
    if not is_created:
        require_state(url, os.environ)
    state = open_state(url, os.environ)
    try:
        with acting_as(Actor(caller().name, AuditOrigin.COMMAND)):
            yield RepositoryService(state, environ=os.environ)
    finally:
        state.close()


def _warn_without_worker(service: RepositoryService) -> None:
    if not service.has_worker():
        warn("no worker runs, so the job waits: start recce-meta serve, or recce-meta worker")


def _given(fields: Any, profile: ProfileTarget) -> dict[str, Any]:
    """Return the fields of a request that options give; parts of *profile* that no option gives stay."""
    values: dict[str, Any] = {
        "name": fields.new_name,
        "subdirectory": fields.subdirectory,
        "access_token": _secret(
            fields.repository_token_file, is_asked=fields.ask_token, option="token", title="Token"
        ),
        "branch": fields.branches[0] if fields.branches else None,
        "branches": fields.branches[1:] or None,
        "notify": read_addresses(fields.notify, fields.notify_file),
    }
    found = _option_values(ConnectionOptions, fields)
    found |= {name: value for name, value in values.items() if value is not None}
    if fields.github_app is not None:
        app, installation = fields.github_app
        found["github_app"] = GitHubApp(app_id=app, installation_id=installation)
    if fields.private_key_file is not None:
        found["private_key"] = _secret_of(fields.private_key_file)
    target = {
        "target": fields.target_name,
        "schema": fields.target_schema,
        "database": fields.target_database,
    }
    if any(target.values()):
        parts = {name: value or getattr(profile, name) for name, value in target.items()}
        found["profile"] = ProfileTarget(**parts)
    return found


def _listed(text: str) -> tuple[str, ...]:
    """Return the words of *text*, which commas separate; `none` is an empty list."""
    words = (word.strip() for word in text.split(","))
    return () if text.strip() == "none" else tuple(filter(None, words))


def read_addresses(notify: tuple[str, ...], file: Path | None) -> tuple[str, ...] | None:
    """Return the addresses of notifications that *notify* and *file* give; None if neither gives any."""
    if not notify and file is None:
        return None
    given = () if notify == ("none",) else notify
    for address in given:
        # Other users of the machine can read command lines, and the path of a URL may be a secret.
        if "://" in address:
            raise UsageError(
                "--notify takes no URL", hint="put it into a file for --notify-file, or use env:VARIABLE"
            )
    read = () if file is None else _secret_of(file).split()
    return (*given, *read)


def _secret(file: Path | None, *, is_asked: bool, option: str, title: str) -> str | None:
    """Return the secret of *option* from a file, standard input or a prompt; None if none is given."""
    if file is not None:
        if is_asked:
            raise UsageError(f"--{option}-file and --ask-{option} exclude each other", hint="use one of them")
        return _secret_of(file)
    if not is_asked:
        return None
    if sys.stdin is not None and sys.stdin.isatty():
        # On standard error, because standard output may be piped.
        secret: str = click.prompt(title, hide_input=True, err=True)
        return secret.strip()
    return _secret_of(Path("-"))


def _secret_of(file: Path) -> str:
    """Return the secret in *file*, or in standard input for `-`. Raises UsageError if it cannot be read."""
    where = "standard input" if str(file) == "-" else str(file)
    try:
        if str(file) == "-":
            # Bounded, because a wrong file, such as a device, may have no end.
            text = sys.stdin.read(LONGEST_SECRET)
        else:
            with file.open(encoding="utf-8") as opened_file:
                text = opened_file.read(LONGEST_SECRET)
    except (OSError, UnicodeDecodeError) as error:
        # The error of the decoder holds the secret, so it must not become the cause.
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"Cannot read the secret in {where}: {reason}", hint="check the file") from None
    if not text.strip():
        raise UsageError(f"{where} is empty", hint="it must contain the secret")
    return text.strip()
