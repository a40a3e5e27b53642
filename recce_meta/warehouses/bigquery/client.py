"""BigQuery client with cancellable jobs, and its credentials. Imported when a connection is opened.

SQLAlchemy's cursor calls `query_and_wait` of its client. This client submits a job with an id that we chose,
so another thread can cancel it, and a repeated request finds the first job instead of starting a second one.
A transaction is a BigQuery session: its statements carry the session's id.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
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
from recce_meta.errors import AuthenticationFailed, ConfigurationError, first_line
from recce_meta.warehouses.bigquery.connection import Jobs, Key, Place
from recce_meta.warehouses.driver import Policy

STS_URL = "https://sts.googleapis.com/v1/token"
TOKEN_LEEWAY_SECONDS = 300
TOKEN_TIMEOUT_SECONDS = 60

LOG_IN = (
    "run: gcloud auth application-default login; or set a key file in GOOGLE_APPLICATION_CREDENTIALS,"
    " or in 'keyfile' with method: service-account"
)


def credentials_of(key: Key) -> tuple[Any, str | None]:
    """Return Google credentials and their default project, if any, without contacting Google.

    Raises ConfigurationError if a key is invalid, AuthenticationFailed if there are no application default
    credentials.
    """
    credentials, project = _BUILDERS[key.method](key)
    if key.impersonate is None:
        return credentials, project
    from google.auth.impersonated_credentials import Credentials

    scopes = list(key.scopes)
    return Credentials(
        source_credentials=credentials, target_principal=key.impersonate, target_scopes=scopes
    ), project


@lru_cache
def _default(scopes: tuple[str, ...]) -> tuple[Any, str | None]:
    """Find application default credentials, once for all connections: this may call gcloud or a server."""
    from google.auth import default

    credentials, project = default(scopes=list(scopes))
    return credentials, project


def _application_default(key: Key) -> tuple[Any, str | None]:
    from google.auth.exceptions import DefaultCredentialsError

    try:
        return _default(key.scopes)
    except DefaultCredentialsError as error:
        raise AuthenticationFailed(
            f"Google application default credentials not found or invalid: {error}",
            hint=LOG_IN,
            code="DefaultCredentialsError",
        ) from error


def _secrets(key: Key) -> tuple[Any, str | None]:
    from google.oauth2.credentials import Credentials

    return Credentials(**{"token": None, **key.settings}, scopes=list(key.scopes)), None


def _key_file(key: Key) -> tuple[Any, str | None]:
    import json

    path = Path(str(key.settings["keyfile"])).expanduser()
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"Cannot read the key file {path}: {error.strerror}", hint="correct 'keyfile' in profiles.yml"
        ) from error
    except ValueError:
        raise ConfigurationError(
            f"The key file {path} is not JSON", hint="download the key of the service account again, as JSON"
        ) from None
    return _service_account(info, key, f"The key file {path}")


def _key_text(key: Key) -> tuple[Any, str | None]:
    return _service_account(key.settings["keyfile_json"], key, "Field 'keyfile_json'")


def _service_account(info: object, key: Key, where: str) -> tuple[Any, str | None]:
    from google.oauth2.service_account import Credentials

    if not isinstance(info, Mapping) or info.get("type") not in (None, "service_account"):
        kind = info.get("type") if isinstance(info, Mapping) else type(info).__name__
        raise ConfigurationError(
            f"{where} is not the key of a service account: {kind}",
            hint="use method: oauth for credentials of gcloud's own login",
        )
    try:
        credentials = Credentials.from_service_account_info(dict(info), scopes=list(key.scopes))
    except ValueError as error:
        missing = [name for name in ("client_email", "private_key", "token_uri") if not info.get(name)]
        problem = f"lacks {', '.join(missing)}" if missing else "contains an invalid private key"
        # The library's message may quote the key.
        raise ConfigurationError(
            f"{where} {problem} ({type(error).__name__})",
            hint="download the key of the service account again, as JSON",
        ) from None
    return credentials, credentials.project_id


def _other_provider(key: Key) -> tuple[Any, str | None]:
    """Return credentials of workload identity federation, which exchanges another provider's token.

    https://cloud.google.com/iam/docs/workload-identity-federation
    """
    from google.auth.identity_pool import Credentials

    endpoint = key.settings["token_endpoint"]
    assert isinstance(endpoint, Mapping)
    info = {
        "universe_domain": "googleapis.com",
        "type": "external_account",
        "audience": key.settings["workload_pool_provider_path"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": STS_URL,
        "subject_token_supplier": _EntraTokens(str(endpoint["request_url"]), str(endpoint["request_data"])),
    }
    if url := key.settings.get("service_account_impersonation_url"):
        info["service_account_impersonation_url"] = url
    return Credentials.from_info(info).with_scopes(list(key.scopes)), None


class _EntraTokens:
    """Tokens of Microsoft Entra, each cached until shortly before it expires.

    https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """

    def __init__(self, url: str, body: str) -> None:
        self._url, self._body = url, body
        self._token = ""
        self._until = 0.0

    def get_subject_token(self, context: object, request: Any) -> str:
        """Return a token that is valid for some minutes; called by google.auth."""
        if time.monotonic() < self._until:
            return self._token
        import json

        answer = request(
            self._url,
            method="POST",
            body=self._body.encode(),
            headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
            timeout=TOKEN_TIMEOUT_SECONDS,
        )
        content = _object(answer.data, json.loads)
        if answer.status != 200 or "access_token" not in content:
            said = content.get("error_description") or content.get("error") or "no access_token"
            raise AuthenticationFailed(
                f"Token request to {self._url} failed (HTTP {answer.status}): {first_line(said)[:300]}",
                hint="check request_url and request_data of 'token_endpoint'",
            )
        self._token = str(content["access_token"])
        self._until = time.monotonic() + float(content.get("expires_in", 3600)) - TOKEN_LEEWAY_SECONDS
        return self._token


def _object(data: bytes, decode: Any) -> Mapping[str, Any]:
    try:
        content = decode(data)
    except ValueError:
        return {}
    return content if isinstance(content, Mapping) else {}


_BUILDERS = {
    "oauth": _application_default,
    "oauth-secrets": _secrets,
    "service-account": _key_file,
    "service-account-json": _key_text,
    "external-oauth-wif": _other_provider,
}


CANCEL_SECONDS = 5.0
REQUEST_SECONDS = 30.0
"""How long a request that creates a job or reads a table's schema is repeated without an answer."""
POLL_SECONDS = 600.0
"""How long BigQuery may be unreachable while a job runs."""
ROWS_OF_A_PAGE = 100_000
"""Most rows of one answer; BigQuery sends fewer if they exceed about 10 MB."""
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
"""Failure reasons that are worth retrying the job."""

