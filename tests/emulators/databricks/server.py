"""An emulator of a Databricks SQL warehouse: Thrift over HTTP, and a local Spark behind it.

    python server.py --port 0 --warehouse DIR

prints `port N` when it is ready, and stops when its standard input is closed. The protocol's classes are from
databricks-sql-connector. Spark is real: parsing, types, ANSI arithmetic, errors with condition and SQLSTATE,
results as Arrow. Delta is emulated in `tables.py`, because plain Spark only has Parquet: UPDATE, DELETE,
MERGE, conflicts between writers. `limits.yml` lists the tests that it cannot pass.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import results
import tables
from databricks.sql.thrift_api.TCLIService import TCLIService, ttypes
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

TOKEN = "emulated-token"
"""The valid token; other tokens get HTTP 403."""
READER_TOKEN = "emulated-reader"
"""Token of a user without the privilege to create schemas."""
BUSY_TOKEN = "emulated-busy"
"""Token that gets HTTP 503, as from a warehouse that does not start."""
CATALOG = "spark_catalog"
MOST_PARAMETERS = 256
ANSWER_SECONDS = 0.5
"""Maximum wait for a statement to end before a request returns "still running"."""

_OK = ttypes.TStatus(statusCode=ttypes.TStatusCode.SUCCESS_STATUS)
_PROTOCOL = ttypes.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V8
_SETTINGS = {"timezone": "spark.sql.session.timeZone", "ansi_mode": "spark.sql.ansi.enabled"}
_CREATE_SCHEMA = re.compile(r"\s*CREATE\s+(?:SCHEMA|DATABASE)\b", re.I)


class Refusal(Exception):
    """An error of the server for a failed statement, with its SQLSTATE."""

    def __init__(self, message: str, state: str) -> None:
        super().__init__(message)
        self.state = state


class Operation:
    """One statement, run by its own thread; its result is available until it is closed."""

    def __init__(self, session: Session, statement: str, parameters: dict[str, Any]) -> None:
        self.handle = ttypes.TOperationHandle(
            operationId=_identifier(),
            operationType=ttypes.TOperationType.EXECUTE_STATEMENT,
            hasResultSet=True,
        )
        self.state = ttypes.TOperationState.RUNNING_STATE
        self.result: results.Result | None = None
        self.error: Refusal | None = None
        self.ended = threading.Event()
        self._session, self._statement, self._parameters = session, statement, parameters
        self._group = self.handle.operationId.guid.hex()
        self._is_late = False
        threading.Thread(target=self._run, daemon=True).start()

    def cancel(self) -> None:
        """Stop Spark's jobs; a no-op if none is running."""
        if not self.ended.is_set():
            self.state = ttypes.TOperationState.CANCELED_STATE
            self._session.spark.sparkContext.cancelJobGroup(self._group)

    def _run(self) -> None:
        spark = self._session.spark
        spark.sparkContext.setJobGroup(self._group, "a statement", interruptOnCancel=True)
        timer = self._timer()
        try:
            self.result = self._session.execute(self._statement, self._parameters)
            self._end(ttypes.TOperationState.FINISHED_STATE)
        except PySparkException as error:
            self.error = Refusal(_message(error), error.getSqlState() or "")
            self._end(ttypes.TOperationState.ERROR_STATE)
        except Refusal as error:
            self.error = error
            self._end(ttypes.TOperationState.ERROR_STATE)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the client must hear of it
            self.error = Refusal(f"[INTERNAL_ERROR] {type(error).__name__}: {error}", "XX000")
            self._end(ttypes.TOperationState.ERROR_STATE)
        finally:
            if timer is not None:
                timer.cancel()
            self.ended.set()

    def _end(self, state: int) -> None:
        if self._is_late:
            self.error = Refusal("Statement has timed out", "57KD0")
            self.state = ttypes.TOperationState.ERROR_STATE
        elif self.state != ttypes.TOperationState.CANCELED_STATE:
            self.state = state

    def _timer(self) -> threading.Timer | None:
        seconds = float(self._session.spark.conf.get("STATEMENT_TIMEOUT", "0") or 0)
        if seconds <= 0:
            return None
        timer = threading.Timer(seconds, self._stop_late)
        timer.start()
        return timer

    def _stop_late(self) -> None:
        self._is_late = True
        self._session.spark.sparkContext.cancelJobGroup(self._group)


