"""No report of data diffs claims more than was compared: random tables, and every mix of plans that ran."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timezone
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recce_meta import UnifiedSqlAdapter
from recce_meta.api.data.execution import DataDiffRunner, open_data_diff_runner
from recce_meta.api.data.jobs import details, values
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.options import DeclaredKey, ValueOptions
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.row_count import row_counts
from recce_meta.data_diff.schema import schema_diff
from recce_meta.data_diff.source import Pair
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.errors import UsageError
from recce_meta.models.data_diff import AnyDataDiff, Failed, NotCompared, RowCountDiff
from recce_meta.report import data_json, data_markdown, data_text, html_report
from recce_meta.report import pull_request_markdown as comment
from recce_meta.report.data.overview import overview_lines
from recce_meta.report.data.summary import summarise_nodes
from recce_meta.report.data.verdicts import Outcome
from recce_meta.report.terminal import render
from tests.proofs import reports, sampled

EXAMPLES = int(os.environ.get("RECCE_META_CLAIM_EXAMPLES", sampled("30", "10")))
NAMES = ("orders", "customers")
OF_VALUES = ("value_diff", "rows_diff", "value_diff_detail")
Row = tuple[int | None, int | None, str | None]
Table = tuple[tuple[str, ...], list[Row]]

ids = st.none() | st.integers(1, 4)
rows = st.lists(
    st.tuples(ids, st.none() | st.integers(0, 2), st.none() | st.sampled_from(["a", "A", "b "])), max_size=6
)
TYPES = {"id": "INTEGER", "amount": "INTEGER", "note": "VARCHAR"}


@st.composite
def pairs_of_tables(draw: st.DrawFn) -> tuple[Table, Table]:
    """Two tables that are equal, or differ in little."""
    base = draw(rows)
    current = list(base)
    for edit in draw(st.lists(st.sampled_from(["add", "drop", "change", "change", "repeat"]), max_size=2)):
        at = draw(st.integers(0, max(len(current) - 1, 0)))
        if edit == "add":
            current += draw(rows)[:1]
        elif current and edit == "drop":
            del current[at]
        elif current and edit == "repeat":
            current.append(current[at])
        elif current:
            key, amount, note = current[at]
            current[at] = (key, (amount or 0) + 1, note)
    columns = draw(st.sampled_from([tuple(TYPES), tuple(TYPES), ("id", "note", "amount"), ("id", "amount")]))
    return (tuple(TYPES), base), (columns, draw(st.permutations(current)))


@st.composite
def plans(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """The name of a plan, and the options that narrow it."""
    name = draw(st.sampled_from([
        "counts", "counts", "kept counts", "schema", "schema", "keyed", "keyed", "detail", "whole", "whole",
        "whole detail", "profile", "top k", "histogram", "skipped", "failed",
    ]))  # fmt: skip
    narrowing: dict[str, Any] = {}
    if draw(st.integers(0, 2)) == 0:
        narrowing = draw(st.sampled_from([
            {"where": "amount > 0"}, {"sample": 40.0}, {"exclude_columns": ("amount",)},
            {"columns": ("amount",)}, {"tolerance": 1.0}, {"relative_tolerance": 0.5}, {"ignore_case": True},
            {"ignore_trailing_blanks": True}, {"cast": {"amount": "bigint"}},
        ]))  # fmt: skip
    return name, narrowing


def plan_of(name: str, narrowing: dict[str, Any]) -> Callable[[Pair], Any] | None:
    """What makes the diff *name*."""
    keyed = ValueOptions(candidates=(DeclaredKey(("id",), "unique test"),), **narrowing)
    where = narrowing.get("where")
    known: dict[str, Callable[[Pair], Any]] = {
        "schema": schema_diff,
        "keyed": partial(values, options=keyed),
        "detail": partial(details, options=keyed),
        "whole": partial(values, options=replace(keyed, candidates=())),
        "whole detail": partial(details, options=replace(keyed, candidates=())),
        "profile": partial(profile_diff, where=where),
        "top k": partial(top_k_diff, where=where),
        "histogram": partial(histogram_diff, where=where),
    }
    return known.get(name)


@pytest.fixture(scope="module")
def comparison() -> Iterator[DataDiffRunner]:
    with UnifiedSqlAdapter.from_url("duckdb:///:memory:") as adapter:
        for side in ("base", "current"):
            adapter.execute(f"CREATE SCHEMA {side}")
        comparison = open_data_diff_runner(adapter, threads=1)
        yield comparison
        comparison.close()


def fill(comparison: DataDiffRunner, side: str, name: str, table: Table) -> None:
    columns, filled = table
    place = {column: at for at, column in enumerate(TYPES)}
    cells = [[literal(row[place[column]]) for column in columns] for row in filled]
    typed = ", ".join(f"{column} {TYPES[column]}" for column in columns)
    with comparison._pools[0].connection() as adapter:
        adapter.execute(f"CREATE OR REPLACE TABLE {side}.{name} ({typed})")
        if cells:
            listed = ", ".join(f"({', '.join(row)})" for row in cells)
            adapter.execute(f"INSERT INTO {side}.{name} VALUES {listed}")


def literal(value: object) -> str:
    return "NULL" if value is None else repr(value)


def results_of(
    comparison: DataDiffRunner, name: str, asked: list[Any], stale: str | None
) -> list[AnyDataDiff]:
    pair = comparison.places.pair(f"base.{name}", f"current.{name}", name=name)
    subject = replace(pair.subject, unique_id=f"model.shop.{name}", current_stale=stale)
    pair = replace(pair, subject=subject)
    found: list[AnyDataDiff] = []
    for kind, narrowing in asked:
        if kind == "skipped":
            found.append(NotCompared(subject=subject, diff="value_diff", reason="too large"))
        elif kind == "failed":
            found.append(Failed(subject=subject, diff="value_diff", error="connection lost"))
        elif kind.endswith("counts"):
            counted = comparison.run(row_counts([pair]))
            if kind == "kept counts":  # a figure of another time may be any figure
                (one,) = counted.counts
                at = datetime(2026, 11, 1, tzinfo=timezone.utc)
                counted = RowCountDiff(counts=(replace(one, base=one.current, base_kept_at=at),))
            found.append(counted)
        else:
            plan = plan_of(kind, narrowing)
            assert plan is not None
            try:
                found.append(comparison.run(plan(pair)))
            except UsageError as error:  # a tolerance without a key, or a column that is not there
                found.append(Failed(subject=subject, diff="value_diff", error=error.message))
    return found


class Truth:
    """What is true of one pair of tables, found without the plans."""

    def __init__(self, base: Table, current: Table) -> None:
        self.schema = base[0] == current[0]
        self.count = len(base[1]) == len(current[1])
        sides = [[row[0] for row in side[1]] for side in (base, current)]
        self.has_odd_keys = any(None in keys or len(set(keys)) < len(keys) for keys in sides)
        self.data = set(base[0]) == set(current[0]) and Counter(base[1]) == Counter(current[1])

    def allows(self, claim: str) -> bool:
        """Whether *claim* is true; figures of columns are the plans' own, and equal data has equal ones."""
        known = {"data": self.data, "row count": self.count, "columns": self.schema}
        return all(known.get(part, True) for part in re.split(r", | and ", claim))


