"""A store with everything that the server shows, and readers of its pages.

- Project `jaffle_shop`: the demo's two dbt runs with column lineage, statistics, stored data diffs, checks
  and two measurements of quality; and earlier runs with failures, of other branches.
- Project `live`: scans with changes, foreign keys, indexes, sizes and measurements of quality.
- Project `HOSTILE`: two runs whose names, descriptions, codes and messages want to be more than text, with a
  scan and a measurement of the same kind.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.diffs import profile_diff, value_diff_detail
from recce_meta.api.data.statistics import Stats, take_statistics
from recce_meta.api.public.data import ComparisonOptions, diff_data, run_checks
from recce_meta.api.public.databases import measure_quality
from recce_meta.api.record import record_run
from recce_meta.api.scan import ScanOptions, scan
from recce_meta.config.file import Config
from recce_meta.extractors.database import ScanScope
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Column, NodeMetadata, Project, RunMetadata
from recce_meta.models.catalog import RelationFacts
from recce_meta.models.checks import StoredCheck, StoredFinding
from recce_meta.models.data_diff import Profile
from recce_meta.models.marks.annotation import PRESENT, AnnotationTarget
from recce_meta.models.node import NodeResult, code_hash
from recce_meta.models.quality import (
    ColumnQuality,
    MetricResult,
    Quality,
    QualityRun,
    TableQuality,
    ValueCount,
)
from recce_meta.store.check_results import save_checks
from recce_meta.store.data_diffs import save_data_diffs
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations
from recce_meta.store.quality import write_quality
from recce_meta.store.read import list_runs
from tests.support.once import built_once
from tests.support.scanned_shop import measurements, scans

SHOP = demo_data.DATABASE
OF_SHOP = Config(project=SHOP)
SAVED = ComparisonOptions(save=True)
LIVE = "live"
HOSTILE = "x\"'><script>alert(1)</script>/../%2F"
"""Project, and part of every hostile name."""
SPELLINGS = (
    "<img src=x onerror=alert(1)>",
    '"/../',
    "..",
    "%2F%00",
    "javascript:alert(1)",
    "tab\tbell\x07escape\x1b[31m",
    "\u202eright to left\u2066",
    "🦆 数据 é",
    "{{ 7 * 7 }}{% raw %}",
    "a?b#c&d=e;f~2F",
    "w" * 300,
)
"""Names that break an address, a page or a screen, if they are not encoded."""
TEXT = f"Line 1\n\n</textarea></style></title>{HOSTILE} {' '.join(SPELLINGS)}"
NOW = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)
FAILED_RUN = "shop-3"
"""A run of the shop in which models and tests failed."""


def copy(factory: pytest.TempPathFactory) -> str:
    """Return the URL of a copy of the store, which is built once in a run of the tests."""
    folder = factory.mktemp("rich")
    shutil.copytree(built_once(factory, "rich", build), folder, dirs_exist_ok=True)
    return _url(folder)


def _url(folder: Path) -> str:
    return f"duckdb:///{folder / f'{SHOP}.duckdb'}"


def build(folder: Path, schema: str | None = None) -> str:
    """Create the store in *schema* of a database in *folder*, and return its URL."""
    url = _url(folder)
    with UnifiedSqlAdapter.from_url(url).at(schema) as adapter:
        _shop(adapter, folder)
        _live(adapter)
        _hostile(adapter)
    return url


def _shop(adapter: UnifiedSqlAdapter, folder: Path) -> None:
    demo_data.load_tables(adapter.execute)
    projects = {side: _extracted(side) for side in ("base", "current")}
    _earlier(adapter, projects["base"])
    recorded = {}
    for side, project in projects.items():
        kind = Stats.PROFILE if side == "current" else Stats.ROW_COUNT
        statistics = take_statistics(adapter, project, kind)
        recorded[side] = record_run(adapter, project, statistics=statistics).run
    diff_data(adapter, "base", "current", options=SAVED, config=OF_SHOP)
    _annotate(adapter, SHOP, "model.jaffle_shop.orders", "status", "model.jaffle_shop.stg_orders")
    names = {node.name: node for node in projects["current"].nodes}
    older = {node.name: node for node in projects["base"].nodes}
    save_data_diffs(
        adapter,
        [
            value_diff_detail(adapter, older["orders"], names["orders"], key="order_id"),
            profile_diff(adapter, older["customers"], names["customers"]),
        ],
        base_run=recorded["base"],
        current_run=recorded["current"],
        taken_at=datetime.now(timezone.utc),
    )
    checks = folder / "checks.yml"
    checks.write_text(CHECKS, encoding="utf-8")
    run_checks(adapter, checks, "base", "current", options=SAVED, config=OF_SHOP)
    measure_quality(adapter, ("orders", "customers"), run="base", project=SHOP)
    measure_quality(adapter, run="current", project=SHOP, exclude="resource_type:seed")
    options = ScanOptions(environment="warehouse", project="warehouse", columns=False)
    scan(adapter, scope=ScanScope(schemas=("prod",)), options=options)
    adapter.execute("CREATE TABLE prod.parent (id INTEGER PRIMARY KEY, name TEXT)")
    adapter.execute("CREATE TABLE prod.child (id INTEGER, parent_id INTEGER REFERENCES prod.parent (id))")
    adapter.execute("CREATE INDEX child_parent ON prod.child (parent_id)")
    scan(adapter, scope=ScanScope(schemas=("prod",)), options=options)


CHECKS = """
checks:
  - name: Rows of orders
    type: row_count_diff
    params: {node_names: [orders]}
  - name: Values of customers
    type: value_diff
    description: "Customers <b>must</b> not change"
    params: {model: customers, primary_key: customer_id}
