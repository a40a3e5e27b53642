"""Row counts, profiles, most frequent values and histograms, and where recce's own answers are others.

tests/data/recce/README.md says how the answers were recorded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.plan import Answer, Plan, Queries, run_plan
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.row_count import row_counts
from recce_meta.data_diff.schema import schema_diff
from recce_meta.data_diff.source import Pair, SideRelation, table
from recce_meta.data_diff.top_k import NO_VALUES, top_k_diff
from recce_meta.errors import RecceMetaError, UnknownNameError
from recce_meta.models.data_diff import ColumnHistogram, ColumnTopK, DataSide, Profile, Subject
from recce_meta.warehouses.dialect import dialect_named

ANSWERS = Path(__file__).parents[3] / "data" / "recce"
SIDES = {DataSide.BASE: "prod", DataSide.CURRENT: "dev"}
NOT_BUILT_BY_NAME = {"int_order_payments", "large_orders", "loyalty", "never_built", "renamed_table"}
"""Models that are ephemeral, were not built, or whose relation has another name than theirs."""


class Project:
    """One of the recorded projects, its tables in memory."""

    def __init__(self, name: str) -> None:
        root = ANSWERS / name
        self.answers = json.loads((root / "answers.json").read_text("utf-8"))["answers"]
        self.adapter = UnifiedSqlAdapter.from_url("duckdb:///:memory:")
        self.adapter.execute("SET TimeZone = 'UTC'")
        for statement in duckdb.extract_statements((root / "data.sql").read_text("utf-8")):
            self.adapter.execute(statement.query)
        listed = self.adapter.execute("SELECT table_schema, table_name FROM information_schema.tables")[1]
        self.tables = set(listed)
        self.dialect = dialect_named("duckdb")

    def of(self, type_: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Parameters and results of the questions of *type_* that recce could answer."""
        for answer in self.answers:
            if answer["type"] == type_ and "result" in answer:
                yield answer["params"], answer["result"]

    def pair(self, model: str) -> Pair:
        """Both relations of *model*, where its name is that of the relation."""
        sources = {
            side: SideRelation(
                relation=table(self.dialect, f'{schema}."{model}"'),
                dialect=self.dialect,
                side=side,
                name=model,
            )
            for side, schema in SIDES.items()
            if (schema, model) in self.tables
        }
        return Pair(
            subject=Subject(name=model),
            base=sources.get(DataSide.BASE),
            current=sources.get(DataSide.CURRENT),
        )

    def run(self, plan: Plan[Any]) -> Any:
        """The result of *plan*."""

        def ask(queries: Queries) -> list[Answer]:
            answers: list[Answer] = []
            for query in queries:
                try:
                    found = self.adapter.describe(query.sql) if query.describes else None
                    answers.append(self.adapter.execute(query.sql)[1] if found is None else found)
                except RecceMetaError as error:
                    answers.append(error)
            return answers

        return run_plan(plan, ask)


@pytest.fixture(
    scope="module", params=[pytest.param("jaffle_shop", marks=pytest.mark.extensive), "typed_shop"]
)
def project(request: pytest.FixtureRequest) -> Iterator[Project]:
    """Each of the recorded projects."""
    project = Project(request.param)
    yield project
    project.adapter.close()


def test_rows_are_counted_as_recce_counts_them_and_where_it_does_not(project: Project) -> None:
    agreed = 0
    for _, result in project.of("row_count_diff"):
        for model, theirs in result.items():
            if model in NOT_BUILT_BY_NAME:
                continue
            ours = project.run(row_counts([project.pair(model)])).counts[0]
            for rows, their_rows, meta in (
                (ours.base, theirs["base"], theirs["base_meta"]),
                (ours.current, theirs["curr"], theirs["curr_meta"]),
            ):
                if rows == their_rows:
                    agreed += 1
                else:  # recce counts no seeds, and not what its manifest does not have as a model
                    assert meta["status"] in ("unsupported_resource_type", "not_in_manifest"), model
                    assert rows is not None

    assert agreed > 100


def test_schemas_agree(project: Project) -> None:
    theirs = next(
        {tuple(row) for row in result["mcp"]["data"]}
        for params, result in project.of("schema_diff")
        if not params
    )
    words = {"retyped": "modified"}
    models = {node for node, _, _ in theirs if node.split(".")[2] not in NOT_BUILT_BY_NAME}

    ours = {
        (node, column.name, words.get(column.status, column.status))
        for node in models
        for column in project.run(schema_diff(project.pair(node.split(".")[2]))).changed
        if column.status != "moved"
    }

    # Case does not tell two columns of a table apart in DuckDB: recce sees one go and another come.
    assert {change for change in theirs - ours if change[1].lower() != "mixedcase"} == set()
    assert ours - theirs == set()
    assert ours