class Session:
    """One connection: a Spark session with its own settings, catalog and schema."""

    def __init__(self, spark: SparkSession, request: Any, *, is_reader: bool) -> None:
        self.spark = spark
        self.is_reader = is_reader
        for name, value in (request.configuration or {}).items():
            spark.conf.set(_SETTINGS.get(name.lower(), name), value)
        namespace = request.initialNamespace
        if namespace is not None and namespace.schemaName:
            schema = f"`{namespace.schemaName.replace('`', '``')}`"
            if spark.catalog.databaseExists(schema):
                spark.catalog.setCurrentDatabase(schema)

    def execute(self, statement: str, parameters: dict[str, Any]) -> results.Result:
        """Run one statement."""
        if len(parameters) > MOST_PARAMETERS:
            raise Refusal(
                f"Parameterized query has too many parameters: {len(parameters)} parameters were given"
                f" but the limit is {MOST_PARAMETERS}.",
                "54000",
            )
        if self.is_reader and _CREATE_SCHEMA.match(tables.without_comment(statement)):
            raise Refusal(
                "[INSUFFICIENT_PERMISSIONS] Insufficient privileges: User does not have CREATE SCHEMA on"
                f" Catalog '{CATALOG}'. SQLSTATE: 42501",
                "42501",
            )
        try:
            return tables.execute(self.spark, statement, parameters)
        except tables.Conflict as error:
            raise Refusal(str(error), "2D521") from error