_ELSEWHERE = re.compile(r"Not found: Dataset (\S+)[:.](\w+) was not found in location (\S+)")
_COMMENTS = r"(?:\s|--.*\n|#.*\n|/\*.*?\*/)*"
_MAKES_DATASET = re.compile(_COMMENTS + r"CREATE\s+SCHEMA\b", re.I)
_IF_MISSING = re.compile(_COMMENTS + r"CREATE\s+\w+\s+IF\s+NOT\s+EXISTS\b", re.I)
_NO_TRANSACTION = re.compile(r"no (?:active|open|current)? ?transaction|not in a transaction", re.I)


_STATISTICS = {
    "row access policies": ("rowLevelSecurityStatistics", "rowLevelSecurityApplied"),
    "data masking": ("dataMaskingStatistics", "dataMaskingApplied"),
}


class JobFailed(DatabaseError):  # type: ignore[misc]  # the client's library is not typed
    """BigQuery's own error message and reason, without the URL and the job's log."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Running:
    job_id: str
    location: str | None


class JobClient(Client):  # type: ignore[misc]
    """Client of one connection: one job at a time, and at most one session."""

    def __init__(self, key: Key, place: Place, jobs: Jobs) -> None:
        credentials, brought = credentials_of(key)
        project = place.execution_project or brought
        if project is None:
            raise AuthenticationFailed(
                "Project not found: neither the profile nor the credentials name one",
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
        self.policies: tuple[Policy, ...] = ()
        """Policies that were applied to the last query."""
        self.limit_seconds: float | None = None
        """Time limit of each following job, in addition to the profile's."""
        self._dataset = place.dataset
        self._jobs = jobs
        self._running: _Running | None = None
        self._session: str | None = None
        self._is_in_transaction = False

    def query_and_wait(self, query: str, *, job_config: Any = None, **_: object) -> Any:
        """Run *query* as a job and return its rows; called by SQLAlchemy's cursor."""
        config = self._config(job_config)
        # Only the whole transaction can be repeated, not one of its statements.
        if self._is_in_transaction:
            properties = [ConnectionProperty("session_id", self._session)]
            config.connection_properties = [*config.connection_properties, *properties]
            return self._run(query, config, attempts=1)[1]
        # Such a statement references no existing dataset, from which BigQuery would derive the location.
        if self.location is None and _MAKES_DATASET.match(query):
            self.find_location()
        return self._run(query, config, attempts=1 + self._jobs.retries)[1]

    def columns_of(self, query: str) -> list[SchemaField]:
        """Return the columns of *query* without running it."""
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
                self._session = None  # the session has timed out, or an administrator has ended it
        if self._session is None:
            self.find_location()
            config = self._config(None)
            config.create_session = True
            job, _ = self._run("BEGIN TRANSACTION", config, attempts=1)
            self._session = job.session_info.session_id
        self._is_in_transaction = True

    def commit(self) -> None:
        """Commit the open transaction, if any."""
        if self._is_in_transaction:
            self._in_session("COMMIT TRANSACTION")
            self._is_in_transaction = False

    def rollback(self) -> None:
        """Roll back the open transaction, if a conflict has not already ended it."""
        if self._is_in_transaction:
            # Set first: a failed rollback ends the transaction as well.
            self._is_in_transaction = False
            try:
                self._in_session("ROLLBACK TRANSACTION")
            except JobFailed as error:
                if not _NO_TRANSACTION.search(str(error)):
                    raise

    def end(self) -> None:
        """End the session, which would otherwise live for a day, and close the connections."""
        try:
            if self._session is not None:
                self._in_session("CALL BQ.ABORT_SESSION()")
        except (JobFailed, GoogleAuthError, RequestException):
            pass  # the session ends by itself
        finally:
            self.close()

    def cancel_running(self) -> None:
        """Cancel the running job, if it has started and not yet ended."""
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
        """Return the type of each column of *table*, by name."""
        with self._own_words():
            found = self.get_table(f"{self.data_project}.{dataset}.{table}", retry=_patient(REQUEST_SECONDS))
        return {field.name: _type(field) for field in found.schema}

    def find_location(self) -> None:
        """Set the location of jobs from the profile's dataset, if the profile does not define it."""
        if self.location is None and self._dataset is not None:
            self._location = self._location_of(self.data_project, self._dataset)

    def _location_of(self, project: str, dataset: str) -> str | None:
        try:
            return str(self.get_dataset(f"{project}.{dataset}", retry=_patient(REQUEST_SECONDS)).location)
        except (api.NotFound, api.Forbidden):
            return None  # BigQuery reports the error for the statement

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
        """Run *sql* and return its job and rows; start a new job after a transient failure."""
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
                # If two jobs create the same object concurrently, one may fail because it already exists.
                may_pass = error.reason in PASSING or (
                    error.reason == "duplicate" and _IF_MISSING.match(sql) is not None
                )
                if not may_pass or attempts <= 0 or is_late:
                    raise
            time.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY_SECONDS)

    def _run_once(self, sql: str, config: Any) -> tuple[Any, Any]:
        running = _Running(str(uuid4()), self.location)
        # Set before the request, so that another thread can cancel a job that is not confirmed yet.
        self._running = running
        try:
            job = self._submit(sql, config, running)
            self._running = _Running(running.job_id, job.location)
            # A retry of the library would start a job whose id `cancel_running` does not know.
            rows = job.result(page_size=ROWS_OF_A_PAGE, retry=_until_done(job), job_retry=None)
            self.policies = _policies(job)
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
        except api.Conflict:  # the first request arrived, but its answer was lost
            return self.get_job(running.job_id, location=running.location)

    @contextmanager
    def _own_words(self) -> Iterator[None]:
        """Raise API errors in the block as `JobFailed`."""
        try:
            yield
        except (api.GoogleAPICallError, api.RetryError) as failure:
            error = failure.cause if isinstance(failure, api.RetryError) else failure
            if not isinstance(error, api.GoogleAPICallError):
                raise (error or failure) from None  # there was no answer
            details = error.errors[0] if error.errors and isinstance(error.errors[0], dict) else {}
            message = str(details.get("message") or error.message)
            reason = str(details.get("reason") or type(error).__name__)
            raise JobFailed(message + self._elsewhere(message), reason) from None

    def _elsewhere(self, message: str) -> str:
        """Return a hint with the location of the dataset that *message* reports as not found."""
        found = _ELSEWHERE.search(message)
        if found is None:
            return ""
        location = self._location_of(found.group(1), found.group(2))
        if location is None or location.lower() == found.group(3).lower():
            return ""
        return f". It is in {location}: set 'location: {location}' in the profile"


