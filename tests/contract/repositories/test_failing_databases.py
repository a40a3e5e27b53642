"""Databases that cannot be read: each failure is one line with what to do, in the test and in the job.

No answer, log or file of the state has the password.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest

from recce_meta.errors import RecceMetaError, WarehouseError
from recce_meta.repositories.extraction.workflow import JobRun
from recce_meta.repositories.service.service import ConnectionTestFailed
from recce_meta.repositories.state.connections import get_connection
from recce_meta.repositories.state.jobs import events_after, list_jobs
from recce_meta.repositories.state.types import ExtractionJob, JobStatus, Stage
from tests.contract.repositories.database_lab import PASSWORD, Workplace, duckdb_file, sqlite_file

USER = f"nobody:{PASSWORD}"


class Lab(NamedTuple):
    """What a case may use."""

    folder: Path
    postgres: str
    mysql: str
    stack: ExitStack
    """Closed after the case."""

    def other(self, url: str, *, user: str | None = None, database: str | None = None) -> str:
        """Return *url* with another user, or another database."""
        scheme, _, rest = url.partition("://")
        own, _, place = rest.rpartition("@")
        server, _, name = place.partition("/")
        return f"{scheme}://{user or own}@{server}/{database or name}"


Own = dict[str, Any]


class Case(NamedTuple):
    """A database that fails, and the step of the test that says so."""

    own: Callable[[Lab], Own]
    step: str
    words: str
    """Part of the message."""


def _url(url: str) -> Callable[[Lab], Own]:
    return lambda _: {"url": url}


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Yield the port of a server that answers each connection by *answer*."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    try:
                        answer(client)
                    except (OSError, struct.error):  # the client has gone
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _http(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def _hangs_up(_: socket.socket) -> None:
    return


def postgres_that_says(code: str, text: str) -> Callable[[socket.socket], None]:
    """Return a server of PostgreSQL's protocol that refuses each login with *code*."""

    def answer(client: socket.socket) -> None:
        while True:
            (size,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
            (version,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
            client.recv(size - 8, socket.MSG_WAITALL)
            if version not in (80877103, 80877104):  # a question for TLS or GSS encryption
                break
            client.sendall(b"N")
        fields = b"".join(
            kind + value.encode() + b"\0" for kind, value in ((b"S", "FATAL"), (b"C", code), (b"M", text))
        )
        client.sendall(b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0")

    return answer


def _served(scheme: str, answer: Callable[[socket.socket], None]) -> Callable[[Lab], Own]:
    def own(lab: Lab) -> Own:
        port = lab.stack.enter_context(answering(answer))
        return {"url": f"{scheme}://{USER}@127.0.0.1:{port}/shop"}

    return own


def _refused(code: str, text: str) -> Callable[[Lab], Own]:
    return _served("postgresql", postgres_that_says(code, text))


def _database(engine: str, **changed: str) -> Callable[[Lab], Own]:
    return lambda lab: {"url": lab.other(getattr(lab, engine), **changed)}


def _file(scheme: str, content: bytes | None) -> Callable[[Lab], Own]:
    def own(lab: Lab) -> Own:
        file = lab.folder / "given.db"
        if content is None:
            file.mkdir()
        else:
            file.write_bytes(content)
        return {"url": f"{scheme}:///{file}"}

    return own


def _sqlite_as_duckdb(lab: Lab) -> Own:
    return {"url": sqlite_file(lab.folder).replace("sqlite:", "duckdb:")}


def _duckdb_as_sqlite(lab: Lab) -> Own:
    return {"url": duckdb_file(lab.folder).replace("duckdb:", "sqlite:")}


def _damaged(url_of: Callable[[Path], str]) -> Callable[[Lab], Own]:
    """Return a file whose first kilobyte after the head is overwritten."""

    def own(lab: Lab) -> Own:
        url = url_of(lab.folder)
        file = Path(url.partition(":///")[2])
        content = bytearray(file.read_bytes())
        content[100:20000] = b"\xff" * len(content[100:20000])
        file.write_bytes(content)
        return {"url": url}

    return own


def _profile(text: str, **own: str) -> Callable[[Lab], Own]:
    def made(lab: Lab) -> Own:
        (lab.folder / "profiles.yml").write_text(text, encoding="utf-8")
        return {"profile": "shop", **own}

    return made


def _without_rights(statement: str) -> Callable[[Lab], Own]:
    """Return a role of PostgreSQL that may not read a schema, or log in."""

    def own(lab: Lab) -> Own:
        role, schema = f"reader_{uuid4().hex[:8]}", f"shop_{uuid4().hex[:8]}"
        session = lab.stack.enter_context(psycopg.connect(lab.postgres, autocommit=True))
        for made in (
            f"CREATE ROLE {role} {statement}",
            f"CREATE SCHEMA {schema}",
            f"CREATE TABLE {schema}.orders (id INT)",
        ):
            session.execute(made)
        for gone in (f"DROP ROLE {role}", f"DROP OWNED BY {role}", f"DROP SCHEMA {schema} CASCADE"):
            lab.stack.callback(session.execute, gone)
        url = lab.other(lab.postgres, user=f"{role}:{PASSWORD}")
        return {"url": url, "schemas": (schema,)}

    return own


_TARGET = (
    "shop: {target: dev, outputs: {dev: {type: %s, host: 127.0.0.1, port: 1, user: u, password: %s, %s}}}"
)
_MORE = "dbname: shop, schema: public"
CASES: Mapping[str, Case] = {
    "postgres: closed port": Case(_url(f"postgresql://{USER}@127.0.0.1:1/shop"), "network", "refused"),
    "mysql: closed port": Case(_url(f"mysql://{USER}@127.0.0.1:1/shop"), "network", "refused"),
    "redshift: closed port": Case(_url(f"redshift://{USER}@127.0.0.1:1/shop"), "network", "refused"),
    "postgres: unknown host": Case(_url(f"postgresql://{USER}@db.invalid/shop"), "network", "db.invalid"),
    "mysql: unknown host": Case(_url(f"mysql://{USER}@db.invalid/shop"), "network", "db.invalid"),
    "redshift: unknown host": Case(_url(f"redshift://{USER}@db.invalid/shop"), "network", "db.invalid"),
    "postgres: another service": Case(_served("postgresql", _http), "login", "127.0.0.1"),
    "mysql: another service": Case(_served("mysql", _http), "login", "127.0.0.1"),
    "postgres: it hangs up": Case(_served("postgresql", _hangs_up), "login", "127.0.0.1"),
    "mysql: it hangs up": Case(_served("mysql", _hangs_up), "login", "127.0.0.1"),
    "postgres: wrong password": Case(
        _refused("28P01", 'password authentication failed for user "nobody"'), "login", "password"
    ),
    "postgres: no entry in pg_hba.conf": Case(
        _refused("28000", 'no pg_hba.conf entry for host "10.0.0.7", user "nobody"'), "login", "pg_hba"
    ),
    "postgres: too many clients": Case(
        _refused("53300", "sorry, too many clients already"), "login", "too many clients"
    ),
    "postgres: it starts": Case(
        _refused("57P03", "the database system is starting up"), "login", "starting up"
    ),
    "postgres: a password in the message": Case(
        _refused("28P01", f"the password {PASSWORD} is wrong"), "login", "is wrong"
    ),
    "mysql: wrong password": Case(_database("mysql", user=USER), "login", "nobody"),
    "postgres: unknown role": Case(_database("postgres", user=USER), "login", "nobody"),
    "postgres: it may not log in": Case(_without_rights("NOLOGIN"), "login", "log in"),
    "postgres: unknown database": Case(_database("postgres", database="no_such"), "login", "no_such"),
    "mysql: unknown database": Case(_database("mysql", database="no_such"), "login", "no_such"),
    "postgres: no TLS at the server": Case(
        lambda lab: {"url": f"{lab.other(lab.postgres)}?sslmode=require"}, "login", "SSL"
    ),
    "postgres: a certificate that is not there": Case(
        lambda lab: {"url": f"{lab.other(lab.postgres)}?sslmode=verify-full&sslrootcert=/no/such.pem"},
        "login",
        "/no/such.pem",
    ),
    "postgres: an unknown mode of TLS": Case(
        lambda lab: {"url": f"{lab.other(lab.postgres)}?sslmode=sometimes"}, "login", "sslmode"
    ),
    "postgres: no schema of this name": Case(
        lambda lab: {"url": lab.postgres, "schemas": ("no_such_schema",)}, "rights", "no_such_schema"
    ),
    "mysql: no schema of this name": Case(
        lambda lab: {"url": lab.mysql, "schemas": ("no_such_schema",)}, "rights", "no_such_schema"
    ),
    "sqlite: no schema of this name": Case(
        lambda lab: {"url": sqlite_file(lab.folder), "schemas": ("no_such",)}, "rights", "no_such"
    ),
    "duckdb: no schema of this name": Case(
        lambda lab: {"url": duckdb_file(lab.folder), "schemas": ("no_such",)}, "rights", "no_such"
    ),
    "duckdb: no file": Case(_url("duckdb:////no/such/shop.duckdb"), "login", "/no/such/shop.duckdb"),
    "sqlite: no file": Case(_url("sqlite:////no/such/shop.db"), "login", "/no/such/shop.db"),
    "duckdb: a folder": Case(_file("duckdb", None), "login", "given.db"),
    "sqlite: a folder": Case(_file("sqlite", None), "login", "open"),
    "duckdb: text": Case(_file("duckdb", b"id,city\n1,Rome\n" * 900), "login", "given.db"),
    "sqlite: text": Case(_file("sqlite", b"id,city\n1,Rome\n" * 900), "rights", "not a database"),
    "duckdb: a file of SQLite": Case(_sqlite_as_duckdb, "login", "shop.db"),
    "sqlite: a file of DuckDB": Case(_duckdb_as_sqlite, "rights", "not a database"),
    "duckdb: damaged": Case(_damaged(duckdb_file), "login", "Corrupt"),
    "sqlite: damaged": Case(_damaged(sqlite_file), "rights", "malformed"),
    "duckdb: in memory": Case(_url("duckdb:///:memory:"), "address", "memory"),
    "a variable that is not set": Case(
        lambda _: {"url_env": "NO_SUCH_VARIABLE"}, "address", "NO_SUCH_VARIABLE"
    ),
    "a variable without a URL": Case(lambda _: {"url_env": "PATH"}, "address", "URL"),
    "an unknown scheme": Case(_url(f"nosql://{USER}@127.0.0.1/shop"), "address", "nosql"),
    "not a URL": Case(_url(f"{USER}@127.0.0.1/shop"), "address", "URL"),
    "a port that is no number": Case(
        _url(f"postgresql://{USER}@127.0.0.1:five/shop"), "address", "Invalid database URL"
    ),
    "a URL without a password for Snowflake": Case(_url(f"snowflake://{USER}@"), "address", "account"),
    "no profile of this name": Case(_profile("other: {target: dev, outputs: {}}"), "address", "shop"),
    "no target of this name": Case(
        _profile(_TARGET % ("postgres", PASSWORD, _MORE), target="prod"), "address", "prod"
    ),
    "a profile that is no YAML": Case(
        _profile(f"shop: {{password: {PASSWORD}, ["), "address", "profiles.yml"
    ),
    "a profile of an unknown type": Case(_profile(_TARGET % ("nosql", PASSWORD, _MORE)), "address", "nosql"),
    "a profile without a database": Case(
        _profile(_TARGET % ("postgres", PASSWORD, "schema: public")), "address", "database"
    ),
    "a profile with a missing variable": Case(
        _profile(_TARGET % ("postgres", "\"{{ env_var('NO_SUCH') }}\"", _MORE)), "address", "NO_SUCH"
    ),
    "a profile of a closed port": Case(
        _profile(_TARGET % ("postgres", PASSWORD, _MORE)), "network", "refused"
    ),
}


@pytest.fixture
def lab(tmp_path: Path, postgres_url: str, mysql_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Yield what a case may use; profiles.yml is searched in its folder."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("DBT_PROFILES_DIR", str(folder))
    with ExitStack() as stack:
        yield Lab(folder, postgres_url, mysql_url, stack)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Yield a workplace with a running worker, shared by the module."""
    place = Workplace(tmp_path_factory.mktemp("failing"))
    place.worker.start()
    yield place
    place.worker.stop()
    place.state.close()


def job_of(place: Workplace, own: Own) -> ExtractionJob:
    """Return the ended first job of a database that is added without a test."""
    connection = place.add(f"shop-{uuid4().hex[:8]}", is_tested=False, **own)
    job = place.finished(list_jobs(place.state, connection)[0].id)
    log = repr(events_after(place.state, job.id))
    shown = repr(place.service.get(connection))
    place.service.remove(connection)
    assert PASSWORD not in f"{job!r}{log}{shown}" and "Traceback" not in log
    return job


def _parameter(name: str) -> Any:
    is_redshift = name.startswith("redshift: ")
    return pytest.param(name, marks=pytest.mark.drivers("redshift_connector")) if is_redshift else name


@pytest.mark.cases(5)
@pytest.mark.parametrize("name", [*map(_parameter, CASES)])
def test_a_failure_is_one_line_with_what_to_do_and_no_secret(place: Workplace, lab: Lab, name: str) -> None:
    case = CASES[name]
    own = case.own(lab)
    with pytest.raises(RecceMetaError) as raised:
        place.add(f"shop-{uuid4().hex[:8]}", **own)
    error = raised.value

    assert "\n" not in error.message and error.hint
    assert case.words in error.message
    assert PASSWORD not in f"{error}{error.hint}{error!r}"
    if isinstance(error, ConnectionTestFailed):
        assert error.test.checks[-1].name == case.step, error.test
        assert PASSWORD not in repr(error.test)
    try:
        job = job_of(place, own)
    except RecceMetaError as refused:  # an address that no connection may have
        assert case.step == "address" and refused.hint and PASSWORD not in f"{refused}{refused.hint}"
        return
    assert (job.status, job.is_new) == (JobStatus.FAILED, None)
    assert job.error and job.hint and "\n" not in job.error
    assert case.words in job.error


def test_a_failure_of_the_store_is_not_one_of_the_database(tmp_path: Path, postgres_url: str) -> None:
    """Its error stays one of the store, after which the job is tried again."""
    place = Workplace(tmp_path, f"{postgres_url}?options=-cdefault_transaction_read_only%3Don")
    connection = place.add("shop", url=sqlite_file(tmp_path), is_tested=False)
    (job,) = list_jobs(place.state, connection)

    async def log(_: str) -> None:
        return

    run = JobRun(
        job=job, connection=get_connection(place.state, connection), folder=tmp_path, results={}, log=log
    )
    with pytest.raises(WarehouseError, match="read-only") as raised:
        asyncio.run(place.stages[Stage.EXTRACT](run))  # type: ignore[arg-type]
    place.state.close()

    assert "shop.db" not in str(raised.value)
