"""Connections that do not serve, through the command: one error, one hint, code 3, nothing half-written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import yaml

from recce_meta.adapter import UnifiedSqlAdapter
from tests.e2e.test_cli_failures import assert_told
from tests.support.line import Line

SECRET = "hunter2secret"
COMMANDS = (["init"], ["record"], ["runs"], ["diff"])


@pytest.fixture
def owner(postgres_url: str) -> Iterator[UnifiedSqlAdapter]:
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        yield adapter


@pytest.fixture
def schema(owner: UnifiedSqlAdapter) -> Iterator[str]:
    """The name of a schema that does not exist; it needs quotes."""
    name = f'it\'s "{uuid4().hex[:10]}": 100%'
    yield name
    owner.execute(f"DROP SCHEMA IF EXISTS {owner.quote_identifier(name)} CASCADE")


@pytest.fixture
def role(owner: UnifiedSqlAdapter) -> Iterator[str]:
    """A role that may log in and nothing else."""
    name = f"recce_{uuid4().hex[:12]}"
    owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    yield name
    owner.execute(f"DROP OWNED BY {name}")
    owner.execute(f"DROP ROLE {name}")


def exists(owner: UnifiedSqlAdapter, schema: str) -> bool:
    with owner.session() as session:
        sql = "SELECT count(*) FROM pg_namespace WHERE nspname = :name"
        return session.query(sql, {"name": schema}) == [(1,)]


def fields_of(url: str, **others: object) -> dict[str, object]:
    """The fields of a profile for the PostgreSQL at *url*; one that is None is left out."""
    place = urlsplit(url)
    fields = {
        "type": "postgres",
        "host": place.hostname,
        "port": place.port or 5432,
        "user": place.username,
        "password": place.password or SECRET,
        "dbname": place.path.lstrip("/"),
        "schema": "public",
        **others,
    }
    return {name: value for name, value in fields.items() if value is not None}


def within(cli: Any, project: Path, fields: dict[str, object]) -> Any:
    """The command in *project* with a profile of these *fields*."""
    profiles = {"shop": {"target": "dev", "outputs": {"dev": fields}}}
    (project / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    return cli.within(project)


NOWHERE = "postgresql://me@127.0.0.1:1/db"

# The fields that differ, what is told, and the hint's beginning.
BAD_FIELDS: dict[str, tuple[dict[str, object], str, str]] = {
    "a type that nobody knows": ({"type": "postgers"}, "Unknown warehouse type 'postgers'", "did you mean"),
    "no type": ({"type": None}, "type", ""),
    "a field that is missing": ({"host": None}, "host", ""),
    "a field twice": ({"pass": "another", "password": SECRET}, "pass", ""),
    "a port that is none": ({"port": "many"}, "port", ""),
    "nobody at this port": ({}, "port 1", "check host, port"),
    "a host that is none": ({"host": "nowhere.invalid"}, "nowhere.invalid", "check host, port"),
    "a way to use TLS that is none": ({"sslmode": "always"}, "sslmode", ""),
}


@pytest.mark.parametrize("what", BAD_FIELDS)
def test_a_profile_that_does_not_serve_is_told_by_every_command(cli: Any, project: Path, what: str) -> None:
    others, message, hint = BAD_FIELDS[what]
    shop = within(cli, project, fields_of(NOWHERE, **others))
    before = sorted(project.rglob("*"))

    for command in COMMANDS:
        ran = shop(*command)
        assert_told(ran, 3, message, hint or None)
        assert SECRET not in ran.err
    doctor = shop("doctor")
    assert doctor.code == 3
    assert message in doctor.out
    assert SECRET not in doctor.out + doctor.err
    assert sorted(project.rglob("*")) == before


# The fields that differ from those of a server that does serve.
REFUSED: dict[str, tuple[dict[str, object], str, str]] = {
    "a user that is none": ({"user": "recce_nobody"}, "recce_nobody", "check user and password"),
    "a database that is none": ({"dbname": "recce_nowhere"}, "recce_nowhere", "check host, port"),
    "a certificate that is not there": (
        {"sslmode": "verify-full", "sslrootcert": "nowhere/root.crt"},
        "root.crt",
        "use a file that this user can read",
    ),
    "a role that is none": ({"role": "recce_nobody"}, "recce_nobody", ""),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_server_refuses_is_told_by_every_command(
    cli: Any, project: Path, postgres_url: str, owner: UnifiedSqlAdapter, schema: str, what: str
) -> None:
    others, message, hint = REFUSED[what]
    shop = within(cli, project, fields_of(postgres_url, **others))

    for command in COMMANDS:
        ran = shop(*command, "--schema", schema)
        assert_told(ran, 3, message, hint or None)
        assert SECRET not in ran.err
    assert shop("doctor", "--schema", schema).code == 3
    assert not exists(owner, schema)


def test_no_right_to_create_the_schema_is_told_with_the_grant_that_gives_it(
    cli: Any, project: Path, postgres_url: str, owner: UnifiedSqlAdapter, schema: str, role: str
) -> None:
    shop = within(cli, project, fields_of(postgres_url, user=role))

    for command in (["init"], ["record"]):
        ran = shop(*command, "--schema", schema)
        assert_told(
            ran, 3, "permission denied for database", "ask an administrator to run: GRANT CREATE ON DATABASE"
        )
        assert not exists(owner, schema)
    doctor = shop("doctor", "--schema", schema)
    assert (doctor.code, "GRANT CREATE ON DATABASE" in doctor.out) == (3, True)
    database = owner.quote_identifier(str(owner.database))
    assert f'GRANT CREATE ON DATABASE {database} TO "{role}"' in ran.err

    owner.execute(ran.err.partition("ask an administrator to run: ")[2].strip())
    assert shop("record", "--schema", schema).code == 0


def test_no_right_in_a_schema_that_is_there_is_told_with_the_grant_that_gives_it(
    cli: Any, project: Path, postgres_url: str, owner: UnifiedSqlAdapter, schema: str, role: str
) -> None:
    owner.execute(f"CREATE SCHEMA {owner.quote_identifier(schema)}")
    owner.execute(f"GRANT USAGE ON SCHEMA {owner.quote_identifier(schema)} TO {role}")
    shop = within(cli, project, fields_of(postgres_url, user=role))

    ran = shop("record", "--schema", schema)

    assert_told(
        ran, 3, "permission denied for schema", "ask an administrator to run: GRANT USAGE, CREATE ON SCHEMA"
    )
    owner.execute(ran.err.partition("ask an administrator to run: ")[2].strip())
    assert shop("record", "--schema", schema).code == 0


def test_a_server_that_takes_no_changes_is_told(
    cli: Any, project: Path, postgres_url: str, owner: UnifiedSqlAdapter, schema: str, role: str
) -> None:
    owner.execute(f"ALTER ROLE {role} SET default_transaction_read_only = on")
    shop = within(cli, project, fields_of(postgres_url, user=role))

    for command in (["init"], ["record"]):
        ran = shop(*command, "--schema", schema)
        assert_told(ran, 3, "read-only transaction", "use a writable target")
    assert shop("doctor", "--schema", schema).code == 3
    assert not exists(owner, schema)


@pytest.mark.parametrize("most_bytes", [600, 6_000, 30_000])
def test_a_line_that_is_cut_while_a_run_is_recorded_leaves_nothing(
    cli: Any, project: Path, postgres_url: str, owner: UnifiedSqlAdapter, schema: str, most_bytes: int
) -> None:
    place = urlsplit(postgres_url)
    line = Line(place.hostname or "127.0.0.1", place.port or 5432, most_bytes=most_bytes)
    try:
        shop = within(cli, project, fields_of(postgres_url, host="127.0.0.1", port=line.port))
        ran = shop("record", "--schema", schema)
    finally:
        line.close()

    assert ran.code == 3, ran
    assert_told(ran, 3, "")
    assert "\nhint: " in ran.err
    whole = within(cli, project, fields_of(postgres_url))
    if exists(owner, schema):
        assert whole("runs", "--schema", schema).out == "No runs recorded\n"
    assert whole("record", "--schema", schema).code == 0
    assert len(whole("runs", "--schema", schema, "--format", "json").out) > 2


def test_a_duckdb_file_that_another_program_holds_is_told(cli: Any, project: Path) -> None:
    import subprocess
    import sys

    hold = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.readline()"
    )
    path = project / "shop.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        shop = within(cli, project, {"type": "duckdb", "path": "shop.duckdb"})
        ran = shop("record", "--lock-timeout", "0")
        holder.communicate("\n")

    assert ran.code == 3
    assert str(holder.pid) in ran.err
    assert "hint: end the other program" in ran.err
