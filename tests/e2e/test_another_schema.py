"""A store in a schema of its own: no function, command, tool or page opens that of the default schema.

The default schema has a decoy: a store of a version that no recce_meta reads, so opening it is an error.
"""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest
from starlette.testclient import TestClient

import recce_meta as api
from recce_meta import UnifiedSqlAdapter, demo_data
from recce_meta.cli.main import cli
from recce_meta.mcp.data_tools import DataTools
from recce_meta.mcp.questions import AgentSettings, Questions
from recce_meta.mcp.stores import AgentStore
from recce_meta.mcp.tools import RunTools
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.stores.stores import Store
from recce_meta.store.session import StoreSession
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server import rich_store
from tests.contract.server.crawler import Answer, crawl
from tests.e2e.conftest import DEMO, Cli
from tests.e2e.test_recce_state import recorded
from tests.support.once import built_once

OTHER = "store of work"
FILE = f"{demo_data.DATABASE}.duckdb"
SHOP = rich_store.SHOP
OF_SHOP = api.Config(project=SHOP)
SAVED = api.ComparisonOptions(save=True)
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database: its data, a store of them in OTHER, and a decoy in the default schema."""
    return built_once(tmp_path_factory, "another_schema", _build)


def _build(folder: Path) -> None:
    url = rich_store.build(folder, OTHER)
    with UnifiedSqlAdapter.from_url(url) as adapter:
        api.init_store(adapter)
        adapter.execute(f"UPDATE {DEFAULT_SCHEMA}.store SET schema_version = 999, read_version = 999")
        api.export(adapter.at(OTHER), folder / "run.json", "current", project=SHOP)
    with UnifiedSqlAdapter.from_url(f"duckdb:///{folder / 'elsewhere.duckdb'}") as adapter:
        api.init_store(adapter.at(OTHER))
    (folder / "state.json").write_text(json.dumps(recorded()), encoding="utf-8")
    (folder / "orders.sql").write_text("select * from {{ ref('orders') }}", encoding="utf-8")
    for side in ("base", "current"):
        shutil.copytree(DEMO / side, folder / f"target-{side}")


@pytest.fixture
def folder(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the current folder."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Yield the schemas of the stores that a test opens."""
    schemas: set[str] = set()
    created = StoreSession.__init__

    def noted(self: StoreSession, session: Any, warehouse: Any, schema: str, **options: Any) -> None:
        schemas.add(schema)
        created(self, session, warehouse, schema, **options)

    monkeypatch.setattr(StoreSession, "__init__", noted)
    yield schemas


