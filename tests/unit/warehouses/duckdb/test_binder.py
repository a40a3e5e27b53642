"""DuckDB as a binder: what it answers, and what no text makes it do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from recce_meta.warehouses.binding import Answer, Refusal
from recce_meta.warehouses.driver import binder_of
from recce_meta.warehouses.duckdb import binder as binder_module
from recce_meta.warehouses.duckdb.binder import LONGEST, Binder

T = {("s", "t"): (("a", "INTEGER"), ("b", "")), ("d", "s", "u"): (("a", "VARCHAR"),)}


@pytest.fixture(scope="module", autouse=True)
def _own_processes() -> Iterator[None]:
    """Start each binder as a process of its own; other tests fork theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binder_module, "subprocess", subprocess)
        yield


@pytest.fixture(scope="module")
def binder() -> Iterator[Binder]:
    with Binder() as found:
        yield found


def refusal(binder: Binder, sql: str) -> Refusal:
    answer = binder.bind(sql, T)
    assert answer is not None and answer.refusal is not None
    return answer.refusal


def test_an_answer_has_the_columns_and_their_types(binder: Binder) -> None:
    sql = "select t.a, b, a + 1 as c, u.a || 'x' as d from s.t, d.s.u".replace("a + 1", "t.a + 1")

    answer = binder.bind(sql, T)

    assert answer == Answer((("a", "INTEGER"), ("b", ""), ("c", "INTEGER"), ("d", "VARCHAR")))
    assert binder.said_by == f"DuckDB {duckdb.__version__}"


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("select\nc from s.t", 'Referenced column "c" not found in FROM clause!'),
        ("select b,\n a from s.t, d.s.u", 'Ambiguous reference to column name "a"'),
        ("select a, count(*)\nfrom s.t", 'column "a" must appear in the GROUP BY clause'),
        (
            "select a +\n(select a from d.s.u) from s.t",
            "No function matches the given name and argument types",
        ),
    ],
)
def test_a_refusal_has_the_first_line_of_the_message_and_a_line_of_the_query(
    binder: Binder, sql: str, text: str
) -> None:
    found = refusal(binder, sql)

    assert (found.kind, found.text[: len(text)]) == ("Binder", text)
    assert found.line in (1, 2)
    assert "\n" not in found.text


def test_relations_of_one_question_do_not_stay_for_the_next(binder: Binder) -> None:
    assert binder.bind("select a from s.t", T) == Answer((("a", "INTEGER"),))
    assert binder.bind("select a from s.t", {("s", "t"): (("a", "DATE"),)}) == Answer((("a", "DATE"),))

    answer = binder.bind("select a from s.t", {("d", "s", "u"): ()})

    assert answer is not None and answer.refusal is not None
    assert answer.refusal.text.startswith("Table with name t does not exist")


def test_a_function_that_duckdb_lacks_takes_anything_and_binds_its_arguments(binder: Binder) -> None:
    assert binder.bind("select f(), f(a, b) as g from s.t", T, ["f"]) == Answer((("f()", ""), ("g", "")))

    answer = binder.bind("select f(a, c) from s.t", T, ["f"])

    assert answer is not None and answer.refusal is not None
    assert answer.refusal.text == 'Referenced column "c" not found in FROM clause!'


def test_a_type_that_duckdb_lacks_is_unknown(binder: Binder) -> None:
    kinds = {("t",): (("a", "geography"), ("b", "int) as x, (select 1"), ("c", "DECIMAL(9,2)[]"))}

    assert binder.bind("from t", kinds) == Answer((("a", ""), ("b", ""), ("c", "DECIMAL(9,2)[]")))


def test_statements_are_bound_over_tables_and_leave_nothing(binder: Binder) -> None:
    changing = "alter table s.t add column c int; update s.t set c = a; drop table s.t"

    assert binder.bind(changing, T, (), [("s", "t")]) == Answer()
    for sql, text in (
        ("update s.t set c = 1", "Referenced update column c not found in table!"),
        ("update d.s.u set a = 'x'", "Can only update base table"),
    ):
        answer = binder.bind(sql, T, (), [("s", "t")])
        assert answer is not None and answer.refusal is not None
        assert answer.refusal.text.startswith(text)
    # A view again.
    assert binder.bind("select a from s.t", T) == Answer((("a", "INTEGER"),))


