"""Connected databases: the request, the test, the jobs of a real worker, and the schedule."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.models.run import Trigger
from recce_meta.repositories.extraction.databases import FOLDER
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.polling import Poller, PollSettings
from recce_meta.repositories.state.connections import get_connection, update_connection
from recce_meta.repositories.state.jobs import events_after, finish_job, last_job, list_jobs
from recce_meta.repositories.state.requests import (
    Caller,
    ConnectionChange,
    DatabaseChange,
    NewConnection,
    NewDatabase,
    PermissionRefused,
)
from recce_meta.repositories.state.summaries import last_issues
from recce_meta.repositories.state.types import (
    QUALITY,
    SCAN,
    JobStatus,
    Stage,
    project_of,
)
from recce_meta.store.quality import list_quality_runs
from tests.contract.repositories.database_lab import (
    ADMIN,
    PASSWORD,
    REMOTE,
    Workplace,
    duckdb_file,
    sqlite_file,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Yield a workplace with a running worker, shared by the module."""
    place = Workplace(tmp_path_factory.mktemp("databases"))
    place.worker.start()
    yield place
    place.worker.stop()
    place.state.close()


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Workplace]:
    """Yield a workplace whose worker does not run."""
    place = Workplace(tmp_path)
    yield place
    place.state.close()


@pytest.fixture
def shop_schema(postgres_url: str) -> Iterator[str]:
    """Yield a schema in PostgreSQL with a table and a view."""
    name = f"shop_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        connection.execute(f"CREATE TABLE {name}.orders (id INT PRIMARY KEY, city TEXT)")
        connection.execute(f"INSERT INTO {name}.orders VALUES (1, 'Rome'), (2, NULL)")
        connection.execute(f"CREATE VIEW {name}.cities AS SELECT DISTINCT city FROM {name}.orders")
        yield name
        connection.execute(f"DROP SCHEMA {name} CASCADE")


def test_a_database_is_scanned_and_measured(place: Workplace, postgres_url: str, shop_schema: str) -> None:
    """An unchanged scan has the same graph; a change is named; a measurement is of the last scan."""
    name = f"shop-{shop_schema}"
    place.environ["SHOP_URL"] = postgres_url
    connection = place.add(name, url_env="SHOP_URL", schemas=(shop_schema,))
    first = place.finished(list_jobs(place.state, connection)[0].id)
    again = place.run(connection)
    with psycopg.connect(postgres_url, autocommit=True) as session:
        session.execute(f"ALTER TABLE {shop_schema}.orders ADD COLUMN price NUMERIC")
    changed = place.run(connection)
    measured = place.run(connection, QUALITY)

    assert [job.status for job in (first, again, changed, measured)] == [JobStatus.SUCCESS] * 4
    assert first.figures.objects == 3 and first.figures.columns == 3
    messages = [
        [event.message for event in events_after(place.state, job.id) if event.status == "done"][-1]
        for job in (first, again, changed, measured)
    ]
    assert messages[0] == "3 objects, first scan"
    assert (messages[1], messages[2]) == ("3 objects, 0 changes", "3 objects, 1 change")
    assert messages[3].startswith("1 table measured, score ")
    runs = place.runs()
    assert {runs[str(job.run_id)].project_name for job in (first, again, changed)} == {name}
    assert runs[str(first.run_id)].graph_id == runs[str(again.run_id)].graph_id
    assert runs[str(first.run_id)].git_sha is None and runs[str(first.run_id)].environment == "prod"
    assert measured.run_id == changed.run_id
    with place.store.sibling() as adapter:
        (quality,) = list_quality_runs(adapter.at("recce_metadata"), project=name)
    assert quality.run_id == changed.run_id
    stored = get_connection(place.state, connection)
    assert stored.last_extraction_at == changed.ended_at and stored.repo_url == "variable SHOP_URL"
    assert [stage.name for stage in place.service.jobs_of(connection).details(changed.id).stages] == [
        Stage.RESOLVE,
        Stage.EXTRACT,
        Stage.CLEAN_UP,
    ]