FUNCTIONS: dict[str, Call] = {
    "add_note": lambda a: api.add_note(a, "orders", "checked", author="Ann", project=SHOP),
    "copy_runs": lambda a: api.copy_runs(a, elsewhere(), "current", project=SHOP),
    "diff_data": lambda a: api.diff_data(
        a, "base", "current", select="orders", options=SAVED, config=OF_SHOP
    ),
    "diff_runs": lambda a: api.diff_runs(a, "base", "current", config=OF_SHOP),
    "doctor": lambda a: passed(api.doctor(a)),
    "export": lambda a: api.export(a, "out.json", "current", project=SHOP),
    "fsck": lambda a: api.fsck(a, repair=True),
    "impact": lambda a: api.impact(a, "orders", "current", project=SHOP),
    "import_recce_state": lambda a: api.import_recce_state(a, "state.json"),
    "import_run": lambda a: api.import_run(a, "run.json"),
    "init_store": lambda a: api.init_store(a),
    "lineage": lambda a: api.lineage(a, "orders", "current", project=SHOP),
    "list_notes": lambda a: some(api.list_notes(a, project=SHOP)),
    "list_quality_runs": lambda a: some(api.list_quality_runs(a)),
    "list_reviews": lambda a: api.list_reviews(a),
    "list_runs": lambda a: some(api.list_runs(a)),
    "load_lineage_from_warehouse": lambda a: some(api.load_lineage_from_warehouse(a, "shop-0")),
    "load_nodes_from_warehouse": lambda a: some(api.load_nodes_from_warehouse(a, "shop-0")),
    "load_run": lambda a: api.load_run(a, "current", project=SHOP),
    "measure_quality": lambda a: api.measure_quality(a, "orders", run="current", project=SHOP),
    "node_pairs": lambda a: some(api.node_pairs(a, "orders", "base", "current", config=OF_SHOP)),
    "note_history": lambda a: some(api.note_history(a, project=SHOP)),
    "prune": lambda a: api.prune(a, api.Retention(keep_last=1, project=SHOP)),
    "pull_runs": lambda a: api.pull_runs(a, elsewhere()),
    "push_runs": lambda a: api.push_runs(a, elsewhere()),
    "quality_history": lambda a: api.quality_history(a, "orders", project=SHOP),
    "record_run": lambda a: api.record_run(
        a, api.extract_project("target-base", environment="third", run_id="third")
    ),
    "render_sql": lambda a: api.render_sql(a, "select * from {{ ref('orders') }}", "current", project=SHOP),
    "review": lambda a: api.review(a, "orders", "current", reviewer="Ann", project=SHOP),
    "run_checks": lambda a: api.run_checks(a, "checks.yml", "base", "current", options=SAVED, config=OF_SHOP),
    "scan": lambda a: api.scan(
        a,
        scope=api.ScanScope(schemas=("prod",)),
        options=api.ScanOptions(environment="warehouse", project="warehouse"),
    ),
    "show_quality": lambda a: api.show_quality(a, "latest", project=SHOP),
    "show_run": lambda a: api.show_run(a, "current", project=SHOP),
    "sync_runs": lambda a: api.sync_runs(a, elsewhere()),
}


OF_DATA = {
    "extract_database",
    "histogram_diff",
    "preview_edits",
    "profile_diff",
    "query_diff",
    "row_count_diff",
    "schema_diff",
    "take_statistics",
    "top_k_diff",
    "value_diff",
    "value_diff_detail",
}
"""Functions that open no store."""


def elsewhere() -> UnifiedSqlAdapter:
    """Return the adapter of another database."""
    return UnifiedSqlAdapter.from_url("duckdb:///elsewhere.duckdb").at(OTHER)


def some(found: Any) -> Any:
    """Return *found*, which is not empty."""
    assert found
    return found


def passed(checks: Any) -> Any:
    """Return *checks*, none of which failed."""
    assert [check for check in checks if check.ok is False] == []
    return checks


def test_every_function_of_a_store_is_called() -> None:
    functions = {name: getattr(api, name) for name in api.__all__}
    firsts = {
        name: next(iter(inspect.signature(function).parameters.values()), None)
        for name, function in functions.items()
        if inspect.isfunction(function)
    }
    with_adapter = {name for name, first in firsts.items() if "UnifiedSqlAdapter" in str(first)}
    assert with_adapter - OF_DATA == {*FUNCTIONS}


@pytest.mark.extensive
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_opens_the_store_of_its_adapter(name: str, opened: set[str]) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{FILE}") as adapter:
        FUNCTIONS[name](adapter.at(OTHER))
    assert opened == {OTHER}