def error_types() -> tuple[type[Exception], ...]:
    """Return the errors raised when Google's servers refuse or cannot be reached."""
    return (api.GoogleAPIError, GoogleAuthError, RequestException, DatabaseError, ConnectionError)


def sql_type(field: SchemaField) -> str:
    """Return the type of *field* in GoogleSQL.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema: the API uses the names
    INTEGER, FLOAT, BOOLEAN, RECORD.
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
    """Return *rows* with JSON and intervals as the text that BigQuery sent, and types in `typed_schema`.

    The library would parse numbers in JSON as floats, and intervals into another library's class.
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


def _policies(job: Any) -> tuple[Policy, ...]:
    """Return the policies that were applied; BigQuery does not say to which of the tables.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics
    """
    said = job._properties.get("statistics", {})
    kinds = [kind for kind, (group, field) in _STATISTICS.items() if said.get(group, {}).get(field)]
    names = [f"{table.dataset_id}.{table.table_id}" for table in job.referenced_tables] if kinds else []
    return tuple(Policy(kind, name) for kind in kinds for name in names)


def _until_done(job: Any) -> Retry:
    """Return a retry policy for polling *job*: retry while BigQuery is unreachable or busy.

    A job that failed with `backendError` returns this error to every request. Polling such a job stops.
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
    """Return True if the same request may succeed later."""
    if isinstance(error, SSLError):
        return False
    if isinstance(error, (ConnectionError, RequestException, TransportError)):
        return True
    if not isinstance(error, api.GoogleAPICallError):
        return False
    if error.errors and isinstance(error.errors[0], dict):
        return error.errors[0].get("reason") in PASSING
    return isinstance(error, (api.ServerError, api.TooManyRequests))
