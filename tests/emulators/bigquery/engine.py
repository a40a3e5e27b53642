"""Projects, datasets, sessions and jobs over one DuckDB in memory."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import uuid4

import duckdb

from tests.emulators.bigquery.catalog import TABLES, rename
from tests.emulators.bigquery.judge import Judge, parameter_type, path_of, type_of
from tests.emulators.bigquery.results import Field, cell, field_of, refusal
from tests.emulators.bigquery.translate import MACROS, Refused, Statement, translate

MOST_TEXT = 1024 * 1024
"""Maximum length of a query: https://cloud.google.com/bigquery/quotas#query_jobs"""
MOST_PARAMETERS = 10_000
BYTES_OF_A_ROW = 100
"""Size of a table row in the bytes that a query processes."""
REFUSED_PROJECT = "no-datasets-here"
"""Project in which creating a dataset is denied."""

_FAULT = re.compile(r"/\* fail (\w+) once \*/")

_TYPES = {"INT64": "BIGINT", "FLOAT64": "DOUBLE", "STRING": "VARCHAR", "BOOL": "BOOLEAN", "BYTES": "BLOB",
          "TIMESTAMP": "TIMESTAMPTZ", "DATETIME": "TIMESTAMP", "DATE": "DATE", "TIME": "TIME",
          "NUMERIC": "DECIMAL(38,9)", "BIGNUMERIC": "DECIMAL(38,18)"}  # fmt: skip


@dataclass
class Session:
    """A BigQuery session: it may have a transaction, and one job at a time."""

    identity: str
    location: str
    cursor: Any
    is_in_transaction: bool = False
    is_aborted: bool = False
    busy: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Job:
    """One query, its state and result."""

    identity: str
    project: str
    location: str
    configuration: dict[str, Any]
    session: Session | None = None
    cursor: Any = None
    error: Refused | None = None
    schema: list[Field] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    affected: int | None = None
    bytes_processed: int = 0
    is_cancelled: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    kind: str = "Select"
    created: float = field(default_factory=time.time)


