"""The same commands against a PostgreSQL server, and what it refuses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from recce_meta.store.session import SCHEMA_VERSION

SECRET = "hunter2secret"


@pytest.fixture
def role(server: Any) -> Iterator[str]:
    """A role that may log in and nothing else."""
    from psycopg import sql

    name = f"recce_meta_{uuid4().hex[:12]}"
    server.execute(
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(SECRET))
    )
    yield name
    server.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
    server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def as_user(server: Any, name: str, database: str | None = None) -> str:
    """The URL by which *name* logs in, with a password that is not the server's."""
    place = server.info
    return f"postgresql://{name}:{SECRET}@{place.host}:{place.port}/{database or place.dbname}"


def test_the_whole_path_on_a_server(cli: Any, project: Path, schema: str, postgres_url: str) -> None:
    shop = cli.within(project, RECCE_META_URL=postgres_url, RECCE_META_SCHEMA=schema)

    created = shop("init")
    records = [shop("record", "-e", "base", "--target-path", "target-base"), shop("record"), shop("record")]
    diff = shop("diff", "--fail-on", "removed")
    lineage = shop("lineage", "orders")
    doctor = shop("doctor")
    pruned = shop("prune", "--keep-last", "0")

    assert created.out == f"Store created in schema {schema}, version {SCHEMA_VERSION}\n"
    assert [ran.code for ran in records] == [0, 0, 0]
    assert "nothing written" in records[2].out
    assert diff.code == 1 and "4 modified · 6 added (5 tests) · 1 removed" in diff.out
    assert "daily_revenue" in lineage.out
    assert doctor.code == 0, doctor.out
    assert pruned.out.startswith("Removed 2 runs")


def test_a_profile_leads_to_the_server(cli: Any, project: Path, server: Any, schema: str) -> None:
    place = server.info
    (project / "profiles.yml").write_text(f"""
shop:
  target: prod
  outputs:
    prod:
      type: postgres
      host: {place.host}
      port: {place.port}
      user: {place.user}
      password: "{{{{ env_var('DBT_ENV_SECRET_PASSWORD') }}}}"
      dbname: {place.dbname}
      schema: public
""")
    shop = cli.within(project, DBT_ENV_SECRET_PASSWORD=place.password or SECRET, RECCE_META_SCHEMA=schema)

    assert shop("record").out.startswith("Recorded run 0829a5f9")
    assert "0829a5f9" in shop("runs").out


def test_a_role_that_may_not_create_is_told_so(
    cli: Any, project: Path, server: Any, schema: str, role: str
) -> None:
    shop = cli.within(project, RECCE_META_URL=as_user(server, role), RECCE_META_SCHEMA=schema)

    for command in ("init", "record"):
        ran = shop(command)
        assert (ran.code, ran.out) == (3, "")
        assert ran.err.startswith("error: permission denied for database")
        assert "CREATE SCHEMA" in ran.err
        assert "\nhint: ask an administrator to run: GRANT CREATE ON DATABASE" in ran.err
        assert SECRET not in ran.err
    doctor = shop("doctor")
    assert doctor.code == 3 and "permission denied for database" in doctor.out and SECRET not in doctor.out


