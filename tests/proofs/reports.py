"""Proof that no report of compared data claims more than is true: random tables against a join in Python.

    python -m tests.proofs.reports [URL] [--seconds 600] [--seed 1]

A case fills three changed nodes of a recorded project, on both sides: types, keys that hold or do not, rows
that are equal or nearly so, sides that are missing or cannot be read. It compares them with random settings
(key, condition, sample, tolerance, excluded and private columns, the largest number of rows, a budget of
time), as `diff --data --save` does, and once more as `diff` and the checks of a file with `expect` see them.
In PostgreSQL, another session may write equal rows to both sides meanwhile, always in one transaction.
Each report (text, Markdown, HTML, comment, JSON), each row of the views of stored results, each passed check
and each answer to an agent is read back into claims, and these are compared with rows that were read whole.
Prints each claim that is false, and exits with 1 if there is one. URL is that of a DuckDB or PostgreSQL
database whose schemas base, current and claims are replaced; by default, a file of DuckDB.
"""

from __future__ import annotations

import argparse
import html
import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cached_property
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

import sqlalchemy as sa

from recce_meta import NodeMetadata, Project, RunMetadata, UnifiedSqlAdapter, record_run
from recce_meta.api.data.stored import stored_data
from recce_meta.api.public.data import ComparisonOptions, DataComparison, diff_data, run_checks
from recce_meta.api.public.reports import render_report
from recce_meta.config.nodes import NodeSettings
from recce_meta.errors import RecceMetaError, UnknownNameError, WarehouseError
from recce_meta.mcp.data_tools import DataTools
from recce_meta.mcp.questions import AgentSettings, Questions
from recce_meta.mcp.stores import AgentStore
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.quality.privacy import Privacy
from recce_meta.report import data_json, data_markdown, data_text, html_report
from recce_meta.report import pull_request_markdown as comment
from tests.proofs.clock import Clock

SCHEMA = "claims"
"""Schema of the store."""
NAMES = ("orders", "customers", "payments")
VALUES = {
    "INTEGER": ("0", "1", "2", "-7", "NULL"),
    "BIGINT": ("9007199254740992", "9007199254740993", "0", "NULL"),
    "DOUBLE PRECISION": ("0.1", "0.30000000000000004", "0.3", "9007199254740992", "-0.0", "0.0", "NULL"),
    "NUMERIC(20,4)": ("0.1000", "0.1001", "9007199254740993", "NULL"),
    "VARCHAR": ("'a'", "'A'", "'a '", "''", "'é'", "NULL"),
    "BOOLEAN": ("TRUE", "FALSE", "NULL"),
    "DATE": ("'2024-02-29'", "'2024-03-01'", "NULL"),
    "TIMESTAMP": ("'2024-02-29 00:00:00'", "'2024-02-29 00:00:00.000001'", "NULL"),
}
"""Types, and literals of values that are near each other."""
CHECKS = ("row_count_diff", "schema_diff", "value_diff", "value_diff_detail", "query_diff", "profile_diff",
          "top_k_diff", "histogram_diff")  # fmt: skip
LIMITED = ("value_diff", "value_diff_detail", "profile_diff")
"""Checks whose rows a condition limits."""
Row = tuple[object, ...]