SAME = re.compile(
    r"(?:[sS]ame|[eE]qual) ([a-z]+(?: [a-z]+)??(?:, [a-z ]+?| and [a-z ]+?)*)(?= in [\dab]|:|;|,|<|$)", re.M
)


def claims_in(text: str) -> list[str]:
    """Everything that *text* says is the same."""
    words = ("no row differs", "data is the same", "the same in")
    whole = re.findall(r"(row|column)s?, (?:all )?equal", text)
    return [
        *SAME.findall(text),
        *("data" for word in words if word in text),
        *("data" if noun == "row" else "columns" for noun in whole),
    ]


@given(
    tables=st.lists(pairs_of_tables(), min_size=2, max_size=2),
    asked=st.lists(st.lists(plans(), min_size=1, max_size=3), min_size=2, max_size=2),
    stale=st.lists(st.sampled_from([None, None, None, "its build failed"]), min_size=2, max_size=2),
)
@settings(
    deadline=None,
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_report_says_same_where_rows_differ(
    comparison: DataDiffRunner, tables: list[tuple[Table, Table]], asked: list[Any], stale: list[str | None]
) -> None:
    for name, (base, current), of_node, remark in zip(NAMES, tables, asked, stale, strict=True):
        fill(comparison, "base", name, base)
        fill(comparison, "current", name, current)
        truth = Truth(base, current)
        found = results_of(comparison, name, of_node, remark)
        check_reports(found, truth, is_whole=remark is None)
        check_evidence(found, of_node, truth)
    # Reports of several nodes list those without a difference together.
    truths = {name: Truth(*pair) for name, pair in zip(NAMES, tables, strict=True)}
    together = [
        result
        for name, of_node, remark in zip(NAMES, asked, stale, strict=True)
        for result in results_of(comparison, name, of_node, remark)
    ]
    for line in data_markdown(together).splitlines():
        if line.startswith("✅"):
            claim = claims_in(line)[0]
            wrong = [
                name for name, truth in truths.items() if f"`{name}`" in line and not truth.allows(claim)
            ]
            assert wrong == [], line


def summary_of(found: list[AnyDataDiff]) -> str:
    return render(overview_lines(found, 0, details=False), width=0, color=False)


def check_reports(found: list[AnyDataDiff], truth: Truth, *, is_whole: bool) -> None:
    assert re.search(r"[a-z]", summary_of(found).split("\n  ")[1])
    texts = {
        "text": data_text(found, width=0, color=False),
        "summary": summary_of(found),
        "markdown": data_markdown(found),
        "comment": comment(None, found),
        "html": html_report("Data", None, found, None),
    }
    for style, text in texts.items():
        for claim in claims_in(text):
            event("claims something")
            assert truth.allows(claim), (style, claim)
    document = json.loads(data_json(found))
    made = [result for result in document["results"] if result["type"] in OF_VALUES]
    assert truth.data or not any(result["is_equal"] for result in made)
    is_of_values = any(kind in OF_VALUES for kind in kinds_of(document))
    if document["summary"]["same"]:
        event("same")
        assert is_whole and not document["not_compared"]
        assert truth.data or not is_of_values
        assert 'data-state="same"' in texts["html"] and "✅" in texts["markdown"]
    else:
        assert "✅" not in texts["markdown"] + texts["comment"]
        assert 'data-state="same"' not in texts["html"] and "verdict same" not in texts["html"]
    for result in made:
        if result["is_narrowed"] or result.get("left_out"):
            event("narrowed")
            assert result["is_equal"] is not True
            assert any(gap["diff"] == result["type"] for gap in document["not_compared"])
            assert "qual in every row: " not in texts["text"] or len(made) > 1
    if document["not_compared"]:
        assert "not compared" in texts["summary"] and "not compared" in texts["markdown"]


def check_evidence(found: list[AnyDataDiff], asked: list[Any], truth: Truth) -> None:
    """What is equal was compared without options, by a key that every row has to itself, or as whole rows."""
    for result, (plan, narrowing) in zip(found, asked, strict=True):
        (made,) = json.loads(data_json([result]))["results"]
        if made["type"] in OF_VALUES:
            is_odd = truth.has_odd_keys and plan in ("keyed", "detail")
            assert made["is_equal"] is not True or not (narrowing or is_odd), (plan, narrowing)
        elif made["type"] == "row_count_diff":
            assert "ata" not in "".join(claims_in(data_markdown([result]))), "rows were only counted"


def kinds_of(document: dict[str, Any]) -> list[str]:
    return [result.get("diff", result["type"]) for result in document["results"]]


def test_equal_tables_that_were_compared_are_called_the_same(comparison: DataDiffRunner) -> None:
    table: Table = (tuple(TYPES), [(1, 2, "a"), (2, None, None)])
    for side in ("base", "current"):
        fill(comparison, side, "orders", table)

    for plan in ("keyed", "whole", "detail"):
        found = results_of(comparison, "orders", [(plan, {}), ("counts", {}), ("schema", {})], None)

        assert "✅ 1 node with equal data" in data_markdown(found)
        assert "= 1 node with equal data" in summary_of(found)
        assert json.loads(data_json(found))["summary"]["same"] == 1
        assert "verdict same" in html_report("Data", None, found, None)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[reports.Database]:
    with closing(reports.Database(None, tmp_path_factory.mktemp("claims"))) as database:
        yield database


def test_reports_of_a_recorded_project_say_nothing_false(database: reports.Database) -> None:
    assert list(reports.failures(database, range(1, sampled(400, 2)))) == []


def test_a_false_claim_of_a_report_is_found(
    database: reports.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie = "  = 3 nodes with equal data: customers, orders, payments"
    monkeypatch.setattr(reports, "data_text", lambda *_, **__: lie)
    found = reports.failures(database, range(1, 3))

    assert any("diff, text: Claim(what='data'" in failure for failure in found)


@pytest.mark.parametrize("narrowing", [{"where": "amount > 0"}, {"exclude_columns": ("amount",)}])
@pytest.mark.parametrize("is_same", [False, True])
def test_a_detail_with_more_limits_than_the_values_is_a_gap_of_its_node(
    comparison: DataDiffRunner, narrowing: dict[str, Any], is_same: bool
) -> None:
    table: Table = (tuple(TYPES), [(1, 2, "a"), (2, None, None)])
    for side in ("base", "current"):
        fill(comparison, side, "orders", table)

    asked = [("keyed", narrowing if is_same else {}), ("detail", narrowing)]
    found = results_of(comparison, "orders", asked, None)

    (node,) = summarise_nodes(found)
    assert node.outcome is Outcome.PARTIAL
    assert len(node.texts("values")) == (1 if is_same else 2)
    assert json.loads(data_json(found))["summary"]["same"] == 0
    assert "✅" not in data_markdown(found)
