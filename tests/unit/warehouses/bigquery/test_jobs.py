"""BigQuery's jobs over HTTP, on the server that stands in for it: what is asked, and what of answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryTimeout,
    SyntaxFailed,
    TransientFailure,
    WarehouseError,
)

pytest.importorskip("sqlalchemy_bigquery", reason="the driver of BigQuery is not installed")

from recce_meta.warehouses.bigquery import client
from tests.emulators.bigquery.engine import REFUSED_PROJECT, Engine, Job
from tests.emulators.bigquery.server import Handler, Interface, Server
from tests.support.googlesql import require_googlesql

pytestmark = pytest.mark.emulator

PROJECT = "shop-prod"


@pytest.fixture(scope="module")
def engine() -> Engine:
    """What the server keeps: a dataset in the EU."""
    require_googlesql()
    made = Engine()
    made.create_dataset(PROJECT, "marts", "EU")
    return made


@pytest.fixture(scope="module")
def server(engine: Engine) -> Iterator[str]:
    """The server's address."""
    Handler.interface = Interface(engine)
    with Server(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{served.server_address[1]}"
        served.shutdown()
        thread.join()


def connected(server: str, project: str = PROJECT, **fields: str) -> UnifiedSqlAdapter:
    query = "&".join(f"{name}={value}" for name, value in {"token": "t", **fields}.items())
    return UnifiedSqlAdapter.from_url(f"bigquery://{project}/marts?api_endpoint={server}&{query}")


@pytest.fixture
def adapter(server: str) -> Iterator[UnifiedSqlAdapter]:
    """Connected as a profile without more would be."""
    with connected(server) as adapter:
        yield adapter


def last_job(engine: Engine) -> Job:
    return list(engine.jobs.values())[-1]


def test_every_job_has_what_the_profile_says(engine: Engine, server: str) -> None:
    fields = {
        "priority": "batch",
        "maximum_bytes_billed": "1000000",
        "reservation": "projects/p/locations/EU/reservations/r",
        "timeout_seconds": "300",
        "execution_project": "payer",
        "location": "EU",
    }
    with connected(server, **fields) as adapter:
        assert adapter.execute("SELECT 1")[1] == [(1,)]

    job = last_job(engine)
    query = job.configuration["query"]
    assert (job.project, job.location) == ("payer", "EU")
    assert query["priority"] == "BATCH"
    assert query["maximumBytesBilled"] == "1000000"
    assert query["defaultDataset"] == {"projectId": PROJECT, "datasetId": "marts"}
    assert query["connectionProperties"] == [{"key": "dataset_project_id", "value": PROJECT}]
    assert job.configuration["reservation"] == "projects/p/locations/EU/reservations/r"
    assert job.configuration["jobTimeoutMs"] == "300000"
    assert job.configuration["labels"] == {"app": "recce_meta"}


def test_names_without_a_project_are_the_datas_and_not_the_payers(server: str) -> None:
    with connected(server) as adapter:
        adapter.execute("CREATE OR REPLACE TABLE marts.mine AS SELECT 7 AS n")
    with connected(server, execution_project="payer") as adapter:
        assert adapter.execute("SELECT n FROM mine")[1] == [(7,)]
        assert adapter.execute("SELECT n FROM marts.mine")[1] == [(7,)]


def test_values_come_as_pythons_own_at_any_depth(adapter: UnifiedSqlAdapter) -> None:
    columns, rows = adapter.execute(
        """SELECT JSON '{"a": [1, 2.5, null]}' AS j, [JSON '1', JSON '"x"'] AS js,
        STRUCT(JSON '[true]' AS j, NUMERIC '1.50' AS n, [STRUCT(1 AS x)] AS s) AS st,
        INTERVAL 90 MINUTE AS i, BIGNUMERIC '0.000000000000000001' AS b, CAST('nan' AS FLOAT64) < 1 AS c"""
    )

    assert columns == ["j", "js", "st", "i", "b", "c"]
    assert rows[0][:5] == (
        {"a": [1, 2.5, None]},
        [1, "x"],
        {"j": [True], "n": Decimal("1.5"), "s": [{"x": 1}]},
        timedelta(minutes=90),
        Decimal("0.000000000000000001"),
    )


def test_a_result_of_many_pages_arrives_once(adapter: UnifiedSqlAdapter) -> None:
    _, rows = adapter.execute("SELECT n FROM UNNEST(GENERATE_ARRAY(1, 50000)) AS n ORDER BY n")

    assert [row[0] for row in rows] == list(range(1, 50_001))


def test_percent_signs_and_parameters_do_not_meet(adapter: UnifiedSqlAdapter) -> None:
    with adapter.session(atomic=False) as session:
        assert session.query(
            "SELECT '100%', '%%', '%(x)s', 7 - :x, :none IS NULL, '\\:x', :text",
            {"x": 4, "none": None, "text": "it's 5 %"},
        ) == [("100%", "%%", "%(x)s", 3, True, ":x", "it's 5 %")]


def test_a_failure_that_passes_is_tried_again_with_another_job(
    engine: Engine, adapter: UnifiedSqlAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FIRST_DELAY_SECONDS", 0.01)
    before = len(engine.jobs)

    assert adapter.execute("SELECT 'a' /* fail backendError once */")[1] == [("a",)]
    assert len(engine.jobs) == before + 2


@pytest.mark.parametrize("reason", ["accessDenied", "invalidQuery", "responseTooLarge"])
def test_a_failure_that_stays_is_not_tried_again(
    engine: Engine, adapter: UnifiedSqlAdapter, reason: str
) -> None:
    before = len(engine.jobs)

    with pytest.raises(WarehouseError) as caught:
        adapter.execute(f"SELECT 'b' /* fail {reason} once */")

    assert caught.value.code == reason
    assert len(engine.jobs) == before + 1


def test_without_retries_nothing_is_tried_again(server: str) -> None:
    with (
        connected(server, retries="0") as adapter,
        adapter.session(atomic=False) as session,
        pytest.raises(TransientFailure),
    ):
        session.query("SELECT 'c' /* fail rateLimitExceeded once */")


def test_a_lost_answer_finds_the_job_that_was_made(
    engine: Engine, adapter: UnifiedSqlAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FIRST_DELAY_SECONDS", 0.01)
    adapter.execute("CREATE OR REPLACE TABLE marts.once (n INT64)")
    before = len(engine.jobs)

    adapter.execute("INSERT INTO marts.once SELECT 1 /* lose the first answer */")

    assert len(engine.jobs) == before + 1
    assert adapter.execute("SELECT n FROM marts.once")[1] == [(1,)]


def test_a_dataset_is_made_where_the_profiles_is(engine: Engine, adapter: UnifiedSqlAdapter) -> None:
    adapter.execute("-- a comment\nCREATE SCHEMA IF NOT EXISTS made_here")

    assert engine.locations[PROJECT, "made_here"] == "EU"


def test_the_wrong_location_is_told_with_the_right_one(server: str) -> None:
    with connected(server, location="US") as adapter, pytest.raises(MissingRelation) as caught:
        adapter.execute("SELECT * FROM marts.anything")

    assert "It is in EU: set 'location: EU' in the profile" in caught.value.message


def test_a_write_is_a_session_and_the_next_one_uses_it_again(
    engine: Engine, adapter: UnifiedSqlAdapter
) -> None:
    adapter.execute("CREATE OR REPLACE TABLE marts.kept (n INT64)")
    for number in (1, 2):
        with adapter.session() as session:
            session.execute("INSERT INTO marts.kept SELECT :n", {"n": number})
    with pytest.raises(ZeroDivisionError), adapter.session() as session:
        session.execute("INSERT INTO marts.kept SELECT 3")
        raise ZeroDivisionError

    assert adapter.execute("SELECT n FROM marts.kept ORDER BY n")[1] == [(1,), (2,)]
    (one,) = engine.sessions.values()
    assert one.location == "EU"
    adapter.close()
    assert not engine.sessions


def test_a_session_that_has_ended_is_replaced(engine: Engine, adapter: UnifiedSqlAdapter) -> None:
    for number in (1, 2):
        with adapter.session() as session:
            assert session.query("SELECT :n", {"n": number}) == [(number,)]
        engine.sessions.clear()


def test_of_two_writers_one_is_told_to_try_again(server: str, adapter: UnifiedSqlAdapter) -> None:
    adapter.execute("CREATE OR REPLACE TABLE marts.contested AS SELECT 1 AS n")
    with connected(server) as other, adapter.session() as session:
        session.execute("UPDATE marts.contested SET n = 2 WHERE TRUE")
        with (
            pytest.raises(TransientFailure, match="aborted due to concurrent update"),
            other.session() as second,
        ):
            second.execute("UPDATE marts.contested SET n = 3 WHERE TRUE")
        assert other.execute("SELECT n FROM marts.contested")[1] == [(1,)]

    assert adapter.execute("SELECT n FROM marts.contested")[1] == [(2,)]


def test_rows_are_inserted_with_one_statement_for_megabytes(
    engine: Engine, adapter: UnifiedSqlAdapter
) -> None:
    adapter.execute("CREATE OR REPLACE TABLE marts.tests (id STRING, sql STRING, config JSON)")
    before = len(engine.jobs)

    with adapter.session() as session:
        rows = ((f"test.{n}", "select '%' as \"é\" -- \\", '{"a": [1]}') for n in range(20_000))
        session.insert_rows("`marts`.`tests`", ("id", "sql", "config"), rows)

    found = adapter.execute(
        "SELECT COUNT(*), MIN(sql), MAX(sql), MIN(TO_JSON_STRING(config)) FROM marts.tests"
    )
    assert found[1] == [(20_000, *("select '%' as \"é\" -- \\",) * 2, '{"a":[1]}')]
    assert len(engine.jobs) == before + 4  # BEGIN, INSERT, COMMIT, and the question
    assert max(len(job.configuration["query"]["query"]) for job in engine.jobs.values()) < 10_000


def test_a_column_that_is_not_there_is_named(adapter: UnifiedSqlAdapter) -> None:
    adapter.execute("CREATE OR REPLACE TABLE marts.narrow (id STRING)")

    missing = r"Column not found in `marts`\.`narrow`: nothing"
    with pytest.raises(WarehouseError, match=missing), adapter.session() as session:
        session.insert_rows("`marts`.`narrow`", ("id", "nothing"), [("a", "b")])


def test_a_statement_is_described_and_not_run(engine: Engine, adapter: UnifiedSqlAdapter) -> None:
    before = len(engine.jobs)

    assert adapter.describe(
        "SELECT 1 AS i, 1.5 < 2 AS b, [STRUCT('x' AS s, JSON '1' AS j)] AS a, CURRENT_TIMESTAMP() AS t"
    ) == [("i", "INT64"), ("b", "BOOL"), ("a", "ARRAY<STRUCT<s STRING, j JSON>>"), ("t", "TIMESTAMP")]
    assert len(engine.jobs) == before
    with pytest.raises(SyntaxFailed):
        adapter.describe("SELEKT 1")


def test_an_error_has_bigquerys_words_reason_and_place(adapter: UnifiedSqlAdapter) -> None:
    with pytest.raises(MissingRelation) as caught:
        adapter.execute("SELECT 1,\n  nothing")

    assert caught.value.message.startswith("Unrecognized name: nothing at [2:3]")
    assert caught.value.code == "invalidQuery"
    assert (caught.value.line, caught.value.column) == (2, 3)
    assert "http" not in caught.value.message


def test_the_limit_of_bytes_stops_a_query(server: str, adapter: UnifiedSqlAdapter) -> None:
    adapter.execute(
        "CREATE OR REPLACE TABLE marts.large AS SELECT n FROM UNNEST(GENERATE_ARRAY(1, 100)) AS n"
    )
    with connected(server, maximum_bytes_billed="50") as limited, pytest.raises(WarehouseError) as caught:
        limited.execute("SELECT * FROM marts.large")

    assert caught.value.code == "bytesBilledLimitExceeded"


def test_the_profiles_limit_of_seconds_stops_a_job(server: str) -> None:
    million = "UNNEST(GENERATE_ARRAY(1, 1000000))"
    started = time.monotonic()

    with connected(server, timeout_seconds="1") as adapter, pytest.raises(QueryTimeout, match="timed out"):
        adapter.execute(f"SELECT SUM(a * b) FROM {million} AS a CROSS JOIN {million} AS b")

    assert time.monotonic() - started < 15


def test_a_token_that_is_refused_is_an_authentication_failure(server: str) -> None:
    with connected(server, token="wrong") as adapter, pytest.raises(AuthenticationFailed):
        adapter.execute("SELECT 1")


def test_a_server_that_does_not_answer_is_said_to_be_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "REQUEST_SECONDS", 0.5)

    with connected("http://127.0.0.1:9") as adapter, pytest.raises(ConnectionFailed):
        adapter.execute("SELECT 1")


def test_the_right_to_create_a_dataset_is_named(server: str) -> None:
    with connected(server, project=REFUSED_PROJECT) as adapter, pytest.raises(PermissionDenied) as caught:
        adapter.execute("CREATE SCHEMA new_one")

    assert "bigquery.datasets.create" in caught.value.message
    assert f"add-iam-policy-binding {REFUSED_PROJECT}" in (caught.value.hint or "")


def test_no_secret_is_in_any_message(server: str) -> None:
    with connected(server, token="a-very-secret-token") as adapter, pytest.raises(WarehouseError) as caught:
        adapter.execute("SELECT a-very-secret-token FROM nothing")

    assert "a-very-secret-token" not in f"{caught.value} {caught.value!r} {adapter!r}"
