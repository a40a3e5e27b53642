"""BigQuery's client, with jobs that can be stopped. Imported when a connection is opened.

SQLAlchemy's cursor asks its client to `query_and_wait`. Here that submits a job whose id we have made, so
that another thread can cancel it, and a request that is repeated finds the first job instead of running a
second one. A transaction is a session of BigQuery's: its statements carry the session's id.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from google.api_core import exceptions as api
from google.api_core.client_info import ClientInfo
from google.api_core.client_options import ClientOptions
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.bigquery import Client, ConnectionProperty, QueryJobConfig, SchemaField
from google.cloud.bigquery.dbapi import DatabaseError
from requests.exceptions import RequestException, SSLError

from recce_meta._version import __version__
from recce_meta.adapter.drivers.bigquery_credentials import credentials_of
from recce_meta.errors import AuthenticationFailed
from recce_meta.warehouses.bigquery import Jobs, Key, Place

CANCEL_SECONDS = 5.0
REQUEST_SECONDS = 30.0
"""How long a request that creates a job, or reads what a table is like, is repeated while nobody answers."""
POLL_SECONDS = 600.0
"""How long BigQuery may be out of reach while a job runs."""
ROWS_OF_A_PAGE = 100_000
"""The most rows that one answer may hold; BigQuery sends fewer where they come to about 10 MB."""
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 10.0
LABELS = {"app": "recce_meta"}

# https://cloud.google.com/bigquery/docs/error-messages
PASSING = frozenset(
    {
        "backendError", "badGateway", "internalError", "jobBackendError", "jobInternalError",
        "jobRateLimitExceeded", "rateLimitExceeded",
    }
)  # fmt: skip
"""Reasons of failures that a second attempt of the same job may well not see."""

_ELSEWHERE = re.compile(r"Not found: Dataset (\S+)[:.](\w+) was not found in location (\S+)")
_COMMENTS = r"(?:\s|--.*\n|#.*\n|/\*.*?\*/)*"
_MAKES_DATASET = re.compile(_COMMENTS + r"CREATE\s+SCHEMA\b", re.I)
_IF_MISSING = re.compile(_COMMENTS + r"CREATE\s+\w+\s+IF\s+NOT\s+EXISTS\b", re.I)
_NO_TRANSACTION = re.compile(r"no (?:active|open|current)? ?transaction|not in a transaction", re.I)


class JobFailed(DatabaseError):  # type: ignore[misc]  # the client's library is not typed
    """What BigQuery answered, in its own words, with its reason; without the URL and the job's log."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Running:
    job_id: str
    location: str | None