HOSTILE = [
    "from read_csv('/etc/passwd')",
    "select content from read_text('/etc/passwd')",
    "from '/etc/passwd'",
    "from glob('/*')",
    "from sniff_csv('/etc/passwd')",
    "from parquet_metadata('/etc/passwd')",
    "from read_csv('http://127.0.0.1:9/x')",
    "from query('from read_csv(''/etc/passwd'')')",
    "copy (select 1) to '{folder}/copied'",
    "select 1) as q; copy (select 1) to '{folder}/copied'; select * from (select 1",
    "select 1) as q; attach '{folder}/attached'; select * from (select 1",
    "select 1) as q; export database '{folder}/exported'; select * from (select 1",
    "select 1) as q; load httpfs; select * from (select 1",
    "select 1) as q; install httpfs; select * from (select 1",
    "select 1) as q; set enable_external_access = true; select * from (select 1",
    "select 1) as q; drop view s.t; select * from (select 1",
    "from T",
    "from binder",
    "select getenv('HOME')",
    "select " + "(" * 2000 + "1" + ")" * 2000,
    "select " + "case when true then " * 3000 + "1" + " end" * 3000,
    "select 1" + " + 1" * 100_000,
    "select " + "/* x */" * 100_000,
    "select a from s.t where a in (" + ", ".join(map(str, range(100_000))) + ")",
    "select 'unclosed from s.t",
    "select \x00 from s.t",
    "select 1 -- )",
    "",
]
EXPENSIVE = [
    "select repeat('x', 2000000000)",
    "select len(range(1000000000))",
    "select columns(lambda c: len(repeat(c, 2000000000)) > 1) from s.t",
    "select struct_extract(row(1, 2), len(repeat('x', 2000000000)))",
    "from range(len(repeat('x', 2000000000)))",
    "with c0 as (select 1 as x)"
    + "".join(f", c{n} as (select *, * from c{n - 1})" for n in range(1, 26))
    + " select 1 from c25",
    "with c0 as (select 1 as x)"
    + "".join(f", c{n} as (select a.x from c{n - 1} a, c{n - 1} b)" for n in range(1, 26))
    + " select count(*) from c25",
]


@pytest.mark.parametrize("sql", [*HOSTILE, *EXPENSIVE])
@pytest.mark.cases(12)
def test_no_text_reads_writes_connects_or_exceeds_the_limits(sql: str, tmp_path: Path) -> None:
    with Binder() as binder:
        assert binder.bind("select a from s.t", T) == Answer((("a", "INTEGER"),))
        status, before = f"/proc/{binder.process_id}", _files(binder)
        started = time.process_time()
        waited = time.monotonic()

        answer = binder.bind(sql.format(folder=tmp_path) if "{folder}" in sql else sql, T)

        # It runs on one thread, so that the time is at most its processor time on a free machine.
        assert time.monotonic() - waited < 20 and time.process_time() - started < 1
        if answer is None:
            assert "limits of time or memory" in binder.problem
        else:
            assert _files(binder) == before
            lines = Path(status, "status").read_text().splitlines()
            (peak,) = (int(one.split()[1]) for one in lines if one.startswith("VmHWM"))
            assert peak <= 512 * 1024
        assert [*tmp_path.iterdir()] == []
        # The next text has an answer, whatever became of this one.
        assert binder.bind("select a from s.t", T) == Answer((("a", "INTEGER"),))


def _files(binder: Binder) -> set[str]:
    folder = Path(f"/proc/{binder.process_id}/fd")
    return {os.readlink(one) for one in folder.iterdir()}


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to '{folder}/copied'",
        "attach '{folder}/attached'; create table attached.t as select 1",
        "export database '{folder}/exported'",
        "create table x as from read_csv('/etc/passwd')",
        "create table x as select repeat('x', 2000000000) as a",
        "commit; drop table s.t",
        "set memory_limit = '8GB'; load httpfs",
    ],
)
def test_no_statement_reads_writes_connects_or_exceeds_the_limits(sql: str, tmp_path: Path) -> None:
    with Binder() as binder:
        assert binder.bind("select a from s.t", T) == Answer((("a", "INTEGER"),))
        before = _files(binder)

        answer = binder.bind(sql.replace("{folder}", str(tmp_path)), T, (), [("s", "t")])

        assert answer is None or _files(binder) == before
        assert [*tmp_path.iterdir()] == []
        assert binder.bind("select a from s.t", T) == Answer((("a", "INTEGER"),))