class Engine:
    """Projects, datasets, sessions and jobs of the server."""

    def __init__(self) -> None:
        self._root = duckdb.connect(":memory:", config={"threads": 2})
        self._root.execute("SET TimeZone = 'UTC'")
        for macro in MACROS:
            self._root.execute(f"CREATE MACRO {macro}")
        for table in TABLES:
            self._root.execute(table)
        self._judge = Judge()
        self._lock = threading.RLock()
        self._projects: set[str] = set()
        self.locations: dict[tuple[str, str], str] = {}
        self.jobs: dict[str, Job] = {}
        self.sessions: dict[str, Session] = {}
        self._failed: set[str] = set()

    def _cursor(self) -> Any:
        cursor = self._root.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        return cursor

    def _know(self, project: str) -> None:
        with self._lock:
            if project not in self._projects:
                self._root.execute(f"ATTACH ':memory:' AS {_quoted(project)}")
                self._projects.add(project)

    # Datasets and tables

    def dataset_location(self, project: str, dataset: str) -> str:
        """Return the location of *dataset*. Raises Refused if it does not exist."""
        if (project, dataset) not in self.locations:
            raise Refused(f"Not found: Dataset {project}:{dataset}", "notFound")
        return self.locations[project, dataset]

    def create_dataset(self, project: str, dataset: str, location: str) -> None:
        """Create a dataset."""
        self._know(project)
        if project == REFUSED_PROJECT:
            raise Refused(
                f"Access Denied: Project {project}: User does not have bigquery.datasets.create permission in"
                f" project {project}.",
                "accessDenied",
            )
        if (project, dataset) in self.locations:
            raise Refused(f"Already Exists: Dataset {project}:{dataset}", "duplicate")
        self._cursor().execute(f"CREATE SCHEMA {_quoted(project)}.{_quoted(dataset)}")
        self.locations[project, dataset] = location
        self._cursor().execute(
            "INSERT INTO memory.main.bq_datasets VALUES (?, ?, ?, NULL)", [project, dataset, location]
        )

    def table(self, project: str, dataset: str, table: str) -> list[Field]:
        """Return the columns of a table."""
        location = self.dataset_location(project, dataset)
        self._need(self._cursor(), (project, dataset, table), location)
        cursor = self._cursor().execute(f"SELECT * FROM {_name(project, dataset, table)} LIMIT 0")
        return [field_of(name, kind) for name, kind, *_ in cursor.description]

    # Jobs

    def insert(self, project: str, identity: str, location: str | None, configuration: dict[str, Any]) -> Job:
        """Start a job, or answer a dry run."""
        if identity in self.jobs:
            raise Refused(f"Already Exists: Job {project}:{location}.{identity}", "duplicate")
        self._know(project)
        query = configuration["query"]
        if len(query["query"]) > MOST_TEXT:
            raise Refused(
                "The query is too large. The maximum standard SQL query length is 1024.00K characters,"
                " including comments and white space characters.",
                "invalid",
            )
        if len(query.get("queryParameters", ())) > MOST_PARAMETERS:
            raise Refused("Too many query parameters", "invalid")
        session = self._session(query)
        job = Job(
            identity, project, location or (session.location if session else ""), configuration, session
        )
        if configuration.get("dryRun"):
            self._dry_run(job)
            job.location = job.location or "US"
            return job
        if query.get("createSession"):
            job.session = Session(uuid4().hex, location or "US", self._cursor())
            self.sessions[job.session.identity] = job.session
            job.location = job.session.location
        statement = None
        try:
            statement = self._statement(job)
            places = [self.locations.get(dataset) for dataset in sorted(statement.datasets)]
            job.location = job.location or next((place for place in places if place), "")
        except Refused as refused:
            job.error = refused
        job.location = job.location or (statement and statement.location) or "US"
        self.jobs[identity] = job
        threading.Thread(target=self._run, args=(job, statement), daemon=True).start()
        limit = configuration.get("jobTimeoutMs")
        if limit is not None:
            timer = threading.Timer(int(limit) / 1000, self._time_out, (job, int(limit)))
            timer.daemon = True
            timer.start()
        return job

    def cancel(self, job: Job) -> None:
        """Stop a job."""
        job.is_cancelled = True
        if job.cursor is not None and not job.done.is_set():
            job.cursor.interrupt()

    def _session(self, query: Mapping[str, Any]) -> Session | None:
        properties = {one["key"]: one["value"] for one in query.get("connectionProperties", ())}
        identity = properties.get("session_id")
        if identity is None:
            return None
        if identity not in self.sessions:
            raise Refused(f"Session {identity} not found or has expired", "invalid")
        return self.sessions[identity]

    def _time_out(self, job: Job, milliseconds: int) -> None:
        if not job.done.is_set():
            job.error = Refused(
                f"Job execution was cancelled: Job timed out after {milliseconds / 1000:g} sec", "stopped"
            )
            self.cancel(job)

    def _statement(self, job: Job) -> Statement:
        sql = job.configuration["query"]["query"]
        names = self._judge.names(sql, self._names_of_datasets())
        statement = translate(sql, *self._defaults(job))
        statement.names = names
        return statement

    def _defaults(self, job: Job) -> tuple[str, tuple[str, str] | None]:
        """Return the default project and dataset of names."""
        query = job.configuration["query"]
        properties = {one["key"]: one["value"] for one in query.get("connectionProperties", ())}
        project = properties.get("dataset_project_id", job.project)
        self._know(project)
        given = query.get("defaultDataset")
        return project, (given.get("projectId", project), given["datasetId"]) if given else None

    def _dry_run(self, job: Job) -> None:
        statement = self._statement(job)
        cursor = self._cursor()
        self._look(job, statement, cursor)
        self._judge_statement(job, statement, cursor)
        job.bytes_processed = self._size(cursor, statement)
        if statement.kind in ("Select", "Union", "Intersect", "Except", "SetOperation"):
            try:
                query = cursor.sql(
                    f"SELECT * FROM ({statement.sql}) AS q", params=_values(job, statement.sql)
                )
            except duckdb.Error as error:
                raise refusal(error, job.configuration["query"]["query"]) from None
            job.schema = [field_of(name, kind) for name, kind in zip(query.columns, query.types, strict=True)]
        job.done.set()

    def _run(self, job: Job, statement: Statement | None) -> None:
        session = job.session
        job.cursor = session.cursor if session else self._cursor()
        try:
            if session is not None and not session.busy.acquire(blocking=False):
                raise Refused("Concurrent jobs in the same session are not allowed.")
            try:
                if statement is not None:
                    self._execute(job, statement)
            finally:
                if session is not None:
                    session.busy.release()
        except Refused as refused:
            job.error = job.error or refused
        except duckdb.Error as error:
            job.error = job.error or refusal(error, job.configuration["query"]["query"])
        except Exception as error:  # noqa: BLE001 - a job must always report its end
            job.error = job.error or Refused(f"{type(error).__name__}: {error}", "internalEmulatorError")
        finally:
            if job.error is not None and session is not None and "aborted" in job.error.message:
                session.is_aborted = True
            job.done.set()

    def _execute(self, job: Job, statement: Statement) -> None:
        job.kind = statement.kind
        if job.is_cancelled:
            raise Refused("Job execution was cancelled: User requested cancellation", "stopped")
        self._fail_if_told(job)
        if statement.kind in ("BEGIN", "COMMIT", "ROLLBACK", "ABORT"):
            self._control(job, statement.kind)
            return
        session = job.session
        if session is not None and session.is_aborted:
            raise Refused("Transaction is aborted due to an earlier failure")
        if (
            session is not None
            and session.is_in_transaction
            and statement.kind in ("Create", "Drop", "Alter")
        ):
            raise Refused(f"{statement.kind.upper()} is not supported inside a transaction at [1:1]")
        if statement.dataset_to_create is not None:
            self._make_dataset(job, statement)
            return
        self._look(job, statement, job.cursor)
        self._judge_statement(job, statement, job.cursor)
        job.bytes_processed = self._size(job.cursor, statement)
        most = job.configuration["query"].get("maximumBytesBilled")
        if most is not None and job.bytes_processed > int(most):
            raise Refused(
                f"Query exceeded limit for bytes billed: {most}. {job.bytes_processed} or higher required.",
                "bytesBilledLimitExceeded",
            )
        cursor = job.cursor.execute(statement.sql, _values(job, statement.sql))
        if statement.definition is not None:
            statement.definition.keep(self._cursor())
        if statement.renamed is not None:
            rename(self._cursor(), *statement.renamed)
        if statement.dataset_to_drop is not None:
            self.locations.pop(statement.dataset_to_drop, None)
            self._cursor().execute(
                "DELETE FROM memory.main.bq_datasets WHERE project = ? AND dataset = ?",
                list(statement.dataset_to_drop),
            )
        elif statement.kind in ("Insert", "Update", "Delete", "Merge"):
            job.affected = cursor.fetchone()[0]
        elif statement.kind not in ("Create", "Drop", "Alter", "TruncateTable"):
            job.schema = [field_of(name, kind) for name, kind, *_ in cursor.description]
            names = [one["name"].lower() for one in job.schema]
            if len(set(names)) < len(names):
                raise Refused("Duplicate column names in the result are not supported.")
            job.rows = cursor.fetchall()

    def _fail_if_told(self, job: Job) -> None:
        """Fail the first time for a statement with the comment `fail REASON once`."""
        text = job.configuration["query"]["query"]
        found = _FAULT.search(text)
        if found is not None and text not in self._failed:
            self._failed.add(text)
            raise Refused(f"Told to fail: {found[1]}", found[1])

    def _control(self, job: Job, kind: str) -> None:
        session = job.session
        if session is None:
            raise Refused("Transaction control statements are supported only in scripts or sessions")
        if kind == "ABORT":
            del self.sessions[session.identity]
            session.cursor.close()
            return
        if (kind == "BEGIN") == session.is_in_transaction:
            state = "Cannot nest transactions" if kind == "BEGIN" else "There is no active transaction"
            raise Refused(state)
        if kind == "COMMIT" and session.is_aborted:
            raise Refused("Transaction is aborted and cannot be committed")
        session.is_in_transaction, session.is_aborted = kind == "BEGIN", False
        session.cursor.execute(kind)

    def _make_dataset(self, job: Job, statement: Statement) -> None:
        assert statement.dataset_to_create is not None
        project, dataset, location = statement.dataset_to_create
        if location and job.location and location.lower() != job.location.lower():
            raise Refused(
                f"The job's location {job.location} is not that of the dataset, {location}", "invalid"
            )
        if (project, dataset) in self.locations and "IF NOT EXISTS" in statement.sql.upper():
            return
        self.create_dataset(project, dataset, job.location)

    def _look(self, job: Job, statement: Statement, cursor: Any) -> None:
        """Raise Refused if a dataset or table is missing or in another location."""
        for project, dataset in sorted(statement.datasets):
            location = self.locations.get((project, dataset))
            job.location = job.location or location or ""
            if location is None or location.lower() != job.location.lower():
                raise Refused(
                    f"Not found: Dataset {project}:{dataset} was not found"
                    f" in location {job.location or 'US'}",
                    "notFound",
                )
        for table in sorted(statement.tables):
            self._need(cursor, table, job.location)

    def _need(self, cursor: Any, table: tuple[str, str, str], location: str) -> None:
        found = cursor.execute(
            "SELECT 1 FROM information_schema.tables"
            " WHERE table_catalog = ? AND table_schema = ? AND table_name = ?",
            list(table),
        ).fetchone()
        if found is None:
            project, dataset, name = table
            raise Refused(
                f"Not found: Table {project}:{dataset}.{name} was not found in location {location}",
                "notFound",
            )

    def _judge_statement(self, job: Job, statement: Statement, cursor: Any) -> None:
        """Raise Refused if GoogleSQL rejects the statement on the current tables."""
        query = job.configuration["query"]
        tables = [(name, self._columns(job, name, cursor)) for name in statement.names]
        parameters = [
            (one["name"], parameter_type(one["parameterType"])) for one in query.get("queryParameters", ())
        ]
        self._judge.check(query["query"], tables, parameters, self._names_of_datasets())

    def _names_of_datasets(self) -> set[str]:
        return {dataset for _, dataset in list(self.locations)}

    def _columns(self, job: Job, name: tuple[str, ...], cursor: Any) -> tuple[tuple[str, str], ...]:
        """Return the name and type of each column of the table that a statement calls *name*."""
        select = _no_rows_of(name, *self._defaults(job))
        found = cursor.execute(select.sql).description
        kinds: dict[str, str] = {}
        for place in select.tables:
            cursor.execute(
                "SELECT column_name, kind FROM memory.main.bq_columns"
                " WHERE project = ? AND dataset = ? AND name = ?",
                list(place),
            )
            kinds.update(cursor.fetchall())
        return tuple(
            (column, kinds.get(column) or type_of(field_of(column, kind))) for column, kind, *_ in found
        )

    def _size(self, cursor: Any, statement: Statement) -> int:
        if not statement.tables:
            return 0
        wanted = [f"{p}.{d}.{t}" for p, d, t in statement.tables]
        (rows,) = cursor.execute(
            "SELECT COALESCE(sum(estimated_size), 0) FROM duckdb_tables()"
            " WHERE list_contains(?, database_name || '.' || schema_name || '.' || table_name)",
            [wanted],
        ).fetchone()
        return int(rows) * BYTES_OF_A_ROW


