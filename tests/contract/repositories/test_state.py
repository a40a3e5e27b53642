"""Connections, secrets, workers and tokens in the state, on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
import sqlalchemy
from cryptography.fernet import Fernet
from sqlalchemy import delete, insert, select, update

from recce_meta.errors import (
    ConfigurationError,
    ConnectionFailed,
    RecceMetaError,
    StoreError,
    UnknownNameError,
    UsageError,
)
from recce_meta.models.run import IsolationKind, Trigger
from recce_meta.repositories.options.values import GitHubApp, ProfileTarget
from recce_meta.repositories.state import (
    audit,
    connections,
    jobs,
    projects,
    secrets,
    tables,
    tasks,
    tokens,
    workers,
    workspaces,
)
from recce_meta.repositories.state.database import (
    STATE_URL,
    VERSION,
    State,
    default_state_file,
    has_state,
    open_state,
)
from recce_meta.repositories.state.tokens import TokenScope
from recce_meta.repositories.state.types import ConnectionStatus, JobRequest, JobSource, TaskKind
from tests.support import states
from tests.support.forge_names import Forge

NOW = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
CANARY = "ghp_canary0123456789canary0123456789abcd"
WITH_KEY = {secrets.KEY: states.KEY}


@pytest.fixture
def file_state(tmp_path: Path) -> Iterator[State]:
    """Return the open state of a SQLite file."""
    with states.opened(f"sqlite:///{tmp_path / 'state.db'}") as opened:
        yield opened


def everything_in(state: State, *but: sqlalchemy.Table) -> str:
    """Return the text of all rows, without those of some tables."""
    found = [table for table in tables.metadata.sorted_tables if table not in but]
    with state.read() as session:
        return repr([session.execute(select(table)).all() for table in found])


def test_a_connection_is_stored_to_the_field(state: State) -> None:
    given = states.shop(
        branches=("main", "feature/x"),
        subdirectory="analytics",
        type=Forge.GITLAB,
        token_env="SHOP_TOKEN",
        github_app=GitHubApp(app_id="1", installation_id="2"),
        profile=ProfileTarget(target="prod", schema="s", database="d"),
        variables={"REGION": "ünï"},
        dbt_version="1.10",
        isolation=IsolationKind.DOCKER,
        is_trusted=True,
        requires_dbt=True,
        poll_minutes=None,
        adapter="snowflake",
    )

    assert connections.add_connection(state, given) == given
    assert connections.get_connection(state, "shop") == given
    assert connections.get_connection(state, given.id) == given
    assert connections.list_connections(state) == [given]


def test_names_of_connections_are_unique_and_unknown_ones_are_suggested(state: State) -> None:
    shop = connections.add_connection(state, states.shop())
    other = connections.add_connection(state, states.shop(name="other"))

    with pytest.raises(UsageError, match="A connection 'shop' exists"):
        connections.add_connection(state, states.shop())
    with pytest.raises(UsageError, match="A connection 'shop' exists"):
        connections.update_connection(state, other.id, name="shop")
    with pytest.raises(UnknownNameError) as error:
        connections.get_connection(state, "shp")

    assert error.value.hint == "did you mean 'shop'?"
    assert {one.id for one in connections.list_connections(state)} == {shop.id, other.id}


def test_a_connection_can_be_changed_disconnected_and_connected(state: State) -> None:
    shop = connections.add_connection(state, states.shop())
    connections.note_poll(state, [shop.id], NOW, "the server does not answer")

    changed = connections.update_connection(
        state, "shop", name="store", branches=("dev",), variables={"A": "1"}
    )
    assert (changed.name, changed.branch, changed.variables) == ("store", "dev", {"A": "1"})
    assert (changed.status, changed.error) == (ConnectionStatus.FAILED, "the server does not answer")
    off = connections.update_connection(state, shop.id, status=ConnectionStatus.DISCONNECTED)
    assert off.status is ConnectionStatus.DISCONNECTED
    on = connections.update_connection(state, shop.id, status=ConnectionStatus.ACTIVE)
    assert (on.status, on.error) == (ConnectionStatus.ACTIVE, None)


def test_a_change_keeps_what_a_worker_stores_at_the_same_time(tmp_path: Path, postgres_url: str) -> None:
    with states.state_address("postgres", tmp_path, postgres_url) as url, states.opened(url) as state:
        shop = connections.add_connection(state, states.shop())
        looks = iter([shop.id])

        @sqlalchemy.event.listens_for(state.engine, "before_cursor_execute")
        def look(*given: object) -> None:
            if str(given[2]).startswith("UPDATE"):
                for shop_id in looks:
                    connections.note_poll(state, [shop_id], NOW, "the server does not answer")

        changed = connections.update_connection(state, "shop", variables={"A": "1"})
        unchanged = connections.update_connection(state, "shop")

        assert next(looks, None) is None
        assert (changed.variables, changed.next_check_at) == ({"A": "1"}, NOW)
        assert changed.error == "the server does not answer"
        assert unchanged == changed


def test_a_removed_connection_leaves_nothing(state: State) -> None:
    shop = connections.add_connection(state, states.shop())
    connections.update_connection(
        state, shop.id, keys=secrets.read_keys(WITH_KEY, state), secrets={"token": CANARY}
    )
    job = jobs.request_job(
        state, shop.id, JobRequest(branch="main", trigger=Trigger.POLL, requested_by="poller")
    ).job
    jobs.add_event(state, job.id, None, "log", "a line")

    connections.remove_connection(state, "shop")

    assert shop.id not in everything_in(state, tables.audit_events)
    with pytest.raises(UnknownNameError):
        connections.remove_connection(state, "shop")


def test_the_poller_finds_what_is_due(state: State) -> None:
    never = states.shop(name="never", poll_minutes=None)
    new = states.shop(name="new")
    early = states.shop(name="early", next_check_at=NOW - timedelta(minutes=1))
    late = states.shop(name="late", next_check_at=NOW + timedelta(minutes=1))
    off = states.shop(name="off", status=ConnectionStatus.DISCONNECTED, next_check_at=NOW)
    for one in (never, new, early, late, off):
        connections.add_connection(state, one)

    assert [one.name for one in connections.due_connections(state, NOW)] == ["new", "early", "off"]
    connections.note_poll(state, [new.id, early.id, off.id], NOW + timedelta(minutes=15), None)
    assert connections.due_connections(state, NOW) == []
    assert connections.get_connection(state, "new").next_check_at == NOW + timedelta(minutes=15)


def test_a_secret_is_stored_encrypted_replaced_and_removed(state: State) -> None:
    shop = connections.add_connection(state, states.shop())
    keys = secrets.read_keys(WITH_KEY, state)
    assert connections.read_secret(state, keys, shop.id, "token") is None

    connections.update_connection(state, shop.id, keys=keys, secrets={"token": "short"})
    assert connections.get_connection(state, shop.id).token_hint is None
    connections.update_connection(state, shop.id, keys=keys, secrets={"token": CANARY})
    connections.update_connection(state, shop.id, keys=keys, secrets={"private_key": "line 1\nline 2|x"})

    stored = connections.get_connection(state, shop.id)
    assert (stored.has_token, stored.token_hint) == (True, "abcd")
    assert connections.read_secret(state, keys, shop.id, "token") == CANARY
    assert connections.read_secret(state, keys, shop.id, "private_key") == "line 1\nline 2|x"
    assert CANARY not in everything_in(state)
    with state.write() as session:
        connections.change_secrets(state, session, shop.id, None, {"token": None})
    assert connections.read_secret(state, keys, shop.id, "token") is None
    assert not connections.get_connection(state, shop.id).has_token
    with pytest.raises(UnknownNameError):
        connections.update_connection(state, "nope", keys=keys, secrets={"token": CANARY})


def test_a_connection_appears_and_changes_with_its_secrets(state: State) -> None:
    keys, bad = secrets.read_keys(WITH_KEY, state), {"webhook_secret": "x", "token": 5}
    shop = connections.add_connection(state, states.shop(), keys=keys, secrets={"token": CANARY})
    assert (shop.has_token, shop.token_hint) == (True, "abcd")
    assert connections.read_secret(state, keys, shop.id, "token") == CANARY

    with pytest.raises(TypeError):
        connections.add_connection(state, states.shop(name="other"), keys=keys, secrets=bad)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        connections.update_connection(state, shop.id, name="new", keys=keys, secrets=bad)  # type: ignore[arg-type]
    assert connections.list_connections(state) == [shop]
    assert connections.read_secret(state, keys, shop.id, "webhook_secret") is None

    changed = connections.update_connection(state, shop.id, token_env="T", secrets={"token": None})
    assert (changed.has_token, changed.token_env) == (False, "T")
    assert connections.read_secret(state, keys, shop.id, "token") is None


def test_a_secret_that_was_moved_to_another_connection_or_field_does_not_open(state: State) -> None:
    shop = connections.add_connection(state, states.shop())
    other = connections.add_connection(state, states.shop(name="other"))
    keys = secrets.read_keys(WITH_KEY, state)
    connections.update_connection(state, shop.id, keys=keys, secrets={"token": CANARY})
    with state.write() as session:
        (row,) = session.execute(select(tables.connection_secrets)).mappings()
        moved = {"sealed": row["sealed"], "changed_at": row["changed_at"]}
        for place in (
            {"connection_id": other.id, "field": "token"},
            {"connection_id": shop.id, "field": "x"},
        ):
            session.execute(insert(tables.connection_secrets).values(moved | place))

    with pytest.raises(StoreError, match="is that of another connection or field"):
        connections.read_secret(state, keys, other.id, "token")
    with pytest.raises(StoreError, match="is that of another connection or field"):
        connections.read_secret(state, keys, shop.id, "x")  # type: ignore[arg-type]


def test_secrets_are_rotated_to_the_newest_key(state: State) -> None:
    shop = connections.add_connection(state, states.shop())
    old = secrets.read_keys(WITH_KEY, state)
    new = secrets.read_keys({secrets.KEY: states.OTHER_KEY}, state)
    both = secrets.read_keys({secrets.KEY: f"{states.OTHER_KEY},{states.KEY}"}, state)
    connections.update_connection(state, shop.id, keys=old, secrets={"token": CANARY})

    with pytest.raises(ConfigurationError, match="wrong key"):
        connections.rotate_secrets(state, new)
    assert connections.rotate_secrets(state, both) == 1

    assert connections.read_secret(state, new, shop.id, "token") == CANARY
    with pytest.raises(ConfigurationError, match="cannot be decrypted: wrong key in the variable") as error:
        connections.read_secret(state, old, shop.id, "token")
    assert error.value.hint is not None
    assert states.KEY not in str(error.value)


def test_the_key_file_of_a_sqlite_state_is_created_once_and_private(file_state: State) -> None:
    keys = states.at_once(8, lambda: secrets.read_keys({}, file_state))
    file = keys[0].file

    assert [one.is_created for one in keys].count(True) == 1
    assert file is not None
    assert file.stat().st_mode & 0o777 == 0o600
    assert str(file) == f"{file_state.file}.key"
    sealed = secrets.seal(keys[0], "a", "token", CANARY)
    assert secrets.unseal(keys[-1], "a", "token", sealed) == CANARY
    assert [path.name for path in file.parent.iterdir() if "key" in path.name] == ["state.db.key"]


def test_secrets_are_rotated_to_a_key_before_those_of_the_file(file_state: State) -> None:
    shop = connections.add_connection(file_state, states.shop())
    first = secrets.read_keys({}, file_state)
    connections.update_connection(file_state, shop.id, keys=first, secrets={"token": CANARY})

    assert first.file is not None
    newer = Fernet.generate_key().decode("ascii")
    first.file.write_text(f"{newer}\n{first.file.read_text(encoding='ascii')}", encoding="ascii")
    both = secrets.read_keys({}, file_state)
    assert connections.rotate_secrets(file_state, both) == 1

    assert connections.read_secret(file_state, both, shop.id, "token") == CANARY
    with pytest.raises(ConfigurationError, match="wrong key"):
        connections.read_secret(file_state, first, shop.id, "token")


def test_a_lost_key_file_is_not_replaced(file_state: State) -> None:
    shop = connections.add_connection(file_state, states.shop())
    keys = secrets.read_keys({}, file_state)
    connections.update_connection(file_state, shop.id, keys=keys, secrets={"token": CANARY})
    assert keys.file is not None
    keys.file.unlink()

    with pytest.raises(ConfigurationError, match="does not exist, but the state has encrypted secrets"):
        secrets.read_keys({}, file_state)


def test_a_state_in_postgres_needs_a_key(tmp_path: Path, postgres_url: str) -> None:
    with (
        states.state_address("postgres", tmp_path, postgres_url) as url,
        states.opened(url) as state,
        pytest.raises(ConfigurationError, match="RECCE_META_KEY is not set") as error,
    ):
        secrets.read_keys({}, state)
    assert "RECCE_META_KEY_FILE" in str(error.value.hint)


def test_a_worker_renews_its_heartbeat_until_it_is_forgotten(state: State) -> None:
    workers.beat(state, "host-1", host="host", pid=1)
    workers.beat(state, "host-2", host="host", pid=2)
    (first, second) = workers.list_workers(state)
    workers.beat(state, "host-1", host="host", pid=1)
    workers.beat(state, "host-2", host="host", pid=3)
    (again, restarted) = workers.list_workers(state)

    assert (again.started_at, again.seen_at > first.seen_at) == (first.started_at, True)
    assert (restarted.pid, restarted.started_at > second.started_at) == (3, True)
    assert workers.stale_workers(state, 3600) == []
    long_ago = datetime.now(timezone.utc) - timedelta(hours=2)
    with state.write() as session:
        session.execute(update(tables.workers).filter_by(name="host-2").values(seen_at=long_ago))
    assert [worker.name for worker in workers.stale_workers(state, 3600)] == ["host-2"]
    workers.forget_worker(state, "host-2")
    assert [worker.name for worker in workers.list_workers(state)] == ["host-1"]


def test_a_token_is_found_by_its_text_until_it_expires_or_is_removed(state: State) -> None:
    token, text = tokens.add_token(
        state, "ci", [TokenScope.QUERY, TokenScope.EXTRACT], expires_at=NOW + timedelta(days=1)
    )
    assert token.scopes == (TokenScope.EXTRACT, TokenScope.QUERY)
    assert (text[:3], len(text), text.split("_")[1]) == ("rm_", 59, token.id)
    assert text.split("_", 2)[2] not in everything_in(state)

    assert tokens.find_token(state, text, now=NOW) == token
    (used,) = tokens.list_tokens(state)
    assert used.last_used_at == NOW
    assert tokens.find_token(state, text, now=NOW + timedelta(seconds=59)) == used
    assert tokens.list_tokens(state) == [used]
    tokens.find_token(state, text, now=NOW + timedelta(minutes=1))
    assert tokens.list_tokens(state)[0].last_used_at == NOW + timedelta(minutes=1)

    assert tokens.find_token(state, text, now=NOW + timedelta(days=1)) is None
    for wrong in ("", "rm_", text[:-1], f"{text}=", text[:-1] + ("A" if text[-1] != "A" else "B"), "ü" * 59):
        assert tokens.find_token(state, wrong, now=NOW) is None
    assert tokens.remove_token(state, "ci").id == token.id
    assert tokens.find_token(state, text, now=NOW) is None


def test_a_token_needs_a_scope_and_a_name_of_its_own(state: State) -> None:
    tokens.add_token(state, "ci", [TokenScope.READ])

    with pytest.raises(UsageError, match="needs a scope"):
        tokens.add_token(state, "other", [])
    with pytest.raises(UsageError, match="A token 'ci' exists"):
        tokens.add_token(state, "ci", [TokenScope.READ])
    with pytest.raises(UnknownNameError, match="Unknown token 'c'"):
        tokens.remove_token(state, "c")


def test_an_id_of_a_token_precedes_an_equal_name(state: State) -> None:
    meant, _ = tokens.add_token(state, "meant", [TokenScope.READ])
    for number in range(3):
        tokens.add_token(state, meant.id if number == 1 else str(number), [TokenScope.READ])
    with state.write() as session:  # the database returns the row that was stored first
        row = session.execute(delete(tables.api_tokens).filter_by(id=meant.id).returning(tables.api_tokens))
        session.execute(insert(tables.api_tokens).values(dict(row.mappings().one())))

    assert tokens.remove_token(state, meant.id) == meant


def test_sessions_end_after_their_time_or_by_removal_and_ended_ones_leave_no_row(
    url: str, state: State
) -> None:
    with states.opened(url) as other:
        kept, seen = tokens.StoredSessions(state), tokens.StoredSessions(other)
        for name, seconds in (("open", 60.0), ("ended", 0.0), ("removed", 60.0)):
            kept.add(name, seconds)
        kept.remove("removed")
        assert [seen.has(name) for name in ("open", "ended", "removed", "unknown")] == [True, *[False] * 3]
        seen.add("last", 60)
        with state.read() as session:
            assert {*session.scalars(select(tables.sessions.c.name))} == {"open", "last"}


def test_a_newer_state_is_refused_with_the_upgrade(url: str) -> None:
    with states.opened(url) as state, state.write() as session:
        session.execute(update(tables.state_version).values(version=VERSION + 1))

    with pytest.raises(StoreError, match=f"has version {VERSION + 1}") as error:
        open_state(url, {})
    assert error.value.hint == "pip install --upgrade '.[server]' in the checkout of recce_meta"


def test_a_state_keeps_its_id(url: str) -> None:
    with states.opened(url) as state, states.opened(url) as again:
        assert len(state.id) == 32
        assert again.id == state.id


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
def test_an_older_state_is_migrated_with_its_rows(url: str, version: int) -> None:
    with states.opened(url) as state:
        kept = connections.add_connection(state, states.shop())
        make_older(state, version)

    with states.opened(url) as migrated, states.opened(url) as again:
        assert len(migrated.id) == 32
        assert again.id == migrated.id
        assert connections.list_connections(migrated) == [kept]
        asked = {"trigger": Trigger.MANUAL, "requested_by": "ada"}
        job = jobs.request_job(migrated, kept.id, JobRequest(branch="main", **asked)).job
        assert (job.source, job.pull_request, job.wanted_sha) == (JobSource.BRANCH, None, None)
        assert job.figures.issues is None
        with migrated.write() as session:
            tasks.add_task(migrated, session, TaskKind.REPORT, "key", kept.id)
        assert [one.key for one in tasks.list_tasks(migrated)] == ["key"]
        token, _ = tokens.add_token(migrated, "ci", [TokenScope.WRITE], connection_id=kept.id)
        new = workspaces.Workspace(
            id="1",
            owner="ada",
            created_by="ada",
            created_at=kept.created_at,
            connection_id=kept.id,
            project_name="shop",
            project_path_hash="1",
        )
        assert workspaces.add_workspace(migrated, new)[0].connection_id == kept.id
        projects.claim_project(migrated, kept, "shop", "prod")
        tokens.StoredSessions(migrated).add("name", 60)
        connections.remove_connection(migrated, kept.id)
        assert token not in tokens.list_tokens(migrated)


def make_older(state: State, version: int) -> None:
    """Replace the tables of *state* by those of an earlier version, with the rows of its connections."""
    added = {7: tables.sessions, 6: tables.audit_events, 5: tables.project_owners}
    if version >= 4:
        with state.write() as session:
            for since, table in added.items():
                if since > version:
                    table.drop(session)
            for since, column in (
                (13, "connections.previews_data"),
                (12, "jobs.is_working"),
                (12, "connections.upload_nodes"),
                (12, "connections.upload_megabytes"),
                (11, "connections.accepts_without_dbt"),
                (10, "connections.is_paused"),
                (9, "jobs.issues"),
                (8, "connections.database"),
            ):
                table, _, name = column.partition(".")
                place = table if state.schema is None else f'"{state.schema}".{table}'
                if since > version:
                    session.exec_driver_sql(f"ALTER TABLE {place} DROP COLUMN {name}")
            session.execute(update(tables.state_version).values(version=version))
        return
    # Version 1 differs from version 2 by one column.
    name = f"state_{max(version, 2)}_{'sqlite' if state.is_sqlite else 'postgres'}.sql"
    file = Path(__file__).with_name(name)
    with state.write() as session:
        row = dict(session.execute(sqlalchemy.select(tables.connections)).mappings().one())
        tables.metadata.drop_all(session)
        if state.schema is not None:
            session.execute(sqlalchemy.text(f'SET LOCAL search_path TO "{state.schema}"'))
        for statement in file.read_text().splitlines()[1:]:
            session.execute(sqlalchemy.text(statement))
        known = session.execute(sqlalchemy.text("SELECT * FROM connections")).keys()
        # Types of our own metadata: SQLite reflects JSON and times as text.
        own = sqlalchemy.table(
            "connections", *(sqlalchemy.column(c.name, c.type) for c in tables.connections.c)
        )
        session.execute(sqlalchemy.insert(own).values({name: row[name] for name in known}))
        session.execute(
            sqlalchemy.text(f"INSERT INTO state_version (version, id) VALUES ({version}, '{'0' * 32}')")
        )
        if version == 1:
            session.execute(sqlalchemy.text("ALTER TABLE state_version DROP COLUMN id"))


def test_a_lost_server_is_an_error_of_ours_and_the_next_statement_connects_again(
    tmp_path: Path, postgres_url: str
) -> None:
    with states.state_address("postgres", tmp_path, postgres_url) as url, states.opened(url) as state:
        stop = sqlalchemy.text("SELECT pg_terminate_backend(pg_backend_pid())")
        with pytest.raises(ConnectionFailed, match="The state postgresql"), state.write() as session:
            session.execute(stop)

        assert connections.list_connections(state) == []


@pytest.mark.parametrize(
    ("url", "kind", "words"),
    [
        ("postgresql://ada:canary@127.0.0.1:1/db", ConnectionFailed, "Connection refused"),
        ("postgresql://ada:canary@127.0.0.1/db?schema=a&schema=b", ConfigurationError, "several schemas"),
        ("mysql://ada:canary@127.0.0.1/db", ConfigurationError, "cannot be stored in mysql"),
        ("ada canary", ConfigurationError, "The URL of the state is invalid"),
        ("sqlite://", ConfigurationError, "needs a SQLite file"),
        ("sqlite:///:memory:", ConfigurationError, "needs a SQLite file"),
        ("sqlite:////dev/null/state.db", ConfigurationError, "null/state.db cannot be written"),
    ],
)
def test_a_state_that_cannot_be_opened_is_a_clear_error_without_the_password(
    url: str, kind: type[RecceMetaError], words: str
) -> None:
    with pytest.raises(kind, match=words) as error:
        open_state(url, {})

    assert error.value.hint
    assert "canary" not in str(error.value)


def test_another_file_is_not_a_state(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("canary " * 1000, encoding="utf-8")

    with pytest.raises(ConnectionFailed, match="file is not a database") as error:
        open_state(f"sqlite:///{file}", {})

    assert str(error.value.hint).endswith("is not a SQLite database")
    assert file.read_text(encoding="utf-8").startswith("canary")


def test_the_default_is_a_private_file_in_the_folder_for_data_of_the_user(tmp_path: Path) -> None:
    environ = {"XDG_DATA_HOME": str(tmp_path / "data")}
    file = default_state_file(environ)
    assert file == tmp_path / "data" / "recce_meta" / "state.db"
    assert default_state_file({"HOME": str(tmp_path)}) == tmp_path / ".local/share/recce_meta/state.db"
    assert not has_state(environ)

    state = open_state(None, environ)
    state.close()

    assert (state.file, state.schema, state.is_sqlite) == (file, None, True)
    assert has_state(environ)
    assert has_state({STATE_URL: "sqlite:///x"})
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_the_password_is_not_in_the_text_of_a_state(tmp_path: Path, postgres_url: str) -> None:
    given = sqlalchemy.make_url(postgres_url).set(password="canary").render_as_string(hide_password=False)
    with states.state_address("postgres", tmp_path, given) as url, states.opened(url) as state:
        assert "canary" not in f"{state!r} {state.url} {state.url!r}"
        assert state.url.password == "canary"


def test_files_of_the_state_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with states.opened(f"sqlite:///{tmp_path / 'state.db'}") as state:
            connections.add_connection(state, states.shop())
            secrets.read_keys({}, state)
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)

    assert set(modes.values()) == {0o600}
    assert {"state.db", "state.db-wal", "state.db.key"} <= set(modes)


def test_modules_of_the_state_import_no_cryptography_before_a_key_is_read(tmp_path: Path) -> None:
    script = (
        "import sys; from recce_meta.repositories.state import connections, jobs, tokens, workers, database;"
        f"database.open_state('sqlite:///{tmp_path}/state.db', {{}}).close();"
        "assert 'cryptography' not in sys.modules"
    )
    assert run([sys.executable, "-c", script], check=False, capture_output=True).stderr == b""


ADA = audit.Actor("ada", audit.AuditOrigin.REQUEST, "203.0.113.9")


def test_every_change_is_an_event_without_any_secret(state: State) -> None:
    keys = secrets.read_keys(WITH_KEY, state)
    with audit.acting_as(ADA):
        shop = connections.add_connection(
            state, states.shop(variables={"PASSWORD": CANARY}), keys=keys, secrets={connections.TOKEN: CANARY}
        )
        connections.update_connection(state, shop.id, poll_minutes=5, variables={"REGION": CANARY})
        connections.update_connection(state, shop.id, keys=keys, secrets={connections.TOKEN: CANARY[::-1]})
        connections.rotate_secrets(state, keys)
        token, text = tokens.add_token(state, "ci", [TokenScope.READ])
        tokens.remove_token(state, "ci")
        job = jobs.request_job(
            state, shop.id, JobRequest(branch="main", trigger=Trigger.MANUAL, requested_by="ada")
        ).job
        jobs.request_cancel(state, job.id)
        jobs.request_cancel(state, job.id)
        projects.hand_over_project(state, shop, "shop")
        connections.remove_connection(state, shop.id)
    # What the server keeps for itself is no change by anyone.
    other = connections.add_connection(state, states.shop(name="other"))
    connections.update_connection(state, other.id, next_check_at=NOW, error="broken")

    events = audit.list_events(state)[::-1]

    assert [(event.action.value, event.object) for event in events] == [
        ("connection.add", "shop"),
        ("connection.set", "shop"),
        ("connection.set", "shop"),
        ("secrets.rotate", ""),
        ("token.add", "ci"),
        ("token.remove", "ci"),
        ("job.request", job.id),
        ("job.cancel", job.id),
        ("project.claim", "shop"),
        ("connection.remove", "shop"),
        ("connection.add", "other"),
    ]
    assert {(event.actor, event.origin, event.address) for event in events[:-1]} == {
        ("ada", audit.AuditOrigin.REQUEST, "203.0.113.9")
    }
    assert (events[-1].actor, events[-1].origin) == ("recce_meta", audit.AuditOrigin.SERVER)
    assert events[0].after is not None
    assert (events[0].after["secrets"], events[0].after["variables"]) == (["token"], ["PASSWORD"])
    assert (events[1].before, events[1].after) == (
        {"poll_minutes": 15, "variables": ["PASSWORD"]},
        {"poll_minutes": 5, "variables": ["REGION"]},
    )
    assert (events[2].before, events[2].after) == ({}, {"secrets": ["token"]})
    stored = everything_in(state)
    assert not any(part in stored for part in (CANARY, CANARY[-4:], CANARY[::-1], text, token.id + "_"))


def test_a_change_that_fails_is_no_event(state: State) -> None:
    shop = connections.add_connection(state, states.shop())
    connections.add_connection(state, states.shop(name="other"))

    with pytest.raises(UsageError):
        connections.update_connection(state, shop.id, name="other")

    assert [event.action for event in audit.list_events(state)] == [audit.AuditAction.ADD_CONNECTION] * 2


def test_events_are_selected_and_old_ones_removed(state: State) -> None:
    with audit.acting_as(ADA):
        connections.add_connection(state, states.shop())
        tokens.add_token(state, "ci", [TokenScope.READ])
    connections.add_connection(state, states.shop(name="other"))

    def selected(**asked: Any) -> list[str]:
        return [event.object for event in audit.list_events(state, **asked)]

    assert selected() == ["other", "ci", "shop"]
    assert selected(limit=1) == ["other"]
    assert selected(actor="ada") == ["ci", "shop"]
    assert selected(action="connection") == ["other", "shop"]
    assert selected(action="token.add") == ["ci"]
    assert selected(action="tokens") == []
    assert selected(name="ci") == ["ci"]
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    assert selected(since=later) == []
    assert selected(until=later) == ["other", "ci", "shop"]
    assert audit.remove_events(state, NOW) == 0
    assert audit.remove_events(state, later) == 3
    (left,) = audit.list_events(state)
    assert (left.action, left.after) == (
        audit.AuditAction.REMOVE_EVENTS,
        {"until": later.isoformat(), "events": 3},
    )