class JobClient(Client):  # type: ignore[misc]
    """A client of one connection: one job at a time, and perhaps a session."""

    def __init__(self, key: Key, place: Place, jobs: Jobs) -> None:
        credentials, brought = credentials_of(key)
        project = place.execution_project or brought
        if project is None:
            raise AuthenticationFailed(
                "No project is named, and the credentials bring none",
                hint="add 'project:' to this output",
            )
        options = {"quota_project_id": place.quota_project, "api_endpoint": place.api_endpoint}
        super().__init__(
            project=project,
            credentials=credentials,
            location=place.location,
            client_info=ClientInfo(user_agent=f"recce_meta/{__version__}"),
            client_options=ClientOptions(**{name: value for name, value in options.items() if value}),
        )
        self.data_project = place.project or project
        self.limit_seconds: float | None = None
        """How long each job may run from here on, beside what the profile says."""
        self._dataset = place.dataset
        self._jobs = jobs
        self._running: _Running | None = None
        self._session: str | None = None
        self._is_in_transaction = False

    def query_and_wait(self, query: str, *, job_config: Any = None, **_: object) -> Any:
        """The rows of *query*, once its job is done; what SQLAlchemy's cursor calls."""
        config = self._config(job_config)
        if self._is_in_transaction:
            properties = [ConnectionProperty("session_id", self._session)]
            config.connection_properties = [*config.connection_properties, *properties]
            return self._run(query, config, attempts=1)[1]
        if self.location is None and _MAKES_DATASET.match(query):
            self.find_location()
        return self._run(query, config, attempts=1 + self._jobs.retries)[1]

    def columns_of(self, query: str) -> list[SchemaField]:
        """The columns that *query* would give: it is checked, and not run."""
        config = self._config(None)
        config.dry_run, config.use_query_cache = True, False
        with self._own_words():
            job = self._submit(query, config, _Running(str(uuid4()), self.location))
        return list(job.schema or ())

    def begin(self) -> None:
        """Open a transaction, in the session of an earlier one or in a new one."""
        if self._session is not None:
            try:
                self._in_session("BEGIN TRANSACTION")
            except JobFailed:
                self._session = None  # ended meanwhile, by itself or by an administrator
        if self._session is None:
            self.find_location()
            config = self._config(None)
            config.create_session = True
            job, _ = self._run("BEGIN TRANSACTION", config, attempts=1)
            self._session = job.session_info.session_id
        self._is_in_transaction = True

    def commit(self) -> None:
        """Keep what the open transaction did; nothing where none is open."""
        if self._is_in_transaction:
            self._in_session("COMMIT TRANSACTION")
            self._is_in_transaction = False

    def rollback(self) -> None:
        """Undo what the open transaction did; a conflict has ended it already."""
        if self._is_in_transaction:
            self._is_in_transaction = False
            try:
                self._in_session("ROLLBACK TRANSACTION")
            except JobFailed as error:
                if not _NO_TRANSACTION.search(str(error)):
                    raise

    def end(self) -> None:
        """End the session, which would else stay for a day, and close the connections."""
        try:
            if self._session is not None:
                self._in_session("CALL BQ.ABORT_SESSION()")
        except (JobFailed, GoogleAuthError, RequestException):
            pass  # it ends by itself
        finally:
            self.close()

    def cancel_running(self) -> None:
        """Stop the job that runs; it may be too early or too late for that."""
        running = self._running
        if running is None:
            return
        try:
            with self._own_words():
                self.cancel_job(running.job_id, location=running.location, retry=None, timeout=CANCEL_SECONDS)
        except JobFailed as error:
            if error.reason != "notFound":
                raise

    def schema_of(self, dataset: str, table: str) -> dict[str, str]:
        """The type of each column of *table*, by name."""
        with self._own_words():
            found = self.get_table(f"{self.data_project}.{dataset}.{table}", retry=_patient(REQUEST_SECONDS))
        return {field.name: _type(field) for field in found.schema}

    def find_location(self) -> None:
        """Learn from the profile's dataset where jobs run, where the profile does not say it."""
        if self.location is None and self._dataset is not None:
            self._location = self._location_of(self.data_project, self._dataset)

    def _location_of(self, project: str, dataset: str) -> str | None:
        try:
            return str(self.get_dataset(f"{project}.{dataset}", retry=_patient(REQUEST_SECONDS)).location)
        except (api.NotFound, api.Forbidden):
            return None  # BigQuery will say, about the statement

    def _config(self, given: Any) -> Any:
        config = given or QueryJobConfig()
        jobs = self._jobs
        if self._dataset is not None:
            config.default_dataset = f"{self.data_project}.{self._dataset}"
        if self.data_project != self.project:
            config.connection_properties = [ConnectionProperty("dataset_project_id", self.data_project)]
        config.labels = LABELS
        config.priority = jobs.priority.upper()
        if jobs.maximum_bytes_billed is not None:
            config.maximum_bytes_billed = jobs.maximum_bytes_billed
        if jobs.reservation is not None:
            config.reservation = jobs.reservation
        limits = [limit for limit in (jobs.seconds, self.limit_seconds) if limit is not None]
        if limits:
            config.job_timeout_ms = max(1, round(min(limits) * 1000))
        return config

    def _in_session(self, sql: str) -> None:
        config = self._config(None)
        config.connection_properties = [
            *config.connection_properties,
            ConnectionProperty("session_id", self._session),
        ]
        self._run(sql, config, attempts=1)

    def _run(self, sql: str, config: Any, *, attempts: int) -> tuple[Any, Any]:
        """The job of *sql* and its rows; again with a new job while it fails for a passing reason."""
        began = time.monotonic()
        longest = self._jobs.retry_seconds
        delay = FIRST_DELAY_SECONDS
        while True:
            attempts -= 1
            try:
                with self._own_words():
                    return self._run_once(sql, config)
            except JobFailed as error:
                is_late = longest is not None and time.monotonic() + delay - began > longest
                # Of two at once that create what is missing, one may be told that it is there already.
                may_pass = error.reason in PASSING or (
                    error.reason == "duplicate" and _IF_MISSING.match(sql) is not None
                )
                if not may_pass or attempts <= 0 or is_late:
                    raise
            time.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY_SECONDS)

    def _run_once(self, sql: str, config: Any) -> tuple[Any, Any]:
        running = _Running(str(uuid4()), self.location)
        self._running = running
        try:
            job = self._submit(sql, config, running)
            self._running = _Running(running.job_id, job.location)
            rows = job.result(page_size=ROWS_OF_A_PAGE, retry=_until_done(job), job_retry=None)
            return job, _with_texts(rows)
        finally:
            self._running = None

    def _submit(self, sql: str, config: Any, running: _Running) -> Any:
        try:
            return self.query(
                sql,
                job_config=config,
                job_id=running.job_id,
                location=running.location,
                retry=_patient(REQUEST_SECONDS),
                timeout=self._jobs.creation_seconds,
                job_retry=None,
            )
        except api.Conflict:  # the first request arrived, and its answer did not
            return self.get_job(running.job_id, location=running.location)

    @contextmanager
    def _own_words(self) -> Iterator[None]:
        """Within the block, what the API answers is raised as `JobFailed`."""
        try:
            yield
        except (api.GoogleAPICallError, api.RetryError) as failure:
            error = failure.cause if isinstance(failure, api.RetryError) else failure
            if not isinstance(error, api.GoogleAPICallError):
                raise (error or failure) from None  # nobody answered
            details = error.errors[0] if error.errors and isinstance(error.errors[0], dict) else {}
            message = str(details.get("message") or error.message)
            reason = str(details.get("reason") or type(error).__name__)
            raise JobFailed(message + self._elsewhere(message), reason) from None

    def _elsewhere(self, message: str) -> str:
        """Where the dataset is that *message* misses in the wrong place."""
        found = _ELSEWHERE.search(message)
        if found is None:
            return ""
        location = self._location_of(found.group(1), found.group(2))
        if location is None or location.lower() == found.group(3).lower():
            return ""
        return f". It is in {location}: write 'location: {location}' in the profile"


