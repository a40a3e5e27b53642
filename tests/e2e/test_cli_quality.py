"""`quality` as people and CI jobs call it: on four kinds of databases, over time, and given what is wrong."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from recce_meta import UnifiedSqlAdapter
from recce_meta.api.scan import scan

pytestmark = pytest.mark.extensive

RULES = """
tables:
  - name: film
    expect: {row_count: "> 0"}
    metrics:
      - {name: cheap_share, sql: "sum(case when rate < 5 then 1.0 else 0 end) / count(*)", expect: ">= 40%"}
      - {name: latest, sql: max(id)}
    columns:
      - {name: rating, expect: {null_share: "<= 20%"}}
      - {name: note, private: true}
"""
FILM = (
    "CREATE TABLE {schema}film (id INTEGER PRIMARY KEY, rating VARCHAR(5), rate INTEGER, "
    "email VARCHAR(30), note VARCHAR(9))"
)


@dataclass
class Place:
    """A database with a table `film` of ten rows, and an empty one."""

    cli: Any
    url: str
    schema: str
    options: tuple[str, ...]
    execute: Callable[[str], object]

    def __call__(self, *arguments: str) -> Any:
        return self.cli("quality", "--url", self.url, *self.options, *arguments)

    def json(self, *arguments: str, code: int = 0) -> Any:
        ran = self(*arguments, "--format", "json")
        assert ran.code == code, ran.err
        return json.loads(ran.out)

    def fill(self) -> None:
        prefix = f"{self.schema}." if self.schema else ""
        self.execute(FILM.format(schema=prefix))
        values = [
            f"({i}, {'NULL' if i < 2 else repr('G' * (i % 3 + 1))}, {i}, 'p{i}@x.org', 'n{i}')"
            for i in range(10)
        ]
        self.execute(f"INSERT INTO {prefix}film VALUES {', '.join(values)}")
        self.execute(f"CREATE TABLE {prefix}hollow (a INTEGER, b VARCHAR(9))")


@pytest.fixture(params=["duckdb", "postgres", "mysql", "sqlite"])
def place(request: pytest.FixtureRequest, cli: Any) -> Iterator[Place]:
    """Each kind of database; where a store cannot be kept, or is not, it is in a file of its own."""
    name, kind = f"q_{uuid4().hex[:10]}", request.param
    apart = ("--store", "duckdb:///store.duckdb")
    if kind == "sqlite":
        path = cli.folder / "shop.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            yield _filled(Place(cli, f"sqlite:///{path}", "", apart, connection.execute))
        return
    if kind == "duckdb":
        url, options = f"duckdb:///{cli.folder / 'shop.duckdb'}", ()
    else:
        url, options = request.getfixturevalue(f"{kind}_url"), (*apart, "--schema", name)

    def execute(statement: str) -> None:
        with UnifiedSqlAdapter.from_url(url) as adapter:
            adapter.execute(statement)

    execute(f"CREATE SCHEMA {name}")
    if kind == "mysql":
        url = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    yield _filled(Place(cli, url, name, options, execute))
    if kind != "duckdb":
        execute(f"DROP SCHEMA {name}" + (" CASCADE" if kind == "postgres" else ""))


def _filled(place: Place) -> Place:
    place.fill()
    return place


def duckdb_at(folder: Path, cli: Any) -> Place:
    """A DuckDB file with its store, and both tables in `main`."""
    url = f"duckdb:///{folder / 'shop.duckdb'}"

    def execute(statement: str) -> None:
        with UnifiedSqlAdapter.from_url(url) as adapter:
            adapter.execute(statement)

    return _filled(Place(cli, url, "main", (), execute))


@pytest.fixture
def duck(cli: Any) -> Place:
    """One of a test's own."""
    return duckdb_at(cli.folder, cli)