class Service(TCLIService.Iface):
    """Thrift service for the connector."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._sessions: dict[bytes, Session] = {}
        self._operations: dict[bytes, Operation] = {}
        self.caller = threading.local()

    def OpenSession(self, req: Any) -> Any:
        """Open a session. An unknown catalog is an error, an unknown schema is not."""
        namespace = req.initialNamespace
        if namespace is not None and namespace.catalogName not in (None, CATALOG):
            return ttypes.TOpenSessionResp(
                status=_failed(
                    f"[NO_SUCH_CATALOG_EXCEPTION] Catalog '{namespace.catalogName}' was not found. Please"
                    " verify the catalog name and then retry the query or command again. SQLSTATE: 42704",
                    "42704",
                ),
                serverProtocolVersion=_PROTOCOL,
            )
        handle = ttypes.TSessionHandle(sessionId=_identifier(), serverProtocolVersion=_PROTOCOL)
        self._sessions[handle.sessionId.guid] = Session(
            new_session(self._spark), req, is_reader=self.caller.token == READER_TOKEN
        )
        return ttypes.TOpenSessionResp(
            status=_OK,
            serverProtocolVersion=_PROTOCOL,
            sessionHandle=handle,
            initialNamespace=namespace,
            canUseMultipleCatalogs=True,
        )

    def CloseSession(self, req: Any) -> Any:
        """Close a session."""
        self._sessions.pop(req.sessionHandle.sessionId.guid, None)
        return ttypes.TCloseSessionResp(status=_OK)

    def ExecuteStatement(self, req: Any) -> Any:
        """Start a statement; include its result if it ends soon."""
        session = self._sessions[req.sessionHandle.sessionId.guid]
        operation = Operation(session, req.statement, results.bound(req.parameters or ()))
        self._operations[operation.handle.operationId.guid] = operation
        direct = None
        if req.getDirectResults is not None and operation.ended.wait(ANSWER_SECONDS):
            direct = self._direct_results(operation, req.getDirectResults)
        return ttypes.TExecuteStatementResp(
            status=_OK, operationHandle=operation.handle, directResults=direct
        )

    def GetOperationStatus(self, req: Any) -> Any:
        """Return the status of a statement when it ends, or after some time."""
        operation = self._operation(req)
        operation.ended.wait(ANSWER_SECONDS)
        return _status(operation)

    def GetResultSetMetadata(self, req: Any) -> Any:
        """Return the columns of a result."""
        operation = self._operation(req)
        if operation.result is None:
            state = ttypes.TOperationState._VALUES_TO_NAMES[operation.state].removesuffix("_STATE")
            return ttypes.TGetResultSetMetadataResp(
                status=_failed(f"Expected states: [FINISHED], but found {state}", "HY010")
            )
        return _metadata(operation.result)

    def FetchResults(self, req: Any) -> Any:
        """Return the next rows."""
        operation = self._operation(req)
        if operation.result is None:
            return ttypes.TFetchResultsResp(status=_failed("There is no result", "HY010"))
        return _rows(operation.result, req.maxRows, req.includeResultSetMetadata)

    def CancelOperation(self, req: Any) -> Any:
        """Stop a statement."""
        self._operation(req).cancel()
        return ttypes.TCancelOperationResp(status=_OK)

    def CloseOperation(self, req: Any) -> Any:
        """Close a statement and its result."""
        self._operations.pop(req.operationHandle.operationId.guid, None)
        return ttypes.TCloseOperationResp(status=_OK)

    def _operation(self, req: Any) -> Operation:
        return self._operations[req.operationHandle.operationId.guid]

    def _direct_results(self, operation: Operation, wanted: Any) -> Any:
        if operation.result is None:
            return ttypes.TSparkDirectResults(operationStatus=_status(operation))
        rows = _rows(operation.result, wanted.maxRows, False)
        closed = None
        if not rows.hasMoreRows:
            self._operations.pop(operation.handle.operationId.guid, None)
            closed = ttypes.TCloseOperationResp(status=_OK)
        return ttypes.TSparkDirectResults(
            operationStatus=_status(operation),
            resultSetMetadata=_metadata(operation.result),
            resultSet=rows,
            closeOperation=closed,
        )


class Door(BaseHTTPRequestHandler):
    """HTTP handler: one Thrift call in each POST."""

    protocol_version = "HTTP/1.1"
    service: Service

    def do_POST(self) -> None:
        """Answer one call, after checking the token."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == BUSY_TOKEN:
            self._answer(503, b"", {"Retry-After": "1"})
        elif token not in (TOKEN, READER_TOKEN):
            self._answer(403, b"", {"x-databricks-reason-phrase": "Invalid access token."})
        else:
            self.service.caller.token = token
            answer = TMemoryBuffer()
            TCLIService.Processor(self.service).process(
                TBinaryProtocol(TMemoryBuffer(body), string_length_limit=None, container_length_limit=None),
                TBinaryProtocol(answer),
            )
            self._answer(200, answer.getvalue(), {"Content-Type": "application/x-thrift"})

    def _answer(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def _identifier() -> Any:
    return ttypes.THandleIdentifier(guid=uuid4().bytes, secret=uuid4().bytes)


def _failed(message: str, state: str) -> Any:
    return ttypes.TStatus(
        statusCode=ttypes.TStatusCode.ERROR_STATUS, sqlState=state, errorCode=0, errorMessage=message
    )


def _status(operation: Operation) -> Any:
    error = operation.error if operation.state == ttypes.TOperationState.ERROR_STATE else None
    return ttypes.TGetOperationStatusResp(
        status=_OK,
        operationState=operation.state,
        sqlState=error and error.state,
        errorMessage=error and f"org.apache.hive.service.cli.HiveSQLException: Error running query: {error}",
        displayMessage=error and str(error),
        numModifiedRows=operation.result and operation.result.modified,
    )


def _metadata(result: results.Result) -> Any:
    return ttypes.TGetResultSetMetadataResp(
        status=_OK,
        schema=result.columns,
        resultFormat=ttypes.TSparkRowSetType.ARROW_BASED_SET,
        lz4Compressed=False,
        arrowSchema=result.schema,
        isStagingOperation=False,
    )


def _rows(result: results.Result, most: int, with_metadata: bool) -> Any:
    start, batches, has_more = result.take(most)
    return ttypes.TFetchResultsResp(
        status=_OK,
        hasMoreRows=has_more,
        results=ttypes.TRowSet(startRowOffset=start, rows=[], arrowBatches=batches),
        resultSetMetadata=_metadata(result) if with_metadata else None,
    )


def _message(error: PySparkException) -> str:
    """Return Spark's message without the query plan and stack trace."""
    text = getattr(error, "desc", None) or str(error)
    text = re.split(r"\n(?='|[+:]- |[A-Z]\w+ \[)|\n\nJVM stacktrace", text)[0]
    return text.rstrip(";\n ")


def start_spark(folder: str) -> SparkSession:
    """Start Spark in one process, tuned for many small statements."""
    settings = {
        "spark.driver.memory": "1g",
        # Statements are many and small: better compilation would take longer than running them.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.warehouse.dir": os.path.join(folder, "warehouse"),
        "spark.local.dir": os.path.join(folder, "local"),
        # Changes of one session are visible to others immediately.
        "spark.sql.filesourceTableRelationCacheSize": "0",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        # Spark's constraint propagation takes forever for plans with hundreds of expressions.
        "spark.sql.constraintPropagation.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master("local[2]").appName("emulated warehouse")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def new_session(spark: SparkSession) -> SparkSession:
    """Return a session that sees changes of other sessions: it does not cache file listings of tables.

    Spark reads the cache size from the thread's active session, once, when it creates the session's catalog.
    A thread without a session would use the default, 1000, instead of our setting.
    """
    session = spark.newSession()
    spark._jvm.org.apache.spark.sql.classic.SparkSession.setActiveSession(spark._jsparkSession)
    session._jsparkSession.sessionState().catalog()
    return session


def main() -> None:
    """Serve until standard input is closed."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--warehouse", required=True)
    chosen = options.parse_args()
    logging.getLogger("SQLQueryContextLogger").disabled = True  # many tests are about errors
    spark = start_spark(chosen.warehouse)
    tables.prepare(spark, chosen.warehouse)
    Door.service = Service(spark)
    server = ThreadingHTTPServer(("127.0.0.1", chosen.port), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"port {server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.shutdown()
    spark.stop()


if __name__ == "__main__":
    main()
