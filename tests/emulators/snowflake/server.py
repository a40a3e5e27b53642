"""Snowflake's HTTP interface over DuckDB: fakesnow's server, with additions for drivers and tests.

Runs as a process in its own environment (`requirements.txt`): `python server.py PORT`; prints `ready`.
Additions: a login for connector 5, rejected passwords, SYSTEM$CANCEL_ALL_QUERIES and statement timeouts (both
stop DuckDB), all errors in Snowflake's protocol, HASH as a signed number, NULL timestamps, and rejection of
statements that Snowflake rejects and DuckDB accepts.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import sys
import threading
import time
from contextlib import nullcontext
from itertools import count
from typing import Any

import catalog
import duckdb
import fakesnow.arrow
import fakesnow.server as fake
import pyarrow
import sqlglot
import uvicorn
from fakesnow.cursor import FakeSnowflakeCursor
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

WRONG_PASSWORD = "wrong"
LOCK_SECONDS = 60.0
CANCELLED = (604, "57014", "SQL execution canceled")
TIMED_OUT = (
    630,
    "57014",
    "Statement reached its statement or warehouse timeout of {} second(s) and was canceled.",
)
_CANCEL = re.compile(r"(?i)\s*select\s+system\$cancel_all_queries\((\d+)\)")
_NUMBER = re.compile(r"\A\d{6} \(\w{5}\): ")
_PLACE = re.compile(r"Line (\d+), Col: (\d+)\.")
_SCIENTIFIC = "UPPER(REPLACE(REPLACE(PRINTF('%.14e', {}), 'e+', 'e+0'), 'e-', 'e-0'))"
_FIRST_WORD = re.compile(r"\A(?:\s+|--[^\n]*\n)*")
_SESSION_IDS = count(1001)

sessions: dict[int, Any] = {}
"""Connections by the argument of SYSTEM$CANCEL_ALL_QUERIES."""
_one_ddl = threading.Lock()
"""fakesnow stores the columns of each table in its own table, where concurrent statements collide."""
in_transaction: set[int] = set()
"""Connections, by their `id`, with an open transaction."""
history: dict[int, list[str | None]] = {}
"""Statements of each connection, by its `id`: a DuckDB query for each SHOW, None for all others."""
limits: dict[int, float] = {}
"""Timeout that stopped a connection's statement, by its `id`, until it is reported."""


async def login(request: Request) -> JSONResponse:
    """Return fakesnow's login with the tokens and the number that connector 5 needs."""
    data = (await _body(request))["data"]
    if data.get("PASSWORD") == WRONG_PASSWORD:
        message = "Incorrect username or password was specified."
        return JSONResponse({"data": {}, "code": "390100", "message": message, "success": False})
    answer = json.loads((await fake.login_request(request)).body)
    number = next(_SESSION_IDS)
    sessions[number] = fake.sessions[answer["data"]["token"]]
    answer["data"] |= {
        "sessionId": number,
        "masterToken": f"master-{number}",
        "validityInSeconds": 3600,
        "masterValidityInSeconds": 14400,
    }
    return JSONResponse(answer)


async def query(request: Request) -> Response:
    """Return fakesnow's response, with timeouts and cancel requests."""
    body = await _body(request)
    if found := _CANCEL.match(body["sqlText"]):
        if (victim := sessions.get(int(found[1]))) is not None:
            victim._duck_conn.interrupt()
        body["sqlText"] = "SELECT 'query [x] terminated.' AS \"SYSTEM$CANCEL_ALL_QUERIES\""
    elif body.get("bindings"):
        body["sqlText"] = numbered(body["sqlText"])
    _replace_body(request, body)
    limit = (body.get("parameters") or {}).get("STATEMENT_TIMEOUT_IN_SECONDS")
    if not limit:
        return _told(await fake.query_request(request))
    connection = fake.to_conn(fake.to_token(request))
    timer = asyncio.get_running_loop().call_later(float(limit), _stop, connection, float(limit))
    try:
        return _told(await fake.query_request(request))
    finally:
        timer.cancel()


def numbered(sql: str) -> str:
    """Replace the question marks in *sql* with `:1`, `:2` …: fakesnow writes some expressions twice."""
    places = [token.start for token in sqlglot.tokenize(sql, read="snowflake") if token.text == "?"]
    for number, start in reversed(list(enumerate(places, 1))):
        sql = f"{sql[:start]}:{number}{sql[start + 1 :]}"
    return sql