"""


def _annotate(adapter: UnifiedSqlAdapter, project: str, node: str, column: str, parent: str) -> None:
    """Annotate *node*, its *column*, the edge from *parent*, and a node that no run has."""
    own = AnnotationTarget(project_name=project, unique_id=node)
    targets = (
        own,
        replace(own, column_name=column),
        replace(own, parent_id=parent),
        replace(own, parent_id=parent, column_name=column, parent_column=column),
        replace(own, unique_id=f"model.{TEXT}.gone"),
    )
    fields = (("note", "", f"{TEXT}\nsecond line"), ("tag", HOSTILE, PRESENT), ("owner", HOSTILE, PRESENT))
    changes = [AnnotationChange(target, *field) for target in targets for field in fields]
    add_annotations(adapter, changes, author=HOSTILE)
    add_annotations(adapter, [AnnotationChange(own, "note", "", None)], author="Ann")
    add_annotations(adapter, [AnnotationChange(own, "note", "", TEXT)], author="Bob")


def _extracted(side: demo_data.Side) -> Project:
    origin = demo_data.origin(side)
    git = GitState(sha=origin.sha, branch=origin.branch, dirty=False, pull_request=origin.pull_request)
    return extract_project(demo_data.artifacts(side), environment=side, git=git)


def _earlier(adapter: UnifiedSqlAdapter, base: Project) -> None:
    """Record runs before *base*: with fewer nodes, of other branches, and one that failed."""
    models = [node.unique_id for node in base.nodes if node.resource_type == "model"]
    for index in range(4):
        run = replace(
            base.run,
            run_id=f"shop-{index}",
            run_at=base.run.run_at - timedelta(days=6 - index, minutes=index),
            invocation_id=None,
            git_sha=f"{index}" * 40,
            branch="main" if index % 2 else f"feature/{index}",
            pull_request=None if index % 2 else str(30 + index),
            environment="prod" if index % 2 else "ci",
        )
        nodes = base.nodes if index else tuple(node for node in base.nodes if node.resource_type != "test")
        results = tuple(
            replace(result, seconds=(result.seconds or 0.1) * (1 + index % 3)) for result in base.results
        )
        if run.run_id == FAILED_RUN:
            results = tuple(
                replace(result, status="error", message="Database Error: column x does not exist")
                if result.unique_id == models[0]
                else replace(result, status="fail", failures=3, message="Got 3 results, configured to fail")
                if result.unique_id.startswith("test.")
                else result
                for result in results
            )
        record_run(adapter, replace(base, run=run, nodes=nodes, results=results), columns=False)


def _live(adapter: UnifiedSqlAdapter) -> None:
    for project in scans(NOW):
        record_run(adapter, project, columns=project.run.run_id == "scan-3")
    for measured in measurements(NOW):
        write_quality(adapter, measured)


def hostile_id(index: int) -> str:
    """Return the unique id of the hostile model *index*."""
    return f"model.{HOSTILE}.{SPELLINGS[index]}"


def _hostile(adapter: UnifiedSqlAdapter) -> None:
    runs = [_hostile_project(index, NOW + timedelta(hours=index)) for index in range(2)]
    for index, project in enumerate(runs):
        record_run(adapter, project, columns=bool(index))
    now = NOW + timedelta(hours=2)
    base, current = (project.run.run_id for project in runs)
    save_checks(adapter, [_hostile_check(base, current, now)])
    _annotate(adapter, HOSTILE, hostile_id(1), SPELLINGS[0], hostile_id(0))
    write_quality(adapter, _hostile_quality(current, now))
    for index in range(2):
        record_run(adapter, _hostile_scan(index, now + timedelta(hours=index)), columns=False)


def _hostile_project(index: int, at: datetime) -> Project:
    run = RunMetadata(
        run_id=f"run {index}<i>/../%2F",
        run_at=at,
        project_name=HOSTILE,
        environment=f"<b>env</b>/{index}",
        branch=f"feature/{HOSTILE}",
        git_sha="abc1230" * 5 + "<b>x/",
        pull_request="1<i>",
        command="build --select <x>",
        target_name="<target>",
        warnings=(TEXT,),
    )
    nodes = [
        NodeMetadata(
            unique_id=hostile_id(number),
            name=name,
            resource_type="model",
            package_name=HOSTILE,
            path=f"models/{name}.sql",
            fqn=(HOSTILE, name),
            database_name="db",
            schema_name="<schema>",
            identifier=name,
            relation_name=f'"db"."<schema>"."t{number}"',
            materialized="table",
            language="sql",
            raw_code=_code(number, index, is_raw=True),
            compiled_code=_code(number, index, is_raw=False),
            code_hash=code_hash(_code(number, index, is_raw=True)),
            columns=tuple(
                Column(column, "</td>text", TEXT, tags=("<t>",), documented=True)
                for column in ("id", *SPELLINGS)
            ),
            columns_from="catalog",
            description=TEXT,
            tags=("<i>tag", "javascript:alert(1)"),
            meta={"owner": HOSTILE, "<key>": [TEXT]},
            config={"materialized": "table", "<key>": HOSTILE},
            group_name=HOSTILE,
            parents=(hostile_id(number - 1),) if number else (),
        )
        for number, name in enumerate(SPELLINGS)
        if index or number < len(SPELLINGS) - 1
    ]
    test = NodeMetadata(
        unique_id=f"test.{HOSTILE}.not_null",
        name=f"not_null_{HOSTILE}",
        resource_type="test",
        package_name=HOSTILE,
        parents=(hostile_id(0),),
        properties={"test_metadata": {"name": "not_null", "kwargs": {"column_name": SPELLINGS[0]}}},
    )
    results = [
        NodeResult(unique_id=node.unique_id, status="success", seconds=1.5, rows=10, message=TEXT)
        for node in nodes
    ]
    failed = NodeResult(
        unique_id=test.unique_id, status="fail" if index else "pass", failures=index, message=TEXT
    )
    return Project(
        run=run,
        nodes=tuple(sorted([*nodes, test], key=lambda node: node.unique_id)),
        results=(*results, failed),
        warnings=(TEXT,),
    )


def _code(number: int, version: int, *, is_raw: bool) -> str:
    columns = ", ".join(f'"{name}"'.replace('""', '"') for name in SPELLINGS if '"' not in name)
    parent = f'"db"."<schema>"."t{number - 1}"' if number else "raw"
    if is_raw and number:
        parent = "{{ ref('</script>') }}"
    return (
        f"-- {HOSTILE}\nSELECT id, {columns}\nFROM {parent}\nWHERE id > {version} AND note <> '</pre><b>'\n"
    )


def _hostile_check(base: str, current: str, at: datetime) -> StoredCheck:
    return StoredCheck(
        check_result_id="",
        checked_at=at,
        base_run_id=base,
        current_run_id=current,
        file_name="<checks>.yml",
        ordinal=1,
        check_name=HOSTILE,
        check_type="row_count_diff",
        description=TEXT,
        status="failed",
        has_expectations=True,
        node_count=1,
        differing_nodes=1,
        uncompared_nodes=0,
        message=TEXT,
        violations=(TEXT,),
        findings=(
            StoredFinding(unique_id=hostile_id(0), name=SPELLINGS[0], finding="differs", text=HOSTILE),
        ),
        seconds=0.5,
        parameters={"<key>": HOSTILE},
        recorder_version="0",
    )


def _hostile_quality(run_id: str, at: datetime) -> Quality:
    profile = Profile(
        type="<type>", row_count=10, not_null_count=9, distinct_count=3, min="<min>", max=SPELLINGS[-1]
    )
    tops = tuple(ValueCount(value=value, count=3) for value in SPELLINGS)
    metric = MetricResult(name="<metric>", value=2, threshold="< 1", holds=False)
    columns = tuple(
        ColumnQuality(name=name, profile=profile, top_values=tops, score=90.0, metrics=(metric,))
        for name in SPELLINGS
    )
    tables = tuple(
        TableQuality(
            unique_id=hostile_id(number),
            name=SPELLINGS[number],
            relation=f'"<schema>"."t{number}"',
            measured_at=at,
            columns=columns,
            metrics=(metric,),
            score=50.0 + number,
            row_count=10,
            notes=(TEXT,),
        )
        for number in range(3)
    )
    run = QualityRun(
        quality_run_id="quality-<i>",
        run_id=run_id,
        project_name=HOSTILE,
        environment="<b>env</b>/1",
        started_at=at,
        finished_at=at + timedelta(seconds=2),
        table_count=len(tables),
        score=51.0,
    )
    return Quality(run=run, tables=tables)


def _hostile_scan(index: int, at: datetime) -> Project:
    run = RunMetadata(
        run_id=f"scan {index}<i>/../",
        run_at=at,
        project_name=f"scan of {HOSTILE}",
        extractor="database",
        adapter_type="postgres",
        target_database=HOSTILE,
        command="scan",
    )
    schema = NodeMetadata(
        unique_id=f"schema.{HOSTILE}", name=HOSTILE, resource_type="schema", description=TEXT,
        database_name="db", schema_name=HOSTILE,
    )  # fmt: skip
    tables = [
        NodeMetadata(
            unique_id=f"relation.{HOSTILE}.{name}",
            name=name,
            resource_type="table",
            fqn=(HOSTILE, name),
            database_name="db",
            schema_name=HOSTILE,
            identifier=name,
            relation_name=f'"db"."s"."t{number}"',
            materialized="table",
            columns=tuple(Column(column, "text", TEXT, default=HOSTILE) for column in SPELLINGS),
            columns_from="catalog",
            description=TEXT,
            properties={
                "owner": HOSTILE,
                "partition_key": HOSTILE,
                "constraints": [
                    {"name": HOSTILE, "type": "primary_key", "columns": [SPELLINGS[0]]},
                    {"name": HOSTILE, "type": "check", "expression": HOSTILE},
                    {
                        "name": HOSTILE,
                        "type": "foreign_key",
                        "columns": [SPELLINGS[1]],
                        "references": {
                            "relation": f"relation.{HOSTILE}.{SPELLINGS[0]}",
                            "columns": [SPELLINGS[0]],
                        },
                    },
                ],
                "indexes": [{"name": HOSTILE, "definition": f"CREATE INDEX {HOSTILE}", "unique": True}],
            },
        )
        for number, name in enumerate(SPELLINGS)
        if index or number
    ]
    facts = tuple(
        RelationFacts(unique_id=table.unique_id, row_estimate=10 + index, bytes=8192 * (index + 1))
        for table in sorted(tables, key=lambda table: table.unique_id)
    )
    nodes = tuple(sorted([schema, *tables], key=lambda node: node.unique_id))
    return Project(run=run, nodes=nodes, facts=facts)


@dataclass
class ParsedPage:
    """Parts of one page."""

    links: list[str] = field(default_factory=list)
    """Addresses of links, forms and sources, in order."""
    headings: list[tuple[int, str]] = field(default_factory=list)
    """Level and text of each heading."""
    tables: list[list[list[str]]] = field(default_factory=list)
    """Cells of each table, by row; the first row has the titles."""
    ids: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Name and attributes of each element."""
    text: str = ""

    def elements(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of all elements *tag*."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def title(self) -> str:
        """Text of the only heading of level 1."""
        (title,) = [text for level, text in self.headings if level == 1]
        return title


class _Parser(HTMLParser):
    """Reads a page. Cells of tables within tables are not read."""

    def __init__(self) -> None:
        super().__init__()
        self.page = ParsedPage()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        page = self.page
        page.tags.append((tag, attributes))
        if "id" in attributes:
            page.ids.append(attributes["id"])
        for name in ("href", "src", "action", "hx-get"):
            if name in attributes and tag not in ("link", "script"):
                page.links.append(attributes[name])
        if re.fullmatch("h[1-6]", tag):
            page.headings.append((int(tag[1]), ""))
        elif tag == "table":
            page.tables.append([])
        elif tag == "tr" and page.tables:
            page.tables[-1].append([])
        elif tag in ("td", "th") and page.tables and page.tables[-1]:
            page.tables[-1][-1].append("")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        page, inside = self.page, self._open
        page.text += data
        if page.headings and any(re.fullmatch("h[1-6]", tag) for tag in inside):
            level, text = page.headings[-1]
            page.headings[-1] = (level, f"{text}{data}")
        if "table" in inside and ("td" in inside or "th" in inside) and page.tables[-1][-1]:
            page.tables[-1][-1][-1] += data


_VOID = frozenset(["area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"])


def parsed(html: str) -> ParsedPage:
    """Return the parts of the page *html*."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return parser.page


def page(client: TestClient, address: str, status: int = 200) -> ParsedPage:
    """Return the page at *address*, which is small and has no styles of its own."""
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    assert len(answer.content) < 200_000
    assert " style=" not in answer.text
    return parsed(answer.text)


def run_id(rich_url: str, environment: str, project: str = SHOP, place: int = 0) -> str:
    """Return the id of a run of *environment*: the latest, or the one at *place*."""
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        return list_runs(adapter, project=project, environment=environment)[place].run_id