def error_types() -> tuple[type[Exception], ...]:
    """What the client raises when Google's servers refuse or cannot be reached."""
    return (api.GoogleAPIError, GoogleAuthError, RequestException, DatabaseError, ConnectionError)


def sql_type(field: SchemaField) -> str:
    """The type of *field* as GoogleSQL writes it.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema: the API says INTEGER,
    FLOAT, BOOLEAN, RECORD.
    """
    name = _type(field)
    if name == "STRUCT":
        name = f"STRUCT<{', '.join(f'{part.name} {sql_type(part)}' for part in field.fields)}>"
    elif name == "RANGE" and field.range_element_type is not None:
        name = f"RANGE<{field.range_element_type.element_type}>"
    elif field.max_length is not None:
        name = f"{name}({field.max_length})"
    elif field.precision is not None:
        name = f"{name}({', '.join(str(n) for n in (field.precision, field.scale) if n is not None)})"
    return f"ARRAY<{name}>" if field.mode == "REPEATED" else name


_NEW_NAMES = {"BOOLEAN": "BOOL", "FLOAT": "FLOAT64", "INTEGER": "INT64", "RECORD": "STRUCT"}


def _type(field: SchemaField) -> str:
    name = str(field.field_type).upper()
    return _NEW_NAMES.get(name, name)


def _with_texts(rows: Any) -> Any:
    """*rows*, in which JSON and intervals stay the text that BigQuery sent; `typed_schema` has the types.

    The library would parse JSON into floats, and intervals into a class of another library.
    """
    rows.typed_schema = tuple(rows.schema)
    rows._schema = tuple(_as_texts(rows.typed_schema))
    return rows


def _as_texts(fields: Iterable[SchemaField]) -> Iterator[SchemaField]:
    for field in fields:
        kind = field.field_type.upper()
        kind = "STRING" if kind in ("JSON", "INTERVAL") else field.field_type
        yield SchemaField(
            field.name,
            kind,
            mode=field.mode,
            fields=tuple(_as_texts(field.fields)),
            range_element_type=field.range_element_type,
        )


def _patient(seconds: float) -> Retry:
    return Retry(predicate=_may_pass, initial=FIRST_DELAY_SECONDS, maximum=5.0, timeout=seconds)


def _until_done(job: Any) -> Retry:
    """Ask on while BigQuery is out of reach or busy, but not about a job that has failed.

    A job that failed with `backendError` answers so to every question, as if the question had failed.
    """

    def may_pass(error: Exception) -> bool:
        if not _may_pass(error):
            return False
        try:
            job.reload(retry=None)
        except (api.GoogleAPIError, RequestException, GoogleAuthError):
            return True
        return not (job.state == "DONE" and job.error_result)

    return Retry(predicate=may_pass, initial=FIRST_DELAY_SECONDS, maximum=20.0, timeout=POLL_SECONDS)


def _may_pass(error: Exception) -> bool:
    """Whether the same request may well succeed a little later."""
    if isinstance(error, SSLError):
        return False
    if isinstance(error, (ConnectionError, RequestException, TransportError)):
        return True
    if not isinstance(error, api.GoogleAPICallError):
        return False
    if error.errors and isinstance(error.errors[0], dict):
        return error.errors[0].get("reason") in PASSING
    return isinstance(error, (api.ServerError, api.TooManyRequests))