def _told(answer: JSONResponse) -> JSONResponse:
    """Return *answer*, an error, as Snowflake does: never with HTTP 500, which drivers retry for minutes."""
    if answer.status_code < 500 and answer.body.endswith(b'"success":true}'):
        return answer
    told = json.loads(answer.body)
    if told["success"]:
        return answer
    # The driver puts the number before the message, which fakesnow has already done.
    message = _NUMBER.sub("", told["message"] or "")
    if (found := _PLACE.search(message)) is not None:
        place = f"syntax error line {found[1]} at position {int(found[2]) - 1} unexpected."
        message = f"SQL compilation error:\n{place}\n{message}"
    told["message"] = message
    if answer.status_code >= 500:
        told |= {"code": "099999", "data": {"errorCode": "099999", "sqlState": "XX000"}}
    return JSONResponse(told)


def _stop(connection: Any, limit: float) -> None:
    limits[id(connection)] = limit
    connection._duck_conn.interrupt()


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    is_packed = request.headers.get("Content-Encoding") == "gzip"
    loaded: dict[str, Any] = json.loads(gzip.decompress(body) if is_packed else body)
    return loaded


def _replace_body(request: Request, body: dict[str, Any]) -> None:
    packed = json.dumps(body).encode()
    is_packed = request.headers.get("Content-Encoding") == "gzip"
    request._body = gzip.compress(packed) if is_packed else packed


# --- errors ---------------------------------------------------------------------------------------------

_timestamps = fakesnow.arrow.timestamp_to_sf_struct
_execute = FakeSnowflakeCursor.execute
_transform = FakeSnowflakeCursor._transform