def test_a_text_has_limited_processor_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, text = tmp_path / "binder_process.py", binder_module.SCRIPT.read_text("utf-8")
    assert "\nSECONDS = 4\n" in text
    script.write_text(text.replace("\nSECONDS = 4\n", "\nSECONDS = 1\n"), encoding="utf-8")
    monkeypatch.setattr(binder_module, "SCRIPT", script)
    sql = (
        "select columns(lambda c: len(list_reduce(list_transform(range(200000), lambda x: x::varchar), "
        "lambda x, y: x || y)) > 1) from s.t"
    )
    with Binder() as binder:
        assert binder.bind("select 1 as a", {}) == Answer((("a", "INTEGER"),))
        process = os.times().children_user

        assert binder.bind(sql, T) is None
        assert "limits of time or memory" in binder.problem
        assert os.times().children_user - process <= 2.2


def test_a_process_that_is_killed_is_no_judge_and_is_replaced_a_few_times() -> None:
    with Binder() as binder:
        for _ in range(3):
            assert binder.bind("select 1 as a", {}) == Answer((("a", "INTEGER"),))
            assert binder.process_id is not None
            os.kill(binder.process_id, signal.SIGKILL)
            assert binder.bind("select 1 as a", {}) is None

        assert binder.bind("select 1 as a", {}) is None
        assert binder.process_id is None
        assert binder.problem.startswith(
            "Some SQL was not bound, so it is not known whether it can be built: "
        )


def test_a_process_that_fails_by_itself_is_started_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "binder_process.py"
    once = f"from pathlib import Path\nmark = Path({str(tmp_path / 'mark')!r})\n"
    once += "if not mark.exists():\n    mark.touch()\n    raise SystemExit(127)\n"
    script.write_text(
        binder_module.SCRIPT.read_text().replace("def main()", f"{once}\n\ndef main()"), encoding="utf-8"
    )
    monkeypatch.setattr(binder_module, "SCRIPT", script)

    with Binder() as binder:
        assert binder.bind("select 1 as a", {}) == Answer((("a", "INTEGER"),))
        assert (binder.problem, (tmp_path / "mark").exists()) == ("", True)


@pytest.mark.parametrize(
    ("program", "why"),
    [("/nowhere/python", "no process can be started"), (sys.executable, "cannot be loaded")],
)
def test_a_system_that_starts_no_process_binds_nothing(
    program: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(binder_module, "SCRIPT", tmp_path / "absent.py")

    with Binder() as binder:
        assert [binder.bind("select 1 as a", {}) for _ in range(2)] == [None, None]
        assert why in binder.problem


def test_a_text_of_megabytes_is_not_bound(binder: Binder) -> None:
    with Binder() as fresh:
        assert fresh.bind("select " + "1" * LONGEST, {}) is None
        assert (fresh.process_id, "1,000,000 characters" in fresh.problem) == (None, True)


def test_the_process_ends_with_its_block_and_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    with Binder() as binder:
        binder.bind("select 1", {})
        process = binder.process_id
        assert b"hunter2" not in Path(f"/proc/{process}/environ").read_bytes()

    assert not Path(f"/proc/{process}").exists()


def test_two_thousand_columns_are_bound(binder: Binder) -> None:
    columns = tuple((f"c{number}", "INTEGER") for number in range(2000))

    answer = binder.bind("select * from t", {("t",): columns})

    assert answer == Answer(columns)


@pytest.mark.parametrize("adapter", ["duckdb", "postgres", "snowflake", "bigquery", None, "nothing"])
def test_every_adapter_has_a_binder(adapter: str | None) -> None:
    binder = binder_of(adapter)

    assert binder is not None and binder.dialect == "duckdb"