def test_profiles_agree(project: Project) -> None:
    agreed = 0
    for params, result in project.of("profile_diff"):
        if params["model"] in NOT_BUILT_BY_NAME:
            continue
        if "no_such_column" in (params.get("columns") or ()):  # recce answers with a profile of nothing
            with pytest.raises(UnknownNameError):
                project.run(profile_diff(project.pair(params["model"]), params["columns"]))
            continue
        ours = project.run(profile_diff(project.pair(params["model"]), params.get("columns") or ()))
        profiles = {column.name.casefold(): column for column in ours.columns}
        for side in DataSide:
            frame = result[side.value]
            for row in frame["data"]:
                theirs = dict(zip((column["key"] for column in frame["columns"]), row, strict=True))
                mine = getattr(profiles[theirs["column_name"].casefold()], side.value)
                differing = {key for key in theirs if key in METRICS and not same_metric(mine, theirs, key)}
                explained = {key for key in differing if why_profile(theirs, key)}
                assert differing == explained, (params, theirs, mine)
                agreed += len(METRICS) - len(differing)

    assert agreed > 1_000


METRICS = (
    "row_count",
    "not_null_proportion",
    "distinct_proportion",
    "distinct_count",
    "is_unique",
    "min",
    "max",
    "avg",
    "median",
)


def same_metric(mine: Profile, theirs: dict[str, Any], key: str) -> bool:
    """Whether both say the same; recce says it in text."""
    own, other = getattr(mine, key), theirs[key]
    if own is None or other is None:
        return own is other
    if key in ("row_count", "distinct_count", "is_unique"):
        return bool(own == other)
    if isinstance(own, datetime):
        return own.replace(tzinfo=None) == datetime.fromisoformat(padded(other))
    if isinstance(own, date):
        return own == date.fromisoformat(other)
    if hasattr(own, "hour"):
        return own.isoformat().rstrip("0") == other.rstrip("0")
    if isinstance(own, str):
        return own == other
    a, b = float(own), float(other)
    return math.isclose(a, b, rel_tol=1e-9) or (math.isnan(a) and math.isnan(b))


def padded(text: str) -> str:
    """A timestamp of DuckDB's in a form that Python 3.10 reads, its zone, which is UTC, left out."""
    text = text.removesuffix("+00")
    return f"{text[:26]:0<26}" if "." in text else text


def why_profile(theirs: dict[str, Any], key: str) -> str | None:
    """Why a figure of recce's is another than ours."""
    of = theirs["data_type"]
    if theirs[key] is None:
        if of.startswith(("decimal", "tinyint", "smallint", "hugeint")) and key in (
            "min",
            "max",
            "avg",
            "median",
        ):
            return "recce does not take them for numbers: their names do not begin with int or float"
        if of.startswith("character") and key in ("min", "max"):
            return "recce has no smallest and largest text"
        if of.startswith(("date", "timestamp")) and key == "median":
            return "recce has no median of points in time"
        if of.startswith("struct") and key in ("distinct_count", "distinct_proportion", "is_unique"):
            return "recce does not count distinct structs"
    if of == "interval" and key in ("min", "max", "avg", "median"):
        return "recce takes intervals for numbers: the name begins with int"
    if key == "median" and theirs["column_name"] == "reading" and duckdb.__version__ < "2":
        return "an older DuckDB has another median of what is not finite"
    if of == "float" and key == "median":
        return "recce's mean of the middle two is rounded to 32 bits"
    return None


def test_the_most_frequent_values_agree(project: Project) -> None:
    agreed = 0
    for params, result in project.of("top_k_diff"):
        if params["model"] in NOT_BUILT_BY_NAME or is_expression(params["column_name"]):
            continue
        plan = top_k_diff(project.pair(params["model"]), [params["column_name"]], params.get("k") or 10)
        (ours,) = project.run(plan).columns
        assert ours.reason == (
            None if any(result[side.value]["total"] for side in DataSide) else NO_VALUES
        ), params
        for side in DataSide:
            theirs = result[side.value]
            own = (getattr(ours, f"{side.value}_valid"), getattr(ours, f"{side.value}_total"))
            assert own == (theirs["valids"], theirs["total"]), params
        if why_top_k(params):
            continue
        counts = list(zip(result["current"]["counts"], result["base"]["counts"], strict=True))
        assert [(one.current, one.base) for one in ours.values] == counts, params
        assert values_apart_from_ties(ours) == their_values(result), params
        agreed += 1

    assert agreed > 70