@lru_cache(4000)
def _no_rows_of(name: tuple[str, ...], project: str, dataset: tuple[str, str] | None) -> Statement:
    return translate(f"SELECT * FROM {path_of(name)} LIMIT 0", project, dataset)


def rows_of(job: Job, start: int, most: int) -> list[Any]:
    """Return some of a job's rows in the format of the API."""
    return [
        {"f": [{"v": cell(value, of)} for value, of in zip(row, job.schema, strict=True)]}
        for row in job.rows[start : start + most]
    ]


def _values(job: Job, sql: str) -> dict[str, Any]:
    """Return the parameters in *sql*, each converted to its type."""
    values = {}
    for parameter in job.configuration["query"].get("queryParameters", ()):
        kind, value = parameter["parameterType"], parameter["parameterValue"]
        if kind["type"] == "ARRAY":
            items = [one.get("value") for one in value.get("arrayValues", ())]
            found = duckdb.Value(items, f"{_TYPES[kind['arrayType']['type']]}[]")
        elif value.get("value") is None:
            found = duckdb.Value(None, _TYPES[kind["type"]])
        else:
            found = duckdb.Value(_python(value["value"], kind["type"]), _TYPES[kind["type"]])
        if f"${parameter['name']}" in sql:
            values[parameter["name"]] = found
    return values


def _python(text: str, kind: str) -> Any:
    if kind == "INT64":
        return int(text)
    if kind == "FLOAT64":
        return float(text)
    if kind == "BOOL":
        return str(text).lower() == "true"
    return text


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _name(*parts: str) -> str:
    return ".".join(_quoted(part) for part in parts)