@pytest.mark.emulated
def test_each_warehouse_is_connected_scanned_and_measured(
    place: Workplace, backend: Any, adapter: UnifiedSqlAdapter, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a URL, or by a profile of the worker: the test, a scan, an unchanged one, and a measurement."""
    table = adapter.quote_table(schema, "orders")
    backend.spelling.create_table(adapter, table, {"id": "integer", "city": "text"}, [(1, "Rome"), (2, None)])
    given = dict(zip(backend.arguments[::2], backend.arguments[1::2], strict=True))
    own: dict[str, Any] = {"url": given.get("--url")}
    if own["url"] is None:
        monkeypatch.setenv("DBT_PROFILES_DIR", given["--profiles-dir"])
        own = {"profile": given["--profile"]}
    name = f"{backend.name}-{uuid4().hex[:6]}"
    connection = place.add(name, schemas=(schema,), quality_minutes=None, **own)
    first = place.finished(list_jobs(place.state, connection)[0].id)
    again, measured = place.run(connection), place.run(connection, QUALITY)

    assert [(job.status, job.error) for job in (first, again, measured)] == [(JobStatus.SUCCESS, None)] * 3
    with place.store.sibling() as store:
        (quality,) = list_quality_runs(store.at("recce_metadata"), project=name)
    # The spelling of Redshift creates `store_long_texts` beside each table.
    expected = 2 if backend.name == "redshift" else 1
    assert (quality.table_count, quality.failed_count, first.figures.objects) == (expected, 0, expected + 1)
    runs = place.runs()
    assert runs[first.run_id or ""].graph_id == runs[again.run_id or ""].graph_id


def test_changed_schemas_failed_conditions_and_failures_are_sent_once(
    place: Workplace, tmp_path: Path
) -> None:
    """What is as it was at the last job is not sent again; the first scan sends nothing."""
    url = sqlite_file(tmp_path)
    fields = {"notify": ("mailto:ann@example.com",), "fail_on": ("row_count < 10",)}
    connection = place.add(f"file-{uuid4().hex[:6]}", url=url, fields=fields)
    name = get_connection(place.state, connection).name
    first = place.finished(list_jobs(place.state, connection)[0].id)
    measured, again = place.run(connection, QUALITY), place.run(connection, QUALITY)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as session:
        session.execute("ALTER TABLE orders ADD COLUMN price NUMERIC")
    changed = place.run(connection)
    file = tmp_path / "shop.db"
    file.rename(tmp_path / "away.db")
    failed, twice = place.run(connection), place.run(connection)
    (tmp_path / "away.db").rename(file)
    back = place.run(connection)

    assert last_issues(place.state)[connection] == (again.id, 1)
    assert [failed.status, twice.status, back.status] == [
        JobStatus.FAILED,
        JobStatus.FAILED,
        JobStatus.SUCCESS,
    ]
    sent = {
        job.id: [(one["kind"], one["title"]) for one in place.notified(job)]
        for job in (first, measured, again, changed, failed, twice, back)
    }
    assert [one for job in (first, again, twice) for one in sent[job.id]] == []
    assert sent[measured.id] == [("quality", f"{name}: 1 figure meets a --fail-on condition")]
    assert sent[changed.id] == [("schema_change", f"{name}: 1 relation changed in prod")]
    assert sent[failed.id] == [("failure", f"{name}: the scan failed in resolve")]
    assert sent[back.id] == [("recovery", f"{name}: the scan works again")]
    (event,) = place.notified(changed)
    assert event["url"] == f"https://recce.example.com/s/default/diff/{first.run_id}/{changed.run_id}"
    assert "orders modified" in event["text"]


@pytest.mark.parametrize("file", [sqlite_file, duckdb_file])
def test_files_are_read_by_an_encrypted_url(
    place: Workplace, tmp_path: Path, file: Callable[[Path], str]
) -> None:
    """The URL is in no field of the connection; a file is opened only to read."""
    url = file(tmp_path)
    connection = place.add(f"file-{uuid4().hex[:6]}", url=url)
    job = place.finished(list_jobs(place.state, connection)[0].id)
    quality = place.run(connection, QUALITY)

    assert (job.status, job.error) == (JobStatus.SUCCESS, None)
    assert (quality.status, quality.error) == (JobStatus.SUCCESS, None)
    stored = get_connection(place.state, connection)
    assert stored.database is not None and stored.database.has_url and not stored.database.is_confined
    place.service.set(
        connection, ConnectionChange(database=DatabaseChange(url=f"{url}.missing")), caller=ADMIN
    )
    failed = place.run(connection)
    assert (failed.status, failed.failure) == (JobStatus.FAILED, "database")
    assert failed.error is not None and "missing" in failed.error


def test_what_cannot_be_read_is_in_the_log_of_the_job(place: Workplace, tmp_path: Path) -> None:
    """A view without its table: the scan goes on, and the measurement names it."""
    url = sqlite_file(tmp_path)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as session:
        session.execute("CREATE VIEW broken AS SELECT * FROM gone")
    connection = place.add(f"file-{uuid4().hex[:6]}", url=url)
    scanned = place.finished(list_jobs(place.state, connection)[0].id)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as session:
        session.execute("CREATE TABLE away AS SELECT 1 AS id")
    again = place.run(connection)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as session:
        session.execute("DROP TABLE away")
    measured = place.run(connection, QUALITY)

    assert [job.status for job in (scanned, again, measured)] == [JobStatus.SUCCESS] * 3
    logs = [
        " ".join(event.message for event in events_after(place.state, job.id) if event.status == "log")
        for job in (scanned, measured)
    ]
    assert "View main.broken is broken" in logs[0]
    assert "main.away: main.away not found" in logs[1]


def test_mariadb_is_scanned(place: Workplace, mysql_url: str) -> None:
    """A warehouse without a store of its own."""
    connection = place.add(f"maria-{uuid4().hex[:6]}", url=mysql_url, quality_minutes=None)

    job = place.finished(list_jobs(place.state, connection)[0].id)

    assert (job.status, job.error) == (JobStatus.SUCCESS, None)


def test_a_table_that_the_user_may_not_read_is_named_with_its_grant(
    still: Workplace, postgres_url: str, shop_schema: str
) -> None:
    role = f"reader_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as session:
        session.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
        session.execute(f"GRANT USAGE ON SCHEMA {shop_schema} TO {role}")
        try:
            url = postgres_url.replace("postgres@", f"{role}:{PASSWORD}@")
            request = NewConnection(
                repo_url="", name="shop", database=NewDatabase(url=url, schemas=(shop_schema,))
            )
            found = asyncio.run(still.service.test(request, caller=ADMIN))
        finally:
            session.execute(f"DROP OWNED BY {role}")
            session.execute(f"DROP ROLE {role}")

    names = [check.name for check in found.checks]
    assert names[:6] == ["address", "driver", "network", "login", "server", "TLS"] and found.ok
    (refused,) = [check for check in found.checks if "No permission" in check.detail]
    assert f"{shop_schema}.orders" in refused.detail
    assert refused.hint is not None and "GRANT SELECT ON ALL TABLES IN SCHEMA" in refused.hint
    assert PASSWORD not in repr(found)


def test_a_wrong_password_is_in_no_answer(place: Workplace, mysql_url: str) -> None:
    """A failing login of a job: neither its error, nor its log, nor the connection has the password."""
    url = mysql_url.partition("://")[0] + f"://nobody:{PASSWORD}@" + mysql_url.rpartition("@")[2]
    connection = place.add(f"maria-{uuid4().hex[:6]}", url=url, is_tested=False)

    job = place.finished(list_jobs(place.state, connection)[0].id)

    assert (job.status, job.failure) == (JobStatus.FAILED, "database")
    shown = [repr(job), repr(events_after(place.state, job.id)), repr(place.service.get(connection))]
    assert not any(PASSWORD in text for text in shown)
    assert PASSWORD.encode() not in place.state.file.read_bytes()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("url", "environ", "message"),
    [
        ("postgresql://u@10.0.0.1/shop", {}, "not a public host"),
        ("postgresql://u@127.0.0.1/shop?host=10.0.0.1", {}, "The parameter host is not allowed"),
        ("duckdb:////etc/passwd", {}, "not in the folder"),
        ("sqlite:////srv/data/../secret.db", {FOLDER: "/srv/data"}, "not in the folder"),
        ("duckdb:///:memory:", {FOLDER: "/srv/data"}, "memory"),
        ("mysql://u@169.254.169.254/shop", {}, "not a public host"),
        ("mysql:///shop", {}, "not a public host"),
        ("postgresql:///shop", {}, "cannot be checked"),
        ("postgresql://u@/shop", {}, "cannot be checked"),
        ("postgresql://u@%2Fvar%2Frun%2Fpostgresql/shop", {}, "var%2Frun"),
        ("databricks://token:t@10.0.0.1?http_path=/sql/1", {}, "not a public host"),
        ("mssql+pyodbc://u@10.0.0.1/shop", {}, "not a public host"),
    ],
)
def test_a_url_from_the_network_reaches_neither_inner_hosts_nor_other_files(
    still: Workplace, url: str, environ: dict[str, str], message: str
) -> None:
    still.environ |= environ
    with pytest.raises(RecceMetaError, match=message):
        still.add("shop", url=url, caller=REMOTE)


def test_an_allowed_folder_and_an_allowed_host_are_reached(
    still: Workplace, tmp_path: Path, postgres_url: str
) -> None:
    still.environ |= {FOLDER: str(tmp_path), "RECCE_META_ALLOWED_HOSTS": "127.0.0.1"}

    still.add("file", url=duckdb_file(tmp_path), caller=REMOTE)
    still.add("server", url=postgres_url, caller=REMOTE)

    assert [one.name for one in still.service.list()] == ["file", "server"]


def test_only_an_administrator_connects_a_database(still: Workplace) -> None:
    request = NewConnection(repo_url="", name="shop", database=NewDatabase(url_env="SHOP_URL"))
    with pytest.raises(PermissionRefused):
        asyncio.run(still.service.add(request, caller=Caller(name="someone")))


@pytest.mark.parametrize(
    ("fields", "own", "message"),
    [
        ({}, {}, "The login of the database is missing"),
        ({}, {"url_env": "A", "target": "prod"}, "exclude each other"),
        ({}, {"url_env": "RECCE_META_KEY"}, "Invalid url_env"),
        ({}, {"url_env": "A", "scan_minutes": 0.5}, "Invalid scan_minutes"),
        ({"branch": "main"}, {"url_env": "A"}, "A database has no branch"),
        ({"runs_checks": True}, {"url_env": "A"}, "A database has no runs_checks"),
        ({"name": None}, {"url_env": "A"}, "A database needs a name"),
        ({"fail_on": ("nonsense",)}, {"url_env": "A"}, "nonsense"),
    ],
)
def test_invalid_requests(still: Workplace, fields: Any, own: Any, message: str) -> None:
    request = NewConnection(**{"repo_url": "", "name": "shop", **fields}, database=NewDatabase(**own))
    with pytest.raises(UsageError, match=message):
        asyncio.run(still.service.add(request, caller=ADMIN, is_tested=False))


def test_another_login_replaces_the_stored_url(still: Workplace) -> None:
    """The secret goes with it; fields of repositories are refused."""
    connection = still.add("shop", url=f"postgresql://u:{PASSWORD}@db/shop", is_tested=False)
    change = ConnectionChange(database=DatabaseChange(url_env="SHOP_URL", scan_minutes=None))

    still.service.set(connection, change, caller=ADMIN)

    stored = get_connection(still.state, connection)
    assert stored.database is not None and not stored.database.has_url
    assert (stored.poll_minutes, stored.repo_url) == (None, "variable SHOP_URL")
    still.service.set(connection, ConnectionChange(name="store"), caller=ADMIN)
    assert project_of(get_connection(still.state, connection)) == "shop"
    assert still.service.rotate() == 0
    with pytest.raises(UsageError, match="A database has no subdirectory"):
        still.service.set(connection, ConnectionChange(subdirectory="dbt"), caller=ADMIN)


def polled(place: Workplace) -> None:
    """Let the scheduler look once."""
    logins = ConnectionLogins(place.state, place.environ, GitLimits())
    asyncio.run(Poller(place.state, logins, PollSettings(seconds=0))())


def test_the_schedule(still: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan is due after its interval, the first measurement after the first scan; one job waits at most."""
    connection = still.add("shop", url_env="SHOP_URL", is_tested=False, scan_minutes=60)
    polled(still)
    waiting = list_jobs(still.state, connection)
    update_connection(still.state, connection, next_check_at=None)
    polled(still)

    assert [job.branch for job in waiting] == [SCAN]
    assert list_jobs(still.state, connection) == waiting
    assert waiting[0].trigger is Trigger.CONNECT
    next_at = get_connection(still.state, connection).next_check_at
    assert next_at is not None and next_at > datetime.now(timezone.utc)
    monkeypatch.setattr("recce_meta.repositories.polling.last_run", lambda *_: "a run of the first scan")
    update_connection(still.state, connection, next_check_at=None)
    polled(still)
    quality = last_job(still.state, connection, QUALITY)
    assert quality is not None and quality.trigger is Trigger.POLL
    still.service.set(connection, ConnectionChange(is_paused=True), caller=ADMIN)
    finish_job(still.state, quality.id, JobStatus.CANCELLED)
    update_connection(still.state, connection, next_check_at=None)
    polled(still)
    assert get_connection(still.state, connection).next_check_at is None
    still.service.set(connection, ConnectionChange(is_paused=False), caller=ADMIN)
    off = ConnectionChange(database=DatabaseChange(scan_minutes=None, quality_minutes=None))
    still.service.set(connection, off, caller=ADMIN)
    polled(still)
    later = get_connection(still.state, connection).next_check_at
    assert later is not None and later > datetime.now(timezone.utc) + timedelta(hours=20)


def test_a_new_login_keeps_the_project_and_a_refused_one_is_not_tried_again(
    place: Workplace, mysql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeated wrong passwords would lock the user out."""
    monkeypatch.setitem(place.environ, "SHOP_FILE", sqlite_file(tmp_path))  # type: ignore[arg-type]
    name = f"file-{uuid4().hex[:6]}"
    connection = place.add(name, url_env="SHOP_FILE", quality_minutes=None)
    first = place.finished(list_jobs(place.state, connection)[0].id)
    change = ConnectionChange(database=DatabaseChange(url=place.environ["SHOP_FILE"]))
    place.service.set(connection, change, caller=ADMIN)
    second = place.run(connection)
    user = mysql_url.partition("://")[0] + f"://nobody:{PASSWORD}@" + mysql_url.rpartition("@")[2]
    place.service.set(connection, ConnectionChange(database=DatabaseChange(url=user)), caller=ADMIN)
    refused = place.run(connection)

    assert [(job.status, job.error) for job in (first, second)] == [(JobStatus.SUCCESS, None)] * 2
    assert refused.status is JobStatus.FAILED
    attempts = [one for one in events_after(place.state, refused.id) if "trying again" in one.message]
    assert attempts == []


@pytest.mark.extensive
def test_a_condition_that_was_met_before_is_not_sent_with_a_new_one(place: Workplace, tmp_path: Path) -> None:
    fields = {"notify": ("mailto:ann@example.com",), "fail_on": ("row_count < 10", "score < 1")}
    connection = place.add(f"file-{uuid4().hex[:6]}", url=sqlite_file(tmp_path), fields=fields)
    place.finished(list_jobs(place.state, connection)[0].id)
    place.run(connection, QUALITY)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as session:
        session.execute("CREATE TABLE cities AS SELECT city FROM orders")
    place.run(connection)
    again = place.run(connection, QUALITY)

    (event,) = place.notified(again)
    assert "cities" in event["text"] and "orders" not in event["text"].replace(event["title"], "")
    logs = " ".join(one.message for one in events_after(place.state, again.id))
    assert "2 conditions met" in logs and "orders" in logs