def execute(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
    """Run fakesnow's execute, with every failure as an error of the protocol."""
    try:
        is_ddl = _end_before_ddl(self, command)
        with _one_ddl if is_ddl else nullcontext():
            return _execute(self, command, *args, **kwargs)
    except ProgrammingError:
        raise
    except duckdb.InterruptException:
        limit = limits.pop(id(self._conn), None)
        errno, state, message = CANCELLED if limit is None else TIMED_OUT
        raise ProgrammingError(msg=message.format(limit), errno=errno, sqlstate=state) from None
    except duckdb.ParserException as error:
        if "in qualified name" not in str(error):
            raise ProgrammingError(msg=str(error), errno=1003, sqlstate="42000") from None
        # The schema is created; fakesnow cannot set a name with a quote as the current schema.
        return _execute(self, "SELECT 'Schema successfully created.' AS status")
    except duckdb.TransactionException as error:
        if command.lstrip("- \n").upper().startswith("UPDATE") or "\nUPDATE " in command:
            return _after_waiting(self, command, *args, **kwargs)
        raise ProgrammingError(msg=str(error), errno=625, sqlstate="57014") from None
    except Exception as error:  # noqa: BLE001 - the driver needs a response for every error
        raise ProgrammingError(
            msg=f"{type(error).__name__}: {error}", errno=99999, sqlstate="XX000"
        ) from None


def _end_before_ddl(self: Any, command: str) -> bool:
    """Commit the open transaction before CREATE, ALTER or DROP; return True for such a statement."""
    word = _FIRST_WORD.sub("", command)[:8].upper()
    is_ddl = word.startswith(("CREATE", "ALTER TA", "DROP"))
    if word.startswith("BEGIN"):
        in_transaction.add(id(self._conn))
    elif word.startswith(("COMMIT", "ROLLBACK")):
        in_transaction.discard(id(self._conn))
    elif is_ddl and id(self._conn) in in_transaction:
        in_transaction.discard(id(self._conn))
        _execute(self, "COMMIT")
    return is_ddl


def _after_waiting(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
    """Retry an UPDATE in conflict: Snowflake waits for the other transaction, DuckDB aborts.

    The UPDATE is assumed to be the first writing statement, as in all our transactions.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        _execute(self, "ROLLBACK")
        time.sleep(0.05)
        _execute(self, "BEGIN")
        try:
            return _execute(self, command, *args, **kwargs)
        except duckdb.TransactionException as error:
            if time.monotonic() > deadline:
                raise ProgrammingError(msg=str(error), errno=625, sqlstate="57014") from None


def transform(self: Any, expression: Any, params: Any) -> Any:
    """Return fakesnow's translation with signed hashes, after rejecting what Snowflake rejects."""
    asked = history.setdefault(id(self._conn), [])
    shown = catalog.shown(expression.sql("snowflake"))
    if shown is not None:
        asked.append(shown)
        return sqlglot.parse_one(shown, read="duckdb")
    refuse(expression)
    translated = _transform(self, expression.transform(_as_duckdb), params)
    translated = catalog.with_views(catalog.scanned(translated, asked))
    asked.append(None)
    return translated.transform(_signed_hash)


def refuse(expression: Any) -> None:
    """Raise Snowflake's error for statements that DuckDB would run."""
    for values in expression.find_all(exp.Values):
        if call := values.find(exp.ParseJSON):
            raise ProgrammingError(
                msg=f"Invalid expression [{call.sql('snowflake')}] in VALUES clause",
                errno=2014,
                sqlstate="22000",
            )


def _as_duckdb(node: Any) -> Any:
    """Fix parts of sqlglot's translation to DuckDB that are wrong or missing."""
    if isinstance(node, exp.GetExtract) and not isinstance(node.parent, exp.Paren):
        return exp.Paren(this=node)  # `->` binds looser than `IS NULL` and `=`
    if isinstance(node, (exp.Collate, exp.CollateColumnConstraint)):
        part = "expression" if isinstance(node, exp.Collate) else "this"
        name = "NOCASE" if node.args[part].name.lower().endswith("-ci") else "C"
        node.set(part, exp.to_identifier(name, quoted=True))
        return node
    if isinstance(node, exp.Trim) and node.args.get("position"):  # fakesnow trims white space, at both ends
        name = {"LEADING": "LTRIM", "TRAILING": "RTRIM"}[node.args["position"]]
        trimmed = node.this.transform(_as_duckdb)  # which is not reached in a node that is replaced
        return exp.Anonymous(this=name, expressions=[trimmed, node.expression or exp.Literal.string(" ")])
    template = node.args.get("format") if isinstance(node, (exp.ToChar, exp.ToNumber)) else None
    if template is None:
        return node
    if template.name.endswith("EEEEE"):
        return sqlglot.parse_one(_SCIENTIFIC.format(node.this.sql("snowflake")), read="snowflake")
    if template.name.strip("X") == "":
        return sqlglot.parse_one(f"CAST('0x' || {node.this.sql('snowflake')} AS BIGINT)", read="snowflake")
    return node


def _signed_hash(node: Any) -> Any:
    if isinstance(node, exp.Anonymous) and node.name.upper() == "HASH":
        signed = "CAST(CAST({} AS HUGEINT) - 9223372036854775808 AS BIGINT)"
        return sqlglot.parse_one(signed.format(node.sql("duckdb")), read="duckdb")
    return node


def timestamps(column: Any) -> Any:
    """Return timestamps as Snowflake sends them, with NULL; fakesnow turns it into the year 1970."""
    joined = column.combine_chunks() if isinstance(column, pyarrow.ChunkedArray) else column
    missing = joined.is_null()
    made = _timestamps(joined.fill_null(0))
    return pyarrow.StructArray.from_arrays(made.flatten(), fields=list(made.type), mask=missing)


def application() -> Starlette:
    """Return fakesnow's routes after our own."""
    fakesnow.arrow.timestamp_to_sf_struct = timestamps
    # It casts sums to DOUBLE, as Snowflake sums strings; exact numbers would be rounded.
    transforms = fakesnow.transforms.transforms
    cast = transforms._NUMERIC_ONLY_AGGS
    transforms._NUMERIC_ONLY_AGGS = tuple(each for each in cast if each is not exp.Sum)
    FakeSnowflakeCursor.execute = execute
    FakeSnowflakeCursor._transform = transform
    ours = [
        Route("/session/v1/login-request", login, methods=["POST"]),
        Route("/queries/v1/query-request", query, methods=["POST"]),
        Route("/telemetry/send", lambda _: JSONResponse({"success": True}), methods=["POST"]),
    ]
    return Starlette(routes=[*ours, *fake.routes])


class Server(uvicorn.Server):
    """A server that reports when it is ready."""

    async def startup(self, sockets: Any = None) -> None:
        """Listen, and report it to the parent process."""
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        sys.stdout.write(f"ready {port}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    configuration = uvicorn.Config(
        application(),
        host="127.0.0.1",
        port=int(sys.argv[1]) if len(sys.argv) > 1 else 0,
        log_level="warning",
    )
    Server(configuration).run()
