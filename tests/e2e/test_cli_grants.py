"""`sql grants`: the printed statements give a reader and a recorder on PostgreSQL what they need, no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import pytest

from recce_meta.store import sql_files

pytestmark = pytest.mark.extensive

SECRET = "hunter2secret"


@pytest.fixture
def log_in(server: Any, schema: str, cli: Any, postgres_url: str) -> Iterator[Callable[[str], str]]:
    """Create a role, run the printed statements for it, and return its URL."""
    from psycopg import sql

    names = []

    def made(role: str) -> str:
        name = f"{role} of {uuid4().hex[:12]}"
        server.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(SECRET))
        )
        names.append(name)
        printed = cli(
            "sql", "grants", "--role", role, "--to", name, "--url", postgres_url, "--schema", schema
        )
        assert printed.code == 0, printed.err
        server.execute(printed.out)
        place = server.info
        return f"postgresql://{name.replace(' ', '%20')}:{SECRET}@{place.host}:{place.port}/{place.dbname}"

    yield made
    for name in names:
        server.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
        server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def recorded(cli: Any, project: Path, postgres_url: str, schema: str) -> Any:
    """The command in the project, whose store in PostgreSQL holds production and the pull request."""
    there = cli.within(project, RECCE_META_URL=postgres_url, RECCE_META_SCHEMA=schema)
    for side, folder in (("base", "target-base"), ("current", "target")):
        assert there("record", "-e", side, "--target-path", folder).code == 0
    return there


READS = (
    ("runs",),
    ("show", "base"),
    ("diff", "base", "current"),
    ("diff", "base", "current", "--like-dbt"),
    ("lineage", "orders"),
    ("impact", "orders"),
    ("schema", "orders", "--stored"),
    ("export", "base", "-o", "base.json", "--force"),
    ("query", "select count(*) from runs"),
)


def test_a_reader_runs_every_view_question_and_reading_command(
    recorded: Any, log_in: Callable[[str], str]
) -> None:
    url = log_in("reader")
    reader = recorded.within(RECCE_META_URL=url)

    for command in READS:
        ran = reader(*command)
        assert ran.code == 0, (command, ran.err)
    for view in sql_files.views("postgres"):
        ran = reader("query", f"select * from {view.name}", "-n", "1", "--format", "json")
        assert ran.code == 0, (view.name, ran.err)
    for question in sql_files.cookbook("postgres"):
        ran = reader("query", "--cookbook", question.name, "--format", "csv")
        assert ran.code == 0, (question.name, ran.err)
    assert "read-only" in reader("doctor").out


def test_a_role_that_reads_views_alone_lacks_rights_and_no_other_schema(
    recorded: Any, log_in: Callable[[str], str], server: Any, schema: str
) -> None:
    from psycopg import sql

    url = log_in("reader")
    names = {"schema": sql.Identifier(schema), "role": sql.Identifier(unquote(urlsplit(url).username or ""))}
    for statement in (
        "REVOKE SELECT ON ALL TABLES IN SCHEMA {schema} FROM {role}",
        "GRANT SELECT ON {schema}.runs TO {role}",
    ):
        server.execute(sql.SQL(statement).format(**names))

    for command in (("init",), ("record", "-e", "other")):
        ran = recorded.within(RECCE_META_URL=url)(*command)
        assert (ran.code, "permission denied for table store" in ran.err) == (3, True), ran.err


@pytest.mark.parametrize(
    "command",
    [
        ("record", "-e", "other"),
        ("prune", "--keep-last", "0"),
        ("scan", "--store", "{url}", "--store-schema", "{schema}", "-e", "other"),
    ],
)
def test_a_reader_changes_nothing(
    recorded: Any, log_in: Callable[[str], str], schema: str, command: tuple[str, ...]
) -> None:
    url = log_in("reader")

    ran = recorded.within(RECCE_META_URL=url)(*(part.format(url=url, schema=schema) for part in command))

    assert ran.code == 3
    assert "permission denied" in ran.err


def test_what_a_role_may_not_read_is_not_called_missing(
    recorded: Any, log_in: Callable[[str], str], server: Any, schema: str
) -> None:
    from psycopg import sql

    url = log_in("reader")
    names = {"schema": sql.Identifier(schema), "role": sql.Identifier(unquote(urlsplit(url).username or ""))}
    for statement in (
        "REVOKE SELECT ON ALL TABLES IN SCHEMA {schema} FROM {role}",
        "GRANT SELECT ON {schema}.store, {schema}.runs TO {role}",
    ):
        server.execute(sql.SQL(statement).format(**names))
    reader = recorded.within(RECCE_META_URL=url)
    assert reader("doctor").code == 0
    refused = reader("fsck")
    assert refused.code == 3 and refused.err.startswith("error: permission denied for table store_runs")
    assert "GRANT SELECT ON ALL TABLES" in refused.err and refused.out == ""


def test_a_recorder_records_everything(
    recorded: Any, log_in: Callable[[str], str], server: Any, schema: str, project: Path
) -> None:
    url = log_in("recorder")
    recorder = recorded.within(RECCE_META_URL=url)
    (project / "checks.yml").write_text("checks:\n- name: same\n  type: lineage_diff\n")

    for command in (
        ("record", "-e", "other"),
        ("record", "-e", "other"),  # again: statistics and columns are completed
        ("schema", "orders", "--stored", "--save"),
        ("check", "run", "checks.yml", "--save"),
        ("scan", "--store", url, "--store-schema", schema, "-e", "live", "--schema", schema),
        (
            "quality",
            "--project",
            server.info.dbname,
            "--schema",
            "Meta*",
            "--include",
            "*run_results",
            "--store",
            url,
        ),
        ("export", "base", "-o", "base.json", "--force"),
        ("import", "base.json"),
        *READS,
    ):
        ran = recorder(*command)
        assert ran.code == 0, (command, ran.err)
    assert "record-only" in recorder("doctor").out


def test_a_recorder_exchanges_runs_but_cannot_delete(
    recorded: Any, log_in: Callable[[str], str], project: Path
) -> None:
    url = log_in("recorder")
    mine = recorded.within(RECCE_META_URL="duckdb:///mine.duckdb")
    for run_id in ("kept", "gone"):
        assert mine("record", "--run-id", run_id, "--target-path", "target").code == 0
    assert mine("push", url).code == 0
    assert mine("prune", "--keep-last", "1").code == 0

    pushed = mine("push", url)
    received = recorded.within(RECCE_META_URL=url)("sync", "duckdb:///mine.duckdb", "--select", "kept")

    assert pushed.code == 0, pushed.err
    assert "skipped 1 deletion: the role may not delete runs in postgres://" in pushed.out
    assert received.code == 0, received.err
    assert '"gone"' in recorded.within(RECCE_META_URL=url)("runs", "--format", "json").out


@pytest.mark.parametrize("command", [("prune", "--keep-last", "0"), ("init",)])
def test_a_recorder_removes_and_migrates_nothing(
    recorded: Any, log_in: Callable[[str], str], command: tuple[str, ...]
) -> None:
    ran = recorded.within(RECCE_META_URL=log_in("recorder"))(*command)

    assert ran.code == 3
    assert "permission denied" in ran.err or "must be owner" in ran.err


def test_a_recorder_may_not_drop_or_delete(
    recorded: Any, log_in: Callable[[str], str], server: Any, schema: str
) -> None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(log_in("recorder"), autocommit=True) as connection:
        for statement in (
            "DROP TABLE {}.runs",
            "DROP VIEW {}.runs",
            "DELETE FROM {}.runs",
            "TRUNCATE {}.runs",
            "DROP SCHEMA {} CASCADE",
            "CREATE TABLE {}.mine (a int)",
        ):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType)):
                connection.execute(sql.SQL(statement).format(sql.Identifier(schema)))