class Side(NamedTuple):
    """What one side of a node holds, in Python's values."""

    columns: tuple[tuple[str, str], ...]
    """Name and type of each."""
    rows: tuple[Row, ...] | None
    """None if they cannot be read."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(name for name, _ in self.columns)

    def picked(self, names: Sequence[str]) -> list[Row]:
        """Return the rows with the columns *names* alone."""
        assert self.rows is not None
        places = [self.names.index(name) for name in names]
        return [tuple(row[place] for place in places) for row in self.rows]


class Truth:
    """What is true of a node; a side is None if it is missing."""

    def __init__(self, base: Side | None, current: Side | None, key: str) -> None:
        self.base, self.current, self.key = base, current, key
        self.is_readable = bool(base and current) and None not in (base.rows, current.rows)

    def allows(self, claim: str) -> bool:
        """Return True unless "equal *claim*" is false; "row count and columns" are two claims."""
        base, current = self.base, self.current
        if base is None or current is None:
            return False
        parts = re.split(r", | and (?!types)", claim)
        return all(
            base.columns == current.columns
            if part.startswith("column")
            else self.is_readable
            and (
                len(base.rows or ()) == len(current.rows or ())
                if part == "row count"
                else self.same_rows and (part == "rows" or set(base.names) == set(current.names))
            )
            for part in parts
        )

    @cached_property
    def common(self) -> tuple[str, ...]:
        """Columns of both sides."""
        assert self.base and self.current
        return tuple(name for name in self.base.names if name in self.current.names)

    @cached_property
    def same_rows(self) -> bool:
        """True if both sides have the same rows in their common columns, each as often."""
        assert self.base and self.current
        return Counter(self.base.picked(self.common)) == Counter(self.current.picked(self.common))

    @cached_property
    def joined(self) -> tuple[dict[object, Row], dict[object, Row]] | None:
        """Rows of each side by key; None if the key is missing, NULL or repeated."""
        if not self.is_readable or self.key not in self.common:
            return None
        found = []
        for side in filter(None, (self.base, self.current)):
            keys = [row[0] for row in side.picked([self.key])]
            if None in keys or len(set(keys)) < len(keys):
                return None
            found.append(dict(zip(keys, side.picked(self.common), strict=True)))
        return found[0], found[1]

    def same_values(self, column: str, *, with_nulls: bool) -> bool:
        """Return True if *column* has the same values on both sides, each as often; bins leave NULLs out."""
        if not self.is_readable or column not in self.common:
            return False
        before, after = (
            Counter(value for (value,) in side.picked([column]) if with_nulls or value is not None)
            for side in filter(None, (self.base, self.current))
        )
        return before == after if with_nulls else before.total() == after.total()

    def mismatched(self, column: str) -> int:
        """Return the number of rows on both sides whose values of *column* differ."""
        assert self.joined
        before, after = self.joined
        at = self.common.index(column)
        return sum(before[key][at] != after[key][at] for key in before.keys() & after.keys())


class Asked(NamedTuple):
    """How a node is compared."""

    settings: NodeSettings
    is_whole: bool
    """True if no row and no column is left out."""

    @property
    def is_tolerant(self) -> bool:
        """True if numbers that are near each other count as equal."""
        return bool(self.settings.tolerance or self.settings.relative_tolerance)


class Situation:
    """A case: the tables of each node, what is true of them, and what is asked."""

    def __init__(self, database: Database, seed: int) -> None:
        self.draw = draw = random.Random(seed)
        self.seed, self.database = seed, database
        self.asked: dict[str, Asked] = {}
        self.truths: dict[str, Truth] = {}
        number = draw.choice((1, 1, 2, 3))
        for at, name in enumerate(NAMES):
            self._fill(name, is_plain=at >= number)
        self.max_rows = draw.choice((None, None, None, None, 0, 2))
        self.budget = draw.choice((None, None, None, None, None, 0.001, 0.02, 0.1))
        self.moving = (
            NAMES[-1] if number < len(NAMES) and draw.random() < 0.3 and database.has_snapshots else ""
        )
        self.privacy = Privacy(patterns=("v1",)) if draw.random() < 0.15 else None
        database.forget()

    def _fill(self, name: str, *, is_plain: bool) -> None:
        if is_plain:
            sides = [
                self.database.fill(side, name, (("id", "INTEGER"),), [["1"]]) for side in ("base", "current")
            ]
            self.asked[name] = Asked(NodeSettings(key=("id",)), True)
            self.truths[name] = Truth(sides[0], sides[1], "id")
            return
        draw = self.draw
        types = [draw.choice(list(VALUES)) for _ in range(draw.choice((1, 2, 3)))]
        columns = [("id", "INTEGER"), *((f"v{at}", kind) for at, kind in enumerate(types))]
        before = self._rows(columns)
        after = [list(row) for row in before]
        current = list(columns)
        for _ in range(draw.choice((0, 0, 1, 1, 2))):
            self._edit(current, after)
        draw.shuffle(after)
        sides: dict[str, Side | None] = {
            "base": self.database.fill("base", name, columns, before),
            "current": self.database.fill("current", name, current, after),
        }
        if draw.random() < 0.12:
            side = draw.choice(("base", "current"))
            sides[side] = self.database.take_away(side, name, is_dropped=draw.random() < 0.5)
        self.asked[name] = self._ask()
        self.truths[name] = Truth(
            sides["base"], sides["current"], (self.asked[name].settings.key or ("id",))[0]
        )

    def _rows(self, columns: Sequence[tuple[str, str]]) -> list[list[str]]:
        draw = self.draw
        odd_keys = draw.random() < 0.2
        found = []
        for at in range(draw.choice((0, 1, 3, 6, 9))):
            key = draw.choice(("1", "2", "NULL")) if odd_keys else str(at)
            found.append([key, *(draw.choice(VALUES[kind]) for _, kind in columns[1:])])
        return found

    def _edit(self, columns: list[tuple[str, str]], rows: list[list[str]]) -> None:
        draw = self.draw
        edit = draw.choice(
            ("change", "change", "change", "add", "drop", "repeat", "retype", "column", "move")
        )
        at = draw.randrange(len(columns) - 1) + 1
        if edit == "add":
            rows.append([str(90 + len(rows)), *(draw.choice(VALUES[kind]) for _, kind in columns[1:])])
        elif edit == "change" and rows:
            draw.choice(rows)[at] = draw.choice(VALUES[columns[at][1]])
        elif edit == "drop" and rows:
            rows.pop()
        elif edit == "repeat" and rows:
            rows.append(list(draw.choice(rows)))
        elif edit == "retype" and columns[at][1] in ("INTEGER", "BIGINT"):
            columns[at] = (columns[at][0], "DOUBLE PRECISION")
        elif edit == "column" and len(columns) > 2:
            del columns[at]
            for row in rows:
                del row[at]
        elif edit == "move" and len(columns) > 2:
            columns[1], columns[2] = columns[2], columns[1]
            for row in rows:
                row[1], row[2] = row[2], row[1]

    def _ask(self) -> Asked:
        draw = self.draw
        key = draw.choice((("id",), ("id",), ("id",), None, ("v0",)))
        narrowed: dict[str, Any] = draw.choice(
            [{}] * 5
            + [
                {"where": "v0 IS NOT NULL"},
                {"sample": 50.0},
                {"tolerance": 1},
                {"relative_tolerance": 0.5},
                {"exclude": ("v0",)},
                {"compare": "rows"},
                {"compare": "counts"},
                {"compare": "none"},
            ]
        )
        # An excluded column that is the key is compared as the key.
        is_whole = not narrowed.keys() & {"where", "sample"} and narrowed.get("exclude") in (None, key)
        return Asked(NodeSettings(key=key, **narrowed), is_whole)

    def failures(self) -> Iterator[str]:
        """Yield each claim that is false."""
        adapter = self.database.adapter
        with self.database.writing(self.moving):
            nodes = {name: one.settings for name, one in self.asked.items()}
            compared = diff_data(
                adapter.at(SCHEMA), "base", "current", options=ComparisonOptions(
                    nodes=nodes, max_rows=self.max_rows, privacy=self.privacy, budget=self.budget, save=True,
                    threads=self.draw.choice((1, 2)),
                ),
            )  # fmt: skip
        yield from self._of_reports("diff --data", compared.data, compared)
        again = stored_data(adapter.at(SCHEMA), compared.diff).results
        yield from self._of_reports("diff", again, DataComparison(diff=compared.diff, data=again))
        yield from self._of_views()
        yield from self._of_checks()
        yield from self._of_agents()

    def _of_reports(
        self, how: str, results: Sequence[AnyDataDiff], comparison: DataComparison
    ) -> Iterator[str]:
        document = json.loads(data_json(results))
        texts = {
            "text": data_text(results, width=0, color=False),
            "details": data_text(results, width=0, color=False, details=True),
            "markdown": data_markdown(results),
            "comment": comment(comparison.diff, results),
            "html": html_report("Data", comparison.diff, results, None),
            "report": render_report(comparison, "text", width=0),
        }
        for style, text in texts.items():
            for claim in dict.fromkeys(claims_in(text)):
                true_of = [name for name in NAMES if self._allows(name, claim.what)]
                wrong = [name for name in claim.about if name not in true_of]
                if wrong or claim.count > len(true_of):
                    yield f"{how}, {style}: {claim}, true of {true_of}"
        for result in document["results"]:
            for problem in self._of_result(result):
                yield f"{how}, JSON: {problem}"
        same = document["summary"]["same"]
        if same > sum(self.truths[name].allows("row count and columns") for name in NAMES):
            yield f"{how}, JSON: {same} nodes are the same"

    def _allows(self, name: str, claim: str) -> bool:
        if claim == "data" and not self.asked[name].is_whole:
            return False
        return self.truths[name].allows(claim)

    def _of_result(self, result: dict[str, Any]) -> Iterator[str]:
        if result["type"] == "row_count_diff":
            for one in result["counts"]:
                yield from self._of_count(one)
            return
        name = result["subject"]["name"]
        truth, whole = self.truths[name], self.asked[name].is_whole
        if result.get("is_equal") is True and not (whole and truth.allows("data")):
            yield f"{name} {result['type']} is_equal"
        if result["type"] == "value_diff" and truth.joined and whole and result["key"] == [truth.key]:
            before, after = truth.joined
            both = before.keys() & after.keys()
            figures = {
                "common": result["common"] if name == self.moving else len(both),
                "added": len(after.keys() - both),
                "removed": len(before.keys() - both),
            }
            for figure, expected in figures.items():
                if result[figure] != expected:
                    yield f"{name} {figure} {result[figure]}, not {expected}"
            for column in result["columns"]:
                if column["reason"] or "rounded" in (column["compared_as"] or ""):
                    continue
                expected = truth.mismatched(column["name"])
                if column["mismatched"] != expected and not self.asked[name].is_tolerant:
                    yield f"{name}.{column['name']} mismatched {column['mismatched']}, not {expected}"

    def _of_count(self, one: dict[str, Any]) -> Iterator[str]:
        truth = self.truths.get(one["subject"]["name"])
        if truth is None or self.asked[one["subject"]["name"]].settings.where:
            return
        if one["subject"]["name"] == self.moving:
            if None not in (one.get("base"), one.get("current")) and one["base"] != one["current"]:
                yield f"{self.moving} has other rows at one moment: {one}"
            return
        for side, held in (("base", truth.base), ("current", truth.current)):
            if one.get(side) is not None and (
                held is None or held.rows is None or one[side] != len(held.rows)
            ):
                yield f"{one['subject']['name']} {side} has {one[side]} rows, not those of {held}"

    def _of_views(self) -> Iterator[str]:
        rows = self.database.fetch(
            f"SELECT subject_name, diff_type, is_equal FROM {SCHEMA}.data_diff_history"
            f" WHERE taken_at = (SELECT max(taken_at) FROM {SCHEMA}.data_diff_history)"
        )
        for name, kind, is_equal in rows:
            if is_equal:
                claim = {"row_count_diff": "row count", "schema_diff": "columns"}.get(kind, "data")
                if not self._allows(name, claim):
                    yield f"view data_diff_history: {kind} of {name} is equal"
        columns = self.database.fetch(
            f"SELECT subject_name, column_name, status, match_share FROM {SCHEMA}.column_diff_history"
            f" WHERE taken_at = (SELECT max(taken_at) FROM {SCHEMA}.data_diff_history)"
        )
        for name, column, status, share in columns:
            truth = self.truths.get(name)
            if truth is None or status not in ("equal", "changed") or not truth.joined:
                continue
            asked = self.asked[name]
            is_exact = asked.is_whole and not asked.is_tolerant
            if status == "equal" and is_exact and truth.mismatched(column):
                yield f"view column_diff_history: {name}.{column} is equal ({share})"

    def _of_checks(self) -> Iterator[str]:
        kinds = self.draw.sample(CHECKS, 4)
        where = self.draw.choice((None, None, "v0 IS NOT NULL"))
        written = []
        for name in NAMES:
            for kind in kinds:
                params: dict[str, Any] = {"model": name}
                if kind in ("row_count_diff", "schema_diff"):
                    params = (
                        {"node_names": [name]}
                        if kind == "row_count_diff"
                        else {"node_id": f"model.shop.{name}"}
                    )
                elif kind in ("value_diff", "value_diff_detail"):
                    params["primary_key"] = "id"
                elif kind == "query_diff":
                    params = {"sql_template": f"select * from {{{{ ref('{name}') }}}}"}
                elif kind in ("top_k_diff", "histogram_diff"):
                    params["column_name"] = "v0"
                if where and kind in LIMITED:
                    params["where"] = where
                written.append({"name": f"{name} {kind}", "type": kind, "params": params, "expect": "equal"})
        path = self.database.folder / "checks.yml"
        path.write_text(json.dumps({"checks": written}), encoding="utf-8")
        options = ComparisonOptions(privacy=self.privacy, threads=1)
        report = run_checks(self.database.adapter.at(SCHEMA), path, "base", "current", options=options)
        for check in report.checks:
            name, kind = check.name.split()
            truth = self.truths[name]
            if check.status != "passed":
                continue
            claim = {"row_count_diff": "row count", "schema_diff": "columns"}.get(kind, "data")
            if kind in ("top_k_diff", "histogram_diff"):
                is_true = truth.same_values("v0", with_nulls=kind == "top_k_diff")
            elif kind in LIMITED and where:
                continue
            else:
                is_true = truth.allows("row count" if kind == "profile_diff" else claim)
            if not is_true:
                yield f"check {kind} of {name} passes"

    def _of_agents(self) -> Iterator[str]:
        name = self.draw.choice(NAMES)
        for kind, claim in (("row_count", "row count"), ("value", "data"), ("profile", "row count")):
            try:
                answer = self.database.tools.compare_data(name, kind, "base", "current")  # type: ignore[arg-type]
            except (RecceMetaError, WarehouseError):  # an error claims nothing
                continue
            found = json.loads(answer)
            if found["outcome"] == "equal" and not self.truths[name].allows(claim):
                yield f"agent, {kind} of {name}: {found['verdict']}"


CLAIM = re.compile(
    r"(?:[sS]ame|[eE]qual) (data|row count, columns|row count and columns?(?: names and types)?|row count"
    r"|columns|column names and types)\b(?: in (?P<count>all \d+|\d+) nodes?)?"
    r"|(?P<rows>\brows?, (?:all )?equal|no row differs|data is the same)"
)
BLOCK = re.compile(r"\W*(?P<name>[a-z]+) · [a-z ]+|#+ .*")
"""Heading of what one data diff found."""


class Claim(NamedTuple):
    """A report says that *what* is equal: of the nodes *about*, or of as many as *count*."""

    what: str
    about: Sequence[str]
    count: int


def claims_in(text: str) -> Iterator[Claim]:
    """Yield what *text* says is equal: of the nodes that its line or the heading above names, else of any."""
    text = re.sub(r"<(style|script|template).*?</\1>", "", text, flags=re.S)
    text = re.sub(
        r"</?(?:div|p|tr|h\d|section|details|summary|ul|ol|li|table|pre|header|main)\b[^>]*>", "\n", text
    )
    lines = html.unescape(re.sub(r"<[^>]*>", " ", text)).split("\n")
    lines = [re.sub(r" +", " ", line).strip() for line in lines if line.strip()]
    subject: tuple[str, ...] = ()
    for at, line in enumerate(lines):
        heading = BLOCK.match(line)
        if heading:
            subject = (heading["name"],) if heading["name"] in NAMES else ()
        for found in CLAIM.finditer(line):
            about = _named(line) or subject
            if found["count"] is None or not about:
                # A list of nodes may stand in the next line.
                about = about or _named(lines[at + 1] if at + 1 < len(lines) else "")
            number = int((found["count"] or "1").removeprefix("all "))
            yield Claim("rows" if found["rows"] else found[1], about, number)


def _named(line: str) -> tuple[str, ...]:
    return tuple(name for name in NAMES if re.search(rf"\b{name}\b", line))


class Database:
    """The database of the cases, with a recorded project of two runs."""

    def __init__(self, url: str | None, folder: Path) -> None:
        self.folder = folder
        self.url = url = url or f"duckdb:///{folder / 'shop.duckdb'}"
        self.adapter = UnifiedSqlAdapter.from_url(url)
        settings = AgentSettings(allows_queries=True, privacy=None)
        self._agent_store = AgentStore(lambda: UnifiedSqlAdapter.from_url(url).at(SCHEMA))
        self.tools = DataTools(Questions(self._agent_store, settings))
        for schema in ("base", "current", SCHEMA):
            self.adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        for schema in ("base", "current"):
            self.adapter.execute(f"CREATE SCHEMA {schema}")
        for day, side in enumerate(("base", "current"), start=1):
            record_run(self.adapter.at(SCHEMA), self._project(side, day))

    def fetch(self, sql: str) -> list[Row]:
        """Return the rows of a query."""
        return [tuple(row) for row in self.adapter.execute(sql)[1]]

    def _project(self, side: str, day: int) -> Project:
        at = datetime(2026, 11, day, tzinfo=timezone.utc)
        nodes = tuple(
            NodeMetadata(
                unique_id=f"model.shop.{name}", name=name, resource_type="model", package_name="shop",
                schema_name=side, identifier=name, relation_name=f"{side}.{name}", materialized="table",
                language="sql", raw_code=f"select {day} as id", compiled_code=f"select {day} as id",
                code_hash=str(day),
            )
            for name in sorted(NAMES)
        )  # fmt: skip
        run = RunMetadata(
            run_id=side, run_at=at, project_name="shop", environment=side, command="build",
            adapter_type=self.adapter.warehouse.name, target_schema=side, node_count=len(nodes),
        )  # fmt: skip
        return Project(run=run, nodes=nodes)

    @property
    def has_snapshots(self) -> bool:
        """True if all queries of a diff can see one moment."""
        return self.adapter.warehouse.name == "postgres"

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """Write equal rows to both sides of *name* meanwhile, and remove them at the end."""
        if not name:
            yield
            return
        sides, stopped = [f"{side}.{name}" for side in ("base", "current")], Event()
        writer = sa.create_engine(self.url)

        def write() -> None:
            for number in count(1000):
                with writer.begin() as connection:
                    for table in sides:
                        connection.execute(sa.text(f"INSERT INTO {table} (id) VALUES ({number})"))
                if stopped.wait(0.001):
                    return

        thread = Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()
            with writer.begin() as connection:
                for table in sides:
                    connection.execute(sa.text(f"DELETE FROM {table} WHERE id >= 1000"))
            writer.dispose()

    def close(self) -> None:
        """Close all connections, and remove the copy that agents read."""
        self._agent_store.close()
        self.adapter.close()

    def forget(self) -> None:
        """Delete the stored results of the case before."""
        for table in ("store_data_diffs", "store_column_diffs"):
            self.adapter.execute(f"DELETE FROM {SCHEMA}.{table}")

    def fill(
        self, side: str, name: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]
    ) -> Side:
        """Create the table of *name*, and return what it holds."""
        execute = self.adapter.execute
        for kind in ("TABLE", "VIEW"):
            if self._kind(side, name) == kind:
                execute(f"DROP {kind} {side}.{name}")
        execute(f"CREATE TABLE {side}.{name} ({', '.join(f'{column} {kind}' for column, kind in columns)})")
        if rows:
            listed = ", ".join(f"({', '.join(row)})" for row in rows)
            execute(f"INSERT INTO {side}.{name} VALUES {listed}")
        listed = ", ".join(column for column, _ in columns)
        held = tuple(map(tuple, self.fetch(f"SELECT {listed} FROM {side}.{name}")))
        return Side(tuple(columns), held)

    def take_away(self, side: str, name: str, *, is_dropped: bool) -> Side | None:
        """Drop the table of *name*, or put a view in its place that fails when it is read."""
        self.adapter.execute(f"DROP TABLE {side}.{name}")
        if is_dropped:
            return None
        refused = "CAST('x' || random() AS INTEGER) = 1"
        self.adapter.execute(f"CREATE VIEW {side}.{name} AS SELECT 1 AS id, 2 AS v0 WHERE {refused}")
        return Side((("id", "INTEGER"), ("v0", "INTEGER")), None)

    def _kind(self, side: str, name: str) -> str | None:
        found = self.fetch(
            "SELECT table_type FROM information_schema.tables"
            f" WHERE table_schema = '{side}' AND table_name = '{name}'"
        )
        return None if not found else "VIEW" if found[0][0] == "VIEW" else "TABLE"


def failures(database: Database, seeds: Iterable[int]) -> Iterator[str]:
    """Run the cases of *seeds*, and yield what is wrong."""
    for seed in seeds:
        try:
            yield from (f"case {seed}: {claim}" for claim in Situation(database, seed).failures())
        except UnknownNameError:  # a side lacks the column that a setting names, so there is no report
            continue
        except (RecceMetaError, WarehouseError) as error:
            yield f"case {seed}: {type(error).__name__}: {error}"


def main() -> None:
    """Run the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("url", nargs="?", metavar="URL")
    clock, given = Clock.of(parser)
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        database = Database(given.url, Path(folder))
        for failure in failures(database, clock.seeds()):
            found += 1
            print(failure, flush=True)
        database.close()
    print(clock.report(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