def test_doctor_reports_what_a_role_may_do(
    cli: Any, project: Path, server: Any, schema: str, role: str, postgres_url: str
) -> None:
    from psycopg import sql

    def grant(text: str) -> None:
        names = {"schema": sql.Identifier(schema), "role": sql.Identifier(role)}
        server.execute(sql.SQL(text).format(**names))

    owner = cli.within(project, RECCE_META_URL=postgres_url, RECCE_META_SCHEMA=schema)
    owner("record", "-e", "base", "--target-path", "target-base")
    assert "full: creates" in owner("doctor").out
    other = owner.within(RECCE_META_URL=as_user(server, role))

    runs, doctor = other("runs"), other("doctor")
    assert runs.code == 3 and "permission denied for schema" in runs.err
    assert "\nhint: ask an administrator to run: GRANT USAGE ON SCHEMA" in runs.err
    assert doctor.code == 3 and "No store found" not in runs.err + doctor.out
    for writing in (("record",), ("prune", "--older-than", "10d")):
        refused = other(*writing).err
        assert "permission denied for schema" in refused, refused
        assert f"\nhint: recce-meta sql grants --role recorder --to {role} prints the rights" in refused

    grant("GRANT USAGE ON SCHEMA {schema} TO {role}")
    grant("GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
    reader = other("doctor")
    assert reader.code == 0 and "read-only: reads, but cannot record" in reader.out, reader.out
    assert "GRANT" not in reader.out + reader.err

    grant("GRANT INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO {role}")
    recorder = other("doctor")
    assert recorder.code == 0 and "record-only: records and reads" in recorder.out, recorder.out
    assert other("record").code == 0


@pytest.mark.extensive
def test_a_role_that_may_only_read_reads(
    cli: Any, project: Path, server: Any, schema: str, role: str, postgres_url: str
) -> None:
    from psycopg import sql

    owner = cli.within(project, RECCE_META_URL=postgres_url, RECCE_META_SCHEMA=schema)
    owner("record", "-e", "base", "--target-path", "target-base")
    owner("record")
    names = {"schema": sql.Identifier(schema), "role": sql.Identifier(role)}
    server.execute(sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {role}").format(**names))
    server.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}").format(**names))
    reader = owner.within(RECCE_META_URL=as_user(server, role))

    assert reader("diff").out == owner("diff").out
    assert reader("runs").code == reader("show").code == reader("lineage", "orders").code == 0
    version = sql.SQL("UPDATE {schema}.store SET schema_version = schema_version + {more}")
    server.execute(version.format(**names, more=1))  # as a later recce_meta does that only adds
    assert reader("diff").out == owner("diff").out
    refused = reader("record", "--run-id", "another")
    assert refused.code == 3 and f"writes version {SCHEMA_VERSION} only" in refused.err
    server.execute(version.format(**names, more=-1))
    refused = reader("record", "--run-id", "another")
    assert refused.code == 3 and "permission denied for table" in refused.err
    assert f"\nhint: recce-meta sql grants --role recorder --to {role} prints the rights; " in refused.err
    assert "GRANT" not in refused.err
    server.execute(owner("sql", "grants", "--role", "recorder", "--to", role).out)
    assert reader("record", "--run-id", "another").code == 0


def test_what_a_server_refuses_is_told_without_the_password(cli: Any, server: Any) -> None:
    database = cli("runs", "--url", as_user(server, server.info.user, "no_such_database"))
    user = cli("runs", "--url", as_user(server, "no_such_role"))

    assert database.code == user.code == 3
    assert 'database "no_such_database" does not exist' in database.err
    assert "no_such_role" in user.err and "hint: check user and password" in user.err
    assert SECRET not in database.err + user.err


@pytest.fixture
def refusing_server() -> Iterator[int]:
    """The port of something that speaks PostgreSQL just well enough to refuse any password."""

    def answer(connection: socket.socket) -> None:
        with connection:
            while True:
                length = int.from_bytes(connection.recv(4), "big")
                request = connection.recv(length - 4)
                if request[:2] == b"\x00\x03":  # a startup packet; anything else asks for encryption
                    break
                connection.sendall(b"N")
            fields = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "me"\0\0'
            connection.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)

    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                answer(listener.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_wrong_password_is_told_and_not_shown(cli: Any, refusing_server: int) -> None:
    url = f"postgresql://me:{SECRET}@127.0.0.1:{refusing_server}/db"

    runs, doctor = cli("runs", "--url", url), cli("doctor", "--url", url)

    assert runs.code == doctor.code == 3
    assert "password authentication failed" in runs.err and "hint: check user and password" in runs.err
    assert SECRET not in runs.err + doctor.out + doctor.err