def is_expression(column_name: str) -> bool:
    """recce pastes what it is given into its SQL: so it takes expressions."""
    return any(sign in column_name for sign in ("||", ">"))


def why_top_k(params: dict[str, Any]) -> str | None:
    """Why recce has other groups: it groups texts."""
    why = {
        "odd_floats": "-0.0 is 0.0",
        "changed_types": "1.50 is 1.5, a day its first instant, true is 1 where a type changed",
        "nested": "JSON is equal whatever its white space; values are lists, bytes … and not DuckDB's texts",
    }
    if params["model"] == "customers" and params["column_name"] == "lifetime_value":
        return "0.00 and 0, where the scale changed"
    is_plain = params["column_name"] in ("item_id", "change_id", "dropped", "added")
    return None if is_plain else why.get(params["model"])


def values_apart_from_ties(ours: ColumnTopK) -> dict[str, tuple[int, int]]:
    """By value as text, without those that share the last counts: recce leaves to chance which these are."""
    last = (ours.values[-1].current, ours.values[-1].base) if ours.values else None
    counts = {text_of(one.value): (one.current, one.base) for one in ours.values}
    return {value: pair for value, pair in counts.items() if pair != last}


def text_of(value: Any) -> str:
    """*value* as DuckDB writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def their_values(result: dict[str, Any]) -> dict[str, tuple[int, int]]:
    values = [value if value is not None else "__null__" for value in result["current"]["values"]]
    counts = list(zip(result["current"]["counts"], result["base"]["counts"], strict=True))
    return {value: pair for value, pair in zip(values, counts, strict=True) if pair != counts[-1]}


def test_histograms_agree(project: Project) -> None:
    agreed = 0
    for params, result in project.of("histogram_diff"):
        if params["model"] in NOT_BUILT_BY_NAME:
            continue
        plan = histogram_diff(
            project.pair(params["model"]), [params["column_name"]], params.get("num_bins") or 50
        )
        (ours,) = project.run(plan).columns
        if params["column_type"] == "NUMBER":  # the type is what a user says it is, for recce
            assert len(ours.edges) != len(result["bin_edges"])
            continue
        ours = like_recce(ours)
        assert list(map(edge_text, ours.edges)) == list(map(edge_text, result["bin_edges"])), params
        for side in DataSide:
            theirs = result[side.value]
            if ours.edges and not theirs["counts"]:  # its statement failed, and it went on
                assert params["column_name"] == '"select"'
                continue
            assert list(getattr(ours, side.value)) == theirs["counts"], params
            assert getattr(ours, f"{side.value}_total") == theirs["total"], params
        agreed += 1

    assert agreed > 50


def like_recce(ours: ColumnHistogram) -> ColumnHistogram:
    """Put the largest two whole numbers into one bin, as recce does."""
    if len(ours.edges) < 3 or not isinstance(ours.max, int) or ours.edges[-2:] != (ours.max, ours.max + 1):
        return ours
    base, current = ((*(of or ())[:-2], sum((of or ())[-2:])) for of in (ours.base, ours.current))
    return replace(ours, edges=ours.edges[:-1], base=base, current=current)


def edge_text(edge: Any) -> str:
    """An edge as both write it: numbers as doubles, points in time as days, at which recce's bins begin."""
    if isinstance(edge, str):
        return edge
    return edge.isoformat()[:10] if isinstance(edge, date) else str(float(edge))


def test_histograms_that_recce_cannot_draw_have_bins_or_a_reason(project: Project) -> None:
    for answer in project.answers:
        params = answer["params"]
        if answer["type"] != "histogram_diff" or "result" in answer:
            continue
        pair = project.pair(params["model"])
        if not pair.sides or params["column_name"] == "no_such_column":
            continue
        (ours,) = project.run(histogram_diff(pair, [params["column_name"]])).columns
        assert ours.reason or has_all_rows(ours), params


def has_all_rows(ours: ColumnHistogram) -> bool:
    """Whether the bins hold what they say."""
    totals = ((ours.base, ours.base_total), (ours.current, ours.current_total))
    return all(counts is None or sum(counts) == total for counts, total in totals)