RUNS = ("base", "current", "--project", SHOP)
COMMANDS_OF_A_STORE: dict[str, tuple[str, ...]] = {
    "record": ("record", "-e", "third", "--target-path", "target-base", "--run-id", "third"),
    "hook": ("hook", "-e", "third", "--", "cp", "-r", "target-base", "target"),
    "runs": ("runs",),
    "show": ("show", "current", "--project", SHOP),
    "diff": ("diff", *RUNS),
    "plan": ("plan", "--base", "base", "--current", "current", "--project", SHOP),
    "impact": ("impact", "orders", "--run", "current", "--project", SHOP),
    "lineage": ("lineage", "orders", "--run", "current", "--project", SHOP),
    **{
        name: (name, "orders", "--base", "base", "--current", "current", "--project", SHOP)
        for name in ("row-count", "schema", "value", "profile")
    },
    "top-k": ("top-k", "orders", "--columns", "status", "--base", "base", "--project", SHOP, "--save"),
    "histogram": ("histogram", "orders", "--columns", "amount", "--base", "base", "--project", SHOP),
    "query-diff": ("query-diff", "--sql", "select 1 as a", "--base", "base", "--project", SHOP),
    "check run": ("check", "run", "checks.yml", "--base", "base", "--project", SHOP, "--save"),
    "quality": ("quality", "orders", "--run", "current", "--project", SHOP),
    "init": ("init",),
    "scan": ("scan", "--schema", "prod", "--project", "warehouse", "-e", "warehouse"),
    "check-base": ("check-base", "--base", "base", "--project", SHOP),
    "query": ("query", "select count(*) from runs"),
    "render": ("render", "orders.sql", "--run", "current", "--project", SHOP),
    "export": ("export", "current", "--project", SHOP, "-o", "out.json"),
    "import": ("import", "run.json"),
    "prune": ("prune", "--keep-last", "1", "--project", SHOP),
    "fsck": ("fsck", "--repair"),
    **{name: (name, "duckdb:///elsewhere.duckdb") for name in ("push", "pull", "sync")},
    "note": ("note", "orders", "checked", "--run", "current", "--project", SHOP),
    "notes": ("notes", "orders", "--run", "current", "--project", SHOP),
    "doctor": ("doctor",),
}
SERVERS = ("serve", "worker", "lsp", "mcp")
"""Commands that run until they are stopped: tests below ask what they serve."""
WITHOUT_A_STORE = ("config", "sql", "preview")
"""Commands that need none here; `preview` needs the files of a project, which has its base in `target/`."""


def test_every_command_of_a_store_is_run() -> None:
    named = set(_commands(cli, ()))
    assert named - {*SERVERS, *WITHOUT_A_STORE} == {*COMMANDS_OF_A_STORE}


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        elif command is not None and any(parameter.name == "schema" for parameter in command.params):
            yield " ".join((*path, name))


@pytest.mark.extensive
@pytest.mark.parametrize("name", COMMANDS_OF_A_STORE)
def test_a_command_opens_the_store_of_its_schema(name: str, folder: Path, opened: set[str]) -> None:
    environ = {"RECCE_META_URL": f"duckdb:///{FILE}", "RECCE_META_SCHEMA": OTHER}
    ran = Cli(folder, environ)(*COMMANDS_OF_A_STORE[name])
    assert ran.code in (0, 1, 2) and "999" not in ran.err, ran.err
    assert opened == {OTHER}, ran


@pytest.mark.extensive
def test_pages_open_the_store_of_their_schema(opened: set[str]) -> None:
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(f"duckdb:///{FILE}").at(OTHER))
    with TestClient(create_app({"default": store}, Access()), base_url="http://127.0.0.1") as client:

        def fetch(address: str) -> Answer:
            found = client.get(address, follow_redirects=False)
            kind = found.headers.get("content-type", "").partition(";")[0]
            return Answer(found.status_code, kind, found.content, found.headers.get("location", ""))

        visited = crawl(fetch, most=1)
    assert [one.address for one in visited.visited if one.answer.status >= 500] == []
    assert len({one.kind for one in visited.pages}) > 20
    assert opened == {OTHER}


@pytest.mark.extensive
def test_tools_of_agents_open_the_store_of_their_schema(folder: Path, opened: set[str]) -> None:
    with closing(AgentStore(lambda: UnifiedSqlAdapter.from_url(f"duckdb:///{FILE}").at(OTHER))) as store:
        questions = Questions(store, AgentSettings(project=SHOP, project_dir=folder, allows_queries=True))
        tools = RunTools(questions)
        answers = [
            tools.what_changed("base", "current"),
            tools.impact("orders", run="current"),
            tools.column_lineage("orders.status", run="current"),
            tools.describe("orders", run="current"),
            tools.review_summary("base", "current"),
            tools.plan("base", "current"),
            DataTools(questions).compare_data("orders", base="base", current="current"),
        ]
    assert all(answers)
    assert opened == {OTHER}
