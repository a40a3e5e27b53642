"""GoogleSQL's analyzer judges the statements for BigQuery: those of the store, and those of data diffs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from recce_meta.data_diff.detail import value_diff_detail
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Answer, Plan, Queries, run_plan
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.row_count import Countable, row_counts
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.source import Pair, SideRelation, table
from recce_meta.data_diff.source import query as query_of
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.data_diff.value import value_diff
from recce_meta.models.data_diff import PRECISIONS, DataSide, Moment, Subject
from recce_meta.quality.measure import QualitySettings, QualityTarget, table_quality
from recce_meta.store import sql_files
from recce_meta.warehouses.dialect import dialect_named
from tests.emulators.bigquery.judge import Judge
from tests.emulators.bigquery.translate import Refused
from tests.golden.sql.sections import SUBJECTS, texts
from tests.golden.sql.statistics.test_statistics_sql import COLUMNS, type_of
from tests.golden.sql.value_diff.test_value_diff_sql import CASES, columns_of
from tests.support.googlesql import Columns, accept, judging, store_tables

pytestmark = pytest.mark.emulator

TYPES = (
    *("INT64", "NUMERIC", "BIGNUMERIC", "NUMERIC(12, 2)", "FLOAT64", "BOOL", "STRING", "STRING(9)", "BYTES"),
    *("DATE", "DATETIME", "TIMESTAMP", "TIME", "INTERVAL", "JSON", "GEOGRAPHY", "ARRAY<INT64>"),
    *("ARRAY<STRING>", "STRUCT<a INT64, b STRING>", "ARRAY<STRUCT<a FLOAT64>>", "RANGE<DATE>"),
)
QUERIES = sql_files.queries("bigquery")
MIGRATIONS = [file for _, file in sql_files.migrations("bigquery")]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging() as found:
        yield found


@pytest.fixture(scope="module")
def store(judge: Judge) -> Mapping[str, Columns]:
    return store_tables(judge)


def test_a_store_is_created(store: Mapping[str, Columns]) -> None:
    assert {"runs", "run_history"} <= store.keys()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "SELECT t.a, COUNT(*) AS t FROM t GROUP BY t.a",
            "Column t contains an aggregation function, which is not allowed in GROUP BY at [1:43]",
        ),
        (
            "SELECT a, MAX(b) AS b FROM t GROUP BY a HAVING MAX(b) IS NOT NULL",
            "Aggregations of aggregations are not allowed at [1:52]",
        ),
        ("SELECT a FROM t WHERE n BETWEEN -8e307 AND 8e307", "Invalid NUMERIC value: -8e307"),
        ("SELECT 7 % 4", 'Syntax error: Expected end of input but got "%" at [1:10]'),
        ("SELECT c FROM t", "Unrecognized name: c at [1:8]"),
    ],
)
def test_what_bigquery_refuses_is_refused_in_its_words(judge: Judge, sql: str, message: str) -> None:
    columns = (("a", "INT64"), ("b", "INT64"), ("n", "NUMERIC"))
    with pytest.raises(Refused) as caught:
        judge.check(sql, [(name, columns) for name in judge.names(sql)])
    assert caught.value.message == message


@pytest.mark.parametrize("file", sql_files.cookbook("bigquery"), ids=lambda file: file.name)
def test_a_query_of_the_cookbook_is_accepted(
    judge: Judge, store: Mapping[str, Columns], file: sql_files.SqlFile
) -> None:
    for statement in file.statements():
        accept(judge, statement, store)


@pytest.mark.parametrize("file", QUERIES, ids=lambda file: file.name)
def test_a_query_of_the_store_is_accepted(
    judge: Judge, store: Mapping[str, Columns], file: sql_files.SqlFile
) -> None:
    earlier = {table.removeprefix(sql_files.TABLE_PREFIX): columns for table, columns in store.items()}
    for statement in file.statements():
        accept(judge, statement, {**earlier, **store})


@pytest.mark.parametrize("file", MIGRATIONS, ids=lambda file: file.name)
def test_a_migration_is_accepted(judge: Judge, store: Mapping[str, Columns], file: sql_files.SqlFile) -> None:
    for statement in file.statements():
        accept(judge, statement, store)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Columns, Columns]:
    """The columns of both sides: any types, some of which differ between the sides, and a key."""
    kinds = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=6))
    base = [("id", "INT64"), *((f"c{place}", kind) for place, kind in enumerate(kinds))]
    changed = draw(st.lists(st.sampled_from((None, None, *TYPES)), min_size=len(base), max_size=len(base)))
    current = [(name, other or kind) for (name, kind), other in zip(base, changed, strict=True)]
    return tuple(base), (("id", "INT64"), *current[1:])


@st.composite
def plans(draw: st.DrawFn) -> Callable[[Pair], Plan[Any]]:
    """A data diff with any options."""
    options = ValueOptions(
        key=("id",),
        where=draw(st.sampled_from((None, "id > 0"))),
        sample=draw(st.sampled_from((None, 10.0))),
        tolerance=draw(st.sampled_from((0.0, 0.01, 1e-12, 1e30))),
        relative_tolerance=draw(st.sampled_from((0.0, 1e-6))),
        timestamp_precision=draw(st.sampled_from((None, *PRECISIONS))),
        ignore_case=draw(st.booleans()),
        ignore_trailing_blanks=draw(st.booleans()),
        examples=draw(st.integers(0, 3)),
    )
    plain = ValueOptions(where=options.where, sample=options.sample, examples=options.examples)
    where, k = options.where, draw(st.integers(1, 9))
    approximate, is_joined = draw(st.booleans()), draw(st.booleans())
    return draw(
        st.sampled_from(
            (
                lambda pair: value_diff(pair, options),
                lambda pair: value_diff_detail(pair, options),
                lambda pair: rows_diff(structs.replace(pair, is_joined=is_joined), plain),
                lambda pair: profile_diff(
                    structs.replace(pair, is_joined=is_joined), where=where, approximate=approximate
                ),
                lambda pair: top_k_diff(structs.replace(pair, is_joined=is_joined), k=k, where=where),
                lambda pair: histogram_diff(
                    structs.replace(pair, is_joined=is_joined), num_bins=k, where=where
                ),
                lambda pair: row_counts([pair, Countable(pair=pair, where=where)]),
                lambda pair: table_quality(
                    QualityTarget(
                        source=pair.current, unique_id="model.shop.t", name="t", is_view=False, keys=()
                    ),
                    QualitySettings(top=k),
                    measured_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
                ),
            )
        )
    )


GEOGRAPHY = ((("id", "INT64"), ("c0", "STRING")), (("id", "INT64"), ("c0", "GEOGRAPHY")))
WIDENED = ((("id", "INT64"), ("c0", "INT64")), (("id", "INT64"), ("c0", "FLOAT64")))


@given(columns=pairs(), plan=plans(), is_past=st.booleans())
@example(GEOGRAPHY, lambda pair: value_diff(pair, ValueOptions(key=("id",))), True)
@example(WIDENED, lambda pair: value_diff(pair, ValueOptions(key=("id",), tolerance=1e30)), False)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_data_diff_of_any_types_is_accepted(
    judge: Judge, columns: tuple[Columns, Columns], plan: Callable[[Pair], Plan[Any]], is_past: bool
) -> None:
    dialect = dialect_named("bigquery")
    sides = dict(zip(DataSide, columns, strict=True))
    sources = {
        side: SideRelation(relation=table(dialect, side.value), dialect=dialect, side=side, name=side.value)
        for side in DataSide
    }
    base = sources[DataSide.BASE]
    if is_past:
        moment = Moment(at=datetime(2026, 1, 1, tzinfo=timezone.utc))
        base = structs.replace(base, relation=dialect.as_of(table(dialect, "base"), moment))
    pair = Pair(
        subject=Subject(name="t"),
        base=base,
        current=sources[DataSide.CURRENT],
    )

    def ask(queries: Queries) -> list[Answer]:
        answers: list[Answer] = []
        for query in queries:
            if not query.describes:
                accept(judge, query.sql, {side.value: found for side, found in sides.items()})
            assumed = [(1, 1, 1)] if query.about.startswith("key of") else query.assumed or ()
            answers.append(sides[query.side] if query.describes else assumed)
        return answers

    run_plan(plan(pair), ask)


BASE = {1: ("1.50", "a"), 2: ("2.00", None), 3: (None, "c"), 4: ("-0.25", "d"), 5: ("5.00", "e")}
CURRENT = {1: ("1.50", "A"), 2: ("2.01", "b"), 3: (None, "c"), 4: ("0.25", None), 6: ("6.00", "f")}


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
def test_the_evaluator_gives_the_figures_of_plain_python(judge: Judge, tolerance: float) -> None:
    dialect = dialect_named("bigquery")
    columns = [("id", "INT64"), ("amount", "NUMERIC"), ("note", "STRING")]
    tables = {"base": rows_of(BASE), "current": rows_of(CURRENT)}
    sources = {
        side: SideRelation(relation=table(dialect, side.value), dialect=dialect, side=side, name=side.value)
        for side in DataSide
    }
    pair = Pair(subject=Subject(name="t"), base=sources[DataSide.BASE], current=sources[DataSide.CURRENT])

    def ask(queries: Queries) -> list[Answer]:
        return [
            columns if query.describes else [tuple(row.values()) for row in judge.rows(query.sql, tables)]
            for query in queries
        ]

    found = run_plan(value_diff(pair, ValueOptions(key=("id",), tolerance=tolerance)), ask)
    both = BASE.keys() & CURRENT.keys()
    amounts = [(BASE[key][0], CURRENT[key][0]) for key in both]
    assert (found.added, found.removed) == (1, 1)
    assert {column.name: column.mismatched for column in found.columns} == {
        "id": 0,
        "amount": sum(
            base != current and not (base and current and abs(Decimal(base) - Decimal(current)) <= tolerance)
            for base, current in amounts
        ),
        "note": sum(BASE[key][1] != CURRENT[key][1] for key in both),
    }


VALUES: Mapping[str, Mapping[str, object]] = {
    "INT64": {"0": 0, "1": 1, "-1": -1, "9223372036854775807": 2**63 - 1, "9223372036854775806": 2**63 - 2},
    "NUMERIC": {"NUMERIC '1.10'": 110, "NUMERIC '1.1'": 110, "NUMERIC '1.100000001'": 111, "NUMERIC '0'": 0},
    "BIGNUMERIC": {"BIGNUMERIC '1e-38'": 1, "BIGNUMERIC '0'": 0, "BIGNUMERIC '12345678901234567890'": 2},
    "FLOAT64": {
        **{"0.0": 0, "-0.0": 0, "1.5": 1.5, "1e300": 1e300},
        **{"CAST('nan' AS FLOAT64)": "nan", "CAST('inf' AS FLOAT64)": "inf"},
    },
    "BOOL": {"TRUE": True, "FALSE": False},
    "STRING": {"'a'": "a", "'A'": "A", "'a '": "a ", "''": "", "'é'": "é", "'null'": "null"},
    "BYTES": {"b''": b"", "b'\\x00'": b"0", "b'a'": b"a"},
    "DATE": {"DATE '0001-01-01'": 1, "DATE '9999-12-31'": 2, "DATE '2026-01-01'": 3},
    "DATETIME": {"DATETIME '2026-01-01'": 1, "DATETIME '2026-01-01 00:00:00.000001'": 2},
    "TIMESTAMP": {
        "TIMESTAMP '2026-01-01 00:00:00+00'": 1,
        "TIMESTAMP '2026-01-01 01:00:00+01'": 1,
        "TIMESTAMP '2026-01-01 00:00:00.000001+00'": 2,
    },
    "TIME": {"TIME '00:00:00'": 1, "TIME '23:59:59.999999'": 2},
    "JSON": {"JSON '{\"a\": 1}'": 1, "JSON '{\"a\":1}'": 1, "JSON 'null'": 2, "JSON '[]'": 3},
    "ARRAY<INT64>": {"[1, 2]": 1, "[2, 1]": 2, "ARRAY<INT64>[]": 3, "[CAST(NULL AS INT64)]": 4},
    "STRUCT<a INT64, b STRING>": {
        "STRUCT(1 AS a, 'x' AS b)": 1,
        "STRUCT(1 AS a, CAST(NULL AS STRING) AS b)": 2,
        "STRUCT(NULL AS a, '1' AS b)": 3,
    },
}
"""Values of each type as SQL, and what equal ones have in common."""


@st.composite
def filled(draw: st.DrawFn) -> tuple[str, list[tuple[str | None, str | None]]]:
    """A type, and for each key the values of both sides."""
    kind = draw(st.sampled_from(sorted(VALUES)))
    value = st.none() | st.sampled_from(sorted(VALUES[kind]))
    return kind, draw(st.lists(st.tuples(value, value), min_size=1, max_size=8))


@given(filled=filled(), has_key=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_evaluator_and_python_agree_on_values_of_every_type(
    judge: Judge, filled: tuple[str, list[tuple[str | None, str | None]]], has_key: bool
) -> None:
    kind, pairs = filled
    tables = {
        side.value: " UNION ALL ".join(
            f"SELECT {key} AS id, {pair[place] or f'CAST(NULL AS {kind})'} AS v"
            for key, pair in enumerate(pairs)
        )
        for place, side in enumerate(DataSide)
    }
    dialect = dialect_named("bigquery")
    sources = [
        SideRelation(relation=table(dialect, side.value), dialect=dialect, side=side, name=side.value)
        for side in DataSide
    ]
    pair = Pair(subject=Subject(name="t"), base=sources[0], current=sources[1])

    def ask(queries: Queries) -> list[Answer]:
        columns = [("id", "INT64"), ("v", kind)]
        return [
            columns if one.describes else [tuple(row.values()) for row in judge.rows(one.sql, tables)]
            for one in queries
        ]

    meaning = {None: None, **VALUES[kind]}
    differing = sum(meaning[base] != meaning[current] for base, current in pairs)
    if has_key:
        found = run_plan(value_diff(pair, ValueOptions(key=("id",), examples=0)), ask)
        assert (found.columns[1].mismatched, found.changed) == (differing, differing)
    else:
        assert run_plan(rows_diff(pair, ValueOptions(limit=0)), ask).common == len(pairs) - differing
        values = Counter(meaning[base] for base, _ in pairs if base is not None)
        top = run_plan(top_k_diff(structs.replace(pair, current=None), columns=("v",)), ask).columns[0]
        assert sorted(one.base for one in top.values) == sorted(values.values())


def test_no_comparison_goes_by_the_collation_of_a_text(judge: Judge) -> None:
    """The evaluator has no collations: it fails where it would have to apply one."""
    dialect = dialect_named("bigquery")
    columns = [("id", "STRING"), ("note", "STRING")]
    sources = {
        side: SideRelation(relation=query_of(collated(rows)), dialect=dialect, side=side, name=side.value)
        for side, rows in ((DataSide.BASE, {"k": "A", "l": "a"}), (DataSide.CURRENT, {"k": "a", "L": "a"}))
    }
    pair = Pair(subject=Subject(name="t"), base=sources[DataSide.BASE], current=sources[DataSide.CURRENT])

    def ask(queries: Queries) -> list[Answer]:
        return [
            columns if one.describes else [tuple(row.values()) for row in judge.rows(one.sql, {})]
            for one in queries
        ]

    by_id = run_plan(value_diff(pair, ValueOptions(key=("id",))), ask)
    folded = run_plan(value_diff(pair, ValueOptions(key=("id",), ignore_case=True, sample=99.9)), ask)
    rows = run_plan(rows_diff(pair, ValueOptions(ignore_trailing_blanks=True, limit=0)), ask)
    values = run_plan(top_k_diff(pair, columns=("note",)), ask).columns[0].values
    profile = run_plan(profile_diff(pair), ask).columns[1].base

    assert (by_id.common, by_id.changed, by_id.added, by_id.removed) == (1, 1, 1, 1)
    assert (folded.common, folded.changed) == (1, 0)
    assert rows.common == 0
    assert [(one.value, one.base, one.current) for one in values] == [("a", 1, 2), ("A", 1, 0)]
    assert profile is not None
    assert (profile.distinct_count, profile.min) == (2, "A")


def collated(rows: Mapping[str, str]) -> str:
    """A query that gives *rows* with a collation that ignores case."""
    return " UNION ALL ".join(
        f"SELECT COLLATE('{key}', 'und:ci') AS id, COLLATE('{note}', 'und:ci') AS note"
        for key, note in rows.items()
    )


def rows_of(rows: Mapping[int, tuple[str | None, str | None]]) -> str:
    """A query that gives *rows*."""

    def text(value: str | None) -> str:
        return "NULL" if value is None else f"'{value}'"

    return " UNION ALL ".join(
        f"SELECT {key} AS id, CAST({text(amount)} AS NUMERIC) AS amount, CAST({text(note)} AS STRING) AS note"
        for key, (amount, note) in rows.items()
    )


STATEMENTS = [(subject, case) for subject in SUBJECTS for case in texts(subject, "bigquery")]


@pytest.mark.parametrize(("subject", "case"), STATEMENTS)
def test_the_statements_of_a_data_diff_are_accepted(judge: Judge, subject: str, case: str) -> None:
    tables: Mapping[str, Columns] = {
        "orders": tuple((name, type_of(name, "bigquery")) for name in COLUMNS),
        **{
            f"orders_{side.value}": tuple(columns_of("bigquery", CASES[case], side))
            for side in DataSide
            if subject == "value_diff"
        },
    }
    for statement in texts(subject, "bigquery")[case].split(";\n"):
        if statement.strip():
            accept(judge, statement, tables)