@pytest.fixture(scope="module")
def scanned_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One that was scanned, for all tests that only fail on it."""
    place = duckdb_at(tmp_path_factory.mktemp("scanned"), None)
    with UnifiedSqlAdapter.from_url(place.url) as adapter:
        scan(adapter)
    return place.url


@pytest.fixture
def scanned(cli: Any, scanned_url: str) -> Place:
    return Place(cli, scanned_url, "main", (), str)


def table_of(document: Any, name: str) -> Any:
    (found,) = [table for table in document["tables"] if table["unique_id"].endswith(f".{name}")]
    return found


def test_tables_are_measured_kept_and_compared(place: Place) -> None:
    (place.cli.folder / "quality.yml").write_text(RULES)
    first = place.json()
    film, hollow = table_of(first, "film"), table_of(first, "hollow")
    columns = {column["name"]: column for column in film["columns"]}
    assert (film["row_count"], film["column_count"], hollow["row_count"]) == (10, 5, 0)
    assert (columns["rating"]["null_share"], columns["rating"]["profile"]["distinct_count"]) == (0.2, 3)
    assert [(one["name"], float(one["value"]), one["holds"]) for one in film["metrics"]] == [
        ("cheap_share", 0.5, True),
        ("latest", 9.0, None),
        ("row_count", 10.0, True),
    ]
    assert columns["id"]["is_declared_unique"] and columns["id"]["score"] == 100
    for private in ("email", "note"):
        column = columns[private]
        assert column["is_private"] and column["profile"]["min"] is None and not column["top_values"]
    assert first["changes"] == [] and any("scanned first" in note for note in first["notes"])
    assert first["notes"][0] == "Metrics and expectations are from quality.yml"

    place.execute(f"UPDATE {place.schema + '.' if place.schema else ''}film SET rating = NULL WHERE id < 4")
    ran = place("film", "--fail-on", "null_share > +5%", "--fail-on", "film.id: distinct_share < 1")
    name = table_of(first, "film")["name"]
    assert ran.code == 1 and ran.err == (
        "error: 1 expectation is not met, 1 figure meets a --fail-on condition\n"
    )
    assert f"{name}.rating: null_share is 40%, expected <= 20%" in ran.out
    assert f"{name}.rating: null_share went from 20% to 40% (--fail-on null_share > +5%)" in ran.out
    assert "p1@x.org" not in ran.out and "scanned first" not in ran.out

    shown = place.json("--show", "latest~1")
    assert shown["run"]["quality_run_id"] == first["run"]["quality_run_id"]
    assert shown["tables"] == first["tables"]
    history = place.json("--history", "film.rating")
    assert [point["subject"]["null_share"] for point in history["measurements"]] == [0.4, 0.2]
    assert [run["table_count"] for run in place.json("--history")["runs"]] == [1, 2]


def test_a_sample_and_no_values_say_so(duck: Place) -> None:
    document = duck.json("film", "--sample", "50%", "--seed", "3", "--no-values")
    film = table_of(document, "film")
    assert film["row_count"] == 10 and 0 <= film["sampled_rows"] <= 10
    assert document["run"]["sample"] == {"percent": 50.0, "rows": None, "seed": 3}
    for column in film["columns"]:
        profile = column["profile"]
        assert not column["top_values"] and profile["min"] is profile["max"] is profile["avg"] is None
    text = duck("film", "--against", "latest", "--fail-on", "null_count > +1%")
    assert text.code == 0 and "Not exactly comparable" in text.out
    assert "--fail-on null_count > +1%: 5 figures could not be compared" in text.out
    with UnifiedSqlAdapter.from_url(duck.url) as adapter:
        rows = adapter.answer(
            "SELECT row_count, sampled_rows, previous_sampled_rows FROM recce_metadata.quality_history"
            " WHERE column_name = 'id' ORDER BY started_at"
        )
    sampled = film["sampled_rows"]
    assert rows == [(sampled, sampled, None), (10, None, sampled)]


def test_conditions_without_an_earlier_measurement_say_that_they_saw_nothing(duck: Place) -> None:
    ran = duck("--fail-on", "null_share > +5%, regression", "--format", "markdown")
    assert ran.code == 0
    assert ran.err.count("was not checked: there is no earlier measurement") == 2


def test_what_cannot_be_measured_fails_alone(duck: Place) -> None:
    duck.execute("CREATE VIEW wrong AS SELECT 1 AS a")
    duck.json()
    duck.execute("DROP TABLE hollow")
    ran = duck("main.wrong", "film", "hollow", "--fail-on", "regression")
    assert ran.code == 1 and "main.hollow: is no longer measured" in ran.out
    ran = duck()
    assert ran.code == 3 and ran.err == "error: 1 of 2 tables could not be measured\n"
    assert "hollow" in ran.out and "not found" in ran.out
    assert table_of(duck.json("--show", "latest"), "hollow")["reason"]


def test_odd_names_empty_tables_and_many_columns(duck: Place) -> None:
    names = ", ".join(f"c{i} INTEGER" for i in range(40))
    duck.execute(f"CREATE TABLE wide ({names})")
    duck.execute("INSERT INTO wide (c0) VALUES (1)")
    duck.execute('CREATE TABLE "a|b""\n\x1b[31m" ("x\ny`" VARCHAR)')
    duck.execute('INSERT INTO "a|b""\n\x1b[31m" VALUES (\'\x1b[0m<b>\')')
    ran = duck("--top-k", "0")
    assert ran.code == 0 and "\x1b" not in ran.out and "40" in ran.out
    ran = duck("-s", "resource_type:table", "--exclude", "wide", "--format", "markdown")
    assert ran.code == 0 and "\x1b" not in ran.out and "<b>" not in ran.out and "wide" not in ran.out


BROKEN: dict[str, tuple[str, int, str]] = {
    "not YAML": (
        "tables:\n  - name: film\n    expect: > 5\n",
        3,
        "quality.yml:3 is not valid YAML",
    ),
    "unknown key": ("tables:\n  - nam: film\n", 3, "quality.yml:2: unknown key 'nam' in a table"),
    "unknown table": ("tables:\n  - name: flim\n", 3, "quality.yml:2: Node 'flim' not found"),
    "empty selection": (
        "tables:\n  - {select: 'tag:none', expect: {row_count: '> 0'}}\n",
        3,
        "quality.yml:2: 'tag:none' matches no node of the run, so its conditions cannot be checked",
    ),
    "unknown column": (
        "tables:\n  - name: film\n    columns: [{name: ratng, expect: {null_share: 0}}]\n",
        1,
        "column 'ratng' not found; did you mean 'rating'",
    ),
    "broken metric": (
        "tables:\n  - name: film\n    metrics:\n      - {name: m, sql: sum(nope), expect: '> 0'}\n"
        "      - {name: n, sql: max(id)}\n",
        1,
        "m could not be measured: ",
    ),
    "division by zero": (
        "tables:\n  - {name: film, metrics: [{name: m, sql: error('division by zero'), expect: '> 0'}]}\n",
        1,
        "division by zero",
    ),
    "several statements": (
        "tables:\n  - {name: film, metrics: [{name: m, sql: '1; drop table film', expect: '= 1'}]}\n",
        1,
        "m could not be measured: it is not a single SQL expression",
    ),
    "twice": (
        "tables:\n  - {name: film, metrics: [{name: m, sql: '1'}]}\n"
        "  - {select: film, metrics: [{name: m, sql: '2'}]}\n",
        3,
        "quality.yml:3: metric 'm' of relation.main.film is already defined in line 2",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_wrong_file_is_told_in_one_line(scanned: Place, tmp_path: Path, case: str) -> None:
    text, code, message = BROKEN[case]
    (tmp_path / "quality.yml").write_text(text)
    ran = scanned("film", "--top-k", "0", "--metrics", str(tmp_path / "quality.yml"))
    assert ran.code == code and message in ran.out + ran.err
    assert "Traceback" not in ran.err and len(ran.err.splitlines()) <= 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "Node 'nope' not found"),
        (["schema.main"], "is of type schema, which has no rows to measure"),
        (["-s", "tag:none"], "No table to measure"),
        (["-s", "flim", "--fail-on", "null_share > 1%"], "did you mean 'film'?; --allow-empty accepts"),
        (
            ["--show", "latest", "--allow-empty"],
            "--show reads stored measurements: it cannot be combined with --allow-empty",
        ),
        (["--schema", "main", "--include", "nothing*"], "No table to measure"),
        (["--fail-on", "nul_share > 1"], "Unknown figure 'nul_share'"),
        (["--fail-on", "null_share"], "Invalid --fail-on 'null_share': no comparison"),
        (["--sample", "many"], "'many' is neither a percentage such as 10% nor a number of rows"),
        (["--sample", "200%"], "Sample size invalid: 200 %"),
        (["--against", "nope"], "Measurement 'nope' not found"),
        (["--show", "latest", "--history"], "--show cannot be combined with --history"),
        (
            ["--show", "latest", "--sample", "5"],
            "--show reads stored measurements: it cannot be combined with --sample",
        ),
        (["--history", "a", "b"], "--history takes one table or column, got 2"),
        (["--run", "path:target"], "Quality requires a recorded run"),
        (["--run", "nope"], "nope"),
    ],
)
def test_wrong_usage_is_told_in_one_line(scanned: Place, arguments: list[str], message: str) -> None:
    ran = scanned(*arguments)
    assert ran.code == 2 and message in ran.err and ran.out == ""


def test_an_empty_selection_is_accepted_on_demand_and_stores_nothing(duck: Place) -> None:
    first = duck.json("film")["run"]
    for style in ("table", "markdown"):
        ran = duck("-s", "flim", "--fail-on", "null_share > 1%", "--allow-empty", "--format", style)
        assert ran.code == 0 and "nothing was measured" in ran.out, ran.err
    assert duck.json("-s", "tag:none", "--allow-empty")["tables"] == []
    assert [run["quality_run_id"] for run in duck.json("--history")["runs"]] == [first["quality_run_id"]]


@pytest.fixture
def limited(cli: Any, postgres_url: str) -> Iterator[Place]:
    """A schema that a role of its own, which has no right to a table, measures; its owner executes."""
    name = f"q_{uuid4().hex[:10]}"
    parts = urlsplit(postgres_url)
    url = urlunsplit(parts._replace(netloc=f"{name}:secret-word@{parts.hostname}:{parts.port or 5432}"))
    with UnifiedSqlAdapter.from_url(postgres_url) as owner:
        owner.execute(f"CREATE SCHEMA {name}")
        owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret-word'")
        try:
            owner.execute(f"GRANT USAGE ON SCHEMA {name} TO {name}")
            options = ("--store", "duckdb:///store.duckdb", "--schema", name)
            yield Place(cli, url, name, options, owner.execute)
        finally:
            owner.execute(f"DROP SCHEMA {name} CASCADE")
            owner.execute(f"DROP ROLE {name}")


def test_a_measurement_without_any_table_is_stored_as_failed_and_never_the_latest(limited: Place) -> None:
    name = limited.schema
    limited.execute(f"CREATE TABLE {name}.film AS SELECT 1 AS a")
    limited.execute(f"GRANT SELECT ON {name}.film TO {name}")
    good = limited.json("film")["run"]["quality_run_id"]
    limited.execute(f"REVOKE SELECT ON {name}.film FROM {name}")
    ran = limited("film")
    late = limited("film", "--budget", "0.000001")
    latest, history = limited.json("--show", "latest"), limited.json("--history")["runs"]
    shown = limited("--show", history[0]["quality_run_id"])
    listed = limited("--history")
    assert ran.code == late.code == 3 and "1 of 1 tables could not be measured" in ran.err
    assert latest["run"]["quality_run_id"] == history[2]["quality_run_id"] == good
    assert [run["status"] for run in history] == ["failed", "failed", "complete"]
    assert history[1]["reason"].startswith(f"No table could be measured: {name}.film: permission denied")
    assert "The measurement failed: No table could be measured" in shown.out and shown.code == 0
    assert listed.out.count("failed") == 3  # the head of a column, and two measurements


def test_an_interrupted_measurement_is_stored_as_failed(cli: Any, postgres_url: str, tmp_path: Path) -> None:
    name, store = f"q_{uuid4().hex[:10]}", f"duckdb:///{tmp_path / 'store.duckdb'}"
    rules = tmp_path / "slow.yml"
    rules.write_text(
        f"tables: [{{name: film, metrics: [{{name: slow, sql: pg_sleep(60) is null /* {name} */}}]}}]"
    )
    waiting = f"SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%{name}%'"
    command = [sys.executable, "-m", "recce_meta", "quality", "film", "--url", postgres_url]
    command += ["--store", store, "--schema", name, "--metrics", str(rules)]
    with UnifiedSqlAdapter.from_url(postgres_url) as owner:
        owner.execute(f"CREATE SCHEMA {name}")
        try:
            owner.execute(f"CREATE TABLE {name}.film AS SELECT 1 AS a")
            child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            deadline = time.monotonic() + 120
            while owner.answer(waiting) == [(0,)] and time.monotonic() < deadline:
                time.sleep(0.05)
            child.send_signal(signal.SIGINT)
            _, rest = child.communicate(timeout=120)
        finally:
            owner.execute(f"DROP SCHEMA {name} CASCADE")
    assert (child.returncode, rest.splitlines()[-1]) == (130, "Interrupted")
    ran = Place(cli, postgres_url, name, ("--store", store), str).json("--history")
    assert [(run["status"], run["reason"]) for run in ran["runs"]] == [
        ("failed", "The measurement was interrupted")
    ]


def test_several_projects_in_one_store_are_told_apart(duck: Place) -> None:
    own = duck.json("hollow")["run"]
    other = duck.json("hollow", "--project", "other")["run"]
    assert (own["project_name"], other["project_name"]) == ("shop", "other")
    assert duck.json("--show", "latest")["run"] == own
    assert duck.json("--show", "latest", "--project", "other")["run"] == other
    assert len(duck.json("--history", "hollow.b")["measurements"]) == 1
    assert len(duck.json("--history")["runs"]) == 2


def test_statements_are_printed_and_nothing_is_kept(duck: Place) -> None:
    ran = duck("film", "--sql", "--private", "rating")
    assert ran.code == 0 and "-- profile of" in ran.out and 'MIN(CAST(t."rating"' not in ran.out
    assert "No store found" in duck("--history").err


def test_a_measurement_that_ends_half_way_is_not_seen(duck: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("recce_meta.store.quality._run_row", _interrupt)
        assert duck("film").code == 130
    assert duck.json("--history")["runs"] == []
    assert duck.json("film")["changes"] == []


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_table_without_rights_is_told_and_others_are_measured(limited: Place) -> None:
    name = limited.schema
    limited.execute(f"CREATE TABLE {name}.open AS SELECT 1 AS a")
    limited.execute(f"CREATE TABLE {name}.closed AS SELECT 1 AS a")
    limited.execute(f"CREATE VIEW {name}.broken AS SELECT 1 / (a - 1) AS b FROM {name}.open")
    limited.execute(f"GRANT SELECT ON {name}.open, {name}.broken TO {name}")
    ran = limited("-s", "resource_type:table", "-s", "resource_type:view")
    assert ran.code == 3 and "secret-word" not in ran.out + ran.err
    lines = {line.split()[0].split(".")[-1]: line for line in ran.out.splitlines() if name in line}
    assert "could not be measured" in lines["closed"] and "100" in lines["open"]
